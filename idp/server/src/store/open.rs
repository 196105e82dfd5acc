//! Opening the file and bringing its schema up to date.

use super::Sqlite;
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("../../db/migrations/sqlite");

/// How long a call waits for its turn before it is told that the store is away.
const WAIT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// The database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file can't be made, or its folder isn't there.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A newer Gait has written it.
    #[error("{path}: this database is newer (schema {found}) than this Gait (schema {known}): use the newer Gait, or a backup")]
    Newer {
        /// Which.
        path: PathBuf,
        /// The file's schema.
        found: i64,
        /// The newest schema that this binary knows.
        known: i64,
    },
    /// The schema can't be brought up to date.
    #[error("{path}: the schema can't be brought up to date: {source}")]
    Schema {
        /// Which.
        path: PathBuf,
        /// Why.
        source: MigrateError,
    },
    /// It isn't a SQLite database, is damaged, or can't be reached.
    #[error("{path}: not a database, damaged, or out of reach: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
}

impl Sqlite {
    /// Opens the database at `path`, makes it (readable by its owner only) if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]; the file is then as it was.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        make_private(path).map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
        let unreadable = |source| OpenError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let writer = pool(1)
            .connect_with(options(path).synchronous(SqliteSynchronous::Full))
            .await
            .map_err(unreadable)?;
        migrate(&writer).await.map_err(|error| explain(path, error))?;
        let reader = pool(READERS)
            .connect_with(options(path).read_only(true))
            .await
            .map_err(unreadable)?;
        Ok(Self { writer, reader })
    }
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

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(WAIT)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        // What is erased is overwritten.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-16384")
        .pragma("mmap_size", "268435456")
        .pragma("wal_autocheckpoint", "4000")
}

/// Runs the migrations in one transaction, so that of two processes that start at once, one finds them done.
async fn migrate(writer: &SqlitePool) -> Result<(), MigrateError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    // `run` would make this future not `Send` (its `Acquire` bound is too narrow); sqlx keeps `run_direct` for that.
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}

fn explain(path: &Path, error: MigrateError) -> OpenError {
    let path = path.to_owned();
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::Newer { path, found, known },
        MigrateError::Execute(source) => OpenError::Unreadable { path, source },
        source => OpenError::Schema { path, source },
    }
}
