//! Requests to web servers: timeouts, redirects that keep the token at home, hosts that are down.
//!
//! Speaks HTTP and nothing else: what is asked for and where it goes is for the callers. A token
//! reaches no other origin than the one it belongs to, and a host that could not be reached is not
//! tried again by this process for a while.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Agent;
pub(super) use ureq::http::HeaderMap;
use ureq::http::{StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};

use crate::error::{Error, Result};
use crate::redact;
use crate::store::StoreOptions;

/// How long a host that could not be reached is left alone.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 10;

/// Hosts that this process could not reach: when, and why.
static UNREACHABLE: LazyLock<Mutex<HashMap<String, (Instant, String)>>> =
    LazyLock::new(Mutex::default);

/// A client for one set of options.
#[derive(Debug)]
pub(super) struct Http {
    agent: Agent,
    /// The origin that the token belongs to, and the token.
    token: Option<(String, String)>,
    connect_timeout: Duration,
    read_timeout: Duration,
}

/// An answer with the rest of a file in its body.
pub(super) struct Download {
    /// Offset in the file of the first byte of the body.
    pub(super) offset: u64,
    /// Bytes that the whole file has, where the server says it.
    pub(super) total: Option<u64>,
    pub(super) body: Box<dyn Read + Send>,
}

impl Http {
    pub(super) fn new(options: &StoreOptions) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("newsml/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.read_timeout))
            .timeout_per_read(Some(options.read_timeout))
            .build();
        let token = options
            .token
            .clone()
            .and_then(|token| Some((origin(&options.endpoint)?, token)));
        Self {
            agent: config.into(),
            token,
            connect_timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
        }
    }

    /// Asks for the headers of a file. A redirect that says what the file is, or that leads to
    /// another host, answers itself: what the first host says is what counts. Others are followed.
    pub(super) fn head(&self, url: &str) -> Result<HeaderMap> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, None)?;
            let next = redirect(&url, response.status(), response.headers())?;
            // The hub says what a file is when it sends to its storage; when it sends to the new
            // name of a repository, it says nothing yet.
            let says_nothing = !response.headers().contains_key("x-linked-etag");
            match next {
                Some(next) if says_nothing && origin(&next) == origin(&url) => url = next,
                Some(_) => return Ok(response.headers().clone()),
                None => {
                    check_status(&url, response.status())?;
                    return Ok(response.headers().clone());
                }
            }
        }
        Err(too_many_redirects(&url))
    }

    /// Asks for a file from an offset on. A server that cannot do that sends the whole file, which
    /// shows in [`Download::offset`]. `None`: the server has nothing beyond the offset.
    pub(super) fn get(&self, url: &str, offset: u64) -> Result<Option<Download>> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, Some(offset))?;
            let headers = response.headers();
            if let Some(next) = redirect(&url, response.status(), headers)? {
                url = next;
                continue;
            }
            if response.status() == StatusCode::RANGE_NOT_SATISFIABLE && offset > 0 {
                return Ok(None);
            }
            check_status(&url, response.status())?;
            let length =
                header(headers, "content-length").and_then(|text| text.parse::<u64>().ok());
            let (start, total) = if response.status() == StatusCode::PARTIAL_CONTENT {
                content_range(headers).ok_or_else(|| Error::Network {
                    url: redact::address(&url),
                    message: "the server answered with a part of the file and did not say which"
                        .to_owned(),
                })?
            } else {
                (0, length)
            };
            return Ok(Some(Download {
                offset: start,
                total,
                body: Box::new(response.into_body().into_reader()),
            }));
        }
        Err(too_many_redirects(&url))
    }

    /// Sends one request: HEAD, or GET from an offset.
    fn send(&self, url: &str, offset: Option<u64>) -> Result<ureq::http::Response<ureq::Body>> {
        let network = |message: String| Error::Network {
            url: redact::address(url),
            message,
        };
        let host = origin(url).ok_or_else(|| network("this is not an address".to_owned()))?;
        // Where a host is down, what was wanted of it does not matter.
        let down = |message: String| Error::Network {
            url: host
                .trim_end_matches(":443")
                .trim_end_matches(":80")
                .to_owned(),
            message,
        };
        if let Some(reason) = remembered(&host) {
            return Err(down(format!("{reason}; it was tried a moment ago")));
        }
        let mut request = match offset {
            None => self.agent.head(url),
            Some(_) => self.agent.get(url),
        };
        // Checksums and offsets are those of the file as it is, so it must come uncompressed.
        request = request.header("accept-encoding", "identity");
        if let Some(offset) = offset.filter(|offset| *offset > 0) {
            request = request.header("range", format!("bytes={offset}-"));
        }
        if let Some((_, token)) = self.token.as_ref().filter(|(home, _)| *home == host) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|error| {
            let message = self.describe(&error);
            if is_unreachable(&error) {
                let mut known = UNREACHABLE.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(host.clone(), (Instant::now(), message.clone()));
                return down(message);
            }
            network(message)
        })
    }

    fn describe(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::HostNotFound => "the host name could not be looked up".to_owned(),
            ureq::Error::ConnectionFailed => "the host could not be reached".to_owned(),
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                format!(
                    "the host could not be reached within {} s",
                    self.connect_timeout.as_secs_f32()
                )
            }
            ureq::Error::Timeout(_) => format!(
                "the host did not answer within {} s (`HF_HUB_DOWNLOAD_TIMEOUT` sets another time)",
                self.read_timeout.as_secs_f32()
            ),
            ureq::Error::Io(source) if is_lookup(source) => {
                "the host name could not be looked up".to_owned()
            }
            ureq::Error::Io(source) => describe_io(source),
            other => redact::text(&other.to_string()).into_owned(),
        }
    }
}

/// The system's words for an error of a connection, without its number.
pub(super) fn describe_io(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            "the connection was closed".to_owned()
        }
        ErrorKind::UnexpectedEof => "the file broke off".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "the host fell silent".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether another request to the host would meet the same fate. One that is slow to answer, as a
/// mirror is that fetches a file itself first, is there.
fn is_unreachable(error: &ureq::Error) -> bool {
    use std::io::ErrorKind;
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => true,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => true,
        ureq::Error::Io(source) if is_lookup(source) => true,
        ureq::Error::Io(source) => matches!(
            source.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::TimedOut
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::AddrNotAvailable
        ),
        _ => false,
    }
}

/// Whether the system could not find the host's address; it has no kind of its own for that.
fn is_lookup(error: &std::io::Error) -> bool {
    error.to_string().starts_with("failed to lookup address")
}

/// Whether this process found a moment ago that the host of an address is down.
pub(super) fn is_down(url: &str) -> bool {
    origin(url).is_some_and(|host| remembered(&host).is_some())
}

fn remembered(host: &str) -> Option<String> {
    let mut known = UNREACHABLE.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|_, (since, _)| since.elapsed() < PATIENCE);
    known.get(host).map(|(_, reason)| reason.clone())
}

fn check_status(url: &str, status: StatusCode) -> Result<()> {
    let url = redact::address(url);
    match status.as_u16() {
        200..=299 => Ok(()),
        status @ (401 | 403) => Err(Error::Unauthorized { url, status }),
        404 | 410 => Err(Error::NotFound { url }),
        status => Err(Error::Network {
            url,
            message: format!("the server answered HTTP {status}"),
        }),
    }
}

fn too_many_redirects(url: &str) -> Error {
    Error::Network {
        url: redact::address(url),
        message: "the server redirects without end".to_owned(),
    }
}

/// Where a redirect leads; `None` where the answer is none.
fn redirect(url: &str, status: StatusCode, headers: &HeaderMap) -> Result<Option<String>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let wrong = |message: &str| Error::Network {
        url: redact::address(url),
        message: message.to_owned(),
    };
    let target =
        header(headers, "location").ok_or_else(|| wrong("the server redirects to nowhere"))?;
    let next =
        join(url, target).ok_or_else(|| wrong("the server redirects to what is not an address"))?;
    if url.starts_with("https:") && !next.starts_with("https:") {
        return Err(wrong("the server redirects to an unencrypted address"));
    }
    Ok(Some(next))
}

/// The address that a reference in a `Location` header means.
fn join(base: &str, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return origin(target).map(|_| target.to_owned());
    }
    let home = origin(base)?;
    if let Some(rest) = target.strip_prefix("//") {
        let scheme = home.split_once("//")?.0;
        return Some(format!("{scheme}//{rest}"));
    }
    if target.starts_with('/') {
        return Some(format!("{home}{target}"));
    }
    let path = base.split(['?', '#']).next()?;
    let folder = path.rfind('/').filter(|end| *end > "https://".len())?;
    Some(format!("{}/{target}", path.get(..folder)?))
}

/// Scheme, host and port of an address: what a token belongs to.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri
        .scheme_str()
        .filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let port = uri
        .port_u16()
        .unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some(format!("{scheme}://{}:{port}", uri.host()?.to_lowercase()))
}

/// One header as text.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// First byte and total of `Content-Range: bytes 5-9/10`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, total) = header(headers, "content-range")?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

/// A path for an address: every byte that could mean something else there is escaped.
pub(super) fn escape(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    utf8_percent_encode(path, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_a_browser_would_go() {
        let base = "https://hub.example/a/b/c?x=1";
        for (target, expected) in [
            (
                "https://cdn.example/f?sig=1",
                Some("https://cdn.example/f?sig=1"),
            ),
            ("//cdn.example/f", Some("https://cdn.example/f")),
            ("/f", Some("https://hub.example:443/f")),
            ("d", Some("https://hub.example/a/b/d")),
            ("https://", None),
        ] {
            assert_eq!(join(base, target).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn origins_tell_schemes_hosts_and_ports_apart() {
        assert_eq!(
            origin("https://Hub.example/x"),
            origin("https://hub.example:443/y")
        );
        let all = [
            "https://a/",
            "http://a/",
            "https://a:8443/",
            "https://b/",
            "https://a.b/",
        ];
        for (i, one) in all.iter().enumerate() {
            for other in all.iter().skip(i + 1) {
                assert_ne!(origin(one), origin(other), "{one} {other}");
            }
        }
        assert_eq!(origin("file:///etc/passwd"), None);
    }

    #[test]
    fn paths_are_escaped() {
        assert_eq!(escape("a b/ü?.bin"), "a%20b/%C3%BC%3F.bin");
    }
}
