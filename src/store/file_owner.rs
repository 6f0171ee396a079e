//! The owner of the files that root creates next to a database. The service runs as another user and must be able to
//! open them.

use super::file_name::folder_of;
use rustix::fs::OFlags;
use rustix::process::geteuid;
use std::fs::{File, Metadata, OpenOptions, metadata};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// The permissions of a lock file. It contains nothing.
pub(super) const LOCK_FILE_MODE: u32 = 0o644;

/// Creates a file, which must not exist. If root runs this program, the file gets the owner of its directory.
pub(super) fn create_file(path: &Path, mode: u32) -> Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    set_owner(&file, &metadata(folder_of(path))?)?;
    Ok(file)
}

/// Opens a lock file. Creates it if it does not exist. A file opened for reading can be locked, so the service can lock a
/// file that belongs to root.
pub fn open_lock_file(path: &Path) -> Result<File> {
    match File::open(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => match create_file(path, LOCK_FILE_MODE) {
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => File::open(path),
            created => created,
        },
        opened => opened,
    }
}

/// Gives the file `new` the owner and the permissions of the file `replaced`. If that file does not exist, `new` gets
/// the owner of the directory.
pub(super) fn set_owner_of_replaced(new: &Path, replaced: &Path) -> Result<()> {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NOFOLLOW.bits() as i32).open(new)?;
    match metadata(replaced) {
        Ok(replaced) => {
            set_owner(&file, &replaced)?;
            file.set_permissions(replaced.permissions())
        }
        Err(_) => set_owner(&file, &metadata(folder_of(replaced))?),
    }
}

/// Gives a file to the owner of another file if root runs this program. Changes the open file, because the other user
/// could replace its path with a symbolic link.
fn set_owner(file: &File, owner: &Metadata) -> Result<()> {
    if !geteuid().is_root() || file.metadata()?.uid() == owner.uid() {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}
