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
            Language::Arabic => arabic_script(sample),
            Language::Russian => cyrillic_script(sample),
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

/// A language in one of our scripts, and what tells it from ours.
struct Neighbour {
    name: &'static str,
    /// Letters that it uses and ours does not.
    letters: &'static str,
    /// Letters that ours uses and it does not.
    lacks: &'static str,
    /// Its commonest short words. Those that ours has as well say nothing.
    words: &'static [&'static str],
}

const ARABIC_WORDS: &[&str] = &[
    "في",
    "من",
    "على",
    "إلى",
    "الى",
    "أن",
    "ان",
    "عن",
    "مع",
    "التي",
    "الذي",
    "الذين",
    "هذا",
    "هذه",
    "كان",
    "كانت",
    "قال",
    "وقال",
    "قالت",
    "بعد",
    "قبل",
    "بين",
    "ما",
    "لا",
    "لم",
    "لن",
    "هو",
    "هي",
    "كما",
    "قد",
    "وقد",
    "أو",
    "ثم",
    "حيث",
    "خلال",
    "ذلك",
    "كل",
    "غير",
    "إن",
    "أي",
    "إذا",
    "عند",
    "عندما",
    "حول",
    "منذ",
    "حتى",
    "أكثر",
    "فيها",
    "فيه",
    "بها",
    "منها",
    "له",
    "لها",
    "يوم",
    "عام",
    "ولا",
    "وفي",
    "ومن",
];

const ARABIC_NEIGHBOURS: &[Neighbour] = &[
    Neighbour {
        name: "Persian",
        letters: "پچژگکیۀ",
        lacks: "ةىيكأإؤ",
        words: &[
            "در", "به", "از", "که", "این", "را", "است", "با", "های", "می", "برای", "آن", "شد",
            "شده", "خود", "بود", "کرد", "دارد", "نیز", "هم", "تا", "یا", "بر", "اما",
        ],
    },
    Neighbour {
        name: "Urdu",
        letters: "ٹڈڑںےہھکیگچپ",
        lacks: "ةىيكإ",
        words: &[
            "کے", "کی", "میں", "ہے", "اور", "سے", "کا", "کو", "نے", "ہیں", "پر", "یہ", "کہ", "اس",
            "تھا", "ایک", "بھی",
        ],
    },
    Neighbour {
        name: "Pashto",
        letters: "ټډړږښګڼېۍځڅپچژگکی",
        lacks: "ةإ",
        words: &[
            "د", "په", "چې", "او", "ته", "سره", "کې", "له", "يې", "دی", "دا", "هم",
        ],
    },
    Neighbour {
        name: "Kurdish",
        letters: "ڕڵۆێەپچژگکیڤ",
        lacks: "ةىيكأإ",
        words: &["لە", "بۆ", "کە", "بە", "لەگەڵ", "ئەو", "ئەم", "دەکات"],
    },
    Neighbour {
        name: "Uyghur",
        letters: "ېۇۈۆەڭپچژگۋ",
        lacks: "ةأإ",
        words: &["بىلەن", "ئۇ", "بۇ", "ۋە", "بىر"],
    },
    Neighbour {
        name: "Sindhi",
        letters: "ٻڀٺٽٿڄڃڇڏڌڊڍڙڦڪڳڱڻ",
        lacks: "ةإ",
        words: &["۾", "جي", "جو", "آهي", "۽", "کي"],
    },
];

/// The language that a text in the Arabic script is in, where it is not Arabic, and how sure that is.
fn arabic_script(text: &str) -> (Option<&'static str>, f64) {
    decide(
        &Counts::of(text),
        ARABIC_WORDS,
        ARABIC_NEIGHBOURS,
        |counts, _| {
            // The article: no neighbour writes so many words with it.
            let article = |word: &&String| {
                ["ال", "وال", "بال", "لل"]
                    .iter()
                    .any(|prefix| word.starts_with(prefix))
            };
            0.5 * number(
                counts
                    .words
                    .iter()
                    .filter(|(word, _)| article(word))
                    .map(|(_, count)| count)
                    .sum(),
            )
        },
    )
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
    "всё",
    "уже",
    "году",
    "они",
    "она",
    "оно",
    "этом",
    "этот",
    "эта",
    "эти",
    "того",
    "этого",
    "который",
    "которые",
    "которая",
    "которое",
    "которых",
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
    "ещё",
    "еще",
    "так",
    "же",
    "мы",
    "вы",
    "я",
    "ты",
    "ее",
    "её",
    "ему",
    "им",
    "нет",
    "когда",
    "где",
    "там",
    "себя",
    "свой",
    "своей",
    "своих",
    "него",
    "нее",
    "них",
    "до",
    "во",
    "об",
    "а",
    "у",
    "бы",
    "ли",
    "лишь",
    "без",
    "через",
    "перед",
    "года",
    "лет",
    "том",
    "тем",
    "чем",
    "кто",
    "очень",
    "можно",
    "сказал",
    "заявил",
    "сообщил",
];

const CYRILLIC_NEIGHBOURS: &[Neighbour] = &[
    Neighbour {
        name: "Ukrainian",
        letters: "іїєґ",
        lacks: "ыэёъ",
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
            "яка",
            "було",
            "був",
            "була",
            "були",
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
            "все",
            "всі",
            "за",
            "мене",
            "тебе",
            "вже",
            "їх",
            "цього",
            "того",
            "не",
            "на",
            "так",
            "лише",
            "має",
            "може",
            "буде",
        ],
    },
    Neighbour {
        name: "Belarusian",
        letters: "іў",
        lacks: "ищъ",
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
            "не",
            "на",
        ],
    },
    Neighbour {
        name: "Bulgarian",
        letters: "",
        lacks: "ыэё",
        words: &[
            "да",
            "се",
            "е",
            "са",
            "че",
            "като",
            "със",
            "във",
            "си",
            "ще",
            "това",
            "тази",
            "този",
            "тези",
            "която",
            "който",
            "които",
            "което",
            "бе",
            "беше",
            "след",
            "през",
            "най",
            "около",
            "ги",
            "го",
            "тя",
            "той",
            "те",
            "така",
            "когато",
            "един",
            "една",
            "едно",
            "още",
            "повече",
            "бъде",
            "бъдат",
            "вече",
            "обаче",
            "много",
            "според",
            "заради",
            "няма",
            "имат",
            "както",
            "където",
            "сред",
            "ни",
            "какво",
            "защо",
            "всички",
            "всеки",
            "другите",
            "сме",
            "ме",
            "ви",
            "нея",
            "тях",
            "преди",
            "към",
            "върху",
            "нещо",
            "хора",
            "години",
            "година",
            "каза",
            "заяви",
            "им",
            "му",
            "не",
            "от",
            "за",
            "на",
            "до",
            "при",
            "между",
            "но",
            "или",
            "има",
            "било",
            "съм",
            "само",
            "също",
            "по-добре",
            "може",
        ],
    },
    Neighbour {
        name: "Macedonian",
        letters: "ѓѕјљњќџ",
        lacks: "ыэёъьщйюя",
        words: &[
            "на", "да", "се", "и", "во", "од", "за", "со", "е", "што", "како", "не", "ќе", "беше",
            "до", "го",
        ],
    },
    Neighbour {
        name: "Serbian",
        letters: "ђјљњћџ",
        lacks: "ыэёъьщйюя",
        words: &[
            "је", "да", "се", "у", "на", "су", "и", "од", "за", "са", "као", "који", "које",
            "није", "али", "што", "до", "би",
        ],
    },
    Neighbour {
        name: "Kazakh",
        letters: "әғқңөұүһі",
        lacks: "",
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
            "болды",
            "алды",
            "айтты",
            "кезде",
            "оның",
        ],
    },
    Neighbour {
        name: "Kyrgyz",
        letters: "ңөү",
        lacks: "",
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
        lacks: "",
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
        lacks: "",
        words: &["һәм", "менән", "өсөн", "был", "тип", "булған"],
    },
    Neighbour {
        name: "Tajik",
        letters: "ғӣқӯҳҷ",
        lacks: "ыщ",
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
        lacks: "щ",
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
        lacks: "ыщ",
        words: &["ва", "билан", "учун", "бу", "ҳам", "бўлган", "деб", "эди"],
    },
    Neighbour {
        name: "Chechen",
        letters: "ӏ",
        lacks: "",
        words: &["а", "ду", "цу", "цо", "и", "дара", "долу"],
    },
];

/// The language that a text in the Cyrillic script is in, where it is not Russian, and how sure.
fn cyrillic_script(text: &str) -> (Option<&'static str>, f64) {
    decide(
        &Counts::of(text),
        RUSSIAN_WORDS,
        CYRILLIC_NEIGHBOURS,
        |counts, neighbour| {
            if neighbour.name == "Bulgarian" {
                not_bulgarian(counts)
            } else {
                0.0
            }
        },
    )
}

/// Per cent of the letters of running text, in Russian and in Bulgarian, where they differ most.
/// Bulgarian has no letter of its own, so it takes all of them together.
const RUSSIAN_AND_BULGARIAN: &[(char, f64, f64)] = &[
    ('а', 8.0, 12.2),
    ('о', 11.0, 8.7),
    ('и', 7.4, 9.0),
    ('т', 6.3, 8.0),
    ('у', 2.6, 1.5),
    ('л', 4.4, 3.3),
    ('м', 3.2, 2.4),
    ('й', 1.2, 0.7),
    ('з', 1.65, 2.2),
    ('ъ', 0.04, 1.9),
    ('ь', 1.75, 0.05),
    ('ю', 0.64, 0.15),
    ('ж', 0.94, 0.6),
    ('ш', 0.73, 0.4),
    ('ц', 0.48, 0.75),
    ('щ', 0.36, 0.6),
    ('ы', 1.9, 0.03),
    ('э', 0.33, 0.02),
    ('я', 2.0, 1.6),
];

/// Evidence of the single letters against Bulgarian. Letters of one text depend on each other, so
/// they count less than the product of their odds.
fn not_bulgarian(counts: &Counts) -> f64 {
    let total: usize = counts.letters.values().sum();
    let listed: usize = RUSSIAN_AND_BULGARIAN
        .iter()
        .map(|(letter, ..)| counts.letter(*letter))
        .sum();
    let share =
        |pick: fn(&(char, f64, f64)) -> f64| RUSSIAN_AND_BULGARIAN.iter().map(pick).sum::<f64>();
    let rest = ((100.0 - share(|row| row.1)) / (100.0 - share(|row| row.2))).ln()
        * number(total.saturating_sub(listed));
    let odds = RUSSIAN_AND_BULGARIAN
        .iter()
        .map(|&(letter, russian, bulgarian)| {
            (russian / bulgarian).ln() * number(counts.letter(letter))
        });
    let endings = ["тся", "ться", "ого", "его", "ому", "ами", "ией"];
    let ending = |word: &&String| {
        endings
            .iter()
            .any(|ending| word.len() > ending.len() + 2 && word.ends_with(ending))
    };
    let endings: usize = counts
        .words
        .iter()
        .filter(|(word, _)| ending(word))
        .map(|(_, count)| count)
        .sum();
    0.6 * (rest + odds.sum::<f64>()) + number(endings)
}

/// The letters that are not ASCII, and the words, of a text, in lower case.
struct Counts {
    letters: HashMap<char, usize>,
    words: HashMap<String, usize>,
}

impl Counts {
    fn of(text: &str) -> Self {
        let mut counts = Self {
            letters: HashMap::new(),
            words: HashMap::new(),
        };
        for c in text
            .chars()
            .filter(|c| !c.is_ascii() && c.is_alphabetic())
            .flat_map(char::to_lowercase)
        {
            *counts.letters.entry(c).or_insert(0) += 1;
        }
        for word in words(text) {
            *counts.words.entry(word).or_insert(0) += 1;
        }
        counts
    }

    fn letter(&self, letter: char) -> usize {
        self.letters.get(&letter).copied().unwrap_or(0)
    }

    /// How many letters of the text are among `letters`.
    fn letters(&self, letters: &str) -> usize {
        letters.chars().map(|letter| self.letter(letter)).sum()
    }

    /// How many words of the text are in `list` and not in `but_not`.
    fn words(&self, list: &[&str], but_not: &[&str]) -> usize {
        let own = list.iter().filter(|word| !but_not.contains(word));
        own.filter_map(|word| self.words.get(*word)).sum()
    }
}

/// A count as a number to calculate with; exact far beyond any text.
fn number(count: usize) -> f64 {
    count as f64
}

/// What speaks for our languages before a text is looked at: they are what users have.
const PRIOR: f64 = 0.8;

/// Weighs our language against its neighbours, in natural logarithms of odds: a neighbour's name
/// where one outweighs ours, and the certainty. `more` is further evidence for ours.
fn decide(
    counts: &Counts,
    own_words: &[&str],
    neighbours: &[Neighbour],
    more: impl Fn(&Counts, &Neighbour) -> f64,
) -> (Option<&'static str>, f64) {
    let mut least = (f64::INFINITY, "");
    for neighbour in neighbours {
        let own = 2.5 * number(counts.letters(neighbour.lacks))
            + 1.2 * number(counts.words(own_words, neighbour.words));
        let foreign = 2.5 * number(counts.letters(neighbour.letters))
            + 1.5 * number(counts.words(neighbour.words, own_words));
        let evidence = PRIOR + own - foreign + more(counts, neighbour);
        if evidence < least.0 {
            least = (evidence, neighbour.name);
        }
    }
    let certainty = 1.0 / (1.0 + (-least.0.abs() * 0.7).exp());
    if least.0 < 0.0 {
        (Some(least.1), certainty)
    } else {
        (None, certainty)
    }
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
