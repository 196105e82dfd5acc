//! What was read a moment ago, for as long as nothing has changed.
//!
//! Every change of this process that may take something from somebody (and each is thought to, unless it says that it only adds) makes
//! all that was read before it void, before its caller is told that it is done: no revocation hides behind the cache. What another process
//! changes is seen within [`LIFE`]; so only the embedded store keeps more than clients, for beside it there is at most the command line.

use gait_core::account::Account;
use gait_core::client::Client;
use gait_core::grant::{Standing, TokenKind};
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
#[derive(Debug)]
pub(super) struct Cache {
    /// The number of changes so far.
    changes: AtomicU64,
    pub clients: Shelf<ClientId, Client>,
    pub accounts: Shelf<AccountId, Account>,
    pub sessions: Shelf<SessionId, Session>,
    /// By the cookie's hash.
    pub sessions_by_secret: Shelf<Hash, Session>,
    /// Of access tokens: a refresh token is read once, and spent then.
    pub standings: Shelf<Hash, Standing>,
}

/// One kind of thing, with the number of changes before it was read.
#[derive(Debug)]
pub(super) struct Shelf<K, V>
where
    K: hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    kept: Kept<K, (u64, V)>,
    /// What may stand on it.
    takes: fn(&V) -> bool,
}

impl<K, V> Shelf<K, V>
where
    K: hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn of(takes: fn(&V) -> bool) -> Self {
        let kept = Kept::builder().max_capacity(ENTRIES).time_to_live(LIFE).build();
        Self { kept, takes }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            changes: AtomicU64::new(0),
            clients: Shelf::of(|_| true),
            accounts: Shelf::of(|_| true),
            sessions: Shelf::of(|_| true),
            sessions_by_secret: Shelf::of(|_| true),
            standings: Shelf::of(|standing| standing.token.kind == TokenKind::Access),
        }
    }
}

impl Cache {
    /// What stands on a shelf, or what is read now, which then stands there.
    pub async fn get<K, V, R>(&self, shelf: &Shelf<K, V>, key: &K, read: impl FnOnce() -> R) -> Result<Option<V>>
    where
        R: Future<Output = Result<Option<V>>>,
        K: hash::Hash + Eq + Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        // Before anything is read: what changes meanwhile makes it void.
        let changes = self.changes.load(Ordering::SeqCst);
        if let Some((before, value)) = shelf.kept.get(key)
            && before == changes
        {
            return Ok(Some(value));
        }
        // On the heap: mostly it isn't needed, and would be moved with every future that holds this one.
        let found = Box::pin(read()).await?;
        if let Some(value) = found.as_ref().filter(|value| (shelf.takes)(value)) {
            shelf.kept.insert(key.clone(), (changes, value.clone()));
        }
        Ok(found)
    }

    /// Something has changed.
    pub fn void(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
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
