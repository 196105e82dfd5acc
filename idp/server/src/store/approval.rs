//! Approvals.

use super::row::{Columns, json, one, or_taken};
use super::{Connection, Database, change, credential, transact};
use async_trait::async_trait;
use gait_core::ids::{AccountId, FlowId, SessionId};
use gait_core::store::{ApprovalStore, EffectBatch, Result, StoreError, StoredApproval};
use gait_core::token::secret::Hash;
use gait_sdk::Timestamp;

fn read(columns: &mut Columns<'_>) -> Result<StoredApproval> {
    Ok(StoredApproval {
        hash: columns.hash()?,
        account: AccountId(columns.uuid()?),
        plugin: columns.word()?,
        flow: columns.word()?,
        session: columns.get::<Option<String>>()?.map(SessionId),
        form: columns.json()?,
        memo: columns.json()?,
        asked_at: columns.time()?,
        visitor: columns.json()?,
        browser: columns.hash()?,
        code: columns.hash()?,
        expires_at: columns.time()?,
        attempts: columns.number()?,
        answered_at: columns.time_opt()?,
    })
}

/// Keeps one within a transaction.
pub(super) async fn add(db: &mut Connection<'_>, approval: &StoredApproval) -> Result<()> {
    db.sql(
        "INSERT INTO approval (hash, account, plugin, flow, session, form, memo, asked_at, visitor, browser, code, \
         expires_at, attempts, answered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(approval.hash.0.as_slice())
    .bind(approval.account.0.as_bytes().as_slice())
    .bind(approval.plugin.as_str())
    .bind(approval.flow.as_str())
    .bind(approval.session.as_ref().map(SessionId::as_str))
    .bind(json(&approval.form)?)
    .bind(json(&approval.memo)?)
    .bind(approval.asked_at.0)
    .bind(json(&approval.visitor)?)
    .bind(approval.browser.0.as_slice())
    .bind(approval.code.0.as_slice())
    .bind(approval.expires_at.0)
    .bind(i64::from(approval.attempts))
    .bind(approval.answered_at.map(|at| at.0))
    .execute()
    .await
    .map_err(or_taken("approval"))?;
    Ok(())
}

#[async_trait]
impl ApprovalStore for Database {
    async fn approval(&self, hash: &Hash) -> Result<Option<StoredApproval>> {
        let row = self
            .read()
            .await?
            .sql(
                "SELECT hash, account, plugin, flow, session, form, memo, asked_at, visitor, browser, code, expires_at, \
                 attempts, answered_at FROM approval WHERE hash = $1",
            )
            .bind(hash.0.as_slice())
            .fetch_optional()
            .await?;
        one(row, read)
    }

    async fn fail_approval(&self, hash: &Hash) -> Result<u32> {
        let row = change!(self, Adds, |db| db
            .sql("UPDATE approval SET attempts = attempts + 1 WHERE hash = $1 RETURNING attempts")
            .bind(hash.0.as_slice())
            .fetch_optional()
            .await)?;
        one(row, |columns| columns.number())?.ok_or(StoreError::Stale("approval"))
    }

    async fn bind_approvals(&self, flow: &FlowId, session: &SessionId) -> Result<()> {
        change!(self, Adds, |db| db
            .sql("UPDATE approval SET session = $2 WHERE flow = $1")
            .bind(flow.as_str())
            .bind(session.as_str())
            .execute()
            .await)?;
        Ok(())
    }

    async fn answer_approval(&self, hash: &Hash, at: Timestamp, batch: &EffectBatch) -> Result<bool> {
        transact!(self, |db| {
            let row = db
                .sql(
                    "UPDATE approval SET answered_at = $2 WHERE hash = $1 AND answered_at IS NULL AND expires_at > $2 \
                     RETURNING account",
                )
                .bind(hash.0.as_slice())
                .bind(at.0)
                .fetch_optional()
                .await?;
            let Some(account) = one(row, |columns| Ok(AccountId(columns.uuid()?)))? else {
                return Ok(false);
            };
            credential::carry_out(db, account, at, batch).await?;
            Ok(true)
        })
    }
}
