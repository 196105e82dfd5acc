//! Opening a database on a Postgres server.

use super::connection::WAIT;
use super::open::{OpenError, explain};
use super::pool::{Calling, pool};
use super::{Database, Engine};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("../../db/migrations/postgres");

/// How long a node that starts waits for another one that migrates.
const MIGRATION: Duration = Duration::from_secs(120);
/// Connections for what may be lost, to one of the others.
const LOOSE_SHARE: u32 = 4;

/// What the server holds each connection to. A statement ends before the client stops waiting for it; what a node that froze or was
/// cut off has locked is free again soon; and nobody's defaults change what a transaction is.
///
/// What is looked up, is looked up by an index: a plan is kept with its prepared statement until the server has looked at its tables again,
/// and what it chose while they were small (to read all of one and join) would be slow by then.
const SETTINGS: [(&str, &str); 7] = [
    ("statement_timeout", "2500"),
    ("lock_timeout", "2000"),
    ("idle_in_transaction_session_timeout", "5000"),
    ("default_transaction_isolation", "read committed"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
];

impl Database {
    /// Opens the database that `server` names, with up to `connections` connections, and brings its schema up to date. Nodes that start
    /// at once do that one after the other.
    ///
    /// # Errors
    /// [`OpenError`]; the schema is then as it was, or as far as the last migration that succeeded.
    pub async fn postgres(server: &PgConnectOptions, connections: u32) -> Result<Self, OpenError> {
        let server = server.clone().application_name("gait").disable_statement_logging();
        let name = name(&server);
        let unreadable = |source| OpenError::Unreadable {
            database: name.clone(),
            source,
        };
        let mut db = connect(&server).await.map_err(unreadable)?;
        migrate(&mut db).await.map_err(|error| explain(name.clone(), error))?;
        db.close().await.map_err(unreadable)?;
        let held = server.options(SETTINGS);
        let lines = |commit, most: u32| {
            let manager = Calling(held.clone().options([("synchronous_commit", commit)]));
            pool(manager, most as usize).map_err(unreadable)
        };
        let listening = PgPoolOptions::new().max_connections(1).acquire_timeout(WAIT);
        Ok(Self::on(Engine::Postgres {
            readers: lines("on", connections / 2)?,
            writers: lines("on", connections.div_ceil(2))?,
            loose: lines("off", connections.div_ceil(LOOSE_SHARE))?,
            lease: lines("on", 1)?,
            listening: listening.connect_lazy_with(held.clone()),
        }))
    }

    /// As [`Database::look`].
    pub(super) fn look_at_postgres(server: &PgConnectOptions) -> Result<Self, OpenError> {
        let server = server.clone().application_name("gait").disable_statement_logging();
        let database = name(&server);
        let held = server.options(SETTINGS).options([("default_transaction_read_only", "on")]);
        let one = pool(Calling(held.clone()), 1).map_err(|source| OpenError::Unreadable { database, source })?;
        Ok(Self::on(Engine::Postgres {
            readers: one.clone(),
            loose: one.clone(),
            lease: one.clone(),
            writers: one,
            listening: PgPoolOptions::new().connect_lazy_with(held),
        }))
    }
}

/// A connection, or an error soon.
pub(super) async fn connect(server: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let connected = tokio::time::timeout(WAIT, PgConnection::connect_with(server)).await;
    connected.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Where it is, without the password.
fn name(server: &PgConnectOptions) -> String {
    let host = server.get_socket().map_or_else(
        || format!("{}:{}", server.get_host(), server.get_port()),
        |path| path.display().to_string(),
    );
    format!("{host}/{}", server.get_database().unwrap_or(server.get_username()))
}

/// Runs the migrations, each in a transaction, under an advisory lock that ends with this connection.
async fn migrate(db: &mut PgConnection) -> Result<(), MigrateError> {
    let done = tokio::time::timeout(MIGRATION, MIGRATIONS.run_direct(None, db, false)).await;
    done.unwrap_or(Err(MigrateError::Execute(sqlx::Error::PoolTimedOut)))
}
