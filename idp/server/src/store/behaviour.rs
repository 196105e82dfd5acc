//! Behaviour: consents, and what hangs on them.

use super::row::{Columns, all, fail, one};
use super::{Sqlite, background, commit, model, outbox, record};
use async_trait::async_trait;
use gait_core::account::{BehaviourConsent, PASSWORD_PURPOSE, WATCH_PURPOSE};
use gait_core::event::Event;
use gait_core::ids::{AccountId, SessionId};
use gait_core::store::{BehaviourStore, Result, StoreError, StoredModel, StoredRecord, Whose};
use gait_sdk::{CredentialId, Label, PluginId, RecordId, Timestamp};
use sqlx::{SqliteConnection, SqlitePool};

fn read_consent(columns: &mut Columns<'_>) -> Result<BehaviourConsent> {
    Ok(BehaviourConsent {
        account: AccountId(columns.uuid()?),
        purpose: columns.get()?,
        text_version: columns.get()?,
        at: columns.time()?,
        withdrawn_at: columns.time_opt()?,
    })
}

async fn consent_in_force(reader: &SqlitePool, account: AccountId, purpose: &str) -> Result<Option<BehaviourConsent>> {
    let row = sqlx::query(
        "SELECT account, purpose, text_version, given_at, withdrawn_at FROM behaviour_consent \
         WHERE account = $1 AND purpose = $2 AND withdrawn_at IS NULL",
    )
    .bind(account.0.as_bytes().as_slice())
    .bind(purpose)
    .fetch_optional(reader)
    .await
    .map_err(fail)?;
    one(row, read_consent)
}

/// Within a transaction: a consent is in force.
async fn has_consent(db: &mut SqliteConnection, account: AccountId, purpose: &str) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM behaviour_consent WHERE account = $1 AND purpose = $2 AND withdrawn_at IS NULL")
        .bind(account.0.as_bytes().as_slice())
        .bind(purpose)
        .fetch_optional(db)
        .await
        .map_err(fail)?;
    Ok(row.is_some())
}

/// Within a transaction: the consent that a record or a model takes is in force.
async fn is_consented(db: &mut SqliteConnection, whose: &Whose) -> Result<bool> {
    let purpose = if whose.credential.is_some() {
        PASSWORD_PURPOSE
    } else {
        WATCH_PURPOSE
    };
    has_consent(db, whose.account, purpose).await
}

/// Withdraws a consent within a transaction; true if it was in force.
async fn withdraw(db: &mut SqliteConnection, account: AccountId, purpose: &str, at: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE behaviour_consent SET withdrawn_at = $3 WHERE account = $1 AND purpose = $2 AND withdrawn_at IS NULL",
    )
    .bind(account.0.as_bytes().as_slice())
    .bind(purpose)
    .bind(at.0)
    .execute(db)
    .await
    .map_err(fail)?;
    Ok(done.rows_affected() > 0)
}

/// Erases all models and records within a transaction.
async fn erase(db: &mut SqliteConnection, account: AccountId) -> Result<()> {
    for sql in [
        "DELETE FROM record WHERE account = $1",
        "DELETE FROM credential_model WHERE account = $1",
    ] {
        sqlx::query(sql)
            .bind(account.0.as_bytes().as_slice())
            .execute(&mut *db)
            .await
            .map_err(fail)?;
    }
    let done = sqlx::query("DELETE FROM model WHERE account = $1")
        .bind(account.0.as_bytes().as_slice())
        .execute(&mut *db)
        .await
        .map_err(fail)?;
    if done.rows_affected() > 0 {
        background::outdate(db).await?;
    }
    Ok(())
}

/// Erases within a transaction what was kept and learned of how a credential is typed, or any of the account's.
pub(super) async fn erase_rhythm(db: &mut SqliteConnection, account: AccountId, id: Option<&CredentialId>) -> Result<()> {
    for sql in [
        "DELETE FROM record WHERE account = $1 AND credential IS NOT NULL AND credential = COALESCE($2, credential)",
        "DELETE FROM credential_model WHERE account = $1 AND credential = COALESCE($2, credential)",
    ] {
        sqlx::query(sql)
            .bind(account.0.as_bytes().as_slice())
            .bind(id.map(CredentialId::as_str))
            .execute(&mut *db)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

async fn insert_consent(db: &mut SqliteConnection, consent: &BehaviourConsent) -> Result<()> {
    sqlx::query(
        "INSERT INTO behaviour_consent (account, purpose, text_version, given_at, withdrawn_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(consent.account.0.as_bytes().as_slice())
    .bind(consent.purpose.as_str())
    .bind(consent.text_version.as_str())
    .bind(consent.at.0)
    .bind(consent.withdrawn_at.map(|at| at.0))
    .execute(db)
    .await
    .map_err(fail)?;
    Ok(())
}

#[async_trait]
impl BehaviourStore for Sqlite {
    async fn behaviour_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        consent_in_force(&self.reader, account, WATCH_PURPOSE).await
    }

    async fn password_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        consent_in_force(&self.reader, account, PASSWORD_PURPOSE).await
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
        if has_consent(&mut db, consent.account, &consent.purpose).await? {
            return Ok(());
        }
        if consent.purpose != WATCH_PURPOSE && !has_consent(&mut db, consent.account, WATCH_PURPOSE).await? {
            return Err(StoreError::Stale("consent"));
        }
        insert_consent(&mut db, consent).await?;
        outbox::note(&mut db, events).await?;
        commit(db).await
    }

    async fn withdraw_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut db = self.begin().await?;
        erase(&mut db, account).await?;
        let mut was_in_force = false;
        for purpose in [WATCH_PURPOSE, PASSWORD_PURPOSE] {
            was_in_force |= withdraw(&mut db, account, purpose, at).await?;
        }
        if was_in_force {
            outbox::note(&mut db, events).await?;
        }
        commit(db).await
    }

    async fn withdraw_password_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut db = self.begin().await?;
        erase_rhythm(&mut db, account, None).await?;
        if withdraw(&mut db, account, PASSWORD_PURPOSE, at).await? {
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

    async fn keep_record(&self, kept: &StoredRecord) -> Result<bool> {
        let mut db = self.begin().await?;
        if !is_consented(&mut db, &kept.whose).await? {
            return Ok(false);
        }
        record::add(&mut db, kept).await?;
        commit(db).await?;
        Ok(true)
    }

    async fn label_records(&self, session: &SessionId, since: Timestamp, label: Label) -> Result<()> {
        record::label(&self.writer, session, since, label).await
    }

    async fn records_of(&self, account: AccountId, limit: u32) -> Result<Vec<StoredRecord>> {
        record::of(&self.reader, account, limit).await
    }

    async fn count_unsettled(&self, account: AccountId, plugin: &PluginId) -> Result<u64> {
        record::count(&self.reader, account, plugin).await
    }

    async fn due_records(&self, whose: &Whose, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<StoredRecord>> {
        record::due(&self.reader, whose, plugin, until, limit).await
    }

    async fn due_to_train(&self, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<Whose>> {
        record::due_to_train(&self.reader, plugin, until, limit).await
    }

    async fn put_model(&self, learned: &StoredModel, replaces: Option<i64>, settled: &[RecordId]) -> Result<bool> {
        let mut db = self.begin().await?;
        if !is_consented(&mut db, &learned.whose).await? {
            return Ok(false);
        }
        model::replace(&mut db, learned, replaces).await?;
        record::settle(&mut db, settled, true).await?;
        commit(db).await?;
        Ok(true)
    }

    async fn settle_records(&self, settled: &[RecordId]) -> Result<()> {
        let mut db = self.begin().await?;
        record::settle(&mut db, settled, false).await?;
        commit(db).await
    }

    async fn model_version(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<(i64, bool)>> {
        model::version(&self.reader, whose, plugin).await
    }

    async fn model(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<StoredModel>> {
        model::get(&self.reader, whose, plugin).await
    }

    async fn count_models(&self, plugin: &PluginId, since_ms: i64) -> Result<u64> {
        model::count(&self.reader, plugin, since_ms).await
    }

    async fn credential_models(&self, account: AccountId) -> Result<Vec<StoredModel>> {
        model::of_credentials(&self.reader, account).await
    }

    async fn purge_records(&self, before: Timestamp) -> Result<u64> {
        let done = sqlx::query("DELETE FROM record WHERE taken_at < $1")
            .bind(before.0)
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(done.rows_affected())
    }

    async fn purge_models(&self, before: Timestamp) -> Result<u64> {
        model::purge(self, before).await
    }
}
