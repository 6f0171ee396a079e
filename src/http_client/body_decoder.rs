//! Receives and decodes response bodies within limits.
//!
//! Bodies are decoded only after they have been received, so a slow server never occupies a decoder. Only a few bodies
//! larger than 1 MiB are received concurrently, which bounds memory. Other large bodies wait, but a body that holds a
//! slot can always finish. Decoding limits the size, the compression ratio and the window size (RFC 9110, section 8.4;
//! RFC 8878, section 3.1.1.1.2; RFC 9659). Decoding blocks the thread, so it must run outside async tasks.
//!
//! Like browsers, the decoder ignores bytes after the end of the compressed data, because some servers append a comment
//! to a compressed page. Truncated data is an error, so that a partial document is never treated as complete.

use super::transport_error::innermost;
use crate::domain::display_text::one_line;
use futures_util::StreamExt;
use reqwest::Response;
use reqwest::header::{self, HeaderMap};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{self, Read};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The value of the Accept-Encoding header: all codings that this module decodes.
pub(super) const ACCEPT_ENCODING: &str = "gzip, br, zstd, deflate";
const MIB: usize = 1 << 20;
/// The size in bytes above which a body needs a slot for large bodies.
const LARGE_BODY_BYTES: usize = MIB;
/// The maximum number of large bodies in memory.
pub(super) const LARGE_BODY_SLOTS: usize = 16;
/// The maximum ratio of decoded to received bytes. Even the most repetitive XML and JSON documents compress to no less
/// than one fiftieth of their size.
const MAX_COMPRESSION_RATIO: usize = 200;
/// The decoded size up to which any ratio is accepted.
const MIN_DECODED_LIMIT: usize = MIB;
/// The maximum window size of a zstd frame in HTTP (RFC 9659).
const MAX_ZSTD_WINDOW_BYTES: u64 = 8 << 20;
/// The maximum number of gzip members or zstd frames in a body. Each member or frame needs a new decoder.
const MAX_PARTS: usize = 4096;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    #[error("the body is compressed by more than a factor of {MAX_COMPRESSION_RATIO}, more than any real feed needs")]
    DecompressionBomb,
    #[error("the body has a content coding that was not requested: {0}")]
    UnknownCoding(String),
    #[error("the body cannot be decoded: {0}")]
    Corrupt(std::io::Error),
    #[error("the body is incomplete: {0}")]
    Incomplete(String),
}

/// A body as received. It holds its slot for large bodies until it is decoded or dropped.
#[derive(Debug)]
pub struct ResponseBody {
    raw: Vec<u8>,
    coding: BodyCoding,
    max_bytes: usize,
    _slot: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyCoding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Receives a body up to `max_bytes`. Does not preallocate memory for the declared length, because a server can declare
/// any length.
pub(super) async fn receive(
    response: Response,
    max_bytes: usize,
    slots: &Arc<Semaphore>,
) -> Result<ResponseBody, BodyError> {
    let coding = body_coding(response.headers())?;
    let mut body = ResponseBody { raw: Vec::new(), coding, max_bytes, _slot: None };
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| BodyError::Incomplete(innermost(&error).to_string()))?;
        let length = body.raw.len() + chunk.len();
        if length > max_bytes {
            return Err(BodyError::TooLarge(max_bytes));
        }
        if length > LARGE_BODY_BYTES && body._slot.is_none() {
            body._slot = slots.clone().acquire_owned().await.ok();
        }
        body.raw.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn body_coding(headers: &HeaderMap) -> Result<BodyCoding, BodyError> {
    let mut found = BodyCoding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for name in value.split(',').map(str::trim) {
            let coding = match name {
                "" | "identity" | "utf-8" | "none" => continue,
                "gzip" | "x-gzip" => BodyCoding::Gzip,
                "deflate" => BodyCoding::Deflate,
                "br" => BodyCoding::Brotli,
                "zstd" => BodyCoding::Zstd,
                _ => return Err(BodyError::UnknownCoding(one_line(name, 40))),
            };
            // Reject a body that is encoded twice: it is a mistake or a decompression bomb, never a legitimate feed.
            if found != BodyCoding::Identity {
                return Err(BodyError::UnknownCoding(one_line(&value, 40)));
            }
            found = coding;
        }
    }
    Ok(found)
}

impl ResponseBody {
    /// Creates an unencoded body that did not come from an HTTP response.
    pub fn from_plain_bytes(raw: Vec<u8>) -> ResponseBody {
        ResponseBody { max_bytes: raw.len(), raw, coding: BodyCoding::Identity, _slot: None }
    }

    /// Returns the size of the body as transferred, in bytes.
    pub fn wire_bytes(&self) -> u64 {
        self.raw.len() as u64
    }

    /// Decodes the document. Blocks the thread.
    ///
    /// # Errors
    /// Returns an error if the document is too large, exceeds the compression ratio, or is corrupt.
    pub fn decode(self) -> Result<Vec<u8>, BodyError> {
        let raw = self.raw.as_slice();
        let mut decoded = Vec::new();
        let limit = self.max_bytes.min(raw.len().saturating_mul(MAX_COMPRESSION_RATIO).max(MIN_DECODED_LIMIT));
        let mut out = DecodedBytes { bytes: &mut decoded, limit };
        let result = match self.coding {
            BodyCoding::Identity => return Ok(self.raw),
            // Some servers declare a coding that they did not apply.
            BodyCoding::Gzip if !raw.starts_with(GZIP_MAGIC) => return Ok(self.raw),
            BodyCoding::Gzip => decode_gzip(raw, &mut out),
            BodyCoding::Deflate => decode_deflate(raw, &mut out),
            BodyCoding::Brotli => out.read(&mut brotli::Decompressor::new(raw, 4096)),
            BodyCoding::Zstd => decode_zstd(raw, &mut out),
        };
        if decoded.len() > limit {
            let is_bomb = limit < self.max_bytes;
            return Err(if is_bomb { BodyError::DecompressionBomb } else { BodyError::TooLarge(self.max_bytes) });
        }
        result.map_err(BodyError::Corrupt)?;
        Ok(decoded)
    }
}

/// The output of a decoder, up to one byte more than the limit.
struct DecodedBytes<'a> {
    bytes: &'a mut Vec<u8>,
    limit: usize,
}

impl DecodedBytes<'_> {
    fn read(&mut self, decoder: &mut dyn Read) -> io::Result<()> {
        let space = (self.limit + 1).saturating_sub(self.bytes.len());
        decoder.take(space as u64).read_to_end(self.bytes).map(drop)
    }

    fn is_full(&self) -> bool {
        self.bytes.len() > self.limit
    }
}

/// Decodes a gzip body, which may consist of several members (RFC 1952, section 2.2).
fn decode_gzip(raw: &[u8], out: &mut DecodedBytes<'_>) -> io::Result<()> {
    let mut rest = raw;
    for _ in 0..MAX_PARTS {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        out.read(&mut member)?;
        rest = member.into_inner();
        if out.is_full() || !rest.starts_with(GZIP_MAGIC) {
            return Ok(());
        }
    }
    Err(io::Error::other("too many members"))
}

/// Decodes a deflate body. HTTP defines deflate as zlib, but some servers send raw deflate (RFC 9110, section 8.4.1.2).
/// The readers of flate2 accept truncated streams, so this function uses the low-level `Decompress`.
fn decode_deflate(raw: &[u8], out: &mut DecodedBytes<'_>) -> io::Result<()> {
    let mut inflater = flate2::Decompress::new(is_zlib(raw));
    while !out.is_full() {
        out.bytes.reserve((out.limit + 1 - out.bytes.len()).min(64 * 1024));
        let (read, written) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress_vec(&raw[read as usize..], out.bytes, flate2::FlushDecompress::None)?;
        if status == flate2::Status::StreamEnd {
            break;
        }
        if (inflater.total_in(), inflater.total_out()) == (read, written) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Decodes a zstd body, which may consist of several frames, including skippable ones (RFC 8878, section 3.1).
fn decode_zstd(raw: &[u8], out: &mut DecodedBytes<'_>) -> io::Result<()> {
    let mut rest = raw;
    for _ in 0..MAX_PARTS {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_ZSTD_WINDOW_BYTES);
        match StreamingDecoder::new_with_decoder(&mut rest, decoder) {
            Ok(mut frame) => {
                out.read(&mut frame)?;
                let decoder = frame.into_frame_decoder();
                let checksum = decoder.get_checksum_from_data();
                if !out.is_full() && checksum.is_some() && checksum != decoder.get_calculated_checksum() {
                    return Err(io::Error::other("wrong checksum"));
                }
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                rest = rest.get(length as usize..).ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            Err(problem) => return Err(io::Error::other(problem)),
        }
        if out.is_full() || !starts_zstd_frame(rest) {
            return Ok(());
        }
    }
    Err(io::Error::other("too many frames"))
}

fn starts_zstd_frame(raw: &[u8]) -> bool {
    matches!(raw, [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Returns whether the bytes start with a zlib header (RFC 1950, section 2.2).
fn is_zlib(raw: &[u8]) -> bool {
    matches!(raw, [method, flags, ..] if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn body(raw: Vec<u8>, coding: BodyCoding) -> ResponseBody {
        ResponseBody { raw, coding, max_bytes: 16 * MIB, _slot: None }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_coding_in_accept_encoding_is_decoded() {
        let text = b"<rss>news, news and news</rss>".repeat(20);
        let uncompressed = [BodyCoding::Identity, BodyCoding::Gzip].map(|coding| (text.clone(), coding));
        for (raw, coding) in compressed(&text).into_iter().chain(uncompressed) {
            assert_eq!(body(raw, coding).decode().unwrap(), text, "{coding:?}");
        }
    }

    #[test]
    fn decompression_bomb_is_refused_within_the_limit() {
        let bomb = gzip(&vec![b' '; 8 * MIB]);
        assert!(bomb.len() < 10_000);
        assert!(matches!(body(bomb, BodyCoding::Gzip).decode(), Err(BodyError::DecompressionBomb)));
        let large = ResponseBody { max_bytes: MIB / 2, ..body(gzip(&vec![b' '; MIB]), BodyCoding::Gzip) };
        assert!(matches!(large.decode(), Err(BodyError::TooLarge(_))));
    }

    #[test]
    fn zstd_window_larger_than_http_allows_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(b"small").unwrap();
        encoder.flush().unwrap();
        assert!(matches!(body(encoder.finish().unwrap(), BodyCoding::Zstd).decode(), Err(BodyError::Corrupt(_))));
    }

    fn compressed(text: &[u8]) -> [(Vec<u8>, BodyCoding); 5] {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(text).unwrap();
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        bare.write_all(text).unwrap();
        let mut br = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
        br.write_all(text).unwrap();
        [
            (gzip(text), BodyCoding::Gzip),
            (zlib.finish().unwrap(), BodyCoding::Deflate),
            (bare.finish().unwrap(), BodyCoding::Deflate),
            (br.into_inner(), BodyCoding::Brotli),
            (zstd::encode_all(text, 3).unwrap(), BodyCoding::Zstd),
        ]
    }

    #[test]
    fn bytes_after_the_end_of_the_coding_are_ignored() {
        let text = b"<rss>rain, snow and hail</rss>".repeat(300);
        for junk in
            ["\n<!-- cached in 3 ms -->".repeat(400).into_bytes(), vec![0; 512], b"\x1f".to_vec(), b"(\xb5/".to_vec()]
        {
            for (mut raw, coding) in compressed(&text) {
                raw.extend_from_slice(&junk);
                assert_eq!(body(raw, coding).decode().unwrap(), text, "{coding:?} followed by {} bytes", junk.len());
            }
        }
    }

    #[test]
    fn members_and_frames_are_joined() {
        for (coding, encode) in [
            (BodyCoding::Gzip, gzip as fn(&[u8]) -> Vec<u8>),
            (BodyCoding::Zstd, |text: &[u8]| zstd::encode_all(text, 3).unwrap()),
        ] {
            let parts = [encode(b"<rss>rain, "), encode(b""), encode(b"snow</rss>"), b"junk".to_vec()];
            assert_eq!(body(parts.concat(), coding).decode().unwrap(), b"<rss>rain, snow</rss>", "{coding:?}");
            let many = encode(b"").repeat(MAX_PARTS + 1);
            assert!(matches!(body(many, coding).decode(), Err(BodyError::Corrupt(_))), "{coding:?}");
            let mut cut = [encode(b"<rss>rain, "), encode(b"snow</rss>")].concat();
            cut.truncate(cut.len() - 5);
            assert!(matches!(body(cut, coding).decode(), Err(BodyError::Corrupt(_))), "{coding:?}");
        }
    }

    #[test]
    fn truncated_body_is_corrupt() {
        for (mut raw, coding) in compressed(&b"rain and snow, ".repeat(100)) {
            for cut in [raw.len() - 1, raw.len() / 2] {
                raw.truncate(cut);
                let decoded = body(raw.clone(), coding).decode();
                assert!(matches!(decoded, Err(BodyError::Corrupt(_))), "{coding:?} cut to {cut} bytes");
            }
        }
    }

    #[test]
    fn codings_that_were_not_requested_are_refused() {
        let parse = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, value.parse().unwrap());
            body_coding(&headers)
        };
        assert_eq!(parse("X-GZip").unwrap(), BodyCoding::Gzip);
        assert_eq!(parse("identity").unwrap(), BodyCoding::Identity);
        for wrong in ["compress", "gzip, gzip", "br,gzip"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
