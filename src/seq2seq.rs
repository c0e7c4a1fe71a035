//! A loaded encoder–decoder checkpoint at the level of token ids and of text: what the pipelines
//! build on, and what benchmarks and comparisons with other programs need.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::decode::{
    Batch, Model, Row, Search, Step, TokenId, Watch, Work, batch, beam, scores, search,
};
use crate::device::{Place, Places};
use crate::error::{Error, Result};
use crate::networks::encoder_decoder::settings::Settings;
use crate::networks::encoder_decoder::{directory, loader};
use crate::options::{Device, Precision};
use crate::registry::Family;
use crate::tokenizer::pieces::{Direction, PieceTokenizer};

/// A Marian, M2M100 or T5 network with how its makers want it decoded.
pub struct Seq2Seq {
    directory: PathBuf,
    family: Family,
    /// One for each place where it runs.
    copies: Vec<Box<dyn Model>>,
    limit: Option<usize>,
    /// For no task in particular.
    search: Search,
    settings: Settings,
    places: Places,
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
    /// Where the network runs.
    pub device: Device,
    /// How weights are held. On the processor [`Precision::Auto`] means signed bytes, and float32
    /// is about six times slower and four times larger; on a card it means half of float32, or all
    /// of it where the family needs that.
    pub precision: Precision,
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
        Self::load_in(directory, options, &Places::open(&options.device)?)
    }

    /// Loads a directory into places that are open already.
    pub(crate) fn load_in(
        directory: &Path,
        options: &Seq2SeqOptions,
        places: &Places,
    ) -> Result<Self> {
        let (family, config) = directory::describe(directory)?;
        let settings = Settings::read(directory, &config)?;
        let search = settings.search(None)?;
        // Building the vocabulary takes as long as reading the weights: side by side.
        let (tokenizer, copies) = std::thread::scope(|scope| {
            let tokenizer = scope.spawn(|| PieceTokenizer::load(directory, family, &config));
            let described = (family, &config);
            let copies = places
                .places
                .iter()
                .map(|place| copy(directory, described, options, place))
                .collect::<Result<Vec<_>>>();
            (tokenizer.join(), copies)
        });
        let copies = copies?;
        let tokenizer =
            tokenizer.map_err(|_| Error::Tokenizer("its thread panicked".to_owned()))?;
        Ok(Self {
            directory: directory.to_path_buf(),
            family,
            limit: copies.first().and_then(|(_, limit)| *limit),
            copies: copies.into_iter().map(|(model, _)| model).collect(),
            search,
            settings,
            config,
            places: places.clone(),
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

    /// The most new tokens that the makers allow for a task, where they say so.
    pub(crate) fn most_new(&self, task: &str) -> Result<Option<usize>> {
        self.settings.most_new(Some(task))
    }

    /// What the makers put before the text of a task.
    pub(crate) fn prefix(&self, task: &str) -> &str {
        self.settings.prefix(task)
    }

    /// Most source tokens, the end among them, and most target tokens; `None` where positions do
    /// not end.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Bytes that are in use on the devices of the network, by whomever; `None` where they do not
    /// tell, as the processor does not.
    pub fn device_memory(&self) -> Option<usize> {
        self.places.memory_in_use()
    }

    /// The network, once for each place where it runs.
    pub(crate) fn copies(&self) -> &[Box<dyn Model>] {
        &self.copies
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
    /// [`Error::Usage`](crate::Error::Usage) for a row without ids and for more than 1,024 beams;
    /// what the network reports, such as an id beyond its vocabulary.
    pub fn continue_ids(
        &self,
        rows: &[Vec<u32>],
        target: usize,
        batch: usize,
        beams: usize,
    ) -> Result<Vec<Vec<u32>>> {
        batch::check(rows)?;
        let mut search = self.search.clone();
        search.beams = beams.max(1);
        search.constraints.min_new = target;
        search.constraints.forced_last = None;
        let decode = |model: &dyn Model,
                      rows: &[Row<&[u32]>],
                      progress: &mut dyn FnMut(Step) -> ControlFlow<()>| {
            let members: Vec<&[u32]> = rows.iter().map(|row| row.input).collect();
            let max_new = vec![target; rows.len()];
            self.generate(
                model,
                &Batch::new(&members),
                &search,
                &max_new,
                None,
                progress,
            )
        };
        let work = Work::new(&self.copies, (Some(batch), Some(usize::MAX)), &decode);
        let all = rows.iter().enumerate().map(|(number, row)| Row {
            number,
            length: row.len(),
            input: row.as_slice(),
        });
        let mut answers = vec![Vec::new(); rows.len()];
        let mut finish = |row: usize, found: Vec<beam::Scored>| {
            let best = found.into_iter().next();
            answers[row] = best.map_or(Vec::new(), |best| best.tokens);
            Ok(())
        };
        let stretches = std::iter::once(Ok(all.collect()));
        work.run(stretches, &mut finish, &mut Watch::new(None))?;
        Ok(answers)
    }

    /// The scores of every token of the vocabulary, unnormalized, for each place of a target that
    /// is given: before its first token, …, after its last. For comparisons.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`](crate::Error::Usage) for a source without ids; what the network reports,
    /// such as an id beyond its vocabulary.
    pub fn scores(&self, source: &[u32], target: &[u32]) -> Result<Vec<Vec<f32>>> {
        batch::check(&[source])?;
        scores(self.copies[0].as_ref(), source, target)
    }

    /// Decodes rows of source ids together, as the makers of the checkpoint want it but with
    /// `beams` hypotheses and at most `max_new` tokens; the i-th answer belongs to the i-th row.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`](crate::Error::Usage) for a row without ids and for more than 1,024 beams;
    /// what the network reports, such as an id beyond its vocabulary.
    pub fn decode_ids(
        &self,
        rows: &[Vec<u32>],
        beams: usize,
        max_new: usize,
    ) -> Result<Vec<Vec<u32>>> {
        batch::check(rows)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut search = self.search.clone();
        search.beams = beams.max(1);
        let limits = vec![max_new; rows.len()];
        let batch = Batch::new(rows);
        let model = self.copies[0].as_ref();
        let found = self.generate(model, &batch, &search, &limits, None, &mut |_| {
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

    /// Decodes a batch on one of the copies to at most `max_new` tokens a row, and no more than the
    /// model has positions for; `first` is what the decoder reads first, where that chooses the language.
    pub(crate) fn generate(
        &self,
        model: &dyn Model,
        batch: &Batch,
        how: &Search,
        max_new: &[usize],
        first: Option<TokenId>,
        progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<beam::Scored>>> {
        let positions = self.limit.unwrap_or(usize::MAX);
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

/// One copy of the network of a directory, and the most tokens that it has positions for.
fn copy(
    directory: &Path,
    described: (Family, &serde_json::Value),
    options: &Seq2SeqOptions,
    place: &Place,
) -> Result<(Box<dyn Model>, Option<usize>)> {
    let precision = match (place, options.precision) {
        (Place::Tensors(device), precision) => {
            let network = directory::load_on(directory, described, precision, device)?;
            let limit = network.limit();
            return Ok((Box::new(network), limit));
        }
        (Place::Kernels, Precision::Auto | Precision::Q8) => loader::Precision::Q8,
        (Place::Kernels, Precision::F32) => loader::Precision::F32,
        (Place::Kernels, Precision::Bf16 | Precision::F16) => {
            return Err(Error::Usage {
                message: "half precision is not supported on the processor".to_owned(),
                hint: Some("use `--precision auto`, `q8` or `f32`".to_owned()),
            });
        }
    };
    let prepared = options.prepared.as_deref();
    let network = directory::load(directory, described, precision, prepared)?;
    let limit = network.limit;
    Ok((Box::new(network), limit))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn rows_without_ids_are_refused_and_no_rows_have_no_answers() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/marian-tied");
        for device in [Device::Cpu, Device::CpuTensors(1)] {
            let options = Seq2SeqOptions {
                device,
                ..Seq2SeqOptions::default()
            };
            let model = Seq2Seq::load(&folder, &options).unwrap();
            let is_refused = |error: Option<Error>| matches!(error, Some(Error::Usage { .. }));
            let rows = [vec![5, 0], vec![]];
            assert!(is_refused(model.decode_ids(&rows, 2, 4).err()));
            assert!(is_refused(model.continue_ids(&rows, 4, 2, 2).err()));
            assert!(is_refused(model.scores(&[], &[5]).err()));
            assert!(model.decode_ids(&[], 2, 4).unwrap().is_empty());
            assert!(model.continue_ids(&[], 4, 2, 2).unwrap().is_empty());
            assert_eq!(model.decode_ids(&rows[..1], 2, 4).unwrap().len(), 1);
            assert!(is_refused(model.decode_ids(&rows[..1], 2000, 4).err()));
        }
    }
}
