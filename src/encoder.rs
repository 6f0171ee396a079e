//! Computes the embedding of an item's text with an encoder: a neural network in ONNX format, in a directory that the
//! operator configures.
//!
//! The module never downloads a model, and reads no files outside the directory. The cargo feature `encoder` enables
//! the inference ([`onnx`]) and the tokenizer; without it, [`Encoder::load`] fails. The size of models and the length
//! of texts are limited. A panic in a library becomes an [`Error`].
//!
//! Texts are encoded one by one, so that an embedding does not depend on other texts. `docs/encoder.md` lists suitable
//! models.

mod item_embeddings;
mod model_folder;
#[cfg(feature = "encoder")]
mod onnx;
#[cfg(not(feature = "encoder"))]
#[path = "encoder/not_compiled_in.rs"]
mod onnx;
#[cfg(feature = "encoder")]
mod subword_tokenizer;

use crate::domain::Embedding;
use crate::domain::panic_text::panic_text;
pub use item_embeddings::add_embeddings;
use model_folder::ModelFolder;
pub use model_folder::TokenizerKind;
use onnx::SentenceModel;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The maximum number of tokens of a text. Later tokens are ignored. Models accept at least this number.
const MAX_TOKENS: usize = 128;
/// The maximum number of characters of a text before its tokenization. 128 tokens are about 500 characters.
const MAX_TEXT_CHARS: usize = 1000;
/// The maximum number of characters of a summary that are encoded. The first sentences name the event.
const MAX_SUMMARY_CHARS: usize = 300;
/// The maximum time for a text of [`MAX_TOKENS`] tokens. Models need less than a second, but the thread has the lowest
/// priority, and on a busy machine it may get only a tenth of a core.
const MAX_ENCODING_TIME: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("newsfold was built without encoders; build it with: cargo build --release --features encoder")]
    NotCompiledIn,
    #[error("cannot read {path}", path = .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("cannot write {path}", path = .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    #[error(
        "{folder} contains no model; put model.onnx or model_quantized.onnx there, or into a subdirectory named onnx",
        folder = .0.display()
    )]
    NoModel(PathBuf),
    #[error("{folder} contains no tokenizer; put the model's tokenizer.json or vocab.txt there", folder = .0.display())]
    NoTokenizer(PathBuf),
    #[error("{path} is larger than {limit} MiB", path = .path.display(), limit = .limit >> 20)]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("{path} is not usable: {reason}", path = .path.display())]
    NotUsable { path: PathBuf, reason: String },
    #[error("the model failed: {0}")]
    Failed(String),
    #[error("the model needs {0:.1?} for a text of {MAX_TOKENS} tokens, which is more than {MAX_ENCODING_TIME:?}")]
    TooSlow(Duration),
}

/// A loaded encoder. It computes in its own thread, with low priority. A clone shares this thread, but
/// [`Encoder::with_own_thread`] returns an encoder with another thread.
#[derive(Clone)]
pub struct Encoder {
    model: SentenceModel,
    facts: Arc<EncoderFacts>,
}

/// The properties of a loaded encoder.
#[derive(Debug, Clone, serde::Serialize)]
pub struct EncoderFacts {
    /// The file of the network.
    pub model: PathBuf,
    /// The size of the file in bytes.
    pub model_bytes: u64,
    /// The SHA-256 hash of everything that affects the embeddings, in hexadecimal.
    pub hash: String,
    pub dimensions: usize,
    pub tokenizer: TokenizerKind,
    /// The number of tokens in the vocabulary.
    pub vocabulary: usize,
    /// The prefix that the model expects before every text; empty for most models.
    pub prefix: String,
}

impl Encoder {
    /// Loads the encoder in a directory, and tests it with a text of the maximum length.
    ///
    /// # Errors
    /// Fails if a file is missing, too large or invalid, if the model does not compute a vector, or if it is too slow.
    pub fn load(folder: &Path) -> Result<Encoder, Error> {
        let ModelFolder { model_path, model, tokenizer, pooling, prefix, hash } = ModelFolder::read(folder)?;
        let model_bytes = model.len() as u64;
        let loaded = catch_unwind(AssertUnwindSafe(|| SentenceModel::load(&model_path, model, &tokenizer, pooling)));
        let model = loaded
            .unwrap_or_else(|panic| Err(Error::NotUsable { path: model_path.clone(), reason: panic_text(&*panic) }))?;
        let mut facts = EncoderFacts {
            model: model_path,
            model_bytes,
            hash,
            dimensions: 0,
            tokenizer: tokenizer.kind,
            vocabulary: model.vocabulary_size(),
            prefix,
        };
        let probe = Encoder { model, facts: Arc::new(facts.clone()) };
        let start = Instant::now();
        facts.dimensions = probe.encode(&"a ".repeat(MAX_TOKENS))?.components().len();
        match start.elapsed() {
            time if time > MAX_ENCODING_TIME => Err(Error::TooSlow(time)),
            _ => Ok(Encoder { facts: Arc::new(facts), ..probe }),
        }
    }

    pub fn facts(&self) -> &EncoderFacts {
        &self.facts
    }

    /// Returns an encoder that shares the model, but computes in another thread.
    pub fn with_own_thread(&self) -> Encoder {
        Encoder { model: self.model.with_own_thread(), facts: Arc::clone(&self.facts) }
    }

    /// Returns the embedding of a text.
    ///
    /// # Errors
    /// Fails if the model fails, or if its output is not a finite vector other than zero.
    pub fn encode(&self, text: &str) -> Result<Embedding, Error> {
        let text: String = self.facts.prefix.chars().chain(text.chars().take(MAX_TEXT_CHARS)).collect();
        let encoded = catch_unwind(AssertUnwindSafe(|| self.model.encode(&text)));
        let vector = encoded.unwrap_or_else(|panic| Err(Error::Failed(panic_text(&*panic))))?;
        let no_direction = || Error::Failed("its output is not a vector of at most 4,096 finite numbers".into());
        Embedding::from_floats(&vector).ok_or_else(no_direction)
    }
}

/// Returns the text that represents an item: the title and the beginning of the summary.
pub fn encoded_text(title: &str, summary: &str) -> String {
    let summary: String = summary.chars().take(MAX_SUMMARY_CHARS).collect();
    match summary.trim() {
        "" => title.to_owned(),
        summary if summary.starts_with(title) => summary.to_owned(),
        summary => format!("{title}. {summary}"),
    }
}
