//! Behaviour: consent, records, models.

use super::row::{Columns, all, fail, one, or_taken, word};
use super::{Sqlite, commit, outbox};
use async_trait::async_trait;
use gait_core::account::BehaviourConsent;
use gait_core::event::Event;
use gait_core::ids::{AccountId, SessionId};
use gait_core::seal::Sealed;
use gait_core::store::{BehaviourStore, Result, StoreError, StoredModel, StoredRecord};
use gait_sdk::{Label, PluginId, RecordId, Timestamp};
use sqlx::SqliteConnection;

fn read_consent(columns: &mut Columns<'_>) -> Result<BehaviourConsent> {
    Ok(BehaviourConsent {
        account: AccountId(columns.uuid()?),
        purpose: columns.get()?,
        text_version: columns.get()?,
        at: columns.time()?,
        withdrawn_at: columns.time_opt()?,
    })
}

fn read_record(columns: &mut Columns<'_>) -> Result<StoredRecord> {
    Ok(StoredRecord {
        id: columns.word()?,
        account: AccountId(columns.uuid()?),
        plugin: columns.word()?,
        session: columns.word()?,
        label: columns.word()?,
        at: columns.time()?,
        payload: Sealed(columns.get()?),
        settled: columns.get()?,
    })
}

fn read_model(columns: &mut Columns<'_>) -> Result<StoredModel> {
    Ok(StoredModel {
        account: AccountId(columns.uuid()?),
        plugin: columns.word()?,
        blob: Sealed(columns.get()?),
        samples: columns.number()?,
        enrolled: columns.get()?,
        trained_at_ms: columns.get()?,
    })
}

/// Erases models and records within a transaction.
async fn erase(db: &mut SqliteConnection, account: AccountId) -> Result<()> {
    for sql in [
        "DELETE FROM record WHERE account = $1",
        "DELETE FROM model WHERE account = $1",
    ] {
        sqlx::query(sql)
            .bind(account.0.as_bytes().as_slice())
            .execute(&mut *db)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

async fn settle(db: &mut SqliteConnection, settled: &[RecordId]) -> Result<()> {
    for id in settled {
        sqlx::query("UPDATE record SET settled = TRUE WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *db)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

/// Within a transaction: consent is in force.
async fn has_consent(db: &mut SqliteConnection, account: AccountId) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM behaviour_consent WHERE account = $1 AND withdrawn_at IS NULL")
        .bind(account.0.as_bytes().as_slice())
        .fetch_optional(db)
        .await
        .map_err(fail)?;
    Ok(row.is_some())
}

/// Stores a model within a transaction in place of the one that was trained at `replaces`; false if it is another now.
async fn replace_model(db: &mut SqliteConnection, model: &StoredModel, replaces: Option<i64>) -> Result<bool> {
    const FIRST: &str = "INSERT INTO model (account, plugin, blob, samples, enrolled, trained_at_ms) \
                         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, plugin) DO NOTHING";
    const NEXT: &str = "UPDATE model SET blob = $3, samples = $4, enrolled = $5, trained_at_ms = $6 \
                        WHERE account = $1 AND plugin = $2 AND trained_at_ms = $7";
    let query = sqlx::query(if replaces.is_none() { FIRST } else { NEXT })
        .bind(model.account.0.as_bytes().as_slice())
        .bind(model.plugin.as_str())
        .bind(model.blob.0.as_slice())
        .bind(i64::from(model.samples))
        .bind(model.enrolled)
        .bind(model.trained_at_ms);
    let query = match replaces {
        None => query,
        Some(trained_at_ms) => query.bind(trained_at_ms),
    };
    let done = query.execute(db).await.map_err(fail)?;
    Ok(done.rows_affected() > 0)
}

#[async_trait]
impl BehaviourStore for Sqlite {
    async fn behaviour_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        let row = sqlx::query(
            "SELECT account, purpose, text_version, given_at, withdrawn_at FROM behaviour_consent \
             WHERE account = $1 AND withdrawn_at IS NULL",
        )
        .bind(account.0.as_bytes().as_slice())
        .fetch_optional(&self.reader)
        .await
        .map_err(fail)?;
        one(row, read_consent)
    }

    async fn behaviour_consents(&self, account: AccountId) -> Result<Vec<BehaviourConsent>> {
        let rows = sqlx::query(
            "SELECT account, purpose, text_version, given_at, withdrawn_at FROM behaviour_consent WHERE account = $1 ORDER BY seq",
        )
        .bind(account.0.as_bytes().as_slice())
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        all(rows, read_consent)
    }

    async fn give_consent(&self, consent: &BehaviourConsent, events: &[Event]) -> Result<()> {
        let mut db = self.begin().await?;
        if has_consent(&mut db, consent.account).await? {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO behaviour_consent (account, purpose, text_version, given_at, withdrawn_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(consent.account.0.as_bytes().as_slice())
        .bind(consent.purpose.as_str())
        .bind(consent.text_version.as_str())
        .bind(consent.at.0)
        .bind(consent.withdrawn_at.map(|at| at.0))
        .execute(&mut *db)
        .await
        .map_err(fail)?;
        outbox::note(&mut db, events).await?;
        commit(db).await
    }

    async fn withdraw_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut db = self.begin().await?;
        erase(&mut db, account).await?;
        let done = sqlx::query("UPDATE behaviour_consent SET withdrawn_at = $2 WHERE account = $1 AND withdrawn_at IS NULL")
            .bind(account.0.as_bytes().as_slice())
            .bind(at.0)
            .execute(&mut *db)
            .await
            .map_err(fail)?;
        if done.rows_affected() > 0 {
            outbox::note(&mut db, events).await?;
        }
        commit(db).await
    }

    async fn erase_behaviour(&self, account: AccountId, events: &[Event]) -> Result<()> {
        let mut db = self.begin().await?;
        erase(&mut db, account).await?;
        outbox::note(&mut db, events).await?;
        commit(db).await
    }

    async fn keep_record(&self, record: &StoredRecord) -> Result<bool> {
        let mut db = self.begin().await?;
        if !has_consent(&mut db, record.account).await? {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO record (id, account, plugin, session, label, taken_at, payload, settled) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(record.id.as_str())
        .bind(record.account.0.as_bytes().as_slice())
        .bind(record.plugin.as_str())
        .bind(record.session.as_str())
        .bind(word(&record.label)?)
        .bind(record.at.0)
        .bind(record.payload.0.as_slice())
        .bind(record.settled)
        .execute(&mut *db)
        .await
        .map_err(or_taken("record"))?;
        commit(db).await?;
        Ok(true)
    }

    async fn label_records(&self, session: &SessionId, label: Label) -> Result<()> {
        sqlx::query("UPDATE record SET label = $2 WHERE session = $1 AND settled = FALSE")
            .bind(session.as_str())
            .bind(word(&label)?)
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(())
    }

    async fn unsettled_records(&self, account: AccountId, plugin: &PluginId, limit: u32) -> Result<Vec<StoredRecord>> {
        let rows = sqlx::query(
            "SELECT id, account, plugin, session, label, taken_at, payload, settled FROM record \
             WHERE plugin = $1 AND account = $2 AND settled = FALSE ORDER BY taken_at, id LIMIT $3",
        )
        .bind(plugin.as_str())
        .bind(account.0.as_bytes().as_slice())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        all(rows, read_record)
    }

    async fn count_unsettled(&self, account: AccountId, plugin: &PluginId) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM record WHERE plugin = $1 AND account = $2 AND settled = FALSE")
            .bind(plugin.as_str())
            .bind(account.0.as_bytes().as_slice())
            .fetch_one(&self.reader)
            .await
            .map_err(fail)?;
        Ok(count.unsigned_abs())
    }

    /// The most recently active come first, so that accounts with too few records to learn from can't starve the others.
    async fn accounts_to_train(&self, plugin: &PluginId, limit: u32) -> Result<Vec<AccountId>> {
        let rows = sqlx::query(
            "SELECT account FROM record WHERE plugin = $1 AND settled = FALSE \
             GROUP BY account ORDER BY MAX(taken_at) DESC, account LIMIT $2",
        )
        .bind(plugin.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        all(rows, |columns| Ok(AccountId(columns.uuid()?)))
    }

    async fn put_model(&self, model: &StoredModel, replaces: Option<i64>, settled: &[RecordId]) -> Result<bool> {
        let mut db = self.begin().await?;
        if !has_consent(&mut db, model.account).await? {
            return Ok(false);
        }
        if !replace_model(&mut db, model, replaces).await? {
            return Err(StoreError::Stale("model"));
        }
        settle(&mut db, settled).await?;
        commit(db).await?;
        Ok(true)
    }

    async fn settle_records(&self, settled: &[RecordId]) -> Result<()> {
        let mut db = self.begin().await?;
        settle(&mut db, settled).await?;
        commit(db).await
    }

    async fn model(&self, account: AccountId, plugin: &PluginId) -> Result<Option<StoredModel>> {
        let row = sqlx::query(
            "SELECT account, plugin, blob, samples, enrolled, trained_at_ms FROM model WHERE account = $1 AND plugin = $2",
        )
        .bind(account.0.as_bytes().as_slice())
        .bind(plugin.as_str())
        .fetch_optional(&self.reader)
        .await
        .map_err(fail)?;
        one(row, read_model)
    }

    async fn purge_records(&self, before: Timestamp) -> Result<u64> {
        let done = sqlx::query("DELETE FROM record WHERE settled = TRUE OR taken_at < $1")
            .bind(before.0)
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(done.rows_affected())
    }
}
