//! `newsfold config`: the configuration file.

use super::Context;
use crate::config::Config;
use crate::http_client::Fetcher;
use anyhow::bail;
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
        let path = context.config_location().path().map(|path| path.display().to_string());
        let config = match usable_config(context) {
            Ok(config) => config,
            Err(error) if context.json() => {
                let value = serde_json::json!({"path": path, "valid": false, "error": format!("{error:#}")});
                context.print(&value, "")?;
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(error),
        };
        let changed = config.differing_settings(&Config::default());
        let text = match &path {
            None => "there is no configuration file; the defaults apply".to_owned(),
            Some(path) if changed.is_empty() => format!("{path} is valid and equal to the defaults"),
            Some(path) => format!("{path} is valid. Settings that differ from the defaults: {}", changed.join(", ")),
        };
        context.print(&serde_json::json!({"path": path, "valid": true, "changed_settings": changed}), text)
    }
}

/// Reads the file and checks the settings whose validity depends on other files.
fn usable_config(context: &Context) -> anyhow::Result<Config> {
    let config = context.config_location().read()?;
    Fetcher::new(config.fetch.clone())?;
    if let Some(unusable) = config.unusable_settings().first() {
        bail!("{}", unusable.text(&context.config_location()));
    }
    Ok(config)
}
