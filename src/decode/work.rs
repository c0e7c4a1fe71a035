//! Rows in, what was decoded out: batches are planned, shared out among the copies of a network,
//! and made smaller where a device runs out of memory.
//!
//! Knows nothing of text. While a batch runs on a device, the next one is made ready, and what the
//! last one gave is turned to text. Every row is answered once, or the work ends with an error or
//! because the caller stopped it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

use crate::decode::batch::plan;
use crate::decode::{Model, Room, Step, Watch};
use crate::device;
use crate::error::{Error, Result};

/// Batches that are made ready for each copy: one runs, one waits.
///
/// What waits is not copied to the device yet: candle does everything on a device on one stream, where
/// a copy waits for the kernels before it and holds up those after it, and takes a tensor of another
/// stream for one of another device. Besides, which card a batch goes to shows only when one is free,
/// and its ids are some hundred kilobytes at most, which take microseconds.
const AHEAD: usize = 2;

/// A row to be decoded.
pub(crate) struct Row<I> {
    /// Which one it is.
    pub(crate) number: usize,
    /// What it counts for in a batch: its tokens, and those that its answer may have.
    pub(crate) length: usize,
    /// What decoding needs of it.
    pub(crate) input: I,
}

/// Decodes a batch on one copy of a network; one answer a row.
pub(crate) type Decode<'a, I, T> = dyn Fn(&dyn Model, &[Row<I>], &mut dyn FnMut(Step) -> ControlFlow<()>) -> Result<Vec<T>>
    + Sync
    + 'a;

/// How rows are worked through.
pub(crate) struct Work<'a, I, T> {
    copies: &'a [Box<dyn Model>],
    room: Room,
    decode: &'a Decode<'a, I, T>,
    /// The least rows times tokens that a device had too little memory for.
    too_much: AtomicUsize,
}

impl<'a, I: Send, T: Send> Work<'a, I, T> {
    /// Batches are of at most `rows` rows and `tokens` tokens, or of what the network has room for.
    pub(crate) fn new(
        copies: &'a [Box<dyn Model>],
        (rows, tokens): (Option<usize>, Option<usize>),
        decode: &'a Decode<'a, I, T>,
    ) -> Self {
        // All copies are alike; the fullest device decides.
        let room = copies.iter().map(|copy| copy.room());
        let room = room.reduce(|a, b| Room {
            rows: a.rows.min(b.rows),
            tokens: a.tokens.min(b.tokens),
        });
        let room = room.unwrap_or_default();
        Self {
            copies,
            room: Room {
                rows: rows.unwrap_or(room.rows),
                tokens: tokens.unwrap_or(room.tokens),
            },
            decode,
            too_much: AtomicUsize::new(usize::MAX),
        }
    }

    /// Works through stretches of rows, each of which is made when it is needed and planned as a
    /// whole, longest rows first. `finish` is called once for each row, in no order, on this thread.
    ///
    /// Where the caller stops the work, some rows are not finished: see [`Watch::stopped`].
    pub(crate) fn run(
        &self,
        mut stretches: impl Iterator<Item = Result<Vec<Row<I>>>>,
        finish: &mut dyn FnMut(usize, T) -> Result<()>,
        watch: &mut Watch,
    ) -> Result<()> {
        let mut batches = Batches {
            ready: VecDeque::new(),
            next: &mut || {
                let stretch = stretches.next()?;
                Some(stretch.map(|rows| self.plan(rows)))
            },
        };
        match self.copies {
            // Kernels use all cores, so that nothing is won by doing two things at a time.
            [model] if !model.reduces_scores() => {
                while let Some(batch) = batches.next()? {
                    if watch.stopped() {
                        break;
                    }
                    let mut tokens = 0;
                    let rows = batch.len();
                    let found = self.answer(model.as_ref(), &batch, &mut |progress| {
                        tokens = progress.tokens;
                        watch.tell(rows.saturating_sub(progress.live), tokens)
                    });
                    let found = match found {
                        Err(Error::Cancelled) => break,
                        found => found?,
                    };
                    watch.count(rows, tokens);
                    for (row, found) in batch.into_iter().zip(found) {
                        finish(row.number, found)?;
                    }
                }
                Ok(())
            }
            copies => self.share(copies, &mut batches, finish, watch),
        }
    }

    fn plan(&self, rows: Vec<Row<I>>) -> Vec<Vec<Row<I>>> {
        let lengths: Vec<usize> = rows.iter().map(|row| row.length).collect();
        // Every copy gets something to do.
        let most = self.room.rows.min(rows.len().div_ceil(self.copies.len()));
        let mut rows: Vec<Option<Row<I>>> = rows.into_iter().map(Some).collect();
        plan(&lengths, self.room.tokens, most.max(1))
            .into_iter()
            .map(|group| {
                group
                    .into_iter()
                    .filter_map(|row| rows[row].take())
                    .collect()
            })
            .collect()
    }

    /// One thread a copy takes the next batch as soon as it is done with one; this thread makes
    /// batches ready and finishes rows.
    fn share(
        &self,
        copies: &[Box<dyn Model>],
        batches: &mut Batches<'_, I>,
        finish: &mut dyn FnMut(usize, T) -> Result<()>,
        watch: &mut Watch,
    ) -> Result<()> {
        let queue: Queue<Vec<Row<I>>> = Queue::default();
        let stop = AtomicBool::new(false);
        let (sender, receiver) = mpsc::channel::<Told<T>>();
        std::thread::scope(|scope| {
            for (copy, model) in copies.iter().enumerate() {
                let (sender, queue, stop) = (sender.clone(), &queue, &stop);
                scope.spawn(move || {
                    let _ends = Ends(copy, sender.clone());
                    while let Some(batch) = queue.take() {
                        let rows = batch.len();
                        let found = self.answer(model.as_ref(), &batch, &mut |progress| {
                            let done = rows.saturating_sub(progress.live);
                            let _ = sender.send(Told::Progress(copy, done, progress.tokens));
                            if stop.load(Ordering::Relaxed) {
                                ControlFlow::Break(())
                            } else {
                                ControlFlow::Continue(())
                            }
                        });
                        let found = found.map(|found| {
                            let numbers = batch.iter().map(|row| row.number);
                            numbers.zip(found).collect()
                        });
                        // The other end is there until all batches are answered.
                        let _ = sender.send(Told::Answers(copy, found));
                    }
                });
            }
            drop(sender);
            // Also where a callback of the caller panics: the scope waits for the threads.
            let _lets_go = LetsGo(&queue, &stop);
            self.attend(batches, &queue, &receiver, finish, watch, &stop)
        })
    }

    /// Keeps the queue filled and finishes what comes back.
    fn attend(
        &self,
        batches: &mut Batches<'_, I>,
        queue: &Queue<Vec<Row<I>>>,
        receiver: &mpsc::Receiver<Told<T>>,
        finish: &mut dyn FnMut(usize, T) -> Result<()>,
        watch: &mut Watch,
        stop: &AtomicBool,
    ) -> Result<()> {
        let mut running = vec![(0, 0); self.copies.len()];
        let mut outstanding = 0;
        loop {
            while outstanding < AHEAD * self.copies.len() && !watch.stopped() {
                let Some(batch) = batches.next()? else {
                    break;
                };
                queue.put(batch);
                outstanding += 1;
            }
            if outstanding == 0 {
                return Ok(());
            }
            match receiver.recv() {
                Ok(Told::Progress(copy, done, tokens)) => running[copy] = (done, tokens),
                Ok(Told::Answers(copy, found)) => {
                    outstanding -= 1;
                    let (_, tokens) = std::mem::take(&mut running[copy]);
                    match found {
                        Ok(found) => {
                            watch.count(found.len(), tokens);
                            for (number, found) in found {
                                finish(number, found)?;
                            }
                        }
                        Err(Error::Cancelled) => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(mpsc::RecvError) => {
                    let message = "a thread of a device ended before its work did";
                    return Err(candle_core::Error::msg(message).into());
                }
            }
            let (done, tokens) = running
                .iter()
                .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            if watch.tell(done, tokens).is_break() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Answers a batch, in halves where the device has too little memory for it as a whole.
    fn answer(
        &self,
        model: &dyn Model,
        batch: &[Row<I>],
        progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Vec<T>> {
        let size = batch.len() * batch.iter().map(|row| row.length).max().unwrap_or(0);
        let failed = if batch.len() > 1 && size >= self.too_much.load(Ordering::Relaxed) {
            None
        } else {
            match (self.decode)(model, batch, progress) {
                Err(error) if device::is_out_of_memory(&error) => Some(error),
                found => return found,
            }
        };
        if failed.is_some() {
            self.too_much.fetch_min(size.max(1), Ordering::Relaxed);
        }
        match failed {
            Some(error) if batch.len() == 1 => Err(error),
            _ => {
                let (left, right) = batch.split_at(batch.len() / 2);
                let mut found = self.answer(model, left, progress)?;
                found.extend(self.answer(model, right, progress)?);
                Ok(found)
            }
        }
    }
}

/// Batches, planned a stretch at a time.
struct Batches<'a, I> {
    ready: VecDeque<Vec<Row<I>>>,
    next: &'a mut dyn FnMut() -> Option<Result<Vec<Vec<Row<I>>>>>,
}

impl<I> Batches<'_, I> {
    fn next(&mut self) -> Result<Option<Vec<Row<I>>>> {
        while self.ready.is_empty() {
            match (self.next)() {
                Some(batches) => self.ready.extend(batches?),
                None => return Ok(None),
            }
        }
        Ok(self.ready.pop_front())
    }
}

/// What a copy's thread tells; the first number is that of the copy.
enum Told<T> {
    /// Rows done and tokens written of the batch that runs.
    Progress(usize, usize, usize),
    /// What a batch gave.
    Answers(usize, Result<Vec<(usize, T)>>),
}

/// Tells of the end of a thread that panics, for which the other would wait for ever.
struct Ends<T>(usize, mpsc::Sender<Told<T>>);

impl<T> Drop for Ends<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let error = candle_core::Error::msg("a thread of a device ended before its work did");
            let _ = self.1.send(Told::Answers(self.0, Err(error.into())));
        }
    }
}

/// Has the threads of all copies end when it is dropped.
struct LetsGo<'a, B>(&'a Queue<B>, &'a AtomicBool);

impl<B> Drop for LetsGo<'_, B> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
        self.0.close();
    }
}

/// What waits to be taken by the next thread that is free.
struct Queue<B> {
    waiting: Mutex<(VecDeque<B>, bool)>,
    changed: Condvar,
}

impl<B> Default for Queue<B> {
    fn default() -> Self {
        Self {
            waiting: Mutex::new((VecDeque::new(), false)),
            changed: Condvar::new(),
        }
    }
}

impl<B> Queue<B> {
    fn put(&self, item: B) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.0.push_back(item);
        self.changed.notify_one();
    }

    /// Lets all threads go; what still waits is not taken any more.
    fn close(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.1 = true;
        self.changed.notify_all();
    }

    fn take(&self) -> Option<B> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if waiting.1 {
                return None;
            }
            if let Some(item) = waiting.0.pop_front() {
                return Some(item);
            }
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::decode::{Batch, Scores, State, TokenId};

    /// A device with memory for so many tokens a batch, which says what was asked of it.
    struct Small {
        memory: usize,
        asked: Mutex<Vec<usize>>,
    }

    impl Small {
        fn copies(count: usize, memory: usize) -> Vec<Box<dyn Model>> {
            let one = |_| -> Box<dyn Model> {
                Box::new(Self {
                    memory,
                    asked: Mutex::default(),
                })
            };
            (0..count).map(one).collect()
        }
    }

    impl Model for Small {
        fn start(&self, batch: &Batch) -> Result<State> {
            let size = batch.rows() * batch.width;
            self.asked.lock().unwrap().push(size);
            if size > self.memory {
                let error = "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")";
                return Err(candle_core::Error::msg(error).into());
            }
            Err(Error::Tokenizer("only a start".to_owned()))
        }

        fn step(&self, _: &mut State, _: &[TokenId]) -> Result<Scores> {
            Err(Error::Tokenizer("only a start".to_owned()))
        }

        fn reduces_scores(&self) -> bool {
            true
        }

        fn room(&self) -> Room {
            Room {
                rows: 100,
                tokens: 1000,
            }
        }
    }

    /// What a row comes to, and the size of the batch that it was in.
    fn decode(
        model: &dyn Model,
        rows: &[Row<TokenId>],
        progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Vec<(TokenId, usize)>> {
        let batch: Vec<Vec<TokenId>> = rows.iter().map(|row| vec![0; row.length]).collect();
        match model.start(&Batch::new(&batch)) {
            Err(Error::Tokenizer(_)) => {}
            other => return other.map(|_| Vec::new()),
        }
        let tokens = rows.len();
        if progress(Step { live: 0, tokens }).is_break() {
            return Err(Error::Cancelled);
        }
        Ok(rows.iter().map(|row| (2 * row.input, rows.len())).collect())
    }

    fn rows(count: usize) -> Vec<Row<TokenId>> {
        let row = |number| Row {
            number,
            length: 5 + number % 7,
            input: number as TokenId,
        };
        (0..count).map(row).collect()
    }

    fn run(copies: &[Box<dyn Model>], count: usize) -> Result<Vec<Option<(TokenId, usize)>>> {
        let mut found = vec![None; count];
        let mut finish = |number: usize, answer| {
            assert_eq!(found[number].replace(answer), None, "answered twice");
            Ok(())
        };
        let mut all = rows(count).into_iter();
        // Stretches of 60 rows; an empty one ends them.
        let stretches = std::iter::from_fn(|| {
            let stretch: Vec<_> = all.by_ref().take(60).collect();
            (!stretch.is_empty()).then_some(Ok(stretch))
        });
        let mut watch = Watch::new(None);
        Work::new(copies, (None, None), &decode).run(stretches, &mut finish, &mut watch)?;
        Ok(found)
    }

    #[test]
    fn every_row_is_answered_once_by_any_number_of_copies() {
        for copies in [1, 2, 5] {
            for count in [0, 1, 2, 59, 60, 61, 250] {
                let found = run(&Small::copies(copies, 1000), count).unwrap();
                for (number, found) in found.iter().enumerate() {
                    let answer = found.map(|(answer, _)| answer);
                    assert_eq!(answer, Some(2 * number as TokenId), "{copies} copies");
                }
            }
        }
    }

    #[test]
    fn a_batch_that_is_too_large_for_the_memory_is_done_in_parts() {
        let found = run(&Small::copies(2, 60), 250).unwrap();
        for (number, found) in found.iter().enumerate() {
            let (answer, rows) = found.unwrap();
            assert_eq!(answer, 2 * number as TokenId);
            assert!(rows * (5 + number % 7) <= 60);
        }
    }

    #[test]
    fn sizes_that_did_not_fit_are_not_tried_again() {
        let copies = [Small {
            memory: 60,
            asked: Mutex::default(),
        }];
        let [small] = copies;
        let work: Work<'_, TokenId, (TokenId, usize)> = Work::new(&[], (None, None), &decode);
        for _ in 0..3 {
            work.answer(&small, &rows(14), &mut |_| ControlFlow::Continue(()))
                .unwrap();
        }
        let asked = small.asked.lock().unwrap();
        let too_large = asked.iter().filter(|&&size| size > 60).count();
        assert_eq!(too_large, 2, "{asked:?}");
    }

    #[test]
    fn a_row_that_never_fits_is_an_error() {
        let error = run(&Small::copies(1, 3), 20).err().unwrap();
        assert!(device::is_out_of_memory(&error), "{error}");
    }

    #[test]
    fn work_ends_where_a_callback_panics() {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let copies = Small::copies(2, 1000);
            let mut watch = Watch::new(Some(std::sync::Arc::new(|_| {
                std::panic::resume_unwind(Box::new("the observer's"))
            })));
            let work = Work::new(&copies, (None, None), &decode);
            let stretches = (0..10).map(|_| Ok(rows(60)));
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                work.run(stretches, &mut |_, _| Ok(()), &mut watch)
            }));
            sender.send(outcome.is_err()).unwrap();
        });
        let waited = receiver.recv_timeout(std::time::Duration::from_secs(20));
        assert_eq!(waited, Ok(true), "the work never ended");
    }

    #[test]
    fn work_ends_where_the_caller_stops_it() {
        let copies = Small::copies(2, 1000);
        let mut found = 0;
        let mut finish = |_, _| {
            found += 1;
            Ok(())
        };
        let stretches = (0..1000).map(|_| Ok(rows(60)));
        let calls = AtomicUsize::new(0);
        let mut watch = Watch::new(Some(std::sync::Arc::new(move |_| {
            if calls.fetch_add(1, Ordering::Relaxed) > 20 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })));
        let work = Work::new(&copies, (None, None), &decode);
        work.run(stretches, &mut finish, &mut watch).unwrap();
        assert!(watch.stopped());
        assert!(found < 60 * 60, "{found}");
    }
}
