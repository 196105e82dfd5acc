//! The durable store on SQLite: one file per noun, each method one transaction or one statement. `db/README.md` says the rules of the
//! SQL and what survives what.

mod account;
mod approval;
mod background;
mod behaviour;
mod client;
mod credential;
mod ending;
mod grant;
mod key;
mod model;
mod open;
mod operation;
mod outbox;
mod record;
mod row;
mod session;
mod token;

pub use open::OpenError;

use gait_core::store::Result;
use sqlx::SqlitePool;

type Transaction = sqlx::Transaction<'static, sqlx::Sqlite>;

/// The embedded store: a file. Clones share it.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    reader: SqlitePool,
}

impl Sqlite {
    /// Begins a transaction that may write, and waits for its turn before it reads anything.
    async fn begin(&self) -> Result<Transaction> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(row::fail)
    }

    /// Finishes what is going on and closes the file. Calls after it fail with `Away`.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

async fn commit(transaction: Transaction) -> Result<()> {
    transaction.commit().await.map_err(row::fail)
}
