//! Runs inputs in child processes, and watches them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::Input;

/// The longest that a run may take, of the processor's time.
const LONGEST: Duration = Duration::from_secs(5);
/// The longest that a run may wait for the processor or for itself.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The most memory that a run may use, and that a process can reserve, in kB.
const MOST_MEMORY: u64 = 1_000_000;
const MOST_RESERVED: u64 = 4_000_000;
/// Runs of one process.
const RUNS: u64 = 2_000;
/// Inputs that are kept of one fault, and attempts to make one smaller.
const KEPT: usize = 2;
const ATTEMPTS: usize = 300;

/// The panic of a run, wherever it happened and whoever caught it.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

pub(crate) struct Options {
    pub(crate) runs: u64,
    pub(crate) seed: u64,
    from: u64,
    minutes: u64,
    out: PathBuf,
}

impl Options {
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        let mut options = Self {
            runs: u64::MAX >> 1,
            seed: 1,
            from: 0,
            minutes: 0,
            out: PathBuf::from("found"),
        };
        let (mut has_end, mut rest) = (false, arguments);
        while let [name, value, others @ ..] = rest {
            match *name {
                "--runs" => options.runs = value.parse().ok()?,
                "--seed" => options.seed = value.parse().ok()?,
                "--from" => options.from = value.parse().ok()?,
                "--minutes" => options.minutes = value.parse().ok()?,
                "--out" => options.out = PathBuf::from(value),
                _ => return None,
            }
            has_end |= matches!(*name, "--runs" | "--minutes");
            rest = others;
        }
        if !has_end {
            options.minutes = 10;
        }
        rest.is_empty().then_some(options)
    }
}

/// Time of the processor that a process has used, all threads together.
fn processor_time(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may have spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory that this process has used since it was asked last, in kB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
    peak.unwrap_or(0)
}

/// Runs inputs, and says before each that it begins and after it what was wrong.
pub(crate) fn child(inputs: impl Iterator<Item = (u64, Input)>) {
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut known) = PANIC.lock() {
            known.get_or_insert(panic.to_string().replace('\n', " "));
        }
    }));
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    };
    peak_memory();
    for (run, input) in inputs {
        say(format!("begin {run}"));
        let before = processor_time("self");
        let _ = catch_unwind(AssertUnwindSafe(|| input.run()));
        let took = processor_time("self").saturating_sub(before);
        if let Some(panic) = PANIC.lock().ok().and_then(|mut panic| panic.take()) {
            say(format!("fault {run} {panic}"));
        }
        if took > LONGEST {
            say(format!("fault {run} took more than {LONGEST:?}"));
        }
        if peak_memory() > MOST_MEMORY {
            say(format!("fault {run} used more than {MOST_MEMORY} kB"));
        }
    }
    say("end".to_owned());
}

/// This program again, with a bound on its memory.
fn start(arguments: &[String]) -> std::io::Result<(Child, Receiver<String>)> {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -v {MOST_RESERVED}; exec \"$@\""))
        .arg("sh")
        .arg(std::env::current_exe()?)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut process = command.spawn()?;
    let (sender, lines) = channel();
    if let Some(out) = process.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    Ok((process, lines))
}

/// Waits for a child, and hears what it says. Returns the last run that it began, and what ended it if
/// it did not come to its end.
fn attend(
    (mut process, lines): (Child, Receiver<String>),
    mut hear: impl FnMut(u64, &str),
) -> (Option<u64>, Option<String>) {
    let id = process.id().to_string();
    let (mut last, mut began, mut used) = (None, Instant::now(), Duration::ZERO);
    let mut ended = None;
    loop {
        match lines.recv_timeout(Duration::from_secs(1)) {
            Ok(line) if line == "end" => break,
            Ok(line) => {
                if let Some(run) = line.strip_prefix("begin ") {
                    last = run.parse().ok();
                    (began, used) = (Instant::now(), processor_time(&id));
                } else if let Some((run, what)) = line
                    .strip_prefix("fault ")
                    .and_then(|fault| fault.split_once(' '))
                {
                    if let Ok(run) = run.parse() {
                        hear(run, what);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                let time = processor_time(&id).saturating_sub(used);
                if time > LONGEST * 2 || began.elapsed() > LONGEST_WAIT {
                    ended = Some(format!("took more than {LONGEST:?}"));
                    break;
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = process.wait().map(|status| status.to_string());
                ended = Some(format!("aborted: {}", status.unwrap_or_default()));
                break;
            }
        }
    }
    let _ = process.kill();
    let _ = process.wait();
    (last, ended)
}

/// What is wrong with one input.
fn fault_of(input: &Input, folder: &Path) -> Option<String> {
    let path = input.place(folder, "0");
    std::fs::create_dir_all(path.parent()?).ok()?;
    std::fs::write(&path, input.bytes()).ok()?;
    let mut fault = None;
    let process = start(&["replay".to_owned(), path.display().to_string()]).ok()?;
    let (_, ended) = attend(process, |_, what| fault = Some(what.to_owned()));
    ended.or(fault)
}

/// What tells a fault from others: where it happened, without the values in its message.
fn key(fault: &str) -> String {
    match fault.split_once("src/") {
        Some((_, place)) => place.split_whitespace().next().unwrap_or(place).to_owned(),
        None => fault.to_owned(),
    }
}

/// An input with the same fault and fewer bytes.
fn smaller(input: &Input, fault: &str) -> Vec<u8> {
    let mut bytes = input.bytes().to_vec();
    let Ok(folder) = tempfile::tempdir() else {
        return bytes;
    };
    let is_slow = fault.starts_with("took");
    let mut attempts = if is_slow { 20 } else { ATTEMPTS };
    let mut length = bytes.len() / 2;
    while length > 0 && attempts > 0 {
        let mut at = 0;
        while at < bytes.len() && attempts > 0 {
            attempts -= 1;
            let mut fewer = bytes.clone();
            fewer.drain(at..(at + length).min(bytes.len()));
            let found = fault_of(&input.with(fewer.clone()), folder.path());
            if found.is_some_and(|found| key(&found) == key(fault)) {
                bytes = fewer;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    bytes
}

/// Runs all inputs; whether nothing was wrong with any.
pub(crate) fn all(kind: &str, options: &Options, input: impl Fn(u64) -> Input) -> bool {
    let began = Instant::now();
    let mut faults: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let end = options.from.saturating_add(options.runs);
    let mut next = options.from;
    let is_over =
        || options.minutes > 0 && began.elapsed() > Duration::from_secs(60 * options.minutes);
    while next < end && !is_over() {
        let to = (next + RUNS).min(end);
        let arguments = [
            "child",
            kind,
            &options.seed.to_string(),
            &next.to_string(),
            &to.to_string(),
        ];
        let process = match start(&arguments.map(str::to_owned)) {
            Ok(process) => process,
            Err(error) => {
                eprintln!("cannot start: {error}");
                return false;
            }
        };
        let mut note = |run: u64, what: &str| {
            println!("run {run}: {what}");
            faults.entry(key(what)).or_default().push(run);
            first.entry(key(what)).or_insert(what.to_owned());
        };
        let (last, ended) = attend(process, &mut note);
        next = to;
        if let Some(what) = ended {
            let run = last.unwrap_or(next);
            note(run, &what);
            next = run + 1;
        }
        eprintln!(
            "{next} of {end} runs, {} faults, {:.0?}",
            faults.len(),
            began.elapsed()
        );
    }
    for (key, runs) in &faults {
        println!("{} runs: {}", runs.len(), first[key]);
        for &run in runs.iter().take(KEPT) {
            let found = input(run);
            let bytes = smaller(&found, &first[key]);
            let path = found.place(&options.out, &format!("{}-{run}", options.seed));
            let written = path
                .parent()
                .map(std::fs::create_dir_all)
                .map(|_| std::fs::write(&path, &bytes));
            println!("  {} ({} bytes) {written:?}", path.display(), bytes.len());
        }
    }
    println!(
        "{kind}: {} runs of seed {}, {} faults",
        next - options.from,
        options.seed,
        faults.len()
    );
    faults.is_empty()
}
