//! Records an operator event when the disk that holds the database is nearly full and when it has enough space again,
//! so that the health feed reports the shortage before writes fail.

use super::task_context::TaskContext;
use crate::domain::{OperatorEvent, OperatorEventKind, Timestamp};
use crate::store::{self, Store, WriteConnection, operator_events};
use std::time::Duration;

/// The interval between checks.
const INTERVAL: Duration = Duration::from_secs(60);

pub(super) async fn run(context: TaskContext) {
    loop {
        // Logs a deleted file, even if no client requests `/healthz`.
        context.store().file_fault();
        if let Err(error) = record_change(context.store(), context.clock().now()).await {
            error.log("cannot record the state of the disk");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Records an event if the last event describes another state of the disk.
async fn record_change(store: &Store, now: Timestamp) -> store::Result<()> {
    let shortage = store.disk_shortage();
    if store.read(operator_events::disk_is_nearly_full).await? == shortage.is_some() {
        return Ok(());
    }
    let event = match shortage {
        Some(shortage) => OperatorEvent::new(OperatorEventKind::DiskNearlyFull, shortage),
        None => OperatorEvent::new(OperatorEventKind::DiskHasSpace, "there is enough free space again"),
    };
    store.write(move |db: &WriteConnection| operator_events::record(db, now, None, &event)).await
}
