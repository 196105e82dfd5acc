//! Transactions: all of one, or nothing.

use gait_core::store::{Result, StoreError};
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// How often a transaction is tried that another one was in the way of, or whose connection broke.
const TRIES: u32 = 5;
/// Tries begin within this time, so that a database that is away is told of soon.
const TRY_FOR: Duration = Duration::from_secs(1);

/// Runs a block in a transaction: all of it if its outcome is `Ok`, else nothing. It is run again if on Postgres another one was in its
/// way (a deadlock), or the connection broke before the commit. A macro, because a closure that borrows could not be sent between threads.
macro_rules! transact {
    ($store:expr, |$db:ident| $body:expr) => {{
        let mut tries = $crate::store::transaction::Tries::new();
        loop {
            let outcome = $crate::store::transaction::outcome(async {
                let mut lent = $store.write().await?;
                let mut transaction = lent.begin().await?;
                let $db = &mut transaction.connection();
                let value = $crate::store::transaction::outcome(async { $body }).await?;
                tries.commit();
                transaction.commit().await?;
                Ok(value)
            })
            .await;
            if !tries.another(&outcome) {
                break outcome;
            }
        }
    }};
}
pub(super) use transact;

/// The tries of one transaction.
pub(super) struct Tries {
    begun: Instant,
    done: u32,
    /// It came to its commit: if that failed, all of it may be there.
    committing: bool,
}

impl Tries {
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            done: 0,
            committing: false,
        }
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
