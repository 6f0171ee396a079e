//! Encodes many items on all cores, for evaluation and training. A file caches the embeddings for later runs.

use super::{Encoder, Error, encoded_text};
use crate::domain::{Embedding, Item};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use xxhash_rust::xxh3::xxh3_128;

/// The hash of the model and a text.
type Key = u128;

/// Adds an embedding to each item. Reads known embeddings from the file `cache` and appends new ones to it.
///
/// The file is a sequence of records: the key (16 bytes), the number of dimensions (2 bytes), and the components (1
/// byte each), all in little-endian order. Reading stops at the first incomplete or invalid record.
///
/// # Errors
/// Fails if the model fails on a text, or if the file cannot be read or written.
pub fn add_embeddings(encoder: &Encoder, cache: Option<&Path>, items: &mut [Item]) -> Result<(), Error> {
    let text = |item: &Item| encoded_text(&item.title, &item.summary);
    let key = |item: &Item| xxh3_128(format!("{} {}", encoder.facts().hash, text(item)).as_bytes());
    let known = cache.map_or(Ok(HashMap::new()), read_cache)?;
    let mut missing: Vec<&mut Item> = Vec::new();
    for item in items {
        match known.get(&key(item)) {
            Some(embedding) => item.embedding = Some(embedding.clone()),
            None => missing.push(item),
        }
    }
    let texts: Vec<String> = missing.iter().map(|item| text(item)).collect();
    let mut new = Vec::new();
    for (item, embedding) in missing.iter_mut().zip(encode_all(encoder, &texts)?) {
        write_record(&mut new, key(item), &embedding);
        item.embedding = Some(embedding);
    }
    let Some(path) = cache.filter(|_| !new.is_empty()) else { return Ok(()) };
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(&new)).map_err(|error| Error::Unwritable(path.to_owned(), error))
}

/// Encodes texts on all cores.
fn encode_all(encoder: &Encoder, texts: &[String]) -> Result<Vec<Embedding>, Error> {
    let next = AtomicUsize::new(0);
    let work = |encoder: Encoder| {
        let texts = std::iter::from_fn(|| texts.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)));
        texts.map(|(n, text)| Ok((n, encoder.encode(text)?))).collect::<Result<Vec<_>, Error>>()
    };
    let encoded: Vec<_> = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(|| work(encoder.with_own_thread()))).collect();
        let panicked = |_| Err(Error::Failed("a thread panicked".into()));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect::<Result<_, _>>()
    })?;
    let mut encoded: Vec<(usize, Embedding)> = encoded.into_iter().flat_map(|part: Vec<_>| part).collect();
    encoded.sort_by_key(|(n, _)| *n);
    Ok(encoded.into_iter().map(|(_, embedding)| embedding).collect())
}

fn read_cache(path: &Path) -> Result<HashMap<Key, Embedding>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::Unreadable(path.to_owned(), error)),
    };
    let mut rest = bytes.as_slice();
    let records = std::iter::from_fn(|| {
        let (key, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let (embedding, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
        rest = after;
        Some((Key::from_le_bytes(*key), Embedding::from_bytes(embedding)?))
    });
    Ok(records.collect())
}

fn write_record(file: &mut Vec<u8>, key: Key, embedding: &Embedding) {
    let bytes = embedding.to_bytes();
    file.extend(key.to_le_bytes());
    // An embedding has at most 4,096 dimensions.
    file.extend((bytes.len() as u16).to_le_bytes());
    file.extend(bytes);
}
