//! A body as it came over the wire, and its decoding, both within limits.
//!
//! Receiving never decodes, so that a slow server holds no decoder. Of bodies beyond the first MiB only a few are
//! received at once, the others wait: however many servers send as much as they may, memory stays bounded, and whoever
//! has its place can finish. Decoding is bounded in
//! size, in ratio and in the window that a coding may ask for (RFC 9110, section 8.4; RFC 8878, section 3.1.1.1.2; RFC
//! 9659). It blocks; whoever calls it does so away from the tasks that do I/O.

use futures_util::StreamExt;
use reqwest::Response;
use reqwest::header::{self, HeaderMap};
use std::io::Read;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What we can decode, as it is offered to servers.
pub(super) const ACCEPTED: &str = "gzip, br, zstd, deflate";
/// Bytes that each body may have before it needs a place among the large ones.
const MIB: usize = 1 << 20;
/// Large bodies that are in memory at once.
const LARGE: usize = 16;
/// Decoded bytes for one that came; XML and JSON at their most repetitive shrink to a fiftieth.
const MAX_RATIO: usize = 200;
/// The largest window that a zstd frame may ask for: 8 MiB, as HTTP limits it (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    #[error("the body is packed so that {MAX_RATIO} bytes and more come of one, as no feed is")]
    Bomb,
    #[error("the body is encoded in a way that was not asked for: {0}")]
    UnknownCoding(String),
    #[error("the body cannot be decoded: {0}")]
    Corrupt(std::io::Error),
    #[error("the body broke off: {0}")]
    Broken(String),
}

/// A body as it came, with its place among the large ones for as long as it is there.
#[derive(Debug)]
pub struct ResponseBody {
    raw: Vec<u8>,
    coding: ContentCoding,
    max: usize,
    _place: Option<OwnedSemaphorePermit>,
}

/// The large_body_slots for large bodies, which all requests share.
#[derive(Clone)]
pub(super) struct LargeBodySlots(Arc<Semaphore>);

impl Default for LargeBodySlots {
    fn default() -> Self {
        LargeBodySlots(Arc::new(Semaphore::new(LARGE)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContentCoding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Receives a body to its end or to its limit, whichever comes first. What the headers claim about its length reserves
/// nothing: a server can claim anything.
pub(super) async fn receive(
    response: Response,
    max: usize,
    large_body_slots: &LargeBodySlots,
) -> Result<ResponseBody, BodyError> {
    let coding = coding(response.headers())?;
    let mut body = ResponseBody { raw: Vec::new(), coding, max, _place: None };
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| BodyError::Broken(super::innermost(&error).to_string()))?;
        if body.raw.len() + chunk.len() > max {
            return Err(BodyError::TooLarge(max));
        }
        if body.raw.len() + chunk.len() > MIB && body._place.is_none() {
            body._place = large_body_slots.0.clone().acquire_owned().await.ok();
        }
        body.raw.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn coding(headers: &HeaderMap) -> Result<ContentCoding, BodyError> {
    let mut found = ContentCoding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for name in value.split(',').map(str::trim) {
            let coding = match name {
                "" | "identity" | "utf-8" | "none" => continue,
                "gzip" | "x-gzip" => ContentCoding::Gzip,
                "deflate" => ContentCoding::Deflate,
                "br" => ContentCoding::Brotli,
                "zstd" => ContentCoding::Zstd,
                _ => return Err(BodyError::UnknownCoding(crate::domain::display_text::one_line(name, 40))),
            };
            // A body that is packed twice is a bomb or a mistake; no feed is sent so.
            if found != ContentCoding::Identity {
                return Err(BodyError::UnknownCoding(crate::domain::display_text::one_line(&value, 40)));
            }
            found = coding;
        }
    }
    Ok(found)
}

impl ResponseBody {
    /// A body that came to us without a request of ours, as it is.
    pub fn from_plain_bytes(raw: Vec<u8>) -> ResponseBody {
        ResponseBody { max: raw.len(), raw, coding: ContentCoding::Identity, _place: None }
    }

    /// Bytes that came over the wire.
    pub fn wire_bytes(&self) -> u64 {
        self.raw.len() as u64
    }

    /// The document's bytes. Blocks.
    pub fn decode(self) -> Result<Vec<u8>, BodyError> {
        let raw = self.raw.as_slice();
        let mut decoded = Vec::new();
        let limit = self.max.min(raw.len().saturating_mul(MAX_RATIO).max(MIB));
        let mut read = |reader: &mut dyn Read| reader.take(limit as u64 + 1).read_to_end(&mut decoded).map(drop);
        let done = match self.coding {
            ContentCoding::Identity => return Ok(self.raw),
            // Some servers name a coding that they did not apply.
            ContentCoding::Gzip if !raw.starts_with(&[0x1f, 0x8b]) => return Ok(self.raw),
            ContentCoding::Gzip => read(&mut flate2::read::MultiGzDecoder::new(raw)),
            // What HTTP calls deflate is zlib; some servers send it bare (RFC 9110, section 8.4.1.2).
            ContentCoding::Deflate if is_zlib(raw) => read(&mut flate2::read::ZlibDecoder::new(raw)),
            ContentCoding::Deflate => read(&mut flate2::read::DeflateDecoder::new(raw)),
            ContentCoding::Brotli => read(&mut brotli::Decompressor::new(raw, 4096)),
            ContentCoding::Zstd => zstd(raw).and_then(|mut decoder| read(&mut decoder)),
        };
        if decoded.len() > limit {
            return Err(if limit < self.max { BodyError::Bomb } else { BodyError::TooLarge(self.max) });
        }
        done.map_err(BodyError::Corrupt)?;
        Ok(decoded)
    }
}

fn zstd(raw: &[u8]) -> std::io::Result<impl Read + '_> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

fn is_zlib(raw: &[u8]) -> bool {
    matches!(raw, [method, flags, ..] if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn body(raw: Vec<u8>, coding: ContentCoding) -> ResponseBody {
        ResponseBody { raw, coding, max: 16 * MIB, _place: None }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_coding_that_is_offered_is_decoded() {
        let text = b"<rss>news, news and news</rss>".repeat(20);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(&text).unwrap();
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        bare.write_all(&text).unwrap();
        let mut br = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
        br.write_all(&text).unwrap();
        for (raw, coding) in [
            (text.clone(), ContentCoding::Identity),
            (gzip(&text), ContentCoding::Gzip),
            (text.clone(), ContentCoding::Gzip),
            (zlib.finish().unwrap(), ContentCoding::Deflate),
            (bare.finish().unwrap(), ContentCoding::Deflate),
            (br.into_inner(), ContentCoding::Brotli),
            (zstd::encode_all(&text[..], 3).unwrap(), ContentCoding::Zstd),
        ] {
            assert_eq!(body(raw, coding).decode().unwrap(), text, "{coding:?}");
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let bomb = gzip(&vec![b' '; 8 * MIB]);
        assert!(bomb.len() < 10_000);
        assert!(matches!(body(bomb, ContentCoding::Gzip).decode(), Err(BodyError::Bomb)));
        let large = ResponseBody { max: MIB / 2, ..body(gzip(&vec![b' '; MIB]), ContentCoding::Gzip) };
        assert!(matches!(large.decode(), Err(BodyError::TooLarge(_))));
    }

    #[test]
    fn a_window_that_http_does_not_allow_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(b"small").unwrap();
        encoder.flush().unwrap();
        assert!(matches!(body(encoder.finish().unwrap(), ContentCoding::Zstd).decode(), Err(BodyError::Corrupt(_))));
    }

    #[test]
    fn a_body_cut_off_in_its_coding_is_corrupt() {
        let mut cut = gzip(&b"news ".repeat(100));
        cut.truncate(cut.len() / 2);
        assert!(matches!(body(cut, ContentCoding::Gzip).decode(), Err(BodyError::Corrupt(_))));
    }

    #[test]
    fn codings_that_were_not_asked_for_are_refused() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, value.parse().unwrap());
            coding(&headers)
        };
        assert_eq!(of("X-GZip").unwrap(), ContentCoding::Gzip);
        assert_eq!(of("identity").unwrap(), ContentCoding::Identity);
        for wrong in ["compress", "gzip, gzip", "br,gzip"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
