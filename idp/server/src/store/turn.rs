//! SQLite's one writer. Whoever writes takes a turn in the transaction that is open; who came first sees to its commit once those had
//! theirs who waited meanwhile, and the disk is ready for it. So many who write at once share a transaction, and one alone has it for
//! itself.
//!
//! What one does is undone with what all did: if one fails, the others are told to do theirs again, each alone.

use super::connection::Connection;
use super::disk::Disk;
use super::row::fail;
use gait_core::store::{Result, StoreError};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, watch};

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
    /// Somebody failed, or gave up half way.
    spoiled: bool,
    fate: watch::Sender<Fate>,
}

/// The connection that writes, and its transaction.
pub(super) struct State {
    /// None once it is closed.
    db: Option<SqliteConnection>,
    open: Option<Open>,
}

/// The writer. Clones share it.
#[derive(Clone)]
pub(super) struct Writer {
    shared: Arc<Mutex<State>>,
    disk: Disk,
}

/// Held by who writes.
type Held = OwnedMutexGuard<State>;
/// The connection, held for single statements.
pub(super) type Single = OwnedMappedMutexGuard<State, SqliteConnection>;

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// Writes by this connection, and nobody else does, to a file on this disk.
    pub fn new(db: SqliteConnection, disk: Disk) -> Self {
        let state = State {
            db: Some(db),
            open: None,
        };
        let shared = Arc::new(Mutex::new(state));
        Self { shared, disk }
    }

    async fn held(&self) -> Result<Held> {
        let waiting = tokio::time::timeout(WAIT, self.shared.clone().lock_owned());
        waiting.await.map_err(|_| StoreError::Away("the writer is busy".to_owned()))
    }

    /// Waits for a turn; `alone` shares the transaction with nobody.
    pub async fn turn(&self, alone: bool) -> Result<Turn> {
        let mut held = self.held().await?;
        if held.open.as_ref().is_some_and(|open| alone || open.spoiled) {
            held = finished(held).await?;
        }
        let first = held.open.is_none();
        if first {
            held.begin().await?;
        }
        Ok(Turn {
            held: Some(held),
            writer: self.clone(),
            first,
            alone,
        })
    }

    /// Waits for the connection, for single statements, which need no transaction.
    pub async fn single(&self) -> Result<Single> {
        let mut held = self.held().await?;
        if held.open.is_some() {
            held = finished(held).await?;
        }
        OwnedMutexGuard::try_map(held, |state| state.db.as_mut()).map_err(|_| closed())
    }

    /// Finishes what is going on and closes the connection.
    pub async fn close(&self) {
        let mut state = self.shared.lock().await;
        state.finish().await;
        if let Some(db) = state.db.take() {
            let _closed = db.close().await;
        }
    }
}

impl State {
    fn db(&mut self) -> Result<&mut SqliteConnection> {
        self.db.as_mut().ok_or_else(closed)
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        self.db()?.execute(sql).await.map_err(fail)?;
        Ok(())
    }

    async fn begin(&mut self) -> Result<()> {
        // Whoever gives up meanwhile leaves something to be undone.
        let open = self.open.insert(Open {
            spoiled: true,
            fate: watch::Sender::new(Fate::Open),
        });
        let fate = open.fate.clone();
        let begun = self.run("BEGIN IMMEDIATE").await;
        self.open = begun.is_ok().then_some(Open { spoiled: false, fate });
        begun
    }

    /// Commits the transaction, or undoes it if it is spoiled, and tells all who share it.
    async fn finish(&mut self) {
        let Some(Open { spoiled, fate }) = self.open.take() else {
            return;
        };
        let outcome = match spoiled {
            true => Fate::Undone,
            false => match self.run("COMMIT").await {
                Ok(()) => Fate::Committed,
                Err(error) => Fate::Lost(error.to_string()),
            },
        };
        if outcome != Fate::Committed {
            // It may have undone itself, or never have begun.
            let _undone = self.run("ROLLBACK").await;
        }
        let _heard = fate.send(outcome);
    }
}

fn closed() -> StoreError {
    StoreError::Away("the database is closed".to_owned())
}

/// Finishes on a task of its own, so that nobody who gives up leaves it open, or its fate unknown.
async fn finished(mut held: Held) -> Result<Held> {
    let task = tokio::spawn(async move {
        held.finish().await;
        held
    });
    task.await.map_err(|error| StoreError::Away(error.to_string()))
}

/// One's turn. Dropped before it is committed, all of the transaction is undone.
pub(super) struct Turn {
    held: Option<Held>,
    writer: Writer,
    first: bool,
    alone: bool,
}

impl Turn {
    /// To run statements by.
    pub fn connection(&mut self) -> Result<Connection<'_>> {
        let held = self.held.as_mut().ok_or_else(closed)?;
        held.db().map(Connection::Sqlite)
    }

    /// Waits until the transaction is committed; false if it was undone, and is to be done again.
    pub async fn commit(mut self) -> Result<bool> {
        let Some(held) = self.held.take() else { return Ok(false) };
        let Some(mut fate) = held.open.as_ref().map(|open| open.fate.subscribe()) else {
            return Ok(false);
        };
        match self.alone {
            true => {
                self.first = false;
                finished(held).await?;
            }
            false => drop(held),
        }
        self.see_to_it();
        let fate = fate.wait_for(|fate| *fate != Fate::Open).await;
        match fate.as_deref() {
            Ok(Fate::Committed) => Ok(true),
            Ok(Fate::Undone) => Ok(false),
            Ok(Fate::Lost(why)) => Err(StoreError::Away(why.clone())),
            Ok(Fate::Open) | Err(_) => Err(StoreError::Away("nobody knows what became of the transaction".to_owned())),
        }
    }

    /// Who came first has the transaction finished after those who wait already; on a task of its own, so that nobody who gives up
    /// leaves it open.
    fn see_to_it(&mut self) {
        if std::mem::take(&mut self.first) {
            let Writer { shared, disk } = self.writer.clone();
            tokio::spawn(async move {
                // Who is about to write does it first. And while the disk is busy a commit would help nobody.
                tokio::task::yield_now().await;
                disk.ready().await;
                shared.lock().await.finish().await;
            });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(open) = self.held.take().as_mut().and_then(|held| held.open.as_mut()) {
            open.spoiled = true;
            self.see_to_it();
        }
    }
}
