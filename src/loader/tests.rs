use super::*;
use crate::options::Device;

/// A loader of two models, with what it told.
fn loader(device: Device, free: fn() -> Option<u64>) -> (Loader, Arc<Mutex<Vec<String>>>) {
    let entry = |id: &str, memory: u64| {
        format!(
            "[[model]]\nid = \"{id}\"\nfamily = \"gguf\"\ntasks = [\"summarize\"]\nlanguages = [\"en\"]\n\
             licence = \"MIT\"\nsize = 1\nmemory = {memory}\n[[model.sources]]\nkind = \"hub\"\n\
             repository = \"o/{id}\"\nfiles = [\"m.gguf\"]\n"
        )
    };
    let mut registry = Registry::builtin().unwrap();
    let text = entry("large", 5_000_000_000) + &entry("small", 1_000_000_000);
    registry.merge(&text, "test").unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    let mut options = LoadOptions {
        registry: Some(registry),
        device,
        ..LoadOptions::default()
    };
    options.observer = Some(Arc::new(move |event| {
        if let Event::ModelPassedOver { model, reason } = event {
            seen.lock().unwrap().push(format!("{model}: {reason}"));
        }
        if let Event::Notice { model, text } = event {
            seen.lock().unwrap().push(format!("{model}: {text}"));
        }
        ControlFlow::Continue(())
    }));
    let mut loader = Loader::new(options).unwrap();
    loader.free = free;
    (loader, told)
}

#[test]
fn a_model_that_needs_more_memory_than_is_free_is_passed_over_once_and_for_all() {
    let (mut loader, told) = loader(Device::Cpu, || Some(3_000_000_000));
    let large = loader.registry.model("large").unwrap().clone();
    let small = loader.registry.model("small").unwrap().clone();
    for _ in 0..2 {
        assert_eq!(loader.too_large(&large).unwrap().kind(), "too_large");
        assert!(loader.too_large(&small).is_none());
    }
    // Memory that comes and goes must not change the model in the middle of the work.
    loader.free = || Some(6_000_000_000);
    assert!(loader.too_large(&large).is_some());
    loader.free = || Some(0);
    assert!(loader.too_large(&small).is_none());
    assert_eq!(
        *told.lock().unwrap(),
        ["large: `large` needs 5.0 GB of memory, and 3.0 GB are free"]
    );
    let files = loader.files(&[&large], Fetch::No);
    assert!(files.unwrap().is_none());
    let error = loader.files(&[&large], Fetch::Yes).err().unwrap();
    assert_eq!(error.kind(), "too_large");
}

#[test]
fn nothing_is_passed_over_where_nothing_is_known_or_on_a_card() {
    for (device, free) in [
        (Device::Cpu, (|| None) as fn() -> Option<u64>),
        (Device::CpuTensors(1), || Some(0)),
    ] {
        let (loader, told) = loader(device, free);
        let large = loader.registry.model("large").unwrap();
        assert!(loader.too_large(large).is_none());
        loader.warn_of_memory("large", 5_000_000_000).unwrap();
        assert!(told.lock().unwrap().is_empty());
    }
}

#[test]
fn a_model_that_was_named_gets_a_warning() {
    let (loader, told) = loader(Device::Cpu, || Some(3_000_000_000));
    loader.warn_of_memory("large", 5_000_000_000).unwrap();
    loader.warn_of_memory("small", 1_000_000_000).unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        [
            "large: it needs 5.0 GB of memory, and 3.0 GB are free: it may be slow, or be stopped by the system"
        ]
    );
}

#[test]
fn the_error_to_name_is_that_of_the_model_most_wanted_that_fits() {
    let offline = |id: &str| Error::Offline { id: id.to_owned() };
    let too_large = |id: &str| Error::TooLarge {
        model: id.to_owned(),
        needed: 2,
        free: 1,
    };
    let named = |errors: Vec<Error>| {
        let worst = errors
            .into_iter()
            .fold(None, |last, error| Some(worse(last, error)));
        worst.map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(named(vec![too_large("a"), offline("b"), offline("c")]).contains("`b`"));
    assert!(named(vec![offline("a"), too_large("b")]).contains("`a`"));
    assert!(named(vec![too_large("a"), too_large("b")]).contains("`a`"));
}
