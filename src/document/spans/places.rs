//! Places in a translation: by the share of the sentence, and those that are given away.

use std::ops::Range;

/// Places of the target that are given away already, within one span.
#[derive(Default)]
pub(super) struct Taken(pub(super) Vec<Range<usize>>);

impl Taken {
    pub(super) fn is_free(&self, range: &Range<usize>) -> bool {
        self.0
            .iter()
            .all(|taken| range.end <= taken.start || taken.end <= range.start)
    }

    /// `at`, or where the place ends that it is inside of.
    pub(super) fn outside(&self, at: usize) -> usize {
        self.0
            .iter()
            .find(|taken| taken.start < at && at < taken.end)
            .map_or(at, |taken| taken.end)
    }
}

/// Where in the target a place of the source lies, by its share of the whole.
pub(super) struct Share {
    pub(super) source: Range<usize>,
    pub(super) target: Range<usize>,
}

impl Share {
    pub(super) fn of(&self, at: usize) -> usize {
        let at = at.saturating_sub(self.source.start).min(self.source.len());
        self.target.start + at * self.target.len() / self.source.len().max(1)
    }
}

/// The index of the item nearest to `want`; items are in order and at least one.
pub(super) fn nearest(
    items: &[Range<usize>],
    want: usize,
    at: impl Fn(&Range<usize>) -> usize,
) -> usize {
    let after = items.partition_point(|item| at(item) < want);
    let before = after.saturating_sub(1);
    let is_after = after < items.len()
        && (after == 0 || at(&items[after]).abs_diff(want) < at(&items[before]).abs_diff(want));
    if is_after { after } else { before }
}

/// Whether two words, in small letters, are forms of one: equal but for an ending, and in Arabic
/// for an article or a particle written in one with it.
pub(super) fn is_like(a: &str, b: &str) -> bool {
    const PARTICLES: [&str; 12] = [
        "وال", "بال", "كال", "فال", "لل", "ال", "و", "ب", "ل", "ف", "ك", "س",
    ];
    let bare = |word: &str| -> String {
        PARTICLES
            .iter()
            .find_map(|particle| {
                word.strip_prefix(particle)
                    .filter(|rest| rest.chars().count() >= 3)
            })
            .unwrap_or(word)
            .to_owned()
    };
    let same_stem = |a: &str, b: &str| {
        let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let longest = a.chars().count().max(b.chars().count());
        common == longest || common * 2 >= longest && (common >= 4 || common == 3 && longest <= 6)
    };
    same_stem(a, b) || same_stem(&bare(a), &bare(b))
}
