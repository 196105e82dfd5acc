//! The durable store on SQLite or Postgres: one file per noun, each method one transaction or one statement, one SQL text for both.
//! `db/README.md` says the rules of the SQL, what is locked in which order, and what survives what.

mod account;
mod approval;
mod background;
mod behaviour;
mod cache;
mod client;
mod connection;
mod credential;
mod disk;
mod ending;
mod grant;
mod in_use;
mod issuing;
mod key;
mod mail;
mod model;
mod notices;
mod open;
mod operation;
mod outbox;
mod pool;
mod postgres;
mod record;
mod row;
mod session;
mod sqlite;
mod statement;
mod token;
mod transaction;
mod turn;

pub use in_use::InUse;
pub use notices::Notices;
pub use open::{OpenError, Schema, schema};

use cache::{Cache, Shelf, Voiding};
use connection::{Connection, Lent, Stage};
use deadpool::managed::Pool;
use disk::Disk;
use gait_core::store::Result;
use issuing::Issuing;
use pool::{Calling, Reading, Server, closed, lent};
use sqlx::{Connection as _, PgPool};
use std::future::Future;
use std::hash;
use std::sync::Arc;
use transaction::{Weight, change, journey, transact};
use turn::Writer;

/// The durable store. Clones share it.
#[derive(Clone, Debug)]
pub struct Database {
    engine: Engine,
    cache: Arc<Cache>,
    issuing: Arc<Issuing>,
}

#[derive(Clone, Debug)]
enum Engine {
    /// A file with one writer.
    Sqlite {
        writer: Writer,
        readers: Pool<Reading>,
        disk: Disk,
        /// Held, so that nobody puts another file in the place of this one; not by who only looks, for it is a file too.
        _in_use: Option<Arc<InUse>>,
    },
    /// A server. What only reads has connections of its own, so that a flood of changes leaves the checks of tokens alone. What is
    /// written through `loose` may be lost if the server crashes; `lease` is one that no flood can take, for a node that can't renew
    /// the lease loses it; `listening` is for notices.
    Postgres {
        readers: Pool<Calling>,
        writers: Pool<Calling>,
        loose: Pool<Calling>,
        lease: Pool<Calling>,
        listening: PgPool,
    },
}

impl Database {
    fn on(engine: Engine) -> Self {
        Self {
            engine,
            cache: Arc::default(),
            issuing: Arc::default(),
        }
    }

    /// A connection to read by.
    async fn read(&self) -> Result<Lent> {
        match &self.engine {
            Engine::Sqlite { readers, .. } => lent(readers).await.map(Lent::Reader),
            Engine::Postgres { readers, .. } => server(readers).await.map(Lent::Postgres),
        }
    }

    /// A connection for a change that is one statement.
    async fn write(&self) -> Result<Lent> {
        match &self.engine {
            Engine::Sqlite { writer, disk, .. } => {
                disk.check()?;
                writer.single().await.map(Lent::Writer)
            }
            Engine::Postgres { writers, .. } => server(writers).await.map(Lent::Postgres),
        }
    }

    /// The same, for a change whose loss in a crash of the database opens nothing.
    async fn write_loosely(&self) -> Result<Lent> {
        match &self.engine {
            Engine::Postgres { loose, .. } => server(loose).await.map(Lent::Postgres),
            Engine::Sqlite { .. } => self.write().await,
        }
    }

    /// The same, for leases.
    async fn write_lease(&self) -> Result<Lent> {
        match &self.engine {
            Engine::Postgres { lease, .. } => server(lease).await.map(Lent::Postgres),
            Engine::Sqlite { .. } => self.write().await,
        }
    }

    /// What a transaction is to run on; `alone` shares it with nobody.
    async fn stage(&self, alone: bool) -> Result<Stage> {
        match &self.engine {
            Engine::Sqlite { writer, disk, .. } => {
                disk.check()?;
                writer.turn(alone).await.map(|turn| Stage::Turn(Some(turn)))
            }
            Engine::Postgres { writers, .. } => server(writers).await.map(Stage::Postgres),
        }
    }

    /// Makes void what is cached once a change is done.
    fn voiding(&self, weight: Weight) -> Voiding {
        Voiding((weight == Weight::Takes).then(|| self.cache.clone()))
    }

    /// Waits until a change that was committed is as safe as its weight demands.
    async fn kept<T>(&self, weight: Weight, outcome: Result<T>) -> Result<T> {
        if let (Engine::Sqlite { disk, .. }, Ok(_)) = (&self.engine, &outcome)
            && weight != Weight::Notes
        {
            disk.kept().await?;
        }
        outcome
    }

    /// What was read a moment ago, where all changes pass here and so more may be kept than clients; else what is read now.
    async fn recent<K, V, R>(
        &self,
        shelf: impl Fn(&Cache) -> &Shelf<K, V>,
        key: &K,
        read: impl FnOnce() -> R,
    ) -> Result<Option<V>>
    where
        R: Future<Output = Result<Option<V>>>,
        K: hash::Hash + Eq + Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        match &self.engine {
            Engine::Sqlite { .. } => self.cache.get(shelf(&self.cache), key, read).await,
            Engine::Postgres { .. } => Box::pin(read()).await,
        }
    }

    /// Finishes what is going on and closes it. Calls after it fail with `Away`.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { writer, readers, .. } => {
                for reader in closed(readers) {
                    let _closed = reader.close().await;
                }
                writer.close().await;
            }
            Engine::Postgres {
                readers,
                writers,
                loose,
                lease,
                listening,
            } => {
                listening.close().await;
                for line in [lease, loose, writers, readers].into_iter().flat_map(closed) {
                    let _closed = line.db.close().await;
                }
            }
        }
    }
}

async fn server(pool: &Pool<Calling>) -> Result<Server> {
    lent(pool).await.map(Server)
}
