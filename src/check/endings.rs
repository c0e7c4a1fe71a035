//! How texts end: what says that the end of a translation was cut off.

use crate::language::{Language, fold_arabic, without_clitics};

const CLOSING: &str = "\"'»”’“)]}\u{200e}\u{200f}";
const FULL_STOPS: [char; 6] = ['.', '!', '?', '…', '؟', '۔'];

/// The end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A full stop or its like, with whatever closes after it.
    Stop,
    /// A quotation or a parenthesis that is closed, or a colon.
    Closed,
    /// A word.
    Word,
    /// A comma or a dash.
    Comma,
}

impl End {
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim_end();
        let bare = text.trim_end_matches(|c: char| c.is_whitespace() || CLOSING.contains(c));
        if bare.ends_with(FULL_STOPS) {
            Self::Stop
        } else if bare.len() < text.len() || text.ends_with(':') {
            Self::Closed
        } else if text.ends_with([',', '،', ';', '؛', '-', '–', '—']) {
            Self::Comma
        } else {
            Self::Word
        }
    }
}

/// Sentences that end with a mark, and what comes last: what a dash leads to after a quotation is no
/// sentence in other languages.
pub(super) fn count(parts: &[&str]) -> usize {
    let begins = |part: &str| !part.starts_with(['-', '–', '—', '―']);
    1 + parts
        .windows(2)
        .filter(|pair| End::of(pair[0]) == End::Stop && begins(pair[1]))
        .count()
}

/// Whether a quotation or a parenthesis is opened and not closed.
pub(super) fn is_open(text: &str) -> bool {
    let count = |marks: &[char]| text.chars().filter(|c| marks.contains(c)).count();
    count(&['(']) > count(&[')'])
        || count(&['«']) > count(&['»'])
        || count(&['“', '„']) > count(&['”'])
        || count(&['"']) % 2 == 1
}

/// Whether the last word is one that another always follows.
pub(super) fn leads_on(text: &str, language: Language) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    let last = last
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    match language {
        Language::English => ENGLISH.split_whitespace().any(|word| word == last),
        Language::Russian => RUSSIAN.split_whitespace().any(|word| word == last),
        Language::Arabic => {
            let folded = fold_arabic(&last);
            let forms = without_clitics(&folded);
            ARABIC.split_whitespace().any(|word| forms.contains(&word))
        }
    }
}

const ENGLISH: &str = "the a an of to in on at by for with and or but that from as is are was were be \
    been his her its their my our your this these which who whose into than about between because \
    if when while where not have has had will would can could should may might must very more most \
    some any every each no during through under over after before without against among";

const RUSSIAN: &str = "в во на с со к ко по о об обо от до для из за у при под над без через между \
    перед про и а но или либо что чтобы как не ни который которая которое которые которого которой \
    которых котором которым чем если когда где так этот эта это эти его её ее их мой наш свой своего \
    своей своих более менее очень был была было были будет после потому среди";

/// Folded.
const ARABIC: &str = "في من علي الي عن مع ان انه انها انهم انني لان لانه لانها بان بانه بانها التي الذي \
    الذين اللذين اللتين بين بعد قبل او ام لا لم لن ما كان كانت كانوا يكون تكون هذا هذه ذلك تلك هولاء \
    خلال حتي ثم عند عندما حيث كما لكن ولكن هو هي هم قد لقد كل اي غير حول ضد نحو منذ لدي اكثر دون مثل اذا \
    لو كي اما سوف بعض احد احدي جميع معظم عدد عده ليس ليست كيف لماذا بسبب وفقا مما ممن فيما بينما";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_apart() {
        let mut wrong = Vec::new();
        for (text, end, open) in [
            ("The bridge opened.", End::Stop, false),
            ("He said: «Мост открыт.»", End::Stop, false),
            ("«Мост открыт»", End::Closed, false),
            ("He said:", End::Closed, false),
            ("وافق المجلس،", End::Comma, false),
            ("The bridge opened", End::Word, false),
            ("He said “the bridge", End::Word, true),
            ("The bridge (of 1950", End::Word, true),
        ] {
            if End::of(text) != end || is_open(text) != open {
                wrong.push(text);
            }
        }
        for (text, language, expected) in [
            ("The bridge of the", Language::English, true),
            ("Он сказал, что", Language::Russian, true),
            ("وقال إنه", Language::Arabic, true),
            ("The bridge opened", Language::English, false),
        ] {
            if leads_on(text, language) != expected {
                wrong.push(text);
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
