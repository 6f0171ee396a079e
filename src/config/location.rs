//! Finds the configuration file: the given file, the user's file, or the system's file.

use super::{Config, Error};
use std::path::PathBuf;

/// The configuration file of the system.
const SYSTEM_PATH: &str = "/etc/newsfold/config.toml";

/// The location from which the configuration is read. The file may be created after the program starts.
#[derive(Debug, Clone, Default)]
pub struct ConfigLocation {
    /// The file that the operator has named.
    pub given: Option<PathBuf>,
}

impl ConfigLocation {
    /// Returns the path of the file; `None` if there is no file, so that the defaults apply.
    pub fn path(&self) -> Option<PathBuf> {
        use etcetera::BaseStrategy;
        let user = || {
            let base = etcetera::choose_base_strategy().ok()?;
            Some(base.config_dir().join("newsfold/config.toml"))
        };
        let existing = || [user(), Some(SYSTEM_PATH.into())].into_iter().flatten().find(|path| path.exists());
        self.given.clone().or_else(existing)
    }

    /// Reads the file, or returns the defaults if there is no file.
    pub fn read(&self) -> Result<Config, Error> {
        self.path().map_or_else(|| Ok(Config::default()), |path| Config::read(&path))
    }
}
