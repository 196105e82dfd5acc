//! Events and their deliveries.

use super::Connection;
use super::row::{Columns, all, json, one, or_taken, word};
use super::statement::locking;
use gait_core::event::{Delivery, Event};
use gait_core::ids::{DeliveryId, EventId, SessionId};
use gait_core::store::{Backlog, Result};
use gait_sdk::Timestamp;

/// Writes events within the transaction that made them true.
pub(super) async fn note(db: &mut Connection<'_>, events: &[Event]) -> Result<()> {
    for event in events {
        db.sql("INSERT INTO event (id, account, body, expanded) VALUES ($1, $2, $3, FALSE)")
            .bind(event.id.0.as_bytes().as_slice())
            .bind(event.account.as_ref().map(|id| id.0.as_bytes().as_slice()))
            .bind(json(event)?)
            .execute()
            .await
            .map_err(or_taken("event"))?;
    }
    Ok(())
}

/// Marks an event as expanded within a transaction; false if it was, or isn't there.
pub(super) async fn expand(db: &mut Connection<'_>, event: EventId) -> Result<bool> {
    let done = db
        .sql("UPDATE event SET expanded = TRUE WHERE id = $1 AND expanded = FALSE")
        .bind(event.0.as_bytes().as_slice())
        .execute()
        .await?;
    Ok(done > 0)
}

/// Stores a delivery within a transaction. One to a client that was removed meanwhile is dropped: it must not hold the others up.
pub(super) async fn add(db: &mut Connection<'_>, event: EventId, delivery: &Delivery) -> Result<()> {
    db.sql(locking!(
        "INSERT INTO delivery (id, client, channel, event, attempts, next_at, session, dead) SELECT $1, c.id, $3, $4, $5, \
         $6, $7, FALSE FROM client c WHERE c.id = $2",
        "FOR KEY SHARE"
    ))
    .bind(delivery.id.0.as_bytes().as_slice())
    .bind(delivery.client.as_str())
    .bind(word(&delivery.channel)?)
    .bind(event.0.as_bytes().as_slice())
    .bind(i64::from(delivery.attempts))
    .bind(delivery.next_at.0)
    .bind(delivery.event.session.as_ref().map(SessionId::as_str))
    .execute()
    .await
    .map_err(or_taken("delivery"))?;
    Ok(())
}

fn read(columns: &mut Columns<'_>) -> Result<Delivery> {
    Ok(Delivery {
        id: DeliveryId(columns.uuid()?),
        client: columns.word()?,
        channel: columns.word()?,
        attempts: columns.number()?,
        next_at: columns.time()?,
        event: columns.json()?,
    })
}

/// Claims within a transaction. Of what a receiver is told about one session, only the
/// oldest open delivery is handed out, so none overtakes another; one that can't be delivered holds no other session back.
pub(super) async fn claim(db: &mut Connection<'_>, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Delivery>> {
    let rows = db
        .sql(locking!(
            "SELECT d.id, d.client, d.channel, d.attempts, d.next_at, e.body FROM delivery d JOIN event e ON e.id = d.event \
             WHERE d.seq IN (SELECT MIN(o.seq) FROM delivery o WHERE o.closed_at IS NULL \
             GROUP BY o.client, o.channel, o.session) AND d.next_at <= $1 AND (d.leased_until IS NULL \
             OR d.leased_until <= $1) ORDER BY d.next_at, d.seq LIMIT $2",
            "FOR NO KEY UPDATE OF d SKIP LOCKED"
        ))
        .bind(now.0)
        .bind(i64::from(limit))
        .fetch_all()
        .await?;
    let claimed = all(rows, read)?;
    for delivery in &claimed {
        db.sql("UPDATE delivery SET leased_until = $2 WHERE id = $1")
            .bind(delivery.id.0.as_bytes().as_slice())
            .bind(until.0)
            .execute()
            .await?;
    }
    Ok(claimed)
}

/// What waits.
pub(super) async fn backlog(db: &mut Connection<'_>) -> Result<Backlog> {
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

async fn count(db: &mut Connection<'_>, sql: &'static str) -> Result<u64> {
    let row = db.sql(sql).fetch_optional().await?;
    Ok(one(row, |columns| columns.number())?.unwrap_or(0))
}
