//! Accounts and attempts.

use super::row::{Columns, all, fail, json, one, or_taken, word};
use super::{Sqlite, commit, credential, ending, outbox};
use async_trait::async_trait;
use gait_core::account::{Account, Identifier, Mode, StoredCredential};
use gait_core::event::Event;
use gait_core::ids::AccountId;
use gait_core::session::EndReason;
use gait_core::store::{AccountStore, EffectBatch, Result, StoreError, Which};
use gait_sdk::{PluginId, Timestamp};
use sqlx::SqliteConnection;
use std::collections::BTreeSet;

/// What [`read`] reads, of `account a`.
macro_rules! account_columns {
    () => {
        "a.id, a.username, a.email, a.email_verified, a.claims, a.mode, a.disabled_at, a.created_at, a.updated_at, \
         a.credential_changed_at, a.revoked_before"
    };
}
pub(super) use account_columns;

pub(super) fn read(columns: &mut Columns<'_>) -> Result<Account> {
    Ok(Account {
        id: AccountId(columns.uuid()?),
        username: columns.word()?,
        email: identifier_opt(columns)?,
        email_verified: columns.get()?,
        claims: columns.json()?,
        mode: columns.word()?,
        disabled_at: columns.time_opt()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
        credential_changed_at: columns.time_opt()?,
        revoked_before: columns.time_opt()?,
    })
}

fn identifier_opt(columns: &mut Columns<'_>) -> Result<Option<Identifier>> {
    if columns.is_absent()? {
        columns.get::<Option<String>>()?;
        return Ok(None);
    }
    columns.word().map(Some)
}

/// Stale, unless a statement met the account.
pub(super) fn met(rows: u64) -> Result<()> {
    if rows == 0 {
        Err(StoreError::Stale("account"))
    } else {
        Ok(())
    }
}

/// Makes user name and address the account's own.
async fn claim(db: &mut SqliteConnection, id: AccountId, username: &str, email: Option<&str>) -> Result<()> {
    // They may be the same text: many use their address as their name.
    let names: BTreeSet<&str> = std::iter::once(username).chain(email).collect();
    for name in names {
        sqlx::query("INSERT INTO identifier (name, account) VALUES ($1, $2)")
            .bind(name)
            .bind(id.0.as_bytes().as_slice())
            .execute(&mut *db)
            .await
            .map_err(or_taken("user name or e-mail address"))?;
    }
    Ok(())
}

async fn insert(db: &mut SqliteConnection, account: &Account) -> Result<()> {
    sqlx::query(
        "INSERT INTO account (id, username, email, email_verified, claims, mode, disabled_at, created_at, updated_at, \
         credential_changed_at, revoked_before) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(account.id.0.as_bytes().as_slice())
    .bind(account.username.as_str())
    .bind(account.email.as_ref().map(Identifier::as_str))
    .bind(account.email_verified)
    .bind(json(&account.claims)?)
    .bind(word(&account.mode)?)
    .bind(account.disabled_at.map(|at| at.0))
    .bind(account.created_at.0)
    .bind(account.updated_at.0)
    .bind(account.credential_changed_at.map(|at| at.0))
    .bind(account.revoked_before.map(|at| at.0))
    .execute(db)
    .await
    .map_err(or_taken("account"))?;
    Ok(())
}

#[async_trait]
impl AccountStore for Sqlite {
    async fn account(&self, id: AccountId) -> Result<Option<Account>> {
        let row = sqlx::query(concat!("SELECT ", account_columns!(), " FROM account a WHERE a.id = $1"))
            .bind(id.0.as_bytes().as_slice())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        one(row, read)
    }

    async fn account_by(&self, identifier: &Identifier) -> Result<Option<Account>> {
        let row = sqlx::query(concat!(
            "SELECT ",
            account_columns!(),
            " FROM identifier i JOIN account a ON a.id = i.account WHERE i.name = $1"
        ))
        .bind(identifier.as_str())
        .fetch_optional(&self.reader)
        .await
        .map_err(fail)?;
        one(row, read)
    }

    async fn accounts(&self, after: Option<AccountId>, limit: u32) -> Result<Vec<Account>> {
        // Every id is greater than the empty text of bytes.
        let after = after.map(|id| id.0.as_bytes().to_vec()).unwrap_or_default();
        let rows = sqlx::query(concat!(
            "SELECT ",
            account_columns!(),
            " FROM account a WHERE a.id > $1 ORDER BY a.id LIMIT $2"
        ))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        all(rows, read)
    }

    async fn add_account(&self, account: &Account, credentials: &[StoredCredential]) -> Result<()> {
        let mut db = self.begin().await?;
        insert(&mut db, account).await?;
        let email = account.email.as_ref().map(Identifier::as_str);
        claim(&mut db, account.id, account.username.as_str(), email).await?;
        for kept in credentials {
            credential::add(&mut db, account.id, kept).await?;
        }
        commit(db).await
    }

    async fn put_profile(&self, account: &Account) -> Result<()> {
        let mut db = self.begin().await?;
        let email = account.email.as_ref().map(Identifier::as_str);
        let username: Option<String> = sqlx::query_scalar(
            "UPDATE account SET email = $2, email_verified = $3, claims = $4, updated_at = $5 WHERE id = $1 RETURNING username",
        )
        .bind(account.id.0.as_bytes().as_slice())
        .bind(email)
        .bind(account.email_verified)
        .bind(json(&account.claims)?)
        .bind(account.updated_at.0)
        .fetch_optional(&mut *db)
        .await
        .map_err(fail)?;
        let username = username.ok_or(StoreError::Stale("account"))?;
        sqlx::query("DELETE FROM identifier WHERE account = $1")
            .bind(account.id.0.as_bytes().as_slice())
            .execute(&mut *db)
            .await
            .map_err(fail)?;
        claim(&mut db, account.id, &username, email).await?;
        commit(db).await
    }

    async fn set_disabled(&self, id: AccountId, at: Option<Timestamp>, events: &[Event]) -> Result<()> {
        let mut db = self.begin().await?;
        let done = sqlx::query("UPDATE account SET disabled_at = $2 WHERE id = $1")
            .bind(id.0.as_bytes().as_slice())
            .bind(at.map(|at| at.0))
            .execute(&mut *db)
            .await
            .map_err(fail)?;
        met(done.rows_affected())?;
        if let Some(at) = at {
            ending::end(&mut db, &Which::AllOf(id), at, EndReason::AccountChanged, &|_| Vec::new()).await?;
        }
        outbox::note(&mut db, events).await?;
        commit(db).await
    }

    async fn set_mode(&self, id: AccountId, mode: Mode, events: &[Event]) -> Result<()> {
        let mut db = self.begin().await?;
        let done = sqlx::query("UPDATE account SET mode = $2 WHERE id = $1")
            .bind(id.0.as_bytes().as_slice())
            .bind(word(&mode)?)
            .execute(&mut *db)
            .await
            .map_err(fail)?;
        met(done.rows_affected())?;
        outbox::note(&mut db, events).await?;
        commit(db).await
    }

    async fn credentials(&self, account: AccountId, plugin: Option<&PluginId>) -> Result<Vec<StoredCredential>> {
        credential::of(&self.reader, account, plugin).await
    }

    async fn carry_out(&self, account: AccountId, at: Timestamp, batch: &EffectBatch) -> Result<()> {
        let mut db = self.begin().await?;
        credential::carry_out(&mut db, account, at, batch).await?;
        commit(db).await
    }

    async fn count_attempt(&self, key: &str, now: Timestamp, window_s: u32) -> Result<u64> {
        let tries: i64 = sqlx::query_scalar(
            "INSERT INTO attempt (name, tries, closes_at) VALUES ($1, 1, $3) ON CONFLICT (name) DO UPDATE SET \
             tries = CASE WHEN attempt.closes_at <= $2 THEN 1 ELSE attempt.tries + 1 END, \
             closes_at = CASE WHEN attempt.closes_at <= $2 THEN excluded.closes_at ELSE attempt.closes_at END \
             RETURNING tries",
        )
        .bind(key)
        .bind(now.0)
        .bind(now.plus(i64::from(window_s)).0)
        .fetch_one(&self.writer)
        .await
        .map_err(fail)?;
        Ok(tries.unsigned_abs())
    }

    async fn clear_attempts(&self, key: &str) -> Result<()> {
        sqlx::query("DELETE FROM attempt WHERE name = $1")
            .bind(key)
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(())
    }
}
