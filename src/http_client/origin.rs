//! The origin of a URL (RFC 6454): the unit of rate limits and holds.

use std::fmt;
use url::Url;

/// Scheme, host and port in ASCII, such as `https://news.example`; the default port is left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL.
    pub fn from_url(url: &Url) -> Origin {
        Origin(url.origin().ascii_serialization())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
