//! A loaded encoder–decoder checkpoint at the level of token ids and of text: what the pipelines
//! build on, and what benchmarks and comparisons with other programs need.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::batch::{Batch, plan};
use crate::error::Result;
use crate::generate::{Progress, Search, beam, search};
use crate::models::directory;
use crate::models::encoder_decoder::EncoderDecoder;
use crate::models::loader::Precision;
use crate::models::{Model, TokenId};

/// A Marian, M2M100 or T5 network with how its makers want it decoded.
pub struct Seq2Seq {
    model: EncoderDecoder,
    search: Search,
}

impl std::fmt::Debug for Seq2Seq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seq2Seq")
            .field("search", &self.search)
            .finish_non_exhaustive()
    }
}

/// How a checkpoint is loaded.
#[derive(Debug, Clone, Default)]
pub struct Seq2SeqOptions {
    /// Keep weights as float32 instead of signed bytes: about six times slower, four times larger.
    pub float: bool,
    /// Where quantized weights are kept for the next start; nowhere if absent.
    pub prepared: Option<PathBuf>,
}

impl Seq2Seq {
    /// Loads a directory in Hugging Face layout.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedModel`](crate::Error::UnsupportedModel) for another architecture,
    /// [`Error::CorruptModel`](crate::Error::CorruptModel) for damaged files.
    pub fn load(directory: &Path, options: &Seq2SeqOptions) -> Result<Self> {
        let precision = if options.float {
            Precision::F32
        } else {
            Precision::Q8
        };
        let loaded = directory::load(directory, precision, options.prepared.as_deref())?;
        Ok(Self {
            model: loaded.model,
            search: loaded.search,
        })
    }

    /// Decodes each row of source ids to exactly `target` tokens (ends are not allowed before), in
    /// batches of `batch` rows, with `beams` hypotheses; the i-th answer belongs to the i-th row.
    /// For benchmarks and comparisons.
    ///
    /// # Errors
    ///
    /// What the network reports, such as an id beyond its vocabulary.
    pub fn continue_ids(
        &self,
        rows: &[Vec<u32>],
        target: usize,
        batch: usize,
        beams: usize,
    ) -> Result<Vec<Vec<u32>>> {
        let mut search = self.search.clone();
        search.beams = beams.max(1);
        search.constraints.min_new = target;
        search.constraints.forced_last = None;
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let mut answers = vec![Vec::new(); rows.len()];
        for group in plan(&lengths, usize::MAX, batch) {
            let members: Vec<&[u32]> = group.iter().map(|&row| rows[row].as_slice()).collect();
            let max_new = vec![target; group.len()];
            let found =
                self.generate(&Batch::new(&members), &search, &max_new, None, &mut |_| {
                    ControlFlow::Continue(())
                })?;
            for (&row, best) in group.iter().zip(found) {
                answers[row] = best
                    .into_iter()
                    .next()
                    .map_or(Vec::new(), |best| best.tokens);
            }
        }
        Ok(answers)
    }

    /// Decodes a batch; `first` is what the decoder reads first, where that chooses the language.
    pub(crate) fn generate(
        &self,
        batch: &Batch,
        how: &Search,
        max_new: &[usize],
        first: Option<TokenId>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<beam::Scored>>> {
        let model: &dyn Model = &self.model;
        match first {
            Some(first) => search(
                &beam::StartingWith { model, first },
                batch,
                how,
                max_new,
                progress,
            ),
            None => search(model, batch, how, max_new, progress),
        }
    }
}
