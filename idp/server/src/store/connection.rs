//! A connection to either engine.

use super::pool::{Line, Reading, Server};
use super::row::fail;
use super::statement::{Statement, Text};
use super::turn::{Single, Turn};
use deadpool::managed::Object;
use gait_core::store::{Result, StoreError};
use sqlx::{Connection as _, PgConnection, Postgres, SqliteConnection};
use std::future::Future;
use std::time::Duration;

/// How long a call waits for a connection, and for Postgres, before it is told that the store is away: a server that can't be reached
/// doesn't say so.
pub(super) const WAIT: Duration = Duration::from_secs(3);

/// A connection that is lent to us.
pub(super) enum Lent {
    Reader(Object<Reading>),
    Writer(Single),
    Postgres(Server),
}

impl Lent {
    /// To run several statements by.
    pub fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Reader(db) => Connection::Sqlite(db),
            Self::Writer(db) => Connection::Sqlite(db),
            Self::Postgres(Server(line)) => line.connection(),
        }
    }

    /// A statement that is to run here.
    pub fn sql(&mut self, text: impl Into<Text>) -> Statement<'_> {
        self.connection().only(text)
    }
}

/// What a transaction runs on.
pub(super) enum Stage {
    /// A turn at SQLite's writer; none once the transaction has begun.
    Turn(Option<Turn>),
    Postgres(Server),
}

impl Stage {
    /// Begins a transaction. On SQLite it has waited for its turn, and nobody else writes meanwhile.
    pub async fn begin(&mut self) -> Result<Transaction<'_>> {
        match self {
            Self::Turn(turn) => {
                let turn = turn.take();
                turn.map(Transaction::Turn)
                    .ok_or_else(|| StoreError::Away("the turn is over".to_owned()))
            }
            Self::Postgres(Server(line)) => {
                let Line { db, mute, begun } = &mut **line;
                *begun = true;
                let db = in_time(mute, db.begin()).await?;
                Ok(Transaction::Postgres { db, mute, begun })
            }
        }
    }

    /// The same for what changes something in one statement only: Postgres needs no transaction for that.
    pub async fn journey(&mut self) -> Result<Transaction<'_>> {
        match self {
            Self::Turn(_) => self.begin().await,
            Self::Postgres(Server(line)) => Ok(Transaction::Journey(line)),
        }
    }
}

/// A transaction. Dropped before it is committed, it is undone; on Postgres by closing its connection.
pub(super) enum Transaction<'c> {
    Turn(Turn),
    Postgres {
        db: sqlx::Transaction<'c, Postgres>,
        mute: &'c mut bool,
        begun: &'c mut bool,
    },
    /// None, on Postgres.
    Journey(&'c mut Line),
}

impl Transaction<'_> {
    /// To run its statements by.
    pub fn connection(&mut self) -> Result<Connection<'_>> {
        match self {
            Self::Turn(turn) => turn.connection(),
            Self::Postgres { db, mute, .. } => Ok(Connection::Postgres(db, mute)),
            Self::Journey(line) => Ok(line.connection()),
        }
    }

    /// Whether what failed may have been done all the same.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Journey(line) if line.mute)
    }

    /// False if nothing was done, for another's fault, and all of it is to be done again.
    pub async fn commit(self) -> Result<bool> {
        match self {
            Self::Turn(turn) => turn.commit().await,
            Self::Postgres { db, mute, begun } => {
                in_time(mute, db.commit()).await?;
                *begun = false;
                Ok(true)
            }
            Self::Journey(_) => Ok(true),
        }
    }

    /// Undoes it, and keeps the connection if that is possible.
    pub async fn undo(self) {
        if let Self::Postgres { db, mute, begun } = self
            && !*mute
            && in_time(mute, db.rollback()).await.is_ok()
        {
            *begun = false;
        }
    }
}

/// Where statements run: beside others, or within a transaction.
pub(super) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection, &'c mut bool),
}

impl<'c> Connection<'c> {
    /// The statement that is to run here, and none after it.
    pub fn only(self, text: impl Into<Text>) -> Statement<'c> {
        match self {
            Self::Sqlite(db) => Statement::sqlite(db, text.into()),
            Self::Postgres(db, mute) => Statement::postgres(db, mute, text.into()),
        }
    }

    /// A statement that is to run here.
    pub fn sql(&mut self, text: impl Into<Text>) -> Statement<'_> {
        let again = match self {
            Self::Sqlite(db) => Connection::Sqlite(db),
            Self::Postgres(db, mute) => Connection::Postgres(db, mute),
        };
        again.only(text)
    }

    /// True where a transaction that writes has no other beside it, so that nothing needs to be locked.
    pub fn is_alone(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// The outcome, unless it takes too long.
pub(super) async fn in_time<T>(mute: &mut bool, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    match tokio::time::timeout(WAIT, work).await {
        Ok(outcome) => outcome.map_err(|error| {
            *mute |= is_cut_off(&error);
            fail(error)
        }),
        Err(_) => {
            *mute = true;
            Err(StoreError::Away("the database doesn't answer".to_owned()))
        }
    }
}

/// Whether the connection is of no use after this: all errors but those that the server reports in an orderly manner, and stays.
fn is_cut_off(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(reported) => reported
            .code()
            .is_none_or(|code| code.starts_with("57P") || code.starts_with("08")),
        sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => false,
        _ => true,
    }
}
