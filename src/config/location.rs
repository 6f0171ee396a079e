//! Finds the configuration file: the given file, the user's file, or the system's file.

use super::{Config, Error};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The system-wide configuration file.
const SYSTEM_PATH: &str = "/etc/newsfold/config.toml";

/// The location from which the configuration is read. The file may be created after the program starts.
#[derive(Debug, Clone, Default)]
pub struct ConfigLocation {
    /// The file that the operator has specified.
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

    /// Returns whether a file that is not valid may specify the database, even though
    /// [`ConfigLocation::read_leniently`] does not find it.
    pub fn may_name_database(&self) -> bool {
        let Some(path) = self.path() else { return false };
        let Ok(text) = std::fs::read_to_string(path) else { return true };
        text.lines().any(|line| line.trim_start().starts_with("database"))
    }

    /// Reads the file for a command that must also work if the file is not valid. In that case, returns the error, and
    /// settings that differ from the defaults only in the database and the listen address.
    pub fn read_leniently(&self) -> (Config, Option<Error>) {
        match self.read() {
            Ok(config) => (config, None),
            Err(error) => (self.path().map_or_else(Config::default, |path| database_and_address(&path)), Some(error)),
        }
    }
}

/// Returns the defaults with the database and the listen address of a file that is not valid. Ignores the parts that
/// are not valid TOML.
fn database_and_address(path: &Path) -> Config {
    let mut config = Config::default();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let (file, _) = DeTable::parse_recoverable(&text);
    let file = file.get_ref();
    config.database = file.get("database").and_then(|value| value.get_ref().as_str()).map(PathBuf::from);
    let listen = file.get("serve").and_then(|serve| serve.get_ref().get("listen")?.get_ref().as_str()?.parse().ok());
    if let Some(listen) = listen {
        config.set_listen_address(listen);
    }
    config
}
