//! Number words of the three languages: what a word counts, whatever its gender, case or ending.
//!
//! Only says what a single word may mean; how words make a number together is told in `numbers`.
//! Generous on purpose: number words are witnesses for digits on the other side, never accusers, so
//! that a word too many is harmless where a word too few is a false alarm.

/// What one word contributes to a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NumberWord {
    /// Is added: `five`, `двадцать`, `ثلاثمئة`.
    Add(f64),
    /// Multiplies what stands before it, up to a hundred: `hundred`, `مئة`.
    Hundred,
    /// Multiplies what stands before it: `thousand`, `млн`, `مليار`.
    Scale(f64),
    /// Speaks of numbers without being one: `half`, `double`, `nineties`, `трёхэтажный`.
    Hints(Vec<f64>),
}

use NumberWord::{Add, Hints, Hundred, Scale};

/// A half: by itself, of a hundred, of an hour, of a day, in two parts, and added to a whole.
const HALF: &[f64] = &[0.5, 50.0, 30.0, 12.0, 2.0, 1.5, 2.5, 3.5];

/// What a lowercase word may count; words of all three languages are known at once, since a text
/// in one may quote another.
pub(super) fn of(word: &str) -> Option<NumberWord> {
    match word.chars().next()? {
        'a'..='z' => english(word),
        '\u{400}'..='\u{4ff}' => russian(&word.replace('ё', "е")),
        '\u{621}'..='\u{6d3}' => arabic(word),
        _ => None,
    }
}

fn english(word: &str) -> Option<NumberWord> {
    if let Some((_, value)) = ENGLISH.iter().find(|(name, _)| *name == word) {
        return Some(Add(*value));
    }
    let scale = match word {
        "hundred" | "hundreds" | "hundredth" => return Some(Hundred),
        "thousand" | "thousands" | "thousandth" | "k" => 1e3,
        "million" | "millions" | "mln" | "mn" | "m" | "millionth" => 1e6,
        "billion" | "billions" | "bln" | "bn" | "b" | "billionth" => 1e9,
        "trillion" | "trillions" | "trn" | "tn" => 1e12,
        "dozen" | "dozens" => 12.0,
        _ => {
            let hints: &[f64] = match word {
                "half" | "halves" | "halfway" => HALF,
                "quarter" | "quarters" | "quarterfinal" | "quarterfinals" => {
                    &[0.25, 25.0, 4.0, 15.0]
                }
                "thirds" => &[3.0],
                "once" | "single" | "sole" | "solo" | "unique" => &[1.0],
                "both" | "pair" | "pairs" | "couple" | "couples" | "twice" | "twin" | "twins"
                | "double" | "doubled" | "doubles" | "twofold" | "either" | "neither" | "dual"
                | "duo" | "biennial" | "bilateral" => &[2.0],
                "triple" | "tripled" | "thrice" | "trio" | "threefold" | "triplet"
                | "trilateral" => &[3.0],
                "quadruple" | "fourfold" | "quartet" | "fours" => &[4.0],
                "fivefold" => &[5.0],
                "tenfold" | "tens" | "decade" | "decades" => &[10.0],
                "century" | "centuries" | "centennial" | "centenary" => &[100.0],
                "millennium" | "millennia" => &[1000.0],
                "fortnight" => &[14.0, 2.0],
                "noon" | "midday" | "midnight" => &[12.0, 0.0],
                "no" | "nil" | "none" | "goalless" | "scoreless" => &[0.0],
                _ => return decade_english(word).or_else(|| fused_english(word)),
            };
            return Some(Hints(hints.to_vec()));
        }
    };
    Some(Scale(scale))
}

fn decade_english(word: &str) -> Option<NumberWord> {
    let tens = word.strip_suffix("ies")?;
    let value = ENGLISH
        .iter()
        .find(|(name, _)| name.strip_suffix('y') == Some(tens))?
        .1;
    Some(Hints(vec![value, 1900.0 + value]))
}

/// Words that begin with a number: `threesome`, `sixfold`.
fn fused_english(word: &str) -> Option<NumberWord> {
    ["some", "fold", "pence", "teenth", "th", "ths"]
        .iter()
        .filter_map(|end| word.strip_suffix(end))
        .find_map(|stem| ENGLISH.iter().find(|(name, _)| *name == stem))
        .map(|(_, value)| Hints(vec![*value]))
}

const ENGLISH: &[(&str, f64)] = &[
    ("zero", 0.0),
    ("one", 1.0),
    ("ones", 1.0),
    ("first", 1.0),
    ("firstly", 1.0),
    ("two", 2.0),
    ("second", 2.0),
    ("secondly", 2.0),
    ("three", 3.0),
    ("third", 3.0),
    ("thirdly", 3.0),
    ("four", 4.0),
    ("fourth", 4.0),
    ("five", 5.0),
    ("fifth", 5.0),
    ("six", 6.0),
    ("sixth", 6.0),
    ("seven", 7.0),
    ("seventh", 7.0),
    ("eight", 8.0),
    ("eighth", 8.0),
    ("nine", 9.0),
    ("ninth", 9.0),
    ("ten", 10.0),
    ("tenth", 10.0),
    ("eleven", 11.0),
    ("eleventh", 11.0),
    ("twelve", 12.0),
    ("twelfth", 12.0),
    ("thirteen", 13.0),
    ("thirteenth", 13.0),
    ("fourteen", 14.0),
    ("fourteenth", 14.0),
    ("fifteen", 15.0),
    ("fifteenth", 15.0),
    ("sixteen", 16.0),
    ("sixteenth", 16.0),
    ("seventeen", 17.0),
    ("seventeenth", 17.0),
    ("eighteen", 18.0),
    ("eighteenth", 18.0),
    ("nineteen", 19.0),
    ("nineteenth", 19.0),
    ("twenty", 20.0),
    ("twentieth", 20.0),
    ("thirty", 30.0),
    ("thirtieth", 30.0),
    ("forty", 40.0),
    ("fortieth", 40.0),
    ("fifty", 50.0),
    ("fiftieth", 50.0),
    ("sixty", 60.0),
    ("sixtieth", 60.0),
    ("seventy", 70.0),
    ("seventieth", 70.0),
    ("eighty", 80.0),
    ("eightieth", 80.0),
    ("ninety", 90.0),
    ("ninetieth", 90.0),
];

/// Stems of cardinals and ordinals; what may follow is an ending.
const RUSSIAN: &[(&str, f64)] = &[
    ("ноль", 0.0),
    ("нул", 0.0),
    ("один", 1.0),
    ("одн", 1.0),
    ("перв", 1.0),
    ("два", 2.0),
    ("две", 2.0),
    ("двух", 2.0),
    ("двум", 2.0),
    ("двумя", 2.0),
    ("двое", 2.0),
    ("двоих", 2.0),
    ("втор", 2.0),
    ("три", 3.0),
    ("трех", 3.0),
    ("трем", 3.0),
    ("тремя", 3.0),
    ("трое", 3.0),
    ("троих", 3.0),
    ("трет", 3.0),
    ("четыре", 4.0),
    ("четырех", 4.0),
    ("четырем", 4.0),
    ("четверо", 4.0),
    ("четверых", 4.0),
    ("четверт", 4.0),
    ("пят", 5.0),
    ("пятеро", 5.0),
    ("пятерых", 5.0),
    ("шест", 6.0),
    ("шестеро", 6.0),
    ("шестерых", 6.0),
    ("сем", 7.0),
    ("семеро", 7.0),
    ("семерых", 7.0),
    ("седьм", 7.0),
    ("восем", 8.0),
    ("восьм", 8.0),
    ("восьмеро", 8.0),
    ("девят", 9.0),
    ("десят", 10.0),
    ("десятеро", 10.0),
    ("одиннадцат", 11.0),
    ("двенадцат", 12.0),
    ("тринадцат", 13.0),
    ("четырнадцат", 14.0),
    ("пятнадцат", 15.0),
    ("шестнадцат", 16.0),
    ("семнадцат", 17.0),
    ("восемнадцат", 18.0),
    ("девятнадцат", 19.0),
    ("двадцат", 20.0),
    ("тридцат", 30.0),
    ("сорок", 40.0),
    ("сороков", 40.0),
    ("пятьдесят", 50.0),
    ("пятидесят", 50.0),
    ("шестьдесят", 60.0),
    ("шестидесят", 60.0),
    ("семьдесят", 70.0),
    ("семидесят", 70.0),
    ("восемьдесят", 80.0),
    ("восьмидесят", 80.0),
    ("девяност", 90.0),
    ("ст", 100.0),
    ("сот", 100.0),
    ("двести", 200.0),
    ("двухсот", 200.0),
    ("двумст", 200.0),
    ("двумястами", 200.0),
    ("двухстах", 200.0),
    ("триста", 300.0),
    ("трехсот", 300.0),
    ("трехстах", 300.0),
    ("тремястами", 300.0),
    ("четыреста", 400.0),
    ("четырехсот", 400.0),
    ("пятьсот", 500.0),
    ("пятисот", 500.0),
    ("шестьсот", 600.0),
    ("шестисот", 600.0),
    ("семьсот", 700.0),
    ("семисот", 700.0),
    ("восемьсот", 800.0),
    ("восьмисот", 800.0),
    ("девятьсот", 900.0),
    ("девятисот", 900.0),
];

const RUSSIAN_ENDINGS: &[&str] = &[
    "", "а", "е", "и", "о", "у", "ы", "ь", "я", "ю", "ая", "ое", "ой", "ую", "ый", "ий", "ые",
    "ых", "ым", "ом", "ою", "ей", "ем", "их", "им", "ми", "ью", "ья", "ье", "ьи", "ью", "ого",
    "ому", "ыми", "ими", "ьей", "ьем", "ьих", "ьим", "ьего", "ьему", "ьими", "его", "ему", "ях",
    "ям", "ями", "ам", "ах", "ами", "ен", "еро",
];

/// How compounds begin: `двухлетний`, `двадцатипятилетие`.
const RUSSIAN_PREFIXES: &[(&str, f64)] = &[
    ("двадцати", 20.0),
    ("тридцати", 30.0),
    ("сорока", 40.0),
    ("пятидесяти", 50.0),
    ("шестидесяти", 60.0),
    ("семидесяти", 70.0),
    ("восьмидесяти", 80.0),
    ("девяносто", 90.0),
    ("двухсот", 200.0),
    ("трехсот", 300.0),
    ("четырехсот", 400.0),
    ("пятисот", 500.0),
    ("шестисот", 600.0),
    ("семисот", 700.0),
    ("восьмисот", 800.0),
    ("девятисот", 900.0),
    ("одиннадцати", 11.0),
    ("двенадцати", 12.0),
    ("тринадцати", 13.0),
    ("четырнадцати", 14.0),
    ("пятнадцати", 15.0),
    ("шестнадцати", 16.0),
    ("семнадцати", 17.0),
    ("восемнадцати", 18.0),
    ("девятнадцати", 19.0),
    ("двух", 2.0),
    ("дву", 2.0),
    ("трех", 3.0),
    ("тре", 3.0),
    ("четырех", 4.0),
    ("четверть", 4.0),
    ("пяти", 5.0),
    ("шести", 6.0),
    ("семи", 7.0),
    ("восьми", 8.0),
    ("девяти", 9.0),
    ("десяти", 10.0),
    ("одно", 1.0),
    ("едино", 1.0),
    ("перво", 1.0),
    ("сто", 100.0),
    ("тысяче", 1000.0),
    ("полутора", 1.5),
    ("полу", 0.5),
    ("пол", 0.5),
];

fn russian(word: &str) -> Option<NumberWord> {
    for (stem, value) in [
        ("тысяч", 1e3),
        ("тыс", 1e3),
        ("миллион", 1e6),
        ("млн", 1e6),
        ("миллиард", 1e9),
        ("млрд", 1e9),
        ("триллион", 1e12),
        ("трлн", 1e12),
        ("дюжин", 12.0),
    ] {
        if word
            .strip_prefix(stem)
            .is_some_and(|tail| tail.chars().count() <= 4)
        {
            return Some(Scale(value));
        }
    }
    let hints: &[f64] = match word {
        "оба" | "обе" | "обоих" | "обеих" | "обоим" | "обоими" | "обеими" | "дважды" | "вдвое"
        | "вдвоем" | "пара" | "пару" | "пары" | "парой" | "двойной" | "двойная" | "двойное"
        | "двойку" | "двойка" | "двойки" | "близнецов" | "двоякий" => {
            &[2.0]
        }
        "трижды" | "втрое" | "втроем" | "тройка" | "тройку" | "тройки" | "тройной" => {
            &[3.0]
        }
        "вчетверо" | "четверка" | "четверку" | "четверки" => &[4.0],
        "впятеро" | "пятерка" | "пятерку" | "пятерки" => &[5.0],
        "шестерка" | "шестерку" | "шестерки" => &[6.0],
        "семерка" | "семерку" | "семерки" => &[7.0],
        "восьмерка" | "восьмерку" | "восьмерки" => &[8.0],
        "десятка" | "десятку" | "десятки" | "десятков" | "десяток" | "десятками" => {
            &[10.0]
        }
        "двадцатка" | "двадцатки" | "двадцатку" => &[20.0],
        "полтора" | "полторы" | "полутора" => &[1.5],
        "половина" | "половины" | "половину" | "половине" | "половиной" | "пополам" => {
            HALF
        }
        "треть" | "трети" => &[3.0],
        "четверть" | "четверти" | "четвертью" => &[0.25, 25.0, 4.0, 15.0],
        "единственный"
        | "единственная"
        | "единственное"
        | "единственного"
        | "единственной"
        | "единственным"
        | "единственную"
        | "однажды"
        | "раз"
        | "час"
        | "год" => &[1.0],
        "сотня" | "сотни" | "сотню" | "сотен" | "сотнями" => &[100.0],
        "век" | "века" | "веков" | "столетие" | "столетия" | "столетий" => {
            &[100.0]
        }
        "десятилетие" | "десятилетия" | "десятилетий" => &[10.0],
        "тысячелетие" | "тысячелетия" | "тысячелетий" => &[1000.0],
        "полдень" | "полночь" | "полдня" | "полуночи" | "полудня" => {
            &[12.0, 0.0]
        }
        "сутки" | "суток" => &[24.0, 1.0],
        _ if word.starts_with("круглосуточн") => &[24.0],
        _ => &[],
    };
    if !hints.is_empty() {
        return Some(Hints(hints.to_vec()));
    }
    // The longest stem, so that `пятьдесят` is not `пят`.
    let whole = RUSSIAN
        .iter()
        .filter(|(stem, _)| {
            word.strip_prefix(stem)
                .is_some_and(|tail| RUSSIAN_ENDINGS.contains(&tail))
        })
        .max_by_key(|(stem, _)| stem.len());
    if let Some((stem, value)) = whole {
        // Decades are ordinals in the plural: `девяностые`.
        let tail = &word[stem.len()..];
        if (20.0..=90.0).contains(value) && matches!(tail, "ые" | "ых" | "ым" | "ыми") {
            return Some(Hints(vec![*value, 1900.0 + value]));
        }
        return Some(Add(*value));
    }
    let mut rest = word;
    let mut sum = 0.0;
    let mut parts = Vec::new();
    while let Some((prefix, value)) = RUSSIAN_PREFIXES
        .iter()
        .filter(|(prefix, _)| rest.starts_with(prefix))
        .max_by_key(|(prefix, _)| prefix.len())
    {
        rest = &rest[prefix.len()..];
        sum += value;
        parts.push(*value);
        if parts.len() == 3 {
            break;
        }
    }
    if parts.is_empty() || rest.chars().count() < 2 {
        return None;
    }
    if let Some(scale) = [("тысяч", 1e3), ("миллион", 1e6), ("миллиард", 1e9)]
        .iter()
        .find(|(stem, _)| rest.starts_with(stem))
        .map(|(_, scale)| *scale)
    {
        return Some(Hints(vec![sum * scale]));
    }
    Some(Hints(vec![sum]))
}

/// Letters of Arabic as they are compared: without vowel signs and lengthening, one form of alif,
/// ya and ta marbuta.
pub(super) fn fold_arabic(word: &str) -> String {
    word.chars()
        .filter_map(|c| match c {
            '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' => None,
            'أ' | 'إ' | 'آ' | 'ٱ' => Some('ا'),
            'ى' => Some('ي'),
            'ة' => Some('ه'),
            'ئ' => Some('ء'),
            c => Some(c),
        })
        .collect()
}

/// The forms of a folded Arabic word without the small words written together with it, the whole
/// word first.
pub(super) fn without_clitics(word: &str) -> Vec<&str> {
    let mut stems = vec![word];
    stems.extend(
        ["و", "ف"]
            .iter()
            .filter_map(|joined| word.strip_prefix(joined)),
    );
    for at in 0..stems.len() {
        let particles = ["ب", "ك", "ل", "س"];
        let without = particles
            .iter()
            .filter_map(|particle| stems[at].strip_prefix(particle));
        stems.extend(without.collect::<Vec<_>>());
    }
    for at in 0..stems.len() {
        let without = ["ال", "لل"]
            .iter()
            .filter_map(|article| stems[at].strip_prefix(article));
        stems.extend(without.collect::<Vec<_>>());
    }
    stems.retain(|stem| stem.len() == word.len() || stem.chars().count() >= 2);
    stems
}

/// Folded stems of the units; they take `ه`, and in compounds with a hundred `مءه`.
const ARABIC_UNITS: &[(&str, f64)] = &[
    ("ثلاث", 3.0),
    ("اربع", 4.0),
    ("خمس", 5.0),
    ("ست", 6.0),
    ("سبع", 7.0),
    ("ثماني", 8.0),
    ("ثمان", 8.0),
    ("تسع", 9.0),
];

const ARABIC: &[(&str, f64)] = &[
    ("صفر", 0.0),
    ("واحد", 1.0),
    ("واحده", 1.0),
    ("واحدا", 1.0),
    ("احد", 1.0),
    ("احدي", 1.0),
    ("حادي", 1.0),
    ("حاديه", 1.0),
    ("اول", 1.0),
    ("اولي", 1.0),
    ("اثنان", 2.0),
    ("اثنين", 2.0),
    ("اثنا", 2.0),
    ("اثني", 2.0),
    ("اثنتان", 2.0),
    ("اثنتين", 2.0),
    ("اثنتا", 2.0),
    ("اثنتي", 2.0),
    ("ثاني", 2.0),
    ("ثانيه", 2.0),
    ("ثانيا", 2.0),
    ("ثان", 2.0),
    ("ثالث", 3.0),
    ("ثالثه", 3.0),
    ("ثالثا", 3.0),
    ("رابع", 4.0),
    ("رابعه", 4.0),
    ("خامس", 5.0),
    ("خامسه", 5.0),
    ("سادس", 6.0),
    ("سادسه", 6.0),
    ("سابع", 7.0),
    ("سابعه", 7.0),
    ("ثامن", 8.0),
    ("ثامنه", 8.0),
    ("تاسع", 9.0),
    ("تاسعه", 9.0),
    ("عشر", 10.0),
    ("عشره", 10.0),
    ("عاشر", 10.0),
    ("عاشره", 10.0),
    ("عشرون", 20.0),
    ("عشرين", 20.0),
    ("ثلاثون", 30.0),
    ("ثلاثين", 30.0),
    ("اربعون", 40.0),
    ("اربعين", 40.0),
    ("خمسون", 50.0),
    ("خمسين", 50.0),
    ("ستون", 60.0),
    ("ستين", 60.0),
    ("سبعون", 70.0),
    ("سبعين", 70.0),
    ("ثمانون", 80.0),
    ("ثمانين", 80.0),
    ("تسعون", 90.0),
    ("تسعين", 90.0),
    ("مءتان", 200.0),
    ("مءتين", 200.0),
    ("مءتي", 200.0),
    ("ماءتان", 200.0),
    ("ماءتين", 200.0),
    ("ماءتي", 200.0),
];

fn arabic(word: &str) -> Option<NumberWord> {
    let folded = fold_arabic(word);
    let forms = without_clitics(&folded);
    for form in &forms {
        if let Some(found) = arabic_stem(form) {
            return Some(found);
        }
    }
    // A dual says two without saying it: `كتابين`, `مدينتا`.
    let letters = folded.chars().count();
    let is_dual = letters >= 5
        && ["ان", "ين", "تا", "تي", "تيه", "تيها", "يهما", "اهما"]
            .iter()
            .any(|end| folded.ends_with(end));
    is_dual.then(|| Hints(vec![2.0]))
}

fn arabic_stem(form: &str) -> Option<NumberWord> {
    let scale = match form {
        "الف" | "الفا" | "الاف" | "الافا" | "الوف" => 1e3,
        "الفان" | "الفين" | "الفي" => return Some(Add(2e3)),
        "مليون" | "مليونا" | "ملايين" | "ملايينا" | "م" => 1e6,
        "مليونان" | "مليونين" | "مليوني" => return Some(Add(2e6)),
        "مليار" | "مليارا" | "مليارات" | "بليون" | "بلايين" => 1e9,
        "ملياران" | "مليارين" | "ملياري" => return Some(Add(2e9)),
        "دزينه" => 12.0,
        "تريليون" | "تريليونا" | "تريليونات" | "ترليون" => 1e12,
        "تريليونين" | "تريليونان" | "تريليوني" => return Some(Add(2e12)),
        "مءه" | "ماءه" | "مءات" | "مئات" => return Some(Hundred),
        _ => 0.0,
    };
    if scale > 0.0 {
        return Some(Scale(scale));
    }
    if let Some((_, value)) = ARABIC.iter().find(|(name, _)| *name == form) {
        return Some(Add(*value));
    }
    for (unit, value) in ARABIC_UNITS {
        match form.strip_prefix(unit) {
            Some("" | "ه" | "ا" | "ي" | "يه") => return Some(Add(*value)),
            Some("مءه" | "ماءه") => return Some(Add(*value * 100.0)),
            _ => {}
        }
    }
    let hints: &[f64] = match form {
        "نصف" | "منتصف" => HALF,
        "ثلث" => &[3.0],
        "ثلثي" | "ثلثين" | "ثلثا" => &[3.0, 2.0],
        "ربع" => &[0.25, 25.0, 4.0, 15.0],
        "خمس" => &[5.0, 20.0],
        "كلا" | "كلتا" | "كليهما" | "كلاهما" | "كلتاهما" | "زوج" | "زوجي" | "مرتين" | "ضعف"
        | "ضعفي" | "ضعفين" | "مزدوج" | "مزدوجه" | "ثناءي" | "ثناءيه" | "توءم" | "ثنين" => {
            &[2.0]
        }
        "ثلاثي" | "ثلاثيه" => &[3.0],
        "رباعي" | "رباعيه" => &[4.0],
        "خماسي" | "خماسيه" => &[5.0],
        "سداسي" | "سداسيه" => &[6.0],
        "سباعي" | "سباعيه" => &[7.0],
        "وحيد" | "وحيده" | "مره" | "فردي" | "فرديه" | "ساعه" => &[1.0],
        "عشرات" => &[10.0],
        "عقد" | "عقود" => &[10.0],
        "عقدين" | "عقدان" => &[20.0, 2.0],
        "قرن" | "قرون" => &[100.0],
        "قرنين" => &[200.0, 2.0],
        "ظهر" | "ظهرا" => &[12.0],
        _ => &[],
    };
    if !hints.is_empty() {
        return Some(Hints(hints.to_vec()));
    }
    // Decades: `التسعينيات`, `ثمانينات`.
    let tens = form
        .strip_suffix("ينيات")
        .or_else(|| form.strip_suffix("ينات"))
        .or_else(|| form.strip_suffix("ينيه"))?;
    let value = ARABIC
        .iter()
        .find(|(name, _)| name.strip_suffix("ين") == Some(tens))?
        .1;
    Some(Hints(vec![value, 1900.0 + value]))
}

/// The value of a Roman numeral in capital letters; also in the Cyrillic letters that look alike.
pub(super) fn roman(word: &str) -> Option<f64> {
    let mut total = 0i32;
    let mut last = i32::MAX;
    let mut letters = 0;
    for c in word.chars() {
        let value = match c {
            'I' | 'І' => 1,
            'V' => 5,
            'X' | 'Х' => 10,
            'L' => 50,
            'C' | 'С' => 100,
            'D' => 500,
            'M' | 'М' => 1000,
            _ => return None,
        };
        letters += 1;
        if letters > 9 {
            return None;
        }
        // A smaller letter before a larger one is taken off: it was added one step before.
        total += if value > last {
            value - 2 * last
        } else {
            value
        };
        last = value;
    }
    (letters > 0).then_some(f64::from(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_in_all_their_forms() {
        for (word, expected) in [
            ("fifth", Add(5.0)),
            ("hundreds", Hundred),
            ("nineties", Hints(vec![90.0, 1990.0])),
            ("пятидесяти", Add(50.0)),
            ("пятого", Add(5.0)),
            ("двухсот", Add(200.0)),
            ("миллиардов", Scale(1e9)),
            ("двадцатипятилетний", Hints(vec![25.0])),
            ("девяностых", Hints(vec![90.0, 1990.0])),
            ("والعشرين", Add(20.0)),
            ("ثلاثمائة", Add(300.0)),
            ("ثمانية", Add(8.0)),
            ("بمليوني", Add(2e6)),
            ("ألفًا", Scale(1e3)),
            ("التسعينيات", Hints(vec![90.0, 1990.0])),
            ("كتابين", Hints(vec![2.0])),
        ] {
            assert_eq!(of(word), Some(expected), "{word}");
        }
        for word in ["bridge", "мост", "стол", "جسر"] {
            assert_eq!(of(word), None, "{word}");
        }
        assert_eq!(roman("XXI"), Some(21.0));
        assert_eq!(roman("XIX"), Some(19.0));
        assert_eq!(roman("BBC"), None);
    }
}
