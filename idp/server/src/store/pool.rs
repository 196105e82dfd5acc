//! Connections that are lent: SQLite's readers, and those to Postgres.
//!
//! A pool of sqlx asks a connection whether it is alive after each use, on a task of its own: one journey more beside the one that is
//! needed. Here it is asked if it wasn't used for a while, and one that is in doubt is closed.

use super::connection::{Connection, WAIT};
use super::postgres::connect;
use super::row::fail;
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult};
use gait_core::store::{Result, StoreError};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use std::time::Duration;
use tokio::runtime::Handle;

/// A connection to Postgres that was idle for longer is asked whether it is alive before it is used: the server may have been started
/// again.
const FRESH: Duration = Duration::from_secs(1);

/// Opens a file to read it. It can't go away.
#[derive(Debug)]
pub(super) struct Reading(pub SqliteConnectOptions);

impl Manager for Reading {
    type Type = SqliteConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<SqliteConnection> {
        self.0.connect().await
    }

    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        Ok(())
    }
}

/// Connects to a server.
#[derive(Debug)]
pub(super) struct Calling(pub PgConnectOptions);

/// A connection to Postgres, and why it may not be used again.
#[derive(Debug)]
pub(super) struct Line {
    pub db: PgConnection,
    /// It broke, or didn't answer in time: whatever it says from now on may be the answer to something else.
    pub mute: bool,
    /// A transaction was begun, and neither committed nor undone: it would hold its locks.
    pub begun: bool,
}

impl Line {
    /// To run several statements by.
    pub fn connection(&mut self) -> Connection<'_> {
        Connection::Postgres(&mut self.db, &mut self.mute)
    }

    fn is_in_doubt(&self) -> bool {
        self.mute || self.begun
    }
}

impl Manager for Calling {
    type Type = Line;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<Line> {
        let db = connect(&self.0).await?;
        Ok(Line {
            db,
            mute: false,
            begun: false,
        })
    }

    async fn recycle(&self, line: &mut Line, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if line.is_in_doubt() {
            return Err(RecycleError::message("in doubt"));
        }
        if metrics.last_used() < FRESH {
            return Ok(());
        }
        let pong = tokio::time::timeout(FRESH, line.db.ping()).await;
        pong.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(RecycleError::Backend)
    }
}

/// A line to Postgres, lent by its pool. One that is in doubt is closed, not given back.
pub(super) struct Server(pub Object<Calling>);

impl Drop for Server {
    fn drop(&mut self) {
        if self.0.is_in_doubt()
            && let (Some(pool), Ok(runtime)) = (Object::pool(&self.0), Handle::try_current())
        {
            // Once it is back; whoever comes before that closes it, too.
            runtime.spawn(async move { drop(pool.retain(|line, _| !line.is_in_doubt())) });
        }
    }
}

/// A pool of at most `most` connections, which are opened when they are needed; the one last used is lent first.
///
/// # Errors
/// `Configuration`.
pub(super) fn pool<M: Manager>(manager: M, most: usize) -> sqlx::Result<Pool<M>> {
    let built = Pool::builder(manager).max_size(most).queue_mode(QueueMode::Lifo).build();
    built.map_err(|error| sqlx::Error::Configuration(error.into()))
}

/// Waits for a connection that is free.
pub(super) async fn lent<M: Manager<Error = sqlx::Error>>(pool: &Pool<M>) -> Result<Object<M>> {
    match tokio::time::timeout(WAIT, pool.get()).await {
        Ok(Ok(object)) => Ok(object),
        Ok(Err(PoolError::Backend(error))) => Err(fail(error)),
        Ok(Err(error)) => Err(StoreError::Away(error.to_string())),
        Err(_) => Err(StoreError::Away("all connections are busy".to_owned())),
    }
}

/// Lends nothing any more; what is free.
pub(super) fn closed<M: Manager>(pool: &Pool<M>) -> Vec<M::Type> {
    let free = pool.retain(|_, _| false).removed;
    pool.close();
    free
}
