//! The chat template of a model file: messages to the text that the model was trained on.
//!
//! Templates come from strangers. One is read and rendered within limits of length, nesting, steps
//! and output, on a thread whose stack holds what these allow: it gives a text or an error, quickly
//! and in little memory.

mod expression;
mod guarded;
mod limits;

use std::collections::BTreeSet;

use minijinja::{Error, ErrorKind, context};

/// The stack of the thread that renders; only what is touched of it takes memory.
const STACK: usize = 64 << 20;
/// The longest message of an error, in characters.
const MESSAGE: usize = 200;

/// A chat template, with what it is told beside the messages.
#[derive(Debug)]
pub(super) struct ChatTemplate {
    source: String,
    begin: String,
    end: String,
}

impl ChatTemplate {
    /// Reads a template. `begin` and `end` are the texts of the tokens that it knows as `bos_token`
    /// and `eos_token`.
    ///
    /// # Errors
    ///
    /// What is wrong with the template.
    pub(super) fn new(source: &str, begin: String, end: String) -> Result<Self, String> {
        let source = guarded::guarded(source)?;
        Ok(Self { source, begin, end })
    }

    /// Renders messages, given as role and content, up to where the model answers.
    ///
    /// # Errors
    ///
    /// Why the template rejects the messages, or which limit it exceeds.
    pub(super) fn render(&self, messages: &[(&str, &str)]) -> Result<String, String> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || {
                    self.rendered(messages).map_err(|error| describe(&error))
                })
                .map_err(|error| format!("no thread can be started ({error})"))?;
            thread
                .join()
                .unwrap_or_else(|_| Err("the template engine failed".to_owned()))
        })
    }

    fn rendered(&self, messages: &[(&str, &str)]) -> Result<String, Error> {
        let input = messages.iter().map(|(_, content)| content.len()).sum();
        let environment = limits::environment(input);
        let messages: Vec<_> = messages
            .iter()
            .map(|&(role, content)| context! { role => role, content => content })
            .collect();
        environment
            .template_from_str(&self.source)?
            .render(context! {
                messages => messages,
                add_generation_prompt => true,
                enable_thinking => false,
                bos_token => self.begin,
                eos_token => self.end,
            })
    }
}

/// What looks like a marker in a template: words in brackets, as few as there can be.
pub(super) fn markers(source: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (at, _) in source.match_indices(['[', '<']) {
        let rest = &source[at..];
        let open = rest.len() - rest.trim_start_matches(['[', '<']).len();
        let (close, least) = if rest.starts_with('[') {
            (']', 4)
        } else {
            ('>', 3)
        };
        let Some(end) = rest.find(close) else {
            continue;
        };
        let end = end + rest[end..].len() - rest[end..].trim_start_matches(close).len();
        let marker = &rest[..end];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '|' | '｜' | '▁');
        let inner = marker.trim_matches(['[', '<', ']', '>']);
        // `messages[1]` and `x['role']` are no markers.
        let is_upper = inner
            .chars()
            .all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '/'));
        if open <= 2
            && (least..=40).contains(&marker.len())
            && !inner.is_empty()
            && inner.chars().all(is_word)
            && (close == '>' || is_upper)
        {
            found.insert(marker.to_owned());
        }
    }
    found.into_iter().collect()
}

/// An error in one line.
fn describe(error: &Error) -> String {
    let message = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too many steps".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    };
    let line = message.lines().next().unwrap_or_default();
    line.chars()
        .filter(|c| !c.is_control())
        .take(MESSAGE)
        .collect()
}

#[cfg(test)]
mod tests;
