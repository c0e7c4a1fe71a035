//! Decoding with a network of candle tensors: prompts of a batch as a padded rectangle.
//!
//! The tokens that all prompts begin with are read once. What follows them is padded on the left,
//! so that every row writes its next token in the same column; padding is masked, and the position
//! of a token is its place in its own row.

use std::any::Any;
use std::ops::Range;

use candle_core::{Device, Tensor};

use super::block::Network;
use super::plan::Plan;
use crate::decode::{Batch, Cache, Model, Room, Scores, State, TokenId};
use crate::error::Result;
use crate::networks::runtime::padded::{Padded, Pass, View};
use crate::networks::runtime::tensors::{Form, KeyValues};
use crate::networks::runtime::{PerReach, Rotary};

/// Most tokens that are read at once, all rows together: bounds the memory of activations.
const CHUNK: usize = 8192;
/// Most of one row, since scores grow with its square.
const LONGEST_CHUNK: usize = 512;
/// Positions that the table of rotary embeddings has at most.
const POSITIONS: usize = 1 << 17;

/// A network, and tables of its rotary embeddings.
pub(super) struct Columns {
    network: Network<Padded>,
    turns: PerReach<Turns>,
}

/// `(positions, width / 2)` of a head.
struct Turns {
    cosines: Tensor,
    sines: Tensor,
}

impl Turns {
    fn new(rotary: &Rotary, positions: usize, form: &Form) -> Result<Self> {
        let divisors = &rotary.divisors;
        let angles: Vec<f32> = (0..positions)
            .flat_map(|position| divisors.iter().map(move |rate| position as f32 / rate))
            .collect();
        let table = |of: fn(f32) -> f32| -> Result<Tensor> {
            let values: Vec<f32> = angles.iter().map(|&angle| of(angle)).collect();
            // Made on the processor: a card has no need to hold what is on its way.
            let table = Tensor::from_vec(values, (positions, divisors.len()), &Device::Cpu)?;
            Ok(table.to_device(&form.device)?.to_dtype(form.dtype)?)
        };
        Ok(Self {
            cosines: table(f32::cos)?,
            sines: table(f32::sin)?,
        })
    }

    /// Those of tokens at these positions, `(rows, tokens, width / 2)`.
    fn view(&self, positions: &Tensor, rows: usize, mask: Option<Tensor>) -> Result<View> {
        let (_, half) = self.cosines.dims2()?;
        let tokens = positions.dim(0)? / rows;
        let part = |table: &Tensor| -> Result<Tensor> {
            Ok(table
                .index_select(positions, 0)?
                .reshape((rows, tokens, half))?)
        };
        Ok(View {
            cosines: part(&self.cosines)?,
            sines: part(&self.sines)?,
            mask,
        })
    }
}

/// The state of decoding.
struct Filled {
    layers: Vec<KeyValues>,
    /// Columns that are filled.
    length: usize,
    /// Columns that all rows have in common.
    shared: usize,
    /// For each row, how many columns after the common ones are padding.
    padding: Vec<usize>,
    /// What hides the padding, `(rows, 1, 1, columns)`, for more columns than there are.
    mask: Option<Tensor>,
    form: Form,
}

impl Filled {
    /// The positions of tokens in these columns, row after row; padding counts as position 0.
    fn positions(&self, columns: &Range<usize>) -> Vec<u32> {
        self.padding
            .iter()
            .flat_map(|padding| {
                columns
                    .clone()
                    .map(move |column| column.saturating_sub(*padding) as u32)
            })
            .collect()
    }

    /// What hides the padding in the first `columns` columns.
    fn padding_mask(&mut self, columns: usize) -> Result<Option<Tensor>> {
        if self.padding.iter().all(|&padding| padding == 0) {
            return Ok(None);
        }
        let known = match &self.mask {
            Some(mask) => mask.dim(3)?,
            None => 0,
        };
        if known < columns {
            let all = columns.max(2 * known).max(64);
            let hidden = self.form.masked();
            let values: Vec<f32> = self
                .padding
                .iter()
                .flat_map(|padding| {
                    let padded = self.shared..self.shared + padding;
                    (0..all).map(move |column| {
                        if padded.contains(&column) {
                            hidden
                        } else {
                            0.0
                        }
                    })
                })
                .collect();
            let shape = (self.padding.len(), 1, 1, all);
            let mask = Tensor::from_vec(values, shape, &self.form.device)?;
            self.mask = Some(mask.to_dtype(self.form.dtype)?);
        }
        Ok(self
            .mask
            .as_ref()
            .map(|mask| mask.narrow(3, 0, columns)?.contiguous())
            .transpose()?)
    }

    /// What hides the tokens to come from each of `count` tokens, `(1, 1, count, columns)`.
    fn causal_mask(&self, count: usize) -> Result<Tensor> {
        let (hidden, length) = (self.form.masked(), self.length);
        let columns = length + count;
        let values: Vec<f32> = (0..count)
            .flat_map(|token| {
                (0..columns).map(move |column| if column > length + token { hidden } else { 0.0 })
            })
            .collect();
        let mask = Tensor::from_vec(values, (1, 1, count, columns), &self.form.device)?;
        Ok(mask.to_dtype(self.form.dtype)?)
    }

    /// What hides padding and tokens to come.
    fn everything_mask(&mut self, count: usize) -> Result<Option<Tensor>> {
        let padding = self.padding_mask(self.length + count)?;
        if count == 1 {
            return Ok(padding);
        }
        let causal = self.causal_mask(count)?;
        Ok(Some(match padding {
            Some(padding) => causal.broadcast_add(&padding)?,
            None => causal,
        }))
    }

    /// As [`Self::everything_mask`], which it returns where no token is beyond the window:
    /// `(rows, 1, count, columns)`.
    fn window_mask(
        &self,
        count: usize,
        window: usize,
        everything: &Option<Tensor>,
    ) -> Result<Option<Tensor>> {
        let columns = self.length + count;
        if columns <= window {
            return Ok(everything.clone());
        }
        let (hidden, length, shared) = (self.form.masked(), self.length, self.shared);
        let mut values = Vec::with_capacity(self.padding.len() * count * columns);
        for &padding in &self.padding {
            let padded = shared..shared + padding;
            let position = |column: usize| {
                if column < shared {
                    column
                } else {
                    column.saturating_sub(padding)
                }
            };
            for token in length..length + count {
                let first = (position(token) + 1).saturating_sub(window);
                values.extend((0..columns).map(|column| {
                    let seen =
                        column <= token && !padded.contains(&column) && position(column) >= first;
                    if seen { 0.0 } else { hidden }
                }));
            }
        }
        let shape = (self.padding.len(), 1, count, columns);
        let mask = Tensor::from_vec(values, shape, &self.form.device)?;
        Ok(Some(mask.to_dtype(self.form.dtype)?))
    }
}

impl Cache for Filled {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        let in_place = rows.len() == self.padding.len() && rows.iter().copied().eq(0..rows.len());
        self.padding = rows.iter().map(|&row| self.padding[row]).collect();
        if rows.is_empty() || in_place {
            return Ok(());
        }
        self.mask = None;
        let rows = self.form.rows(rows)?;
        self.layers
            .iter_mut()
            .try_for_each(|layer| layer.keep(&rows))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// Most tokens that a prompt and its continuation may have together.
pub(super) fn context(plan: &Plan) -> usize {
    plan.context.min(POSITIONS)
}

impl Columns {
    pub(super) fn new(network: Network<Padded>) -> Result<Self> {
        let (plan, form) = (&network.plan, &network.runtime.form);
        let positions = context(plan).max(1);
        let rotary = plan.rotary();
        let turns = |rotary: &Rotary| Turns::new(rotary, positions, form);
        let turns = PerReach {
            everything: turns(rotary.everything)?,
            window: rotary.window.map(turns).transpose()?,
        };
        form.device.synchronize()?;
        Ok(Self { network, turns })
    }

    fn form(&self) -> &Form {
        &self.network.runtime.form
    }

    /// Runs tokens of `rows × tokens`, one column after another, and adds them to the state; hidden
    /// states `(rows × tokens, features)` out.
    fn run(&self, ids: &[TokenId], state: &mut Filled) -> Result<Tensor> {
        let plan = &self.network.plan;
        let rows = state.padding.len();
        let tokens = ids.len() / rows;
        let columns = state.length..state.length + tokens;
        let least = state.padding.iter().copied().min().unwrap_or(0);
        if columns.end > context(plan) + least {
            let message = format!("the model has {} positions", context(plan));
            return Err(candle_core::Error::msg(message).into());
        }
        let positions = state.positions(&columns);
        let positions = Tensor::from_vec(positions, rows * tokens, &self.form().device)?;
        let mask = state.everything_mask(tokens)?;
        let window = match (&plan.window, &self.turns.window) {
            (Some(window), Some(turns)) => {
                let mask = state.window_mask(tokens, window.size, &mask)?;
                Some(turns.view(&positions, rows, mask)?)
            }
            _ => None,
        };
        let everything = self.turns.everything.view(&positions, rows, mask)?;
        let mut pass = Pass {
            rows,
            length: state.length,
            caches: &mut state.layers,
            views: PerReach { everything, window },
        };
        let xs = self.network.forward(ids, &mut pass)?;
        state.length = columns.end;
        Ok(xs)
    }
}

impl Model for Columns {
    fn start(&self, batch: &Batch) -> Result<State> {
        let rows = batch.rows();
        let shared = if rows > 1 { batch.shared_prefix() } else { 0 };
        let mut state = Filled {
            layers: (0..self.network.plan.layers)
                .map(|_| KeyValues::new())
                .collect(),
            length: 0,
            shared,
            padding: vec![0],
            mask: None,
            form: self.form().clone(),
        };
        for chunk in batch.row(0)[..shared].chunks(LONGEST_CHUNK) {
            self.run(chunk, &mut state)?;
        }
        state.keep(&vec![0; rows])?;
        // The last token of each prompt is what the first step is given.
        let width = batch.width - 1 - shared;
        state.padding = batch
            .lengths
            .iter()
            .map(|length| batch.width - length)
            .collect();
        let chunk = (CHUNK / rows).clamp(1, LONGEST_CHUNK);
        for from in (0..width).step_by(chunk) {
            let to = (from + chunk).min(width);
            let mut ids = Vec::with_capacity(rows * (to - from));
            for (row, &padding) in state.padding.iter().enumerate() {
                let tail = &batch.row(row)[shared..];
                let token =
                    |column: usize| column.checked_sub(padding).map_or(0, |place| tail[place]);
                ids.extend((from..to).map(token));
            }
            self.run(&ids, &mut state)?;
        }
        let last = |row: usize| batch.row(row)[batch.lengths[row] - 1];
        Ok(State {
            first: (0..rows).map(last).collect(),
            cache: Box::new(state),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let state: &mut Filled = state.cache();
        debug_assert_eq!(last.len(), state.padding.len(), "one token a live row");
        let hidden = self.run(last, state)?;
        Ok(Scores {
            logits: self.network.scores(&hidden)?,
            shortlist: None,
        })
    }

    fn reduces_scores(&self) -> bool {
        true
    }

    fn room(&self) -> Room {
        let plan = &self.network.plan;
        let state = 2 * plan.heads.keys * plan.heads.width * plan.layers;
        // What one layer holds of the tokens that are read at once is bounded by the chunk.
        let bytes = (2 * state + plan.width) * self.form().dtype.size_in_bytes();
        self.form().room(bytes, plan.vocabulary)
    }
}
