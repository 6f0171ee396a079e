//! `newsfold feed subscribers` and `feed hubs`: the servers that newsfold notifies of changed feeds (WebSub).

use crate::cli::Context;
use crate::cli::table::{optional_table_time, table_time};
use crate::domain::display_text::one_line;
use crate::domain::{HubSubscriber, SubscriberId, WebSubFailure};
use crate::store::{Store, hub_notifications, websub_subscribers};
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

/// A subscriber as shown in the output.
#[derive(Serialize)]
struct SubscriberRow<'a> {
    #[serde(flatten)]
    subscriber: &'a HubSubscriber,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<&'a str>,
}

impl Subscribers {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let store = context.open_database()?;
        match self.remove {
            Some(id) => remove(context, &store, id).await,
            None => list_subscribers(context, &store, self.callbacks).await,
        }
    }
}

async fn remove(context: &Context, store: &Store, id: i64) -> anyhow::Result<ExitCode> {
    if !store.write(move |db| websub_subscribers::remove(db, SubscriberId(id))).await? {
        bail!("there is no subscriber {id}; `newsfold feed subscribers` lists all subscribers");
    }
    context.print(&serde_json::json!({"removed": id}), format!("removed subscriber {id}"))
}

async fn list_subscribers(context: &Context, store: &Store, show_callbacks: bool) -> anyhow::Result<ExitCode> {
    let now = context.clock.now();
    let subscribers = store.read(move |db| websub_subscribers::list(db, now)).await?;
    let rows: Vec<SubscriberRow> = subscribers
        .iter()
        .map(|subscriber| SubscriberRow {
            subscriber,
            callback: show_callbacks.then_some(subscriber.callback.as_str()),
        })
        .collect();
    context.print_rows(
        &rows,
        "the hub has no subscribers",
        &[
            ("id", |row| row.subscriber.id.to_string()),
            ("document", |row| one_line(&row.subscriber.topic, 200)),
            (if show_callbacks { "callback" } else { "host" }, |row| {
                one_line(row.callback.unwrap_or(&row.subscriber.host), 2048)
            }),
            ("lease until", |row| table_time(row.subscriber.lease_until)),
            ("sent", |row| row.subscriber.deliveries.to_string()),
            ("last sent", |row| optional_table_time(row.subscriber.delivered_at)),
            ("failures", |row| row.subscriber.failures.to_string()),
            ("last failure", |row| failure_text(row.subscriber.last_failure.as_ref())),
        ],
    )
}

/// Lists each configured hub's latest notification for each document.
pub async fn list_hubs(context: &Context) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let hubs = config.publish.hubs;
    let mut notifications = store.read(hub_notifications::list).await?;
    notifications.retain(|notification| hubs.iter().any(|hub| hub.as_str() == notification.hub));
    context.print_rows(
        &notifications,
        if hubs.is_empty() { "no hubs configured (publish.hubs)" } else { "no notifications yet" },
        &[
            ("hub", |notification| one_line(&notification.hub, 200)),
            ("document", |notification| one_line(&notification.topic, 200)),
            ("notified", |notification| optional_table_time(notification.notified_at)),
            ("failures", |notification| notification.failures.to_string()),
            ("last failure", |notification| failure_text(notification.last_failure.as_ref())),
        ],
    )
}

fn failure_text(failure: Option<&WebSubFailure>) -> String {
    one_line(&failure.map(websub_failure).unwrap_or_default(), 200)
}
