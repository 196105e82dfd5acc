//! Keys, leases, settings, and what is noted.

use super::{Lease, MemoryStore, Room};
use crate::event::Event;
use crate::ids::{AccountId, EventId};
use crate::store::{OperationStore, Result, StoreError, StoredKey};
use async_trait::async_trait;
use gait_sdk::Timestamp;

#[async_trait]
impl OperationStore for MemoryStore {
    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn check_schema(&self) -> Result<()> {
        Ok(())
    }

    async fn keys(&self) -> Result<Vec<StoredKey>> {
        let mut keys = self.state().keys.clone();
        keys.sort_by_key(|key| (std::cmp::Reverse(key.created_at), key.kid.clone()));
        Ok(keys)
    }

    async fn add_key(&self, key: &StoredKey, retire_at: Timestamp, only_first: bool) -> Result<bool> {
        let mut state = self.state();
        if only_first && state.keys.iter().any(|kept| kept.alg == key.alg) {
            return Ok(false);
        }
        if state.keys.iter().any(|kept| kept.kid == key.kid) {
            return Err(StoreError::Taken("key"));
        }
        for kept in state
            .keys
            .iter_mut()
            .filter(|kept| kept.alg == key.alg && kept.retire_at.is_none())
        {
            kept.retire_at = Some(retire_at);
        }
        state.keys.push(key.clone());
        Ok(true)
    }

    async fn purge_keys(&self, now: Timestamp) -> Result<u64> {
        let mut state = self.state();
        let count = state.keys.len();
        state.keys.retain(|key| key.retire_at.is_none_or(|at| at > now));
        Ok((count - state.keys.len()) as u64)
    }

    async fn lease(&self, name: &str, holder: &str, now: Timestamp, ttl_s: u32) -> Result<bool> {
        let mut state = self.state();
        let held = state.leases.get(name);
        if held.is_some_and(|lease| lease.holder != holder && lease.until > now) {
            return Ok(false);
        }
        let lease = Lease {
            holder: holder.to_owned(),
            until: now.plus(i64::from(ttl_s)),
        };
        state.leases.insert(name.to_owned(), lease);
        Ok(true)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<()> {
        let mut state = self.state();
        if state.leases.get(name).is_some_and(|lease| lease.holder == holder) {
            state.leases.remove(name);
        }
        Ok(())
    }

    async fn setting(&self, name: &str) -> Result<Option<String>> {
        Ok(self.state().settings.get(name).cloned())
    }

    async fn set_once(&self, name: &str, value: &str) -> Result<String> {
        let mut state = self.state();
        let kept = state.settings.entry(name.to_owned());
        Ok(kept.or_insert_with(|| value.to_owned()).clone())
    }

    async fn note(&self, event: &Event) -> Result<()> {
        self.state().note(std::slice::from_ref(event));
        Ok(())
    }

    async fn unshipped_events(&self, limit: u32) -> Result<Vec<Event>> {
        let state = self.state();
        let waiting = state.events.iter().filter(|kept| !kept.shipped);
        Ok(waiting.take(limit as usize).map(|kept| kept.event.clone()).collect())
    }

    async fn events_shipped(&self, events: &[EventId]) -> Result<()> {
        let mut state = self.state();
        for kept in state.events.iter_mut().filter(|kept| events.contains(&kept.event.id)) {
            kept.shipped = true;
        }
        Ok(())
    }

    async fn purge_events(&self, before: Timestamp, most: u32) -> Result<u64> {
        let mut state = self.state();
        let told: Vec<_> = state.deliveries.iter().map(|delivery| delivery.event.id).collect();
        let mut room = Room(most);
        state.events.retain(|kept| {
            let is_old = kept.event.at_ms < before.0 * 1000;
            !room.takes(is_old && kept.expanded && !told.contains(&kept.event.id))
        });
        Ok(u64::from(most - room.0))
    }

    async fn events_of(&self, account: AccountId, limit: u32) -> Result<Vec<Event>> {
        let state = self.state();
        let events = state.events.iter().rev().map(|kept| &kept.event);
        let about = events.filter(|event| event.account == Some(account));
        Ok(about.take(limit as usize).cloned().collect())
    }
}
