//! The durable store on SQLite or Postgres: one file per noun, each method one transaction or one statement, one SQL text for both.
//! `db/README.md` says the rules of the SQL, what is locked in which order, and what survives what.

mod account;
mod approval;
mod background;
mod behaviour;
mod client;
mod connection;
mod credential;
mod ending;
mod grant;
mod key;
mod model;
mod open;
mod operation;
mod outbox;
mod postgres;
mod record;
mod row;
mod session;
mod sqlite;
mod statement;
mod token;
mod transaction;

pub use open::OpenError;

use connection::{Connection, Lent};
use gait_core::store::Result;
use sqlx::{PgPool, SqlitePool};
use transaction::transact;

/// The durable store. Clones share it.
#[derive(Clone, Debug)]
pub struct Database(Engine);

#[derive(Clone, Debug)]
enum Engine {
    /// A file with one writer.
    Sqlite { writer: SqlitePool, reader: SqlitePool },
    /// A server. What is written through `loose` may be lost if the server crashes.
    Postgres { pool: PgPool, loose: PgPool },
}

impl Database {
    /// A connection to read by.
    async fn read(&self) -> Result<Lent> {
        match &self.0 {
            Engine::Sqlite { reader, .. } => Lent::sqlite(reader).await,
            Engine::Postgres { pool, .. } => Lent::postgres(pool).await,
        }
    }

    /// A connection for a change that is one statement.
    async fn write(&self) -> Result<Lent> {
        match &self.0 {
            Engine::Sqlite { writer, .. } => Lent::sqlite(writer).await,
            Engine::Postgres { pool, .. } => Lent::postgres(pool).await,
        }
    }

    /// The same, for a change whose loss in a crash of the database opens nothing.
    async fn write_loosely(&self) -> Result<Lent> {
        match &self.0 {
            Engine::Sqlite { writer, .. } => Lent::sqlite(writer).await,
            Engine::Postgres { loose, .. } => Lent::postgres(loose).await,
        }
    }

    /// Finishes what is going on and closes it. Calls after it fail with `Away`.
    pub async fn close(&self) {
        match &self.0 {
            Engine::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            Engine::Postgres { pool, loose } => {
                loose.close().await;
                pool.close().await;
            }
        }
    }
}
