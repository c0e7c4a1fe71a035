//! Where the store keeps files and how it may reach the network.
//!
//! [`StoreOptions::from_environment`] is the one place where the library reads the environment; it
//! is called by programs, never by the library itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    /// Files that are not in the cache are fetched.
    #[default]
    Online,
    /// Nothing is fetched, and no name is looked up.
    Offline,
}

/// Where the store keeps files, which hub it asks, and as whom.
///
/// [`StoreOptions::new`] sets everything from one folder; every field can be changed after that.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// The Hugging Face cache, `hub` in the Hugging Face home; shared with Python tools.
    pub hub_cache: PathBuf,
    /// Where files that do not come from the hub live, one folder a model: `newsml` beside the hub
    /// cache.
    pub folder: PathBuf,
    /// The hub's address, without a slash at the end.
    pub endpoint: String,
    /// The access token for the hub; it is sent to the endpoint alone, never to a host that the
    /// endpoint redirects to.
    pub token: Option<String>,
    /// Whether the network may be used.
    pub network: Network,
    /// The Python that has the user's `pip`, for sources of the kind `wheels`.
    pub python: PathBuf,
    /// How long a host may take to accept a connection before it counts as unreachable.
    pub connect_timeout: Duration,
    /// How long a connected host may stay silent, before the first word of an answer too. It is
    /// asked three times for a file.
    pub read_timeout: Duration,
}

impl StoreOptions {
    /// Options for a Hugging Face home folder, such as `~/.cache/huggingface`: the public hub, no
    /// token, network on.
    pub fn new(home: impl AsRef<Path>) -> Self {
        let home = home.as_ref();
        Self {
            hub_cache: home.join("hub"),
            folder: home.join("newsml"),
            endpoint: "https://huggingface.co".to_owned(),
            token: None,
            network: Network::Online,
            python: PathBuf::from(if cfg!(windows) { "python" } else { "python3" }),
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(10),
        }
    }

    /// Options as the environment has them, by the rules of Python's `huggingface_hub`.
    ///
    /// | variable | meaning | when absent |
    /// | --- | --- | --- |
    /// | `HF_HOME` | home folder | `$XDG_CACHE_HOME/huggingface`, else `~/.cache/huggingface` |
    /// | `HF_HUB_CACHE` | hub cache (`HUGGINGFACE_HUB_CACHE` is understood as well) | `$HF_HOME/hub` |
    /// | `HF_ENDPOINT` | address of the hub | `https://huggingface.co` |
    /// | `HF_TOKEN` | access token | the file at `HF_TOKEN_PATH`, else `$HF_HOME/token` |
    /// | `HF_HUB_OFFLINE` | `1`, `true`, `yes` or `on`: the network is off | network on |
    /// | `HF_HUB_DOWNLOAD_TIMEOUT` | seconds that a connected host may stay silent | 10 |
    ///
    /// Proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` when a
    /// connection is made.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok(), std::env::home_dir())
    }

    fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        user_home: Option<PathBuf>,
    ) -> Self {
        let set = |name: &str| {
            variable(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let folder = |name: &str| set(name).map(|value| expand_home(&value, user_home.as_deref()));
        let home = folder("HF_HOME").unwrap_or_else(|| {
            folder("XDG_CACHE_HOME")
                .or_else(|| user_home.as_ref().map(|home| home.join(".cache")))
                .unwrap_or_else(|| PathBuf::from(".cache"))
                .join("huggingface")
        });
        let mut options = Self::new(&home);
        if let Some(cache) = folder("HF_HUB_CACHE").or_else(|| folder("HUGGINGFACE_HUB_CACHE")) {
            options.folder = match cache.parent() {
                Some(parent) => parent.join("newsml"),
                None => cache.join("newsml"),
            };
            options.hub_cache = cache;
        }
        if let Some(endpoint) = set("HF_ENDPOINT") {
            options.endpoint = endpoint.trim_end_matches('/').to_owned();
        }
        options.token = set("HF_TOKEN").or_else(|| {
            let path = folder("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
            let text = std::fs::read_to_string(path).ok()?;
            Some(text.trim().to_owned()).filter(|token| !token.is_empty())
        });
        let is_on =
            |value: String| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on");
        if set("HF_HUB_OFFLINE").is_some_and(is_on) {
            options.network = Network::Offline;
        }
        let seconds = set("HF_HUB_DOWNLOAD_TIMEOUT").and_then(|text| text.parse().ok());
        let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        if let Some(timeout) = timeout.filter(|timeout| !timeout.is_zero()) {
            options.read_timeout = timeout;
        }
        options
    }
}

fn expand_home(text: &str, user_home: Option<&Path>) -> PathBuf {
    match (text.strip_prefix('~'), user_home) {
        (Some(""), Some(home)) => home.to_path_buf(),
        (Some(rest), Some(home)) if rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_the_variables_of_huggingface_hub() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
        let cases: &[Case<'_>] = &[
            (
                &[],
                "/u/.cache/huggingface/hub",
                "/u/.cache/huggingface/newsml",
            ),
            (
                &[("XDG_CACHE_HOME", "/x")],
                "/x/huggingface/hub",
                "/x/huggingface/newsml",
            ),
            (
                &[("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x")],
                "/h/hub",
                "/h/newsml",
            ),
            (&[("HF_HOME", "~/h")], "/u/h/hub", "/u/h/newsml"),
            (
                &[("HF_HOME", "")],
                "/u/.cache/huggingface/hub",
                "/u/.cache/huggingface/newsml",
            ),
            (
                &[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/big/hub")],
                "/big/hub",
                "/big/newsml",
            ),
            (
                &[("HUGGINGFACE_HUB_CACHE", "/big/hub")],
                "/big/hub",
                "/big/newsml",
            ),
        ];
        let mut wrong = Vec::new();
        for (variables, hub_cache, folder) in cases {
            let find = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            let options = StoreOptions::from_variables(find, Some(PathBuf::from("/u")));
            if options.hub_cache != Path::new(hub_cache) || options.folder != Path::new(folder) {
                wrong.push(format!(
                    "{variables:?}: {:?} {:?}",
                    options.hub_cache, options.folder
                ));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_time_to_wait_for_an_answer_can_be_set() {
        for (value, expected) in [
            ("90", 90_000),
            ("0.5", 500),
            ("0", 10_000),
            ("-1", 10_000),
            ("soon", 10_000),
            ("", 10_000),
        ] {
            let find = |name: &str| (name == "HF_HUB_DOWNLOAD_TIMEOUT").then(|| value.to_owned());
            assert_eq!(
                StoreOptions::from_variables(find, None).read_timeout,
                Duration::from_millis(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn the_network_is_off_only_for_values_that_mean_it() {
        for (value, expected) in [
            ("1", Network::Offline),
            ("TRUE", Network::Offline),
            ("on", Network::Offline),
            ("0", Network::Online),
            ("no", Network::Online),
            ("", Network::Online),
        ] {
            let find = |name: &str| (name == "HF_HUB_OFFLINE").then(|| value.to_owned());
            assert_eq!(
                StoreOptions::from_variables(find, None).network,
                expected,
                "{value}"
            );
        }
    }
}
