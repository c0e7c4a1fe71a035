//! A loaded encoder–decoder checkpoint at the level of token ids and of text: what the pipelines
//! build on, and what benchmarks and comparisons with other programs need.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::batch::{Batch, plan};
use crate::error::{Error, Result};
use crate::generate::{Progress, Search, beam, search};
use crate::models::directory;
use crate::models::encoder_decoder::EncoderDecoder;
use crate::models::generation::Settings;
use crate::models::loader::Precision;
use crate::models::{Model, TokenId};
use crate::registry::Family;
use crate::tokenizer::pieces::{Direction, PieceTokenizer};

/// A Marian, M2M100 or T5 network with how its makers want it decoded.
pub struct Seq2Seq {
    directory: PathBuf,
    family: Family,
    model: EncoderDecoder,
    /// For no task in particular.
    search: Search,
    settings: Settings,
    config: serde_json::Value,
    tokenizer: Option<PieceTokenizer>,
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
        let (family, config) = directory::describe(directory)?;
        // Building the vocabulary takes as long as reading the weights: side by side.
        let (tokenizer, loaded) = std::thread::scope(|scope| {
            let tokenizer = scope.spawn(|| PieceTokenizer::load(directory, family, &config));
            let prepared = options.prepared.as_deref();
            let loaded = directory::load(directory, (family, &config), precision, prepared);
            (tokenizer.join(), loaded)
        });
        let loaded = loaded?;
        let tokenizer =
            tokenizer.map_err(|_| Error::Tokenizer("its thread panicked".to_owned()))?;
        Ok(Self {
            directory: directory.to_path_buf(),
            family,
            model: loaded.model,
            search: loaded.settings.search(None)?,
            settings: loaded.settings,
            config,
            // Token ids can be decoded without one; text asks for it when it comes to that.
            tokenizer: tokenizer.ok(),
        })
    }

    /// The tokenizer.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or which files are missing.
    pub(crate) fn tokenizer(&self) -> Result<&PieceTokenizer> {
        match &self.tokenizer {
            Some(tokenizer) => Ok(tokenizer),
            None => Err(
                PieceTokenizer::load(&self.directory, self.family, &self.config)
                    .err()
                    .unwrap_or(Error::Tokenizer("its files changed".to_owned())),
            ),
        }
    }

    /// Which family it is of.
    pub(crate) fn family(&self) -> Family {
        self.family
    }

    /// The ids that tell the model a direction; `source` and `target` are the tokens that the
    /// catalogue names for the two languages.
    pub(crate) fn direction(
        &self,
        source: Option<&str>,
        target: Option<&str>,
    ) -> Result<Direction> {
        self.tokenizer()?
            .direction(self.family, &self.config, source, target)
    }

    /// How the makers want it decoded for a task, as in `summarization`.
    pub(crate) fn search_for(&self, task: &str) -> Result<Search> {
        self.settings.search(Some(task))
    }

    /// What the makers put before the text of a task.
    pub(crate) fn prefix(&self, task: &str) -> &str {
        self.settings.prefix(task)
    }

    /// Most source tokens, the end among them, and most target tokens; `None` where positions do
    /// not end.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.model.limit
    }

    /// Encodes a text as a source row, as the checkpoint's tokenizer does. `source` and `target`
    /// name the tokens of the two languages, where the checkpoint needs them.
    ///
    /// # Errors
    ///
    /// For a tokenizer that is missing or damaged, and for a name that it does not know.
    pub fn encode(
        &self,
        text: &str,
        source: Option<&str>,
        target: Option<&str>,
    ) -> Result<Vec<u32>> {
        self.tokenizer()?
            .encode(text, &self.direction(source, target)?)
    }

    /// Decodes target ids to text; control and language tokens are left out.
    ///
    /// # Errors
    ///
    /// For a tokenizer that is missing or damaged.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.tokenizer()?.decode(ids)
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

    /// The scores of every token of the vocabulary, unnormalized, for each place of a target that
    /// is given: before its first token, …, after its last. For comparisons.
    ///
    /// # Errors
    ///
    /// What the network reports, such as an id beyond its vocabulary.
    pub fn scores(&self, source: &[u32], target: &[u32]) -> Result<Vec<Vec<f32>>> {
        let mut state = self.model.start(&Batch::new(&[source]))?;
        let mut last = state.first.clone();
        let mut all = Vec::with_capacity(target.len() + 1);
        for place in 0..=target.len() {
            let scores = self.model.step(&mut state, &last)?;
            all.push(scores.logits.flatten_all()?.to_vec1()?);
            last = target.get(place).copied().into_iter().collect();
        }
        Ok(all)
    }

    /// Decodes rows of source ids together, as the makers of the checkpoint want it but with
    /// `beams` hypotheses and at most `max_new` tokens; the i-th answer belongs to the i-th row.
    ///
    /// # Errors
    ///
    /// What the network reports, such as an id beyond its vocabulary.
    pub fn decode_ids(
        &self,
        rows: &[Vec<u32>],
        beams: usize,
        max_new: usize,
    ) -> Result<Vec<Vec<u32>>> {
        let mut search = self.search.clone();
        search.beams = beams.max(1);
        let limits = vec![max_new; rows.len()];
        let batch = Batch::new(rows);
        let found = self.generate(&batch, &search, &limits, None, &mut |_| {
            ControlFlow::Continue(())
        })?;
        Ok(found
            .into_iter()
            .map(|best| {
                best.into_iter()
                    .next()
                    .map_or(Vec::new(), |best| best.tokens)
            })
            .collect())
    }

    /// Decodes a batch to at most `max_new` tokens a row, and no more than the model has positions
    /// for; `first` is what the decoder reads first, where that chooses the language.
    pub(crate) fn generate(
        &self,
        batch: &Batch,
        how: &Search,
        max_new: &[usize],
        first: Option<TokenId>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<beam::Scored>>> {
        let model: &dyn Model = &self.model;
        let positions = self.model.limit.unwrap_or(usize::MAX);
        let max_new: Vec<usize> = max_new.iter().map(|&most| most.min(positions)).collect();
        let max_new = max_new.as_slice();
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
