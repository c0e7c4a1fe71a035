//! Arabic number words, folded, without the small words written together with them.

use super::HALF;
use super::NumberWord::{self, Add, Hints, Hundred, Scale};
use crate::language::{fold_arabic, without_clitics};

/// Folded stems of the units; they take `ه`, and in compounds with a hundred `مءه`.
pub(super) const ARABIC_UNITS: &[(&str, f64)] = &[
    ("ثلاث", 3.0),
    ("اربع", 4.0),
    ("خمس", 5.0),
    ("ست", 6.0),
    ("سبع", 7.0),
    ("ثماني", 8.0),
    ("ثمان", 8.0),
    ("تسع", 9.0),
];

pub(super) const ARABIC: &[(&str, f64)] = &[
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

pub(super) fn arabic(word: &str) -> Option<NumberWord> {
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

pub(super) fn arabic_stem(form: &str) -> Option<NumberWord> {
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
        "عقد" => &[10.0],
        "عقود" => super::DECADES,
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
