//! Restoring: everything is tried out on a copy, and the living database is touched last, by one renaming.

use super::since::{repeat, takings_back};
use super::{Key, Label, Passing, beside, private_file};
use crate::config::Config;
use crate::mail::{Catcher, Outlet};
use crate::store::InUse;
use crate::{App, master};
use anyhow::{Context as _, anyhow, bail};
use gait_core::event::Event;
use gait_sdk::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use std::fs::{DirBuilder, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest first line of a backup in bytes.
const MAX_LABEL: u64 = 4096;
/// How long closing connections may take.
const CLOSING: Duration = Duration::from_secs(5);

/// What the operator wants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Replace a database that is there; it is moved aside.
    pub force: bool,
    /// Leave sessions, grants and tokens as they were when the backup was taken, also those that were revoked since.
    pub keep_sessions: bool,
}

/// What was done.
#[derive(Debug)]
pub struct Restored {
    /// When the backup was taken.
    pub taken_at: Timestamp,
    /// Where the database is now that was there before.
    pub replaced: Option<PathBuf>,
    /// Withdrawals, erasures and disabled accounts since the backup that the replaced database told of, and that were repeated. `None`
    /// if there was none to ask.
    pub repeated: Option<usize>,
    /// A master key came with the backup and was put in its file.
    pub master_key_written: bool,
}

/// Restores a backup in the place of the configuration's database.
///
/// # Errors
/// A server or a command uses the database; there is one and `force` isn't set; the backup is cut off, changed or closed with another
/// key; it is damaged, newer than this Gait, or of another master key. Nothing has changed then.
pub async fn restore(config: &Config, source: &Path, key: Key, wishes: Wishes, now: Timestamp) -> anyhow::Result<Restored> {
    let database = config.database_file();
    std::fs::create_dir_all(&config.data_dir).with_context(|| config.data_dir.display().to_string())?;
    let _alone = InUse::alone(&database)?;
    if database.exists() && !wishes.force {
        bail!(
            "{}: there is a database; with --force it is moved aside and the backup takes its place",
            database.display()
        );
    }
    let stage = config.data_dir.join("restoring");
    let _passing = Passing(stage.clone());
    let label = unpack(source, key, stage.clone()).await?;
    let staged = Config {
        data_dir: stage.clone(),
        // Restoring needs nothing of what is ephemeral.
        redis: None,
        ..config.clone()
    };
    let restored = staged.database_file();
    check(&restored).await?;
    let key_file = KeyFile::for_backup(config, &label)?;
    let before = match database.exists() {
        true => takings_back(&database).await.ok(),
        false => None,
    };
    let done = async {
        let repeated = settle(&staged, &restored, before.as_deref(), wishes, now).await?;
        Ok((repeated, swap(&restored, &database, now).await?))
    };
    let (repeated, replaced) = done.await.inspect_err(|_: &anyhow::Error| key_file.take_away())?;
    Ok(Restored {
        taken_at: Timestamp(label.taken_at),
        replaced,
        repeated,
        master_key_written: key_file.written,
    })
}

/// Decrypts a backup into the staging folder.
async fn unpack(source: &Path, key: Key, stage: PathBuf) -> anyhow::Result<Label> {
    let sealed = File::open(source).with_context(|| source.display().to_string())?;
    let unpack = move || {
        // What a restoring that was killed left there must not mix with this one.
        if stage.exists() {
            std::fs::remove_dir_all(&stage)?;
        }
        DirBuilder::new().mode(0o700).create(&stage)?;
        let mut plain = BufReader::new(key.open(BufReader::new(sealed))?);
        let mut line = Vec::new();
        let cut_off = "the backup is cut off or was changed";
        plain.by_ref().take(MAX_LABEL).read_until(b'\n', &mut line).context(cut_off)?;
        let label: Label = serde_json::from_slice(&line).map_err(|_| anyhow!("this is no backup of Gait"))?;
        if label.gait_backup != 1 {
            bail!("this backup is of a newer Gait (format {})", label.gait_backup);
        }
        let mut file = private_file(&stage.join("gait.db"))?;
        // Reading, it fails where the backup was changed; writing, where the disk is full.
        io::copy(&mut plain, &mut file).context(cut_off)?;
        file.sync_all()?;
        Ok(label)
    };
    let label = tokio::task::spawn_blocking(unpack).await?;
    label.with_context(|| source.display().to_string())
}

/// The file is a whole database.
async fn check(database: &Path) -> anyhow::Result<()> {
    let mut connection = open(database).await.context("the backup holds no database")?;
    let rows = sqlx::query("PRAGMA integrity_check(3)").fetch_all(&mut connection).await?;
    let found: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if found != ["ok"] {
        bail!("the database in the backup is damaged: {}", found.join("; "));
    }
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await?;
    if !orphans.is_empty() {
        bail!(
            "the database in the backup is damaged: {} rows belong to nothing",
            orphans.len()
        );
    }
    connection.close().await?;
    Ok(())
}

/// The master key's file, written if the backup brings the key and the configuration has none.
struct KeyFile {
    path: PathBuf,
    written: bool,
}

impl KeyFile {
    fn for_backup(config: &Config, label: &Label) -> anyhow::Result<Self> {
        let path = config.master_key_file.clone();
        let missing = !master::is_there(config);
        match &label.master_key {
            None if missing => bail!(
                "{}: the master key is missing, and the backup doesn't hold it: put the one here that the backup was made under",
                path.display()
            ),
            Some(key) if missing => {
                master::write(&path, key.expose()).with_context(|| path.display().to_string())?;
                Ok(Self { path, written: true })
            }
            _ => Ok(Self { path, written: false }),
        }
    }

    fn take_away(&self) {
        if self.written {
            let _gone = std::fs::remove_file(&self.path);
        }
    }
}

/// Starts a provider on the restored copy, which checks its schema and master key, and ends there what must not come back to life.
async fn settle(
    staged: &Config,
    restored: &Path,
    before: Option<&[Event]>,
    wishes: Wishes,
    now: Timestamp,
) -> anyhow::Result<Option<usize>> {
    let known = takings_back(restored).await?;
    let app = App::builder(staged.clone())
        .outlet(Outlet::Catch(Catcher::default()))
        .build()
        .await?;
    let repeated = match before {
        Some(events) => Some(repeat(&app, events, &known).await?),
        None => None,
    };
    if !wishes.keep_sessions {
        app.idp.end_everything_by_operator().await?;
    }
    drop(app);
    let mut connection = alone(restored).await?;
    if !wishes.keep_sessions {
        end_the_rest(&mut connection, now).await?;
    }
    connection.close().await?;
    Ok(repeated)
}

/// What hangs on no session: tokens that clients hold for themselves, and links that wait for an answer. Leases are another process's.
async fn end_the_rest(connection: &mut SqliteConnection, now: Timestamp) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM token WHERE grant_id IS NULL")
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE approval SET expires_at = $1 WHERE expires_at > $1")
        .bind(now.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM lease").execute(connection).await?;
    Ok(())
}

/// Opens a database that nobody else has open any more, and makes one file of it.
async fn alone(database: &Path) -> anyhow::Result<SqliteConnection> {
    let begun = tokio::time::Instant::now();
    loop {
        let options = options(database).journal_mode(SqliteJournalMode::Delete);
        match options.connect().await {
            Ok(connection) => return Ok(connection),
            // The pools of before close their connections on threads of their own.
            Err(_) if begun.elapsed() < CLOSING => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => return Err(error.into()),
        }
    }
}

fn options(database: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(false)
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
}

async fn open(database: &Path) -> Result<SqliteConnection, sqlx::Error> {
    options(database).connect().await
}

/// Gives the database a second name, one that no earlier restoring has taken.
fn set_aside(database: &Path, now: Timestamp) -> anyhow::Result<PathBuf> {
    let mut at = now.0;
    loop {
        let aside = beside(database, &format!(".replaced-{at}"));
        match std::fs::hard_link(database, &aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => at += 1,
            linked => return linked.map(|()| aside.clone()).with_context(|| aside.display().to_string()),
        }
    }
}

/// Puts the restored file in the place of the database, which keeps a name beside it. The place is never empty.
async fn swap(restored: &Path, database: &Path, now: Timestamp) -> anyhow::Result<Option<PathBuf>> {
    let place = || database.display().to_string();
    let mut replaced = None;
    if database.exists() {
        // What a crash left in the write-ahead log belongs to the old file, and must not meet the new one.
        if let Ok(connection) = alone(database).await {
            connection.close().await?;
        }
        let aside = set_aside(database, now)?;
        for suffix in ["-wal", "-shm"] {
            let (from, to) = (beside(database, suffix), beside(&aside, suffix));
            if from.exists() {
                std::fs::rename(&from, &to).with_context(|| to.display().to_string())?;
            }
        }
        replaced = Some(aside);
    }
    std::fs::rename(restored, database).with_context(place)?;
    let folder = database.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(place)?;
    Ok(replaced)
}
