//! A connection to either engine.

use super::row::fail;
use super::statement::{Statement, Text};
use super::turn::{Turn, Writer};
use gait_core::store::{Result, StoreError};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};
use std::future::Future;
use std::time::Duration;

/// How long a call waits for Postgres before it is told that the store is away: a server that can't be reached doesn't say so.
pub(super) const WAIT: Duration = Duration::from_secs(3);

/// A connection, lent by its pool.
pub(super) enum Lent {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(Server),
}

/// A connection to Postgres.
pub(super) struct Server {
    db: PoolConnection<Postgres>,
    /// It didn't answer in time: whatever it says from now on may be the answer to something else.
    mute: bool,
}

impl Server {
    async fn lent(pool: &PgPool) -> Result<Self> {
        let db = pool.acquire().await.map_err(fail)?;
        Ok(Self { db, mute: false })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.mute {
            self.db.close_on_drop();
        }
    }
}

impl Lent {
    pub async fn sqlite(pool: &SqlitePool) -> Result<Self> {
        pool.acquire().await.map(Self::Sqlite).map_err(fail)
    }

    pub async fn postgres(pool: &PgPool) -> Result<Self> {
        Server::lent(pool).await.map(Self::Postgres)
    }

    /// To run several statements by.
    pub fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(db) => Connection::Sqlite(db),
            Self::Postgres(server) => Connection::Postgres(&mut server.db, &mut server.mute),
        }
    }

    /// A statement that is to run here.
    pub fn sql(&mut self, text: impl Into<Text>) -> Statement<'_> {
        match self {
            Self::Sqlite(db) => Statement::sqlite(db, text.into()),
            Self::Postgres(server) => Statement::postgres(&mut server.db, &mut server.mute, text.into()),
        }
    }
}

/// What a transaction runs on.
pub(super) enum Stage {
    /// A turn at SQLite's writer; none once the transaction has begun.
    Turn(Option<Turn>),
    Postgres(Server),
}

impl Stage {
    pub async fn sqlite(writer: &Writer, alone: bool) -> Result<Self> {
        writer.turn(alone).await.map(|turn| Self::Turn(Some(turn)))
    }

    pub async fn postgres(pool: &PgPool) -> Result<Self> {
        Server::lent(pool).await.map(Self::Postgres)
    }

    /// Begins a transaction. On SQLite it has waited for its turn, and nobody else writes meanwhile.
    pub async fn begin(&mut self) -> Result<Transaction<'_>> {
        match self {
            Self::Turn(turn) => {
                let turn = turn.take();
                turn.map(Transaction::Turn)
                    .ok_or_else(|| StoreError::Away("the turn is over".to_owned()))
            }
            Self::Postgres(Server { db, mute }) => {
                let begun = in_time(mute, db.begin()).await?;
                Ok(Transaction::Postgres(begun, mute))
            }
        }
    }
}

/// A transaction. Dropped before it is committed, it is rolled back.
pub(super) enum Transaction<'c> {
    Turn(Turn),
    Postgres(sqlx::Transaction<'c, Postgres>, &'c mut bool),
}

impl Transaction<'_> {
    /// To run its statements by.
    pub fn connection(&mut self) -> Result<Connection<'_>> {
        match self {
            Self::Turn(turn) => turn.connection(),
            Self::Postgres(db, mute) => Ok(Connection::Postgres(db, mute)),
        }
    }

    /// False if nothing was done, for another's fault, and all of it is to be done again.
    pub async fn commit(self) -> Result<bool> {
        match self {
            Self::Turn(turn) => turn.commit().await,
            Self::Postgres(db, mute) => in_time(mute, db.commit()).await.map(|()| true),
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
