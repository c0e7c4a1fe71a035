//! The threads that share the work of one product.
//!
//! Handing out work takes a microsecond when threads are awake, since there are hundreds of
//! products a token; idle threads look for work for a moment, then sleep. The caller works along
//! and waits only for threads that have begun: on a machine that is busy with other programs a
//! thread that did not get a core in time costs nothing. (candle's pool waits for every thread,
//! which on a busy machine cost three quarters of the speed.) When the threads are taken, by
//! another caller or because work is handed out from within work, the caller does it all.

use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::Thread;

/// How often an idle thread looks for work before it sleeps: some 50 µs.
const LOOKS: u32 = 2000;

/// Work as the threads see it.
#[derive(Clone, Copy)]
struct Job {
    call: unsafe fn(*const (), Range<usize>),
    work: *const (),
    items: usize,
    chunk: usize,
}

struct Pool {
    /// Held by the caller whose work is done.
    caller: Mutex<u64>,
    /// The number of the job that may be worked on; 0 for none.
    open: AtomicU64,
    job: UnsafeCell<Job>,
    /// For each thread the first item of its part that nobody has taken; the caller's part first.
    next: OnceLock<Vec<Next>>,
    /// Threads that may be looking at `job`.
    active: AtomicUsize,
    /// What the first thread panicked with that did.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    workers: OnceLock<Vec<Worker>>,
}

/// In a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
struct Next(AtomicUsize);

struct Worker {
    thread: Thread,
    asleep: std::sync::Arc<AtomicBool>,
}

// SAFETY: `job` is written only by the holder of `caller` while `open` is 0 and `active` was seen
// to be 0 after that; it is read only by threads that counted themselves in `active` and saw `open`
// hold the number of the job afterwards. All of these are sequentially consistent, so that a
// thread either is waited for or sees that the job is closed.
unsafe impl Sync for Pool {}
// SAFETY: as above.
unsafe impl Send for Pool {}

/// Calls `work` with ranges that together are `0..items`, each item once, on all threads.
pub(super) fn execute_chunked<F: Fn(Range<usize>) + Sync>(items: usize, work: F) {
    static POOL: OnceLock<Pool> = OnceLock::new();
    if items == 0 {
        return;
    }
    // Other threads do not know of a backend that a test chose.
    #[cfg(test)]
    if super::FORCED.get().is_some() {
        return work(0..items);
    }
    let pool = POOL.get_or_init(Pool::new);
    let workers = pool.workers();
    let mut number = match pool.caller.try_lock() {
        Ok(number) => number,
        // Work that panicked left nothing behind: see `close`.
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return work(0..items),
    };
    if workers.is_empty() || items == 1 {
        return work(0..items);
    }
    *number += 1;
    let next = pool.next(workers.len() + 1);
    // Some eight chunks a thread: the last ones even out who was slow.
    let chunk = items.div_ceil(next.len() * 8);
    // SAFETY: no thread looks at the job: `open` is 0, and `close` waited for those that did.
    unsafe {
        *pool.job.get() = Job {
            call: call::<F>,
            work: (&raw const work).cast(),
            items,
            chunk,
        };
    }
    for (part, next) in next.iter().enumerate() {
        let start = part_of(items, part, workers.len() + 1).start;
        next.0.store(start, Ordering::Relaxed);
    }
    pool.open.store(*number, Ordering::SeqCst);
    for worker in workers {
        if worker.asleep.swap(false, Ordering::SeqCst) {
            worker.thread.unpark();
        }
    }
    let done = panic::catch_unwind(AssertUnwindSafe(|| take(next, 0, (items, chunk), &work)));
    // Before `work` goes out of scope, also where it panicked here.
    pool.close(next);
    let theirs = lock(&pool.panic).take();
    drop(number);
    if let Some(payload) = done.err().or(theirs) {
        panic::resume_unwind(payload);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The items that are a thread's own to begin with: side by side, since weights are read faster in
/// one line, and the same each time, so that some of them are still in its cache.
fn part_of(items: usize, part: usize, parts: usize) -> Range<usize> {
    items * part / parts..items * (part + 1) / parts
}

/// Works on the thread's own part, then on what others have left of theirs.
fn take(next: &[Next], own: usize, (items, chunk): (usize, usize), work: impl Fn(Range<usize>)) {
    for part in (own..next.len()).chain(0..own.min(next.len())) {
        let end = part_of(items, part, next.len()).end;
        loop {
            let start = next[part].0.fetch_add(chunk, Ordering::Relaxed);
            if start >= end {
                break;
            }
            work(start..end.min(start + chunk));
        }
    }
}

/// # Safety
///
/// `work` points to an `F` that lives until the call returns.
unsafe fn call<F: Fn(Range<usize>)>(work: *const (), range: Range<usize>) {
    // SAFETY: as promised.
    unsafe { (*work.cast::<F>())(range) }
}

/// Takes a thread off the count of active ones, also when its work panics.
struct Leaving<'a>(&'a Pool);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pool {
    fn new() -> Self {
        unsafe fn nothing(_: *const (), _: Range<usize>) {}
        let job = Job {
            call: nothing,
            work: std::ptr::null(),
            items: 0,
            chunk: 1,
        };
        Self {
            caller: Mutex::new(0),
            open: AtomicU64::new(0),
            job: UnsafeCell::new(job),
            next: OnceLock::new(),
            active: AtomicUsize::new(0),
            panic: Mutex::new(None),
            workers: OnceLock::new(),
        }
    }

    /// Closes the job, and waits for the threads that look at it.
    fn close(&self, next: &[Next]) {
        self.open.store(0, Ordering::SeqCst);
        // If this thread panicked the others need not begin what is left.
        for next in next {
            next.0.store(usize::MAX / 2, Ordering::Relaxed);
        }
        let mut looks = 0;
        while self.active.load(Ordering::SeqCst) != 0 {
            looks += 1;
            if looks < LOOKS {
                std::hint::spin_loop()
            } else {
                std::thread::yield_now()
            }
        }
    }

    fn next(&self, parts: usize) -> &[Next] {
        self.next
            .get_or_init(|| (0..parts).map(|_| Next::default()).collect())
    }

    fn workers(&'static self) -> &'static [Worker] {
        self.workers.get_or_init(|| {
            (1..candle_core::utils::get_num_threads())
                .filter_map(|number| {
                    let asleep = std::sync::Arc::new(AtomicBool::new(false));
                    let sleeps = std::sync::Arc::clone(&asleep);
                    let handle = std::thread::Builder::new()
                        .name(format!("newsml-{number}"))
                        .spawn(move || self.serve(number, &sleeps));
                    Some(Worker {
                        thread: handle.ok()?.thread().clone(),
                        asleep,
                    })
                })
                .collect()
        })
    }

    /// What a thread does all its life.
    fn serve(&self, own: usize, asleep: &AtomicBool) {
        let mut done = 0;
        let mut looks = 0;
        loop {
            let open = self.open.load(Ordering::SeqCst);
            if open != 0 && open != done {
                done = open;
                looks = 0;
                self.join(open, own);
            } else if looks < LOOKS {
                looks += 1;
                std::hint::spin_loop();
            } else {
                asleep.store(true, Ordering::SeqCst);
                // A job that was opened before the line above did not see this thread asleep.
                let open = self.open.load(Ordering::SeqCst);
                if open == 0 || open == done {
                    std::thread::park();
                }
                asleep.store(false, Ordering::SeqCst);
                looks = 0;
            }
        }
    }

    fn join(&self, number: u64, own: usize) {
        self.active.fetch_add(1, Ordering::SeqCst);
        let leaving = Leaving(self);
        if self.open.load(Ordering::SeqCst) == number {
            // SAFETY: this thread is counted and the job is open, so the caller waits for it
            // before the job or what it points to changes.
            let job = unsafe { *self.job.get() };
            let next = self.next.get().map_or(&[][..], Vec::as_slice);
            let work = AssertUnwindSafe(|| {
                // SAFETY: as above.
                take(next, own, (job.items, job.chunk), |range| unsafe {
                    (job.call)(job.work, range)
                });
            });
            if let Err(payload) = panic::catch_unwind(work) {
                lock(&self.panic).get_or_insert(payload);
            }
        }
        drop(leaving);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_whoever_calls() {
        std::thread::scope(|scope| {
            for caller in 0..4 {
                scope.spawn(move || {
                    for round in 0..2000 {
                        let items = (round * 7 + caller) % 90;
                        let counts: Vec<AtomicUsize> =
                            (0..items).map(|_| AtomicUsize::new(0)).collect();
                        execute_chunked(items, |range| {
                            for i in range {
                                counts[i].fetch_add(1, Ordering::Relaxed);
                                if round % 50 == 0 && i == 3 {
                                    // From within: done by this thread.
                                    execute_chunked(5, |_| {});
                                }
                            }
                        });
                        assert!(
                            counts
                                .iter()
                                .all(|count| count.load(Ordering::Relaxed) == 1)
                        );
                    }
                });
            }
        });
    }

    #[test]
    fn panics_on_all_threads_at_once_do_not_reach_the_next_job() {
        for _ in 0..200 {
            let result = panic::catch_unwind(|| {
                execute_chunked(64, |range| {
                    assert!(range.is_empty(), "{} expected by the test", range.start);
                });
            });
            let payload = result.err();
            let message = payload
                .as_ref()
                .and_then(|payload| payload.downcast_ref::<String>());
            let message = message.map_or("", String::as_str);
            assert!(message.ends_with("expected by the test"), "{message}");
            let count = AtomicUsize::new(0);
            execute_chunked(64, |range| {
                count.fetch_add(range.len(), Ordering::Relaxed);
            });
            assert_eq!(count.load(Ordering::Relaxed), 64);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_next_job_runs() {
        for _ in 0..50 {
            let result = panic::catch_unwind(|| {
                execute_chunked(64, |range| {
                    assert!(!range.contains(&40), "expected by the test")
                });
            });
            assert!(result.is_err());
            let count = AtomicUsize::new(0);
            execute_chunked(64, |range| {
                count.fetch_add(range.len(), Ordering::Relaxed);
            });
            assert_eq!(count.load(Ordering::Relaxed), 64);
        }
    }
}
