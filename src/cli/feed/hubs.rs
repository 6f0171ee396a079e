//! `newsfold feed hubs`: the notifications that the configured hubs have got.

use crate::cli::Context;
use crate::cli::output::{json, maybe_time, print, table};
use crate::domain::display_text::one_line;
use crate::store::hub_notifications;
use crate::wording::websub_failure;
use std::process::ExitCode;

/// Lists the notifications of each configured hub and document.
pub async fn list(context: &Context) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let configured: Vec<String> = config.publish.hubs.iter().map(|hub| hub.to_string()).collect();
    let mut notifications = store.read(hub_notifications::list).await?;
    notifications.retain(|notification| configured.contains(&notification.hub));
    if context.json() {
        json(&notifications)?;
    } else if configured.is_empty() {
        print("no hubs configured (publish.hubs)")?;
    } else {
        let rows = notifications.iter().map(|notification| {
            let failure = notification.last_failure.as_ref().map(websub_failure).unwrap_or_default();
            [
                one_line(&notification.hub, 200),
                one_line(&notification.topic, 200),
                maybe_time(notification.notified_at),
                notification.failures.to_string(),
                one_line(&failure, 200),
            ]
        });
        table(["hub", "document", "notified", "failures", "last failure"], rows)?;
    }
    Ok(ExitCode::SUCCESS)
}
