//! The outbox: events and their deliveries. Each receiver (a client, on one channel) has one line, which one worker at a time serves.

use super::{Backlog, Result};
use crate::event::{Delivery, Event, Receiver};
use crate::ids::{ClientId, DeliveryId, EventId, SessionId};
use async_trait::async_trait;
use gait_sdk::Timestamp;
use uuid::Uuid;

/// How patient we are with a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// How often in a row it could not be reached, or was too busy to answer.
    pub failures: u32,
    /// Nothing is sent to it before.
    pub until: Timestamp,
}

/// Which deliveries an operator means. What arrived is never meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// This one only.
    pub id: Option<DeliveryId>,
    /// Those to this client only.
    pub client: Option<ClientId>,
    /// Dead letters only.
    pub dead: bool,
}

/// Most events that are expanded at once.
pub const EXPANDED: u32 = 32;

/// The outbox.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Events not yet expanded into deliveries, oldest first; those that were written after the event `after` (`None`: all).
    async fn unexpanded_events(&self, after: Option<EventId>, limit: u32) -> Result<Vec<Event>>;
    /// Marks up to [`EXPANDED`] events as expanded and stores their deliveries, all or nothing; returns those that were not expanded
    /// before, and leaves the others as they are.
    async fn expand_events(&self, expanded: &[(EventId, Vec<Delivery>)]) -> Result<Vec<EventId>>;

    /// Receivers that have a delivery which is due, that are not paused, and that nobody has claimed; the most overdue first.
    async fn due_receivers(&self, now: Timestamp, limit: u32) -> Result<Vec<Receiver>>;
    /// Claims a receiver for `holder` until `until`, or prolongs the claim; returns how often it failed in a row. `None` if another
    /// holds it, if it is paused, or if its client is gone.
    async fn claim_receiver(&self, receiver: &Receiver, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<Option<u32>>;
    /// Gives a claim up.
    async fn release_receiver(&self, receiver: &Receiver, holder: Uuid) -> Result<()>;
    /// What a receiver is told next: the head of its line, or, if that is empty, what was set aside and is due.
    async fn next_delivery(&self, receiver: &Receiver, now: Timestamp) -> Result<Option<Delivery>>;
    /// Stores a delivery as it is after a try, if it was open, and, if `holder` still has the claim, how patient we are with its
    /// receiver (`None`: as before).
    async fn put_try(&self, delivery: &Delivery, holder: Uuid, pause: Option<Pause>) -> Result<()>;
    /// Makes dead letters of at most `most` deliveries that have waited for a receiver since `before` or longer; returns of how many.
    /// If they are fewer, nothing is left.
    async fn give_up(&self, receiver: &Receiver, before: Timestamp, now: Timestamp, error: &str, most: u32) -> Result<u64>;
    /// True if something about a session has not been tried for the first time.
    async fn is_untold(&self, session: &SessionId) -> Result<bool>;

    /// Open deliveries and dead letters, oldest first.
    async fn deliveries(&self, which: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>>;
    /// What waits.
    async fn backlog(&self) -> Result<Backlog>;
    /// Puts at most `most` dead letters, or what was set aside, back into their places in their lines, and ends their receivers'
    /// pauses; returns how many. If they are fewer, nothing is left.
    async fn replay(&self, which: &DeliveryFilter, now: Timestamp, most: u32) -> Result<u64>;
    /// Deletes a delivery that has not arrived; false if there is none.
    async fn drop_delivery(&self, id: DeliveryId) -> Result<bool>;
}
