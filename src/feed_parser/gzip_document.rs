//! Unpacks documents that are gzip files. A `Content-Encoding` is decoded before, by `http_client`.

use std::io::Read;

/// Decompresses a gzip document without a `Content-Encoding`, because some servers serve a stored `feed.xml.gz`.
pub fn unpack(bytes: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return None;
    }
    let mut unpacked = Vec::new();
    // A damaged file still yields the part before the damage.
    let _ = flate2::read::MultiGzDecoder::new(bytes).take(max_bytes as u64).read_to_end(&mut unpacked);
    Some(unpacked)
}
