//! Replaces [`super::onnx`] if newsfold is built without the feature `encoder`. A [`SentenceModel`] cannot be created.

use super::Error;
use super::model_folder::{Pooling, TokenizerFile};
use std::convert::Infallible;
use std::path::Path;

#[derive(Clone)]
pub(super) struct SentenceModel(Infallible);

impl SentenceModel {
    pub fn load(_: &Path, _: Vec<u8>, _: &TokenizerFile, _: Pooling) -> Result<SentenceModel, Error> {
        Err(Error::NotCompiledIn)
    }

    pub fn with_own_thread(&self) -> SentenceModel {
        match self.0 {}
    }

    pub fn vocabulary_size(&self) -> usize {
        match self.0 {}
    }

    pub fn encode(&self, _: &str) -> Result<Vec<f32>, Error> {
        match self.0 {}
    }
}
