//! Removes secrets from URLs.

use url::Url;

/// Removes the user name and the password from a URL, because logs and published documents must not contain them.
/// Leaves text that is not a valid URL unchanged.
pub fn strip_credentials(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => without_credentials(url).into(),
        _ => text.to_owned(),
    }
}

/// Returns the base URL of a document's relative links. Removes user name, password and query, which may be secret: a
/// link that consists of only a fragment would inherit them (RFC 3986 §5.2.2).
pub fn base_of_links(document: &Url) -> Url {
    let mut base = without_credentials(document.clone());
    base.set_query(None);
    base
}

/// Removes user name and password.
pub fn without_credentials(mut url: Url) -> Url {
    // Both calls fail only for a URL without a host, which has no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Returns the host and port of a URL, because the rest may contain secrets. Leaves other text unchanged.
pub fn redact_url(text: &str) -> &str {
    text.split_once("://").map_or(text, |(_, address)| host_of_address(address))
}

/// Replaces each URL in the text with its host. Spaces separate a URL from other text.
pub fn redact_urls(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    text.split(' ')
        .map(|word| redact_url_in_word(word).unwrap_or_else(|| word.to_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Replaces the URL in a word with its host; `None` for a word without a URL. Punctuation may surround the URL.
pub fn redact_url_in_word(word: &str) -> Option<String> {
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let colon = word.find("://")?;
    let (before, address) = (word[..colon].trim_end_matches(is_scheme_char), &word[colon + 3..]);
    let bare = address.trim_end_matches(PUNCTUATION);
    Some(format!("{before}{}{}", host_of_address(bare), &address[bare.len()..]))
}

/// Returns the host and the port of an address without a scheme.
pub fn host_of_address(address: &str) -> &str {
    let authority = address.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Characters that may surround a URL in text.
pub const PUNCTUATION: &[char] = &['(', ')', '[', ']', '<', '>', ',', ';', ':', '.', '"', '\'', '‘', '’', '“', '”'];

/// Returns the home page of the site of an http URL: `https://news.example/`.
pub fn site_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(format!("{}/", url.origin().ascii_serialization()))
}
