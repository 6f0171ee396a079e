//! Records the operator's decisions on grouping and prints them.

use super::Context;
use crate::config::Config;
use crate::domain::{GroupingConstraint, Timestamp};
use crate::publish::choose_lead;
use crate::store::constraints::{ConstraintListResult, ConstraintResult};
use crate::store::{self, Store, WriteConnection, stories};
use crate::wording::constraint_text;
use std::process::ExitCode;

/// Records a decision with `record`. Prints the decision, or fails with the reason why it was refused.
pub async fn decide(
    context: &Context,
    config: Config,
    store: &Store,
    record: impl FnOnce(&WriteConnection, Timestamp) -> store::Result<ConstraintResult> + Send + 'static,
) -> anyhow::Result<ExitCode> {
    let record = |db: &WriteConnection, now| Ok(record(db, now)?.map(|applied| vec![applied]));
    for decision in apply(context, config, store, record).await? {
        let next = match decision.undone_at {
            Some(_) => ": undone".into(),
            None => format!("; `newsfold story undo {}` undoes it", decision.id),
        };
        context.print(&decision, constraint_text(&decision) + &next)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Like [`decide`], for a command that may record several decisions. Prints them all as one list.
pub async fn decide_together(
    context: &Context,
    config: Config,
    store: &Store,
    record: impl FnOnce(&WriteConnection, Timestamp) -> store::Result<ConstraintListResult> + Send + 'static,
) -> anyhow::Result<ExitCode> {
    let decisions = apply(context, config, store, record).await?;
    let mut lines: Vec<String> = decisions.iter().map(constraint_text).collect();
    let undo = decisions.iter().rev().map(|decision| format!("`newsfold story undo {}`", decision.id));
    lines.push(format!("to undo: {}", undo.collect::<Vec<_>>().join(", then ")));
    context.print(&decisions, lines.join("\n"))
}

/// Records decisions and sets a new lead for each story that lost its lead.
async fn apply(
    context: &Context,
    config: Config,
    store: &Store,
    record: impl FnOnce(&WriteConnection, Timestamp) -> store::Result<ConstraintListResult> + Send + 'static,
) -> anyhow::Result<Vec<GroupingConstraint>> {
    let now = context.clock.now();
    let recorded = store.write(move |db| {
        let recorded = record(db, now)?;
        for story in recorded.iter().flatten().flat_map(|applied| &applied.leaderless) {
            if let Some(lead) = choose_lead(story, &config.publish) {
                stories::set_lead(db, story.id, lead.item.id)?;
            }
        }
        Ok(recorded)
    });
    Ok(recorded.await??.into_iter().map(|applied| applied.constraint).collect())
}
