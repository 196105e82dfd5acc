//! Accounts and attempts.

use super::row::{Columns, all, json, one, or_taken, word};
use super::{Connection, Database, change, credential, ending, outbox, transact};
use async_trait::async_trait;
use gait_core::account::{Account, Identifier, Mode, StoredCredential};
use gait_core::event::Event;
use gait_core::ids::AccountId;
use gait_core::session::EndReason;
use gait_core::store::{AccountStore, EffectBatch, Result, StoreError, Which};
use gait_sdk::{PluginId, Timestamp};
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

/// How a transaction holds an account on Postgres, where others run beside it. What only may not be done once the account has changed
/// shares it; what must not overlap with such holds it alone. It is the first thing that is locked.
#[derive(Clone, Copy)]
pub(super) enum Hold {
    Shared,
    Alone,
}

/// Holds an account until the transaction ends. What is read after it is as the last holder left it.
pub(super) async fn hold(db: &mut Connection<'_>, id: AccountId, how: Hold) -> Result<()> {
    if db.is_alone() {
        return Ok(());
    }
    db.sql(match how {
        Hold::Shared => "SELECT 1 FROM account WHERE id = $1 FOR SHARE",
        Hold::Alone => "SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE",
    })
    .bind(id.0.as_bytes().as_slice())
    .fetch_optional()
    .await?;
    Ok(())
}

/// Makes user name and address the account's own.
async fn claim(db: &mut Connection<'_>, id: AccountId, username: &str, email: Option<&str>) -> Result<()> {
    // They may be the same text: many use their address as their name.
    let names: BTreeSet<&str> = std::iter::once(username).chain(email).collect();
    for name in names {
        db.sql("INSERT INTO identifier (name, account) VALUES ($1, $2)")
            .bind(name)
            .bind(id.0.as_bytes().as_slice())
            .execute()
            .await
            .map_err(or_taken("user name or e-mail address"))?;
    }
    Ok(())
}

async fn insert(db: &mut Connection<'_>, account: &Account) -> Result<()> {
    db.sql(
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
    .execute()
    .await
    .map_err(or_taken("account"))?;
    Ok(())
}

#[async_trait]
impl AccountStore for Database {
    async fn account(&self, id: AccountId) -> Result<Option<Account>> {
        let read = || async {
            let row = self
                .read()
                .await?
                .sql(concat!("SELECT ", account_columns!(), " FROM account a WHERE a.id = $1"))
                .bind(id.0.as_bytes().as_slice())
                .fetch_optional()
                .await?;
            one(row, read)
        };
        self.recent(|cache| &cache.accounts, &id, read).await
    }

    async fn account_by(&self, identifier: &Identifier) -> Result<Option<Account>> {
        let row = self
            .read()
            .await?
            .sql(concat!(
                "SELECT ",
                account_columns!(),
                " FROM identifier i JOIN account a ON a.id = i.account WHERE i.name = $1"
            ))
            .bind(identifier.as_str())
            .fetch_optional()
            .await?;
        one(row, read)
    }

    async fn accounts(&self, after: Option<AccountId>, limit: u32) -> Result<Vec<Account>> {
        // Every id is greater than the empty text of bytes.
        let after = after.map(|id| id.0.as_bytes().to_vec()).unwrap_or_default();
        let rows = self
            .read()
            .await?
            .sql(concat!(
                "SELECT ",
                account_columns!(),
                " FROM account a WHERE a.id > $1 ORDER BY a.id LIMIT $2"
            ))
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        all(rows, read)
    }

    async fn add_account(&self, account: &Account, credentials: &[StoredCredential]) -> Result<()> {
        transact!(self, Adds, |db| {
            insert(db, account).await?;
            let email = account.email.as_ref().map(Identifier::as_str);
            claim(db, account.id, account.username.as_str(), email).await?;
            for kept in credentials {
                credential::add(db, account.id, kept).await?;
            }
            Ok(())
        })
    }

    async fn put_profile(&self, account: &Account) -> Result<()> {
        transact!(self, |db| {
            let email = account.email.as_ref().map(Identifier::as_str);
            let row = db
                .sql(
                    "UPDATE account SET email = $2, email_verified = $3, claims = $4, updated_at = $5 WHERE id = $1 \
                     RETURNING username",
                )
                .bind(account.id.0.as_bytes().as_slice())
                .bind(email)
                .bind(account.email_verified)
                .bind(json(&account.claims)?)
                .bind(account.updated_at.0)
                .fetch_optional()
                .await?;
            let username: String = one(row, |columns| columns.get())?.ok_or(StoreError::Stale("account"))?;
            db.sql("DELETE FROM identifier WHERE account = $1")
                .bind(account.id.0.as_bytes().as_slice())
                .execute()
                .await?;
            claim(db, account.id, &username, email).await
        })
    }

    async fn set_disabled(&self, id: AccountId, at: Option<Timestamp>, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            let done = db
                .sql("UPDATE account SET disabled_at = $2 WHERE id = $1")
                .bind(id.0.as_bytes().as_slice())
                .bind(at.map(|at| at.0))
                .execute()
                .await?;
            met(done)?;
            if let Some(at) = at {
                ending::end(db, &Which::AllOf(id), at, EndReason::AccountChanged, &|_| Vec::new()).await?;
            }
            outbox::note(db, events).await
        })
    }

    async fn set_mode(&self, id: AccountId, mode: Mode, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            let done = db
                .sql("UPDATE account SET mode = $2 WHERE id = $1")
                .bind(id.0.as_bytes().as_slice())
                .bind(word(&mode)?)
                .execute()
                .await?;
            met(done)?;
            outbox::note(db, events).await
        })
    }

    async fn credentials(&self, account: AccountId, plugin: Option<&PluginId>) -> Result<Vec<StoredCredential>> {
        credential::of(&mut self.read().await?.connection(), account, plugin).await
    }

    async fn carry_out(&self, account: AccountId, at: Timestamp, batch: &EffectBatch) -> Result<()> {
        match batch.credential_changed_at {
            Some(_) => transact!(self, |db| credential::carry_out(db, account, at, batch).await),
            // Credentials are never cached.
            None => transact!(self, Adds, |db| credential::carry_out(db, account, at, batch).await),
        }
    }

    async fn count_attempt(&self, key: &str, now: Timestamp, window_s: u32) -> Result<u64> {
        let row = change!(self, Notes, |db| db
            .sql(
                "INSERT INTO attempt (name, tries, closes_at) VALUES ($1, 1, $3) ON CONFLICT (name) DO UPDATE \
                 SET tries = CASE WHEN attempt.closes_at <= $2 THEN 1 ELSE attempt.tries + 1 END, closes_at = CASE WHEN \
                 attempt.closes_at <= $2 THEN excluded.closes_at ELSE attempt.closes_at END RETURNING tries",
            )
            .bind(key)
            .bind(now.0)
            .bind(now.plus(i64::from(window_s)).0)
            .fetch_optional()
            .await)?;
        one(row, |columns| columns.number())?.ok_or(StoreError::Stale("attempt"))
    }

    async fn clear_attempts(&self, key: &str) -> Result<()> {
        change!(self, Notes, |db| db
            .sql("DELETE FROM attempt WHERE name = $1")
            .bind(key)
            .execute()
            .await)?;
        Ok(())
    }
}
