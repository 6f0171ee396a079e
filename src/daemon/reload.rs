//! Applies a changed configuration file to the running daemon. The tasks and the HTTP servers are replaced. The
//! process, the database and the listening socket remain.
//!
//! A configuration that cannot be used is reported, and the current tasks continue.

use super::Daemon;
use super::running_tasks::RunningTasks;
use super::task_context::TaskContext;
use crate::config::Config;
use crate::metrics::METRICS;
use crate::store::publication;
use std::time::Duration;

/// The delay before tasks that could not start after a reload are started again.
const START_RETRY_DELAY: Duration = Duration::from_secs(1);

impl Daemon {
    /// Applies the configuration file. Keeps the current configuration and logs the reason if the file cannot be used.
    pub(super) async fn reload(&mut self) {
        let path = self.source.location.path();
        self.state.config_path = path.map(|path| path.display().to_string());
        match self.prepare_reload().await {
            Ok(None) => {
                self.state.reload_error = None;
                tracing::info!("the configuration has not changed");
            }
            Ok(Some((file, context))) => {
                let changed = self.source.file.differing_settings(&file).join(", ");
                self.state.restart_settings = file.clone().keep_restart_settings(&self.file_at_startup);
                self.replace_tasks(context).await;
                self.state.config_hash = file.fingerprint();
                self.state.config_applied_at = self.root.clock().now();
                METRICS.configuration_applied_at.set(self.state.config_applied_at.as_second());
                self.state.reload_error = None;
                self.source.file = file;
                tracing::info!(changed, "applied the new configuration");
                if !self.state.restart_settings.is_empty() {
                    let settings = self.state.restart_settings.join(", ");
                    tracing::warn!(settings, "these settings take effect after a restart of newsfold");
                }
            }
            Err(error) => {
                tracing::error!("the new configuration is not used; newsfold keeps the current one: {error:#}");
                self.state.reload_error = Some(format!("{error:#}"));
            }
        }
        METRICS.configuration_accepted.set(self.state.reload_error.is_none().into());
        self.record_state().await;
    }

    /// Reads the file and checks whether its tasks can start. Returns the settings of the file and the context of the
    /// tasks; `None` if nothing has changed.
    async fn prepare_reload(&self) -> anyhow::Result<Option<(Config, TaskContext)>> {
        let file = self.source.location.read()?;
        if file == self.source.file {
            return Ok(None);
        }
        let mut config = file.clone();
        config.keep_restart_settings(&self.source.config);
        let context = self.root.with_config(config, self.root.shutdown.child_token())?;
        self.root.store().write(publication::touch).await?;
        Ok(Some((file, context)))
    }

    /// Ends the running tasks and starts the tasks of another configuration. The old server responds until the new
    /// server has started.
    async fn replace_tasks(&mut self, context: TaskContext) {
        self.running.stop_tasks().await;
        let (sockets, shutdown) = (&self.sockets, &self.root.shutdown);
        let new = loop {
            match RunningTasks::start(context.clone(), sockets, &mut self.servers, shutdown, true).await {
                Ok(new) => break new,
                // For example, another program may have locked the database.
                Err(error) => tracing::error!("cannot start with the new configuration yet; retrying: {error:#}"),
            }
            tokio::time::sleep(START_RETRY_DELAY).await;
        };
        std::mem::replace(&mut self.running, new).stop_servers();
    }
}
