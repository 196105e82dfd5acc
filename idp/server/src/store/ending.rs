//! How sessions end, and what ends with them.

use super::account::{self, Hold};
use super::row::{all, word};
use super::session::{self, session_columns};
use super::statement::{Text, locking};
use super::{Connection, grant, outbox, record};
use gait_core::ids::{AccountId, GrantId};
use gait_core::session::{EndReason, Ended, Session};
use gait_core::store::{EndEvents, Result, Which};
use gait_sdk::Timestamp;

const ONE: Text = locking!(
    concat!(
        "SELECT ",
        session_columns!(),
        " FROM session s WHERE s.id = $1 AND s.ended_at IS NULL"
    ),
    "FOR NO KEY UPDATE"
);
const ALL_BUT: Text = locking!(
    concat!(
        "SELECT ",
        session_columns!(),
        " FROM session s WHERE s.account = $1 AND s.id <> $2 AND s.ended_at IS NULL ORDER BY s.id"
    ),
    "FOR NO KEY UPDATE"
);
/// No session's id: spares none.
pub(super) const NONE: &str = "";

/// Ends sessions within a transaction, with their grants and tokens. Grants go by whose they are, not by whether their session was
/// still living: an offline grant outlives its session, and must not outlive a reason of security.
pub(super) async fn end(
    db: &mut Connection<'_>,
    which: &Which,
    at: Timestamp,
    reason: EndReason,
    events: EndEvents<'_>,
) -> Result<Vec<Session>> {
    if let Which::AllOf(account) | Which::AllBut(account, _) = which {
        account::hold(db, *account, Hold::Alone).await?;
    }
    let mut ended = living(db, which).await?;
    for session in &mut ended {
        session.ended = Some(Ended { at, reason });
        session.sequence += 1;
        close(db, session, at, reason).await?;
    }
    if reason.is_security() {
        record::delete_of(db, which).await?;
    }
    for id in dying_grants(db, which, reason.is_security()).await? {
        grant::revoke(db, id, at).await?;
    }
    if let Which::AllOf(account) = which {
        revoke_before(db, *account, at).await?;
    }
    for session in &ended {
        outbox::note(db, &events(session)).await?;
    }
    Ok(ended)
}

async fn living(db: &mut Connection<'_>, which: &Which) -> Result<Vec<Session>> {
    let query = match which {
        Which::One(id) => db.sql(ONE).bind(id.as_str()),
        Which::AllOf(account) => db.sql(ALL_BUT).bind(account.0.as_bytes().as_slice()).bind(NONE),
        Which::AllBut(account, spared) => db.sql(ALL_BUT).bind(account.0.as_bytes().as_slice()).bind(spared.as_str()),
    };
    all(query.fetch_all().await?, session::read)
}

async fn close(db: &mut Connection<'_>, session: &Session, at: Timestamp, reason: EndReason) -> Result<()> {
    db.sql("UPDATE session SET ended_at = $2, end_reason = $3, sequence = $4 WHERE id = $1")
        .bind(session.id.as_str())
        .bind(at.0)
        .bind(word(&reason)?)
        .bind(session.sequence)
        .execute()
        .await?;
    Ok(())
}

async fn dying_grants(db: &mut Connection<'_>, which: &Which, offline_too: bool) -> Result<Vec<GrantId>> {
    const OF_ONE: &str = "SELECT id FROM client_grant WHERE revoked_at IS NULL AND (offline = FALSE OR $1) AND session = $2 \
                          ORDER BY id";
    const OF_ALL_BUT: &str = "SELECT id FROM client_grant WHERE revoked_at IS NULL AND (offline = FALSE OR $1) \
                              AND account = $2 AND session <> $3 ORDER BY id";
    let query = match which {
        Which::One(id) => db.sql(OF_ONE).bind(offline_too).bind(id.as_str()),
        Which::AllOf(account) => db
            .sql(OF_ALL_BUT)
            .bind(offline_too)
            .bind(account.0.as_bytes().as_slice())
            .bind(NONE),
        Which::AllBut(account, spared) => db
            .sql(OF_ALL_BUT)
            .bind(offline_too)
            .bind(account.0.as_bytes().as_slice())
            .bind(spared.as_str()),
    };
    let rows = query.fetch_all().await?;
    all(rows, |columns| Ok(GrantId(columns.uuid()?)))
}

async fn revoke_before(db: &mut Connection<'_>, account: AccountId, at: Timestamp) -> Result<()> {
    db.sql("UPDATE account SET revoked_before = $2 WHERE id = $1 AND (revoked_before IS NULL OR revoked_before < $2)")
        .bind(account.0.as_bytes().as_slice())
        .bind(at.0)
        .execute()
        .await?;
    Ok(())
}
