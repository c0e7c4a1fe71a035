//! A hub, a file server behind it and a plain web server in one, on a port of this machine.
//!
//! Answers as the Hugging Face hub does where the store relies on it: commits, entity tags, links to
//! another host for large files, ranges. Misbehaves on request, and counts what it is asked.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server does wrong.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Only requests with this token are answered.
    pub(crate) token: Option<String>,
    /// Every answer has this status.
    pub(crate) status: Option<u16>,
    /// `Range` is ignored.
    pub(crate) no_ranges: bool,
    /// The next bodies break off after so many bytes.
    pub(crate) cuts: VecDeque<usize>,
    /// Bodies have these bytes instead of their own.
    pub(crate) body: Option<Vec<u8>>,
    /// Pause before each 64 kB of a body.
    pub(crate) slowness: Duration,
    /// An address is good for one request, as one that was signed an hour ago is for none.
    pub(crate) expiring: bool,
    /// Small files have this entity tag.
    pub(crate) tag: Option<String>,
    /// Headers that are asked for alone have no `Content-Length`.
    pub(crate) no_length: bool,
    /// Pauses before the headers of the next bodies.
    pub(crate) pauses: VecDeque<Duration>,
    /// Connections are accepted and never answered.
    pub(crate) silent: bool,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) authorization: Option<String>,
}

#[derive(Debug)]
struct Shared {
    /// `owner/name/file` → content; large files are served by another server.
    small: BTreeMap<String, Vec<u8>>,
    large: BTreeMap<String, Vec<u8>>,
    /// `/path` → content, served as it is.
    plain: BTreeMap<String, Vec<u8>>,
    /// Where large files are.
    mirror: Option<String>,
    faults: Faults,
    requests: Vec<Request>,
    /// Signatures that were given out by a hub, or used at a mirror.
    signatures: Vec<String>,
}

/// The server; it runs until the test ends.
#[derive(Debug, Clone)]
pub(crate) struct FakeHub {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(crate) fn git_blob(bytes: &[u8]) -> String {
    hexadecimal(
        &Sha1::new_with_prefix(format!("blob {}\0", bytes.len()))
            .chain_update(bytes)
            .finalize(),
    )
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that do not repeat and do not compress.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(length)
    .collect()
}

impl FakeHub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Mutex::new(Shared {
            small: BTreeMap::new(),
            large: BTreeMap::new(),
            plain: BTreeMap::new(),
            mirror: None,
            faults: Faults::default(),
            requests: Vec::new(),
            signatures: Vec::new(),
        }));
        let hub = Self { address, shared };
        let server = hub.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        hub
    }

    /// A hub and the other server that holds its large files.
    pub(crate) fn with_mirror() -> (Self, Self) {
        let (hub, mirror) = (Self::start(), Self::start());
        hub.lock().mirror = Some(mirror.url());
        (hub, mirror)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn small_file(&self, path: &str, content: &[u8]) {
        self.lock().small.insert(path.to_owned(), content.to_vec());
    }

    pub(crate) fn large_file(&self, path: &str, content: &[u8]) {
        self.lock().large.insert(path.to_owned(), content.to_vec());
    }

    pub(crate) fn plain_file(&self, path: &str, content: &[u8]) {
        self.lock().plain.insert(path.to_owned(), content.to_vec());
    }

    pub(crate) fn set(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// What has been asked since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.lock().requests)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared
            .lock()
            .expect("no test panics while it holds the lock")
    }

    fn serve(&self, stream: TcpStream) {
        let Ok(mut output) = stream.try_clone() else {
            return;
        };
        let mut input = BufReader::new(stream);
        while let Some(request) = read_request(&mut input) {
            if self.lock().faults.silent {
                thread::sleep(Duration::from_secs(60));
                return;
            }
            let goes_on = self.answer(&request, &mut output);
            if goes_on.is_none() {
                return;
            }
        }
    }

    /// Answers one request; `None` ends the connection.
    fn answer(&self, request: &Request, output: &mut TcpStream) -> Option<()> {
        let mut shared = self.lock();
        shared.requests.push(request.clone());
        let wants = shared
            .faults
            .token
            .as_ref()
            .map(|token| format!("Bearer {token}"));
        let is_refused = wants.is_some() && wants != request.authorization;
        if let Some(status) = shared.faults.status.or(is_refused.then_some(401)) {
            drop(shared);
            return plain_answer(output, status, "");
        }
        let path = request
            .path
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        if let Some((repository, rest)) = path.trim_start_matches('/').split_once("/resolve/") {
            if let Some(name) = repository.strip_prefix("moved/") {
                let headers = format!("Location: /o/{name}/resolve/{rest}\r\n");
                drop(shared);
                return plain_answer(output, 307, &headers);
            }
            let (_, name) = rest.split_once('/')?;
            let key = format!("{repository}/{name}");
            if let Some(content) = shared.large.get(&key).cloned() {
                let etag = sha256(&content);
                let signature = format!("secret{}", shared.signatures.len());
                shared.signatures.push(signature.clone());
                let target = match &shared.mirror {
                    Some(mirror) => format!("{mirror}/blobs/{etag}?signature={signature}"),
                    None => format!("/blobs/{etag}?signature={signature}"),
                };
                drop(shared);
                let headers = format!(
                    "Location: {target}\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{etag}\"\r\nX-Linked-Size: {}\r\n",
                    content.len()
                );
                return plain_answer(output, 302, &headers);
            }
            if let Some(content) = shared.small.get(&key).cloned() {
                let tag = shared.faults.tag.clone();
                let tag = tag.unwrap_or_else(|| git_blob(&content));
                drop(shared);
                let headers = format!("X-Repo-Commit: {COMMIT}\r\nETag: \"{tag}\"\r\n");
                return self.send(request, &content, &headers, output);
            }
            drop(shared);
            return plain_answer(output, 404, "X-Error-Code: EntryNotFound\r\n");
        }
        if shared.faults.expiring {
            let signature = request
                .path
                .split_once('?')
                .unwrap_or_default()
                .1
                .to_owned();
            if shared.signatures.contains(&signature) {
                drop(shared);
                return plain_answer(output, 403, "");
            }
            shared.signatures.push(signature);
        }
        let content = match path.strip_prefix("/blobs/") {
            Some(etag) => shared
                .large
                .values()
                .find(|content| sha256(content) == etag)
                .cloned(),
            None => shared.plain.get(&path).cloned(),
        };
        drop(shared);
        match content {
            Some(content) => self.send(request, &content, "", output),
            None => plain_answer(output, 404, ""),
        }
    }

    /// Sends a body, or its headers alone, with what is to go wrong.
    fn send(
        &self,
        request: &Request,
        content: &[u8],
        headers: &str,
        output: &mut TcpStream,
    ) -> Option<()> {
        let is_get = request.method == "GET";
        if is_get {
            let pause = self.lock().faults.pauses.pop_front();
            thread::sleep(pause.unwrap_or_default());
        }
        let (content, cut, slowness, no_ranges) = {
            let mut shared = self.lock();
            let cut = if is_get {
                shared.faults.cuts.pop_front()
            } else {
                None
            };
            let content = shared
                .faults
                .body
                .clone()
                .unwrap_or_else(|| content.to_vec());
            (
                content,
                cut,
                shared.faults.slowness,
                shared.faults.no_ranges,
            )
        };
        let start: usize = request
            .range
            .as_ref()
            .filter(|_| !no_ranges)
            .and_then(|range| {
                range
                    .strip_prefix("bytes=")?
                    .split_once('-')?
                    .0
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        if start > 0 && start >= content.len() {
            return plain_answer(
                output,
                416,
                &format!("Content-Range: bytes */{}\r\n", content.len()),
            );
        }
        let body = &content[start..];
        let (status, range) = if request.range.is_some() && !no_ranges {
            (
                206,
                format!(
                    "Content-Range: bytes {start}-{}/{}\r\n",
                    content.len() - 1,
                    content.len()
                ),
            )
        } else {
            (200, String::new())
        };
        let length = if self.lock().faults.no_length && !is_get {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!("HTTP/1.1 {status} X\r\n{headers}{range}{length}\r\n");
        output.write_all(head.as_bytes()).ok()?;
        if request.method == "HEAD" {
            return Some(());
        }
        let body = &body[..cut.unwrap_or(body.len()).min(body.len())];
        for block in body.chunks(64 * 1024) {
            thread::sleep(slowness);
            output.write_all(block).ok()?;
        }
        // A body that broke off ends the connection.
        cut.is_none().then_some(())
    }
}

fn plain_answer(output: &mut TcpStream, status: u16, headers: &str) -> Option<()> {
    let answer = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\n\r\n");
    output.write_all(answer.as_bytes()).ok()
}

fn read_request(input: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    input.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let mut request = Request {
        method: words.next()?.to_owned(),
        path: words.next()?.replace("%2F", "/"),
        range: None,
        authorization: None,
    };
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            None => return Some(request),
            Some((name, value)) if name.eq_ignore_ascii_case("range") => {
                request.range = Some(value.to_owned())
            }
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                request.authorization = Some(value.to_owned());
            }
            Some(_) => {}
        }
    }
}
