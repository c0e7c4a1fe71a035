//! Arabic words as they are compared: folded, and without the small words written together with them.

/// Letters of Arabic as they are compared: without vowel signs and lengthening, one form of alif,
/// ya and ta marbuta.
pub(crate) fn fold_arabic(word: &str) -> String {
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
pub(crate) fn without_clitics(word: &str) -> Vec<&str> {
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

/// Whether an Arabic word is another one with the small words written together with it, in either.
pub(crate) fn is_arabic_form(word: &str, wanted: &str) -> bool {
    let (word, wanted) = (fold_arabic(word), fold_arabic(wanted));
    let bare = wanted.strip_prefix("ال").unwrap_or(&wanted);
    let forms = without_clitics(&word);
    forms.iter().any(|form| *form == wanted || *form == bare)
}
