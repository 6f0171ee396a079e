//! `newsfold config`: the configuration file.

use super::Context;
use crate::config::Config;
use crate::http_client::Fetcher;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum ConfigCommand {
    /// Check whether the daemon can use the configuration file (exit code 1 if not), and list the settings that differ
    /// from the defaults.
    Check,
}

impl ConfigCommand {
    pub fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let ConfigCommand::Check = self;
        let location = context.config_location();
        let config = location.read()?;
        Fetcher::new(config.fetch.clone())?;
        let path = location.path().map(|path| path.display().to_string());
        let changed = config.differing_settings(&Config::default());
        let text = match &path {
            None => "there is no configuration file; the defaults apply".to_owned(),
            Some(path) if changed.is_empty() => format!("{path} is valid and equal to the defaults"),
            Some(path) => format!("{path} is valid. Settings that differ from the defaults: {}", changed.join(", ")),
        };
        context.print(&serde_json::json!({"path": path, "valid": true, "changed_settings": changed}), text)
    }
}
