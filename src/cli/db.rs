//! `newsfold db`: the database file.

use super::Context;
use super::output::{json, print};
use crate::store::statistics;
use anyhow::bail;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Db {
    /// Print the path of the database and its row counts.
    Info,
    /// Check the database for damage.
    Check,
}

impl Db {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (_, store) = context.open()?;
        match self {
            Db::Info => {
                let counts = store.read(statistics::row_counts).await?;
                let path = store.path().display().to_string();
                if context.json() {
                    json(&serde_json::json!({"database": path, "counts": counts}))?;
                } else {
                    print(&path)?;
                    print(&format!(
                        "{} sources, {} items ({} waiting to be grouped), {} stories ({} published)",
                        counts.sources, counts.items, counts.unassigned, counts.stories, counts.published
                    ))?;
                }
            }
            Db::Check => {
                let damage = store.read(crate::store::damage).await?;
                if context.json() {
                    let path = store.path().display().to_string();
                    json(&serde_json::json!({"database": path, "whole": damage.is_empty(), "damage": damage}))?;
                    return Ok(if damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
                }
                if !damage.is_empty() {
                    bail!("the database is damaged; restore a backup. SQLite says:\n{}", damage.join("\n"));
                }
                print("database OK")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
