//! Tells English from other languages in the Latin script: by its commonest words, against theirs and
//! the trigram model of the `whatlang` crate.
//!
//! English is what users have, so a text is refused for what speaks for another language, and for the
//! lack of any English word only where it is long enough to have one.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::script::ratio;
use super::words::words;

/// The commonest words of English, with spaces between.
const ENGLISH: &str = "the of and to a in is that for it was on with as he be by at his from are this have has had \
     an but not they or which were their who been will would said its she her after about more \
     when there also than can what you we all one two over into up out new how some other if no \
     them these could first most may during between while people only says your our should must \
     being where why because before under against through did does do off just very any so then \
     him my me i am us since until such both each same too now back made make year years week \
     month day news still even many much here well down ago per via without within despite amid \
     told however near";

/// Those of them that other languages have as well.
const SHARED: &str = "a in is as an no he me her all over was his has for on at or we most may so do i my am us \
     made make per via even well too";

/// Words that English does not have and that are frequent in other languages in Latin letters.
const OTHER: &str = "de la el los las que en un una por con para del se le les des et est une dans pour du sur \
     au der die das und den von mit ist ein eine zu im auf nicht il di che non della dei sono da \
     em os um uma com não het een van voor niet zijn ve bir bu için ile nie się w z na jest och \
     att som det på av til og jeg yang dan ini untuk dengan je u su și cu este pe să của và ang \
     ng mga sa ja ei on hogy az és egy bahwa akan dari tidak pada adalah oleh itu kata enligt är \
     har inte från efter tre mot ett men ikke fra etter hun er dat wordt werd bij ook naar door \
     volgens za ovaj ali koji qui ont selon avec sont pas plus ses leur nel alla più anche gli \
     segundo foram ao dos pela pelo mas após según fue tras sus entre como nach bei wird wurde \
     sich aus dem einem für że przez po jak ale bylo byl jsou jako podle ya kwa katika ni wa hii \
     baada oo ka ku waxaa ee";

/// Endings of English words that few other languages have.
const ENDINGS: &[&str] = &[
    "ing", "ness", "tion", "tions", "ed", "ly", "ment", "ments", "ship",
];

static WORDS: LazyLock<[HashSet<&str>; 3]> =
    LazyLock::new(|| [ENGLISH, SHARED, OTHER].map(|list| list.split(' ').collect()));

/// Whether `word`, in lower case, is one of the commonest of English and of no other language.
pub(super) fn is_common_english(word: &str) -> bool {
    let [english, shared, _] = &*WORDS;
    english.contains(word) && !shared.contains(word)
}

/// How the words of a text are shared out.
struct Shares {
    /// Words without a capital: names and headlines tell little.
    small: usize,
    english: f64,
    /// English words that no other language has.
    own: usize,
    other: f64,
    /// Words with an English ending.
    endings: usize,
}

impl Shares {
    fn of(text: &str) -> Self {
        let [english, shared, other] = &*WORDS;
        let (mut count, mut small, mut hits, mut own, mut others, mut endings) = (0, 0, 0, 0, 0, 0);
        for word in words(text) {
            count += 1;
            small += usize::from(
                matches!(word, Cow::Borrowed(_)) && word.starts_with(char::is_alphabetic),
            );
            let word = word.as_ref();
            if english.contains(word) {
                hits += 1;
                own += usize::from(!shared.contains(word));
            }
            others += usize::from(other.contains(word));
            let ends = |ending: &&str| word.len() > ending.len() + 2 && word.ends_with(*ending);
            endings += usize::from(ENDINGS.iter().any(ends));
        }
        Self {
            small,
            english: ratio(hits, count),
            own,
            other: ratio(others, count),
            endings,
        }
    }
}

/// A text of more small words than this has one of the commonest of its language, or an ending.
const TELLING: usize = 4;

/// The language of a text in the Latin script, where it is not English, and how sure that is.
/// `letters` are those of the script.
pub(super) fn latin_script(text: &str, letters: usize) -> (Option<&'static str>, f64) {
    let shares = Shares::of(text);
    let (english, other) = (shares.english, shares.other);
    let accents = ratio(
        text.chars()
            .filter(|c| c.is_alphabetic() && !c.is_ascii())
            .count(),
        letters,
    );
    let weight = 1.0 - 0.5 / (1.0 + letters as f64 / 8.0);
    let english_only = shares.own > 0 || shares.endings > 0;
    let plain = accents == 0.0 && shares.small <= TELLING;
    if english > 0.12 && english > 1.5 * other && (english_only || plain) {
        return (None, (0.9 + english / 4.0).min(1.0) * weight);
    }
    // The model reads all of what it is given, and needs little.
    match whatlang::detect(beginning(text)) {
        Some(info) if info.lang() != whatlang::Lang::Eng => {
            let against = other + 4.0 * accents + if info.is_reliable() { 0.08 } else { 0.0 };
            let none = !english_only && shares.small > TELLING;
            if none || (against > english && (info.is_reliable() || against > 0.08)) {
                (
                    Some(english_name(info.lang())),
                    (0.5 + info.confidence() / 2.0) * weight,
                )
            } else {
                // Headlines and names have no short words, and trigrams know little of them.
                (None, 0.55 * weight)
            }
        }
        // Names alone tell nothing.
        Some(_) if shares.small == 0 => (None, 0.55 * weight),
        Some(_) => (None, 0.9 * weight),
        None => (None, 0.5 * weight),
    }
}

/// As much of a text as a model of trigrams needs.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(2000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The English name of a language of `whatlang`.
pub(super) fn english_name(lang: whatlang::Lang) -> &'static str {
    match lang {
        whatlang::Lang::Pes => "Persian",
        whatlang::Lang::Cmn => "Chinese",
        other => other.eng_name(),
    }
}
