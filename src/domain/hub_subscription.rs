//! What is agreed with a hub about one source (W3C WebSub, 23 January 2018).

use super::SourceId;
use jiff::Timestamp;
use serde::Serialize;

/// Where a feed says that its news can be had at once: a hub, and the name by which the hub knows the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclaredHub {
    pub hub: String,
    /// The feed's rel=self. The hub is to repeat it to the letter.
    pub topic: String,
}

/// How things stand between a source and its hub. There is one for every source whose feed declared a hub.
#[derive(Debug, Clone, Serialize)]
pub struct HubSubscription {
    pub source: SourceId,
    pub state: SubscriptionState,
    /// What the feed declares now; `None` once it declares nothing any more.
    pub declared: Option<DeclaredHub>,
    /// What the hub was asked for.
    pub asked: Option<DeclaredHub>,
    /// Whom the hub is to call. Its last part is the token, which is secret: who knows it may confirm.
    #[serde(skip)]
    pub callback: Option<String>,
    /// What the hub signs with.
    #[serde(skip)]
    pub secret: Option<String>,
    /// An active subscription for whose renewal the hub was asked.
    pub renewing: bool,
    pub requested_at: Option<Timestamp>,
    /// When it is looked at again; `None` where there is nothing to do.
    pub next_at: Option<Timestamp>,
    pub lease_until: Option<Timestamp>,
    /// Requests in a row that led to nothing.
    pub failures: u32,
    /// Documents that were taken, and those that were not: unsigned, or signed by somebody else.
    pub pushes: u64,
    pub ignored: u64,
    pub last_push_at: Option<Timestamp>,
    /// Whether pushes can be relied upon, so that polls are a safety net.
    pub trusted: bool,
    /// What happened last, in words.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubscriptionState {
    /// There is none, or there is none any more.
    None,
    /// The hub was asked for it and has yet to verify that.
    Asked,
    /// The hub has verified it; its lease runs.
    Active,
    /// The hub was asked to end it and has yet to verify that.
    Leaving,
    /// The hub said no.
    Denied,
    /// The hub could not be asked, or did not take the request.
    Failed,
}

impl SubscriptionState {
    pub fn as_str(self) -> &'static str {
        match self {
            SubscriptionState::None => "none",
            SubscriptionState::Asked => "asked",
            SubscriptionState::Active => "active",
            SubscriptionState::Leaving => "leaving",
            SubscriptionState::Denied => "denied",
            SubscriptionState::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        use SubscriptionState::*;
        [None, Asked, Active, Leaving, Denied, Failed].into_iter().find(|state| state.as_str() == text)
    }
}

/// What a subscriber asks of a hub (hub.mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubMode {
    Subscribe,
    Unsubscribe,
}

impl HubMode {
    pub fn as_str(self) -> &'static str {
        match self {
            HubMode::Subscribe => "subscribe",
            HubMode::Unsubscribe => "unsubscribe",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [HubMode::Subscribe, HubMode::Unsubscribe].into_iter().find(|mode| mode.as_str() == text)
    }
}

impl HubSubscription {
    /// What the hub was asked for and has not verified yet.
    pub fn pending(&self) -> Option<HubMode> {
        match self.state {
            SubscriptionState::Asked => Some(HubMode::Subscribe),
            SubscriptionState::Active if self.renewing => Some(HubMode::Subscribe),
            SubscriptionState::Leaving => Some(HubMode::Unsubscribe),
            _ => None,
        }
    }

    /// The end of the subscription, as it is before anything was asked.
    pub fn of(source: SourceId, declared: Option<DeclaredHub>) -> Self {
        HubSubscription {
            source,
            state: SubscriptionState::None,
            declared,
            asked: None,
            callback: None,
            secret: None,
            renewing: false,
            requested_at: None,
            next_at: None,
            lease_until: None,
            failures: 0,
            pushes: 0,
            ignored: 0,
            last_push_at: None,
            trusted: false,
            detail: String::new(),
        }
    }
}
