//! URLs without their secrets.

use url::{Position, Url};

/// Removes the user name and the password from a URL, since logs and published documents must not contain them. Text that
/// is not a valid URL stays unchanged.
pub fn strip_credentials(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // Both fail only for a URL without a host, which has no credentials.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.into()
        }
        _ => text.to_owned(),
    }
}

/// The URL of a document as the base of its relative links, without user name, password and query: a link that is only a
/// fragment keeps them (RFC 3986 §5.2.2), and they may be secret.
pub fn base_of_links(document: &Url) -> Url {
    let mut base = document.clone();
    let _ = base.set_username("");
    let _ = base.set_password(None);
    base.set_query(None);
    base
}

/// The host of an http URL, with its port, since both path and query may contain a secret. Other text stays unchanged.
pub fn redact_url(text: &str) -> String {
    match Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
        Some(url) => url[Position::BeforeHost..Position::AfterPort].to_owned(),
        None => text.to_owned(),
    }
}

/// The text with each URL in it replaced by its host. Spaces separate a URL from other text.
pub fn redact_urls(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    text.split(' ')
        .map(|word| redact_url_in_word(word).unwrap_or_else(|| word.to_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The word with its URL replaced by the host. `None` for a word without a URL. Punctuation may surround the URL.
pub fn redact_url_in_word(word: &str) -> Option<String> {
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let colon = word.find("://")?;
    let (before, address) = (word[..colon].trim_end_matches(is_scheme_char), &word[colon + 3..]);
    let bare = address.trim_end_matches(PUNCTUATION);
    Some(format!("{before}{}{}", host_of_address(bare), &address[bare.len()..]))
}

/// The host and the port of an address without its scheme.
pub fn host_of_address(address: &str) -> &str {
    let authority = address.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// What may surround a URL in a text.
pub const PUNCTUATION: &[char] = &['(', ')', '[', ']', '<', '>', ',', ';', ':', '.', '"', '\'', '‘', '’', '“', '”'];

/// The start page of the site of an http URL: `https://news.example/`.
pub fn site_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(format!("{}/", url.origin().ascii_serialization()))
}
