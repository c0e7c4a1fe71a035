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
         <prop type=\"x-settings\">a</prop><tuv xml:lang=\"ru\"><seg>&lt;b&gt;&quot;М&amp;М&quot;[31m</seg></tuv>\
         <tuv xml:lang=\"en\"><seg>tab\tand ]]&gt; &#x27;end&#x27; 🙂</seg></tuv></tu>"
    );
}

#[test]
fn a_full_disk_loses_nothing_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory");
    let memory = MemoryFile::open(&path).unwrap();
    memory
        .remember(&scope("a"), &[("Дождь.", "Rain.")])
        .unwrap();
    memory.limit(4).unwrap();
    let many: Vec<String> = (0..2000).map(|i| format!("Предложение {i}.")).collect();
    let pairs: Vec<(&str, &str)> = many.iter().map(|source| (source.as_str(), "x")).collect();
    let error = memory.remember(&scope("a"), &pairs).unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    // It still answers, none of the lot is in it, and it goes on when there is room.
    assert_eq!(recall(&memory, "a", "Дождь."), Some("Rain.".to_owned()));
    assert_eq!(recall(&memory, "a", "Предложение 0."), None);
    memory.limit(10_000).unwrap();
    memory.remember(&scope("a"), &pairs).unwrap();
    drop(memory);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    drop(connection);
    let count = MemoryFile::existing(&path).unwrap().counts().unwrap()[0].segments;
    assert_eq!(count, 2001);
}

fn import(memory: &MemoryFile, tmx: impl AsRef<[u8]>) -> crate::Result<TmxImport> {
    memory.import_tmx(&mut tmx.as_ref(), "x.tmx")
}

#[test]
fn tmx_of_other_tools_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryFile::open(folder.path().join("memory")).unwrap();
    memory
        .remember(&scope("a"), &[("Мост открыт.", "by a model")])
        .unwrap();
    let tmx = r#"<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<!-- ours -->
<tmx version="1.4">
  <header srclang="ru-RU" segtype="sentence" creationtool="other"><prop type="x">y</prop></header>
  <body>
    <tu tuid="1">
      <note>no text</note>
      <tuv xml:lang="ru-RU"><seg>Мост <bpt i="1">&lt;b></bpt>открыт<ept i="1">&lt;/b></ept>.<ph/></seg></tuv>
      <tuv xml:lang="en-GB"><prop type="z">q</prop><seg>The bridge
        is <hi>open</hi> &amp; <![CDATA[<free>]]>.&#x9b;[31m</seg></tuv>
      <tuv lang="AR"><seg>الجسر مفتوح.</seg></tuv>
    </tu>
    <tu srclang="*all*"><tuv xml:lang="en"><seg>Rain</seg></tuv><tuv xml:lang="ru"><seg>Дождь</seg></tuv></tu>
    <tu><tuv xml:lang="ru"><seg>Снег</seg></tuv><tuv xml:lang="en"><seg> </seg></tuv></tu>
    <tu><tuv xml:lang="en"><seg>Sun</seg></tuv><tuv xml:lang="ar"><seg>شمس</seg></tuv></tu>
  </body>
</tmx>
"#;
    for bytes in [
        tmx.as_bytes().to_vec(),
        [0xff, 0xfe]
            .into_iter()
            .chain(tmx.encode_utf16().flat_map(u16::to_le_bytes))
            .collect(),
    ] {
        let found = import(&memory, bytes).unwrap();
        assert_eq!((found.segments, found.left_out), (4, 2));
    }
    // Whatever the model, and before what a model wrote.
    for settings in ["a", "b"] {
        assert_eq!(
            recall(&memory, settings, "Мост открыт."),
            Some("The bridge is open & <free>.[31m".to_owned())
        );
    }
    let other = |from: &str, to: &str, source: &str| {
        let mut scope = scope("c");
        (scope.from, scope.to) = (from.to_owned(), to.to_owned());
        memory.recall(&scope, &[source]).unwrap().remove(0)
    };
    assert!(other("ru", "ar", "Мост открыт.").is_some());
    assert_eq!(other("ar", "ru", "الجسر مفتوح."), None);
    assert_eq!(other("en", "ru", "Rain"), Some("Дождь".to_owned()));
    assert_eq!(other("ru", "en", "Дождь"), Some("Rain".to_owned()));
}

#[test]
fn what_was_exported_goes_back_to_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryFile::open(folder.path().join("memory")).unwrap();
    let settings = "0123456789abcdef".repeat(4);
    let pairs = [
        ("<b>  \"М&М\"\tx", "tab\tand ]]> 'end' 🙂"),
        ("Дождь.", "Rain."),
    ];
    memory.remember(&scope(&settings), &pairs).unwrap();
    import(&memory, "<tmx><body><tu><tuv lang='ru'><seg>а</seg></tuv><tuv lang='en'><seg>a</seg></tuv></tu></body></tmx>").unwrap();
    let mut bytes = Vec::new();
    memory.export_tmx(&mut bytes, "x.tmx").unwrap();
    let again = MemoryFile::open(folder.path().join("again")).unwrap();
    assert_eq!(import(&again, &bytes).unwrap().segments, 4);
    let mut second = Vec::new();
    again.export_tmx(&mut second, "x.tmx").unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        String::from_utf8(second).unwrap()
    );
    for (source, target) in pairs {
        assert_eq!(recall(&again, &settings, source), Some(target.to_owned()));
        assert_eq!(recall(&again, "other", source), None);
    }
}

#[test]
fn hostile_tmx_is_refused_whole_and_in_linear_time() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryFile::open(folder.path().join("memory")).unwrap();
    let good = "<tu><tuv lang='ru'><seg>а</seg></tuv><tuv lang='en'><seg>a</seg></tuv></tu>\n";
    let many = 200_000;
    let page = |inside: String| format!("<tmx><body>\n{good}{inside}</body></tmx>");
    let cases: [(String, &str); 17] = [
        (String::new(), "ends before"),
        ("text".to_owned(), "not TMX"),
        ("<html></html>".to_owned(), "not TMX"),
        (page(String::new()) + "<tmx></tmx>", "not TMX"),
        (page(String::new()) + "text", "not TMX"),
        (format!("<tmx><body>{good}"), "ends before"),
        (page("</tu>".to_owned()), "line 3: `</tu>` closes nothing"),
        (
            "<!DOCTYPE tmx [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><tmx></tmx>".to_owned(),
            "entities of its own",
        ),
        (page("<a>".repeat(many)), "too deep"),
        (
            page("<tuv>".repeat(10) + &"</tuv>".repeat(many)),
            "closes nothing",
        ),
        (
            page("<tu>".to_owned() + &"<tuv lang='ru'/>".repeat(many) + "</tu>"),
            "too many languages",
        ),
        (page("<!--".repeat(many)), "ends before"),
        (page("<seg><![CDATA[".repeat(many)), "ends before"),
        (page("<tu a=\"".repeat(many)), ""),
        (
            page(format!("<tu {}", "a=b ".repeat(many))),
            "closes nothing",
        ),
        (page("<".repeat(many)), "begins no tag"),
        (
            page(format!(
                "<tu><tuv lang='ru'><seg>{}",
                "&amp;&#x41;&".repeat(many)
            )),
            "closes nothing",
        ),
    ];
    let begin = std::time::Instant::now();
    for (tmx, message) in cases {
        let error = import(&memory, &tmx).unwrap_err();
        assert_eq!(error.kind(), "format", "{error}");
        assert!(error.to_string().contains(message), "{message}: {error}");
        assert!(memory.counts().unwrap().is_empty(), "{message}");
    }
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    let error = import(&memory, b"<tmx>\xff\xfe\x80 \xc3\x28 text</tmx>").unwrap_err();
    assert_eq!(error.kind(), "encoding", "{error}");
}
