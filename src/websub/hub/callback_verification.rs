//! Verifies the callback of a subscriber of our own hub (WebSub, section 5.3): builds the request, and checks whether
//! the response confirms it. All functions are pure.

use crate::domain::{HubMode, SubscriberRequest, WebSubFailure};
use crate::http_client::WebSubResponse;
use url::Url;

/// The maximum number of attempts to verify a request. A second attempt is made only if the program stopped before it
/// recorded the result of the first attempt.
pub const MAX_VERIFICATION_ATTEMPTS: u32 = 2;

/// Returns the URL of a verification request (section 5.3). It keeps the query parameters of the callback.
pub fn verification_url(request: &SubscriberRequest, challenge: &str) -> Result<Url, url::ParseError> {
    let mut url = Url::parse(&request.callback)?;
    url.query_pairs_mut().extend_pairs([
        ("hub.mode", request.mode.into_str()),
        ("hub.topic", request.topic.as_str()),
        ("hub.challenge", challenge),
    ]);
    if request.mode == HubMode::Subscribe {
        url.query_pairs_mut().append_pair("hub.lease_seconds", &request.lease.as_secs().to_string());
    }
    Ok(url)
}

/// Checks whether a callback has confirmed a request. The body of its response must equal the challenge.
pub fn check_echo(response: &WebSubResponse, challenge: &str) -> Result<(), WebSubFailure> {
    if response.body == challenge.as_bytes() { Ok(()) } else { Err(WebSubFailure::WrongChallenge) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use jiff::SignedDuration;

    #[test]
    fn verification_url_keeps_the_query_of_the_callback() {
        let mut request = SubscriberRequest {
            topic: "https://news.example/a?b=c&d".into(),
            callback: "https://reader.example/push?id=7&x=%20y".into(),
            host: "reader.example".into(),
            client: None,
            mode: HubMode::Subscribe,
            secret: None,
            lease: SignedDuration::from_hours(1),
            verify_at: Timestamp::UNIX_EPOCH,
        };
        let expect = "https://reader.example/push?id=7&x=%20y&hub.mode=subscribe\
                      &hub.topic=https%3A%2F%2Fnews.example%2Fa%3Fb%3Dc%26d&hub.challenge=c&hub.lease_seconds=3600";
        assert_eq!(verification_url(&request, "c").unwrap().as_str(), expect);
        request.mode = HubMode::Unsubscribe;
        request.callback = "https://reader.example/push".into();
        let url = verification_url(&request, "c").unwrap();
        assert!(url.as_str().starts_with("https://reader.example/push?hub.mode=unsubscribe&hub.topic="), "{url}");
        assert!(!url.as_str().contains("lease"), "{url}");
    }

    #[test]
    fn only_the_exact_challenge_confirms() {
        let echo = |body: &str| check_echo(&WebSubResponse { status: 200, body: body.into() }, "abc");
        assert_eq!(echo("abc"), Ok(()));
        for body in ["abd", "", "abc\n", "xabc"] {
            assert_eq!(echo(body), Err(WebSubFailure::WrongChallenge), "{body}");
        }
    }
}
