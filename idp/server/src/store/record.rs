//! Records: what waits to be learned.

use super::Connection;
use super::ending::NONE;
use super::row::{Columns, all, one, or_taken, word};
use super::statement::locking;
use gait_core::ids::{AccountId, SessionId};
use gait_core::seal::Sealed;
use gait_core::store::{Result, StoreError, StoredRecord, Which, Whose};
use gait_sdk::{CredentialId, Label, PluginId, RecordId, Timestamp};

/// What [`read`] reads, of `record r`.
macro_rules! record_columns {
    () => {
        "r.id, r.account, r.credential, r.plugin, r.session, r.label, r.taken_at, r.payload"
    };
}

fn read(columns: &mut Columns<'_>) -> Result<StoredRecord> {
    Ok(StoredRecord {
        id: columns.word()?,
        whose: Whose {
            account: AccountId(columns.uuid()?),
            credential: columns.get::<Option<String>>()?.map(CredentialId::new),
        },
        plugin: columns.word()?,
        session: columns.word()?,
        label: columns.word()?,
        at: columns.time()?,
        payload: Sealed(columns.get()?),
    })
}

/// Keeps one, if a consent to `purpose` is in force; false if it isn't. On Postgres the consent is held, so that who withdraws it waits,
/// and then finds the record.
pub(super) async fn add(db: &mut Connection<'_>, record: &StoredRecord, purpose: &str) -> Result<bool> {
    let done = db
        .sql(locking!(
            "INSERT INTO record (id, account, credential, plugin, session, label, taken_at, payload) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM behaviour_consent c WHERE c.account = $2 AND c.purpose = $9 \
             AND c.withdrawn_at IS NULL",
            "FOR SHARE OF c"
        ))
        .bind(record.id.as_str())
        .bind(record.whose.account.0.as_bytes().as_slice())
        .bind(record.whose.credential.as_ref().map(CredentialId::as_str))
        .bind(record.plugin.as_str())
        .bind(record.session.as_str())
        .bind(word(&record.label)?)
        .bind(record.at.0)
        .bind(record.payload.0.as_slice())
        .bind(purpose)
        .execute()
        .await
        .map_err(or_taken("record"))?;
    Ok(done > 0)
}

/// Sets the label of a session's records.
pub(super) async fn label(db: &mut Connection<'_>, session: &SessionId, since: Timestamp, label: Label) -> Result<()> {
    db.sql("UPDATE record SET label = $3 WHERE session = $1 AND taken_at >= $2")
        .bind(session.as_str())
        .bind(since.0)
        .bind(word(&label)?)
        .execute()
        .await?;
    Ok(())
}

/// All of an account.
pub(super) async fn of(db: &mut Connection<'_>, account: AccountId, limit: u32) -> Result<Vec<StoredRecord>> {
    let rows = db
        .sql(concat!(
            "SELECT ",
            record_columns!(),
            " FROM record r WHERE r.account = $1 ORDER BY r.taken_at, r.id LIMIT $2"
        ))
        .bind(account.0.as_bytes().as_slice())
        .bind(i64::from(limit))
        .fetch_all()
        .await?;
    all(rows, read)
}

pub(super) async fn count(db: &mut Connection<'_>, account: AccountId, plugin: &PluginId) -> Result<u64> {
    let row = db
        .sql("SELECT COUNT(*) FROM record WHERE plugin = $1 AND account = $2")
        .bind(plugin.as_str())
        .bind(account.0.as_bytes().as_slice())
        .fetch_optional()
        .await?;
    Ok(one(row, |columns| columns.number())?.unwrap_or_default())
}

/// Those that may be learned.
pub(super) async fn due(
    db: &mut Connection<'_>,
    whose: &Whose,
    plugin: &PluginId,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<StoredRecord>> {
    let rows = db
        .sql(concat!(
            "SELECT ",
            record_columns!(),
            " FROM record r WHERE r.plugin = $1 AND r.account = $2 AND (r.credential = $3 OR ($3 IS NULL \
             AND r.credential IS NULL)) AND (r.taken_at <= $4 OR r.label = $5) ORDER BY r.taken_at, r.id LIMIT $6"
        ))
        .bind(plugin.as_str())
        .bind(whose.account.0.as_bytes().as_slice())
        .bind(whose.credential.as_ref().map(CredentialId::as_str))
        .bind(until.0)
        .bind(word(&Label::SteppedUp)?)
        .bind(i64::from(limit))
        .fetch_all()
        .await?;
    all(rows, read)
}

/// Who has such. The most recently active come first, so that those with too few records to learn from can't starve the others.
pub(super) async fn due_to_train(db: &mut Connection<'_>, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<Whose>> {
    let rows = db
        .sql(
            "SELECT r.account, r.credential FROM record r LEFT JOIN model m ON r.credential IS NULL \
             AND m.account = r.account AND m.plugin = r.plugin LEFT JOIN credential_model c ON c.account = r.account \
             AND c.credential = r.credential AND c.plugin = r.plugin WHERE r.plugin = $1 AND (r.taken_at <= $2 \
             OR r.label = $3 OR COALESCE(m.enrolled, c.enrolled, FALSE) = FALSE) GROUP BY r.account, r.credential \
             ORDER BY MAX(r.taken_at) DESC, r.account, r.credential NULLS FIRST LIMIT $4",
        )
        .bind(plugin.as_str())
        .bind(until.0)
        .bind(word(&Label::SteppedUp)?)
        .bind(i64::from(limit))
        .fetch_all()
        .await?;
    all(rows, |columns| {
        Ok(Whose {
            account: AccountId(columns.uuid()?),
            credential: columns.get::<Option<String>>()?.map(CredentialId::new),
        })
    })
}

/// Deletes some within a transaction; with `all_there`, stale if one of them is gone.
pub(super) async fn settle(db: &mut Connection<'_>, settled: &[RecordId], all_there: bool) -> Result<()> {
    for id in settled {
        let done = db.sql("DELETE FROM record WHERE id = $1").bind(id.as_str()).execute().await?;
        if all_there && done == 0 {
            return Err(StoreError::Stale("record"));
        }
    }
    Ok(())
}

/// Deletes, within a transaction, what was recorded in sessions, living or not.
pub(super) async fn delete_of(db: &mut Connection<'_>, which: &Which) -> Result<()> {
    const ALL_BUT: &str = "DELETE FROM record WHERE account = $1 AND session <> $2";
    let query = match which {
        Which::One(id) => db.sql("DELETE FROM record WHERE session = $1").bind(id.as_str()),
        Which::AllOf(account) => db.sql(ALL_BUT).bind(account.0.as_bytes().as_slice()).bind(NONE),
        Which::AllBut(account, spared) => db.sql(ALL_BUT).bind(account.0.as_bytes().as_slice()).bind(spared.as_str()),
    };
    query.execute().await?;
    Ok(())
}
