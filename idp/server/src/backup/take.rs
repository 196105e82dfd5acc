//! Taking a backup, while the server goes on.

use super::{Label, Lock, Passing, beside, private_file};
use anyhow::{Context as _, anyhow, bail};
use gait_core::token::secret::Secret;
use gait_sdk::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

/// How long the snapshot waits for a writer.
const WAIT: Duration = Duration::from_secs(30);

/// Writes a backup of `database` to `target`, which must not be there. It is consistent: what was committed before it began is in it,
/// and of what comes after, nothing. Needs the room of a second database beside the first, for as long as it takes.
///
/// # Errors
/// There is no database, another backup runs, the target is there already, or the disk is full; nothing is left behind then.
pub async fn take(database: &Path, target: &Path, lock: Lock, master_key: Option<Secret>, now: Timestamp) -> anyhow::Result<u64> {
    if !database.is_file() {
        bail!("{}: there is no database", database.display());
    }
    if target.exists() {
        bail!("{} is there already", target.display());
    }
    let path = beside(database, ".snapshot");
    let snapshot = private_file(&path).with_context(|| path.display().to_string())?;
    snapshot.try_lock().map_err(|_| anyhow!("another backup is running"))?;
    // What a backup that was killed has left: the copy wants an empty file.
    snapshot.set_len(0)?;
    let passing = Passing(path.clone());
    vacuum(database, &path).await.context("the database can't be copied")?;
    let label = Label {
        gait_backup: 1,
        taken_at: now.0,
        master_key,
    };
    let target = target.to_owned();
    tokio::task::spawn_blocking(move || {
        let written = seal(&path, &target, &lock, &label);
        drop(passing);
        written
    })
    .await?
}

async fn vacuum(database: &Path, into: &Path) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .read_only(true)
        .busy_timeout(WAIT)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    let into = into.to_str().context("the path is no text")?;
    sqlx::query("VACUUM INTO $1").bind(into).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Encrypts the snapshot into a file that gets its name when it is whole and on the disk; returns its size in bytes.
fn seal(snapshot: &Path, target: &Path, lock: &Lock, label: &Label) -> anyhow::Result<u64> {
    let part = beside(target, ".part");
    let place = || part.display().to_string();
    let file = private_file(&part).with_context(place)?;
    file.set_len(0).with_context(place)?;
    let unfinished = Passing(part.clone());
    let file = lock.close(file, |out| {
        serde_json::to_writer(&mut *out, label)?;
        out.write_all(b"\n")?;
        io::copy(&mut File::open(snapshot)?, out).map(drop)
    });
    let file = file.with_context(place)?;
    file.sync_all().with_context(place)?;
    std::fs::rename(&part, target).with_context(|| target.display().to_string())?;
    drop(unfinished);
    Ok(file.metadata()?.len())
}
