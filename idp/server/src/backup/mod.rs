//! Backups of the embedded database: one file in the age format (<https://age-encryption.org/v1>). Decrypted, it is one line of JSON
//! (the [`Label`]) and then a SQLite database, so that it can be opened without Gait too.

mod envelope;
mod restore;
mod since;
mod take;

pub use envelope::{Key, Lock};
pub use restore::{Restored, Wishes, restore};
pub use take::take;

use gait_core::token::secret::Secret;
use serde::{Deserialize, Serialize, Serializer};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What a backup's first line says.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    /// Version of the format, 1.
    gait_backup: u32,
    /// When it was taken, in seconds since the epoch.
    taken_at: i64,
    /// The master key, if the operator asked for it to travel along.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    master_key: Option<Secret>,
}

/// The one place where a secret is written in the open: inside the encryption.
fn exposed<S: Serializer>(secret: &Option<Secret>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_some(secret.as_ref().map(Secret::expose).unwrap_or_default())
}

/// A file that only its owner may read. What is in it stays until it is cut: another backup may be at it.
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// `path` with something after its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file or folder that goes when this does.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let _gone = match self.0.is_dir() {
            true => std::fs::remove_dir_all(&self.0),
            false => std::fs::remove_file(&self.0),
        };
    }
}
