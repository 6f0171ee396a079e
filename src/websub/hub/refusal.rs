//! Why our own hub refuses a request. The message of a refusal is the body of the response.

use jiff::SignedDuration;

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
    #[error("this hub detects changes of its feeds itself")]
    PublishMode,
    #[error("hub.topic is not a feed of this newsfold; use the exact URL of the feed's rel=self link")]
    UnknownTopic,
    #[error("hub.callback is longer than 2048 bytes")]
    CallbackTooLong,
    #[error("hub.callback is not a valid URL: {0}")]
    InvalidCallback(url::ParseError),
    #[error("hub.callback must not contain credentials")]
    CallbackCredentials,
    /// The address policy's reason is for the operator, not for the client.
    #[error("hub.callback has an address to which this hub does not send requests")]
    ForbiddenCallback,
    #[error("hub.secret is longer than 199 bytes")]
    SecretTooLong,
    #[error("hub.lease_seconds is not a number of seconds")]
    InvalidLease,
    #[error("this callback is not subscribed to this topic")]
    NotSubscribed,
    #[error("too many requests by this client within an hour")]
    ClientLimit,
    #[error("too many requests for callbacks at this host within an hour")]
    HostLimit,
    #[error("too many requests to this hub within an hour")]
    HubLimit,
    #[error("this hub has reached its maximum number of subscribers")]
    SubscriberLimit,
}

/// When a client that has reached a limit may try again.
const RETRY_DELAY: SignedDuration = SignedDuration::from_mins(15);

impl RequestRefusal {
    /// The `Retry-After` of a refusal that is temporary.
    pub fn retry_after(&self) -> Option<SignedDuration> {
        use RequestRefusal::*;
        matches!(self, ClientLimit | HostLimit | HubLimit | SubscriberLimit).then_some(RETRY_DELAY)
    }
}
