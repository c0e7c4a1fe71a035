//! How the makers of a checkpoint want it decoded: `generation_config.json`, what older
//! repositories keep in `config.json` itself, and `task_specific_params`.
//!
//! What a task states comes first, then `generation_config.json`, then, where that file is missing,
//! `config.json`; so do transformers and its pipelines. Decoding here takes the likeliest, so that
//! what is said of sampling has no effect. A setting that would change the output and cannot be
//! honoured is an error, with its key and value.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::decode::{Constraints, EarlyStopping, MOST_BEAMS, Search, TokenId};
use crate::error::{Error, Result};

/// Settings that change what is generated and that are not known here, with the value at which
/// they change nothing.
const UNSUPPORTED: [(&str, f64); 13] = [
    ("num_beam_groups", 1.0),
    ("diversity_penalty", 0.0),
    ("penalty_alpha", 0.0),
    ("encoder_no_repeat_ngram_size", 0.0),
    ("encoder_repetition_penalty", 1.0),
    ("guidance_scale", 1.0),
    ("exponential_decay_length_penalty", f64::NAN),
    ("begin_suppress_tokens", f64::NAN),
    ("force_words_ids", f64::NAN),
    ("forced_decoder_ids", f64::NAN),
    ("constraints", f64::NAN),
    ("sequence_bias", f64::NAN),
    ("stop_strings", f64::NAN),
];

/// What a checkpoint's files say of decoding.
#[derive(Debug)]
pub(crate) struct Settings {
    directory: PathBuf,
    config: Value,
    /// `null` where there is no such file.
    generation: Value,
}

impl Settings {
    /// Settings of a directory whose `config.json` is given.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptModel`] for a `generation_config.json` that is no JSON.
    pub(crate) fn read(directory: &Path, config: &Value) -> Result<Self> {
        let path = directory.join("generation_config.json");
        let generation = if path.is_file() {
            super::directory::read_json(&path)?
        } else {
            Value::Null
        };
        Ok(Self {
            directory: directory.to_path_buf(),
            config: config.clone(),
            generation,
        })
    }

    /// What the decoder reads first, where the settings say so.
    pub(crate) fn start(&self) -> Result<Option<TokenId>> {
        self.reader(None).token("decoder_start_token_id")
    }

    /// What a task puts before its text, as `summarize: ` for T5.
    pub(crate) fn prefix(&self, task: &str) -> &str {
        let mut sources = [self.task(task), Some(&self.config)].into_iter().flatten();
        let prefix = sources.find_map(|source| source.get("prefix")?.as_str());
        prefix.unwrap_or_default()
    }

    fn task(&self, task: &str) -> Option<&Value> {
        self.config.get("task_specific_params")?.get(task)
    }

    fn reader<'a>(&'a self, task: Option<&str>) -> Reader<'a> {
        let general = match &self.generation {
            Value::Null => &self.config,
            generation => generation,
        };
        Reader {
            settings: self,
            sources: [task.and_then(|task| self.task(task)), Some(general)],
        }
    }

    /// The search that the settings ask for, for a task or for none: `summarization`,
    /// `translation_en_to_ru`.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedModel`] for a setting that cannot be honoured.
    pub(crate) fn search(&self, task: Option<&str>) -> Result<Search> {
        let read = self.reader(task);
        for (key, harmless) in UNSUPPORTED {
            match read.get(key) {
                None => {}
                Some(value) if value.as_f64() == Some(harmless) => {}
                Some(Value::Array(items)) if items.is_empty() => {}
                Some(value) => return Err(self.unsupported(key, value)),
            }
        }
        let early_stopping = match read.get("early_stopping") {
            None | Some(Value::Bool(false)) => EarlyStopping::No,
            Some(Value::Bool(true)) => EarlyStopping::Yes,
            Some(Value::String(never)) if never == "never" => EarlyStopping::Never,
            Some(value) => return Err(self.unsupported("early_stopping", value)),
        };
        let mut end = read.tokens("eos_token_id")?;
        if end.is_empty() {
            // What the configuration classes of transformers begin with.
            end = vec![
                match self.config.get("model_type").and_then(Value::as_str) {
                    Some("marian") => 0,
                    Some("m2m_100") => 2,
                    _ => 1,
                },
            ];
        }
        let mut bad_words: Vec<Vec<TokenId>> = Vec::new();
        if let Some(value) = read.get("bad_words_ids") {
            let words = serde_json::from_value::<Vec<Vec<TokenId>>>(value.clone())
                .map_err(|_| self.unsupported("bad_words_ids", value))?;
            bad_words.extend(words.into_iter().filter(|word| !word.is_empty()));
        }
        let suppressed = read.tokens("suppress_tokens")?;
        bad_words.extend(suppressed.into_iter().map(|token| vec![token]));
        let beams = read.number("num_beams")?.unwrap_or(1).max(1);
        if let (true, Some(value)) = (beams > MOST_BEAMS, read.get("num_beams")) {
            return Err(self.unsupported("num_beams", value));
        }
        // Without a limit a checkpoint gets as many tokens as it has positions.
        let positions = self.config.get("max_position_embeddings");
        let positions = positions
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok())
            .map(|length| length.saturating_sub(1));
        Ok(Search {
            beams,
            best: 1,
            length_penalty: read.float("length_penalty")?.unwrap_or(1.0),
            early_stopping,
            max_new: self.most_new(task)?.or(positions).unwrap_or(511),
            end,
            renormalize: read.flag("renormalize_logits")?.unwrap_or(false),
            phrases: Vec::new(),
            constraints: Constraints {
                repetition_penalty: read.float("repetition_penalty")?.unwrap_or(1.0),
                no_repeat_ngram: read.number("no_repeat_ngram_size")?.unwrap_or(0),
                bad_words,
                min_new: read
                    .number("min_new_tokens")?
                    .or(read
                        .number("min_length")?
                        .map(|length| length.saturating_sub(1)))
                    .unwrap_or(0),
                forced_first: read.token("forced_bos_token_id")?,
                forced_last: read.token("forced_eos_token_id")?,
            },
        })
    }

    /// The most new tokens that the settings allow, where they say so.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedModel`] for what is no number.
    pub(crate) fn most_new(&self, task: Option<&str>) -> Result<Option<usize>> {
        let read = self.reader(task);
        // Lengths count what the decoder starts with. One of 20 is what transformers has, and
        // writes, where none was set.
        let length = read.number("max_length")?.filter(|&length| length != 20);
        let length = length.map(|length| length.saturating_sub(1));
        Ok(read.number("max_new_tokens")?.or(length))
    }

    fn unsupported(&self, key: &str, value: &Value) -> Error {
        Error::UnsupportedModel {
            path: self.directory.clone(),
            message: format!("`{key}` is `{value}`, which cannot be honoured"),
        }
    }
}

/// Looks keys up, the most particular source first.
struct Reader<'a> {
    settings: &'a Settings,
    sources: [Option<&'a Value>; 2],
}

impl<'a> Reader<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        let sources = self.sources.iter().flatten();
        sources
            .filter_map(|source| source.get(key))
            .find(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, value: &Value) -> Error {
        self.settings.unsupported(key, value)
    }

    fn number(&self, key: &str) -> Result<Option<usize>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
                None => Err(self.wrong(key, value)),
                number => Ok(number),
            },
        }
    }

    fn float(&self, key: &str) -> Result<Option<f32>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                None => Err(self.wrong(key, value)),
                float => Ok(float.map(|x| x as f32)),
            },
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.as_bool() {
                None => Err(self.wrong(key, value)),
                flag => Ok(flag),
            },
        }
    }

    /// One token or a list of them. Where a text begins and ends is looked for in `config.json` as
    /// well, since a generation configuration may leave it out.
    fn tokens(&self, key: &str) -> Result<Vec<TokenId>> {
        let found = match key {
            "eos_token_id" | "decoder_start_token_id" => {
                self.get(key).or_else(|| self.settings.config.get(key))
            }
            _ => self.get(key),
        };
        let id = |value: &Value| {
            value
                .as_u64()
                .and_then(|id| TokenId::try_from(id).ok())
                .ok_or_else(|| self.wrong(key, value))
        };
        match found {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(ids)) => ids.iter().map(id).collect(),
            Some(value) => Ok(vec![id(value)?]),
        }
    }

    fn token(&self, key: &str) -> Result<Option<TokenId>> {
        let tokens = self.tokens(key)?;
        match (tokens.as_slice(), self.get(key)) {
            ([_, _, ..], Some(value)) => Err(self.wrong(key, value)),
            (tokens, _) => Ok(tokens.first().copied()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(config: Value, generation: Value) -> Settings {
        Settings {
            directory: PathBuf::from("model"),
            config,
            generation,
        }
    }

    #[test]
    fn a_task_comes_before_the_generation_configuration_and_that_before_the_configuration() {
        let config = json!({
            "model_type": "t5", "num_beams": 2, "length_penalty": 0.5, "eos_token_id": 1,
            "prefix": "do: ",
            "task_specific_params": {
                "summarization": {"num_beams": 6, "min_length": 30, "max_length": 200,
                                  "early_stopping": true, "no_repeat_ngram_size": 3,
                                  "prefix": "summarize: "},
                "translation_en_to_ru": {"prefix": "translate English to Russian: "},
            },
        });
        let old = settings(config.clone(), Value::Null);
        let found = old.search(None).unwrap();
        assert_eq!((found.beams, found.length_penalty), (2, 0.5));
        let found = old.search(Some("summarization")).unwrap();
        assert_eq!((found.beams, found.length_penalty), (6, 0.5));
        assert_eq!((found.max_new, found.constraints.min_new), (199, 29));
        assert_eq!(found.early_stopping, EarlyStopping::Yes);
        assert_eq!(found.constraints.no_repeat_ngram, 3);
        assert_eq!(old.most_new(Some("summarization")).unwrap(), Some(199));
        assert_eq!(old.most_new(Some("translation_en_to_ru")).unwrap(), None);
        assert_eq!(old.prefix("summarization"), "summarize: ");
        assert_eq!(
            old.prefix("translation_en_to_ru"),
            "translate English to Russian: "
        );
        assert_eq!(old.prefix("translation_ru_to_en"), "do: ");

        let generation = json!({"num_beams": 4, "decoder_start_token_id": 7});
        let new = settings(config, generation);
        let found = new.search(None).unwrap();
        assert_eq!((found.beams, found.length_penalty), (4, 1.0));
        assert_eq!(found.end, [1]);
        assert_eq!(new.start().unwrap(), Some(7));
        assert_eq!(new.search(Some("summarization")).unwrap().beams, 6);
    }

    #[test]
    fn every_setting_that_is_known_arrives() {
        let generation = json!({
            "num_beams": 3, "length_penalty": 0.6, "early_stopping": "never", "max_length": 84,
            "min_new_tokens": 4, "eos_token_id": [2, 5], "renormalize_logits": true,
            "repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "bad_words_ids": [[7], [8, 9]],
            "suppress_tokens": [11], "forced_bos_token_id": 12, "forced_eos_token_id": [13],
            "do_sample": true, "temperature": 0.7, "num_beam_groups": 1, "constraints": null,
        });
        let found = settings(json!({"model_type": "marian"}), generation);
        let found = found.search(None).unwrap();
        let expected = Search {
            beams: 3,
            best: 1,
            length_penalty: 0.6,
            early_stopping: EarlyStopping::Never,
            max_new: 83,
            end: vec![2, 5],
            renormalize: true,
            phrases: Vec::new(),
            constraints: Constraints {
                repetition_penalty: 1.3,
                no_repeat_ngram: 2,
                bad_words: vec![vec![7], vec![8, 9], vec![11]],
                min_new: 4,
                forced_first: Some(12),
                forced_last: Some(13),
            },
        };
        assert_eq!(found, expected);
        let bare = settings(json!({"model_type": "m2m_100"}), Value::Null);
        assert_eq!(bare.search(None).unwrap().end, [2]);
    }

    #[test]
    fn a_limit_is_one_that_was_set() {
        for (generation, limit) in [
            (json!({}), None),
            (json!({"max_length": 20}), None),
            (json!({"max_length": 16}), Some(15)),
            (json!({"max_length": 84, "max_new_tokens": null}), Some(83)),
            (json!({"max_length": 20, "max_new_tokens": 64}), Some(64)),
            (json!({"max_length": 84, "max_new_tokens": 64}), Some(64)),
        ] {
            let config = json!({"max_position_embeddings": 128});
            let found = settings(config, generation.clone());
            assert_eq!(found.most_new(None).unwrap(), limit, "{generation}");
            let most = found.search(None).unwrap().max_new;
            assert_eq!(most, limit.unwrap_or(127), "{generation}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_told_with_its_key_and_value() {
        for (key, value) in [
            ("num_beam_groups", json!(4)),
            ("encoder_no_repeat_ngram_size", json!(3)),
            ("exponential_decay_length_penalty", json!([10, 1.1])),
            ("early_stopping", json!("soon")),
            ("num_beams", json!("four")),
            ("num_beams", json!(1_000_000_000_000_u64)),
            ("forced_bos_token_id", json!([1, 2])),
            ("bad_words_ids", json!([[-1]])),
        ] {
            let generation = json!({ key: value.clone() });
            let error = settings(json!({}), generation).search(None).err().unwrap();
            let message = error.to_string();
            assert!(
                message.contains(&format!("`{key}` is `{value}`"))
                    || key == "bad_words_ids" && message.contains(key),
                "{message}"
            );
        }
    }
}
