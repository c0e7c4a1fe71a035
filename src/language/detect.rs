//! Tells Arabic, English and Russian from each other and from other languages in the same scripts.
//!
//! The script comes first. Within the Arabic and the Cyrillic script, letters that only some
//! languages use, and the commonest short words, decide; within the Latin script, English short
//! words against the trigram model of the `whatlang` crate. A language that is not ours is named
//! where it can be, so that it is refused and not mistranslated.

use std::collections::HashMap;

use super::Language;
use super::script::{ScriptProfile, ratio};

/// Which language a text is in, and how sure that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The language, where it is one of ours.
    pub language: Option<Language>,
    /// How sure it is, from 0 to 1; below [`Detection::LOW_CONFIDENCE`] a user should be told.
    pub confidence: f64,
    /// The English name of the language it looks like, where that is not one of ours.
    pub looks_like: Option<&'static str>,
}

impl Detection {
    /// Below this [`confidence`](Self::confidence), a detected language is little more than a guess.
    pub const LOW_CONFIDENCE: f64 = 0.6;

    /// Detects the language of `text`: of its first 20,000 characters or so, by letters and words.
    ///
    /// `language` is `None` where the text has no letters, or is in a language that is not ours;
    /// `looks_like` then names it where that can be told.
    ///
    /// ```
    /// use newsml::{Detection, Language};
    /// assert_eq!(Detection::of("Переговоры начались утром.").language, Some(Language::Russian));
    /// assert_eq!(Detection::of("Переговори розпочалися вранці, і їх вели п'ять годин.").looks_like, Some("Ukrainian"));
    /// ```
    pub fn of(text: &str) -> Self {
        let sample = sample(text);
        let profile = ScriptProfile::of(sample);
        let letters = profile.letters();
        if letters == 0 {
            return Self {
                language: None,
                confidence: 0.0,
                looks_like: None,
            };
        }
        let Some(script) = profile.dominant() else {
            let name = whatlang::detect(sample).map(|info| english_name(info.lang()));
            return Self {
                language: None,
                confidence: ratio(profile.other, letters),
                looks_like: name,
            };
        };
        let (name, certainty) = match script {
            Language::Arabic => arabic_script(sample, profile.arabic),
            Language::Russian => cyrillic_script(sample, profile.cyrillic),
            Language::English => latin_script(sample, profile.latin),
        };
        let confidence = (certainty * (0.5 + profile.share(script) / 2.0)).clamp(0.0, 1.0);
        match name {
            None => Self {
                language: Some(script),
                confidence,
                looks_like: None,
            },
            Some(name) => Self {
                language: None,
                confidence,
                looks_like: Some(name),
            },
        }
    }
}

/// The part of a text that is looked at.
fn sample(text: &str) -> &str {
    let mut end = text.len().min(40_000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A language in one of our scripts, and what gives it away.
struct Neighbour {
    name: &'static str,
    /// Letters that it uses and ours does not.
    letters: &'static str,
    /// Its commonest short words that ours does not have.
    words: &'static [&'static str],
}

const ARABIC_WORDS: &[&str] = &[
    "في", "من", "على", "إلى", "الى", "أن", "ان", "عن", "مع", "التي", "الذي", "هذا", "هذه", "كان",
    "كانت", "قال", "وقال", "بعد", "قبل", "بين", "ما", "لا", "لم", "لن", "هو", "هي", "كما", "قد",
    "وقد", "أو", "ثم", "حيث", "خلال", "ذلك", "كل", "غير", "إن",
];

const ARABIC_NEIGHBOURS: &[Neighbour] = &[
    Neighbour {
        name: "Persian",
        letters: "پچژگکیۀ",
        words: &[
            "در", "به", "از", "که", "این", "را", "است", "با", "های", "می", "برای", "آن", "شد",
            "شده", "خود", "بود", "کرد",
        ],
    },
    Neighbour {
        name: "Urdu",
        letters: "ٹڈڑںےہھکیگچپ",
        words: &[
            "کے", "کی", "میں", "ہے", "اور", "سے", "کا", "کو", "نے", "ہیں", "پر", "یہ", "کہ", "اس",
            "تھا", "ایک", "بھی",
        ],
    },
    Neighbour {
        name: "Pashto",
        letters: "ټډړږښګڼېۍځڅپچژگکی",
        words: &[
            "د", "په", "چې", "او", "ته", "سره", "کې", "له", "يې", "دی", "دا", "هم",
        ],
    },
    Neighbour {
        name: "Kurdish",
        letters: "ڕڵۆێەپچژگکیڤ",
        words: &["لە", "بۆ", "کە", "بە", "لەگەڵ", "ئەو", "ئەم", "دەکات"],
    },
    Neighbour {
        name: "Uyghur",
        letters: "ېۇۈۆەڭپچژگۋ",
        words: &["بىلەن", "ئۇ", "بۇ", "ۋە", "بىر"],
    },
    Neighbour {
        name: "Sindhi",
        letters: "ٻڀٺٽٿڄڃڇڏڌڊڍڙڦڪڳڱڻ",
        words: &["۾", "جي", "جو", "آهي", "۽", "کي"],
    },
];

fn arabic_script(text: &str, letters: usize) -> (Option<&'static str>, f64) {
    let own_letters = count_letters(text, "ةىيكأإؤ");
    let mut article = 0;
    for word in words(text) {
        article += usize::from(
            word.starts_with("ال")
                || word.starts_with("وال")
                || word.starts_with("بال")
                || word.starts_with("لل"),
        );
    }
    let own = ratio(own_letters + 2 * article, letters) + word_share(text, ARABIC_WORDS);
    decide(text, letters, own, ARABIC_NEIGHBOURS)
}

const RUSSIAN_WORDS: &[&str] = &[
    "и",
    "в",
    "не",
    "на",
    "что",
    "с",
    "по",
    "как",
    "это",
    "из",
    "к",
    "он",
    "о",
    "его",
    "за",
    "от",
    "для",
    "также",
    "был",
    "была",
    "были",
    "было",
    "но",
    "после",
    "или",
    "при",
    "все",
    "уже",
    "году",
    "они",
    "она",
    "этом",
    "которые",
    "который",
    "которая",
    "более",
    "только",
    "между",
    "может",
    "чтобы",
    "их",
    "является",
    "время",
    "есть",
    "под",
    "со",
    "если",
];

const CYRILLIC_NEIGHBOURS: &[Neighbour] = &[
    Neighbour {
        name: "Ukrainian",
        letters: "іїєґ",
        words: &[
            "та",
            "що",
            "як",
            "від",
            "він",
            "для",
            "або",
            "є",
            "це",
            "й",
            "у",
            "які",
            "який",
            "було",
            "був",
            "була",
            "із",
            "також",
            "під",
            "з",
            "року",
            "про",
            "але",
            "до",
            "ще",
            "після",
        ],
    },
    Neighbour {
        name: "Belarusian",
        letters: "іў",
        words: &[
            "і",
            "ў",
            "што",
            "як",
            "гэта",
            "ён",
            "яна",
            "з",
            "для",
            "у",
            "пра",
            "якія",
            "быў",
            "была",
            "таксама",
            "ад",
        ],
    },
    Neighbour {
        name: "Bulgarian",
        letters: "",
        words: &[
            "на",
            "да",
            "се",
            "е",
            "са",
            "че",
            "от",
            "за",
            "с",
            "като",
            "със",
            "във",
            "при",
            "си",
            "ще",
            "това",
            "който",
            "която",
            "които",
            "бе",
            "беше",
            "му",
            "след",
            "не",
            "до",
            "през",
            "най",
            "има",
            "около",
            "ли",
            "им",
            "ги",
            "го",
            "тя",
            "той",
            "те",
            "така",
            "когато",
            "били",
            "са",
            "един",
            "една",
            "може",
            "още",
            "повече",
            "между",
            "но",
            "или",
            "ни",
            "бъде",
        ],
    },
    Neighbour {
        name: "Macedonian",
        letters: "ѓѕјљњќџ",
        words: &[
            "на", "да", "се", "и", "во", "од", "за", "со", "е", "што", "како", "не", "ќе", "беше",
            "до", "го",
        ],
    },
    Neighbour {
        name: "Serbian",
        letters: "ђјљњћџ",
        words: &[
            "је", "да", "се", "у", "на", "су", "и", "од", "за", "са", "као", "који", "које",
            "није", "али", "што", "до", "би",
        ],
    },
    Neighbour {
        name: "Kazakh",
        letters: "әғқңөұүһі",
        words: &[
            "және",
            "үшін",
            "мен",
            "бұл",
            "деп",
            "бар",
            "болып",
            "бойынша",
            "да",
            "де",
            "бірақ",
            "ол",
            "осы",
            "жылы",
            "еді",
            "туралы",
        ],
    },
    Neighbour {
        name: "Kyrgyz",
        letters: "ңөү",
        words: &[
            "жана",
            "менен",
            "үчүн",
            "бул",
            "деп",
            "болгон",
            "бир",
            "ал",
            "да",
            "эле",
            "боюнча",
            "анын",
        ],
    },
    Neighbour {
        name: "Tatar",
        letters: "әҗңөүһ",
        words: &[
            "һәм",
            "белән",
            "өчен",
            "бу",
            "дип",
            "булган",
            "ул",
            "да",
            "дә",
        ],
    },
    Neighbour {
        name: "Bashkir",
        letters: "әҙҡҫғңөүһ",
        words: &["һәм", "менән", "өсөн", "был", "тип", "булған"],
    },
    Neighbour {
        name: "Tajik",
        letters: "ғӣқӯҳҷ",
        words: &[
            "ва",
            "дар",
            "аз",
            "ба",
            "ки",
            "бо",
            "барои",
            "ин",
            "аст",
            "шуд",
            "мебошад",
        ],
    },
    Neighbour {
        name: "Mongolian",
        letters: "өү",
        words: &[
            "нь",
            "юм",
            "байна",
            "гэж",
            "энэ",
            "болон",
            "бол",
            "байсан",
            "хийсэн",
        ],
    },
    Neighbour {
        name: "Uzbek",
        letters: "ўқғҳ",
        words: &["ва", "билан", "учун", "бу", "ҳам", "бўлган", "деб", "эди"],
    },
    Neighbour {
        name: "Chechen",
        letters: "ӏ",
        words: &["а", "ду", "цу", "цо", "и", "дара", "долу"],
    },
];

fn cyrillic_script(text: &str, letters: usize) -> (Option<&'static str>, f64) {
    let own = 3.0 * ratio(count_letters(text, "ыэёЫЭЁ"), letters) + word_share(text, RUSSIAN_WORDS);
    decide(text, letters, own, CYRILLIC_NEIGHBOURS)
}

/// Weighs our language against its neighbours; a neighbour's name where one wins.
fn decide(
    text: &str,
    letters: usize,
    own: f64,
    neighbours: &[Neighbour],
) -> (Option<&'static str>, f64) {
    let counts = letter_counts(text);
    let mut best: (Option<&'static str>, f64) = (None, 0.0);
    for neighbour in neighbours {
        let foreign: usize = neighbour
            .letters
            .chars()
            .filter_map(|c| counts.get(&c))
            .sum();
        let mut score = 6.0 * ratio(foreign, letters);
        // Words count for a language with letters of its own only where some of those occur.
        if foreign > 0 || neighbour.letters.is_empty() {
            score += word_share(text, neighbour.words);
        }
        if neighbour.name == "Bulgarian" {
            score += bulgarian_marks(text, letters);
        }
        if score > best.1 {
            best = (Some(neighbour.name), score);
        }
    }
    let (name, other) = best;
    let total = own + other;
    if total == 0.0 {
        // A name or two: the script is all there is to go by.
        return (None, 0.5);
    }
    // Few letters make few observations.
    let weight = 1.0 - 0.5 / (1.0 + letters as f64 / 8.0);
    if other > own {
        (name, other / total * weight)
    } else {
        (None, own / total * weight)
    }
}

/// What tells Bulgarian from Russian besides words: `ъ` as a vowel, and the article at the end of
/// words.
fn bulgarian_marks(text: &str, letters: usize) -> f64 {
    let mut vowel = 0;
    let mut article = 0;
    let mut count = 0;
    for word in words(text) {
        count += 1;
        let chars: Vec<char> = word.chars().take(40).collect();
        vowel += chars
            .windows(2)
            .filter(|pair| pair[0] == 'ъ' && !matches!(pair[1], 'е' | 'ё' | 'ю' | 'я' | 'и'))
            .count();
        article += usize::from(
            chars.len() > 5
                && (word.ends_with("ите") && !word.ends_with("йте")
                    || word.ends_with("ата")
                    || word.ends_with("ът")
                    || word.ends_with("ията")
                    || word.ends_with("ето")
                    || word.ends_with("ото")),
        );
    }
    6.0 * ratio(vowel, letters) + 0.5 * ratio(article, count)
}

const ENGLISH_WORDS: &[&str] = &[
    "the", "of", "and", "to", "a", "in", "is", "that", "for", "it", "was", "on", "with", "as",
    "he", "be", "by", "at", "his", "from", "are", "this", "have", "has", "had", "an", "but", "not",
    "they", "or", "which", "were", "their", "who", "been", "will", "would", "said", "its", "she",
    "her", "after", "about", "more", "when", "there", "also", "than", "can", "what", "you", "we",
    "all", "one", "two", "over", "into", "up", "out", "new", "how", "some", "other", "if", "no",
    "them", "these", "could", "first", "most", "may", "during", "between", "while", "people",
    "only", "says", "your", "our",
];

/// Words that English does not have and that are frequent in other languages in Latin letters.
const OTHER_LATIN_WORDS: &[&str] = &[
    "de", "la", "el", "los", "las", "que", "en", "un", "una", "por", "con", "para", "del", "se",
    "le", "les", "des", "et", "est", "une", "dans", "pour", "du", "sur", "au", "der", "die", "das",
    "und", "den", "von", "mit", "ist", "ein", "eine", "zu", "im", "auf", "nicht", "il", "di",
    "che", "per", "non", "della", "del", "dei", "sono", "da", "do", "em", "os", "um", "uma", "com",
    "não", "het", "een", "van", "voor", "niet", "zijn", "ve", "bir", "bu", "için", "ile", "nie",
    "się", "w", "z", "na", "jest", "och", "att", "som", "det", "på", "av", "til", "og", "jeg",
    "yang", "dan", "ini", "untuk", "dengan", "je", "i", "u", "su", "și", "cu", "este", "pe", "să",
    "của", "và", "ang", "ng", "mga", "sa", "ja", "ei", "on", "hogy", "az", "és", "egy",
];

fn latin_script(text: &str, letters: usize) -> (Option<&'static str>, f64) {
    let english = word_share(text, ENGLISH_WORDS);
    let other = word_share(text, OTHER_LATIN_WORDS);
    let accents = ratio(
        text.chars()
            .filter(|c| c.is_alphabetic() && !c.is_ascii())
            .count(),
        letters,
    );
    let guess = whatlang::detect(text);
    let weight = 1.0 - 0.5 / (1.0 + letters as f64 / 8.0);
    if english > 0.12 && english > 1.5 * other {
        return (None, (0.9 + english / 4.0).min(1.0) * weight);
    }
    match guess {
        Some(info) if info.lang() != whatlang::Lang::Eng => {
            let against = other + 4.0 * accents + if info.is_reliable() { 0.08 } else { 0.0 };
            if against > english && (info.is_reliable() || against > 0.08) {
                (
                    Some(english_name(info.lang())),
                    (0.5 + info.confidence() / 2.0) * weight,
                )
            } else {
                // Headlines and names have no short words, and trigrams know little of them.
                (None, 0.55 * weight)
            }
        }
        Some(_) => (None, 0.9 * weight),
        None => (None, 0.5 * weight),
    }
}

/// The English name of a language of `whatlang`.
fn english_name(lang: whatlang::Lang) -> &'static str {
    match lang {
        whatlang::Lang::Pes => "Persian",
        whatlang::Lang::Cmn => "Chinese",
        other => other.eng_name(),
    }
}

/// The words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\u{64B}'..='\u{65F}')))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// The share of the words of `text` that are in `list`.
fn word_share(text: &str, list: &[&str]) -> f64 {
    let (mut hits, mut count) = (0, 0);
    for word in words(text) {
        count += 1;
        hits += usize::from(list.contains(&word.as_str()));
    }
    ratio(hits, count)
}

fn count_letters(text: &str, letters: &str) -> usize {
    text.chars().filter(|c| letters.contains(*c)).count()
}

/// How often each letter that is not ASCII occurs, in lower case.
fn letter_counts(text: &str) -> HashMap<char, usize> {
    let mut counts = HashMap::new();
    for c in text
        .chars()
        .filter(|c| !c.is_ascii())
        .flat_map(char::to_lowercase)
    {
        *counts.entry(c).or_insert(0) += 1;
    }
    counts
}
