//! Readiness, keys, leases, settings, and what is noted.

use super::row::{all, one};
use super::statement::{delete_all, delete_some};
use super::{Database, change, key, open, outbox, transact};
use async_trait::async_trait;
use gait_core::event::Event;
use gait_core::ids::{AccountId, EventId};
use gait_core::store::{OperationStore, Result, StoreError, StoredKey};
use gait_sdk::Timestamp;

#[async_trait]
impl OperationStore for Database {
    async fn ping(&self) -> Result<()> {
        const PING: &str = "SELECT COUNT(*) FROM setting";
        self.read().await?.sql(PING).fetch_optional().await?;
        self.write().await?.sql(PING).fetch_optional().await?;
        Ok(())
    }

    async fn check_schema(&self) -> Result<()> {
        let row = self
            .read()
            .await?
            .sql("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success = TRUE")
            .fetch_optional()
            .await?;
        let found: i64 = one(row, |columns| columns.number())?.unwrap_or_default();
        match open::known() {
            known if found < known => Err(StoreError::Damaged(format!("schema {found}, and this Gait needs {known}"))),
            _ => Ok(()),
        }
    }

    async fn keys(&self) -> Result<Vec<StoredKey>> {
        key::all_keys(&mut self.read().await?.connection()).await
    }

    async fn add_key(&self, new: &StoredKey, retire_at: Timestamp, only_first: bool) -> Result<bool> {
        transact!(self, Adds, |db| {
            key::hold_ring(db).await?;
            if only_first && key::has_any(db, new.alg).await? {
                return Ok(false);
            }
            key::retire(db, new.alg, retire_at).await?;
            key::add(db, new).await?;
            Ok(true)
        })
    }

    async fn purge_keys(&self, now: Timestamp) -> Result<u64> {
        let done = change!(self, Adds, |db| db
            .sql("DELETE FROM signing_key WHERE retire_at <= $1")
            .bind(now.0)
            .execute()
            .await)?;
        Ok(done)
    }

    async fn lease(&self, name: &str, holder: &str, now: Timestamp, ttl_s: u32) -> Result<bool> {
        let done = self
            .write_lease()
            .await?
            .sql(
                "INSERT INTO lease (name, holder, held_until) VALUES ($1, $2, $4) ON CONFLICT (name) DO UPDATE \
                 SET holder = excluded.holder, held_until = excluded.held_until WHERE lease.holder = excluded.holder \
                 OR lease.held_until <= $3",
            )
            .bind(name)
            .bind(holder)
            .bind(now.0)
            .bind(now.plus(i64::from(ttl_s)).0)
            .execute()
            .await?;
        Ok(done > 0)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<()> {
        self.write_lease()
            .await?
            .sql("DELETE FROM lease WHERE name = $1 AND holder = $2")
            .bind(name)
            .bind(holder)
            .execute()
            .await?;
        Ok(())
    }

    async fn setting(&self, name: &str) -> Result<Option<String>> {
        let row = self
            .read()
            .await?
            .sql("SELECT value FROM setting WHERE name = $1")
            .bind(name)
            .fetch_optional()
            .await?;
        one(row, |columns| columns.get())
    }

    async fn set_once(&self, name: &str, value: &str) -> Result<String> {
        change!(self, Adds, |db| db
            .sql("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(value)
            .execute()
            .await)?;
        // Nothing changes or deletes a setting, so what is there now is what was there then.
        let stored = self.setting(name).await?;
        stored.ok_or_else(|| StoreError::Damaged(format!("setting {name} is gone")))
    }

    async fn note(&self, event: &Event) -> Result<()> {
        transact!(self, Adds, |db| outbox::note(db, std::slice::from_ref(event)).await)
    }

    /// Ids are UUIDs of version 7: their order is that of time, in milliseconds, in their first six bytes.
    async fn purge_events(&self, before: Timestamp, most: u32) -> Result<u64> {
        const TOLD: [&str; 1] = [delete_some!(
            "event",
            "id",
            "id < $1 AND expanded = TRUE AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = event.id)"
        )];
        let mut first = [0; 16];
        let before_ms = u64::try_from(before.0).unwrap_or(0).saturating_mul(1000);
        first[..6].copy_from_slice(&before_ms.to_be_bytes()[2..]);
        change!(self, Adds, |db| delete_all(db, &TOLD, first.as_slice(), most).await)
    }

    async fn unshipped_events(&self, limit: u32) -> Result<Vec<Event>> {
        let rows = self
            .read()
            .await?
            .sql("SELECT body FROM event WHERE shipped = FALSE ORDER BY seq LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        all(rows, |columns| columns.json())
    }

    async fn events_shipped(&self, events: &[EventId]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        transact!(self, Adds, |db| {
            for event in events {
                db.sql("UPDATE event SET shipped = TRUE WHERE id = $1")
                    .bind(event.0.as_bytes().as_slice())
                    .execute()
                    .await?;
            }
            Ok(())
        })
    }

    async fn events_of(&self, account: AccountId, limit: u32) -> Result<Vec<Event>> {
        let rows = self
            .read()
            .await?
            .sql("SELECT body FROM event WHERE account = $1 ORDER BY seq DESC LIMIT $2")
            .bind(account.0.as_bytes().as_slice())
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        all(rows, |columns| columns.json())
    }
}
