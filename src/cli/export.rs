//! `newsfold export`: all that is served, as files.

use super::Context;
use super::output::{json, print};
use crate::daemon;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Export {
    /// Folder to write to. DIR/current is always a complete export.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Export {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, store) = context.open()?;
        daemon::group_and_publish_without_daemon(&config, &store, &context.clock).await?;
        let done = daemon::export(&config.publish, &store, &context.clock, &self.folder).await?;
        if context.json() {
            json(&done)?;
        } else if done.new {
            print(&format!("{}: {} documents, {} files new", done.generation.display(), done.documents, done.written))?;
        } else {
            print(&format!("{}: nothing has changed", done.generation.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
