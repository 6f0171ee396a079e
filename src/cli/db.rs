//! `newsfold db`: the database file.

use super::Context;
use crate::store::{damage, statistics};
use anyhow::bail;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum DbCommand {
    /// Print the path of the database and its row counts.
    Info,
    /// Check the database for damage.
    Check,
}

impl DbCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (_, store) = context.open()?;
        let path = store.path().display();
        match self {
            DbCommand::Info => {
                let counts = store.read(statistics::row_counts).await?;
                let text = format!(
                    "{path}\n{} sources, {} items ({} waiting to be grouped), {} stories ({} published, {} with only backlog)",
                    counts.sources,
                    counts.items,
                    counts.unassigned,
                    counts.stories,
                    counts.published,
                    counts.backlog_stories
                );
                context.print(&serde_json::json!({"database": path.to_string(), "counts": counts}), text)
            }
            DbCommand::Check => {
                let damage = store.read(damage).await?;
                let is_whole = damage.is_empty();
                if !is_whole && !context.json() {
                    bail!("the database is damaged; restore a backup. SQLite says:\n{}", damage.join("\n"));
                }
                let report = serde_json::json!({"database": path.to_string(), "whole": is_whole, "damage": damage});
                context.print(&report, "database OK")?;
                Ok(ExitCode::from(u8::from(!is_whole)))
            }
        }
    }
}
