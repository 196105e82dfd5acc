//! Signing keys.

use super::Connection;
use super::row::{Columns, all, json, or_taken, word};
use gait_core::client::Alg;
use gait_core::seal::Sealed;
use gait_core::store::{Result, StoredKey};
use gait_sdk::Timestamp;

fn read(columns: &mut Columns<'_>) -> Result<StoredKey> {
    Ok(StoredKey {
        kid: columns.word()?,
        alg: columns.word()?,
        private: Sealed(columns.get()?),
        public: columns.json()?,
        created_at: columns.time()?,
        signs_from: columns.time()?,
        retire_at: columns.time_opt()?,
    })
}

pub(super) async fn all_keys(db: &mut Connection<'_>) -> Result<Vec<StoredKey>> {
    let rows = db
        .sql("SELECT kid, alg, private, public, created_at, COALESCE(signs_from, created_at), retire_at FROM signing_key ORDER BY created_at DESC, kid")
        .fetch_all()
        .await?;
    all(rows, read)
}

/// Lets no other transaction add a key until this one ends.
pub(super) async fn hold_ring(db: &mut Connection<'_>) -> Result<()> {
    if !db.is_alone() {
        db.sql("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE").execute().await?;
    }
    Ok(())
}

/// Within a transaction: there is a key of the algorithm, signing or retired.
pub(super) async fn has_any(db: &mut Connection<'_>, alg: Alg) -> Result<bool> {
    let row = db
        .sql("SELECT 1 FROM signing_key WHERE alg = $1 LIMIT 1")
        .bind(word(&alg)?)
        .fetch_optional()
        .await?;
    Ok(row.is_some())
}

/// Retires the signing key of an algorithm within a transaction.
pub(super) async fn retire(db: &mut Connection<'_>, alg: Alg, at: Timestamp) -> Result<()> {
    db.sql("UPDATE signing_key SET retire_at = $2 WHERE alg = $1 AND retire_at IS NULL")
        .bind(word(&alg)?)
        .bind(at.0)
        .execute()
        .await?;
    Ok(())
}

/// Adds a key within a transaction.
pub(super) async fn add(db: &mut Connection<'_>, key: &StoredKey) -> Result<()> {
    db.sql("INSERT INTO signing_key (kid, alg, private, public, created_at, signs_from, retire_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(key.kid.as_str())
        .bind(word(&key.alg)?)
        .bind(key.private.0.as_slice())
        .bind(json(&key.public)?)
        .bind(key.created_at.0)
        .bind(key.signs_from.0)
        .bind(key.retire_at.map(|at| at.0))
        .execute()
        .await
        .map_err(or_taken("key"))?;
    Ok(())
}
