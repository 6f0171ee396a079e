//! The WebSub subscription of a source to the hub that its feed declares (W3C Recommendation of 23 January 2018).
//!
//! Types only. The transitions between the states are in [`crate::websub::state_machine`].

use super::SourceId;
use super::display_text::one_line;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const MAX_ERROR_CHARS: usize = 300;

/// The hub and the topic that a feed declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredHub {
    pub hub: String,
    /// The feed's `rel=self` URL. The hub must repeat it byte for byte.
    pub topic: String,
}

/// The subscription of a source. It exists once the source's feed has declared a hub.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HubSubscription {
    #[serde(rename(deserialize = "source_id"))]
    pub source: SourceId,
    pub state: SubscriptionState,
    /// The hub that the feed currently declares; `None` if the feed no longer declares one.
    pub declared: Option<DeclaredHub>,
    /// The hub and topic of the last subscription request.
    pub requested: Option<DeclaredHub>,
    /// The URL that the hub calls. Its last path segment is a secret token: anyone who knows it can confirm a request.
    #[serde(skip_serializing)]
    pub callback: Option<String>,
    /// The key with which the hub signs the documents that it pushes.
    #[serde(skip_serializing)]
    pub secret: Option<String>,
    /// Whether a request to renew an active subscription is pending.
    pub renewing: bool,
    pub requested_at: Option<Timestamp>,
    /// When the state machine runs next; `None` if no action is scheduled.
    pub next_action_at: Option<Timestamp>,
    pub lease_until: Option<Timestamp>,
    /// The number of consecutive requests that the hub has not verified.
    pub failures: u32,
    /// The number of accepted documents.
    pub pushes: u64,
    /// The number of documents that were dropped because their signature was missing or wrong.
    pub rejected_pushes: u64,
    pub last_push_at: Option<Timestamp>,
    /// Whether pushes have proved complete. Polls then serve only as a safety net.
    pub reliable: bool,
    /// The last event that may need the operator's attention; `None` if there is no such event.
    pub last_event: Option<HubEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum SubscriptionState {
    /// There is no subscription, or it has ended.
    Inactive,
    /// A request was sent, but the hub has not verified it yet.
    Requested,
    /// The hub has verified the subscription, and its lease is running.
    Active,
    /// A request to unsubscribe was sent, but the hub has not verified it yet.
    Unsubscribing,
    /// The hub denied the subscription.
    Denied,
    /// The request could not be sent, or the hub refused it.
    Failed,
}

/// The last event of a subscription, for the operator. Program logic reads [`SubscriptionState`] instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum HubEvent {
    SubscribeSent,
    UnsubscribeSent,
    /// The hub accepted the request but has not verified it yet.
    RequestAccepted,
    SubscribeFailed {
        failure: WebSubFailure,
    },
    /// newsfold ended the subscription, even though the hub refused the request to unsubscribe.
    UnsubscribeFailed {
        failure: WebSubFailure,
    },
    Unsubscribed,
    /// The hub did not verify the request to unsubscribe. The subscription ends when its lease expires.
    UnsubscribeUnverified,
    Denied {
        hub: String,
        reason: String,
    },
    LeaseExpired,
    /// The request became obsolete before the hub verified it.
    RequestObsolete,
    PushRejected {
        error: SignatureError,
    },
    /// A pushed document could not be read as a feed.
    PushUnreadable {
        detail: String,
    },
    /// A poll found new items that the hub did not push.
    ItemsMissed {
        items: usize,
    },
    WebSubDisabled {
        reason: DisabledReason,
    },
    /// The operating system could not provide random bytes for a token and a secret.
    NoRandomness,
}

/// Why a request to a hub or to a subscriber's callback did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "failure", rename_all = "kebab-case")]
pub enum WebSubFailure {
    /// The request was sent, but its response has not been recorded yet.
    ResponsePending,
    /// The response had a status other than 2xx. A hub may include an explanation in plain text.
    Status { status: u16, message: String },
    /// There was no response because of an invalid or forbidden address, a hold, a timeout or a network error.
    NoResponse { error: String },
    /// A callback did not echo the expected challenge of a verification request.
    WrongChallenge,
    /// newsfold gave up after this number of consecutive failures.
    GaveUp { attempts: u32, last: Box<WebSubFailure> },
}

impl WebSubFailure {
    /// Creates a failure without a response, with the error on one line of limited length.
    pub fn no_response(error: impl ToString) -> Self {
        WebSubFailure::NoResponse { error: one_line(&error.to_string(), MAX_ERROR_CHARS) }
    }

    /// Returns the status of the response, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            WebSubFailure::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Why a push was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureError {
    Missing,
    UnknownMethod,
    Mismatch,
}

/// Why newsfold does not subscribe to hubs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum DisabledReason {
    /// `websub.enabled` is false.
    Configured,
    /// `publish.base_url` has its default value, so hubs do not know the URL of newsfold.
    NoBaseUrl,
    /// `publish.base_url` contains a host name that hubs cannot resolve.
    LocalHostName { host: String },
    /// `publish.base_url` has no host, or has an address that hubs cannot reach.
    Unreachable { detail: String },
}

/// The action that a subscriber requests from a hub (`hub.mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, strum::EnumString, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum HubMode {
    Subscribe,
    Unsubscribe,
}

impl HubSubscription {
    /// Creates a subscription for which no request has been sent yet.
    pub fn new(source: SourceId, declared: Option<DeclaredHub>) -> Self {
        HubSubscription {
            source,
            state: SubscriptionState::Inactive,
            declared,
            requested: None,
            callback: None,
            secret: None,
            renewing: false,
            requested_at: None,
            next_action_at: None,
            lease_until: None,
            failures: 0,
            pushes: 0,
            rejected_pushes: 0,
            last_push_at: None,
            reliable: false,
            last_event: None,
        }
    }

    /// Returns the mode of the request that the hub has not verified yet.
    pub fn pending(&self) -> Option<HubMode> {
        match self.state {
            SubscriptionState::Requested => Some(HubMode::Subscribe),
            SubscriptionState::Active if self.renewing => Some(HubMode::Subscribe),
            SubscriptionState::Unsubscribing => Some(HubMode::Unsubscribe),
            _ => None,
        }
    }
}
