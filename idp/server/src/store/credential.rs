//! Credentials, and the batch that a plugin's effects are carried out in.

use super::row::{Columns, all, json, or_taken};
use super::{Connection, account, approval, behaviour, outbox};
use gait_core::account::StoredCredential;
use gait_core::ids::AccountId;
use gait_core::store::{CredentialChange, EffectBatch, Result, StoreError};
use gait_sdk::{Credential, CredentialId, PluginId, Timestamp};

fn read(columns: &mut Columns<'_>) -> Result<StoredCredential> {
    Ok(StoredCredential {
        account: AccountId(columns.uuid()?),
        plugin: columns.word()?,
        last_used_at: columns.time_opt()?,
        credential: Credential {
            id: columns.word()?,
            label: columns.get()?,
            payload: columns.json()?,
            version: columns.get()?,
            created_at: columns.time()?,
        },
    })
}

pub(super) async fn of(db: &mut Connection<'_>, account: AccountId, plugin: Option<&PluginId>) -> Result<Vec<StoredCredential>> {
    let rows = db
        .sql(
            "SELECT account, plugin, last_used_at, id, label, payload, version, created_at FROM credential \
             WHERE account = $1 AND plugin = COALESCE($2, plugin) ORDER BY created_at, id",
        )
        .bind(account.0.as_bytes().as_slice())
        .bind(plugin.map(PluginId::as_str))
        .fetch_all()
        .await?;
    all(rows, read)
}

/// Adds one to `account`, whatever account it names.
pub(super) async fn add(db: &mut Connection<'_>, account: AccountId, kept: &StoredCredential) -> Result<()> {
    let credential = &kept.credential;
    db.sql(
        "INSERT INTO credential (account, plugin, last_used_at, id, label, payload, version, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(account.0.as_bytes().as_slice())
    .bind(kept.plugin.as_str())
    .bind(kept.last_used_at.map(|at| at.0))
    .bind(credential.id.as_str())
    .bind(credential.label.as_str())
    .bind(json(&credential.payload)?)
    .bind(credential.version)
    .bind(credential.created_at.0)
    .execute()
    .await
    .map_err(or_taken("credential"))?;
    Ok(())
}

async fn replace(db: &mut Connection<'_>, account: AccountId, at: Timestamp, new: &StoredCredential) -> Result<()> {
    let credential = &new.credential;
    let done = db
        .sql(
            "UPDATE credential SET label = $5, payload = $6, last_used_at = $7, version = version + 1 WHERE account = $1 \
             AND plugin = $2 AND id = $3 AND version = $4",
        )
        .bind(account.0.as_bytes().as_slice())
        .bind(new.plugin.as_str())
        .bind(credential.id.as_str())
        .bind(credential.version)
        .bind(credential.label.as_str())
        .bind(json(&credential.payload)?)
        .bind(at.0)
        .execute()
        .await?;
    if done == 0 {
        return Err(StoreError::Stale("credential"));
    }
    Ok(())
}

async fn forget(db: &mut Connection<'_>, account: AccountId, plugin: &PluginId, id: &CredentialId) -> Result<()> {
    db.sql("DELETE FROM credential WHERE account = $1 AND plugin = $2 AND id = $3")
        .bind(account.0.as_bytes().as_slice())
        .bind(plugin.as_str())
        .bind(id.as_str())
        .execute()
        .await?;
    Ok(())
}

async fn used(db: &mut Connection<'_>, account: AccountId, at: Timestamp, id: &CredentialId) -> Result<()> {
    db.sql("UPDATE credential SET last_used_at = $3 WHERE account = $1 AND id = $2")
        .bind(account.0.as_bytes().as_slice())
        .bind(id.as_str())
        .bind(at.0)
        .execute()
        .await?;
    Ok(())
}

/// Carries a batch out within a transaction.
pub(super) async fn carry_out(db: &mut Connection<'_>, id: AccountId, at: Timestamp, batch: &EffectBatch) -> Result<()> {
    let done = db
        .sql("UPDATE account SET credential_changed_at = COALESCE($2, credential_changed_at) WHERE id = $1")
        .bind(id.0.as_bytes().as_slice())
        .bind(batch.credential_changed_at.map(|at| at.0))
        .execute()
        .await?;
    account::met(done)?;
    for change in &batch.credentials {
        match change {
            CredentialChange::Add(credential) => add(db, id, credential).await?,
            CredentialChange::Replace { credential } => replace(db, id, at, credential).await?,
            CredentialChange::Forget { plugin, id: credential } => forget(db, id, plugin, credential).await?,
            CredentialChange::Used { id: credential } => used(db, id, at, credential).await?,
            CredentialChange::ForgetRhythm { id: credential } => behaviour::erase_rhythm(db, id, Some(credential)).await?,
        }
    }
    for asked in &batch.approvals {
        approval::add(db, asked).await?;
    }
    outbox::note(db, &batch.events).await
}
