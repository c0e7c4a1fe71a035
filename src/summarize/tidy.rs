//! Takes off what models write around a summary, and what is beyond the length asked for.

use crate::decode::Finish;
use crate::engine::Answer;
use crate::language::Language;
use crate::prompts::Length;
use crate::segment::sentences;

/// Takes off what models write around a summary, and sentences beyond the length asked for; an
/// answer cut off by its limit ends with its last whole sentence.
pub(super) fn tidied(answer: Answer, length: Length, language: Language) -> (String, Finish) {
    let Answer { text, mut finish } = answer;
    let mut text = if length == Length::Headline {
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default()
            .to_owned()
    } else {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for marker in ["<article>", "</article>", "**"] {
        text = text.replace(marker, "");
    }
    if length == Length::Headline {
        let quotes = ['"', '«', '»', '“', '”', '#', ' '];
        let bare = text.trim_matches(quotes);
        // Quotation marks within the headline stay.
        if !bare.contains(quotes.split_at(6).0) {
            text = bare.to_owned();
        }
        if let Some(bare) = text.strip_suffix('.')
            && !bare.contains('.')
        {
            text = bare.to_owned();
        }
        return (text.trim().to_owned(), finish);
    }
    text = without_repetition(&text, language);
    let ranges = sentences(&text, language);
    let mut keep = ranges.len().min(length.most_sentences());
    let whole = |end: usize| {
        text[..end]
            .trim_end()
            .ends_with(['.', '!', '?', '؟', '…', '"', '»', '”'])
    };
    if finish == Finish::Length && keep == ranges.len() && keep > 1 && !whole(text.len()) {
        keep -= 1;
    }
    if let Some(last) = keep.checked_sub(1).and_then(|last| ranges.get(last)) {
        let cut = last.end < text.len();
        text.truncate(last.end);
        if cut {
            finish = Finish::Stop;
        }
    }
    (text.trim().to_owned(), finish)
}

/// Drops sentences most of whose words stand in one sentence before them.
fn without_repetition(text: &str, language: Language) -> String {
    let mut kept: Vec<(&str, Vec<String>)> = Vec::new();
    for range in sentences(text, language) {
        let sentence = &text[range];
        let words: Vec<String> = sentence
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 3)
            .map(str::to_lowercase)
            .collect();
        let repeats = |(_, before): &(&str, Vec<String>)| {
            let again = words.iter().filter(|word| before.contains(word)).count();
            words.len() >= 4 && again * 10 >= words.len() * 8
        };
        if !kept.iter().any(repeats) {
            kept.push((sentence, words));
        }
    }
    let sentences: Vec<&str> = kept.iter().map(|(sentence, _)| sentence.trim()).collect();
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidy(text: &str, length: Length, finish: Finish) -> (String, Finish) {
        let answer = Answer {
            text: text.to_owned(),
            finish,
        };
        tidied(answer, length, Language::English)
    }

    #[test]
    fn summaries_have_at_most_their_sentences() {
        let text = "One thing happened. Two men saw it. A third heard of it. Nobody else did.";
        let (found, finish) = tidy(text, Length::Short, Finish::Stop);
        assert_eq!(
            found,
            "One thing happened. Two men saw it. A third heard of it."
        );
        assert_eq!(finish, Finish::Stop);
    }

    #[test]
    fn an_answer_that_was_cut_ends_with_a_whole_sentence() {
        let (found, finish) = tidy(
            "The bridge opened. The minister said that",
            Length::Short,
            Finish::Length,
        );
        assert_eq!(found, "The bridge opened.");
        assert_eq!(finish, Finish::Stop);
    }

    #[test]
    fn sentences_said_twice_are_said_once() {
        let text = "The minister opened the new bridge on Monday. On Monday the minister opened the new bridge there.";
        assert_eq!(
            tidy(text, Length::Short, Finish::Stop).0,
            "The minister opened the new bridge on Monday."
        );
    }

    #[test]
    fn headlines_are_one_bare_line() {
        let headline = |text: &str| tidy(text, Length::Headline, Finish::Stop).0;
        assert_eq!(
            headline("\"Bridge opens in the south.\"\n\nMore text"),
            "Bridge opens in the south"
        );
        assert_eq!(
            headline("Minister: \"Bridge is safe\""),
            "Minister: \"Bridge is safe\""
        );
    }
}
