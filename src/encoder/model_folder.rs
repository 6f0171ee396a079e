//! The files of an encoder, as they are published: the network, its tokenizer, and the settings of Sentence
//! Transformers.

use super::Error;
use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The maximum sizes of files in bytes. The largest suitable models are files of about 500 MB, and the largest
/// tokenizers are files of about 17 MB.
const MAX_MODEL_BYTES: u64 = 1 << 30;
const MAX_TOKENIZER_BYTES: u64 = 64 << 20;
const MAX_SETTINGS_BYTES: u64 = 1 << 20;

/// The names of models, in the order of preference. Other files `onnx/model*.onnx` follow in alphabetical order.
const MODEL_NAMES: [&str; 4] = ["model.onnx", "model_quantized.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx"];
/// The maximum number of files in `onnx` that are considered.
const MAX_LISTED_FILES: usize = 1000;

/// The contents of an encoder's directory.
pub(super) struct ModelFolder {
    pub model_path: PathBuf,
    pub model: Vec<u8>,
    pub tokenizer: TokenizerFile,
    pub pooling: Pooling,
    /// The prefix of every text.
    pub prefix: String,
    /// The SHA-256 hash of the other values except `model_path`, and of [`EMBEDDING_VERSION`], in hexadecimal.
    pub hash: String,
}

pub(super) struct TokenizerFile {
    pub kind: TokenizerKind,
    pub bytes: Vec<u8>,
    /// Whether text is converted to lower case. Used only with `vocab.txt`; `tokenizer.json` contains this setting.
    pub lower_case: bool,
}

/// The format of the tokenizer's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerKind {
    /// `tokenizer.json` of Hugging Face: WordPiece, Unigram or byte pairs.
    #[strum(to_string = "tokenizer.json")]
    Definition,
    /// `vocab.txt` of BERT: one token per line, for WordPiece.
    #[strum(to_string = "vocab.txt")]
    Vocabulary,
}

/// The method of computing the vector of a text from the vectors of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Mean,
    FirstToken,
}

/// The settings in `config_sentence_transformers.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PromptSettings {
    prompts: HashMap<String, String>,
    default_prompt_name: Option<String>,
}

/// The settings in `1_Pooling/config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PoolingSettings {
    pooling_mode_cls_token: bool,
}

/// The settings in `tokenizer_config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenizerSettings {
    do_lower_case: Option<bool>,
}

/// The version of the code that computes embeddings. Increase the version if a change of the tokenizer, of the pooling
/// or of the encoded text changes the embedding of a text. Stored embeddings are then computed again.
const EMBEDDING_VERSION: u32 = 1;

impl ModelFolder {
    pub fn read(folder: &Path) -> Result<ModelFolder, Error> {
        std::fs::read_dir(folder).map_err(|error| Error::Unreadable(folder.to_owned(), error))?;
        let (model_path, model) = read_model(folder)?.ok_or_else(|| Error::NoModel(folder.to_owned()))?;
        let tokenizer = read_tokenizer(folder)?.ok_or_else(|| Error::NoTokenizer(folder.to_owned()))?;
        let PromptSettings { mut prompts, default_prompt_name } =
            settings(folder, "config_sentence_transformers.json")?;
        let prefix = default_prompt_name.and_then(|name| prompts.remove(&name)).unwrap_or_default();
        let pooling = match settings(folder, "1_Pooling/config.json")? {
            PoolingSettings { pooling_mode_cls_token: true } => Pooling::FirstToken,
            PoolingSettings { pooling_mode_cls_token: false } => Pooling::Mean,
        };
        let mut hash = Context::new(&SHA256);
        let settings = format!("{EMBEDDING_VERSION} {pooling:?} {} {} {prefix}", tokenizer.kind, tokenizer.lower_case);
        for part in [&model, &tokenizer.bytes, settings.as_bytes()] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let hash = HEXLOWER.encode(hash.finish().as_ref());
        Ok(ModelFolder { model_path, model, tokenizer, pooling, prefix, hash })
    }
}

fn read_model(folder: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, Error> {
    let listed = std::fs::read_dir(folder.join("onnx")).into_iter().flatten().flatten().take(MAX_LISTED_FILES);
    let mut others: Vec<PathBuf> = listed.map(|file| file.path()).filter(|path| is_model(path)).collect();
    others.sort();
    for path in MODEL_NAMES.iter().map(|name| folder.join(name)).chain(others) {
        if let Some(model) = read_if_exists(&path, MAX_MODEL_BYTES)? {
            return Ok(Some((path, model)));
        }
    }
    Ok(None)
}

fn is_model(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("model") && name.ends_with(".onnx")
}

fn read_tokenizer(folder: &Path) -> Result<Option<TokenizerFile>, Error> {
    for (kind, name) in [(TokenizerKind::Definition, "tokenizer.json"), (TokenizerKind::Vocabulary, "vocab.txt")] {
        let path = folder.join(name);
        if let Some(bytes) = read_if_exists(&path, MAX_TOKENIZER_BYTES)? {
            let TokenizerSettings { do_lower_case } = settings(folder, "tokenizer_config.json")?;
            return Ok(Some(TokenizerFile { kind, bytes, lower_case: do_lower_case.unwrap_or(true) }));
        }
    }
    Ok(None)
}

/// Reads a file with settings, or returns the default values if it does not exist.
fn settings<T: Default + for<'de> Deserialize<'de>>(folder: &Path, name: &str) -> Result<T, Error> {
    let path = folder.join(name);
    let Some(bytes) = read_if_exists(&path, MAX_SETTINGS_BYTES)? else { return Ok(T::default()) };
    serde_json::from_slice(&bytes).map_err(|error| Error::NotUsable { path, reason: error.to_string() })
}

/// Reads a file of at most `limit` bytes, or returns `None` if it does not exist.
fn read_if_exists(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut bytes = Vec::new();
    // Reads at most one byte beyond the limit, because the file may grow or be a device.
    match File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)) {
        Ok(length) if length as u64 > limit => Err(Error::TooLarge { path: path.to_owned(), limit }),
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Unreadable(path.to_owned(), error)),
    }
}
