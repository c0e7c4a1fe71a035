//! An article as a text with ordered blocks, and the replacing of its sentences.
//!
//! A [`Document`] is read from plain text (cleaned of what a news page has around its article, or
//! taken as it is) or from a structured format, and gives [`Segment`]s: byte ranges of its text, one
//! a sentence. [`Document::replace`] puts other text in their places and leaves every byte between
//! them as it was, so replacing each segment by itself gives the same document. Where the text stood
//! in its file is kept as well, so that [`Document::to_source`] gives the file with the new text in
//! it. Reading from files is in `read`, writing in `write`, the place of text in a file in `layout`,
//! clean-up in `clean`, what `newsml inspect` shows in `inspect`.

mod clean;
mod clutter;
mod docx;
mod encoding;
mod escape;
mod format;
mod front_matter;
mod html;
mod inspect;
mod json_lines;
mod layout;
mod left_out;
mod lines;
mod markdown;
mod raised;
mod read;
mod records;
mod spans;
mod subtitles;
mod table;
mod write;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

pub use format::{Cleaning, Failure, Format, ReadOptions};
pub use inspect::{InspectedSentence, Inspection};
pub use left_out::{LeftOut, Reason};
pub use read::Documents;

use crate::error::{Error, Result};
use crate::language::{Detection, Language, prose};
use crate::segment;
#[cfg(feature = "memory")]
pub(crate) use encoding::decode as decode_bytes;
#[cfg(feature = "memory")]
pub(crate) use html::tokens;
use layout::{Layout, Shift};
pub(crate) use spans::Glosses;

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
/// are ranges of it, with white space between. Marks, tags, times and the like are no part of it;
/// [`to_source`](Self::to_source) has them.
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
    left_out: Vec<LeftOut>,
    /// Fields of the front matter that have words and are no text of the document.
    kept: Vec<String>,
    fields: Map<String, Value>,
    /// The fields that hold the text, in the order of the layout's values.
    chosen: Vec<String>,
    /// Where the text stands in what it was read from; nothing where it is all there is.
    layout: Option<Layout>,
    /// The file around the layout's source, for formats that are archives.
    archive: Option<docx::Archive>,
    /// Whether the input began with the byte order mark of UTF-8.
    has_mark: bool,
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
            kept: Vec::new(),
            fields: Map::new(),
            chosen: Vec::new(),
            layout: None,
            archive: None,
            has_mark: false,
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
                    Format::JsonLines | Format::Csv | Format::Tsv => {
                        rest.len().min(TITLE_GAP.len())
                    }
                    _ => rest.len() - rest.trim_start().len(),
                }
        })
    }

    /// The text without the headline.
    pub fn body(&self) -> &str {
        self.text.get(self.body_start()..).unwrap_or_default()
    }

    /// The texts of all blocks, with a blank line between: for a reader that wants the words only.
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

    /// Detects the language of all blocks together; where that is none of ours, the language of ours
    /// that most of the text is in, block by block, unless more of it is in others.
    pub fn detect_language(&self) -> Detection {
        let whole = Detection::of(&self.prose());
        if whole.language.is_some() || self.blocks.len() < 2 {
            return whole;
        }
        let mut ours = [0_usize; Language::ALL.len()];
        let mut others = 0;
        // As much as tells; a hostile text may have a million.
        for block in self.blocks.iter().take(MOST_BLOCKS) {
            let text = prose(self.block_text(block));
            let letters = text.chars().filter(|c| c.is_alphabetic());
            let language = Detection::of(&text).language;
            match Language::ALL.iter().position(|own| Some(*own) == language) {
                Some(at) => ours[at] += letters.count(),
                None => others += letters.count(),
            }
        }
        let all: usize = ours.iter().sum::<usize>() + others;
        let most = Language::ALL
            .into_iter()
            .zip(ours)
            .max_by_key(|(_, count)| *count);
        match most {
            Some((language, count)) if count > others => Detection {
                language: Some(language),
                confidence: count as f64 / all as f64,
                looks_like: None,
            },
            _ => whole,
        }
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
    pub fn left_out(&self) -> &[LeftOut] {
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
        let is_usual = |name: &String| name == records::TITLE || name == records::TEXT;
        let chosen = self
            .chosen
            .iter()
            .zip(self.layout.iter().flat_map(|layout| &layout.values));
        for (name, value) in chosen.filter(|(name, _)| !is_usual(name)) {
            let text = self.text.get(value.text.clone()).unwrap_or_default();
            object.insert(name.clone(), Value::from(text));
        }
        // Fields of the usual names may hold something else, where others hold the text.
        let is_free = |name: &str, object: &Map<String, Value>| {
            !object.contains_key(name)
                || self.chosen.iter().all(is_usual)
                || self.chosen.iter().any(|chosen| chosen == name)
        };
        if is_free(records::TITLE, &object) {
            match self.title() {
                Some(title) => drop(object.insert(records::TITLE.to_owned(), Value::from(title))),
                None => drop(object.entry(records::TITLE).or_insert(Value::Null)),
            }
        }
        if is_free(records::TEXT, &object) {
            object.insert(records::TEXT.to_owned(), Value::from(self.body()));
        }
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
            for sentence in self.sentences(block, language) {
                let mut range = sentence;
                range.start += segment::item_marker(&self.text[range.clone()]).unwrap_or(0);
                let sentence = &self.text[range.clone()];
                if !sentence.chars().any(char::is_alphanumeric) || self.is_kept(&range) {
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

    /// The sentences of a block, as ranges of the text. None ends inside what is kept as it is.
    fn sentences(&self, block: &Block, language: Language) -> Vec<Range<usize>> {
        let mut sentences: Vec<Range<usize>> = Vec::new();
        for sentence in segment::sentences(self.block_text(block), language) {
            let range = block.range.start + sentence.start..block.range.start + sentence.end;
            match sentences.last_mut() {
                Some(last)
                    if self
                        .layout
                        .as_ref()
                        .and_then(|layout| layout.kept_at(last.end))
                        .is_some_and(|kept| range.start < kept.end) =>
                {
                    last.end = range.end;
                }
                _ => sentences.push(range),
            }
        }
        sentences
    }

    fn is_kept(&self, range: &Range<usize>) -> bool {
        self.layout
            .as_ref()
            .is_some_and(|layout| layout.is_kept(range))
    }

    /// Texts inside the segments (links, emphasis) whose translations tell
    /// [`replace_with`](Self::replace_with) where they belong.
    pub(crate) fn texts_of_spans(&self, segments: &[Segment]) -> Vec<&str> {
        let Some(layout) = &self.layout else {
            return Vec::new();
        };
        segments
            .iter()
            .flat_map(|segment| layout.texts_of_spans(&segment.range, self.segment_text(segment)))
            .collect()
    }

    /// The document with the i-th replacement in place of the i-th segment, and everything between
    /// the segments byte for byte as it was.
    ///
    /// `segments` are in order and do not overlap, as [`segments`](Self::segments) gives them. White
    /// space around a replacement is dropped, and a line break in one becomes a space where the
    /// segment had none, so that a paragraph stays one paragraph; where a replacement leaves
    /// nothing, the segment is left as it is. The language is no longer known.
    ///
    /// What stands inside a segment in the document's own format (links, emphasis, the breaks between
    /// subtitles) goes to the words that are the same, else to its share of the segment.
    ///
    /// # Errors
    /// [`Error::Usage`] where the numbers differ, or a segment is not of this document.
    pub fn replace<S: AsRef<str>>(&self, segments: &[Segment], replacements: &[S]) -> Result<Self> {
        self.replace_with(segments, replacements, &Glosses::new())
    }

    /// As [`replace`](Self::replace), with translations of what stands inside segments, by the texts
    /// that [`texts_of_spans`](Self::texts_of_spans) gave.
    pub(crate) fn replace_with<S: AsRef<str>>(
        &self,
        segments: &[Segment],
        replacements: &[S],
        glosses: &Glosses,
    ) -> Result<Self> {
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
            let new = replacement_of(old, replacement.as_ref());
            let fitted = match &self.layout {
                Some(layout) if new != old => layout.fit(&segment.range, old, &new, glosses),
                _ => None,
            };
            text.push_str(fitted.as_ref().map_or(&new, |fitted| &fitted.text));
            shifts.push(Shift {
                old: segment.range.clone(),
                new: start..text.len(),
                fitted,
            });
            at = segment.range.end;
        }
        text.push_str(&self.text[at..]);
        let blocks = self
            .blocks
            .iter()
            .map(|block| Block {
                kind: block.kind,
                range: layout::moved(&shifts, block.range.start)
                    ..layout::moved(&shifts, block.range.end),
            })
            .collect();
        let layout = self
            .layout
            .as_ref()
            .map(|layout| layout.replaced(&self.text, &text, &shifts));
        Ok(Self {
            text,
            blocks,
            layout,
            language: None,
            ..self.clone()
        })
    }
}

/// How many blocks are looked at to tell the language of a mixed document.
const MOST_BLOCKS: usize = 256;

/// What stands between a title and a text that were read apart.
const TITLE_GAP: &str = "\n\n";

/// What is put in the place of `old` for `new`.
fn replacement_of<'a>(old: &'a str, new: &'a str) -> Cow<'a, str> {
    let trimmed = new.trim();
    if new == old || trimmed.is_empty() {
        Cow::Borrowed(old)
    } else if old.contains(['\n', '\r']) || !trimmed.contains(['\n', '\r']) {
        Cow::Borrowed(trimmed)
    } else {
        let lines = trimmed.split(['\n', '\r']).map(str::trim);
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        Cow::Owned(lines.join(" "))
    }
}

#[cfg(test)]
mod tests;
