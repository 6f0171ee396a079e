//! Runs the network of an encoder in ONNX format with `rten`.

use super::Error;
use super::model_folder::{Pooling, TokenizerFile};
use super::subword_tokenizer::SubwordTokenizer;
use crate::domain::MAX_DIMENSIONS;
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::Layout;
use std::path::Path;
use std::sync::Arc;

/// The name of the output that contains the vector of the text, in models that include the pooling.
const SENTENCE_OUTPUT: &str = "sentence_embedding";
/// The nice value of the computing thread. 19 is the lowest priority.
const NICE_VALUE: i32 = 19;

#[derive(Clone)]
pub(super) struct SentenceModel {
    network: Arc<Network>,
    thread: Arc<ThreadPool>,
}

struct Network {
    model: Model,
    inputs: Vec<(NodeId, Input)>,
    output: NodeId,
    tokenizer: SubwordTokenizer,
    pooling: Pooling,
}

/// The inputs of published models. Each input has one number per token.
#[derive(Clone, Copy, strum::EnumString)]
enum Input {
    #[strum(serialize = "input_ids")]
    TokenIds,
    #[strum(serialize = "attention_mask")]
    AttentionMask,
    #[strum(serialize = "token_type_ids")]
    TokenTypeIds,
    #[strum(serialize = "position_ids")]
    PositionIds,
}

impl SentenceModel {
    pub fn load(
        path: &Path,
        model: Vec<u8>,
        tokenizer: &TokenizerFile,
        pooling: Pooling,
    ) -> Result<SentenceModel, Error> {
        let not_usable = |reason: String| Error::NotUsable { path: path.to_owned(), reason };
        let model = ModelOptions::with_all_ops().prepack_weights(true).load(model);
        let model = model.map_err(|error| not_usable(error.to_string()))?;
        let name = |id: &NodeId| model.node_info(*id).and_then(|node| node.name()).unwrap_or_default();
        let input = |id: &NodeId| {
            let unknown = |_| not_usable(format!("it has the unknown input {:?}", name(id)));
            name(id).parse().map(|input| (*id, input)).map_err(unknown)
        };
        let inputs = model.input_ids().iter().map(input).collect::<Result<_, _>>()?;
        let outputs = model.output_ids();
        let output = outputs.iter().find(|id| name(id) == SENTENCE_OUTPUT).or(outputs.first());
        let output = *output.ok_or_else(|| not_usable("it has no output".into()))?;
        let tokenizer = SubwordTokenizer::load(tokenizer)?;
        let network = Arc::new(Network { model, inputs, output, tokenizer, pooling });
        Ok(SentenceModel { network, thread: low_priority_thread() })
    }

    pub fn with_own_thread(&self) -> SentenceModel {
        SentenceModel { network: Arc::clone(&self.network), thread: low_priority_thread() }
    }

    pub fn vocabulary_size(&self) -> usize {
        self.network.tokenizer.vocabulary_size
    }

    /// Returns the vector of a text.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, Error> {
        let Network { model, inputs, output, tokenizer, pooling } = &*self.network;
        let tokens = tokenizer.tokens(text)?;
        let values = |(id, input): &(NodeId, Input)| -> Result<(NodeId, ValueOrView<'_>), Error> {
            let values: Vec<i32> = match input {
                Input::TokenIds => tokens.clone(),
                Input::AttentionMask => vec![1; tokens.len()],
                Input::TokenTypeIds => vec![0; tokens.len()],
                Input::PositionIds => (0..).take(tokens.len()).collect(),
            };
            Ok((*id, Value::from_shape([1, tokens.len()], values).map_err(failed)?.into()))
        };
        let inputs = inputs.iter().map(values).collect::<Result<_, _>>()?;
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&self.thread));
        let [vectors] = model.run_n(inputs, [*output], Some(options)).map_err(failed)?;
        pooled(vectors, *pooling)
    }
}

/// Returns the vector of a text. The model's output is either this vector or one vector per token.
fn pooled(output: Value, pooling: Pooling) -> Result<Vec<f32>, Error> {
    let unexpected = |shape: &[usize]| Err(failed(format!("its output has the unexpected dimensions {shape:?}")));
    match output.shape().to_vec()[..] {
        [1, 1..=MAX_DIMENSIONS] => Ok(output.into_shape_vec::<f32, 2>().map_err(failed)?.1),
        [1, tokens, dimensions @ 1..=MAX_DIMENSIONS] if tokens > 0 => {
            let (_, vectors) = output.into_shape_vec::<f32, 3>().map_err(failed)?;
            let mut sum = vec![0.0; dimensions];
            let counted = match pooling {
                Pooling::Mean => vectors.len(),
                Pooling::FirstToken => dimensions,
            };
            // The sum has the same direction as the mean.
            for vector in vectors[..counted].chunks_exact(dimensions) {
                sum.iter_mut().zip(vector).for_each(|(sum, component)| *sum += component);
            }
            Ok(sum)
        }
        ref shape => unexpected(shape),
    }
}

fn failed(error: impl ToString) -> Error {
    Error::Failed(error.to_string())
}

/// Starts one thread, so that an encoder uses at most one core. The thread has the lowest priority, so that other tasks
/// do not wait for it.
fn low_priority_thread() -> Arc<ThreadPool> {
    let thread = ThreadPool::with_num_threads(1);
    // On Linux, this call sets the priority of the calling thread only. On other systems, and if the call fails, the
    // thread keeps the normal priority.
    #[cfg(target_os = "linux")]
    thread.run(|| {
        let _ = rustix::process::setpriority_process(None, NICE_VALUE);
    });
    Arc::new(thread)
}
