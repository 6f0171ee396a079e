//! Writes an encoder of a few hundred bytes in ONNX format, which looks up a vector for each token. The bytes follow the
//! protocol buffers of ONNX 1.16 (`onnx.proto`).

use std::path::Path;

/// The tokens with their vectors. `[CLS]` and `[SEP]` surround each text.
const TOKENS: [(&str, [f32; 3]); 8] = [
    ("[PAD]", [0.0, 0.0, 0.0]),
    ("[UNK]", [0.0, 0.0, 0.1]),
    ("[CLS]", [0.0, 0.0, 0.0]),
    ("[SEP]", [0.0, 0.0, 0.0]),
    ("storm", [1.0, 0.0, 0.0]),
    ("burza", [1.0, 0.1, 0.0]),
    ("election", [0.0, 1.0, 0.0]),
    ("##s", [0.0, 0.0, 0.2]),
];

/// Writes the encoder with a vocabulary.
pub fn write_tiny_encoder(folder: &Path) {
    let vectors: Vec<f32> = TOKENS.iter().flat_map(|(_, vector)| *vector).collect();
    std::fs::write(folder.join("model.onnx"), model_with(TOKENS.len(), &vectors)).unwrap();
    std::fs::write(folder.join("vocab.txt"), TOKENS.map(|(token, _)| token).join("\n")).unwrap();
}

/// Returns a model that maps each of `tokens` tokens to a vector. `vectors` contains the vectors one after the other.
pub fn model_with(tokens: usize, vectors: &[f32]) -> Vec<u8> {
    let dimensions = vectors.len() / tokens;
    let raw: Vec<u8> = vectors.iter().flat_map(|component| component.to_le_bytes()).collect();
    let sizes = [number(1, tokens as u64), number(1, dimensions as u64)].concat();
    let table = [sizes, number(2, FLOAT), bytes(8, b"table"), bytes(9, &raw)].concat();
    let look_up =
        [bytes(1, b"table"), bytes(1, b"input_ids"), bytes(2, b"last_hidden_state"), bytes(4, b"Gather")].concat();
    let graph = [
        bytes(1, &look_up),
        bytes(2, b"tiny"),
        bytes(5, &table),
        bytes(11, &value(b"input_ids", INT64, 2)),
        bytes(12, &value(b"last_hidden_state", FLOAT, 3)),
    ]
    .concat();
    [number(1, 8), bytes(7, &graph), bytes(8, &number(2, 17))].concat()
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// Returns the declaration of an input or output with dimensions of any size.
fn value(name: &[u8], element: u64, dimensions: usize) -> Vec<u8> {
    let shape: Vec<u8> = (0..dimensions).flat_map(|n| bytes(1, &bytes(2, format!("d{n}").as_bytes()))).collect();
    let tensor = [number(1, element), bytes(2, &shape)].concat();
    [bytes(1, name), bytes(2, &bytes(1, &tensor))].concat()
}

/// Returns a field with a number.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// Returns a field with bytes: a string or a message.
fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
