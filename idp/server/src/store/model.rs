//! Models: an account's, and its credentials'.

use super::row::{Columns, Row, all, one};
use super::statement::{delete_all, delete_some};
use super::{Connection, background};
use gait_core::ids::AccountId;
use gait_core::seal::Sealed;
use gait_core::store::{Result, StoreError, StoredModel, Whose};
use gait_sdk::{CredentialId, PluginId, Timestamp};
use std::collections::BTreeSet;

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

pub(super) async fn get(db: &mut Connection<'_>, whose: &Whose, plugin: &PluginId) -> Result<Option<StoredModel>> {
    const ACCOUNTS: &str = "SELECT account, NULL, plugin, blob, samples, enrolled, trained_at_ms FROM model \
                            WHERE account = $1 AND plugin = $2";
    const CREDENTIALS: &str = "SELECT account, credential, plugin, blob, samples, enrolled, trained_at_ms \
                               FROM credential_model WHERE account = $1 AND plugin = $2 AND credential = $3";
    let sql = if whose.credential.is_none() { ACCOUNTS } else { CREDENTIALS };
    one(fetch(db, sql, whose, plugin).await?, read)
}

/// When it was trained, and whether it is enrolled.
pub(super) async fn version(db: &mut Connection<'_>, whose: &Whose, plugin: &PluginId) -> Result<Option<(i64, bool)>> {
    const ACCOUNTS: &str = "SELECT trained_at_ms, enrolled FROM model WHERE account = $1 AND plugin = $2";
    const CREDENTIALS: &str = "SELECT trained_at_ms, enrolled FROM credential_model WHERE account = $1 AND plugin = $2 \
                               AND credential = $3";
    let sql = if whose.credential.is_none() { ACCOUNTS } else { CREDENTIALS };
    one(fetch(db, sql, whose, plugin).await?, |columns| {
        Ok((columns.get()?, columns.get()?))
    })
}

async fn fetch(db: &mut Connection<'_>, sql: &'static str, whose: &Whose, plugin: &PluginId) -> Result<Option<Row>> {
    let query = db.sql(sql).bind(whose.account.0.as_bytes().as_slice()).bind(plugin.as_str());
    let query = match &whose.credential {
        None => query,
        Some(credential) => query.bind(credential.as_str()),
    };
    query.fetch_optional().await
}

/// How many accounts have an enrolled model that was trained at `since_ms` or later.
pub(super) async fn count(db: &mut Connection<'_>, plugin: &PluginId, since_ms: i64) -> Result<u64> {
    let row = db
        .sql("SELECT COUNT(*) FROM model WHERE plugin = $1 AND enrolled = TRUE AND trained_at_ms >= $2")
        .bind(plugin.as_str())
        .bind(since_ms)
        .fetch_optional()
        .await?;
    Ok(one(row, |columns| columns.number())?.unwrap_or(0))
}

pub(super) async fn of_credentials(db: &mut Connection<'_>, account: AccountId) -> Result<Vec<StoredModel>> {
    let rows = db
        .sql(
            "SELECT account, credential, plugin, blob, samples, enrolled, trained_at_ms FROM credential_model \
             WHERE account = $1 ORDER BY credential, plugin",
        )
        .bind(account.0.as_bytes().as_slice())
        .fetch_all()
        .await?;
    all(rows, read)
}

/// Stores one within a transaction in place of the one that was trained at `replaces`; stale if it is another now.
pub(super) async fn replace(db: &mut Connection<'_>, model: &StoredModel, replaces: Option<i64>) -> Result<()> {
    let sql = match (&model.whose.credential, replaces) {
        (None, None) => {
            "INSERT INTO model (account, plugin, blob, samples, enrolled, trained_at_ms, used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, plugin) DO NOTHING"
        }
        (None, Some(_)) => {
            "UPDATE model SET blob = $3, samples = $4, enrolled = $5, trained_at_ms = $6, used_at = $7 WHERE account = $1 \
             AND plugin = $2 AND trained_at_ms = $8"
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
    let mut query = db
        .sql(sql)
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
    let done = query.execute().await?;
    match done {
        0 => Err(StoreError::Stale("model")),
        _ => Ok(()),
    }
}

/// Notes, within a transaction, that an account was used.
pub(super) async fn note_use(db: &mut Connection<'_>, account: AccountId, at: Timestamp) -> Result<()> {
    for sql in [
        "UPDATE model SET used_at = $2 WHERE account = $1 AND used_at < $2",
        "UPDATE credential_model SET used_at = $2 WHERE account = $1 AND used_at < $2",
    ] {
        db.sql(sql).bind(account.0.as_bytes().as_slice()).bind(at.0).execute().await?;
    }
    Ok(())
}

/// Deletes, within a transaction, at most `most` of those last used before `before`.
pub(super) async fn purge(db: &mut Connection<'_>, before: Timestamp, most: u32) -> Result<u64> {
    const OF_CREDENTIALS: &str = delete_some!("credential_model", "account, credential, plugin", "used_at < $1");
    const OF_ACCOUNTS: &str = concat!(delete_some!("model", "account, plugin", "used_at < $1"), " RETURNING plugin");
    let of_credentials = delete_all(db, &[OF_CREDENTIALS], before.0, most).await?;
    let of_accounts = db
        .sql(OF_ACCOUNTS)
        .bind(before.0)
        .bind(i64::from(most) - i64::try_from(of_credentials).unwrap_or(0))
        .fetch_all()
        .await?;
    Ok(of_credentials + outdate(db, of_accounts).await?)
}

/// Within a transaction that deleted accounts' models, of which it was told the plugins: what was made of them is stale. Returns how
/// many there were.
pub(super) async fn outdate(db: &mut Connection<'_>, deleted: Vec<Row>) -> Result<u64> {
    let plugins: Vec<PluginId> = all(deleted, |columns| columns.word())?;
    let count = u64::try_from(plugins.len()).unwrap_or(u64::MAX);
    for plugin in plugins.into_iter().collect::<BTreeSet<_>>() {
        background::outdate(db, &plugin).await?;
    }
    Ok(count)
}
