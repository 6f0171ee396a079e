//! `newsfold feed subscribers`: the subscribers of our own hub.

use crate::cli::Context;
use crate::cli::output::{json, maybe_time, print, table, time};
use crate::domain::display_text::one_line;
use crate::domain::{HubSubscriber, SubscriberId};
use crate::store::{Store, websub_subscribers};
use crate::wording::websub_failure;
use anyhow::bail;
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Subscribers {
    /// Remove the subscriber with this ID without notifying it; it can subscribe again.
    #[arg(long, value_name = "ID")]
    remove: Option<i64>,
    /// Show full callback URLs. They are secret: anyone who knows a callback can push to it.
    #[arg(long, conflicts_with = "remove")]
    callbacks: bool,
}

/// A subscriber in the JSON output.
#[derive(Serialize)]
struct ListedSubscriber<'a> {
    #[serde(flatten)]
    subscriber: &'a HubSubscriber,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<&'a str>,
}

impl Subscribers {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (_, store) = context.open()?;
        match self.remove {
            Some(id) => remove(context, &store, id).await,
            None => list(context, &store, self.callbacks).await,
        }
    }
}

async fn remove(context: &Context, store: &Store, id: i64) -> anyhow::Result<ExitCode> {
    if !store.write(move |db| websub_subscribers::remove(db, SubscriberId(id))).await? {
        bail!("there is no subscriber {id}; `newsfold feed subscribers` lists all");
    }
    if context.json() {
        json(&serde_json::json!({"removed": id}))?;
    } else {
        print(&format!("removed subscriber {id}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context, store: &Store, show_callbacks: bool) -> anyhow::Result<ExitCode> {
    let now = context.clock.now();
    let subscribers = store.read(move |db| websub_subscribers::list(db, now)).await?;
    if context.json() {
        let listed = subscribers.iter().map(|subscriber| {
            let callback = show_callbacks.then_some(subscriber.callback.as_str());
            ListedSubscriber { subscriber, callback }
        });
        json(&listed.collect::<Vec<_>>())?;
    } else if subscribers.is_empty() {
        print("the hub has no subscribers")?;
    } else {
        let target = if show_callbacks { "callback" } else { "host" };
        let rows = subscribers.iter().map(|subscriber| {
            let failure = subscriber.last_failure.as_ref().map(websub_failure).unwrap_or_default();
            [
                subscriber.id.to_string(),
                one_line(&subscriber.topic, 200),
                one_line(if show_callbacks { &subscriber.callback } else { &subscriber.host }, 2048),
                time(subscriber.lease_until),
                subscriber.deliveries.to_string(),
                maybe_time(subscriber.delivered_at),
                subscriber.failures.to_string(),
                one_line(&failure, 200),
            ]
        });
        table(["id", "document", target, "lease until", "sent", "last sent", "failures", "last failure"], rows)?;
    }
    Ok(ExitCode::SUCCESS)
}
