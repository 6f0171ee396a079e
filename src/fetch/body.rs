//! Reading a body to its end or to its limit, whichever comes first. The limit counts decoded bytes.

use futures_util::StreamExt;
use reqwest::Response;

#[derive(Debug)]
pub(super) enum BodyError {
    TooLarge,
    Broken(reqwest::Error),
}

/// The decoded body. What the headers claim about its length reserves nothing: a server can claim anything.
pub(super) async fn read(response: Response, max: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(BodyError::Broken)?;
        if body.len() + chunk.len() > max {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
