//! Opening a database and bringing its schema up to date.

use super::{Database, postgres, sqlite};
use crate::config::Config;
use sqlx::ConnectOptions as _;
use sqlx::migrate::MigrateError;
use std::io;

/// The database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file can't be made, or its folder isn't there.
    #[error("{database}: {source}")]
    File {
        /// Which.
        database: String,
        /// Why.
        source: io::Error,
    },
    /// A newer Gait has written it.
    #[error(
        "{database}: this database is newer (schema {found}) than this Gait (schema {known}): use the newer Gait, or a backup"
    )]
    Newer {
        /// Which.
        database: String,
        /// The database's schema.
        found: i64,
        /// The newest schema that this binary knows.
        known: i64,
    },
    /// The schema can't be brought up to date.
    #[error("{database}: the schema can't be brought up to date: {source}")]
    Schema {
        /// Which.
        database: String,
        /// Why.
        source: MigrateError,
    },
    /// It isn't a database of its kind, is damaged, or can't be reached.
    #[error("{database}: not a database, damaged, or out of reach: {source}")]
    Unreadable {
        /// Which.
        database: String,
        /// Why.
        source: sqlx::Error,
    },
}

impl Database {
    /// Opens what the configuration names: the server, or the file in the data folder.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        match &config.database {
            Some(server) => Self::postgres(&server.options, server.connections).await,
            None => Self::sqlite(config.database_file()).await,
        }
    }

    /// The same to read alone: nothing is made, no schema is brought up to date, and every change fails.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn look(config: &Config) -> Result<Self, OpenError> {
        match &config.database {
            Some(server) => Self::look_at_postgres(&server.options),
            None => Self::look_at_sqlite(&config.database_file()).await,
        }
    }
}

/// How old a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its schema; `None` if there is none yet.
    pub found: Option<i64>,
    /// The newest schema that this binary knows.
    pub known: i64,
}

/// Looks how old the configuration's database is, and changes nothing.
///
/// # Errors
/// It is there, but can't be read; or the server can't be reached.
pub async fn schema(config: &Config) -> Result<Schema, sqlx::Error> {
    const NEWEST: &str = "SELECT MAX(version) FROM _sqlx_migrations";
    let found = match &config.database {
        Some(server) => {
            let mut db = postgres::connect(&server.options.clone().disable_statement_logging()).await?;
            sqlx::query_scalar(NEWEST).fetch_one(&mut db).await
        }
        None => {
            let file = config.database_file();
            if !file.exists() {
                return Ok(Schema {
                    found: None,
                    known: known(),
                });
            }
            let mut db = sqlite::reading(&file).connect().await?;
            sqlx::query_scalar(NEWEST).fetch_one(&mut db).await
        }
    };
    let found = match found {
        // Nobody has migrated it yet: there is no such table.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P01" | "1")) => None,
        found => found?,
    };
    Ok(Schema { found, known: known() })
}

/// The newest schema that this binary knows. Both engines have the same numbers.
pub(super) fn known() -> i64 {
    let migrations = sqlite::MIGRATIONS.iter();
    migrations.map(|migration| migration.version).max().unwrap_or_default()
}

/// What a failed migration means.
pub(super) fn explain(database: String, error: MigrateError) -> OpenError {
    let known = known();
    match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::Newer { database, found, known },
        MigrateError::Execute(source) => OpenError::Unreadable { database, source },
        source => OpenError::Schema { database, source },
    }
}
