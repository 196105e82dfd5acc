//! The outbox: events, their deliveries, and the receivers that these are for.

use super::row::{Columns, all, json, one, or_taken, word};
use super::statement::{Statement, Text, locking};
use super::{Connection, Database, change, transact};
use async_trait::async_trait;
use gait_core::event::{Delivery, DeliveryState, Event, Receiver};
use gait_core::ids::{ClientId, DeliveryId, EventId, SessionId};
use gait_core::store::{Backlog, DeliveryFilter, EXPANDED, OutboxStore, Pause, Result};
use gait_sdk::Timestamp;
use uuid::Uuid;

/// Begins to store what [`bind`] binds of an event, and that it isn't expanded.
macro_rules! into {
    () => {
        "INSERT INTO event (id, account, body, expanded)"
    };
}
pub(super) use into;

pub(super) fn bind<'c>(statement: Statement<'c>, event: &Event) -> Result<Statement<'c>> {
    Ok(statement
        .bind(event.id.0.as_bytes().as_slice())
        .bind(event.account.as_ref().map(|id| id.0.as_bytes().as_slice()))
        .bind(json(event)?))
}

/// Writes events within the transaction that made them true.
pub(super) async fn note(db: &mut Connection<'_>, events: &[Event]) -> Result<()> {
    for event in events {
        let note = db.sql(concat!(into!(), " VALUES ($1, $2, $3, FALSE)"));
        bind(note, event)?.execute().await.map_err(or_taken("event"))?;
    }
    Ok(())
}

macro_rules! expand {
    ($lock:literal) => {
        concat!(
            "UPDATE event SET expanded = TRUE WHERE id IN (SELECT id FROM event WHERE expanded = FALSE AND id IN ($1, $2, $3, $4, $5, \
             $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, \
             $30, $31, $32) ORDER BY seq",
            $lock,
            ") RETURNING id"
        )
    };
}

/// For [`EXPANDED`] events.
const EXPAND: Text = Text {
    sqlite: expand!(""),
    postgres: expand!(" FOR NO KEY UPDATE"),
};

/// Marks events as expanded within a transaction; those that were not, and are there.
async fn expand(db: &mut Connection<'_>, events: &[EventId]) -> Result<Vec<EventId>> {
    // Once more the last, for what is left of the parameters.
    let Some(last) = events.last() else { return Ok(Vec::new()) };
    let mut mark = db.sql(EXPAND);
    for event in events.iter().chain(std::iter::repeat(last)).take(EXPANDED as usize) {
        mark = mark.bind(event.0.as_bytes().as_slice());
    }
    all(mark.fetch_all().await?, |columns| Ok(EventId(columns.uuid()?)))
}

/// Stores a delivery within a transaction. One to a client that was removed meanwhile is dropped: it must not hold the others up.
async fn add(db: &mut Connection<'_>, event: EventId, delivery: &Delivery) -> Result<()> {
    db.sql(locking!(
        "INSERT INTO delivery (id, client, channel, event, attempts, next_at, since, session, dead) SELECT $1, c.id, $3, $4, $5, \
         $6, $6, $7, FALSE FROM client c WHERE c.id = $2",
        "FOR KEY SHARE"
    ))
    .bind(delivery.id.0.as_bytes().as_slice())
    .bind(delivery.client.as_str())
    .bind(word(&delivery.channel)?)
    .bind(event.0.as_bytes().as_slice())
    .bind(i64::from(delivery.attempts))
    .bind(delivery.since.0)
    .bind(delivery.event.session.as_ref().map(SessionId::as_str))
    .execute()
    .await
    .map_err(or_taken("delivery"))?;
    Ok(())
}

/// A query of deliveries `d`, in the order that [`read`] reads.
macro_rules! deliveries {
    ($where:literal) => {
        concat!(
            "SELECT d.id, d.client, d.channel, e.body, d.aside, d.dead, d.closed_at, d.next_at, d.since, d.attempts, d.refusals, \
             d.last_error FROM delivery d JOIN event e ON e.id = d.event WHERE ",
            $where
        )
    };
}

fn read(columns: &mut Columns<'_>) -> Result<Delivery> {
    let (id, client, channel) = (DeliveryId(columns.uuid()?), columns.word()?, columns.word()?);
    let event: Event = columns.json()?;
    let (is_aside, is_dead): (bool, bool) = (columns.get()?, columns.get()?);
    let (closed_at, next_at) = (columns.time_opt()?, columns.time()?);
    let state = match closed_at {
        Some(at) if is_dead => DeliveryState::Dead(at),
        Some(at) => DeliveryState::Arrived(at),
        None if is_aside => DeliveryState::Aside(next_at),
        None => DeliveryState::Queued,
    };
    let since = columns.time_opt()?;
    Ok(Delivery {
        id,
        client,
        channel,
        state,
        // One of before this column was.
        since: since.unwrap_or(event.at()),
        event,
        attempts: columns.number()?,
        refusals: columns.number()?,
        last_error: columns.get()?,
    })
}

/// Stores what a try changed, within a transaction.
async fn put(db: &mut Connection<'_>, delivery: &Delivery) -> Result<()> {
    let (is_aside, next_at, closed_at, is_dead) = match delivery.state {
        DeliveryState::Queued => (false, delivery.since, None, false),
        DeliveryState::Aside(at) => (true, at, None, false),
        DeliveryState::Arrived(at) => (false, delivery.since, Some(at), false),
        DeliveryState::Dead(at) => (false, delivery.since, Some(at), true),
    };
    db.sql(
        "UPDATE delivery SET attempts = $2, refusals = $3, last_error = $4, aside = $5, next_at = $6, closed_at = $7, dead = $8 \
         WHERE id = $1 AND closed_at IS NULL",
    )
    .bind(delivery.id.0.as_bytes().as_slice())
    .bind(i64::from(delivery.attempts))
    .bind(i64::from(delivery.refusals))
    .bind(delivery.last_error.as_deref())
    .bind(is_aside)
    .bind(next_at.0)
    .bind(closed_at.map(|at| at.0))
    .bind(is_dead)
    .execute()
    .await?;
    Ok(())
}

/// Sets how patient we are with a receiver, within a transaction, if `holder` still has it.
async fn pause(db: &mut Connection<'_>, of: &Delivery, holder: Uuid, pause: Pause) -> Result<()> {
    db.sql("UPDATE receiver SET failures = $4, next_at = $5 WHERE client = $1 AND channel = $2 AND holder = $3")
        .bind(of.client.as_str())
        .bind(word(&of.channel)?)
        .bind(holder.as_bytes().as_slice())
        .bind(i64::from(pause.failures))
        .bind(pause.until.0)
        .execute()
        .await?;
    Ok(())
}

/// Puts at most `most` deliveries back into their lines, within a transaction; how many.
async fn replay(db: &mut Connection<'_>, which: &DeliveryFilter, now: Timestamp, most: u32) -> Result<u64> {
    let (id, client) = (which.id.as_ref().map(|id| id.0.as_bytes().as_slice()), which.client.as_ref());
    let done = db
        .sql(
            "UPDATE delivery SET dead = FALSE, closed_at = NULL, aside = FALSE, refusals = 0, next_at = $4, since = $4 \
             WHERE id IN (SELECT id FROM delivery WHERE (dead = TRUE OR (closed_at IS NULL AND aside = TRUE AND $3 = FALSE)) \
             AND (id = $1 OR $1 IS NULL) AND (client = $2 OR $2 IS NULL) ORDER BY seq LIMIT $5) \
             AND (dead = TRUE OR (closed_at IS NULL AND aside = TRUE))",
        )
        .bind(id)
        .bind(client.map(ClientId::as_str))
        .bind(which.dead)
        .bind(now.0)
        .bind(i64::from(most))
        .execute()
        .await?;
    db.sql(
        "UPDATE receiver SET failures = 0, next_at = $3 WHERE EXISTS (SELECT 1 FROM delivery d WHERE d.client = receiver.client \
         AND d.channel = receiver.channel AND d.closed_at IS NULL AND (d.id = $1 OR $1 IS NULL) AND (d.client = $2 OR $2 IS NULL))",
    )
    .bind(id)
    .bind(client.map(ClientId::as_str))
    .bind(now.0)
    .execute()
    .await?;
    Ok(done)
}

#[async_trait]
impl OutboxStore for Database {
    async fn unexpanded_events(&self, after: Option<EventId>, limit: u32) -> Result<Vec<Event>> {
        let rows = self
            .read()
            .await?
            .sql(
                "SELECT body FROM event WHERE expanded = FALSE AND seq > COALESCE((SELECT seq FROM event WHERE id = $1), 0) \
                 ORDER BY seq LIMIT $2",
            )
            .bind(after.as_ref().map(|id| id.0.as_bytes().as_slice()))
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        all(rows, |columns| columns.json())
    }

    async fn expand_events(&self, expanded: &[(EventId, Vec<Delivery>)]) -> Result<Vec<EventId>> {
        let ids: Vec<EventId> = expanded.iter().map(|(event, _)| *event).collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        transact!(self, Adds, |db| {
            let ours = expand(db, &ids).await?;
            for (event, deliveries) in expanded.iter().filter(|(event, _)| ours.contains(event)) {
                for delivery in deliveries {
                    add(db, *event, delivery).await?;
                }
            }
            Ok(ours)
        })
    }

    /// What stands in a line is due whatever its `next_at` says: only its receiver can be paused.
    async fn due_receivers(&self, now: Timestamp, limit: u32) -> Result<Vec<Receiver>> {
        let rows = self
            .read()
            .await?
            .sql(
                "SELECT d.client, d.channel FROM delivery d LEFT JOIN receiver r ON r.client = d.client AND r.channel = d.channel \
                 WHERE d.closed_at IS NULL AND (d.aside = FALSE OR d.next_at <= $1) AND (r.next_at IS NULL OR r.next_at <= $1) \
                 AND (r.holder IS NULL OR r.held_until <= $1) GROUP BY d.client, d.channel \
                 ORDER BY MIN(d.next_at), MIN(d.seq) LIMIT $2",
            )
            .bind(now.0)
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        all(rows, |columns| {
            Ok(Receiver {
                client: columns.word()?,
                channel: columns.word()?,
            })
        })
    }

    async fn claim_receiver(&self, receiver: &Receiver, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<Option<u32>> {
        let row = change!(self, Notes, |db| db
            .sql(
                "INSERT INTO receiver (client, channel, failures, next_at, holder, held_until) \
                 SELECT c.id, $2, 0, $4, $3, $5 FROM client c WHERE c.id = $1 \
                 ON CONFLICT (client, channel) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until \
                 WHERE receiver.next_at <= excluded.next_at AND (receiver.holder IS NULL OR receiver.holder = excluded.holder \
                 OR receiver.held_until <= excluded.next_at) RETURNING failures",
            )
            .bind(receiver.client.as_str())
            .bind(word(&receiver.channel)?)
            .bind(holder.as_bytes().as_slice())
            .bind(now.0)
            .bind(until.0)
            .fetch_optional()
            .await)?;
        one(row, |columns| columns.number())
    }

    async fn release_receiver(&self, receiver: &Receiver, holder: Uuid) -> Result<()> {
        change!(self, Notes, |db| db
            .sql("UPDATE receiver SET holder = NULL WHERE client = $1 AND channel = $2 AND holder = $3")
            .bind(receiver.client.as_str())
            .bind(word(&receiver.channel)?)
            .bind(holder.as_bytes().as_slice())
            .execute()
            .await)?;
        Ok(())
    }

    async fn next_delivery(&self, receiver: &Receiver, now: Timestamp) -> Result<Option<Delivery>> {
        let row = self
            .read()
            .await?
            .sql(deliveries!(
                "d.client = $1 AND d.channel = $2 AND d.closed_at IS NULL AND (d.aside = FALSE OR d.next_at <= $3) \
                 ORDER BY d.aside, d.seq LIMIT 1"
            ))
            .bind(receiver.client.as_str())
            .bind(word(&receiver.channel)?)
            .bind(now.0)
            .fetch_optional()
            .await?;
        one(row, read)
    }

    async fn put_try(&self, delivery: &Delivery, holder: Uuid, patience: Option<Pause>) -> Result<()> {
        transact!(self, Notes, |db| {
            put(db, delivery).await?;
            if let Some(patience) = patience {
                pause(db, delivery, holder, patience).await?;
            }
            Ok(())
        })
    }

    async fn give_up(&self, receiver: &Receiver, before: Timestamp, now: Timestamp, error: &str, most: u32) -> Result<u64> {
        change!(self, Notes, |db| {
            db
            .sql(
                "UPDATE delivery SET dead = TRUE, aside = FALSE, closed_at = $4, last_error = $5 WHERE id IN (SELECT id \
                 FROM delivery WHERE client = $1 AND channel = $2 AND closed_at IS NULL AND COALESCE(since, next_at) <= $3 LIMIT $6) \
                 AND closed_at IS NULL",
            )
            .bind(receiver.client.as_str())
            .bind(word(&receiver.channel)?)
            .bind(before.0)
            .bind(now.0)
            .bind(error)
            .bind(i64::from(most))
            .execute()
            .await
        })
    }

    async fn is_untold(&self, session: &SessionId) -> Result<bool> {
        let row = self
            .read()
            .await?
            .sql("SELECT id FROM delivery WHERE session = $1 AND closed_at IS NULL AND attempts = 0 LIMIT 1")
            .bind(session.as_str())
            .fetch_optional()
            .await?;
        Ok(row.is_some())
    }

    async fn backlog(&self) -> Result<Backlog> {
        backlog(&mut self.read().await?.connection()).await
    }

    async fn deliveries(&self, which: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>> {
        let rows = self
            .read()
            .await?
            .sql(deliveries!(
                "(d.dead = TRUE OR (d.closed_at IS NULL AND $3 = FALSE)) AND (d.id = $1 OR $1 IS NULL) \
                 AND (d.client = $2 OR $2 IS NULL) ORDER BY d.seq LIMIT $4"
            ))
            .bind(which.id.as_ref().map(|id| id.0.as_bytes().as_slice()))
            .bind(which.client.as_ref().map(ClientId::as_str))
            .bind(which.dead)
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        all(rows, read)
    }

    async fn replay(&self, which: &DeliveryFilter, now: Timestamp, most: u32) -> Result<u64> {
        transact!(self, Adds, |db| replay(db, which, now, most).await)
    }

    async fn drop_delivery(&self, id: DeliveryId) -> Result<bool> {
        let done = change!(self, Adds, |db| db
            .sql("DELETE FROM delivery WHERE id = $1 AND (closed_at IS NULL OR dead = TRUE)")
            .bind(id.0.as_bytes().as_slice())
            .execute()
            .await)?;
        Ok(done > 0)
    }
}

/// What waits.
async fn backlog(db: &mut Connection<'_>) -> Result<Backlog> {
    const EVENT: &str = "SELECT body FROM event WHERE expanded = FALSE ORDER BY seq LIMIT 1";
    const OPEN: &str = "SELECT e.body FROM delivery d JOIN event e ON e.id = d.event WHERE d.closed_at IS NULL \
                        ORDER BY d.seq LIMIT 1";
    let mut oldest = Vec::new();
    for sql in [EVENT, OPEN] {
        let row = db.sql(sql).fetch_optional().await?;
        oldest.extend(one(row, |columns| columns.json::<Event>())?.map(|event| event.at_ms));
    }
    Ok(Backlog {
        events: count(db, "SELECT COUNT(*) FROM event WHERE expanded = FALSE").await?,
        deliveries: count(db, "SELECT COUNT(*) FROM delivery WHERE closed_at IS NULL").await?,
        dead_letters: count(db, "SELECT COUNT(*) FROM delivery WHERE dead = TRUE").await?,
        oldest_at_ms: oldest.into_iter().min(),
    })
}

/// How many rows a query counts.
pub(super) async fn count(db: &mut Connection<'_>, sql: &'static str) -> Result<u64> {
    let row = db.sql(sql).fetch_optional().await?;
    Ok(one(row, |columns| columns.number())?.unwrap_or(0))
}
