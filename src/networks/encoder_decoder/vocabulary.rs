//! Which stored matrices are the embeddings and the head of a checkpoint.
//!
//! Checkpoints tie these matrices in every combination, store one matrix under one to four names,
//! and do not always say so in their configuration. What the file holds decides: a name that is
//! there with numbers of its own is a matrix of its own, as in transformers since version 5.
//!
//! One matrix is an exception. The converter that made `opus-mt-tc-big` never filled the head that
//! it stored beside the embeddings: it holds what the network was initialized with, and
//! transformers before version 5 replaced it by the embeddings when loading.

use std::sync::Arc;

use super::loader::{Loader, Matrix};
use crate::error::{Error, Result};

/// The matrices between tokens and the network; those that are tied are one.
pub(crate) struct Vocabulary {
    /// Embeddings of source tokens.
    pub(crate) source: Arc<Matrix>,
    /// Embeddings of target tokens.
    pub(crate) target: Arc<Matrix>,
    /// From states to scores.
    pub(crate) head: Arc<Matrix>,
}

/// Where a family keeps its matrices.
pub(crate) struct Layout<'a> {
    /// Names under which the embeddings of source tokens may be; the first that is there counts.
    pub(crate) source: &'a [&'a str],
    /// The same for target tokens.
    pub(crate) target: &'a [&'a str],
    /// The name of the head.
    pub(crate) head: &'a str,
    /// Tokens of each side.
    pub(crate) sizes: (usize, usize),
    /// Whether a matrix may have more lines than there are tokens.
    pub(crate) padded: bool,
    /// Features of a token.
    pub(crate) width: usize,
    /// What the configuration says of the head.
    pub(crate) tied: Tied,
}

/// What a configuration says of the head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tied {
    /// It is the embeddings, and networks are initialized with this standard deviation.
    Yes {
        /// `init_std`.
        initial: f64,
    },
    /// It is a matrix of its own, which must be there.
    No,
    /// Nothing that could be relied on.
    Unsaid,
}

impl Layout<'_> {
    /// Reads the matrices.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptModel`] where one is missing or has another shape.
    pub(crate) fn load(&self, loader: &Loader) -> Result<Vocabulary> {
        let source_name = self.first_of(self.source, loader)?;
        let target_name = self.first_of(self.target, loader)?;
        let source = self.matrix(source_name, self.sizes.0, loader)?;
        let target =
            if target_name == source_name || !loader.is_another(target_name, source_name)? {
                Arc::clone(&source)
            } else {
                self.matrix(target_name, self.sizes.1, loader)?
            };
        let stored = loader.contains(self.head) && self.head != target_name;
        if !stored && self.tied == Tied::No && self.head != target_name {
            return Err(self.missing(&[self.head], loader));
        }
        let own = stored
            && loader.is_another(self.head, target_name)?
            && match self.tied {
                Tied::Yes { initial } => !loader.is_untrained(self.head, initial)?,
                Tied::No | Tied::Unsaid => true,
            };
        let head = if own {
            self.matrix(self.head, self.sizes.1, loader)?
        } else {
            Arc::clone(&target)
        };
        Ok(Vocabulary {
            source,
            target,
            head,
        })
    }

    fn first_of<'n>(&self, names: &[&'n str], loader: &Loader) -> Result<&'n str> {
        let found = names.iter().copied().find(|name| loader.contains(name));
        found.ok_or_else(|| self.missing(names, loader))
    }

    fn missing(&self, names: &[&str], loader: &Loader) -> Error {
        let which = match names {
            [name] => format!("no tensor `{name}`"),
            _ => format!("none of the tensors `{}`", names.join("`, `")),
        };
        Error::CorruptModel {
            path: loader.path().to_path_buf(),
            message: format!("it has {which}"),
        }
    }

    fn matrix(&self, name: &str, size: usize, loader: &Loader) -> Result<Arc<Matrix>> {
        let stored = loader
            .shape(name)
            .and_then(|shape| shape.first().copied())
            .filter(|&lines| self.padded && lines >= size);
        loader.matrix(&[(name.to_owned(), stored.unwrap_or(size))], self.width)
    }
}
