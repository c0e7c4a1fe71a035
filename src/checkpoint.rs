//! A loaded checkpoint at the level of token ids: what benchmarks and comparisons with other
//! programs need, and what the pipelines build on.

use std::ops::ControlFlow;
use std::path::Path;

use crate::batch::{Batch, plan};
use crate::error::{Error, Result};
use crate::generate::{Hypothesis, Limits, greedy};
use crate::models::decoder_only::DecoderOnly;
use crate::models::gguf::Gguf;
use crate::models::qwen::Qwen;
use crate::models::{Model, TokenId};
use crate::tokenizer::ChatTokenizer;

/// A network and its tokenizer.
pub struct Checkpoint {
    model: Box<dyn Model>,
    tokenizer: ChatTokenizer,
    context: usize,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl Checkpoint {
    /// Loads a GGUF file. `progress` is called with parts loaded and parts in all.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptModel`] for a damaged file, [`Error::UnsupportedModel`] for an architecture
    /// that newsml cannot run.
    pub fn load(path: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<Self> {
        let mut gguf = Gguf::open(path)?;
        let architecture = gguf.architecture()?.to_owned();
        if architecture != "qwen2" {
            return Err(gguf.unsupported(format!(
                "`general.architecture` is `{architecture}`; GGUF files of `qwen2` can be run"
            )));
        }
        // Building the vocabulary takes as long as reading the weights: side by side.
        let header = Gguf::open(path)?;
        let (tokenizer, network) = std::thread::scope(|scope| {
            let tokenizer = scope.spawn(|| ChatTokenizer::from_gguf(&header));
            let network = Qwen::load(&mut gguf, progress);
            (tokenizer.join(), network)
        });
        let tokenizer =
            tokenizer.map_err(|_| Error::Tokenizer("its thread panicked".to_owned()))??;
        let network = network?;
        let context = network.context();
        Ok(Self {
            model: Box::new(DecoderOnly(network)),
            tokenizer,
            context,
        })
    }

    /// Continues each row of token ids with `target` tokens, greedily and without stopping, in
    /// batches of `batch` rows; the i-th answer belongs to the i-th row. For benchmarks.
    ///
    /// # Errors
    ///
    /// What the network reports, such as an id beyond its vocabulary.
    pub fn continue_ids(
        &self,
        rows: &[Vec<u32>],
        target: usize,
        batch: usize,
    ) -> Result<Vec<Vec<u32>>> {
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let mut answers = vec![Vec::new(); rows.len()];
        for group in plan(&lengths, usize::MAX, batch) {
            let members: Vec<&[u32]> = group.iter().map(|&row| rows[row].as_slice()).collect();
            let limits = Limits {
                max_new: vec![target; group.len()],
                ..Limits::default()
            };
            let found = self.generate(&Batch::new(&members), &limits, &mut |_| {
                ControlFlow::Continue(())
            })?;
            for (&row, hypothesis) in group.iter().zip(found) {
                answers[row] = hypothesis.tokens;
            }
        }
        Ok(answers)
    }

    pub(crate) fn generate(
        &self,
        batch: &Batch,
        limits: &Limits,
        progress: &mut dyn FnMut(crate::generate::Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Hypothesis>> {
        greedy(self.model.as_ref(), batch, limits, progress)
    }

    pub(crate) fn tokenizer(&self) -> &ChatTokenizer {
        &self.tokenizer
    }

    /// Most tokens that a prompt and its answer may have together.
    pub(crate) fn context(&self) -> usize {
        self.context
    }

    /// Encodes text as the model's tokenizer does, without control tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Tokenizer`].
    pub fn encode(&self, text: &str) -> Result<Vec<TokenId>> {
        self.tokenizer.encode(text)
    }

    /// Decodes ids to text; control tokens are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Tokenizer`].
    pub fn decode(&self, ids: &[TokenId]) -> Result<String> {
        self.tokenizer.decode(ids)
    }
}
