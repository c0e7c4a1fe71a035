//! The store against a hub of the tests' own: fetching, resuming, refusing, sharing a cache.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use newsml::{Error, Event, FileStatus, ModelSpec, Network, Registry, Store, StoreOptions};

use crate::fake_hub::{COMMIT, FakeHub, Faults, git_blob, noise, sha256};

/// A store in a fresh folder, a model with a small and a large file at the hub, and what was told.
struct Scene {
    home: tempfile::TempDir,
    hub: FakeHub,
    mirror: FakeHub,
    large: Vec<u8>,
    told: Mutex<Vec<String>>,
}

const SMALL: &[u8] = b"{\"model_type\": \"test\"}";

impl Scene {
    fn new() -> Self {
        let (hub, mirror) = FakeHub::with_mirror();
        let large = noise(700_000, 7);
        hub.small_file("o/m/config.json", SMALL);
        hub.large_file("o/m/model.gguf", &large);
        mirror.large_file("o/m/model.gguf", &large);
        Self {
            home: tempfile::tempdir().unwrap(),
            hub,
            mirror,
            large,
            told: Mutex::default(),
        }
    }

    fn options(&self) -> StoreOptions {
        let mut options = StoreOptions::new(self.home.path());
        options.endpoint = self.hub.url();
        options.connect_timeout = Duration::from_secs(1);
        options.read_timeout = Duration::from_secs(2);
        options
    }

    fn store(&self) -> Store {
        Store::new(self.options())
    }

    fn repository(&self) -> PathBuf {
        self.home.path().join("hub/models--o--m")
    }

    fn large_blob(&self) -> PathBuf {
        self.repository().join("blobs").join(sha256(&self.large))
    }

    fn partial(&self) -> PathBuf {
        self.large_blob().with_extension("incomplete")
    }

    fn fetch(&self, spec: &ModelSpec) -> newsml::Result<newsml::ModelFiles> {
        self.store().fetch(spec, &|event| self.hear(event))
    }

    fn hear(&self, event: &Event<'_>) -> ControlFlow<()> {
        let text = match event {
            Event::PassedOver { source, reason, .. } => format!("passed over {source}: {reason}"),
            Event::Notice { text, .. } => format!("notice: {text}"),
            Event::Started { source, .. } => format!("started {source}"),
            Event::Fetched { source, .. } => format!("fetched {source}"),
            _ => return ControlFlow::Continue(()),
        };
        self.told.lock().unwrap().push(text);
        ControlFlow::Continue(())
    }

    fn told(&self) -> String {
        self.told.lock().unwrap().join("\n")
    }

    /// Requests for bodies that the two servers have seen since the last call.
    fn downloads(&self) -> usize {
        let is_get = |request: &&crate::fake_hub::Request| request.method == "GET";
        self.hub.requests().iter().filter(is_get).count()
            + self.mirror.requests().iter().filter(is_get).count()
    }
}

/// The models of a registry file.
pub(crate) fn specs(toml: &str) -> Vec<ModelSpec> {
    let mut registry = Registry::builtin().unwrap();
    let before = registry.models().len();
    registry.merge(toml, "test").unwrap();
    registry.models()[before..].to_vec()
}

pub(crate) fn entry(id: &str, sources: &str) -> String {
    format!(
        "[[model]]\nid = \"{id}\"\nfamily = \"gguf\"\ntasks = [\"summarize\"]\nlanguages = [\"en\"]\nlicence = \"MIT\"\nsize = 1\n{sources}\n"
    )
}

const HUB_SOURCE: &str = "[[model.sources]]\nkind = \"hub\"\nrepository = \"o/m\"\nfiles = [\"config.json\", \"model.gguf\"]\noptional = [\"extra.json\"]";

pub(crate) fn hub_model() -> ModelSpec {
    specs(&entry("m", HUB_SOURCE)).remove(0)
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn the_first_fetch_fills_the_standard_cache_and_the_second_asks_nobody() {
    let scene = Scene::new();
    let files = scene.fetch(&hub_model()).unwrap();

    assert_eq!(read(files.path("config.json").unwrap()), SMALL);
    assert_eq!(read(files.path("model.gguf").unwrap()), scene.large);
    assert_eq!(files.path("extra.json"), None, "the hub does not have it");
    let repository = scene.repository();
    assert_eq!(files.directory(), repository.join("snapshots").join(COMMIT));
    assert_eq!(read(repository.join("refs/main")), COMMIT.as_bytes());
    assert_eq!(read(repository.join("blobs").join(git_blob(SMALL))), SMALL);
    assert_eq!(read(scene.large_blob()), scene.large);
    let link = fs::read_link(files.path("model.gguf").unwrap()).unwrap();
    assert_eq!(link, Path::new("../../blobs").join(sha256(&scene.large)));
    assert_eq!(
        scene.downloads(),
        3,
        "one for each file, and one that is sent on"
    );

    scene.fetch(&hub_model()).unwrap();
    assert_eq!(
        scene.hub.requests().len() + scene.mirror.requests().len(),
        0
    );
}

#[test]
fn a_download_goes_on_where_it_stopped() {
    let scene = Scene::new();
    fs::create_dir_all(scene.repository().join("blobs")).unwrap();
    fs::write(scene.partial(), &scene.large[..300_000]).unwrap();
    scene.fetch(&hub_model()).unwrap();
    assert_eq!(read(scene.large_blob()), scene.large);
    let ranges: Vec<_> = scene
        .mirror
        .requests()
        .into_iter()
        .filter_map(|request| request.range)
        .collect();
    assert_eq!(ranges, ["bytes=300000-"]);
}

#[test]
fn beginnings_that_are_of_no_use_are_replaced() {
    let wrong = noise(300_000, 8);
    let too_long = noise(800_000, 9);
    let mut failed = Vec::new();
    for (name, beginning) in [
        ("wrong", wrong.as_slice()),
        ("too long", too_long.as_slice()),
    ] {
        let scene = Scene::new();
        fs::create_dir_all(scene.repository().join("blobs")).unwrap();
        fs::write(scene.partial(), beginning).unwrap();
        if scene.fetch(&hub_model()).is_err() || read(scene.large_blob()) != scene.large {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");

    let scene = Scene::new();
    fs::create_dir_all(scene.repository().join("blobs")).unwrap();
    fs::write(scene.partial(), &scene.large).unwrap();
    scene.fetch(&hub_model()).unwrap();
    assert_eq!(
        read(scene.large_blob()),
        scene.large,
        "complete, and only not yet in its place"
    );
    assert_eq!(scene.mirror.requests().len(), 0);
}

#[test]
fn a_server_without_ranges_sends_the_file_again() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        no_ranges: true,
        ..Faults::default()
    });
    fs::create_dir_all(scene.repository().join("blobs")).unwrap();
    fs::write(scene.partial(), &scene.large[..300_000]).unwrap();
    scene.fetch(&hub_model()).unwrap();
    assert_eq!(read(scene.large_blob()), scene.large);
}

#[test]
fn a_body_that_breaks_off_is_resumed_within_the_same_run() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        cuts: [200_000, 0, 100_000].into(),
        ..Faults::default()
    });
    scene.fetch(&hub_model()).unwrap();
    assert_eq!(read(scene.large_blob()), scene.large);
    let ranges: Vec<_> = scene
        .mirror
        .requests()
        .into_iter()
        .map(|request| request.range)
        .collect();
    assert_eq!(ranges.len(), 4, "{ranges:?}");
    assert_eq!(ranges[3].as_deref(), Some("bytes=300000-"));
}

#[test]
fn each_attempt_asks_the_hub_where_the_file_is() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        cuts: [200_000, 100_000].into(),
        expiring: true,
        ..Faults::default()
    });
    scene.fetch(&hub_model()).unwrap();
    assert_eq!(read(scene.large_blob()), scene.large);
}

#[test]
fn a_body_that_never_ends_fails_and_leaves_nothing_that_looks_complete() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        cuts: [200_000, 0, 0, 0, 0].into(),
        ..Faults::default()
    });
    let error = scene.fetch(&hub_model()).unwrap_err();
    assert_eq!(error.kind(), "network", "{error}");
    assert!(
        error.to_string().contains("200000 of 700000") || error.to_string().contains("broke off"),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(!scene.large_blob().exists());
    assert!(scene.store().cached(&hub_model()).is_none());
    assert_eq!(
        fs::metadata(scene.partial()).unwrap().len(),
        200_000,
        "kept for the next start"
    );

    scene.mirror.set(Faults::default());
    scene.fetch(&hub_model()).unwrap();
    assert_eq!(read(scene.large_blob()), scene.large);
}

#[test]
fn wrong_bytes_are_refused_and_not_kept() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        body: Some(noise(700_000, 99)),
        ..Faults::default()
    });
    let error = scene.fetch(&hub_model()).unwrap_err();
    assert_eq!(error.kind(), "mismatch", "{error}");
    assert!(error.to_string().contains(&sha256(&scene.large)), "{error}");
    assert!(error.hint().unwrap().contains("--registry"));
    assert!(!scene.large_blob().exists() && !scene.partial().exists());

    let scene = Scene::new();
    scene.hub.set(Faults {
        body: Some(b"{\"model_type\": \"tset\"}".to_vec()),
        ..Faults::default()
    });
    let error = scene.fetch(&hub_model()).unwrap_err();
    assert_eq!(
        error.kind(),
        "mismatch",
        "small files are checked against their git name: {error}"
    );

    let scene = Scene::new();
    scene.mirror.set(Faults {
        body: Some(noise(600_000, 7)),
        ..Faults::default()
    });
    let error = scene.fetch(&hub_model()).unwrap_err();
    assert_eq!(error.kind(), "mismatch", "another size: {error}");
    assert!(!scene.partial().exists());
}

#[test]
fn a_file_of_unknown_size_is_checked_and_one_without_a_checksum_is_told_of() {
    let scene = Scene::new();
    scene.hub.set(Faults {
        no_length: true,
        body: Some(b"{\"model_type\": \"tset\"}".to_vec()),
        ..Faults::default()
    });
    let error = scene.fetch(&hub_model()).unwrap_err();
    assert_eq!(error.kind(), "mismatch", "{error}");
    scene.hub.set(Faults {
        no_length: true,
        ..Faults::default()
    });
    let files = scene.fetch(&hub_model()).unwrap();
    assert_eq!(read(files.path("config.json").unwrap()), SMALL);
    assert!(!scene.told().contains("notice"), "{}", scene.told());

    let scene = Scene::new();
    scene.hub.set(Faults {
        tag: Some("v1-2024".to_owned()),
        ..Faults::default()
    });
    scene.fetch(&hub_model()).unwrap();
    let notice =
        "notice: `config.json` cannot be checked, since the server gives no checksum of it";
    assert_eq!(scene.told().matches("notice").count(), 1);
    assert!(scene.told().contains(notice), "{}", scene.told());
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_the_host_that_it_redirects_to() {
    let scene = Scene::new();
    scene.hub.set(Faults {
        token: Some("hf_secret".to_owned()),
        ..Faults::default()
    });

    let error = scene.fetch(&hub_model()).unwrap_err();
    assert_eq!(error.kind(), "unauthorized", "{error}");
    assert!(error.to_string().contains("401"), "{error}");
    assert!(error.hint().unwrap().contains("HF_TOKEN"));
    scene.hub.requests();

    let mut options = scene.options();
    options.token = Some("hf_secret".to_owned());
    Store::new(options)
        .fetch(&hub_model(), &|_| ControlFlow::Continue(()))
        .unwrap();
    let at_hub = scene.hub.requests();
    assert!(
        at_hub
            .iter()
            .all(|request| request.authorization.as_deref() == Some("Bearer hf_secret"))
    );
    let at_mirror = scene.mirror.requests();
    assert!(
        !at_mirror.is_empty()
            && at_mirror
                .iter()
                .all(|request| request.authorization.is_none())
    );
}

#[test]
fn answers_that_are_no_file_are_told_apart() {
    let mut wrong = Vec::new();
    for (status, kind) in [
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "not_found"),
        (500, "network"),
        (503, "network"),
    ] {
        let scene = Scene::new();
        scene.hub.set(Faults {
            status: Some(status),
            ..Faults::default()
        });
        let error = scene.fetch(&hub_model()).unwrap_err();
        if error.kind() != kind || !error.to_string().contains(&status.to_string()) {
            wrong.push(format!("{status}: {error}"));
        }
        if kind == "not_found" && !error.hint().unwrap_or_default().contains("--registry") {
            wrong.push(format!("{status}: {:?}", error.hint()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn redirects_within_the_host_are_followed() {
    // Without a mirror the hub sends to itself for large files; `moved/m` is an old name of `o/m`.
    let hub = FakeHub::start();
    let large = noise(100_000, 3);
    hub.small_file("o/m/config.json", SMALL);
    hub.large_file("o/m/model.gguf", &large);
    let home = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::new(home.path());
    options.endpoint = hub.url();
    let spec = specs(&entry("m", &HUB_SOURCE.replace("o/m", "moved/m"))).remove(0);
    let files = Store::new(options)
        .fetch(&spec, &|_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(read(files.path("model.gguf").unwrap()), large);
    assert_eq!(
        files.directory(),
        home.path()
            .join("hub/models--moved--m/snapshots")
            .join(COMMIT)
    );
}

/// What fetching two models one after the other from an address comes to.
fn two_fetches(scene: &Scene, address: SocketAddr) -> Vec<String> {
    let mut options = scene.options();
    options.endpoint = format!("http://{address}");
    options.read_timeout = Duration::from_millis(300);
    let store = Store::new(options);
    let models = specs(&format!(
        "{}{}",
        entry("one", HUB_SOURCE),
        entry("two", &HUB_SOURCE.replace("o/m", "o/n"))
    ));
    let fetch = |model| {
        store
            .fetch(model, &|_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string()
    };
    models.iter().map(fetch).collect()
}

#[test]
fn a_hub_that_is_down_is_noticed_at_once_and_asked_once() {
    let scene = Scene::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let start = Instant::now();
    let errors = two_fetches(&scene, address);
    assert!(
        start.elapsed() < Duration::from_millis(1300),
        "{:?}",
        start.elapsed()
    );
    assert!(
        !errors[0].contains("a moment ago") && errors[1].contains("a moment ago"),
        "{errors:?}"
    );
}

#[test]
fn a_host_that_is_slow_to_answer_is_asked_again() {
    // The listener never accepts: the connection stands and nothing comes.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let scene = Scene::new();
    for error in two_fetches(&scene, silent.local_addr().unwrap()) {
        assert!(error.contains("did not answer within 0.3 s"), "{error}");
    }

    scene.mirror.set(Faults {
        pauses: [Duration::from_millis(900)].into(),
        ..Faults::default()
    });
    let mut options = scene.options();
    options.read_timeout = Duration::from_millis(400);
    Store::new(options)
        .fetch(&hub_model(), &|_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(read(scene.large_blob()), scene.large);
}

#[test]
fn the_next_source_steps_in_and_the_user_hears_of_it() {
    let scene = Scene::new();
    scene.hub.set(Faults {
        status: Some(404),
        ..Faults::default()
    });
    let content = noise(50_000, 5);
    scene.mirror.plain_file("/files/model.gguf", &content);
    let url_source = format!(
        "[[model.sources]]\nkind = \"url\"\nbase = \"{}/files/\"\n[[model.sources.files]]\nname = \"model.gguf\"\nsha256 = \"{}\"\nsize = 50000",
        scene.mirror.url(),
        sha256(&content)
    );
    let spec = specs(&entry("both", &format!("{HUB_SOURCE}\n{url_source}"))).remove(0);
    let files = scene.fetch(&spec).unwrap();
    assert_eq!(read(files.path("model.gguf").unwrap()), content);
    assert!(
        scene.told().contains("passed over hub `o/m`: `http"),
        "{}",
        scene.told()
    );
    assert!(scene.told().contains("fetched url `"), "{}", scene.told());

    // Now that it is in the cache, the hub is not asked again.
    scene.hub.set(Faults::default());
    scene.hub.requests();
    scene.fetch(&spec).unwrap();
    assert_eq!(scene.hub.requests().len(), 0);
}

#[test]
fn without_a_network_nothing_is_asked() {
    let scene = Scene::new();
    let mut options = scene.options();
    options.network = Network::Offline;
    let store = Store::new(options);
    let error = store
        .fetch(&hub_model(), &|_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(matches!(&error, Error::Offline { id } if id == "m"));
    assert!(error.hint().unwrap().contains("newsml models pull m"));
    assert_eq!(scene.hub.requests().len(), 0);

    scene.fetch(&hub_model()).unwrap();
    assert!(
        store
            .fetch(&hub_model(), &|_| ControlFlow::Continue(()))
            .is_ok()
    );
}

#[test]
fn compressed_files_are_checked_unpacked_and_recorded() {
    use std::io::Write as _;
    let scene = Scene::new();
    let content = noise(200_000, 7);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&content).unwrap();
    let packed = encoder.finish().unwrap();
    scene.mirror.plain_file("/m/model.bin.gz", &packed);
    let source = |sha256: &str, size: usize| {
        specs(&entry(
            "packed",
            &format!(
                "[[model.sources]]\nkind = \"url\"\nbase = \"{}/m/\"\n[[model.sources.files]]\nname = \"model.bin\"\nsha256 = \"{sha256}\"\nsize = {size}\ncompression = \"gzip\"",
                scene.mirror.url(),
            ),
        ))
        .remove(0)
    };
    let wrong = scene
        .fetch(&source(&sha256(b"else"), packed.len()))
        .unwrap_err();
    assert_eq!(wrong.kind(), "mismatch", "{wrong}");

    let spec = source(&sha256(&packed), packed.len());
    let files = scene.fetch(&spec).unwrap();
    let folder = scene.home.path().join("newsml/packed");
    assert_eq!(files.directory(), folder);
    assert_eq!(read(folder.join("model.bin")), content);
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["model.bin", "newsml.json"]);
    let checks = scene
        .store()
        .verify(&spec, &|_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(checks[0].status, FileStatus::Intact);

    // Another checksum in the catalogue is another file.
    assert!(
        scene
            .store()
            .cached(&source(&sha256(b"else"), packed.len()))
            .is_none()
    );

    let record = fs::metadata(folder.join("newsml.json")).unwrap().len();
    assert_eq!(
        scene.store().remove(&spec).unwrap(),
        content.len() as u64 + record
    );
    assert!(!folder.exists());
}

#[test]
fn a_file_that_unpacks_without_measure_is_refused() {
    use std::io::Write as _;
    let scene = Scene::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 8 << 20]).unwrap();
    let packed = encoder.finish().unwrap();
    scene.mirror.plain_file("/m/model.bin.gz", &packed);
    let spec = specs(&entry(
        "bomb",
        &format!(
            "[[model.sources]]\nkind = \"url\"\nbase = \"{}/m/\"\n[[model.sources.files]]\nname = \"model.bin\"\nsha256 = \"{}\"\nsize = {}\ncompression = \"gzip\"",
            scene.mirror.url(),
            sha256(&packed),
            packed.len()
        ),
    ))
    .remove(0);
    let error = scene.fetch(&spec).unwrap_err();
    assert_eq!(error.kind(), "corrupt_model", "{error}");
    let folder = scene.home.path().join("newsml/bomb");
    assert!(!folder.exists() || fs::read_dir(folder).unwrap().count() == 0);
}

#[test]
fn a_server_that_sends_a_little_each_time_is_given_up() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        cuts: [100; 50].into(),
        ..Faults::default()
    });
    let error = scene.fetch(&hub_model()).unwrap_err();
    assert_eq!(error.kind(), "network", "{error}");
    assert_eq!(scene.mirror.requests().len(), 4);
}

#[test]
fn passwords_in_addresses_are_not_shown() {
    let scene = Scene::new();
    let base = scene.mirror.url().replace("http://", "http://me:secret@");
    let spec = specs(&entry(
        "mine",
        &format!(
            "[[model.sources]]\nkind = \"url\"\nbase = \"{base}/m/\"\n[[model.sources.files]]\nname = \"model.bin\"\nsha256 = \"{}\"\nsize = 4",
            sha256(b"file"),
        ),
    ))
    .remove(0);
    let error = scene.fetch(&spec).unwrap_err();
    assert!(error.to_string().contains("***@"), "{error}");
    scene.mirror.plain_file("/m/model.bin", b"file");
    scene.fetch(&spec).unwrap();
    let record = fs::read_to_string(scene.home.path().join("newsml/mine/newsml.json")).unwrap();
    let source = scene.store().cached_from(&spec).unwrap();
    for text in [&error.to_string(), &scene.told(), &record, &source] {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn damage_is_found_and_removal_leaves_what_others_need() {
    let scene = Scene::new();
    let spec = hub_model();
    let store = scene.store();
    let ignore = |_: &Event<'_>| ControlFlow::Continue(());
    assert_eq!(
        store.verify(&spec, &ignore).unwrap_err().kind(),
        "not_cached"
    );
    scene.fetch(&spec).unwrap();
    let statuses = |store: &Store| -> Vec<FileStatus> {
        store
            .verify(&spec, &ignore)
            .unwrap()
            .into_iter()
            .map(|check| check.status)
            .collect()
    };
    assert_eq!(statuses(&store), [FileStatus::Intact, FileStatus::Intact]);

    let mut damaged = scene.large.clone();
    damaged[123_456] ^= 1;
    fs::write(scene.large_blob(), &damaged).unwrap();
    assert!(
        matches!(&statuses(&store)[1], FileStatus::Damaged { what: "sha256", found, .. } if *found == sha256(&damaged))
    );

    // Another commit shares the small file.
    let other = scene.repository().join("snapshots").join("f".repeat(40));
    fs::create_dir_all(&other).unwrap();
    std::os::unix::fs::symlink(
        Path::new("../../blobs").join(git_blob(SMALL)),
        other.join("config.json"),
    )
    .unwrap();
    assert_eq!(store.remove(&spec).unwrap(), scene.large.len() as u64);
    assert_eq!(read(other.join("config.json")), SMALL);
    assert!(!scene.large_blob().exists() && store.cached(&spec).is_none());

    scene.fetch(&spec).unwrap();
    fs::remove_dir_all(other).unwrap();
    assert_eq!(
        store.remove(&spec).unwrap(),
        (scene.large.len() + SMALL.len()) as u64
    );
    assert!(!scene.repository().exists());
    assert_eq!(store.remove(&spec).unwrap(), 0);
}

#[test]
fn what_is_being_fetched_is_not_removed() {
    let scene = Scene::new();
    let content = noise(400_000, 5);
    scene.mirror.plain_file("/files/model.gguf", &content);
    let source = format!(
        "[[model.sources]]\nkind = \"url\"\nbase = \"{}/files/\"\n[[model.sources.files]]\nname = \"model.gguf\"\nsha256 = \"{}\"\nsize = 400000",
        scene.mirror.url(),
        sha256(&content)
    );
    for spec in [hub_model(), specs(&entry("u", &source)).remove(0)] {
        scene.mirror.set(Faults {
            slowness: Duration::from_millis(100),
            ..Faults::default()
        });
        let (sender, arrives) = mpsc::channel();
        let sender = Mutex::new(sender);
        let observer = |event: &Event<'_>| {
            if matches!(event, Event::Transfer { file: "model.gguf", done, .. } if *done > 70_000) {
                let _ = sender.lock().unwrap().send(());
            }
            ControlFlow::Continue(())
        };
        let files = std::thread::scope(|scope| {
            let fetched = scope.spawn(|| scene.store().fetch(&spec, &observer));
            arrives.recv_timeout(Duration::from_secs(20)).unwrap();
            let error = scene.store().remove(&spec).unwrap_err();
            assert_eq!(error.kind(), "usage", "{error}");
            assert!(error.to_string().contains("being fetched"), "{error}");
            fetched.join().unwrap().unwrap()
        });
        assert!(files.path("model.gguf").unwrap().is_file());
        assert!(scene.store().remove(&spec).unwrap() >= 400_000);
    }
    // Python's `huggingface_hub` holds a lock on what it fetches into the same cache.
    scene.mirror.set(Faults::default());
    scene.fetch(&hub_model()).unwrap();
    let blobs = scene.repository().join("blobs");
    for name in ["held.incomplete", "left.incomplete"] {
        fs::write(blobs.join(name), b"12345").unwrap();
    }
    let held = scene.home.path().join("hub/.locks/models--o--m/held.lock");
    let held = fs::File::create(held).unwrap();
    held.lock().unwrap();
    let all = (scene.large.len() + SMALL.len() + 5) as u64;
    assert_eq!(scene.store().remove(&hub_model()).unwrap(), all);
    assert_eq!(read(blobs.join("held.incomplete")), b"12345");
    drop(held);
    assert_eq!(scene.store().remove(&hub_model()).unwrap(), 5);
    assert!(!scene.repository().exists());
}

#[test]
fn a_disk_that_is_too_small_is_noticed_before_anything_is_fetched() {
    let scene = Scene::new();
    let spec = specs(&entry(
        "huge",
        &format!(
            "[[model.sources]]\nkind = \"url\"\nbase = \"{}/\"\n[[model.sources.files]]\nname = \"model.bin\"\nsha256 = \"{}\"\nsize = 1000000000000000000",
            scene.mirror.url(),
            sha256(b"")
        ),
    ))
    .remove(0);
    let error = scene.fetch(&spec).unwrap_err();
    assert_eq!(error.kind(), "disk_full", "{error}");
    assert!(error.hint().unwrap().contains("HF_HOME"));
    assert_eq!(scene.mirror.requests().len(), 0);
}

#[test]
fn an_observer_can_stop_the_work_and_a_later_run_goes_on() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        slowness: Duration::from_millis(60),
        ..Faults::default()
    });
    let error = scene
        .store()
        .fetch(&hub_model(), &|event| match event {
            Event::Transfer { done, .. } if *done > 200_000 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .unwrap_err();
    assert_eq!(error.kind(), "cancelled");
    let kept = fs::metadata(scene.partial()).unwrap().len();
    assert!(kept > 0 && kept < 700_000, "{kept}");
    scene.mirror.requests();
    scene.mirror.set(Faults::default());
    scene.fetch(&hub_model()).unwrap();
    assert_eq!(
        scene.mirror.requests()[0].range.as_deref(),
        Some(format!("bytes={kept}-").as_str())
    );
}

#[test]
fn threads_that_want_the_same_file_fetch_it_once() {
    let scene = Scene::new();
    scene.mirror.set(Faults {
        slowness: Duration::from_millis(20),
        ..Faults::default()
    });
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| scene.fetch(&hub_model()).map(|_| ())))
            .collect();
        for one in all {
            one.join()
                .unwrap_or_else(|_| panic!("a thread panicked"))
                .unwrap();
        }
    });
    assert_eq!(scene.mirror.requests().len(), 1);
    assert_eq!(read(scene.large_blob()), scene.large);
}
