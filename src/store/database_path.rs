//! The path of the database: the default path, the database of the systemd service, and the target of symbolic links.

use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The database of the systemd service.
pub const SERVICE_DATABASE: &str = "/var/lib/newsfold/newsfold.db";

/// Returns the default database path: in systemd's `STATE_DIRECTORY` if set, otherwise the database of the service if
/// the current user can read it, otherwise in the platform's state directory.
pub fn default_path() -> PathBuf {
    use etcetera::BaseStrategy;
    const NAME: &str = "newsfold.db";
    if let Some(folder) = state_directory() {
        return PathBuf::from(folder).join(NAME);
    }
    if access(SERVICE_DATABASE, Access::READ_OK).is_ok() {
        return SERVICE_DATABASE.into();
    }
    let base = etcetera::choose_base_strategy().ok();
    let folder = base.map(|base| base.state_dir().unwrap_or_else(|| base.data_dir()).join("newsfold"));
    folder.unwrap_or_default().join(NAME)
}

/// Returns the directory that systemd has created for this program.
fn state_directory() -> Option<OsString> {
    std::env::var_os("STATE_DIRECTORY").filter(|folder| !folder.is_empty())
}

/// Returns whether [`default_path`] is not the database of the service only because the current user may not read that.
pub fn is_service_database_unreadable() -> bool {
    state_directory().is_none() && is_unreadable(Path::new(SERVICE_DATABASE))
}

/// Returns whether the permissions keep the current user from reading a file, or from checking whether it exists.
pub fn is_unreadable(path: &Path) -> bool {
    access(path, Access::READ_OK) == Err(Errno::ACCESS)
}

/// The maximum number of symbolic links that [`follow_links`] follows.
const MAX_LINKS: usize = 8;

/// Returns the target of the symbolic links in a path to a database, or the path itself if it is not a link. The names
/// of the files next to the database, such as its lock, derive from the target, so that programs that use a link and
/// programs that use its target share these files.
pub fn follow_links(mut path: PathBuf) -> PathBuf {
    for _ in 0..MAX_LINKS {
        let Ok(target) = path.read_link() else { break };
        path = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    path
}
