//! Keys, leases, settings, events and deliveries.

use super::{KeptDelivery, Lease, MemoryStore, State};
use crate::event::{Delivery, Event};
use crate::ids::{AccountId, DeliveryId, EventId};
use crate::store::{Backlog, OperationStore, Result, StoreError, StoredKey};
use async_trait::async_trait;
use gait_sdk::Timestamp;

impl State {
    fn open_delivery(&mut self, id: DeliveryId) -> Option<&mut KeptDelivery> {
        let mut open = self.deliveries.iter_mut().filter(|kept| kept.closed_at.is_none());
        open.find(|kept| kept.delivery.id == id)
    }

    /// Positions of the oldest open delivery to each receiver about each session.
    fn heads(&self) -> Vec<usize> {
        let mut seen = Vec::new();
        let mut heads = Vec::new();
        for (position, kept) in self.deliveries.iter().enumerate() {
            let receiver = (&kept.delivery.client, kept.delivery.channel, &kept.delivery.event.session);
            if kept.closed_at.is_none() && !seen.contains(&receiver) {
                seen.push(receiver);
                heads.push(position);
            }
        }
        heads
    }

    fn claim(&mut self, now: Timestamp, until: Timestamp, limit: u32) -> Vec<Delivery> {
        let is_due = |kept: &KeptDelivery| kept.delivery.next_at <= now && kept.leased_until.is_none_or(|until| until <= now);
        let mut due: Vec<_> = self
            .heads()
            .into_iter()
            .filter(|&position| is_due(&self.deliveries[position]))
            .collect();
        due.sort_by_key(|&position| self.deliveries[position].delivery.next_at);
        due.truncate(limit as usize);
        let mut claimed = Vec::new();
        for position in due {
            let kept = &mut self.deliveries[position];
            kept.leased_until = Some(until);
            claimed.push(kept.delivery.clone());
        }
        claimed
    }
}

#[async_trait]
impl OperationStore for MemoryStore {
    async fn ping(&self) -> Result<()> {
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

    async fn unexpanded_events(&self, limit: u32) -> Result<Vec<Event>> {
        let state = self.state();
        let waiting = state.events.iter().filter(|kept| !kept.expanded);
        Ok(waiting.take(limit as usize).map(|kept| kept.event.clone()).collect())
    }

    async fn expand_event(&self, event: EventId, deliveries: &[Delivery]) -> Result<bool> {
        let mut state = self.state();
        let waiting = state.events.iter_mut().find(|kept| kept.event.id == event && !kept.expanded);
        let Some(kept) = waiting else {
            return Ok(false);
        };
        kept.expanded = true;
        // One to a client that was removed meanwhile is dropped: it must not hold the others up.
        let known: Vec<_> = deliveries
            .iter()
            .filter(|delivery| state.clients.contains_key(&delivery.client))
            .collect();
        let kept = known.into_iter().map(|delivery| KeptDelivery {
            delivery: delivery.clone(),
            leased_until: None,
            closed_at: None,
            dead: false,
        });
        state.deliveries.extend(kept);
        Ok(true)
    }

    async fn claim_deliveries(&self, now: Timestamp, lease_s: u32, limit: u32) -> Result<Vec<Delivery>> {
        Ok(self.state().claim(now, now.plus(i64::from(lease_s)), limit))
    }

    async fn delivered(&self, id: DeliveryId, at: Timestamp) -> Result<()> {
        if let Some(kept) = self.state().open_delivery(id) {
            kept.closed_at = Some(at);
        }
        Ok(())
    }

    async fn delivery_failed(&self, id: DeliveryId, next_at: Option<Timestamp>, _error: &str) -> Result<()> {
        if let Some(kept) = self.state().open_delivery(id) {
            kept.delivery.attempts += 1;
            kept.leased_until = None;
            match next_at {
                Some(at) => kept.delivery.next_at = at,
                None => (kept.closed_at, kept.dead) = (Some(kept.delivery.next_at), true),
            }
        }
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog> {
        let state = self.state();
        let waiting: Vec<_> = state.events.iter().filter(|kept| !kept.expanded).collect();
        let open: Vec<_> = state.deliveries.iter().filter(|kept| kept.closed_at.is_none()).collect();
        let times = waiting.iter().map(|kept| kept.event.at_ms);
        Ok(Backlog {
            events: waiting.len() as u64,
            deliveries: open.len() as u64,
            dead_letters: state.deliveries.iter().filter(|kept| kept.dead).count() as u64,
            oldest_at_ms: times.chain(open.iter().map(|kept| kept.delivery.event.at_ms)).min(),
        })
    }

    async fn purge_events(&self, before: Timestamp) -> Result<u64> {
        let mut state = self.state();
        let told: Vec<_> = state.deliveries.iter().map(|kept| kept.delivery.event.id).collect();
        let count = state.events.len();
        state
            .events
            .retain(|kept| kept.event.at_ms >= before.0 * 1000 || !kept.expanded || told.contains(&kept.event.id));
        Ok((count - state.events.len()) as u64)
    }

    async fn events_of(&self, account: AccountId, limit: u32) -> Result<Vec<Event>> {
        let state = self.state();
        let events = state.events.iter().rev().map(|kept| &kept.event);
        let about = events.filter(|event| event.account == Some(account));
        Ok(about.take(limit as usize).cloned().collect())
    }
}
