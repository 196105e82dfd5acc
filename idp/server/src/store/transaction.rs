//! Transactions: all of one, or nothing.

use gait_core::store::{Result, StoreError};
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// How often a transaction is tried that another one was in the way of, or whose connection broke.
const TRIES: u32 = 5;
/// Tries begin within this time, so that a database that is away is told of soon.
const TRY_FOR: Duration = Duration::from_secs(1);

/// What a change does to what is there, and what may become of it in a power cut. On Postgres, where the pool says how well a change
/// is kept, and no more than clients is cached, it makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It may take something from somebody, so nothing that was read before it counts; its caller is told once the disk has it.
    Takes,
    /// It takes nothing from anybody; its caller is told once the disk has it.
    Adds,
    /// It takes nothing from anybody, and a power cut may undo it.
    Notes,
}

/// Runs a block in a transaction: all of it if its outcome is `Ok`, else nothing. It is run again if another one was in its
/// way (a deadlock on Postgres, somebody who failed in the same transaction on SQLite), or the connection broke before the commit.
macro_rules! transact {
    ($store:expr, |$db:ident| $body:expr) => {
        $crate::store::transaction::transact!($store, Takes, |$db| $body)
    };
    ($store:expr, $weight:ident, |$db:ident| $body:expr) => {
        $crate::store::transaction::run!($store, $weight, begin, |$db| $body)
    };
}
pub(super) use transact;

/// Runs a block that changes something in one journey, and then at most reads: a transaction on SQLite, where a journey is a script, and
/// none on Postgres, where it is a statement. That isn't run again if the connection broke, for it may have been done.
macro_rules! journey {
    ($store:expr, $weight:ident, |$db:ident| $body:expr) => {
        $crate::store::transaction::run!($store, $weight, journey, |$db| $body)
    };
}
pub(super) use journey;

/// Runs a block on a stage that begins as `$begin` says. A macro, because a closure that borrows could not be sent between threads.
macro_rules! run {
    ($store:expr, $weight:ident, $begin:ident, |$db:ident| $body:expr) => {{
        let mut tries = $crate::store::transaction::Tries::new();
        loop {
            let outcome = $crate::store::transaction::outcome(async {
                let _voiding = $store.voiding($crate::store::transaction::Weight::$weight);
                let mut stage = $store.stage(tries.alone()).await?;
                let mut transaction = stage.$begin().await?;
                let $db = &mut transaction.connection()?;
                let value = match $crate::store::transaction::outcome(async { $body }).await {
                    Ok(value) => value,
                    Err(error) => {
                        if transaction.is_in_doubt() {
                            tries.commit();
                        }
                        transaction.undo().await;
                        return Err(error);
                    }
                };
                tries.commit();
                match transaction.commit().await? {
                    true => Ok(value),
                    false => Err(tries.undone()),
                }
            })
            .await;
            if !tries.another(&outcome) {
                break $store.kept($crate::store::transaction::Weight::$weight, outcome).await;
            }
        }
    }};
}
pub(super) use run;

/// Runs a block that is one statement, which needs no transaction.
macro_rules! change {
    ($store:expr, |$db:ident| $body:expr) => {
        $crate::store::transaction::change!($store, Takes, |$db| $body)
    };
    ($store:expr, $weight:ident, |$db:ident| $body:expr) => {{
        let outcome = $crate::store::transaction::outcome(async {
            let _voiding = $store.voiding($crate::store::transaction::Weight::$weight);
            let mut lent = $store.write().await?;
            let $db = &mut lent.connection();
            $body
        })
        .await;
        $store.kept($crate::store::transaction::Weight::$weight, outcome).await
    }};
}
pub(super) use change;

/// The tries of one transaction.
pub(super) struct Tries {
    begun: Instant,
    done: u32,
    /// It came to its commit: if that failed, all of it may be there.
    committing: bool,
    /// Another one who shared its transaction failed, so it shares the next with nobody.
    alone: bool,
}

impl Tries {
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            done: 0,
            committing: false,
            alone: false,
        }
    }

    /// Whether it must share its transaction with nobody.
    pub fn alone(&self) -> bool {
        self.alone
    }

    /// Nothing of it was done, though it came to its commit.
    pub fn undone(&mut self) -> StoreError {
        (self.committing, self.alone) = (false, true);
        StoreError::Away("a shared transaction was undone".to_owned())
    }

    /// From now on it isn't tried again.
    pub fn commit(&mut self) {
        self.committing = true;
    }

    /// True if nothing was done, and it may be otherwise now.
    pub fn another<T>(&mut self, outcome: &Result<T>) -> bool {
        self.done += 1;
        let undone = matches!(outcome, Err(StoreError::Away(_))) && !self.committing;
        undone && self.done < TRIES && self.begun.elapsed() < TRY_FOR
    }
}

/// Names the type of a block's outcome.
pub(super) fn outcome<T>(block: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
    block
}
