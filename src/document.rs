//! An article as a text with ordered blocks, and the replacing of its sentences.
//!
//! A [`Document`] is read from plain text (cleaned of what a news page has around its article, or
//! taken as it is) or from a structured format, and gives [`Segment`]s: byte ranges of its text, one
//! a sentence. [`Document::replace`] puts other text in their places and leaves every byte between
//! them as it was, so replacing each segment by itself gives the same document. Reading from files
//! is in `read`, clean-up in `clean`, what `newsml inspect` shows in `inspect`.

mod clean;
mod clutter;
mod encoding;
mod html;
mod inspect;
mod json_lines;
mod lines;
mod markdown;
mod read;
mod subtitles;

use std::ops::Range;

use serde_json::{Map, Value};

pub use inspect::{InspectedSentence, Inspection};
pub use read::{Cleaning, Documents, Failure, Format, ReadOptions};

use crate::error::{Error, Result};
use crate::language::{Detection, Language};
use crate::segment;

/// What a block of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockKind {
    /// The headline of the article; at most one, and the first block.
    Headline,
    /// A heading inside the article.
    Heading,
    /// A paragraph.
    Paragraph,
    /// An item of a list, its marker included.
    ListItem,
}

/// A stretch of a document's text: a headline, a paragraph, an item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its byte range in [`Document::text`], without the white space around it.
    pub range: Range<usize>,
}

/// A sentence of a document: what is translated as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Index of the block in [`Document::blocks`].
    pub block: usize,
    /// Byte range in [`Document::text`], without the white space around it.
    pub range: Range<usize>,
}

/// An article.
///
/// Its text is one string: the headline, where there is one, then the body; [`blocks`](Self::blocks)
/// are ranges of it. Between blocks lies white space, and in formats that are kept as they are
/// (Markdown, subtitles) whatever is not text: marks, code, times.
///
/// ```
/// use newsml::{Document, Language};
/// let document = Document::from_text("note", "A headline of six good words\n\nFirst sentence of the article, which is long enough. Second one.")?;
/// let segments = document.segments(Language::English);
/// let shouted: Vec<String> = segments.iter().map(|segment| document.segment_text(segment).to_uppercase()).collect();
/// let result = document.replace(&segments, &shouted)?;
/// assert_eq!(result.title(), Some("A HEADLINE OF SIX GOOD WORDS"));
/// assert_eq!(result.body(), "FIRST SENTENCE OF THE ARTICLE, WHICH IS LONG ENOUGH. SECOND ONE.");
/// # Ok::<(), newsml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    name: String,
    text: String,
    blocks: Vec<Block>,
    language: Option<Language>,
    format: Format,
    encoding: &'static str,
    byline: Option<String>,
    date: Option<String>,
    left_out: Vec<String>,
    fields: Map<String, Value>,
}

impl Document {
    /// Reads a news article from plain text: a page pasted as text, or the article alone.
    ///
    /// Navigation, captions, credits, section labels, share buttons, related headlines, tags and
    /// comment widgets are left out ([`left_out`](Self::left_out) tells which), control characters
    /// too; paragraphs broken at a fixed width are joined, and blocks are parted by one blank line.
    /// `name` stands for the document in messages and, where there is no other, as its `id`.
    ///
    /// # Errors
    /// [`Error::EmptyInput`] where the text holds nothing but white space and control characters.
    pub fn from_text(name: impl Into<String>, text: &str) -> Result<Self> {
        let name = name.into();
        let cleaned = clean::clean(text);
        if cleaned.blocks.is_empty() {
            return Err(Error::EmptyInput { name });
        }
        Ok(Self {
            byline: cleaned.byline,
            date: cleaned.date,
            left_out: cleaned.left_out,
            ..Self::of_blocks(name, cleaned.text, cleaned.blocks)
        })
    }

    /// Takes plain text as it is: every byte is kept, blank lines part the paragraphs, no headline
    /// is sought.
    ///
    /// # Errors
    /// [`Error::EmptyInput`] where the text holds nothing but white space and control characters.
    pub fn raw(name: impl Into<String>, text: impl Into<String>) -> Result<Self> {
        let (name, text) = (name.into(), text.into());
        let blocks = lines::raw_blocks(&text, 0);
        if blocks.is_empty() {
            return Err(Error::EmptyInput { name });
        }
        Ok(Self::of_blocks(name, text, blocks))
    }

    /// A document with these blocks and nothing else.
    fn of_blocks(name: String, text: String, blocks: Vec<Block>) -> Self {
        Self {
            name,
            text,
            blocks,
            language: None,
            format: Format::Text,
            encoding: "UTF-8",
            byline: None,
            date: None,
            left_out: Vec::new(),
            fields: Map::new(),
        }
    }

    /// What the document is called: its `id` where it has one, else its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text: headline and body.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The blocks in order. The ranges do not overlap.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The text of a block.
    pub fn block_text(&self, block: &Block) -> &str {
        self.text.get(block.range.clone()).unwrap_or_default()
    }

    /// The text of a segment.
    pub fn segment_text(&self, segment: &Segment) -> &str {
        self.text.get(segment.range.clone()).unwrap_or_default()
    }

    /// The headline, where there is one.
    pub fn title(&self) -> Option<&str> {
        self.headline().map(|block| self.block_text(block))
    }

    fn headline(&self) -> Option<&Block> {
        self.blocks
            .first()
            .filter(|block| block.kind == BlockKind::Headline)
    }

    /// The byte offset in [`text`](Self::text) at which the body begins: after the headline and the
    /// white space that follows it; 0 where there is no headline.
    pub fn body_start(&self) -> usize {
        self.headline().map_or(0, |headline| {
            let rest = &self.text[headline.range.end..];
            headline.range.end
                + match self.format {
                    // A title of its own is put before the text with one blank line.
                    Format::JsonLines => rest.len().min(TITLE_GAP.len()),
                    _ => rest.len() - rest.trim_start().len(),
                }
        })
    }

    /// The text without the headline.
    pub fn body(&self) -> &str {
        self.text.get(self.body_start()..).unwrap_or_default()
    }

    /// The texts of all blocks, with a blank line between: for a reader that wants the words only.
    /// [`text`](Self::text) has whatever else the format keeps there, such as the times of subtitles.
    pub fn prose(&self) -> String {
        let parts: Vec<&str> = self
            .blocks
            .iter()
            .map(|block| self.block_text(block))
            .collect();
        parts.join(TITLE_GAP)
    }

    /// The language the input says it is in, or that was set; `None` where nobody said.
    pub fn language(&self) -> Option<Language> {
        self.language
    }

    /// Says which language the text is in.
    pub fn set_language(&mut self, language: Option<Language>) {
        self.language = language;
    }

    /// Detects the language of all blocks together.
    pub fn detect_language(&self) -> Detection {
        Detection::of(&self.prose())
    }

    /// Detects the language of each block, in the order of [`blocks`](Self::blocks): a document may
    /// quote, or be half translated already.
    pub fn detect_blocks(&self) -> Vec<Detection> {
        self.blocks
            .iter()
            .map(|block| Detection::of(self.block_text(block)))
            .collect()
    }

    /// The format it was read from.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The name of the encoding it was read from.
    pub fn encoding(&self) -> &'static str {
        self.encoding
    }

    /// The line that names the author, where one was found and left out.
    pub fn byline(&self) -> Option<&str> {
        self.byline.as_deref()
    }

    /// The line that names the day of publication, where one was found and left out.
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// The lines that clean-up left out, in order.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The fields of the JSON object it was read from, in order; empty for other formats.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The document as a JSON object: the fields it was read with, in their order, with `id`,
    /// `title`, `text` and `language` as they are now.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = self.fields.clone();
        if !object.contains_key("id") {
            let mut with_id = Map::new();
            with_id.insert("id".to_owned(), Value::from(self.name.clone()));
            with_id.extend(object);
            object = with_id;
        }
        match self.title() {
            Some(title) => drop(object.insert("title".to_owned(), Value::from(title))),
            None => drop(object.entry("title").or_insert(Value::Null)),
        }
        object.insert("text".to_owned(), Value::from(self.body()));
        if let Some(language) = self.language {
            object.insert("language".to_owned(), Value::from(language.code()));
        }
        object
    }

    /// The sentences of all blocks in order, by the sentence rules of `language`.
    ///
    /// A list marker belongs to no segment, and neither does a sentence without a letter or a digit
    /// (`* * *`), so both stay as they are.
    pub fn segments(&self, language: Language) -> Vec<Segment> {
        self.segments_fitting(language, |_| true)
    }

    /// The sentences of all blocks in order, those parted that do not fit a model; see
    /// [`split_long`](crate::split_long) for what is asked of `fits`.
    pub fn segments_fitting(
        &self,
        language: Language,
        mut fits: impl FnMut(&str) -> bool,
    ) -> Vec<Segment> {
        let mut segments = Vec::new();
        for (index, block) in self.blocks.iter().enumerate() {
            for sentence in segment::sentences(self.block_text(block), language) {
                let mut range =
                    block.range.start + sentence.start..block.range.start + sentence.end;
                range.start += segment::item_marker(&self.text[range.clone()]).unwrap_or(0);
                let sentence = &self.text[range.clone()];
                if !sentence.chars().any(char::is_alphanumeric) {
                    continue;
                }
                for piece in segment::split_long(sentence, &mut fits) {
                    segments.push(Segment {
                        block: index,
                        range: range.start + piece.start..range.start + piece.end,
                    });
                }
            }
        }
        segments
    }

    /// The document with the i-th replacement in place of the i-th segment, and everything between
    /// the segments byte for byte as it was.
    ///
    /// `segments` are in order and do not overlap, as [`segments`](Self::segments) gives them. White
    /// space around a replacement is dropped, and a line break in one becomes a space where the
    /// segment had none, so that a paragraph stays one paragraph; where a replacement leaves
    /// nothing, the segment is left as it is. The language is no longer known.
    ///
    /// # Errors
    /// [`Error::Usage`] where the numbers differ, or a segment is not of this document.
    pub fn replace<S: AsRef<str>>(&self, segments: &[Segment], replacements: &[S]) -> Result<Self> {
        let wrong = |message: &str| Error::Usage {
            message: message.to_owned(),
            hint: None,
        };
        if segments.len() != replacements.len() {
            return Err(wrong(
                "the number of replacements is not the number of segments",
            ));
        }
        let mut text = String::with_capacity(self.text.len());
        let mut shifts = Vec::with_capacity(segments.len());
        let mut at = 0;
        for (segment, replacement) in segments.iter().zip(replacements) {
            let (gap, old) = match (
                self.text.get(at..segment.range.start),
                self.text.get(segment.range.clone()),
            ) {
                (Some(gap), Some(old)) => (gap, old),
                _ => {
                    return Err(wrong(
                        "the segments are not of this document, or not in order",
                    ));
                }
            };
            text.push_str(gap);
            let start = text.len();
            push_replacement(&mut text, old, replacement.as_ref());
            shifts.push((segment.range.clone(), start..text.len()));
            at = segment.range.end;
        }
        text.push_str(&self.text[at..]);
        let blocks = move_blocks(&self.blocks, &shifts);
        Ok(Self {
            text,
            blocks,
            language: None,
            ..self.clone()
        })
    }
}

/// What stands between a title and a text that were read apart.
const TITLE_GAP: &str = "\n\n";

fn push_replacement(text: &mut String, old: &str, new: &str) {
    let trimmed = new.trim();
    if new == old || trimmed.is_empty() {
        text.push_str(old);
    } else if old.contains(['\n', '\r']) || !trimmed.contains(['\n', '\r']) {
        text.push_str(trimmed);
    } else {
        for (index, line) in trimmed
            .split(['\n', '\r'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .enumerate()
        {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
}

/// Blocks after their segments moved: `shifts` holds old and new ranges, in order.
fn move_blocks(blocks: &[Block], shifts: &[(Range<usize>, Range<usize>)]) -> Vec<Block> {
    let mut next = 0;
    // How far the text after the segments passed so far has moved: new end and old end.
    let mut moved = (0, 0);
    blocks
        .iter()
        .map(|block| {
            while next < shifts.len() && shifts[next].0.end <= block.range.start {
                moved = (shifts[next].1.end, shifts[next].0.end);
                next += 1;
            }
            let start = block.range.start - moved.1 + moved.0;
            while next < shifts.len() && shifts[next].0.end <= block.range.end {
                moved = (shifts[next].1.end, shifts[next].0.end);
                next += 1;
            }
            Block {
                kind: block.kind,
                range: start..block.range.end - moved.1 + moved.0,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
