//! `newsfold export`: writes everything that newsfold serves to files.

use super::Context;
use crate::daemon;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Export {
    /// Directory to write to. DIR/current is always a complete export.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Export {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, store) = context.open()?;
        daemon::group_and_publish_without_daemon(&config, &store, &context.clock).await?;
        let done = daemon::export(&config, &store, &context.clock, &self.folder).await?;
        let changes = match done.new {
            true => format!("{} documents, {} new files", done.documents, done.written),
            false => "nothing has changed".into(),
        };
        context.print(&done, format!("{}: {changes}", done.generation.display()))
    }
}
