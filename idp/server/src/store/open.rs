//! Opening a database and bringing its schema up to date.

use super::Database;
use crate::config::Config;
use sqlx::migrate::{MigrateError, Migrator};
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
}

/// What a failed migration means.
pub(super) fn explain(database: String, known: &Migrator, error: MigrateError) -> OpenError {
    let known = known.iter().map(|migration| migration.version).max().unwrap_or_default();
    match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::Newer { database, found, known },
        MigrateError::Execute(source) => OpenError::Unreadable { database, source },
        source => OpenError::Schema { database, source },
    }
}
