//! Room for records: counted in the store from time to time, and in memory in between, for counting costs more than keeping one.

use super::models::lock;
use crate::Idp;
use crate::error::Result;
use crate::ids::AccountId;
use gait_sdk::PluginId;
use std::collections::HashMap;
use std::sync::Mutex;

/// Most records of one account that wait to be learned from; further ones are dropped, for a collector can send them faster than
/// they are learned. Each further node may exceed it by [`STRIDE`].
const WAITING: u64 = 2000;
/// Records of an account that come before it is counted again how many wait.
const STRIDE: u64 = 64;
/// Accounts that a node has counted. An entry saves work and nothing else, so all are forgotten when they are too many.
const COUNTED: usize = 16_384;

/// What is known of an account's room.
struct Counted {
    /// How many may be kept.
    free: u64,
    /// How many come before it is counted again.
    left: u64,
}

/// What this node knows of accounts' room.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<HashMap<AccountId, Counted>>);

impl Rooms {
    /// Takes room for one record; `None` if it must be counted first.
    fn take(&self, account: AccountId) -> Option<bool> {
        let mut rooms = lock(&self.0);
        let counted = rooms.get_mut(&account).filter(|counted| counted.left > 0)?;
        counted.left -= 1;
        let fits = counted.free > 0;
        counted.free = counted.free.saturating_sub(1);
        Some(fits)
    }

    fn put(&self, account: AccountId, free: u64) {
        let mut rooms = lock(&self.0);
        if rooms.len() >= COUNTED {
            rooms.clear();
        }
        rooms.insert(account, Counted { free, left: STRIDE });
    }
}

impl Idp {
    /// Whether one more record of an account may be kept.
    pub(super) async fn has_room(&self, account: AccountId, plugin: &PluginId) -> Result<bool> {
        if let Some(fits) = self.rooms.take(account) {
            return Ok(fits);
        }
        let waiting = self.store.count_unsettled(account, plugin).await?;
        self.rooms.put(account, WAITING.saturating_sub(waiting));
        Ok(self.rooms.take(account).unwrap_or(false))
    }
}
