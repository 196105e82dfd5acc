//! Sessions.

use super::row::{Columns, all, json, json_opt, one, or_taken, word};
use super::statement::locking;
use super::transaction::Weight;
use super::{Connection, Database, ending, model, outbox, transact};
use async_trait::async_trait;
use gait_core::event::Event;
use gait_core::ids::{AccountId, SessionId};
use gait_core::session::{EndReason, Ended, RiskLevel, Session, StepUp};
use gait_core::store::{EndEvents, Result, SessionStore, StoreError, Strengthened, Which};
use gait_core::token::secret::Hash;
use gait_sdk::Timestamp;

/// What [`read`] reads, of `session s`.
macro_rules! session_columns {
    () => {
        "s.id, s.account, s.proofs, s.created_at, s.last_seen_at, s.place, s.level, s.step_up, s.sequence, s.ended_at, s.end_reason"
    };
}
pub(super) use session_columns;

pub(super) fn read(columns: &mut Columns<'_>) -> Result<Session> {
    Ok(Session {
        id: columns.word()?,
        account: AccountId(columns.uuid()?),
        proofs: columns.json()?,
        created_at: columns.time()?,
        last_seen_at: columns.time()?,
        place: columns.json()?,
        level: columns.word()?,
        step_up: columns.json_opt()?,
        sequence: columns.get()?,
        ended: match columns.time_opt()? {
            None => None,
            Some(at) => Some(Ended {
                at,
                reason: columns.word()?,
            }),
        },
    })
}

async fn insert(db: &mut Connection<'_>, session: &Session, secret: &Hash) -> Result<()> {
    let ended = session.ended.as_ref();
    db.sql(
        "INSERT INTO session (id, secret, account, proofs, created_at, last_seen_at, place, level, step_up, step_up_since, \
         ended_at, end_reason, sequence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(session.id.as_str())
    .bind(secret.0.as_slice())
    .bind(session.account.0.as_bytes().as_slice())
    .bind(json(&session.proofs)?)
    .bind(session.created_at.0)
    .bind(session.last_seen_at.0)
    .bind(json(&session.place)?)
    .bind(word(&session.level)?)
    .bind(json_opt(session.step_up.as_ref())?)
    .bind(session.step_up.as_ref().map(|step_up| step_up.since.0))
    .bind(ended.map(|ended| ended.at.0))
    .bind(ended.map(|ended| word(&ended.reason)).transpose()?)
    .bind(session.sequence)
    .execute()
    .await
    .map_err(or_taken("session"))?;
    Ok(())
}

/// Stale, unless a statement met a living session of the named sequence.
fn met(rows: u64) -> Result<()> {
    if rows == 0 {
        Err(StoreError::Stale("session"))
    } else {
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Database {
    async fn begin_session(&self, session: &Session, secret: &Hash, events: &[Event]) -> Result<()> {
        transact!(self, Adds, |db| {
            let usable = db
                .sql(locking!(
                    "SELECT 1 FROM account WHERE id = $1 AND disabled_at IS NULL AND (revoked_before IS NULL \
                     OR revoked_before <= $2)",
                    "FOR SHARE"
                ))
                .bind(session.account.0.as_bytes().as_slice())
                .bind(session.created_at.0)
                .fetch_optional()
                .await?;
            if usable.is_none() {
                return Err(StoreError::Stale("account"));
            }
            insert(db, session, secret).await?;
            model::note_use(db, session.account, session.created_at).await?;
            outbox::note(db, events).await?;
            Ok(())
        })
    }

    async fn session_by_secret(&self, secret: &Hash) -> Result<Option<Session>> {
        let read = || async {
            let row = self
                .read()
                .await?
                .sql(concat!("SELECT ", session_columns!(), " FROM session s WHERE s.secret = $1"))
                .bind(secret.0.as_slice())
                .fetch_optional()
                .await?;
            one(row, read)
        };
        self.recent(|cache| &cache.sessions_by_secret, secret, read).await
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>> {
        let read = || async {
            let row = self
                .read()
                .await?
                .sql(concat!("SELECT ", session_columns!(), " FROM session s WHERE s.id = $1"))
                .bind(id.as_str())
                .fetch_optional()
                .await?;
            one(row, read)
        };
        self.recent(|cache| &cache.sessions, id, read).await
    }

    async fn sessions_of(&self, account: AccountId) -> Result<Vec<Session>> {
        let rows = self
            .read()
            .await?
            .sql(concat!(
                "SELECT ",
                session_columns!(),
                " FROM session s WHERE s.account = $1 AND s.ended_at IS NULL ORDER BY s.created_at DESC, s.id"
            ))
            .bind(account.0.as_bytes().as_slice())
            .fetch_all()
            .await?;
        all(rows, read)
    }

    async fn touch_session(&self, id: &SessionId, at: Timestamp) -> Result<()> {
        // It takes nothing, but shows.
        let _voiding = self.voiding(Weight::Takes);
        self.write_loosely()
            .await?
            .sql("UPDATE session SET last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND last_seen_at < $2")
            .bind(id.as_str())
            .bind(at.0)
            .execute()
            .await?;
        Ok(())
    }

    async fn strengthen_session(
        &self,
        id: &SessionId,
        sequence: i64,
        at: Timestamp,
        change: &Strengthened,
        events: &[Event],
    ) -> Result<()> {
        transact!(self, |db| {
            let done = db
                .sql(
                    "UPDATE session SET secret = $3, proofs = $4, level = $5, step_up = $6, step_up_since = $7, place = \
                     $8, last_seen_at = CASE WHEN last_seen_at < $9 THEN $9 ELSE last_seen_at END, sequence = sequence + 1 \
                     WHERE id = $1 AND sequence = $2 AND ended_at IS NULL",
                )
                .bind(id.as_str())
                .bind(sequence)
                .bind(change.secret.0.as_slice())
                .bind(json(&change.proofs)?)
                .bind(word(&change.level)?)
                .bind(json_opt(change.step_up.as_ref())?)
                .bind(change.step_up.as_ref().map(|step_up| step_up.since.0))
                .bind(json(&change.place)?)
                .bind(at.0)
                .execute()
                .await
                .map_err(or_taken("session"))?;
            met(done)?;
            outbox::note(db, events).await?;
            Ok(())
        })
    }

    async fn set_risk(
        &self,
        id: &SessionId,
        sequence: i64,
        level: RiskLevel,
        step_up: Option<&StepUp>,
        events: &[Event],
    ) -> Result<()> {
        transact!(self, |db| {
            let done = db
                .sql(
                    "UPDATE session SET level = $3, step_up = $4, step_up_since = $5, sequence = sequence + 1 WHERE id = $1 \
                     AND sequence = $2 AND ended_at IS NULL",
                )
                .bind(id.as_str())
                .bind(sequence)
                .bind(word(&level)?)
                .bind(json_opt(step_up)?)
                .bind(step_up.map(|step_up| step_up.since.0))
                .execute()
                .await?;
            met(done)?;
            outbox::note(db, events).await?;
            Ok(())
        })
    }

    async fn end_sessions(&self, which: &Which, at: Timestamp, reason: EndReason, events: EndEvents<'_>) -> Result<Vec<Session>> {
        transact!(self, |db| ending::end(db, which, at, reason, events).await)
    }

    async fn step_ups_before(&self, before: Timestamp, limit: u32) -> Result<Vec<Session>> {
        let rows = self
            .read()
            .await?
            .sql(concat!(
                "SELECT ",
                session_columns!(),
                " FROM session s WHERE s.ended_at IS NULL AND s.step_up_since IS NOT NULL AND s.step_up_since < $1 \
                 ORDER BY s.step_up_since, s.id LIMIT $2"
            ))
            .bind(before.0)
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        all(rows, read)
    }
}
