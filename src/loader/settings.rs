//! Settings that some models do not support.

use std::sync::Arc;

use super::{Engine, Loaded};
use crate::error::{Error, Result};
use crate::options::Decoding;
use crate::translators::SegmentModel;

/// A setting that some models do not support.
#[derive(Debug, Clone, Copy)]
enum Setting {
    Beams,
    MaxTokens,
    Context,
}

impl Setting {
    /// The option of the program.
    fn option(self) -> &'static str {
        match self {
            Self::Beams => "--beams",
            Self::MaxTokens => "--max-tokens",
            Self::Context => "--context",
        }
    }
}

impl Engine {
    fn supports(&self, setting: Setting) -> bool {
        match (self, setting) {
            (Self::Instruct(_), Setting::Beams) => false,
            (Self::Instruct(_), Setting::MaxTokens) => true,
            (Self::Instruct(model), Setting::Context) => model.asking().takes_context(),
            // Distilled to be decoded in one way.
            (Self::Segments(SegmentModel::Firefox(_)), _) => false,
            (Self::Segments(SegmentModel::Seq2Seq(_)), Setting::Context) => false,
            (Self::Segments(SegmentModel::Seq2Seq(_)), _) => true,
        }
    }
}

impl Loaded {
    /// Refuses settings that none of the models that work one after the other supports.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub(crate) fn check_settings(
        models: &[Arc<Self>],
        decoding: &Decoding,
        with_context: bool,
    ) -> Result<()> {
        let beams = decoding.beams.is_some_and(|beams| beams > 1);
        let asked = [
            (Setting::Beams, beams),
            (Setting::MaxTokens, decoding.max_tokens.is_some()),
            (Setting::Context, with_context),
        ];
        for (setting, is_asked) in asked {
            let option = setting.option();
            if is_asked && !models.iter().any(|model| model.engine.supports(setting)) {
                let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
                return Err(Error::Usage {
                    message: format!("`{}` takes no notice of `{option}`", ids.join(" + ")),
                    hint: Some(format!(
                        "leave `{option}` out, or name another model with `--model`"
                    )),
                });
            }
        }
        Ok(())
    }
}
