//! `newsfold feed subscribers`: who is pushed what is published, at our own hub; and `newsfold feed hubs`: what other hubs
//! were told.

use crate::cli::Context;
use crate::cli::output::{json, maybe_time, one_line, print, table, time};
use crate::domain::{HubSubscriber, SubscriberId};
use crate::store::websub_subscribers;
use anyhow::bail;
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Subscribers {
    /// End the subscription of this number, without a word to the subscriber; it may subscribe again.
    #[arg(long, value_name = "ID")]
    remove: Option<i64>,
    /// Show callbacks whole. They are secret: whoever knows one may push to it.
    #[arg(long, conflicts_with = "remove")]
    callbacks: bool,
}

/// A subscriber as it is printed.
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
        if let Some(id) = self.remove {
            if !store.write(move |db| websub_subscribers::remove(db, SubscriberId(id))).await? {
                bail!("there is no subscriber {id}; `newsfold feed subscribers` shows them");
            }
            if context.json() {
                json(&serde_json::json!({"removed": id}))?;
            } else {
                print(&format!("subscriber {id} is sent nothing any more"))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let now = context.clock.now();
        let all = store.read(move |db| websub_subscribers::list(db, now)).await?;
        let whom = if self.callbacks { "callback" } else { "host" };
        if context.json() {
            let shown = all.iter().map(|subscriber| {
                let callback = self.callbacks.then_some(subscriber.callback.as_str());
                ListedSubscriber { subscriber, callback }
            });
            json(&shown.collect::<Vec<_>>())?;
        } else if all.is_empty() {
            print("nobody subscribes at the hub of this newsfold")?;
        } else {
            table(
                ["id", "feed", whom, "until", "sent", "last", "failures", "why"],
                all.iter().map(|subscriber| {
                    [
                        subscriber.id.to_string(),
                        one_line(&subscriber.topic, 200),
                        one_line(if self.callbacks { &subscriber.callback } else { &subscriber.host }, 2048),
                        time(subscriber.lease_until),
                        subscriber.deliveries.to_string(),
                        maybe_time(subscriber.delivered_at),
                        subscriber.failures.to_string(),
                        one_line(&subscriber.detail, 200),
                    ]
                }),
            )?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints what the hubs of the configuration were told; others are told nothing any more.
pub async fn hubs(context: &Context) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let named: Vec<String> = config.publish.hubs.iter().map(|hub| hub.to_string()).collect();
    let mut told = store.read(websub_subscribers::list_notifications).await?;
    told.retain(|ping| named.contains(&ping.hub));
    if context.json() {
        json(&told)?;
    } else if named.is_empty() {
        print("publish.hubs names no hub")?;
    } else {
        table(
            ["hub", "feed", "told", "failures", "why"],
            told.iter().map(|ping| {
                [
                    one_line(&ping.hub, 200),
                    one_line(&ping.topic, 200),
                    maybe_time(ping.pinged_at),
                    ping.failures.to_string(),
                    one_line(&ping.detail, 200),
                ]
            }),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
