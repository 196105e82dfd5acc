//! Signing keys.

use super::row::{Columns, all, fail, json, or_taken, word};
use gait_core::client::Alg;
use gait_core::seal::Sealed;
use gait_core::store::{Result, StoredKey};
use gait_sdk::Timestamp;
use sqlx::{SqliteConnection, SqlitePool};

fn read(columns: &mut Columns<'_>) -> Result<StoredKey> {
    Ok(StoredKey {
        kid: columns.word()?,
        alg: columns.word()?,
        private: Sealed(columns.get()?),
        public: columns.json()?,
        created_at: columns.time()?,
        retire_at: columns.time_opt()?,
    })
}

pub(super) async fn all_keys(reader: &SqlitePool) -> Result<Vec<StoredKey>> {
    let rows =
        sqlx::query("SELECT kid, alg, private, public, created_at, retire_at FROM signing_key ORDER BY created_at DESC, kid")
            .fetch_all(reader)
            .await
            .map_err(fail)?;
    all(rows, read)
}

/// Within a transaction: there is a key of the algorithm, signing or retired.
pub(super) async fn has_any(db: &mut SqliteConnection, alg: Alg) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM signing_key WHERE alg = $1 LIMIT 1")
        .bind(word(&alg)?)
        .fetch_optional(db)
        .await
        .map_err(fail)?;
    Ok(row.is_some())
}

/// Retires the signing key of an algorithm within a transaction.
pub(super) async fn retire(db: &mut SqliteConnection, alg: Alg, at: Timestamp) -> Result<()> {
    sqlx::query("UPDATE signing_key SET retire_at = $2 WHERE alg = $1 AND retire_at IS NULL")
        .bind(word(&alg)?)
        .bind(at.0)
        .execute(db)
        .await
        .map_err(fail)?;
    Ok(())
}

/// Adds a key within a transaction.
pub(super) async fn add(db: &mut SqliteConnection, key: &StoredKey) -> Result<()> {
    sqlx::query("INSERT INTO signing_key (kid, alg, private, public, created_at, retire_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(key.kid.as_str())
        .bind(word(&key.alg)?)
        .bind(key.private.0.as_slice())
        .bind(json(&key.public)?)
        .bind(key.created_at.0)
        .bind(key.retire_at.map(|at| at.0))
        .execute(db)
        .await
        .map_err(or_taken("key"))?;
    Ok(())
}
