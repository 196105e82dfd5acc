//! A statement: one SQL text for both engines, its parameters, and where it runs.

use super::connection::{Connection, in_time};
use super::row::{Row, fail};
use gait_core::store::Result;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Encode, PgConnection, Postgres, Sqlite, SqliteConnection, Type};
use std::future::Future;

/// What Postgres says of a text with a NUL (`character_not_in_repertoire`).
const NUL: &str = "22021";

/// What was found. Postgres takes no NUL in a text, so none that has one is stored, and nothing is found by it; SQLite just looks.
async fn found<T: Default>(query: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match query.await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NUL) => Ok(T::default()),
        outcome => outcome,
    }
}

/// The text of a statement. It is the same for both engines, but for what Postgres must be told to lock.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }
}

/// A text that is put together once, when it is first needed.
pub(super) struct Written {
    pub sqlite: String,
    pub postgres: String,
}

impl Written {
    /// The same for both.
    pub fn of_both(text: String) -> Self {
        Self {
            sqlite: text.clone(),
            postgres: text,
        }
    }
}

impl From<&'static Written> for Text {
    fn from(written: &'static Written) -> Self {
        Self {
            sqlite: &written.sqlite,
            postgres: &written.postgres,
        }
    }
}

/// A query with a locking clause, which SQLite neither knows nor needs: its transactions that write have no others beside them.
macro_rules! locking {
    ($query:expr, $lock:literal) => {
        $crate::store::statement::Text {
            sqlite: $query,
            postgres: concat!($query, " ", $lock),
        }
    };
}
pub(super) use locking;

/// Deletes at most `$2` of the rows that meet a condition, which knows `$1`. The condition is asked twice, for on Postgres a row may
/// have changed by the time it is locked.
macro_rules! delete_some {
    ($table:literal, $key:literal, $condition:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $condition,
            " LIMIT $2) AND (",
            $condition,
            ")"
        )
    };
}
pub(super) use delete_some;

/// Runs such deletions one after the other until `most` rows are gone; how many are.
pub(super) async fn delete_all<'q>(
    db: &mut Connection<'_>,
    deletions: &[&'static str],
    which: impl Parameter<'q> + Copy,
    most: u32,
) -> Result<u64> {
    let mut gone = 0;
    for deletion in deletions {
        let room = i64::try_from(u64::from(most).saturating_sub(gone)).unwrap_or(0);
        gone += db.sql(*deletion).bind(which).bind(room).execute().await?;
    }
    Ok(gone)
}

/// What both engines take as a parameter.
pub(super) trait Parameter<'q>: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> {}
impl<'q, T> Parameter<'q> for T where T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> {}

/// A statement that waits for its parameters, bound to the connection that it will run on.
pub(super) enum Statement<'c> {
    Sqlite {
        db: &'c mut SqliteConnection,
        query: Query<'static, Sqlite, SqliteArguments>,
    },
    Postgres {
        db: &'c mut PgConnection,
        query: Query<'static, Postgres, PgArguments>,
        mute: &'c mut bool,
    },
}

impl<'c> Statement<'c> {
    pub fn sqlite(db: &'c mut SqliteConnection, text: Text) -> Self {
        let query = sqlx::query(text.sqlite);
        Self::Sqlite { db, query }
    }

    pub fn postgres(db: &'c mut PgConnection, mute: &'c mut bool, text: Text) -> Self {
        let query = sqlx::query(text.postgres);
        Self::Postgres { db, query, mute }
    }

    /// The next parameter.
    pub fn bind<'q>(self, value: impl Parameter<'q>) -> Self {
        match self {
            Self::Sqlite { db, query } => Self::Sqlite {
                db,
                query: query.bind(value),
            },
            Self::Postgres { db, query, mute } => Self::Postgres {
                db,
                query: query.bind(value),
                mute,
            },
        }
    }

    /// Runs it; how many rows it met.
    pub async fn execute(self) -> Result<u64> {
        match self {
            Self::Sqlite { db, query } => Ok(query.execute(db).await.map_err(fail)?.rows_affected()),
            Self::Postgres { db, query, mute } => Ok(in_time(mute, query.execute(db)).await?.rows_affected()),
        }
    }

    /// Runs it; its row, if there is one. None is like a text with a NUL.
    pub async fn fetch_optional(self) -> Result<Option<Row>> {
        match self {
            Self::Sqlite { db, query } => Ok(query.fetch_optional(db).await.map_err(fail)?.map(Row::Sqlite)),
            Self::Postgres { db, query, mute } => Ok(in_time(mute, found(query.fetch_optional(db))).await?.map(Row::Postgres)),
        }
    }

    /// Runs it; its rows. None is like a text with a NUL.
    pub async fn fetch_all(self) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite { db, query } => {
                let rows = query.fetch_all(db).await.map_err(fail)?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres { db, query, mute } => {
                let rows = in_time(mute, found(query.fetch_all(db))).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }
}
