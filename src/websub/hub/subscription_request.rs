//! Parses the form of a request to our own hub (WebSub, section 5.1) within limits. All functions are pure.

use super::Options;
use crate::domain::{SubscriberRequest, Timestamp};
use crate::http_client::AddressPolicy;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use url::{Url, form_urlencoded};

/// The maximum size of a form in bytes: large enough for a topic, a callback and a secret of maximum length with every
/// byte percent-encoded.
pub const MAX_FORM_BYTES: usize = 16 * 1024;
/// The maximum number of form fields that are read. Other fields are ignored.
const MAX_FIELDS: usize = 20;
const MAX_URL_BYTES: usize = 2048;
/// The maximum length of a secret in bytes. Section 5.1 requires a secret to be shorter than 200 bytes.
const MAX_SECRET_BYTES: usize = 199;

/// The reason why our own hub refuses a request. The message becomes the body of the response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    #[error("the Content-Type must be application/x-www-form-urlencoded")]
    ContentType,
    #[error("the request was not received in time")]
    Timeout,
    #[error("the request is larger than 16 KiB")]
    TooLarge,
    #[error("{0} is missing")]
    MissingField(&'static str),
    #[error("hub.mode must be subscribe or unsubscribe")]
    UnknownMode,
    #[error("this hub detects changes to its feeds automatically")]
    PublishMode,
    #[error("hub.topic is not a feed of this newsfold instance; use the exact URL of the feed's rel=self link")]
    UnknownTopic,
    #[error("hub.callback is longer than 2048 bytes")]
    CallbackTooLong,
    #[error("hub.callback is not a valid URL: {0}")]
    InvalidCallback(url::ParseError),
    #[error("hub.callback must not contain credentials")]
    CallbackCredentials,
    /// The message omits the address policy's reason, which only the operator may see.
    #[error("hub.callback has an address to which this hub does not send requests")]
    ForbiddenCallback,
    #[error("hub.secret is longer than 199 bytes")]
    SecretTooLong,
    #[error("hub.lease_seconds is not a number of seconds")]
    InvalidLease,
    #[error("this callback is not subscribed to this topic")]
    NotSubscribed,
    #[error("too many requests from this client within an hour")]
    ClientLimit,
    #[error("too many requests for callbacks at this host within an hour")]
    HostLimit,
    #[error("too many requests to this hub within an hour")]
    HubLimit,
    #[error("this hub has reached its maximum number of subscribers")]
    SubscriberLimit,
}

/// The time that a client that has reached a limit must wait before it tries again.
const RETRY_DELAY: SignedDuration = SignedDuration::from_mins(15);

impl RequestRefusal {
    /// Returns the `Retry-After` value of a temporary refusal.
    pub fn retry_after(&self) -> Option<SignedDuration> {
        use RequestRefusal::*;
        matches!(self, ClientLimit | HostLimit | HubLimit | SubscriberLimit).then_some(RETRY_DELAY)
    }
}

/// The rules and limits for checking a request.
pub struct RequestRules<'a> {
    /// The URLs of all documents of our feeds.
    pub topics: &'a BTreeSet<String>,
    pub address_policy: &'a AddressPolicy,
    pub options: &'a Options,
}

/// Parses and checks a form. `client` is the address of the client, if known.
///
/// # Errors
/// Returns a refusal that identifies the invalid field.
pub fn parse_request(
    form: &[u8],
    rules: &RequestRules<'_>,
    client: Option<String>,
    now: Timestamp,
) -> Result<SubscriberRequest, RequestRefusal> {
    let fields: Vec<_> = form_urlencoded::parse(form).take(MAX_FIELDS).collect();
    let first = |name: &str| {
        let value = fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
        value.filter(|value| !value.is_empty())
    };
    let mode = match first("hub.mode") {
        Some("publish") => return Err(RequestRefusal::PublishMode),
        mode => mode.and_then(|mode| mode.parse().ok()).ok_or(RequestRefusal::UnknownMode)?,
    };
    let topic = first("hub.topic").ok_or(RequestRefusal::MissingField("hub.topic"))?;
    if !rules.topics.contains(topic) {
        return Err(RequestRefusal::UnknownTopic);
    }
    let callback = first("hub.callback").ok_or(RequestRefusal::MissingField("hub.callback"))?;
    let callback = parse_callback(callback, rules.address_policy)?;
    let secret = first("hub.secret");
    if secret.is_some_and(|secret| secret.len() > MAX_SECRET_BYTES) {
        return Err(RequestRefusal::SecretTooLong);
    }
    Ok(SubscriberRequest {
        topic: topic.to_owned(),
        host: callback_host(&callback),
        callback: callback.into(),
        client,
        mode,
        secret: secret.map(str::to_owned),
        lease: parse_lease(first("hub.lease_seconds"), rules.options)?,
        verify_at: now,
    })
}

/// Parses a callback URL and checks its address. The addresses of a host name are checked when a connection is made.
fn parse_callback(text: &str, address_policy: &AddressPolicy) -> Result<Url, RequestRefusal> {
    if text.len() > MAX_URL_BYTES {
        return Err(RequestRefusal::CallbackTooLong);
    }
    let mut url = Url::parse(text).map_err(RequestRefusal::InvalidCallback)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RequestRefusal::CallbackCredentials);
    }
    address_policy.check_url(&url).map_err(|reason| {
        tracing::debug!(%reason, "refused a callback");
        RequestRefusal::ForbiddenCallback
    })?;
    // Clients never send fragments. With fragments, one callback would look like several callbacks.
    url.set_fragment(None);
    Ok(url)
}

/// Returns the host whose requests are counted.
fn callback_host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Returns the requested lease, clamped to the configured limits. Older subscribers send 0 to request the default.
fn parse_lease(seconds: Option<&str>, options: &Options) -> Result<SignedDuration, RequestRefusal> {
    let Some(seconds) = seconds.filter(|seconds| *seconds != "0") else { return Ok(options.lease) };
    if !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RequestRefusal::InvalidLease);
    }
    let seconds = seconds.parse::<u32>().unwrap_or(u32::MAX);
    Ok(SignedDuration::from_secs(seconds.into()).clamp(options.min_lease, options.max_lease))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::HubMode;
    use crate::http_client;

    const TOPIC: &str = "https://news.example/feeds/all.atom";
    const CALLBACK: &str = "https://reader.example/push?id=7&x=%20y";

    fn parse(fields: &[(&str, &str)]) -> Result<SubscriberRequest, RequestRefusal> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let rules = RequestRules {
            topics: &BTreeSet::from([TOPIC.to_owned()]),
            address_policy: &AddressPolicy::new(&http_client::Options::default()),
            options: &Options::default(),
        };
        parse_request(form.as_bytes(), &rules, None, Timestamp::UNIX_EPOCH)
    }

    fn with(name: &str, value: &str) -> Result<SubscriberRequest, RequestRefusal> {
        let mut fields = vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", CALLBACK)];
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
        parse(&fields)
    }

    #[test]
    fn complete_request_is_parsed() {
        let request = with("hub.secret", "s").unwrap();
        assert_eq!((request.topic.as_str(), request.callback.as_str()), (TOPIC, CALLBACK));
        assert_eq!((request.host.as_str(), request.secret.as_deref()), ("reader.example", Some("s")));
        assert_eq!((request.mode, request.lease.as_hours()), (HubMode::Subscribe, 240));
        assert_eq!(with("hub.mode", "unsubscribe").unwrap().mode, HubMode::Unsubscribe);
        let normalized = with("hub.callback", "https://Reader.example./a#b").unwrap();
        assert_eq!(normalized.callback, "https://reader.example./a");
        assert_eq!(normalized.host, "reader.example");
    }

    #[test]
    fn lease_is_kept_within_the_configured_limits() {
        let hours = |seconds| with("hub.lease_seconds", seconds).unwrap().lease.as_hours();
        assert_eq!([hours(""), hours("0"), hours("1"), hours("7200"), hours("86400")], [240, 240, 1, 2, 24]);
        assert_eq!([hours("99999999999999999999"), hours("4294967295")], [720, 720]);
        for invalid in ["-1", "soon"] {
            assert_eq!(with("hub.lease_seconds", invalid).unwrap_err(), RequestRefusal::InvalidLease);
        }
    }

    #[test]
    fn missing_wrong_and_oversized_fields_are_refused() {
        let check = |name: &str, value: &str, expect: RequestRefusal| {
            assert_eq!(with(name, value).unwrap_err(), expect, "{name}={value}");
        };
        check("hub.mode", "", RequestRefusal::UnknownMode);
        check("hub.mode", "denied", RequestRefusal::UnknownMode);
        check("hub.mode", "publish", RequestRefusal::PublishMode);
        check("hub.topic", "", RequestRefusal::MissingField("hub.topic"));
        check("hub.topic", "https://news.example/feeds/all.atom?", RequestRefusal::UnknownTopic);
        check("hub.topic", "https://elsewhere.example/", RequestRefusal::UnknownTopic);
        check("hub.callback", "", RequestRefusal::MissingField("hub.callback"));
        check("hub.callback", "here", RequestRefusal::InvalidCallback(url::ParseError::RelativeUrlWithoutBase));
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        check("hub.callback", &long, RequestRefusal::CallbackTooLong);
        check("hub.callback", "https://ann:secret@a.example/", RequestRefusal::CallbackCredentials);
        for forbidden in ["http://127.0.0.1/", "http://169.254.169.254/", "ftp://a.example/", "http://a.example:25/"] {
            check("hub.callback", forbidden, RequestRefusal::ForbiddenCallback);
        }
        check("hub.secret", &"x".repeat(200), RequestRefusal::SecretTooLong);
        assert!(with("hub.secret", &"x".repeat(199)).is_ok());
        let late = [[("x", "y"); MAX_FIELDS].as_slice(), &[("hub.mode", "subscribe")]].concat();
        assert_eq!(parse(&late).unwrap_err(), RequestRefusal::UnknownMode, "after the maximum number of fields");
    }
}
