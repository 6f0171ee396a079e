//! Chooses the content coding of a response by Accept-Encoding (RFC 9110, section 12.5.3), and compresses the response.
//!
//! The functions are pure: they map request headers and sizes to a coding.

use axum::http::{HeaderMap, header};
use std::cmp::Reverse;
use std::io::Write;

/// A content coding. The variants are in order of preference among codings of equal weight and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive, const_into_str)]
pub enum ContentCoding {
    #[strum(serialize = "br")]
    Brotli,
    /// `x-gzip` is equivalent to `gzip` (RFC 9110, section 8.4.1.3).
    #[strum(to_string = "gzip", serialize = "x-gzip")]
    Gzip,
    Identity,
}

impl ContentCoding {
    /// Returns the token for `Accept-Encoding` and `Content-Encoding`.
    pub fn name(self) -> &'static str {
        self.into_str()
    }

    /// Returns the suffix of a precompressed file that web servers expect.
    pub fn file_suffix(self) -> &'static str {
        match self {
            ContentCoding::Brotli => ".br",
            ContentCoding::Gzip => ".gz",
            ContentCoding::Identity => "",
        }
    }

    /// Encodes bytes. The result is the same on every machine. Returns `None` if the encoder fails.
    pub fn encode(self, plain: &[u8], compression: Compression) -> Option<Vec<u8>> {
        let fast = compression == Compression::OneOff;
        match self {
            ContentCoding::Identity => Some(plain.to_vec()),
            ContentCoding::Gzip => {
                let level = if fast { flate2::Compression::new(4) } else { flate2::Compression::default() };
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(plain).ok()?;
                encoder.finish().ok()
            }
            ContentCoding::Brotli => {
                let mut encoded = Vec::new();
                // Qualities above 6 save a few percent but take ten times as long. The window covers a whole feed.
                let quality = if fast { 3 } else { 6 };
                let params = brotli::enc::BrotliEncoderParams { quality, lgwin: 20, ..Default::default() };
                brotli::BrotliCompress(&mut &plain[..], &mut encoded, &params).ok()?;
                Some(encoded)
            }
        }
    }
}

/// The time that compression may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// The bytes are sent many times.
    Cached,
    /// The bytes are sent once, so compression must not take longer than rendering.
    OneOff,
}

/// Chooses the coding for a document that is sent only once: the coding that is cheapest to compute among the codings
/// with the highest weight.
pub fn choose_for_one_off(request: &HeaderMap) -> Option<ContentCoding> {
    const BY_COST: [(ContentCoding, usize); 3] =
        [(ContentCoding::Brotli, 1), (ContentCoding::Gzip, 2), (ContentCoding::Identity, 3)];
    choose_coding(request, &BY_COST)
}

/// Returns the coding with the highest weight. Among codings of equal weight, returns the one with the smallest size.
/// Returns `None` if the client accepts none of the codings.
pub fn choose_coding(request: &HeaderMap, sizes: &[(ContentCoding, usize)]) -> Option<ContentCoding> {
    let accepted = AcceptEncoding::parse(request);
    let acceptable = sizes.iter().filter_map(|(coding, size)| Some((accepted.weight(*coding)?, *size, *coding)));
    acceptable.min_by_key(|(weight, size, _)| (Reverse(*weight), *size)).map(|(_, _, coding)| coding)
}

/// A parsed `Accept-Encoding` header. Weights are in thousandths.
struct AcceptEncoding {
    /// Whether the header is absent. In this case, any coding is allowed, but identity is the safest choice.
    is_absent: bool,
    named: Vec<(ContentCoding, u32)>,
    /// The weight of `*`.
    others: Option<u32>,
}

impl AcceptEncoding {
    fn parse(request: &HeaderMap) -> AcceptEncoding {
        let mut values = request.get_all(header::ACCEPT_ENCODING).iter().peekable();
        let mut accepted = AcceptEncoding { is_absent: values.peek().is_none(), named: Vec::new(), others: None };
        for element in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
            let (name, Some(weight)) = (name.trim(), parse_weight(parameters)) else { continue };
            match name.parse() {
                Ok(coding) => accepted.named.push((coding, weight)),
                Err(_) if name == "*" => accepted.others = Some(weight),
                Err(_) => {}
            }
        }
        accepted
    }

    /// Returns the weight of a coding; `None` if the coding is not acceptable.
    fn weight(&self, coding: ContentCoding) -> Option<u32> {
        let is_identity = coding == ContentCoding::Identity;
        if self.is_absent && !is_identity {
            return None;
        }
        let named = self.named.iter().find(|(named, _)| *named == coding).map(|(_, weight)| *weight);
        match named.or(self.others) {
            Some(weight) => (weight > 0).then_some(weight),
            // Identity is acceptable even if it is not listed, but any listed coding is preferred.
            None => is_identity.then_some(0),
        }
    }
}

/// Returns 500 for `q=0.5`, and 1000 if there is no weight. Returns `None` for an invalid weight, in which case the
/// caller ignores the element.
fn parse_weight(parameters: &str) -> Option<u32> {
    let Some((name, value)) = parameters.split_once('=') else { return Some(1000) };
    if !name.trim().eq_ignore_ascii_case("q") {
        return Some(1000);
    }
    let value = value.split(';').next().unwrap_or_default().trim().parse::<f32>().ok()?;
    (0.0..=1.0).contains(&value).then_some((value * 1000.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const SIZES: [(ContentCoding, usize); 3] =
        [(ContentCoding::Brotli, 10), (ContentCoding::Gzip, 12), (ContentCoding::Identity, 100)];

    /// Checks the coding that is chosen for an `Accept-Encoding` header. `|` separates several headers.
    fn check(accepted: &str, expected: &str) {
        let mut request = HeaderMap::new();
        for value in accepted.split('|') {
            request.append(header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        let chosen = choose_coding(&request, &SIZES).map_or("none", ContentCoding::name);
        assert_eq!(chosen, expected, "for {accepted:?}");
    }

    #[test]
    fn coding_with_the_highest_weight_is_chosen_and_the_smallest_among_equals() {
        check("gzip", "gzip");
        check("gzip, deflate, br, zstd", "br");
        check("GZIP, BR", "br");
        check("gzip, zstd", "gzip");
        check("x-gzip", "gzip");
        check("br;q=0.5, gzip;q=0.9", "gzip");
        check("br; q=0.5 , gzip;Q=0.501", "gzip");
        check("gzip|br", "br");
        check("gzip;q=0.001", "gzip");
        check("br;q=0.4, identity;q=0.6", "identity");
        check("br;q=2, gzip;q=0.1", "gzip");
        check("br;q=x, gzip;q=0.1", "gzip");
        check("deflate, sdch", "identity");
        check("", "identity");
    }

    #[test]
    fn wildcard_applies_to_all_codings_that_are_not_named() {
        check("*", "br");
        check("br;q=0, *", "gzip");
        check("gzip, *;q=0.5", "gzip");
        check("gzip;q=0.2, *;q=0.5", "br");
        check("gzip, *;q=0", "gzip");
        check("identity, *;q=0", "identity");
    }

    #[test]
    fn coding_with_weight_zero_is_not_sent() {
        check("gzip;q=0", "identity");
        check("gzip;q=0.000, br;q=0", "identity");
        check("identity;q=0, gzip", "gzip");
        check("identity;q=0", "none");
        check("*;q=0", "none");
        check("deflate, *;q=0", "none");
    }

    #[test]
    fn request_without_accept_encoding_gets_identity() {
        assert_eq!(choose_coding(&HeaderMap::new(), &SIZES), Some(ContentCoding::Identity));
    }

    #[test]
    fn one_off_document_gets_the_cheapest_coding_among_those_with_the_highest_weight() {
        for (accepted, expected) in
            [("gzip, br, zstd", "br"), ("gzip", "gzip"), ("gzip;q=1, br;q=0.5", "gzip"), ("deflate", "identity")]
        {
            let mut request = HeaderMap::new();
            request.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(choose_for_one_off(&request).map_or("none", ContentCoding::name), expected, "for {accepted}");
        }
        assert_eq!(choose_for_one_off(&HeaderMap::new()), Some(ContentCoding::Identity));
    }

    #[test]
    fn identity_is_sent_if_compression_makes_the_document_larger() {
        let mut request = HeaderMap::new();
        request.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("*"));
        assert_eq!(
            choose_coding(&request, &[(ContentCoding::Gzip, 30), (ContentCoding::Identity, 10)]),
            Some(ContentCoding::Identity)
        );
    }
}
