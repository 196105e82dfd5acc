//! Between rows and nouns.

use gait_core::store::{Result, StoreError};
use gait_core::token::secret::Hash;
use gait_sdk::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::{PgDatabaseError, PgRow};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, ValueRef as _};
use uuid::Uuid;

/// A row of either engine.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What can be read of both engines.
pub(super) trait Column<'r>: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres> {}
impl<'r, T> Column<'r> for T where T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres> {}

/// Result codes of SQLite (<https://www.sqlite.org/rescode.html>) that mean "not now": PERM, BUSY, LOCKED, NOMEM, READONLY, INTERRUPT,
/// IOERR, FULL, CANTOPEN, PROTOCOL.
const SQLITE_AWAY: [i32; 10] = [3, 5, 6, 7, 8, 9, 10, 13, 14, 15];
/// Classes of Postgres' SQLSTATE codes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) that mean the same: lost
/// connection, refused user, no such database, deadlock, no room, waited too long, ended by an operator, trouble of the system.
const POSTGRES_AWAY: [&str; 8] = ["08", "28", "3D", "40", "53", "55", "57", "58"];
/// Codes beside them: the server only reads, the transaction was idle for too long.
const POSTGRES_AWAY_TOO: [&str; 2] = ["25006", "25P03"];

/// What an error of the database means to the rules.
pub(super) fn fail(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_) => StoreError::Away(error.to_string()),
        sqlx::Error::Database(reported) => match reported.kind() {
            ErrorKind::UniqueViolation => StoreError::Taken("id"),
            ErrorKind::ForeignKeyViolation => StoreError::Stale("what this belongs to"),
            _ if is_away(&**reported) => StoreError::Away(reported.to_string()),
            _ => StoreError::Damaged(reported.to_string()),
        },
        _ => StoreError::Damaged(error.to_string()),
    }
}

fn is_away(reported: &dyn DatabaseError) -> bool {
    let code = reported.code().unwrap_or_default();
    if reported.try_downcast_ref::<PgDatabaseError>().is_some() {
        POSTGRES_AWAY.iter().any(|class| code.starts_with(class)) || POSTGRES_AWAY_TOO.contains(&&*code)
    } else {
        let code: i32 = code.parse().unwrap_or_default();
        SQLITE_AWAY.contains(&(code & 0xff))
    }
}

/// The same, where a violated uniqueness has a name.
pub(super) fn or_taken(what: &'static str) -> impl Fn(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Taken(_) => StoreError::Taken(what),
        other => other,
    }
}

/// A structure as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// The same of what may be absent.
pub(super) fn json_opt<T: Serialize>(value: Option<&T>) -> Result<Option<String>> {
    value.map(json).transpose()
}

/// A plain enum as its one word.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(StoreError::Damaged("not a plain enum".to_owned())),
    }
}

/// Reads the columns of a row in the order of its `SELECT`.
pub(super) struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    /// From the first column on.
    pub fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// True if the next column is NULL: nothing was joined.
    pub fn is_absent(&self) -> Result<bool> {
        match self.row {
            Row::Sqlite(row) => Ok(row.try_get_raw(self.next).map_err(fail)?.is_null()),
            Row::Postgres(row) => Ok(row.try_get_raw(self.next).map_err(fail)?.is_null()),
        }
    }

    /// The next column as it is.
    pub fn get<T: Column<'r>>(&mut self) -> Result<T> {
        let value = match self.row {
            Row::Sqlite(row) => row.try_get(self.next),
            Row::Postgres(row) => row.try_get(self.next),
        };
        self.next += 1;
        value.map_err(fail)
    }

    /// A non-negative number that fits `T`.
    pub fn number<T: TryFrom<i64>>(&mut self) -> Result<T> {
        let number: i64 = self.get()?;
        T::try_from(number).map_err(|_| StoreError::Damaged("a number is out of range".to_owned()))
    }

    /// A time.
    pub fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp(self.get()?))
    }

    /// A time, or none.
    pub fn time_opt(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp))
    }

    /// A UUID.
    pub fn uuid(&mut self) -> Result<Uuid> {
        Uuid::from_slice(self.get()?).map_err(damaged)
    }

    /// A UUID, or none.
    pub fn uuid_opt(&mut self) -> Result<Option<Uuid>> {
        self.get::<Option<&[u8]>>()?
            .map(Uuid::from_slice)
            .transpose()
            .map_err(damaged)
    }

    /// The hash of a secret.
    pub fn hash(&mut self) -> Result<Hash> {
        let bytes: &[u8] = self.get()?;
        bytes.try_into().map(Hash).map_err(damaged)
    }

    /// A structure kept as JSON.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(self.get()?).map_err(damaged)
    }

    /// The same, or none.
    pub fn json_opt<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        self.get::<Option<&str>>()?
            .map(serde_json::from_str)
            .transpose()
            .map_err(damaged)
    }

    /// A plain enum kept as its word, or a newtype of a text kept as it is.
    pub fn word<T: DeserializeOwned>(&mut self) -> Result<T> {
        let word = serde_json::Value::String(self.get()?);
        serde_json::from_value(word).map_err(damaged)
    }
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(error.to_string())
}

/// At most one noun.
pub(super) fn one<T>(row: Option<Row>, read: impl Fn(&mut Columns<'_>) -> Result<T>) -> Result<Option<T>> {
    row.map(|row| read(&mut Columns::of(&row))).transpose()
}

/// All nouns.
pub(super) fn all<T>(rows: Vec<Row>, read: impl Fn(&mut Columns<'_>) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(|row| read(&mut Columns::of(row))).collect()
}
