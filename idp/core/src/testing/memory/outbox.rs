//! The outbox.

use super::{MemoryStore, Room, State};
use crate::event::{Delivery, DeliveryState, Event, Receiver};
use crate::ids::{DeliveryId, EventId, SessionId};
use crate::store::{Backlog, DeliveryFilter, OutboxStore, Pause, Result};
use async_trait::async_trait;
use gait_sdk::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A receiver that was told something.
#[derive(Clone)]
pub(super) struct KeptReceiver {
    pause: Pause,
    claim: Option<(Uuid, Timestamp)>,
}

impl KeptReceiver {
    fn is_free(&self, holder: Option<Uuid>, now: Timestamp) -> bool {
        let is_held = self.claim.is_some_and(|(by, until)| Some(by) != holder && until > now);
        self.pause.until <= now && !is_held
    }
}

/// When a delivery arrived or died.
pub(super) fn closed_at(delivery: &Delivery) -> Option<Timestamp> {
    match delivery.state {
        DeliveryState::Arrived(at) | DeliveryState::Dead(at) => Some(at),
        DeliveryState::Queued | DeliveryState::Aside(_) => None,
    }
}

fn is_due(delivery: &Delivery, now: Timestamp) -> bool {
    match delivery.state {
        DeliveryState::Queued => true,
        DeliveryState::Aside(at) => at <= now,
        DeliveryState::Arrived(_) | DeliveryState::Dead(_) => false,
    }
}

/// Whether an operator means it, were it not for its state.
fn is_meant(delivery: &Delivery, which: &DeliveryFilter) -> bool {
    which.id.is_none_or(|id| delivery.id == id) && which.client.as_ref().is_none_or(|client| delivery.client == *client)
}

impl State {
    fn may_claim(&self, receiver: &Receiver, holder: Option<Uuid>, now: Timestamp) -> bool {
        self.receivers.get(receiver).is_none_or(|kept| kept.is_free(holder, now))
    }
}

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn unexpanded_events(&self, after: Option<EventId>, limit: u32) -> Result<Vec<Event>> {
        let state = self.state();
        let after = state.events.iter().position(|kept| Some(kept.event.id) == after);
        let first = after.map_or(0, |position| position + 1);
        let waiting = state.events.iter().skip(first).filter(|kept| !kept.expanded);
        Ok(waiting.take(limit as usize).map(|kept| kept.event.clone()).collect())
    }

    async fn expand_events(&self, expanded: &[(EventId, Vec<Delivery>)]) -> Result<Vec<EventId>> {
        let mut state = self.state();
        let mut first = Vec::new();
        for (event, deliveries) in expanded {
            let waiting = state.events.iter_mut().find(|kept| kept.event.id == *event && !kept.expanded);
            let Some(kept) = waiting else { continue };
            kept.expanded = true;
            first.push(*event);
            // One to a client that was removed meanwhile is dropped: it must not hold the others up.
            let known = deliveries
                .iter()
                .filter(|delivery| state.clients.contains_key(&delivery.client));
            let known: Vec<_> = known.cloned().collect();
            state.deliveries.extend(known);
        }
        Ok(first)
    }

    async fn due_receivers(&self, now: Timestamp, limit: u32) -> Result<Vec<Receiver>> {
        let state = self.state();
        let mut due: BTreeMap<Receiver, (Timestamp, usize)> = BTreeMap::new();
        for (position, delivery) in state.deliveries.iter().enumerate().filter(|(_, one)| is_due(one, now)) {
            let at = match delivery.state {
                DeliveryState::Aside(at) => at,
                _ => delivery.since,
            };
            let first = due.entry(delivery.receiver()).or_insert((at, position));
            first.0 = first.0.min(at);
        }
        let mut due: Vec<_> = due
            .into_iter()
            .filter(|(receiver, _)| state.may_claim(receiver, None, now))
            .collect();
        due.sort_by_key(|(_, first)| *first);
        Ok(due.into_iter().take(limit as usize).map(|(receiver, _)| receiver).collect())
    }

    async fn claim_receiver(&self, receiver: &Receiver, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<Option<u32>> {
        let mut state = self.state();
        if !state.clients.contains_key(&receiver.client) || !state.may_claim(receiver, Some(holder), now) {
            return Ok(None);
        }
        let kept = state.receivers.entry(receiver.clone()).or_insert(KeptReceiver {
            pause: Pause { failures: 0, until: now },
            claim: None,
        });
        kept.claim = Some((holder, until));
        Ok(Some(kept.pause.failures))
    }

    async fn release_receiver(&self, receiver: &Receiver, holder: Uuid) -> Result<()> {
        if let Some(kept) = self.state().receivers.get_mut(receiver) {
            kept.claim = kept.claim.filter(|(by, _)| *by != holder);
        }
        Ok(())
    }

    async fn next_delivery(&self, receiver: &Receiver, now: Timestamp) -> Result<Option<Delivery>> {
        let state = self.state();
        let due = state
            .deliveries
            .iter()
            .filter(|one| one.receiver() == *receiver && is_due(one, now));
        Ok(due.min_by_key(|one| one.state != DeliveryState::Queued).cloned())
    }

    async fn put_try(&self, delivery: &Delivery, holder: Uuid, pause: Option<Pause>) -> Result<()> {
        let mut state = self.state();
        let kept = state.deliveries.iter_mut().find(|kept| kept.id == delivery.id);
        if let Some(kept) = kept.filter(|kept| closed_at(kept).is_none()) {
            *kept = delivery.clone();
        }
        let receiver = state.receivers.get_mut(&delivery.receiver());
        if let (Some(receiver), Some(pause)) = (receiver.filter(|kept| kept.claim.is_some_and(|(by, _)| by == holder)), pause) {
            receiver.pause = pause;
        }
        Ok(())
    }

    async fn give_up(&self, receiver: &Receiver, before: Timestamp, now: Timestamp, error: &str, most: u32) -> Result<u64> {
        let (mut state, mut room) = (self.state(), Room(most));
        let waiting = state.deliveries.iter_mut().filter(|one| one.receiver() == *receiver);
        for delivery in waiting.filter(|one| room.takes(closed_at(one).is_none() && one.since <= before)) {
            delivery.state = DeliveryState::Dead(now);
            delivery.last_error = Some(error.to_owned());
        }
        Ok(u64::from(most - room.0))
    }

    async fn is_untold(&self, session: &SessionId) -> Result<bool> {
        let state = self.state();
        let mut about = state
            .deliveries
            .iter()
            .filter(|one| one.event.session.as_ref() == Some(session));
        Ok(about.any(|one| closed_at(one).is_none() && one.attempts == 0))
    }

    async fn deliveries(&self, which: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>> {
        let state = self.state();
        let is_shown = |one: &&Delivery| match one.state {
            DeliveryState::Dead(_) => is_meant(one, which),
            DeliveryState::Queued | DeliveryState::Aside(_) => !which.dead && is_meant(one, which),
            DeliveryState::Arrived(_) => false,
        };
        Ok(state
            .deliveries
            .iter()
            .filter(is_shown)
            .take(limit as usize)
            .cloned()
            .collect())
    }

    async fn backlog(&self) -> Result<Backlog> {
        let state = self.state();
        let waiting: Vec<_> = state.events.iter().filter(|kept| !kept.expanded).collect();
        let open: Vec<_> = state.deliveries.iter().filter(|one| closed_at(one).is_none()).collect();
        let is_dead = |one: &&Delivery| matches!(one.state, DeliveryState::Dead(_));
        let times = waiting.iter().map(|kept| kept.event.at_ms);
        Ok(Backlog {
            events: waiting.len() as u64,
            deliveries: open.len() as u64,
            dead_letters: state.deliveries.iter().filter(is_dead).count() as u64,
            oldest_at_ms: times.chain(open.iter().map(|one| one.event.at_ms)).min(),
        })
    }

    async fn replay(&self, which: &DeliveryFilter, now: Timestamp, most: u32) -> Result<u64> {
        let (mut state, mut room) = (self.state(), Room(most));
        let mut receivers = Vec::new();
        for delivery in state.deliveries.iter_mut().filter(|one| is_meant(one, which)) {
            let returns = match delivery.state {
                DeliveryState::Dead(_) => true,
                DeliveryState::Aside(_) => !which.dead,
                DeliveryState::Queued | DeliveryState::Arrived(_) => false,
            };
            if room.takes(returns) {
                (delivery.state, delivery.since, delivery.refusals) = (DeliveryState::Queued, now, 0);
            }
            if closed_at(delivery).is_none() {
                receivers.push(delivery.receiver());
            }
        }
        for receiver in receivers {
            if let Some(kept) = state.receivers.get_mut(&receiver) {
                kept.pause = Pause { failures: 0, until: now };
            }
        }
        Ok(u64::from(most - room.0))
    }

    async fn drop_delivery(&self, id: DeliveryId) -> Result<bool> {
        let mut state = self.state();
        let count = state.deliveries.len();
        state
            .deliveries
            .retain(|one| one.id != id || matches!(one.state, DeliveryState::Arrived(_)));
        Ok(state.deliveries.len() < count)
    }
}
