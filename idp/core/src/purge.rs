//! What there may be any number of is deleted and changed a little at a time, so that nobody who writes meanwhile waits for all of it.

use crate::Idp;
use crate::error::Result;
use crate::ids::ClientId;
use crate::store::{self, DeliveryFilter};
use std::future::Future;

/// Rows of one transaction.
const BATCH: u32 = 1000;
/// Seconds that rows are kept after they died, so that replays are still recognised.
const KEEP_DEAD_S: i64 = 30 * 86_400;
/// Seconds that access tokens are kept after they expired: more than the nodes' clocks differ.
const KEEP_ACCESS_S: i64 = 600;
/// Seconds that events are kept: a year, for whoever looks into what happened. They hold addresses, so not for ever.
const KEEP_EVENTS_S: i64 = 365 * 86_400;

/// Calls `some` with how many rows it may meet, until it meets fewer; how many these were in all.
pub(crate) async fn in_batches<F>(some: impl Fn(u32) -> F) -> Result<u64>
where
    F: Future<Output = store::Result<u64>>,
{
    let mut all = 0;
    loop {
        let met = some(BATCH).await?;
        all += met;
        if met < u64::from(BATCH) {
            return Ok(all);
        }
    }
}

impl Idp {
    /// Deletes what is too old to be kept: what died, events, and what is known of behaviour; returns how many rows went.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn purge(&self) -> Result<u64> {
        let now = self.ports.now();
        // A session that wasn't used for so long is dead whatever its lifetimes are.
        let kept_s = KEEP_DEAD_S.max(self.policy.lifetimes.session_absolute.into());
        let dead_at = now.plus(-kept_s);
        // Whoever shows one is told the same as long as it is kept: nothing is spent that a replay could betray.
        let access = in_batches(|most| self.store.purge_access(now.plus(-KEEP_ACCESS_S), most)).await?;
        let dead = in_batches(|most| self.store.purge(dead_at, most)).await?;
        let sessions = in_batches(|most| self.store.purge_sessions(dead_at, most)).await?;
        let events = in_batches(|most| self.store.purge_events(now.plus(-KEEP_EVENTS_S), most)).await?;
        Ok(access + dead + sessions + events + self.purge_behaviour().await?)
    }

    /// Removes a client with its grants, tokens, consents and deliveries; false if there was none.
    ///
    /// # Errors
    /// A backend is away; some of it may be gone already.
    pub async fn remove_client(&self, id: &ClientId) -> Result<bool> {
        in_batches(|most| self.store.strip_client(id, most)).await?;
        Ok(self.store.remove_client(id).await?)
    }

    /// Has dead letters, and what was set aside, delivered again; returns how many there are.
    ///
    /// # Errors
    /// A backend is away; some of it may be on its way already.
    pub async fn replay(&self, which: &DeliveryFilter) -> Result<u64> {
        let now = self.ports.now();
        in_batches(|most| self.store.replay(which, now, most)).await
    }
}
