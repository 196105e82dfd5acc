//! Models: an account's, and its credentials'.

use super::row::{Columns, all, fail, one};
use super::{Sqlite, background, commit};
use gait_core::ids::AccountId;
use gait_core::seal::Sealed;
use gait_core::store::{Result, StoreError, StoredModel, Whose};
use gait_sdk::{CredentialId, PluginId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

fn read(columns: &mut Columns<'_>) -> Result<StoredModel> {
    Ok(StoredModel {
        whose: Whose {
            account: AccountId(columns.uuid()?),
            credential: columns.get::<Option<String>>()?.map(CredentialId::new),
        },
        plugin: columns.word()?,
        blob: Sealed(columns.get()?),
        samples: columns.number()?,
        enrolled: columns.get()?,
        trained_at_ms: columns.get()?,
    })
}

pub(super) async fn get(reader: &SqlitePool, whose: &Whose, plugin: &PluginId) -> Result<Option<StoredModel>> {
    const ACCOUNTS: &str = "SELECT account, NULL, plugin, blob, samples, enrolled, trained_at_ms FROM model \
                            WHERE account = $1 AND plugin = $2";
    const CREDENTIALS: &str = "SELECT account, credential, plugin, blob, samples, enrolled, trained_at_ms FROM credential_model \
                               WHERE account = $1 AND plugin = $2 AND credential = $3";
    let sql = if whose.credential.is_none() { ACCOUNTS } else { CREDENTIALS };
    one(fetch(reader, sql, whose, plugin).await?, read)
}

/// When it was trained, and whether it is enrolled.
pub(super) async fn version(reader: &SqlitePool, whose: &Whose, plugin: &PluginId) -> Result<Option<(i64, bool)>> {
    const ACCOUNTS: &str = "SELECT trained_at_ms, enrolled FROM model WHERE account = $1 AND plugin = $2";
    const CREDENTIALS: &str = "SELECT trained_at_ms, enrolled FROM credential_model \
                               WHERE account = $1 AND plugin = $2 AND credential = $3";
    let sql = if whose.credential.is_none() { ACCOUNTS } else { CREDENTIALS };
    one(fetch(reader, sql, whose, plugin).await?, |columns| {
        Ok((columns.get()?, columns.get()?))
    })
}

async fn fetch(reader: &SqlitePool, sql: &'static str, whose: &Whose, plugin: &PluginId) -> Result<Option<SqliteRow>> {
    let query = sqlx::query(sql)
        .bind(whose.account.0.as_bytes().as_slice())
        .bind(plugin.as_str());
    let query = match &whose.credential {
        None => query,
        Some(credential) => query.bind(credential.as_str()),
    };
    query.fetch_optional(reader).await.map_err(fail)
}

/// How many accounts have an enrolled model that was trained at `since_ms` or later.
pub(super) async fn count(reader: &SqlitePool, plugin: &PluginId, since_ms: i64) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) FROM model WHERE plugin = $1 AND enrolled = TRUE AND trained_at_ms >= $2")
        .bind(plugin.as_str())
        .bind(since_ms)
        .fetch_optional(reader)
        .await
        .map_err(fail)?;
    Ok(one(row, |columns| columns.number())?.unwrap_or(0))
}

pub(super) async fn of_credentials(reader: &SqlitePool, account: AccountId) -> Result<Vec<StoredModel>> {
    let rows = sqlx::query(
        "SELECT account, credential, plugin, blob, samples, enrolled, trained_at_ms FROM credential_model \
         WHERE account = $1 ORDER BY credential, plugin",
    )
    .bind(account.0.as_bytes().as_slice())
    .fetch_all(reader)
    .await
    .map_err(fail)?;
    all(rows, read)
}

/// Stores one within a transaction in place of the one that was trained at `replaces`; stale if it is another now.
pub(super) async fn replace(db: &mut SqliteConnection, model: &StoredModel, replaces: Option<i64>) -> Result<()> {
    let sql = match (&model.whose.credential, replaces) {
        (None, None) => {
            "INSERT INTO model (account, plugin, blob, samples, enrolled, trained_at_ms, used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, plugin) DO NOTHING"
        }
        (None, Some(_)) => {
            "UPDATE model SET blob = $3, samples = $4, enrolled = $5, trained_at_ms = $6, used_at = $7 \
             WHERE account = $1 AND plugin = $2 AND trained_at_ms = $8"
        }
        (Some(_), None) => {
            "INSERT INTO credential_model (account, plugin, blob, samples, enrolled, trained_at_ms, used_at, credential) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account, credential, plugin) DO NOTHING"
        }
        (Some(_), Some(_)) => {
            "UPDATE credential_model SET blob = $3, samples = $4, enrolled = $5, trained_at_ms = $6, used_at = $7 \
             WHERE account = $1 AND plugin = $2 AND credential = $8 AND trained_at_ms = $9"
        }
    };
    let mut query = sqlx::query(sql)
        .bind(model.whose.account.0.as_bytes().as_slice())
        .bind(model.plugin.as_str())
        .bind(model.blob.0.as_slice())
        .bind(i64::from(model.samples))
        .bind(model.enrolled)
        .bind(model.trained_at_ms)
        .bind(model.trained_at_ms.div_euclid(1000));
    if let Some(credential) = &model.whose.credential {
        query = query.bind(credential.as_str());
    }
    if let Some(trained_at_ms) = replaces {
        query = query.bind(trained_at_ms);
    }
    let done = query.execute(db).await.map_err(fail)?;
    match done.rows_affected() {
        0 => Err(StoreError::Stale("model")),
        _ => Ok(()),
    }
}

/// Notes, within a transaction, that an account was used.
pub(super) async fn note_use(db: &mut SqliteConnection, account: AccountId, at: Timestamp) -> Result<()> {
    for sql in [
        "UPDATE model SET used_at = $2 WHERE account = $1 AND used_at < $2",
        "UPDATE credential_model SET used_at = $2 WHERE account = $1 AND used_at < $2",
    ] {
        sqlx::query(sql)
            .bind(account.0.as_bytes().as_slice())
            .bind(at.0)
            .execute(&mut *db)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

/// Deletes those last used before `before`.
pub(super) async fn purge(store: &Sqlite, before: Timestamp) -> Result<u64> {
    let mut db = store.begin().await?;
    let of_credentials = sqlx::query("DELETE FROM credential_model WHERE used_at < $1")
        .bind(before.0)
        .execute(&mut *db)
        .await
        .map_err(fail)?;
    let of_accounts = sqlx::query("DELETE FROM model WHERE used_at < $1")
        .bind(before.0)
        .execute(&mut *db)
        .await
        .map_err(fail)?;
    if of_accounts.rows_affected() > 0 {
        background::outdate(&mut db).await?;
    }
    commit(db).await?;
    Ok(of_credentials.rows_affected() + of_accounts.rows_affected())
}
