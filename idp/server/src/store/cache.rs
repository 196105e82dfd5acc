//! What was read a moment ago, for as long as nothing has changed.
//!
//! Every change of this process that may take something from somebody (and each is thought to, unless it says that it only adds) makes
//! all that was read before it void, before its caller is told that it is done: no revocation hides behind the cache. What another process
//! changes is seen within [`LIFE`]; so only the embedded store keeps more than clients, for beside it there is at most the command line.

use gait_core::account::Account;
use gait_core::client::Client;
use gait_core::grant::Standing;
use gait_core::ids::{AccountId, ClientId, SessionId};
use gait_core::session::Session;
use gait_core::store::Result;
use gait_core::token::secret::Hash;
use moka::sync::Cache as Kept;
use std::future::Future;
use std::hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longest life of what is kept.
const LIFE: Duration = Duration::from_secs(1);
/// Most entries of a shelf; the largest are of about 2 kB.
const ENTRIES: u64 = 4096;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Cache {
    changes: Changes,
    pub clients: Shelf<ClientId, Client>,
    pub accounts: Shelf<AccountId, Account>,
    pub sessions: Shelf<SessionId, Session>,
    /// By the cookie's hash.
    pub sessions_by_secret: Shelf<Hash, Session>,
    /// Of access tokens: a refresh token is read once, and spent then.
    pub standings: Shelf<Hash, Standing>,
}

/// The number of changes so far.
#[derive(Debug, Default)]
struct Changes(AtomicU64);

/// One kind of thing, with the number of changes before it was read.
#[derive(Debug)]
pub(super) struct Shelf<K, V>(Kept<K, (u64, V)>)
where
    K: hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static;

impl<K, V> Default for Shelf<K, V>
where
    K: hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self(Kept::builder().max_capacity(ENTRIES).time_to_live(LIFE).build())
    }
}

impl Cache {
    /// What stands on a shelf, or what is read now, which then stands there if it is `worth` it.
    pub async fn get<K, V>(
        &self,
        shelf: &Shelf<K, V>,
        key: &K,
        read: impl Future<Output = Result<Option<V>>>,
        worth: impl Fn(&V) -> bool,
    ) -> Result<Option<V>>
    where
        K: hash::Hash + Eq + Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        // Before anything is read: what changes meanwhile makes it void.
        let changes = self.changes.0.load(Ordering::SeqCst);
        if let Some((before, value)) = shelf.0.get(key)
            && before == changes
        {
            return Ok(Some(value));
        }
        let found = read.await?;
        if let Some(value) = found.as_ref().filter(|value| worth(value)) {
            shelf.0.insert(key.clone(), (changes, value.clone()));
        }
        Ok(found)
    }

    /// Something has changed.
    pub fn void(&self) {
        self.changes.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Makes the cache void when it is dropped: after the commit, and whatever becomes of it.
pub(super) struct Voiding(pub Option<Arc<Cache>>);

impl Drop for Voiding {
    fn drop(&mut self) {
        if let Some(cache) = &self.0 {
            cache.void();
        }
    }
}
