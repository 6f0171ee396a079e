//! What somebody asks of our hub (WebSub, section 5.1): the form, read within bounds and judged. Pure.

use super::Options;
use crate::domain::{HubMode, SubscriberRequest, Timestamp};
use crate::http_client::AddressPolicy;
use axum::http::StatusCode;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use url::{Url, form_urlencoded};

/// Bytes of a form: a topic, a callback and a secret, each byte of them written as three.
pub const MAX_FORM_BYTES: usize = 16 * 1024;
/// Fields that are looked at.
const MAX_FIELDS: usize = 20;
const MAX_URL_BYTES: usize = 2048;
/// A secret is shorter than 200 bytes (section 5.1).
const MAX_SECRET_BYTES: usize = 199;

/// Why a request is not taken, for whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRefusal {
    pub status: StatusCode,
    pub why: String,
    /// When another may be.
    pub retry_after: Option<SignedDuration>,
}

impl RequestRefusal {
    pub fn new(status: StatusCode, why: impl Into<String>) -> RequestRefusal {
        RequestRefusal { status, why: why.into(), retry_after: None }
    }
}

/// Reads a form. `topics` are the URLs of what we publish; `client` is who asks.
pub fn parse_request(
    form: &[u8],
    topics: &BTreeSet<String>,
    guard: &AddressPolicy,
    options: &Options,
    client: Option<String>,
    now: Timestamp,
) -> Result<SubscriberRequest, RequestRefusal> {
    let bad = |why: &str| RequestRefusal::new(StatusCode::BAD_REQUEST, why);
    let fields: Vec<_> = form_urlencoded::parse(form).take(MAX_FIELDS).collect();
    let first = |name: &str| {
        let value = fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
        value.filter(|value| !value.is_empty())
    };
    let mode = match first("hub.mode") {
        Some("publish") => return Err(bad("this hub knows by itself when its feeds change")),
        mode => mode.and_then(HubMode::parse).ok_or_else(|| bad("hub.mode is neither subscribe nor unsubscribe"))?,
    };
    let topic = first("hub.topic").ok_or_else(|| bad("hub.topic is missing"))?;
    if !topics.contains(topic) {
        let why = "hub.topic is no feed of this newsfold; it is to be the very URL that the feed gives as its self";
        return Err(RequestRefusal::new(StatusCode::NOT_FOUND, why));
    }
    let callback = first("hub.callback").ok_or_else(|| bad("hub.callback is missing"))?;
    let callback = self::callback(callback, guard)?;
    let secret = first("hub.secret");
    if secret.is_some_and(|secret| secret.len() > MAX_SECRET_BYTES) {
        return Err(bad("hub.secret is longer than 199 bytes"));
    }
    Ok(SubscriberRequest {
        topic: topic.to_owned(),
        host: host(&callback),
        callback: callback.into(),
        client,
        mode,
        secret: secret.map(str::to_owned),
        lease: lease(first("hub.lease_seconds"), options)?,
        verify_at: now,
    })
}

/// An address that may be asked at all. Where its name leads is judged when it is.
fn callback(text: &str, guard: &AddressPolicy) -> Result<Url, RequestRefusal> {
    let bad = |why: &str| RequestRefusal::new(StatusCode::BAD_REQUEST, format!("hub.callback {why}"));
    if text.len() > MAX_URL_BYTES {
        return Err(bad("is longer than 2048 bytes"));
    }
    let mut url = Url::parse(text).map_err(|error| bad(&format!("is no URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("holds a name or a password"));
    }
    guard.check_url(&url).map_err(|reason| {
        // The guard's own words tell the operator what to allow; a stranger needs to know only that it is not.
        tracing::debug!(%reason, "a callback was refused");
        RequestRefusal::new(StatusCode::FORBIDDEN, "hub.callback leads where this hub does not send anything")
    })?;
    // A fragment is never sent, so that it would make one callback look like two.
    url.set_fragment(None);
    Ok(url)
}

/// What requests are counted by.
fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Nothing, and the 0 of older subscribers, is as long as we like.
fn lease(asked: Option<&str>, options: &Options) -> Result<SignedDuration, RequestRefusal> {
    let Some(asked) = asked.filter(|asked| *asked != "0") else { return Ok(options.lease) };
    if !asked.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RequestRefusal::new(StatusCode::BAD_REQUEST, "hub.lease_seconds is no number of seconds"));
    }
    let seconds = asked.parse::<u32>().unwrap_or(u32::MAX);
    Ok(SignedDuration::from_secs(seconds.into()).clamp(options.min_lease, options.max_lease))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_client;

    const TOPIC: &str = "https://news.example/feeds/all.atom";
    const CALLBACK: &str = "https://reader.example/push?id=7&x=%20y";

    fn judged(fields: &[(&str, &str)]) -> Result<SubscriberRequest, RequestRefusal> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let guard = AddressPolicy::new(&http_client::Options::default());
        let topics = BTreeSet::from([TOPIC.to_owned()]);
        parse_request(form.as_bytes(), &topics, &guard, &Options::default(), None, Timestamp::UNIX_EPOCH)
    }

    fn with(name: &str, value: &str) -> Result<SubscriberRequest, RequestRefusal> {
        let mut fields = vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", CALLBACK)];
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
        judged(&fields)
    }

    #[test]
    fn a_whole_request_is_read() {
        let request = with("hub.secret", "s").unwrap();
        assert_eq!((request.topic.as_str(), request.callback.as_str()), (TOPIC, CALLBACK));
        assert_eq!((request.host.as_str(), request.secret.as_deref()), ("reader.example", Some("s")));
        assert_eq!((request.mode, request.lease.as_hours()), (HubMode::Subscribe, 240));
        assert_eq!(with("hub.mode", "unsubscribe").unwrap().mode, HubMode::Unsubscribe);
        assert_eq!(with("hub.callback", "https://Reader.example./a#b").unwrap().callback, "https://reader.example./a");
        assert_eq!(with("hub.callback", "https://Reader.example./a#b").unwrap().host, "reader.example");
    }

    #[test]
    fn a_lease_is_kept_within_bounds() {
        let hours = |asked| with("hub.lease_seconds", asked).unwrap().lease.as_hours();
        assert_eq!([hours(""), hours("0"), hours("1"), hours("7200"), hours("86400")], [240, 240, 1, 2, 24]);
        assert_eq!([hours("99999999999999999999"), hours("4294967295")], [720, 720]);
        assert!(with("hub.lease_seconds", "-1").is_err() && with("hub.lease_seconds", "soon").is_err());
    }

    #[test]
    fn what_is_missing_wrong_or_too_long_is_refused_with_a_reason() {
        let check = |name: &str, value: &str, status: u16, words: &str| {
            let refusal = with(name, value).unwrap_err();
            assert_eq!(refusal.status.as_u16(), status, "{name}={value}");
            assert!(refusal.why.contains(words), "{}", refusal.why);
        };
        check("hub.mode", "", 400, "hub.mode");
        check("hub.mode", "denied", 400, "hub.mode");
        check("hub.mode", "publish", 400, "by itself");
        check("hub.topic", "", 400, "hub.topic is missing");
        check("hub.topic", "https://news.example/feeds/all.atom?", 404, "hub.topic is no feed");
        check("hub.topic", "https://elsewhere.example/", 404, "hub.topic is no feed");
        check("hub.callback", "", 400, "hub.callback is missing");
        check("hub.callback", "here", 400, "no URL");
        check("hub.callback", &format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES)), 400, "longer");
        check("hub.callback", "https://ann:secret@a.example/", 400, "password");
        for forbidden in ["http://127.0.0.1/", "http://169.254.169.254/", "ftp://a.example/", "http://a.example:25/"] {
            check("hub.callback", forbidden, 403, "does not send");
        }
        check("hub.secret", &"x".repeat(200), 400, "199");
        assert!(with("hub.secret", &"x".repeat(199)).is_ok());
        let far = [[("x", "y"); MAX_FIELDS].as_slice(), &[("hub.mode", "subscribe")]].concat();
        assert_eq!(judged(&far).unwrap_err().why, "hub.mode is neither subscribe nor unsubscribe");
    }
}
