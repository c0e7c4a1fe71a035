//! Text to token ids and back, and prompts of instruct models.
//!
//! The vocabulary and the chat template come from the model's file. Text of users never becomes a
//! control token: a chat marker in an article is encoded as the characters it is written in.

use candle_core::quantized::tokenizer::TokenizerFromGguf;
use minijinja::{Environment, context};
use tokenizers::Tokenizer;

use crate::error::{Error, Result};
use crate::models::TokenId;
use crate::models::gguf::Gguf;

/// The tokenizer of an instruct model, with its chat template.
pub(crate) struct ChatTokenizer {
    tokenizer: Tokenizer,
    template: Environment<'static>,
    stop: Vec<TokenId>,
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

impl ChatTokenizer {
    /// Reads vocabulary, merges and chat template from a GGUF file.
    pub(crate) fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let mut tokenizer = Tokenizer::from_gguf(gguf.content())
            .map_err(|error| gguf.corrupt(format!("its tokenizer cannot be read ({error})")))?;
        tokenizer.set_encode_special_tokens(true);
        let source = gguf.text("tokenizer.chat_template").map_err(|_| {
            gguf.unsupported("the file has no chat template, so it is no instruct model".to_owned())
        })?;
        let mut template = Environment::new();
        minijinja_contrib::add_to_environment(&mut template);
        template.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        template
            .add_template_owned("chat", source.to_owned())
            .map_err(|error| {
                gguf.unsupported(format!("its chat template cannot be used ({error})"))
            })?;
        let mut stop = Vec::new();
        for key in [
            "tokenizer.ggml.eos_token_id",
            "tokenizer.ggml.eot_token_id",
            "tokenizer.ggml.padding_token_id",
        ] {
            stop.extend(
                gguf.integer(key)
                    .ok()
                    .and_then(|id| TokenId::try_from(id).ok()),
            );
        }
        stop.extend(
            ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<end_of_turn>"]
                .iter()
                .filter_map(|t| tokenizer.token_to_id(t)),
        );
        stop.sort_unstable();
        stop.dedup();
        Ok(Self {
            tokenizer,
            template,
            stop,
        })
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
        let rendered: Vec<_> = messages
            .iter()
            .map(|message| {
                let content: String = message
                    .content
                    .iter()
                    .map(|piece| match piece {
                        Piece::Ours(text) => (*text).to_owned(),
                        Piece::Theirs(text) => {
                            theirs.push(*text);
                            format!("{}{}{}", PLACE[0], theirs.len() - 1, PLACE[1])
                        }
                    })
                    .collect();
                context! { role => message.role, content => content }
            })
            .collect();
        let text = self
            .template
            .get_template("chat")
            .and_then(|template| {
                template.render(context! { messages => rendered, add_generation_prompt => true })
            })
            .map_err(|error| {
                Error::Tokenizer(format!("the chat template rejects the prompt ({error})"))
            })?;
        let mut ids = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(PLACE[0]) {
            self.encode_ours(before, &mut ids)?;
            let (number, after) = after.split_once(PLACE[1]).unwrap_or((after, ""));
            if let Some(text) = number
                .parse()
                .ok()
                .and_then(|number: usize| theirs.get(number))
            {
                ids.extend(self.encode(text)?);
            }
            rest = after;
        }
        self.encode_ours(rest, &mut ids)?;
        Ok(ids)
    }

    /// Text as plain text: nothing in it becomes a control token.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<TokenId>> {
        let text = text.replace(PLACE, "");
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|error| Error::Tokenizer(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Text of the template: its markers are control tokens.
    fn encode_ours(&self, text: &str, ids: &mut Vec<TokenId>) -> Result<()> {
        let mut plain = 0;
        let mut at = 0;
        while let Some(found) = text[at..].find("<|") {
            let start = at + found;
            let end = text[start..].find("|>").map(|end| start + end + 2);
            let marker =
                end.and_then(|end| Some((end, self.tokenizer.token_to_id(&text[start..end])?)));
            match marker {
                Some((end, id)) => {
                    if plain < start {
                        ids.extend(self.encode(&text[plain..start])?);
                    }
                    ids.push(id);
                    (plain, at) = (end, end);
                }
                None => at = start + 2,
            }
        }
        if plain < text.len() {
            ids.extend(self.encode(&text[plain..])?);
        }
        Ok(())
    }

    /// Ids to text; control tokens are left out.
    pub(crate) fn decode(&self, ids: &[TokenId]) -> Result<String> {
        self.tokenizer
            .decode(ids, true)
            .map_err(|error| Error::Tokenizer(error.to_string()))
    }
}
