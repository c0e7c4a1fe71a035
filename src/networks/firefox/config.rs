//! What a network looks like, from the options that it was trained with (`special:model.yml`).
//!
//! Only options that change the arithmetic are looked at. A value that this family does not have
//! is refused with its key, so that no model is run as something that it is not. Sizes of matrices
//! come from the matrices.

/// The shape of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) encoder_layers: usize,
    pub(super) decoder_layers: usize,
    pub(super) heads: usize,
    pub(super) width: usize,
    /// Sizes of the source and the target vocabulary.
    pub(super) vocabularies: (usize, usize),
    pub(super) embeddings: Embeddings,
}

/// Which embedding matrices are one and the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Embeddings {
    /// Source, target and output layer share one.
    AllTied,
    /// Target and output layer share one.
    TargetAndOutputTied,
}

/// What is wrong with the options.
#[derive(Debug)]
pub(super) enum ConfigError {
    /// They cannot be read.
    Damaged(String),
    /// They ask for something that is not built here.
    Unsupported(String),
}

/// Options that must have one of these values where they are given, the first being the default.
const REQUIRED: &[(&str, &[&str])] = &[
    ("type", &["transformer"]),
    ("transformer-decoder-autoreg", &["rnn"]),
    ("dec-cell", &["ssru"]),
    ("transformer-preprocess", &["", "d"]),
    ("transformer-postprocess", &["dan", "an"]),
    ("transformer-postprocess-emb", &["d", ""]),
    ("transformer-postprocess-top", &["", "d"]),
    ("transformer-ffn-activation", &["relu"]),
    ("transformer-ffn-depth", &["2"]),
    ("transformer-decoder-ffn-depth", &["0", "2"]),
    ("transformer-no-projection", &["false"]),
    ("transformer-no-bias", &["false"]),
    ("transformer-no-affine", &["false"]),
    ("transformer-rnn-projection", &["false"]),
    ("transformer-pool", &["false"]),
    ("transformer-train-positions", &["false"]),
    ("transformer-train-position-embeddings", &["false"]),
    ("transformer-tied-layers", &["", "[]"]),
    ("layer-normalization", &["false"]),
    ("output-omit-bias", &["false"]),
    ("lemma-dim-emb", &["0"]),
    ("ulr", &["false"]),
    ("input-types", &["", "[]"]),
];

impl Config {
    /// Reads the options.
    pub(super) fn parse(yaml: &str) -> Result<Self, ConfigError> {
        let options = Options::parse(yaml);
        for (key, allowed) in REQUIRED {
            let value = match options.list(key) {
                Some(list) if !list.is_empty() => list.join(", "),
                _ => options.value(key).unwrap_or(allowed[0]).to_owned(),
            };
            if !allowed.contains(&value.as_str()) {
                return Err(ConfigError::Unsupported(format!(
                    "`{key}` is `{value}`, expected `{}`",
                    allowed[0]
                )));
            }
        }
        let vocabularies = match options.list("dim-vocabs").unwrap_or_default() {
            [source, target] => (number("dim-vocabs", source)?, number("dim-vocabs", target)?),
            other => {
                return Err(ConfigError::Damaged(format!(
                    "`dim-vocabs` has {} values, expected 2",
                    other.len()
                )));
            }
        };
        let heads_and_width = (
            options.number("transformer-heads")?,
            options.number("dim-emb")?,
        );
        let (heads, width) = heads_and_width;
        if heads == 0 || width == 0 || width % heads != 0 {
            return Err(ConfigError::Damaged(format!(
                "`dim-emb` is {width} and `transformer-heads` is {heads}"
            )));
        }
        if width % 64 != 0 || (width / heads) % 16 != 0 {
            return Err(ConfigError::Unsupported(format!(
                "`dim-emb` is {width} and `transformer-heads` is {heads}, expected a multiple of 64 and of 16 a head"
            )));
        }
        let is_set = |key| options.value(key) == Some("true");
        let embeddings = match (is_set("tied-embeddings"), is_set("tied-embeddings-src")) {
            _ if is_set("tied-embeddings-all") => Embeddings::AllTied,
            (true, true) => Embeddings::AllTied,
            (true, false) => Embeddings::TargetAndOutputTied,
            (false, _) => {
                return Err(ConfigError::Unsupported(
                    "`tied-embeddings` is `false`, expected `true`".to_owned(),
                ));
            }
        };
        Ok(Self {
            encoder_layers: options.layers("enc-depth")?,
            decoder_layers: options.layers("dec-depth")?,
            heads,
            width,
            vocabularies,
            embeddings,
        })
    }
}

fn number(key: &str, value: &str) -> Result<usize, ConfigError> {
    value
        .parse()
        .map_err(|_| ConfigError::Damaged(format!("`{key}` is `{value}`, expected a number")))
}

/// The flat part of YAML that Marian writes: `key: value` and lists of plain values.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    entries: Vec<(&'a str, &'a str, Vec<&'a str>)>,
}

impl<'a> Options<'a> {
    pub(super) fn parse(yaml: &'a str) -> Self {
        let mut entries: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for line in yaml.lines() {
            let trimmed = line.trim();
            if let Some(value) = trimmed.strip_prefix("- ") {
                if let Some((_, _, list)) = entries.last_mut() {
                    list.push(unquote(value));
                }
            } else if !line.starts_with([' ', '#'])
                && let Some((key, value)) = trimmed.split_once(':')
            {
                entries.push((key.trim(), unquote(value), Vec::new()));
            }
        }
        Self { entries }
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        self.entries
            .iter()
            .find(|(name, ..)| *name == key)
            .map(|(_, value, _)| *value)
    }

    fn list(&self, key: &str) -> Option<&[&'a str]> {
        self.entries
            .iter()
            .find(|(name, ..)| *name == key)
            .map(|(_, _, list)| list.as_slice())
    }

    fn number(&self, key: &str) -> Result<usize, ConfigError> {
        let value = self
            .value(key)
            .ok_or_else(|| ConfigError::Damaged(format!("`{key}` is missing")))?;
        number(key, value)
    }

    /// A number of layers, held to what any model could have.
    fn layers(&self, key: &str) -> Result<usize, ConfigError> {
        match self.number(key)? {
            layers @ 1..=100 => Ok(layers),
            other => Err(ConfigError::Damaged(format!("`{key}` is {other}"))),
        }
    }
}

fn unquote(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|value| value.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &str = "dec-cell: ssru\ndec-depth: 2\ndim-emb: 256\ndim-vocabs:\n  - 32000\n  - 31000\nenc-depth: 6\n\
        tied-embeddings-all: true\ntransformer-decoder-autoreg: rnn\ntransformer-heads: 8\n\
        transformer-postprocess: dan\ntransformer-preprocess: \"\"\ntransformer-tied-layers: []\ntype: transformer\n";

    #[test]
    fn options_become_a_shape() -> Result<(), ConfigError> {
        let config = Config::parse(TINY)?;
        let expected = Config {
            encoder_layers: 6,
            decoder_layers: 2,
            heads: 8,
            width: 256,
            vocabularies: (32000, 31000),
            embeddings: Embeddings::AllTied,
        };
        assert_eq!(config, expected);
        Ok(())
    }

    #[test]
    fn what_is_not_built_is_refused_by_name() {
        let cases = [
            (
                "type: transformer",
                "type: s2s",
                "`type` is `s2s`, expected `transformer`",
            ),
            (
                "dan",
                "dhn",
                "`transformer-postprocess` is `dhn`, expected `dan`",
            ),
            (
                "layers: []",
                "layers:\n  - 1\n  - 1",
                "`transformer-tied-layers` is `1, 1`, expected ``",
            ),
            (
                "dim-emb: 256",
                "dim-emb: 200",
                "`dim-emb` is 200 and `transformer-heads` is 8",
            ),
            (
                "dim-emb: 256",
                "dim-emb: 2x",
                "`dim-emb` is `2x`, expected a number",
            ),
            ("  - 31000\n", "", "`dim-vocabs` has 1 values, expected 2"),
            ("enc-depth: 6\n", "", "`enc-depth` is missing"),
            ("enc-depth: 6\n", "enc-depth: 0\n", "`enc-depth` is 0"),
        ];
        let mut failures = Vec::new();
        for (from, to, expected) in cases {
            match Config::parse(&TINY.replace(from, to)) {
                Err(ConfigError::Damaged(message) | ConfigError::Unsupported(message))
                    if message.contains(expected) => {}
                other => failures.push(format!("{to}: {other:?}")),
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
