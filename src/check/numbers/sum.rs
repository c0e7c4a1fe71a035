//! Number words that follow one another, put together into one number.

use crate::check::number_words::NumberWord;

/// Number words being put together.
#[derive(Debug, Default)]
pub(super) struct Sum {
    total: f64,
    current: f64,
    smallest_scale: Option<f64>,
    is_begun: bool,
}

impl Sum {
    /// Adds a word; false where it cannot belong to the same number.
    pub(super) fn add(&mut self, word: &NumberWord, is_arabic: bool) -> bool {
        match *word {
            NumberWord::Add(value) if value >= 1000.0 => {
                // An Arabic dual: two thousand in one word.
                if self.current > 0.0 || self.smallest_scale.is_some_and(|scale| scale <= value) {
                    return false;
                }
                self.total += value;
                self.smallest_scale = Some(value / 2.0);
            }
            NumberWord::Add(value) => {
                let units = self.current % 100.0;
                let fits = if value >= 100.0 {
                    self.current == 0.0
                } else if units == 0.0 {
                    true
                } else if value < 10.0 {
                    units >= 20.0 && units % 10.0 == 0.0
                } else {
                    is_arabic && units < 10.0
                };
                if !fits || (self.is_begun && value == 0.0) {
                    return false;
                }
                self.current += value;
            }
            NumberWord::Hundred => {
                let units = self.current % 100.0;
                if self.current >= 100.0 && units == 0.0 {
                    return false;
                }
                self.current = self.current - units + units.max(1.0) * 100.0;
            }
            NumberWord::Scale(scale) => {
                if self
                    .smallest_scale
                    .is_some_and(|smallest| smallest <= scale)
                    && self.current == 0.0
                {
                    // `hundred thousand million`: rare, and one number.
                    self.total *= scale;
                } else {
                    self.total += if self.current > 0.0 {
                        self.current
                    } else {
                        1.0
                    } * scale;
                }
                self.current = 0.0;
                self.smallest_scale = Some(scale);
            }
            NumberWord::Hints(_) => return false,
        }
        self.is_begun = true;
        true
    }

    pub(super) fn so_far(&self) -> Option<f64> {
        self.is_begun.then_some(self.total + self.current)
    }

    pub(super) fn take(&mut self) -> Option<f64> {
        let sum = self.so_far();
        *self = Self::default();
        sum
    }
}
