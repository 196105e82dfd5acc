//! A connection to either engine.

use super::row::fail;
use super::statement::{Statement, Text};
use gait_core::store::{Result, StoreError};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};
use std::future::Future;
use std::time::Duration;

/// How long a call waits for Postgres before it is told that the store is away: a server that can't be reached doesn't say so.
pub(super) const WAIT: Duration = Duration::from_secs(3);

/// A connection, lent by its pool.
pub(super) struct Lent {
    engine: Engine,
    /// It didn't answer in time: whatever it says from now on may be the answer to something else.
    mute: bool,
}

enum Engine {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Lent {
    pub async fn sqlite(pool: &SqlitePool) -> Result<Self> {
        let engine = Engine::Sqlite(pool.acquire().await.map_err(fail)?);
        Ok(Self { engine, mute: false })
    }

    pub async fn postgres(pool: &PgPool) -> Result<Self> {
        let engine = Engine::Postgres(pool.acquire().await.map_err(fail)?);
        Ok(Self { engine, mute: false })
    }

    /// To run several statements by.
    pub fn connection(&mut self) -> Connection<'_> {
        match &mut self.engine {
            Engine::Sqlite(db) => Connection::Sqlite(db),
            Engine::Postgres(db) => Connection::Postgres(db, &mut self.mute),
        }
    }

    /// A statement that is to run here.
    pub fn sql(&mut self, text: impl Into<Text>) -> Statement<'_> {
        match &mut self.engine {
            Engine::Sqlite(db) => Statement::sqlite(db, text.into()),
            Engine::Postgres(db) => Statement::postgres(db, &mut self.mute, text.into()),
        }
    }

    /// Begins a transaction, which on SQLite waits for its turn before it reads anything.
    pub async fn begin(&mut self) -> Result<Transaction<'_>> {
        match &mut self.engine {
            Engine::Sqlite(db) => {
                let begun = db.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
                Ok(Transaction::Sqlite(begun))
            }
            Engine::Postgres(db) => {
                let begun = in_time(&mut self.mute, db.begin()).await?;
                Ok(Transaction::Postgres(begun, &mut self.mute))
            }
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Engine::Postgres(db) = &mut self.engine
            && self.mute
        {
            db.close_on_drop();
        }
    }
}

/// A transaction. Dropped before it is committed, it is rolled back.
pub(super) enum Transaction<'c> {
    Sqlite(sqlx::Transaction<'c, Sqlite>),
    Postgres(sqlx::Transaction<'c, Postgres>, &'c mut bool),
}

impl Transaction<'_> {
    /// To run its statements by.
    pub fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(db) => Connection::Sqlite(db),
            Self::Postgres(db, mute) => Connection::Postgres(db, mute),
        }
    }

    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(db) => db.commit().await.map_err(fail),
            Self::Postgres(db, mute) => in_time(mute, db.commit()).await,
        }
    }
}

/// Where statements run: beside others, or within a transaction.
pub(super) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection, &'c mut bool),
}

impl Connection<'_> {
    /// A statement that is to run here.
    pub fn sql(&mut self, text: impl Into<Text>) -> Statement<'_> {
        match self {
            Self::Sqlite(db) => Statement::sqlite(db, text.into()),
            Self::Postgres(db, mute) => Statement::postgres(db, mute, text.into()),
        }
    }

    /// True where a transaction that writes has no other beside it, so that nothing needs to be locked.
    pub fn is_alone(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// The outcome, unless it takes too long.
pub(super) async fn in_time<T>(mute: &mut bool, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    if let Ok(outcome) = tokio::time::timeout(WAIT, work).await {
        return outcome.map_err(fail);
    }
    *mute = true;
    Err(StoreError::Away("the database doesn't answer".to_owned()))
}
