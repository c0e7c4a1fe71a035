//! A loaded checkpoint at the level of token ids: what benchmarks and comparisons with other
//! programs need, and what the pipelines build on.

use std::ops::ControlFlow;
use std::path::Path;

use candle_core::DType;

use crate::decode::{
    Batch, Hypothesis, Limits, Model, Row, Step, TokenId, Watch, Work, batch, greedy, scores,
};
use crate::device::{Place, Places};
use crate::error::{Error, Result};
use crate::networks::decoder::{self, gguf::Gguf};
use crate::networks::runtime::tensors::Form;
use crate::options::{Device, Precision};
use crate::tokenizer::ChatTokenizer;

/// A network and its tokenizer.
pub struct Checkpoint {
    /// One for each place where it runs.
    copies: Vec<Box<dyn Model>>,
    places: Places,
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
        Self::load_on(path, &Device::Cpu, Precision::Auto, progress)
    }

    /// Loads a GGUF file to run on a device; see [`Checkpoint::load`]. Weights stay as they are
    /// stored, unless a precision is named, which only a card can use.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] for a device that is not there, [`Error::Usage`] for a precision that it
    /// cannot use.
    pub fn load_on(
        path: &Path,
        device: &Device,
        precision: Precision,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        Self::load_in(path, &Places::open(device)?, precision, progress)
    }

    /// Loads a GGUF file into places that are open already.
    pub(crate) fn load_in(
        path: &Path,
        places: &Places,
        precision: Precision,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        check_precision(path, places, precision)?;
        let mut gguf = Gguf::open(path)?;
        // Building the vocabulary takes as long as reading the weights: side by side.
        let header = Gguf::open(path)?;
        let (tokenizer, copies) = std::thread::scope(|scope| {
            let tokenizer = scope.spawn(|| ChatTokenizer::from_gguf(&header));
            let copies = places
                .places
                .iter()
                .map(|place| copy(&mut gguf, place, precision, progress))
                .collect::<Result<Vec<_>>>();
            (tokenizer.join(), copies)
        });
        let tokenizer =
            tokenizer.map_err(|_| Error::Tokenizer("its thread panicked".to_owned()))??;
        let copies = copies?;
        let context = copies.iter().map(|copy| copy.context).min();
        Ok(Self {
            copies: copies.into_iter().map(|copy| copy.model).collect(),
            tokenizer,
            context: context.unwrap_or(0),
            places: places.clone(),
        })
    }

    /// Continues each row of token ids with `target` tokens, greedily and without stopping, in
    /// batches of `batch` rows; the i-th answer belongs to the i-th row. For benchmarks.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a row without ids; what the network reports, such as an id beyond its vocabulary.
    pub fn continue_ids(
        &self,
        rows: &[Vec<u32>],
        target: usize,
        batch: usize,
    ) -> Result<Vec<Vec<u32>>> {
        batch::check(rows)?;
        let decode = |model: &dyn Model,
                      rows: &[Row<&[u32]>],
                      progress: &mut dyn FnMut(Step) -> ControlFlow<()>| {
            let members: Vec<&[u32]> = rows.iter().map(|row| row.input).collect();
            let limits = Limits {
                max_new: vec![target; rows.len()],
                ..Limits::default()
            };
            greedy(model, &Batch::new(&members), &limits, progress)
        };
        let work = Work::new(&self.copies, (Some(batch), Some(usize::MAX)), &decode);
        let all = rows.iter().enumerate().map(|(number, row)| Row {
            number,
            length: row.len(),
            input: row.as_slice(),
        });
        let mut answers = vec![Vec::new(); rows.len()];
        let mut finish = |row: usize, found: Hypothesis| {
            answers[row] = found.tokens;
            Ok(())
        };
        let stretches = std::iter::once(Ok(all.collect()));
        work.run(stretches, &mut finish, &mut Watch::new(None))?;
        Ok(answers)
    }

    /// The scores of every token after `row` and after each token of `target` that follows it: one line
    /// of scores more than `target` has tokens. For comparisons.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a row without ids; what the network reports.
    pub fn scores(&self, row: &[u32], target: &[u32]) -> Result<Vec<Vec<f32>>> {
        batch::check(&[row])?;
        scores(self.copies[0].as_ref(), row, target)
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

    pub(crate) fn tokenizer(&self) -> &ChatTokenizer {
        &self.tokenizer
    }

    pub(crate) fn tokenizer_mut(&mut self) -> &mut ChatTokenizer {
        &mut self.tokenizer
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

/// A GGUF file is run as it is stored; a card can also have its weights as floats.
fn check_precision(path: &Path, places: &Places, precision: Precision) -> Result<()> {
    match precision {
        Precision::Auto => Ok(()),
        Precision::F32 | Precision::Bf16 | Precision::F16 if !places.are_kernels() => Ok(()),
        _ => Err(Error::Usage {
            message: format!(
                "`{}` is a GGUF file, which is run as it is stored",
                path.display()
            ),
            hint: Some("leave `--precision` out, or use `--precision auto`".to_owned()),
        }),
    }
}

/// One copy of the network of a file.
fn copy(
    gguf: &mut Gguf,
    place: &Place,
    precision: Precision,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<decoder::Loaded> {
    let Place::Tensors(device) = place else {
        return decoder::load(gguf, progress);
    };
    let dtype = match precision {
        Precision::Bf16 => DType::BF16,
        Precision::F16 => DType::F16,
        // Products of quantized weights take and give float32.
        Precision::Auto | Precision::F32 | Precision::Q8 => DType::F32,
    };
    let form = Form {
        device: device.clone(),
        dtype,
    };
    decoder::load_on(gguf, form, precision == Precision::Auto, progress)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn rows_without_ids_are_refused_and_no_rows_have_no_answers() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen2-q8_0.gguf");
        for device in [Device::Cpu, Device::CpuTensors(1)] {
            let load = Checkpoint::load_on(&path, &device, Precision::Auto, &mut |_, _| {});
            let model = load.unwrap();
            let refused = model.continue_ids(&[vec![5], vec![]], 4, 2).err();
            assert!(matches!(refused, Some(Error::Usage { .. })));
            assert!(model.continue_ids(&[], 4, 2).unwrap().is_empty());
            assert_eq!(model.continue_ids(&[vec![5]], 4, 2).unwrap()[0].len(), 4);
        }
    }
}
