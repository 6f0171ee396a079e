//! The operator's settings for the requests for one source.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// The settings for the requests for a source. Headers and the cookie are secrets: they are sent only to `origin`, and
/// are never shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestSettings {
    /// Replaces the User-Agent header.
    pub user_agent: Option<String>,
    /// Additional header fields, as names and values.
    pub headers: Vec<(String, Secret)>,
    /// The value of the Cookie header.
    pub cookie: Option<Secret>,
    /// The origin (RFC 6454) to which the secrets are sent. It does not follow a change of the source's URL.
    pub origin: String,
    /// The URL of the proxy for all requests of this source. It can contain a user name and a password.
    pub proxy: Option<Secret>,
}

impl RequestSettings {
    pub fn has_secrets(&self) -> bool {
        !self.headers.is_empty() || self.cookie.is_some()
    }
}

/// A value that is stored and sent, but never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: String) -> Secret {
        Secret(value)
    }

    /// Returns the value, which must not be logged or printed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Serializes the settings for display: the names of the headers, and whether a cookie and a proxy are set.
pub(super) fn without_secrets<S: Serializer>(settings: &RequestSettings, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shown<'a> {
        user_agent: Option<&'a str>,
        headers: Vec<&'a str>,
        cookie: bool,
        proxy: bool,
    }
    let headers = settings.headers.iter().map(|(name, _)| name.as_str()).collect();
    let (user_agent, cookie) = (settings.user_agent.as_deref(), settings.cookie.is_some());
    Shown { user_agent, headers, cookie, proxy: settings.proxy.is_some() }.serialize(serializer)
}
