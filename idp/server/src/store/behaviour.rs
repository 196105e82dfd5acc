//! Behaviour: consents, and what hangs on them.

use super::account::{self, Hold, account_columns};
use super::row::{Columns, all, one};
use super::session::{self, session_columns};
use super::statement::{delete_all, delete_some};
use super::{Connection, Database, change, journey, model, outbox, record, transact};
use async_trait::async_trait;
use gait_core::account::{BehaviourConsent, PASSWORD_PURPOSE, WATCH_PURPOSE};
use gait_core::event::Event;
use gait_core::ids::{AccountId, GrantId, SessionId};
use gait_core::store::{BehaviourStore, Result, StoreError, StoredModel, StoredRecord, WatchStanding, Whose};
use gait_sdk::{CredentialId, Label, PluginId, RecordId, Timestamp};

fn read_consent(columns: &mut Columns<'_>) -> Result<BehaviourConsent> {
    Ok(BehaviourConsent {
        account: AccountId(columns.uuid()?),
        purpose: columns.get()?,
        text_version: columns.get()?,
        at: columns.time()?,
        withdrawn_at: columns.time_opt()?,
    })
}

async fn consent_in_force(db: &mut Connection<'_>, account: AccountId, purpose: &str) -> Result<Option<BehaviourConsent>> {
    let row = db
        .sql(
            "SELECT account, purpose, text_version, given_at, withdrawn_at FROM behaviour_consent WHERE account = $1 \
             AND purpose = $2 AND withdrawn_at IS NULL",
        )
        .bind(account.0.as_bytes().as_slice())
        .bind(purpose)
        .fetch_optional()
        .await?;
    one(row, read_consent)
}

/// Within a transaction: a consent is in force.
async fn has_consent(db: &mut Connection<'_>, account: AccountId, purpose: &str) -> Result<bool> {
    let row = db
        .sql("SELECT 1 FROM behaviour_consent WHERE account = $1 AND purpose = $2 AND withdrawn_at IS NULL")
        .bind(account.0.as_bytes().as_slice())
        .bind(purpose)
        .fetch_optional()
        .await?;
    Ok(row.is_some())
}

/// The purpose of the consent that a record or a model takes.
fn purpose(whose: &Whose) -> &'static str {
    if whose.credential.is_some() {
        PASSWORD_PURPOSE
    } else {
        WATCH_PURPOSE
    }
}

/// Withdraws a consent within a transaction; true if it was in force.
async fn withdraw(db: &mut Connection<'_>, account: AccountId, purpose: &str, at: Timestamp) -> Result<bool> {
    let done = db
        .sql("UPDATE behaviour_consent SET withdrawn_at = $3 WHERE account = $1 AND purpose = $2 AND withdrawn_at IS NULL")
        .bind(account.0.as_bytes().as_slice())
        .bind(purpose)
        .bind(at.0)
        .execute()
        .await?;
    Ok(done > 0)
}

/// Erases all models and records within a transaction.
async fn erase(db: &mut Connection<'_>, account: AccountId) -> Result<()> {
    for sql in [
        "DELETE FROM record WHERE account = $1",
        "DELETE FROM credential_model WHERE account = $1",
    ] {
        db.sql(sql).bind(account.0.as_bytes().as_slice()).execute().await?;
    }
    let rows = db
        .sql("DELETE FROM model WHERE account = $1 RETURNING plugin")
        .bind(account.0.as_bytes().as_slice())
        .fetch_all()
        .await?;
    model::outdate(db, rows).await?;
    Ok(())
}

/// Erases within a transaction what was kept and learned of how a credential is typed, or any of the account's.
pub(super) async fn erase_rhythm(db: &mut Connection<'_>, account: AccountId, id: Option<&CredentialId>) -> Result<()> {
    for sql in [
        "DELETE FROM record WHERE account = $1 AND credential IS NOT NULL AND credential = COALESCE($2, credential)",
        "DELETE FROM credential_model WHERE account = $1 AND credential = COALESCE($2, credential)",
    ] {
        db.sql(sql)
            .bind(account.0.as_bytes().as_slice())
            .bind(id.map(CredentialId::as_str))
            .execute()
            .await?;
    }
    Ok(())
}

async fn insert_consent(db: &mut Connection<'_>, consent: &BehaviourConsent) -> Result<()> {
    db.sql("INSERT INTO behaviour_consent (account, purpose, text_version, given_at, withdrawn_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(consent.account.0.as_bytes().as_slice())
        .bind(consent.purpose.as_str())
        .bind(consent.text_version.as_str())
        .bind(consent.at.0)
        .bind(consent.withdrawn_at.map(|at| at.0))
        .execute()
        .await?;
    Ok(())
}

/// The session comes last, for how much of it there is to read depends on whether it ended.
fn read_standing(columns: &mut Columns<'_>) -> Result<WatchStanding> {
    let account = account::read(columns)?;
    let (connected, consented) = (columns.get()?, columns.get()?);
    let (trained_at_ms, enrolled): (Option<i64>, Option<bool>) = (columns.get()?, columns.get()?);
    Ok(WatchStanding {
        account,
        connected,
        consented,
        model: trained_at_ms.zip(enrolled),
        background_made_at: columns.get()?,
        session: session::read(columns)?,
    })
}

#[async_trait]
impl BehaviourStore for Database {
    async fn watch_standing(
        &self,
        session: &SessionId,
        grant: GrantId,
        plugin: Option<&PluginId>,
    ) -> Result<Option<WatchStanding>> {
        let row = self
            .read()
            .await?
            .sql(concat!(
                "SELECT ",
                account_columns!(),
                ", EXISTS (SELECT 1 FROM client_grant g WHERE g.id = $2 AND g.session = s.id AND g.revoked_at IS NULL), \
                 EXISTS (SELECT 1 FROM behaviour_consent c WHERE c.account = a.id AND c.purpose = $4 AND c.withdrawn_at IS NULL), \
                 m.trained_at_ms, m.enrolled, b.made_at_ms, ",
                session_columns!(),
                " FROM session s JOIN account a ON a.id = s.account LEFT JOIN model m ON m.account = a.id AND m.plugin = $3 \
                 LEFT JOIN background b ON b.plugin = $3 AND b.blob IS NOT NULL WHERE s.id = $1"
            ))
            .bind(session.as_str())
            .bind(grant.0.as_bytes().as_slice())
            .bind(plugin.map(PluginId::as_str))
            .bind(WATCH_PURPOSE)
            .fetch_optional()
            .await?;
        one(row, read_standing)
    }

    async fn behaviour_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        consent_in_force(&mut self.read().await?.connection(), account, WATCH_PURPOSE).await
    }

    async fn password_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        consent_in_force(&mut self.read().await?.connection(), account, PASSWORD_PURPOSE).await
    }

    async fn behaviour_consents(&self, account: AccountId) -> Result<Vec<BehaviourConsent>> {
        let rows = self
            .read()
            .await?
            .sql(
                "SELECT account, purpose, text_version, given_at, withdrawn_at FROM behaviour_consent WHERE account = $1 \
                 ORDER BY seq",
            )
            .bind(account.0.as_bytes().as_slice())
            .fetch_all()
            .await?;
        all(rows, read_consent)
    }

    async fn give_consent(&self, consent: &BehaviourConsent, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            account::hold(db, consent.account, Hold::Alone).await?;
            if has_consent(db, consent.account, &consent.purpose).await? {
                return Ok(());
            }
            if consent.purpose != WATCH_PURPOSE && !has_consent(db, consent.account, WATCH_PURPOSE).await? {
                return Err(StoreError::Stale("consent"));
            }
            insert_consent(db, consent).await?;
            outbox::note(db, events).await
        })
    }

    async fn withdraw_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            account::hold(db, account, Hold::Alone).await?;
            let mut was_in_force = false;
            for purpose in [WATCH_PURPOSE, PASSWORD_PURPOSE] {
                was_in_force |= withdraw(db, account, purpose, at).await?;
            }
            // After that: a record that is just being kept holds the consent.
            erase(db, account).await?;
            if was_in_force {
                outbox::note(db, events).await?;
            }
            Ok(())
        })
    }

    async fn withdraw_password_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            account::hold(db, account, Hold::Alone).await?;
            let was_in_force = withdraw(db, account, PASSWORD_PURPOSE, at).await?;
            erase_rhythm(db, account, None).await?;
            if was_in_force {
                outbox::note(db, events).await?;
            }
            Ok(())
        })
    }

    async fn erase_behaviour(&self, account: AccountId, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            account::hold(db, account, Hold::Alone).await?;
            erase(db, account).await?;
            outbox::note(db, events).await
        })
    }

    async fn keep_record(&self, kept: &StoredRecord) -> Result<bool> {
        // Losing one costs a batch that was to be learned.
        journey!(self, Notes, |db| record::add(db, kept, purpose(&kept.whose)).await)
    }

    async fn label_records(&self, session: &SessionId, since: Timestamp, label: Label) -> Result<()> {
        transact!(self, Adds, |db| record::label(db, session, since, label).await)
    }

    async fn records_of(&self, account: AccountId, limit: u32) -> Result<Vec<StoredRecord>> {
        record::of(&mut self.read().await?.connection(), account, limit).await
    }

    async fn count_unsettled(&self, account: AccountId, plugin: &PluginId) -> Result<u64> {
        record::count(&mut self.read().await?.connection(), account, plugin).await
    }

    async fn due_records(&self, whose: &Whose, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<StoredRecord>> {
        record::due(&mut self.read().await?.connection(), whose, plugin, until, limit).await
    }

    async fn due_to_train(&self, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<Whose>> {
        record::due_to_train(&mut self.read().await?.connection(), plugin, until, limit).await
    }

    async fn put_model(&self, learned: &StoredModel, replaces: Option<i64>, settled: &[RecordId]) -> Result<bool> {
        transact!(self, Adds, |db| {
            account::hold(db, learned.whose.account, Hold::Shared).await?;
            if !has_consent(db, learned.whose.account, purpose(&learned.whose)).await? {
                return Ok(false);
            }
            model::replace(db, learned, replaces).await?;
            record::settle(db, settled, true).await?;
            Ok(true)
        })
    }

    async fn settle_records(&self, settled: &[RecordId]) -> Result<()> {
        transact!(self, Adds, |db| record::settle(db, settled, false).await)
    }

    async fn model_version(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<(i64, bool)>> {
        model::version(&mut self.read().await?.connection(), whose, plugin).await
    }

    async fn model(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<StoredModel>> {
        model::get(&mut self.read().await?.connection(), whose, plugin).await
    }

    async fn count_models(&self, plugin: &PluginId, since_ms: i64) -> Result<u64> {
        model::count(&mut self.read().await?.connection(), plugin, since_ms).await
    }

    async fn credential_models(&self, account: AccountId) -> Result<Vec<StoredModel>> {
        model::of_credentials(&mut self.read().await?.connection(), account).await
    }

    async fn purge_records(&self, before: Timestamp, most: u32) -> Result<u64> {
        const RECORDS: [&str; 1] = [delete_some!("record", "id", "taken_at < $1")];
        change!(self, Adds, |db| delete_all(db, &RECORDS, before.0, most).await)
    }

    async fn purge_models(&self, before: Timestamp, most: u32) -> Result<u64> {
        transact!(self, Adds, |db| model::purge(db, before, most).await)
    }
}
