//! Who uses a database's file. Everybody who opens it says so by a shared lock on a file beside it; whoever wants to replace it needs to be
//! alone. The lock goes with its process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// A lock on a database's file, for as long as this lives.
#[derive(Debug)]
pub struct InUse(#[allow(dead_code, reason = "holds the lock")] File);

impl InUse {
    /// As one of many.
    ///
    /// # Errors
    /// The file is being replaced, or the lock's file can't be made.
    pub fn shared(database: &Path) -> io::Result<Self> {
        let file = lock_file(database)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(io::Error::other("the database is being restored")),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// As the only one.
    ///
    /// # Errors
    /// Somebody else uses the file, or the lock's file can't be made.
    pub fn alone(database: &Path) -> io::Result<Self> {
        let file = lock_file(database)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(io::Error::other(format!(
                "{}: a server or another command has the database open: stop it first",
                database.display()
            ))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn lock_file(database: &Path) -> io::Result<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(name)
}
