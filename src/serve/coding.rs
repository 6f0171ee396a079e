//! Which content coding is sent (RFC 9110, section 12.5.3), and the coding itself, done once for each change.
//!
//! Pure: a request's words and sizes in, a coding out.

use axum::http::{HeaderMap, header};
use std::io::Write;

/// How a document is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Zstd,
    Gzip,
    Identity,
}

impl Coding {
    /// Of two that are equally welcome and equally small the earlier one is taken.
    pub(super) const ALL: [Coding; 4] = [Coding::Brotli, Coding::Zstd, Coding::Gzip, Coding::Identity];

    /// The word in `Accept-Encoding` and `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
            Coding::Identity => "identity",
        }
    }

    /// What follows the name of a file in this coding, as web servers look for it.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstd => ".zst",
            Coding::Gzip => ".gz",
            Coding::Identity => "",
        }
    }

    fn from_name(name: &str) -> Option<Coding> {
        // Section 8.4.1.3: the old name of gzip.
        let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
        Coding::ALL.into_iter().find(|coding| coding.name().eq_ignore_ascii_case(name))
    }

    /// The bytes in this coding; the same bytes on every machine. `None` where the encoder failed.
    pub(super) fn encode(self, plain: &[u8], effort: Effort) -> Option<Vec<u8>> {
        let once = effort == Effort::Once;
        match self {
            Coding::Identity => Some(plain.to_vec()),
            Coding::Gzip => {
                let level = if once { flate2::Compression::new(4) } else { flate2::Compression::default() };
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(plain).ok()?;
                encoder.finish().ok()
            }
            Coding::Brotli => {
                let mut coded = Vec::new();
                // Beyond this quality the last few per cent cost ten times the time. The window covers a whole feed.
                let quality = if once { 3 } else { 6 };
                let terms = brotli::enc::BrotliEncoderParams { quality, lgwin: 20, ..Default::default() };
                brotli::BrotliCompress(&mut &plain[..], &mut coded, &terms).ok()?;
                Some(coded)
            }
            // Below 20 its window stays under the 8 MiB that browsers accept (RFC 9659).
            Coding::Zstd => zstd::bulk::compress(plain, if once { 1 } else { 9 }).ok(),
        }
    }
}

/// How much work a coding is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// The bytes are sent again and again.
    Often,
    /// They are made for one request; no more work than they are to render.
    Once,
}

/// The coding for bytes that are made for one request, of which only one is made: of those that the client wants most, the
/// one that is the least work.
pub(super) fn choose_unseen(request: &HeaderMap) -> Option<Coding> {
    const BY_WORK: [(Coding, usize); 4] =
        [(Coding::Zstd, 1), (Coding::Brotli, 2), (Coding::Gzip, 3), (Coding::Identity, 4)];
    choose(request, &BY_WORK)
}

/// The coding that the client wants most; of several, the one with the fewest bytes. `None` where it accepts nothing
/// that we have.
pub(super) fn choose(request: &HeaderMap, sizes: &[(Coding, usize)]) -> Option<Coding> {
    let wishes = Wishes::read(request);
    let welcome = sizes.iter().filter_map(|(coding, size)| Some((wishes.weight(*coding)?, *size, *coding)));
    // The first of equals is the one that is kept.
    welcome
        .reduce(|best, next| if (next.0, best.1) > (best.0, next.1) { next } else { best })
        .map(|(_, _, coding)| coding)
}

/// What `Accept-Encoding` says, in thousandths.
struct Wishes {
    /// There is no such header: anything may be sent, and what was not asked for is better left out.
    silent: bool,
    named: Vec<(Coding, u32)>,
    others: Option<u32>,
}

impl Wishes {
    fn read(request: &HeaderMap) -> Wishes {
        let mut values = request.get_all(header::ACCEPT_ENCODING).iter().peekable();
        let mut wishes = Wishes { silent: values.peek().is_none(), named: Vec::new(), others: None };
        for word in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let (name, parameters) = word.split_once(';').unwrap_or((word, ""));
            let (name, Some(weight)) = (name.trim(), weight(parameters)) else { continue };
            match Coding::from_name(name) {
                Some(coding) => wishes.named.push((coding, weight)),
                None if name == "*" => wishes.others = Some(weight),
                None => {}
            }
        }
        wishes
    }

    /// How welcome a coding is; `None` where it must not be sent.
    fn weight(&self, coding: Coding) -> Option<u32> {
        let named = self.named.iter().find(|(named, _)| *named == coding).map(|(_, weight)| *weight);
        match named.or(self.others) {
            Some(0) => None,
            Some(weight) => Some(weight),
            // Nobody has to name the plain bytes to get them, and whoever names another coding wants it more.
            None => (coding == Coding::Identity).then_some(0),
        }
        .filter(|_| !self.silent || coding == Coding::Identity)
    }
}

/// `q=0.5` as 500, and 1000 where there is none; `None` where it is no number, so that the word is passed over.
fn weight(parameters: &str) -> Option<u32> {
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

    const SIZES: [(Coding, usize); 4] =
        [(Coding::Brotli, 10), (Coding::Zstd, 11), (Coding::Gzip, 12), (Coding::Identity, 100)];

    /// What is chosen for an `Accept-Encoding`; several headers are parted by `|`.
    fn check(accepted: &str, expected: &str) {
        let mut request = HeaderMap::new();
        for value in accepted.split('|') {
            request.append(header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        let chosen = choose(&request, &SIZES).map_or("none", Coding::name);
        assert_eq!(chosen, expected, "for {accepted:?}");
    }

    #[test]
    fn the_most_wanted_coding_is_chosen_and_of_equals_the_smallest() {
        check("gzip", "gzip");
        check("gzip, deflate, br, zstd", "br");
        check("GZIP, ZSTD", "zstd");
        check("x-gzip", "gzip");
        check("br;q=0.5, gzip;q=0.9, zstd;q=0.8", "gzip");
        check("br; q=0.5 , gzip;Q=0.501", "gzip");
        check("gzip|br", "br");
        check("gzip;q=0.001", "gzip");
        check("br;q=0.4, identity;q=0.6", "identity");
        check("br;q=2, gzip;q=x, zstd;q=0.1", "zstd");
        check("deflate, sdch", "identity");
        check("", "identity");
    }

    #[test]
    fn a_star_speaks_for_all_that_is_not_named() {
        check("*", "br");
        check("br;q=0, *", "zstd");
        check("gzip, *;q=0.5", "gzip");
        check("gzip;q=0.2, *;q=0.5", "br");
        check("gzip, *;q=0", "gzip");
        check("identity, *;q=0", "identity");
    }

    #[test]
    fn what_is_refused_is_not_sent() {
        check("gzip;q=0", "identity");
        check("gzip;q=0.000, br;q=0", "identity");
        check("identity;q=0, gzip", "gzip");
        check("identity;q=0", "none");
        check("*;q=0", "none");
        check("deflate, *;q=0", "none");
    }

    #[test]
    fn who_says_nothing_gets_the_plain_bytes() {
        assert_eq!(choose(&HeaderMap::new(), &SIZES), Some(Coding::Identity));
    }

    #[test]
    fn of_codings_that_are_not_made_yet_the_quickest_of_the_most_wanted_is_made() {
        for (accepted, expected) in
            [("gzip, br, zstd", "zstd"), ("gzip, br", "br"), ("gzip;q=1, br;q=0.5", "gzip"), ("deflate", "identity")]
        {
            let mut request = HeaderMap::new();
            request.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(choose_unseen(&request).map_or("none", Coding::name), expected, "for {accepted}");
        }
        assert_eq!(choose_unseen(&HeaderMap::new()), Some(Coding::Identity));
    }

    #[test]
    fn what_grows_when_it_is_coded_is_sent_as_it_is_to_who_takes_anything() {
        let mut request = HeaderMap::new();
        request.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("*"));
        assert_eq!(choose(&request, &[(Coding::Gzip, 30), (Coding::Identity, 10)]), Some(Coding::Identity));
    }
}
