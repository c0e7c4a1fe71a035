//! The file: what it keeps, who may use it at once, what it refuses.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use super::*;

fn scope(settings: &str) -> MemoryScope {
    MemoryScope {
        from: "ru".to_owned(),
        to: "en".to_owned(),
        model: "model <1>".to_owned(),
        settings: settings.to_owned(),
    }
}

fn recall(memory: &MemoryFile, settings: &str, source: &str) -> Option<String> {
    memory
        .recall(&scope(settings), &[source])
        .unwrap()
        .remove(0)
}

#[test]
fn what_is_remembered_is_recalled_in_its_scope_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory");
    let memory = MemoryFile::open(&path).unwrap();
    let pairs = [("Дождь.", "Rain."), ("Мост\0", "Bridge")];
    memory.remember(&scope("a"), &pairs).unwrap();
    memory
        .remember(&scope("a"), &[("Дождь.", "It rains.")])
        .unwrap();
    drop(memory);
    let memory = MemoryFile::existing(&path).unwrap();
    let found = memory
        .recall(&scope("a"), &["Мост\0", "Снег.", "Дождь."])
        .unwrap();
    let known = |text: &str| Some(text.to_owned());
    assert_eq!(found, [known("Bridge"), None, known("It rains.")]);
    assert_eq!(recall(&memory, "b", "Дождь."), None);
    let mut other = scope("a");
    other.to = "ar".to_owned();
    assert_eq!(memory.recall(&other, &["Дождь."]).unwrap(), [None]);
    assert_eq!(memory.recall(&scope("a"), &["дождь."]).unwrap(), [None]);
    let counts = memory.counts().unwrap();
    assert_eq!(
        (counts.len(), counts.first().map(|count| count.segments)),
        (1, Some(2))
    );
}

#[test]
fn many_use_one_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory");
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let path = &path;
            threads.spawn(move || {
                let memory = MemoryFile::open(path).unwrap();
                for number in 0..20 {
                    let source = format!("{thread} {number}");
                    memory.remember(&scope("a"), &[(&source, &source)]).unwrap();
                    assert_eq!(recall(&memory, "a", &source), Some(source));
                }
            });
        }
    });
    let memory = MemoryFile::open(&path).unwrap();
    assert_eq!(
        memory.counts().unwrap().first().map(|count| count.segments),
        Some(160)
    );
}

#[test]
fn what_is_no_memory_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, content: &[u8], message: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let error = MemoryFile::open(&path).unwrap_err();
        assert_eq!(error.kind(), "memory", "{error}");
        assert!(
            error.to_string().contains(message) && error.hint().is_some(),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), content);
    };
    refused(
        "text",
        &b"This is an article, and a long one.\n".repeat(40),
        "damaged",
    );
    let good = whole(folder.path());
    let mut damaged = good.clone();
    damaged
        .iter_mut()
        .skip(100)
        .take(300)
        .for_each(|byte| *byte = 0xff);
    refused("damaged", &damaged, "");
    let other = folder.path().join("other");
    let connection = rusqlite::Connection::open(&other).unwrap();
    connection
        .execute_batch("CREATE TABLE segments (source TEXT)")
        .unwrap();
    drop(connection);
    refused("other", &std::fs::read(&other).unwrap(), "another program");
    let newer = folder.path().join("newer");
    std::fs::write(&newer, &good).unwrap();
    let connection = rusqlite::Connection::open(&newer).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    drop(connection);
    refused("newer", &std::fs::read(&newer).unwrap(), "newer newsml");
    let missing = MemoryFile::existing(folder.path().join("missing")).unwrap_err();
    assert_eq!(missing.kind(), "io");
}

/// The bytes of a memory with something in it.
fn whole(folder: &Path) -> Vec<u8> {
    let path = folder.join("whole");
    let memory = MemoryFile::open(&path).unwrap();
    for number in 0..2000 {
        let source = format!("Предложение номер {number}.");
        memory
            .remember(&scope("a"), &[(&source, "A sentence.")])
            .unwrap();
    }
    drop(memory);
    std::fs::read(&path).unwrap()
}

/// Damage that shows only when a page is read.
#[test]
fn damage_inside_is_an_error_when_it_is_met() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = whole(folder.path());
    let pages = bytes.len() / 4096;
    assert!(pages > 10);
    bytes
        .iter_mut()
        .skip(2 * 4096)
        .for_each(|byte| *byte = 0xaa);
    let path = folder.path().join("damaged");
    std::fs::write(&path, bytes).unwrap();
    let memory = MemoryFile::open(&path).unwrap();
    let error = memory
        .recall(&scope("a"), &["Предложение номер 7."])
        .unwrap_err();
    assert_eq!(error.kind(), "memory", "{error}");
    assert_eq!(memory.counts().unwrap_err().kind(), "memory");
}

#[test]
fn tmx_holds_any_text() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryFile::open(folder.path().join("memory")).unwrap();
    let pairs = [("<b>\"М&М\"\u{1b}[31m\0\u{fffe}", "tab\tand ]]> 'end' 🙂")];
    memory.remember(&scope("a"), &pairs).unwrap();
    let mut bytes = Vec::new();
    assert_eq!(memory.export_tmx(&mut bytes, "memory.tmx").unwrap(), 1);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<tmx version=\"1.4\">\n<header "
    ));
    assert!(text.ends_with("</body>\n</tmx>\n"));
    let unit = text.lines().find(|line| line.starts_with("<tu ")).unwrap();
    assert_eq!(
        unit,
        "<tu srclang=\"ru\"><prop type=\"x-model\">model &lt;1&gt;</prop>\
         <tuv xml:lang=\"ru\"><seg>&lt;b&gt;&quot;М&amp;М&quot;[31m</seg></tuv>\
         <tuv xml:lang=\"en\"><seg>tab\tand ]]&gt; &#x27;end&#x27; 🙂</seg></tuv></tu>"
    );
}
