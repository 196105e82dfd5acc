//! SQLite's one writer. Whoever writes takes a turn in the transaction that is open; who came first sees to its commit once those had
//! theirs who waited meanwhile. So many who write at once share a transaction, and one alone has it for itself.
//!
//! What one does is undone with what all did: if one fails, the others are told to do theirs again, each alone.

use super::connection::Connection;
use super::row::fail;
use gait_core::store::{Result, StoreError};
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// How long a call waits for its turn before it is told that the store is away.
pub(super) const WAIT: Duration = Duration::from_secs(5);

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Committed,
    /// One of those who share it failed.
    Undone,
    /// It could not be committed.
    Lost(String),
}

struct Open {
    db: Transaction<'static, Sqlite>,
    /// Somebody failed, or gave up half way.
    spoiled: bool,
    fate: watch::Sender<Fate>,
}

/// The writer. Clones share it.
#[derive(Clone)]
pub(super) struct Writer {
    pool: SqlitePool,
    open: Arc<Mutex<Option<Open>>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// Of a pool of one connection.
    pub fn new(pool: SqlitePool) -> Self {
        let open = Arc::default();
        Self { pool, open }
    }

    /// For single statements, which need no turn.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Waits for a turn; `alone` shares the transaction with nobody.
    pub async fn turn(&self, alone: bool) -> Result<Turn> {
        let waiting = tokio::time::timeout(WAIT, self.open.clone().lock_owned());
        let Ok(mut open) = waiting.await else {
            return Err(StoreError::Away("the writer is busy".to_owned()));
        };
        if let Some(shared) = open.take_if(|open| alone || open.spoiled) {
            finish(shared).await;
        }
        let first = open.is_none();
        if first {
            let db = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
            *open = Some(Open {
                db,
                spoiled: false,
                fate: watch::Sender::new(Fate::Open),
            });
        }
        Ok(Turn {
            open: Some(open),
            shared: self.open.clone(),
            first,
            alone,
        })
    }
}

/// One's turn. Dropped before it is committed, all of the transaction is undone.
pub(super) struct Turn {
    open: Option<OwnedMutexGuard<Option<Open>>>,
    shared: Arc<Mutex<Option<Open>>>,
    first: bool,
    alone: bool,
}

impl Turn {
    /// To run statements by.
    pub fn connection(&mut self) -> Result<Connection<'_>> {
        let open = self.open.as_mut().and_then(|open| open.as_mut());
        let open = open.ok_or_else(|| StoreError::Away("the transaction is over".to_owned()))?;
        Ok(Connection::Sqlite(&mut open.db))
    }

    /// Waits until the transaction is committed; false if it was undone, and is to be done again.
    pub async fn commit(mut self) -> Result<bool> {
        let Some(mut open) = self.open.take() else { return Ok(false) };
        let Some(mut fate) = open.as_ref().map(|open| open.fate.subscribe()) else {
            return Ok(false);
        };
        if self.alone
            && let Some(own) = open.take()
        {
            self.first = false;
            finish(own).await;
        }
        drop(open);
        self.see_to_it();
        let fate = fate.wait_for(|fate| *fate != Fate::Open).await;
        match fate.as_deref() {
            Ok(Fate::Committed) => Ok(true),
            Ok(Fate::Lost(why)) => Err(StoreError::Away(why.clone())),
            Ok(Fate::Open | Fate::Undone) | Err(_) => Ok(false),
        }
    }

    /// Who came first has the transaction finished after those who wait already; on a task of its own, so that nobody who gives up
    /// leaves it open.
    fn see_to_it(&mut self) {
        if std::mem::take(&mut self.first) {
            let shared = self.shared.clone();
            tokio::spawn(async move {
                if let Some(open) = shared.lock().await.take() {
                    finish(open).await;
                }
            });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(open) = self.open.take().as_mut().and_then(|open| open.as_mut()) {
            open.spoiled = true;
            self.see_to_it();
        }
    }
}

/// Commits a transaction, or undoes it if it is spoiled, and tells all who share it.
async fn finish(open: Open) {
    let Open { db, spoiled, fate } = open;
    let outcome = match spoiled {
        true => db.rollback().await.map(|()| Fate::Undone),
        false => db.commit().await.map(|()| Fate::Committed),
    };
    let _heard = fate.send(outcome.unwrap_or_else(|error| Fate::Lost(error.to_string())));
}
