//! Opening a file.

use super::disk::{Disk, log_of};
use super::open::{OpenError, explain};
use super::pool::{Reading, pool};
use super::turn::{WAIT, Writer};
use super::{Database, Engine, InUse};
use backon::{ConstantBuilder, Retryable as _};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("../../db/migrations/sqlite");

const READERS: usize = 4;
/// Pause between two tries to open a file that another process is just making, and how many there are: five seconds.
const BREATH: Duration = Duration::from_millis(50);
const BREATHS: usize = 100;

impl Database {
    /// Opens the database at `path`, makes it (readable by its owner only) if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]; the file is then as it was.
    pub async fn sqlite(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let name = || path.display().to_string();
        let file = |source| OpenError::File {
            database: name(),
            source,
        };
        let in_use = InUse::shared(path).map_err(file)?;
        make_private(path).map_err(file)?;
        let unreadable = |source| OpenError::Unreadable {
            database: name(),
            source,
        };
        // Of several processes that make a file at once, one has it for itself while it switches to the log, and SQLite lets nobody
        // wait for that.
        let writing = options(path).synchronous(SqliteSynchronous::Normal);
        let connect = || SqliteConnection::connect_with(&writing);
        let patience = ConstantBuilder::default().with_delay(BREATH).with_max_times(BREATHS);
        let mut writer = connect.retry(patience).when(is_busy).await.map_err(unreadable)?;
        migrate(&mut writer).await.map_err(|error| explain(name(), error))?;
        let readers = pool(Reading(options(path).read_only(true)), READERS).map_err(unreadable)?;
        let disk = Disk::under(path).map_err(file)?;
        Ok(Self::on(Engine::Sqlite {
            writer: Writer::new(writer, disk.clone()),
            readers,
            disk,
            _in_use: Some(Arc::new(in_use)),
        }))
    }

    /// As [`Database::look`].
    pub(super) async fn look_at_sqlite(path: &Path) -> Result<Self, OpenError> {
        let database = || path.display().to_string();
        let unreadable = |source| OpenError::Unreadable {
            database: database(),
            source,
        };
        let writer = SqliteConnection::connect_with(&reading(path)).await.map_err(unreadable)?;
        let readers = pool(Reading(reading(path)), 1).map_err(unreadable)?;
        let disk = Disk::under(path).map_err(|source| OpenError::File {
            database: database(),
            source,
        })?;
        Ok(Self::on(Engine::Sqlite {
            // Whose changes would all fail.
            writer: Writer::new(writer, disk.clone()),
            readers,
            disk,
            _in_use: None,
        }))
    }
}

/// `SQLITE_BUSY`, of whatever kind.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .disable_statement_logging()
        .create_if_missing(false)
        .busy_timeout(WAIT)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        // What is erased is overwritten.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-16384")
        // In pages of 4 KiB; a log that became longer, while somebody read for long, is cut.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "16777216")
}

/// To read alone. A reader leaves the files of the log behind where there were none; so if there is none, and thus nobody who writes, SQLite
/// is told that there will be no change, and needs none.
pub(super) fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .disable_statement_logging()
        .read_only(true)
        .immutable(!log_of(path).exists())
        .busy_timeout(WAIT)
}

/// Runs the migrations in one transaction, so that of two processes that start at once, one finds them done.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), MigrateError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    // `run` would make this future not `Send` (its `Acquire` bound is too narrow); sqlx keeps `run_direct` for that.
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::connection::Connection;

    /// Something of so many bytes.
    async fn keep(writer: &Writer, bytes: i64) -> Result<bool, String> {
        let mut turn = writer.turn(false).await.map_err(|error| error.to_string())?;
        let Ok(Connection::Sqlite(db)) = turn.connection() else {
            return Err("no connection".to_owned());
        };
        let kept = sqlx::query("INSERT INTO thing VALUES (zeroblob($1))").bind(bytes);
        kept.execute(&mut *db).await.map_err(|error| error.to_string())?;
        turn.commit().await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn once_a_full_disk_has_room_again_it_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gait.db");
        make_private(&path).unwrap();
        let writer = Writer::new(
            SqliteConnection::connect_with(&options(&path)).await.unwrap(),
            Disk::under(&path).unwrap(),
        );
        let say = async |sql: &'static str| {
            let mut db = writer.single().await.unwrap();
            sqlx::query(sql).execute(&mut *db).await.unwrap()
        };
        say("CREATE TABLE thing (x BLOB)").await;
        // As many pages as there are.
        say("PRAGMA max_page_count = 1").await;
        let refused = keep(&writer, 100_000).await.unwrap_err();
        assert!(refused.contains("full"), "{refused}");
        say("PRAGMA max_page_count = 1000000").await;
        assert_eq!(keep(&writer, 100_000).await, Ok(true));
    }
}
