//! Knows the words after which a full stop need not end a sentence.
//!
//! Lists are of the language, by script: the word itself says which list applies. Whether the
//! sentence ends is decided in `boundary`.

use super::marks::{Script, char_boundary, is_invisible, script};
use super::run::Next;
use super::verbs::verb;

/// What a full stop after a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abbreviation {
    /// No abbreviation: the sentence ends.
    None,
    /// A title, an initial: the sentence goes on.
    Never,
    /// An abbreviation before a number only: `No. 5`, `ст. 12`.
    BeforeNumber,
    /// The sentence ends where a word follows that begins sentences: `Inc. The`.
    BeforeStarter,
    /// The sentence ends where a capital follows and enough stands before: `в 2010 г. Он`.
    BeforeCapital,
    /// `a.m.`, `p.m.`: the sentence ends but where what follows belongs to the time.
    Hour,
}

/// What stands in the sentence before the word in question.
pub(super) struct Preceding<'a> {
    /// Number of words, counted up to 8.
    pub(super) words: usize,
    /// The last word, with its full stop; empty where there is none.
    pub(super) last: &'a str,
}

impl<'a> Preceding<'a> {
    /// Reads the end of `text`, not more than 200 bytes of it.
    pub(super) fn read(text: &'a str) -> Self {
        let from = char_boundary(text, text.len().saturating_sub(200));
        let mut words = text[from..]
            .split_whitespace()
            .rev()
            .filter(|word| word.chars().any(char::is_alphanumeric));
        let last = words.next().unwrap_or_default();
        let count = usize::from(!last.is_empty()) + words.take(7).count();
        Self { words: count, last }
    }

    /// Whether the last word ends in a digit or is a Roman number: what a unit follows.
    fn is_number(&self) -> bool {
        let word = self.last.trim_end_matches(|c: char| !c.is_alphanumeric());
        word.chars().next_back().is_some_and(char::is_numeric)
            || (!word.is_empty()
                && word
                    .chars()
                    .all(|c| matches!(c, 'I' | 'V' | 'X' | 'L' | 'Х' | '-' | '–')))
            || matches!(
                word.to_lowercase().as_str(),
                "тыс" | "млн" | "млрд" | "трлн" | "кв" | "куб"
            )
    }
}

/// Says what a full stop after `word` means. `word` may hold full stops itself (`U.S`, `т.е`).
pub(super) fn classify(word: &str, preceding: &Preceding<'_>) -> Abbreviation {
    let word = word.trim_start_matches(['\'', '’', '-', '.', '&']);
    let Some(first) = word.chars().find(|c| c.is_alphabetic()) else {
        return Abbreviation::None;
    };
    match script(first) {
        Script::Latin => latin(word, preceding),
        Script::Cyrillic => cyrillic(word, preceding),
        Script::Arabic => arabic(word),
        Script::Other => Abbreviation::None,
    }
}

/// Whether the sentence goes on after an abbreviation that may end it: what stands before is no more
/// than a time or a place (`В мае 2010 г. Виктор уехал`), or what follows belongs to the amount
/// (`млрд долл. США`) or to the list (`إلخ. في السوق`).
pub(super) fn adverbial(sentence: &str, word: &str, next: &Next<'_>) -> bool {
    if next.opener {
        return false;
    }
    let lower = word.to_lowercase();
    match lower.as_str() {
        "долл" | "дол" | "руб" | "млн" | "млрд" | "трлн" | "тыс" => {
            CURRENCIES.contains(&next.word)
        }
        // `основан в 1703 г. Петром I`: by whom.
        "г" | "гг" if next.word.chars().count() > 3 && next.word.ends_with("ом") => {
            !next.is_starter(false)
        }
        "г" | "гг" | "в" | "вв" | "э" | "н.э" => {
            let first = sentence.split_whitespace().next().unwrap_or_default();
            ADVERBIALS.contains(&first)
                && !next.is_starter(false)
                && sentence.len() < 160
                && !sentence.contains([',', '—', '–', ':'])
                && !sentence.split_whitespace().any(is_predicate)
        }
        "إلخ" | "الخ" | "إلـخ" => matches!(
            next.word,
            "في" | "من" | "على" | "إلى" | "عن" | "مع" | "التي" | "الذي" | "الذين" | "أو"
        ),
        _ => false,
    }
}

/// Countries, in the genitive, whose money is named.
const CURRENCIES: &[&str] = &[
    "США",
    "Канады",
    "Австралии",
    "Сингапура",
    "Гонконга",
    "Новой",
    "Намибии",
    "Ямайки",
    "Либерии",
    "Гайаны",
    "Тайваня",
    "РФ",
    "СССР",
    "России",
    "Белоруссии",
    "Беларуси",
    "Барбадоса",
];

/// Words that a Russian sentence begins with before the time or place of what it tells.
const ADVERBIALS: &[&str] = &[
    "В",
    "Во",
    "На",
    "К",
    "С",
    "Со",
    "По",
    "До",
    "После",
    "От",
    "Из",
    "За",
    "Около",
    "При",
    "Летом",
    "Зимой",
    "Весной",
    "Осенью",
    "Уже",
    "Ещё",
    "Еще",
    "Лишь",
    "Только",
    "Начиная",
    "Вплоть",
    "Накануне",
    "Между",
    "Через",
    "Под",
    "Над",
    "Ранее",
    "Позднее",
    "Позже",
];

/// Whether `word` may be what a Russian sentence is told by: a finite verb or a short participle.
fn is_predicate(word: &str) -> bool {
    const PARTICIPLES: &[&str] = &[
        "ован",
        "ована",
        "овано",
        "ованы",
        "ошён",
        "роен",
        "роена",
        "роено",
        "роены",
        "лен",
        "лена",
        "лено",
        "лены",
        "щен",
        "щена",
        "щено",
        "щены",
        "жен",
        "жена",
        "жено",
        "жены",
        "чен",
        "чена",
        "чено",
        "чены",
        "нут",
        "нута",
        "нуто",
        "нуты",
        "дан",
        "дана",
        "дано",
        "даны",
        "шен",
        "шена",
        "шено",
        "шены",
        "зван",
        "звана",
        "звано",
        "званы",
    ];
    let word = word.trim_matches(|c: char| !c.is_alphabetic());
    verb(word).is_some()
        || (word.chars().count() > 5
            && word.starts_with(char::is_lowercase)
            && PARTICIPLES.iter().any(|ending| word.ends_with(ending)))
}

/// Whether `word`, in small Latin letters, is one that is written short within a sentence, so that
/// a small letter after its full stop begins nothing.
pub(super) fn is_clipped(word: &str) -> bool {
    matches!(
        word,
        "min"
            | "max"
            | "avg"
            | "sq"
            | "cu"
            | "lb"
            | "lbs"
            | "oz"
            | "ft"
            | "in"
            | "yd"
            | "km"
            | "kg"
            | "cm"
            | "mm"
            | "hr"
            | "hrs"
            | "mins"
            | "sec"
            | "secs"
            | "est"
            | "temp"
            | "ref"
            | "misc"
            | "tel"
            | "fax"
            | "dept"
            | "govt"
            | "gov"
            | "pres"
            | "ext"
            | "resp"
            | "orig"
            | "abbr"
            | "lit"
            | "dia"
            | "wt"
            | "assoc"
            | "assn"
            | "bros"
            | "corp"
            | "inc"
            | "ltd"
            | "mfg"
            | "intl"
            | "natl"
            | "univ"
            | "prof"
            | "ave"
            | "blvd"
            | "apt"
            | "bldg"
            | "fig"
            | "figs"
            | "ibid"
            | "esp"
            | "usu"
            | "spec"
            | "etc"
            | "feat"
            | "doz"
            | "qty"
            | "mph"
            | "rpm"
            | "vols"
            | "chap"
            | "cent"
            | "anon"
            | "mil"
            | "bil"
            | "acct"
            | "alt"
            | "adj"
            | "adv"
            | "sing"
            | "plur"
            | "var"
            | "viz"
            | "inst"
            | "ult"
            | "prox"
            | "med"
            | "eng"
            | "dist"
            | "mgr"
            | "adm"
    ) || !word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
}

fn is_initial(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
}

fn latin(word: &str, preceding: &Preceding<'_>) -> Abbreviation {
    if is_initial(word) {
        // `you and I.` ends; `Albert I. Jones` does not.
        let after_lower = preceding
            .last
            .chars()
            .next()
            .is_some_and(char::is_lowercase);
        return if word == "I" && after_lower {
            Abbreviation::None
        } else {
            Abbreviation::BeforeStarter
        };
    }
    let lower = word.to_lowercase();
    let lower = lower.strip_suffix("'s").unwrap_or(&lower);
    let capitalised = word.chars().next().is_some_and(char::is_uppercase);
    match lower {
        "mr" | "mrs" | "ms" | "dr" | "drs" | "prof" | "gen" | "sen" | "rep" | "gov" | "lt"
        | "col" | "sgt" | "capt" | "cmdr" | "adm" | "maj" | "pvt" | "cpl" | "rev" | "hon"
        | "messrs" | "mme" | "mlle" | "gens" | "sens" | "reps" | "supt" | "insp" | "det"
        | "brig" | "amb" | "fr" | "mt" | "ste" => {
            if capitalised {
                Abbreviation::Never
            } else {
                Abbreviation::None
            }
        }
        "p.s" | "e.g" | "i.e" | "vs" | "cf" | "viz" | "approx" | "incl" | "ca" => {
            Abbreviation::Never
        }
        "v" => Abbreviation::Never,
        "no" | "nos" | "p" | "pp" | "fig" | "figs" | "sec" | "art" | "vol" | "ch" | "eq"
        | "par" | "pg" | "pt" | "op" | "ext" | "ver" | "n°" => Abbreviation::BeforeNumber,
        "inc" | "corp" | "co" | "ltd" | "llc" | "plc" | "jr" | "sr" | "st" | "bros" | "esq"
        | "dept" | "univ" | "assn" | "ave" | "blvd" | "rd" | "hwy" | "ft" | "jan" | "feb"
        | "apr" | "aug" | "sept" | "sep" | "oct" | "nov" | "dec" | "calif" | "fla" | "mich"
        | "minn" | "tenn" | "tex" | "wis" | "conn" | "ariz" | "ark" | "colo" | "okla" | "ala"
        | "kan" | "nev" | "mont" | "ky" | "va" | "md" | "bldg" | "intl" | "natl" | "govt"
        | "al" | "s.a" | "s.p.a" | "u.s" | "u.k" | "u.n" | "e.u" | "u.s.a" | "u.s.s.r"
        | "u.a.e" | "d.c" | "n.y" | "n.j" | "n.c" | "s.c" | "l.a" => Abbreviation::BeforeStarter,
        "miss" | "mass" | "wash" | "ill" | "ind" | "pa" | "la" | "mo" | "del" | "ore" | "ga"
        | "mar" | "jun" | "jul"
            if capitalised && preceding.last.ends_with(',') =>
        {
            Abbreviation::BeforeStarter
        }
        "a.m" | "p.m" | "am" | "pm" if lower.contains('.') || preceding.is_number() => {
            Abbreviation::Hour
        }
        "etc" => Abbreviation::BeforeCapital,
        _ if lower.contains('.') => {
            // `J.R.R`, `Ph.D`, `B.A`: initials of a name, of a degree, of a state.
            let pieces_short = lower.split('.').all(|piece| piece.chars().count() <= 2);
            if pieces_short {
                Abbreviation::BeforeStarter
            } else {
                Abbreviation::None
            }
        }
        _ => Abbreviation::None,
    }
}

/// Whether `word` is the beginning of a first name that stands for it.
fn is_short_name(word: &str) -> bool {
    matches!(
        word,
        "Дж" | "Вл"
            | "Ал"
            | "Эд"
            | "Ст"
            | "Юр"
            | "Вс"
            | "Гр"
            | "Фр"
            | "Хр"
            | "Кс"
            | "Чр"
            | "Дм"
            | "Ан"
            | "Ник"
            | "Вяч"
            | "Вас"
            | "Ив"
            | "Мих"
            | "Серг"
            | "Конст"
            | "Григ"
            | "Алекс"
            | "Влад"
            | "Евг"
            | "Фед"
            | "Филл"
            | "Ф-р"
            | "Бор"
            | "Роб"
            | "Мак"
            | "Теод"
            | "Чарл"
            | "Эдв"
            | "Уил"
            | "Ю-р"
            | "Сев"
    )
}

fn cyrillic(word: &str, preceding: &Preceding<'_>) -> Abbreviation {
    if is_initial(word) {
        return Abbreviation::BeforeStarter;
    }
    let lower = word.to_lowercase();
    match lower.as_str() {
        "г" | "гг" | "в" | "вв" | "м" | "км" | "см" | "мм" | "кг" | "га" | "л" | "ч" | "мин"
        | "сек" | "с" | "р" | "т" | "руб" | "коп" | "долл" | "дол" | "тыс" | "млн" | "млрд"
        | "трлн" | "чел" | "экз" | "ед" | "шт" | "п" | "д"
            if preceding.is_number() =>
        {
            Abbreviation::BeforeCapital
        }
        // `и т. д.`, `и т. п.`, `до н. э.`
        "д" | "п" if matches!(preceding.last, "т.") => Abbreviation::BeforeCapital,
        "э" if matches!(preceding.last, "н.") => Abbreviation::BeforeCapital,
        "т.д" | "т.п" | "н.э" | "др" | "пр" | "проч" | "руб" | "долл" | "коп" | "чел" | "у.е"
        | "т.ч" => Abbreviation::BeforeCapital,
        "г" | "гор" | "им" | "ул" | "пл" | "пер" | "просп" | "пр-т" | "наб" | "бул" | "ш" | "д"
        | "кв" | "корп" | "стр" | "оф" | "тел" | "соч" | "см" | "ср" | "напр" | "т.е" | "т.к"
        | "т.н" | "т.о" | "и.о" | "в.о" | "проф" | "акад" | "доц" | "ген" | "полк" | "лейт"
        | "кап" | "подп" | "майор-ген" | "зам" | "зав" | "пом" | "св" | "свв" | "пос" | "дер"
        | "с" | "п" | "пп" | "о" | "о-в" | "р" | "оз" | "обл" | "р-н" | "ст" | "гл" | "рис"
        | "табл" | "илл" | "кн" | "вып" | "сб" | "т" | "тт" | "ч" | "англ" | "нем" | "фр"
        | "франц" | "лат" | "греч" | "итал" | "исп" | "рус" | "укр" | "яп" | "кит" | "араб"
        | "арм" | "груз" | "тур" | "польск" | "род" | "ум" | "ок" | "янв" | "февр" | "фев"
        | "апр" | "авг" | "сент" | "сен" | "окт" | "нояб" | "ноя" | "дек" | "прим" | "ред"
        | "изд" | "сокр" | "г-н" | "г-жа" | "гр" | "тов" | "преп" | "о.о" | "куб" | "пгт"
        | "ж-д" | "н" | "мр" | "тыс" | "млн" | "млрд" | "трлн" | "мн" | "ж" | "м" | "к" | "е"
        | "арх" | "инж" | "реж" | "деп" | "нар" | "арт" | "засл" | "бульв" | "б-р" | "шт"
        | "адм" | "серж" | "мл" | "корр" | "худ" | "комп" | "муз" | "авт" | "сост" | "губ"
        | "канд" | "докт" | "д-р" | "чл" | "чл.-корр" | "асп" | "студ" | "сотр" | "нач"
        | "подполк" | "респ" | "хут" | "мкр" | "мкр-н" | "туп" | "пр-кт" | "сл" | "уч" | "спец"
        | "этн" | "м-р" | "о-ва" | "п-ов" | "св-во" | "вл" | "ал" | "дж" | "мин-во" | "разг"
        | "устар" | "перен" | "букв" | "диал" | "ж.-д" | "юр" | "физ" | "эт" | "пом-к"
        | "ст-ца" | "сек-рь" | "рук" | "разд" | "абз" | "прил" | "уполн" | "хор" | "оп" => {
            Abbreviation::Never
        }
        // `Дж. Байден`, `Вяч. Иванов`: the beginning of a first name.
        _ if is_short_name(word) => Abbreviation::BeforeStarter,
        _ if lower.contains('.') => {
            let short = lower.split('.').all(|piece| piece.chars().count() <= 2);
            if short {
                Abbreviation::BeforeStarter
            } else {
                Abbreviation::None
            }
        }
        _ if lower.chars().count() == 1 => Abbreviation::Never,
        _ => Abbreviation::None,
    }
}

fn arabic(word: &str) -> Abbreviation {
    let plain: String = word.chars().filter(|c| !is_invisible(*c)).collect();
    let letters = plain
        .chars()
        .filter(|c| c.is_alphabetic() && *c != 'ـ')
        .count();
    // `ود. ليلى`: a title with `and` before it.
    let title = plain.strip_prefix('و').filter(|rest| !rest.is_empty());
    match title.unwrap_or(&plain) {
        "د" | "أ" | "ا" | "م" | "أ.د" | "ا.د" | "ش" | "ص" | "ص.ب" | "ج" | "ق.م" => {
            Abbreviation::Never
        }
        "إلخ" | "الخ" | "إلـخ" => Abbreviation::BeforeCapital,
        _ if letters == 1 && !plain.contains('ه') => Abbreviation::Never,
        _ if plain.contains('.') && plain.split('.').all(|piece| piece.chars().count() <= 2) => {
            Abbreviation::Never
        }
        _ => Abbreviation::None,
    }
}
