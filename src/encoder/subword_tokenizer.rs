//! Converts a text to the token IDs of a model's vocabulary.

use super::model_folder::{TokenizerFile, TokenizerKind};
use super::{Error, MAX_TOKENS};
use kitoken::{Definition, InsertionPosition, Kitoken, Processing};
use serde_json::json;

pub(super) struct SubwordTokenizer {
    tokenizer: Kitoken,
    /// The tokens before and after each text, such as `[CLS]` and `[SEP]`.
    first: Vec<u32>,
    last: Vec<u32>,
    pub vocabulary_size: usize,
}

impl SubwordTokenizer {
    pub fn load(file: &TokenizerFile) -> Result<SubwordTokenizer, Error> {
        let not_usable = |reason: String| Error::NotUsable { path: file.kind.to_string().into(), reason };
        let definition = match file.kind {
            TokenizerKind::Definition => Definition::from_tokenizers_slice(&file.bytes),
            TokenizerKind::Vocabulary => {
                let vocabulary = std::str::from_utf8(&file.bytes).map_err(|error| not_usable(error.to_string()))?;
                Definition::from_tokenizers_slice(&bert_definition(vocabulary, file.lower_case))
            }
        };
        let mut definition = definition.map_err(|error| not_usable(error.to_string()))?;
        // Texts are encoded one by one, so they need no padding. `tokens` limits their length.
        let is_kept = |step: &Processing| !matches!(step, Processing::Pad { .. } | Processing::Truncate { .. });
        definition.config.processing.retain(is_kept);
        // Kitoken uses `SubSequenceEnd` for a token that ends each text of a pair, such as `[SEP]`.
        let added = |positions: [InsertionPosition; 2]| -> Vec<u32> {
            let templates =
                definition.config.templates.iter().filter(|template| positions.contains(&template.position));
            let special = |content: &String| definition.specials.iter().find(|token| token.bytes == content.as_bytes());
            let mut tokens: Vec<u32> = templates.filter_map(|template| Some(special(&template.content)?.id)).collect();
            tokens.dedup();
            tokens
        };
        let first = added([InsertionPosition::SequenceStart, InsertionPosition::SubSequenceStart]);
        let last = added([InsertionPosition::SubSequenceEnd, InsertionPosition::SequenceEnd]);
        let vocabulary_size = definition.model.vocab().len() + definition.specials.len();
        let tokenizer = Kitoken::from_definition(definition).map_err(|error| not_usable(error.to_string()))?;
        Ok(SubwordTokenizer { tokenizer, first, last, vocabulary_size })
    }

    /// Returns the token IDs of a text, at most [`MAX_TOKENS`]. Names of special tokens in the text are treated as
    /// ordinary text.
    pub fn tokens(&self, text: &str) -> Result<Vec<i32>, Error> {
        let tokens = self.tokenizer.encode(text, false).map_err(|error| Error::Failed(error.to_string()))?;
        let limit = MAX_TOKENS.saturating_sub(self.first.len() + self.last.len());
        let all = self.first.iter().chain(tokens.iter().take(limit)).chain(&self.last);
        Ok(all.map(|token| token.cast_signed()).collect())
    }
}

/// Returns the `tokenizer.json` of a BERT model with this vocabulary.
fn bert_definition(vocabulary: &str, lower_case: bool) -> Vec<u8> {
    let numbers: serde_json::Map<String, serde_json::Value> =
        vocabulary.lines().zip(0..).map(|(token, number): (&str, u32)| (token.to_owned(), number.into())).collect();
    let special = |token: &str| json!({ "id": token, "ids": [numbers.get(token)], "tokens": [token] });
    let piece = |token: &str| json!({ "SpecialToken": { "id": token, "type_id": 0 } });
    let added = |token: &&str| {
        json!({
            "id": numbers.get(*token), "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        })
    };
    let sequence = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let definition = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": specials.iter().filter(|token| numbers.contains_key(**token)).map(added).collect::<Vec<_>>(),
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": lower_case,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [piece("[CLS]"), sequence, piece("[SEP]")],
            "pair": [],
            "special_tokens": { "[CLS]": special("[CLS]"), "[SEP]": special("[SEP]") },
        },
        "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": numbers,
        },
    });
    definition.to_string().into_bytes()
}
