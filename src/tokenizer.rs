//! Text to token ids and back, and prompts of instruct models.
//!
//! The vocabulary and the chat template come from the model's file. Text of users never becomes a
//! control token: a chat marker in an article is encoded as the characters it is written in. What a
//! model thinks before it answers never becomes text.

mod byte_level;
mod encoder;
mod json;
mod markers;
pub(crate) mod pieces;
mod scripts;
mod template;
mod thinking;
mod vocabulary;

use std::path::PathBuf;

use unicode_normalization::UnicodeNormalization;

use crate::decode::TokenId;
use crate::error::{Error, Result};
use crate::networks::decoder::gguf::Gguf;

pub(crate) use scripts::Writing;

use encoder::Pieces;
use markers::Part;
use template::ChatTemplate;
use thinking::Thinking;
use vocabulary::{ENDS, Fault};

/// The tokenizer of an instruct model, with its chat template.
pub(crate) struct ChatTokenizer {
    path: PathBuf,
    pieces: Pieces,
    /// The chat template, or why there is none that can be used.
    template: Result<ChatTemplate, String>,
    /// Whether the template takes no system message, so that it goes before what the user says.
    joins_system: bool,
    /// What stands before a prompt and after it, in place of what the template says.
    frame: Option<(String, String)>,
    /// Markers of the template and of the frame that are no tokens, such as `[INST]` of Llama 2.
    written: Vec<String>,
    /// Whether text is composed (NFC) before it is encoded, as the makers do.
    composes: bool,
    thinking: Thinking,
    stop: Vec<TokenId>,
    /// Which scripts each token has letters of.
    scripts: Vec<u8>,
}

/// A piece of a prompt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// Written by newsml.
    Ours(&'a str),
    /// From a document: whatever it says, it is text.
    Theirs(&'a str),
}

/// One message of a conversation.
pub(crate) struct Message<'a> {
    /// `system`, `user` or `assistant`.
    pub(crate) role: &'static str,
    /// What it says.
    pub(crate) content: Vec<Piece<'a>>,
}

/// Stands for a document's text while the template is rendered; private-use characters, which are
/// taken out of documents, so that no document can contain one.
const PLACE: [char; 2] = ['\u{f8e0}', '\u{f8e1}'];

/// Bytes that a template may add to a conversation, and to each message of one; published ones add some
/// hundred, and fifty.
const ADDED: usize = 2048;
const ADDED_EACH: usize = 128;

impl ChatTokenizer {
    /// Reads vocabulary, merges and chat template from a GGUF file.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedModel`] for a tokenizer or a way to split text that is not known;
    /// [`Error::CorruptModel`] for a vocabulary that contradicts itself. A chat template that is not
    /// there, or cannot be used within its limits, is no error before it is needed.
    pub(crate) fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let vocabulary = vocabulary::read(gguf)?;
        let composes = vocabulary.pre.as_deref() == Some("qwen2");
        let pieces = Pieces::new(vocabulary).map_err(|fault| match fault {
            Fault::Corrupt(message) => gguf.corrupt(message),
            Fault::Unsupported(message) => gguf.unsupported(message),
        })?;
        let text = |id: Option<TokenId>| id.and_then(|id| pieces.token(id)).unwrap_or_default();
        let ends = (text(pieces.begin()), text(pieces.end()));
        let source = gguf.text("tokenizer.chat_template").ok();
        let (template, joins_system) = match source.map(|source| read_template(source, ends)) {
            Some(Ok((template, joins_system))) => (Ok(template), joins_system),
            Some(Err(message)) => (
                Err(format!("its chat template cannot be used: {message}")),
                false,
            ),
            None => (
                Err("the file has no chat template, so it is no instruct model".to_owned()),
                false,
            ),
        };
        let scripts = (0..pieces.len() as TokenId)
            .map(|id| scripts::of(&pieces.bytes(id)))
            .collect();
        let thinking = Thinking::new(|name| pieces.marker(name));
        let written = written(source.unwrap_or_default(), &pieces);
        Ok(Self {
            path: gguf.path().to_path_buf(),
            stop: stop_tokens(gguf, &pieces),
            pieces,
            template,
            joins_system,
            frame: None,
            written,
            composes,
            thinking,
            scripts,
        })
    }

    /// Says how prompts are made of what is asked: with a frame, or else by the chat template; and
    /// which tokens end an answer too.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedModel`] where there is no frame and no template that can be used, and for
    /// a token that the vocabulary does not have.
    pub(crate) fn ask_by(
        &mut self,
        frame: Option<(String, String)>,
        stop: &[String],
    ) -> Result<()> {
        match (&frame, &self.template) {
            (None, Err(message)) => return Err(self.unsupported(message.clone())),
            (None, Ok(_)) => {}
            (Some((before, after)), _) => {
                self.written
                    .extend(written(&format!("{before} {after}"), &self.pieces));
            }
        }
        self.frame = frame;
        for name in stop {
            let id = self.pieces.marker(name).or_else(|| self.only_token(name));
            let id = id.ok_or_else(|| {
                self.unsupported(format!(
                    "the file has no token `{}`, which is to end its answers",
                    name.escape_debug()
                ))
            })?;
            self.stop.push(id);
        }
        Ok(())
    }

    /// The token that a text is, by its name or as it is encoded.
    fn only_token(&self, text: &str) -> Option<TokenId> {
        let named = |id: &TokenId| self.pieces.token(*id) == Some(text);
        if let Some(id) = (0..self.pieces.len() as TokenId).find(named) {
            return Some(id);
        }
        let mut ids = Vec::new();
        self.pieces.encode_plain(text, &mut ids).ok()?;
        match ids.as_slice() {
            [id] => Some(*id),
            _ => None,
        }
    }

    fn unsupported(&self, message: String) -> Error {
        Error::UnsupportedModel {
            path: self.path.clone(),
            message,
        }
    }

    /// The tokens that end an answer.
    pub(crate) fn stop(&self) -> &[TokenId] {
        &self.stop
    }

    /// The ids of a conversation, ready for the model's answer.
    ///
    /// # Errors
    ///
    /// [`Error::Tokenizer`] where the model's template rejects the conversation.
    pub(crate) fn prompt(&self, messages: &[Message<'_>]) -> Result<Vec<TokenId>> {
        let mut theirs = Vec::new();
        let mut contents: Vec<(&str, String)> = messages
            .iter()
            .map(|message| (message.role, placed(&message.content, &mut theirs)))
            .collect();
        let text = match (&self.frame, &self.template) {
            (Some((before, after)), _) => {
                let said: Vec<&str> = contents.iter().map(|(_, said)| said.as_str()).collect();
                format!("{before}{}{after}", said.join("\n\n"))
            }
            (None, Err(message)) => return Err(self.unsupported(message.clone())),
            (None, Ok(template)) => {
                if self.joins_system
                    && let [("system", system), (_, first), ..] = contents.as_mut_slice()
                {
                    *first = format!("{system}\n\n{first}");
                    contents.remove(0);
                }
                let contents: Vec<(&str, &str)> = contents
                    .iter()
                    .map(|(role, content)| (*role, content.as_str()))
                    .collect();
                rendered(template, &contents).map_err(|message| {
                    self.unsupported(format!("its chat template rejects the prompt: {message}"))
                })?
            }
        };
        let mut ids = self.encode_prompt(&text, &theirs)?;
        if let Some(begin) = self.pieces.begins_with()
            && ids.first() != Some(&begin)
        {
            ids.insert(0, begin);
        }
        Ok(ids)
    }

    /// The ids of a rendered prompt. What stands between two markers is encoded as one text, so
    /// that the ids are those of the whole prompt; markers are looked for in what is not theirs.
    fn encode_prompt(&self, text: &str, theirs: &[&str]) -> Result<Vec<TokenId>> {
        let mut ids = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        loop {
            let (ours, after) = rest.split_once(PLACE[0]).unwrap_or((rest, ""));
            for part in self.pieces.parts(ours) {
                match part {
                    Part::Text(text) => plain.push_str(text),
                    Part::Token(id) => {
                        self.encode_plain(&std::mem::take(&mut plain), &mut ids)?;
                        ids.push(id);
                    }
                }
            }
            if after.is_empty() {
                break;
            }
            let (number, after) = after.split_once(PLACE[1]).unwrap_or((after, ""));
            if let Some(text) = number.parse().ok().and_then(|n: usize| theirs.get(n)) {
                plain.push_str(&self.neutral(text));
            }
            rest = after;
        }
        self.encode_plain(&plain, &mut ids)?;
        Ok(ids)
    }

    fn encode_plain(&self, text: &str, ids: &mut Vec<TokenId>) -> Result<()> {
        let encoded = if self.composes {
            let text: String = text.nfc().collect();
            self.pieces.encode_plain(&text, ids)
        } else {
            self.pieces.encode_plain(text, ids)
        };
        encoded.map_err(Error::Tokenizer)
    }

    /// Text of a document without what stands for such text, and with the markers that a template
    /// writes as plain text broken by a space.
    fn neutral(&self, text: &str) -> String {
        let mut text = text.replace(PLACE, "");
        for marker in &self.written {
            if text.contains(marker.as_str()) {
                let mut broken = marker.clone();
                broken.insert(1, ' ');
                text = text.replace(marker.as_str(), &broken);
            }
        }
        text
    }

    /// The tokens that may not be written: those that have letters of scripts which a text may not
    /// have, and markers that do not end an answer. True at their ids.
    pub(crate) fn forbidden(&self, writing: Writing) -> std::sync::Arc<[bool]> {
        let allowed = scripts::allowed(writing);
        let forbid = |(id, scripts): (TokenId, &u8)| {
            let is_foreign = scripts & !allowed != 0;
            let is_marker = self.pieces.kind(id).is_control() || self.thinking.opens(id);
            (is_foreign || is_marker) && !self.stop.contains(&id)
        };
        (0..).zip(&self.scripts).map(forbid).collect()
    }

    /// The ids of a text, equal to llama.cpp's; nothing in it becomes a control token.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<TokenId>> {
        let text = text.replace(PLACE, "");
        self.pieces.encode(&text).map_err(Error::Tokenizer)
    }

    /// Ids to text; control tokens and what the model thought are left out.
    pub(crate) fn decode(&self, ids: &[TokenId]) -> Result<String> {
        let said = self.thinking.said(ids);
        Ok(thinking::answer(&self.pieces.decode(&said)).to_owned())
    }
}

/// A template that takes a conversation, and whether it takes no system message; an error says what
/// is wrong with it.
fn read_template(source: &str, (begin, end): (&str, &str)) -> Result<(ChatTemplate, bool), String> {
    let template = ChatTemplate::new(source, begin.to_owned(), end.to_owned())?;
    let trial = rendered(&template, &[("system", "Translate."), ("user", "Hello.")]);
    let joins_system = trial.is_err();
    if joins_system {
        // The first error says more, unless it is about the system message.
        let alone = rendered(&template, &[("user", "Hello.")]);
        alone.map_err(|message| trial.err().unwrap_or(message))?;
    }
    Ok((template, joins_system))
}

/// A conversation by a template, which may add little to it and repeat none of it: what a prompt says
/// more than the messages do takes time in each layer of the network.
fn rendered(template: &ChatTemplate, messages: &[(&str, &str)]) -> Result<String, String> {
    let text = template.render(messages)?;
    let said: usize = messages.iter().map(|(_, content)| content.len()).sum();
    if text.len() > said + ADDED + ADDED_EACH * messages.len() {
        return Err("it adds too much text to the messages".to_owned());
    }
    let places = |text: &str| text.matches(PLACE[0]).count();
    let placed: usize = messages.iter().map(|(_, content)| places(content)).sum();
    if places(&text) > placed {
        return Err("it repeats what the messages say".to_owned());
    }
    Ok(text)
}

/// The markers in a text that are no tokens.
fn written(text: &str, pieces: &Pieces) -> Vec<String> {
    let markers = template::markers(text).into_iter();
    markers
        .filter(|marker| pieces.marker(marker).is_none())
        .collect()
}

/// A message with places for what is not ours; `theirs` collects what belongs there.
fn placed<'a>(content: &[Piece<'a>], theirs: &mut Vec<&'a str>) -> String {
    let place = |piece: &Piece<'a>| match piece {
        Piece::Ours(text) => (*text).to_owned(),
        Piece::Theirs(text) => {
            theirs.push(*text);
            format!("{}{}{}", PLACE[0], theirs.len() - 1, PLACE[1])
        }
    };
    content.iter().map(place).collect()
}

fn stop_tokens(gguf: &Gguf, pieces: &Pieces) -> Vec<TokenId> {
    let keys = ["eos", "eot", "eom", "padding"];
    let keyed = keys.iter().filter_map(|key| {
        let id = gguf.integer(&format!("tokenizer.ggml.{key}_token_id"));
        TokenId::try_from(id.ok()?).ok()
    });
    let named = ENDS.iter().filter_map(|name| pieces.marker(name));
    let mut stop: Vec<TokenId> = keyed.chain(named).collect();
    stop.sort_unstable();
    stop.dedup();
    stop
}

#[cfg(test)]
mod tests;
