//! Mails that wait to be sent.

use super::row::{Columns, all, one, or_taken, word};
use super::statement::delete_some;
use super::{Database, change, outbox};
use async_trait::async_trait;
use gait_core::ids::MailId;
use gait_core::ports::{MailState, MailTrouble};
use gait_core::seal::Sealed;
use gait_core::store::{MailStore, Result, StoredMail};
use gait_sdk::Timestamp;

fn read(columns: &mut Columns<'_>) -> Result<StoredMail> {
    Ok(StoredMail {
        id: MailId(columns.uuid()?),
        sealed: Sealed(columns.get()?),
        attempts: columns.number()?,
        expires_at: columns.time()?,
    })
}

#[async_trait]
impl MailStore for Database {
    async fn queue_mail(&self, mail: &StoredMail, now: Timestamp, most: u32) -> Result<bool> {
        let done = change!(self, Adds, |db| db
            .sql(
                "INSERT INTO mail (id, sealed, attempts, next_at, expires_at) SELECT $1, $2, $3, $4, $5 \
                 WHERE (SELECT COUNT(*) FROM mail) < $6",
            )
            .bind(mail.id.0.as_bytes().as_slice())
            .bind(mail.sealed.0.as_slice())
            .bind(i64::from(mail.attempts))
            .bind(now.0)
            .bind(mail.expires_at.0)
            .bind(i64::from(most))
            .execute()
            .await)
        .map_err(or_taken("mail"))?;
        Ok(done > 0)
    }

    async fn mails_waiting(&self) -> Result<u64> {
        const WAITING: &str = "SELECT COUNT(*) FROM mail WHERE sealed IS NOT NULL";
        outbox::count(&mut self.read().await?.connection(), WAITING).await
    }

    async fn has_due_mail(&self, now: Timestamp) -> Result<bool> {
        let row = self
            .read()
            .await?
            .sql("SELECT id FROM mail WHERE (sealed IS NOT NULL AND next_at <= $1) OR expires_at <= $1 LIMIT 1")
            .bind(now.0)
            .fetch_optional()
            .await?;
        Ok(row.is_some())
    }

    async fn claim_mails(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<StoredMail>> {
        // The outer condition is for who waited for another that claimed the same.
        let rows = change!(self, Notes, |db| db
            .sql(
                "UPDATE mail SET next_at = $2 WHERE sealed IS NOT NULL AND next_at <= $1 AND id IN (SELECT m.id FROM mail m \
                 WHERE m.sealed IS NOT NULL AND m.next_at <= $1 AND m.expires_at > $1 ORDER BY m.next_at, m.id LIMIT $3) \
                 RETURNING id, sealed, attempts, expires_at",
            )
            .bind(now.0)
            .bind(until.0)
            .bind(i64::from(limit))
            .fetch_all()
            .await)?;
        let mut claimed = all(rows, read)?;
        claimed.sort_by_key(|mail| mail.id);
        Ok(claimed)
    }

    async fn forget_mail(&self, id: MailId) -> Result<()> {
        change!(self, Notes, |db| db
            .sql("DELETE FROM mail WHERE id = $1")
            .bind(id.0.as_bytes().as_slice())
            .execute()
            .await)?;
        Ok(())
    }

    async fn mail_failed(&self, id: MailId, trouble: MailTrouble, next_at: Timestamp) -> Result<()> {
        change!(self, Notes, |db| db
            .sql("UPDATE mail SET attempts = attempts + 1, trouble = $2, next_at = $3 WHERE id = $1")
            .bind(id.0.as_bytes().as_slice())
            .bind(word(&trouble)?)
            .bind(next_at.0)
            .execute()
            .await)?;
        Ok(())
    }

    async fn mail_refused(&self, id: MailId) -> Result<()> {
        change!(self, Notes, |db| db
            .sql("UPDATE mail SET attempts = attempts + 1, trouble = $2, sealed = NULL WHERE id = $1")
            .bind(id.0.as_bytes().as_slice())
            .bind(word(&MailTrouble::Refused)?)
            .execute()
            .await)?;
        Ok(())
    }

    async fn mail_service_works(&self, now: Timestamp) -> Result<()> {
        change!(self, Notes, |db| db
            .sql("UPDATE mail SET trouble = NULL, next_at = $2 WHERE trouble = $1")
            .bind(word(&MailTrouble::Service)?)
            .bind(now.0)
            .execute()
            .await)?;
        Ok(())
    }

    async fn mail_state(&self, id: Option<MailId>, now: Timestamp) -> Result<MailState> {
        let mut db = self.read().await?;
        let mut state = MailState::default();
        if let Some(id) = id {
            let row = db
                .sql("SELECT trouble FROM mail WHERE id = $1 AND trouble IS NOT NULL AND expires_at > $2")
                .bind(id.0.as_bytes().as_slice())
                .bind(now.0)
                .fetch_optional()
                .await?;
            state.trouble = one(row, |columns| columns.word())?;
        }
        let row = db
            .sql("SELECT id FROM mail WHERE trouble = $1 AND expires_at > $2 LIMIT 1")
            .bind(word(&MailTrouble::Service)?)
            .bind(now.0)
            .fetch_optional()
            .await?;
        state.is_service_out = row.is_some();
        Ok(state)
    }

    async fn purge_mails(&self, now: Timestamp, most: u32) -> Result<Vec<StoredMail>> {
        const EXPIRED: &str = concat!(
            delete_some!("mail", "id", "expires_at <= $1"),
            " RETURNING sealed, id, attempts, expires_at"
        );
        let rows = change!(self, Notes, |db| db
            .sql(EXPIRED)
            .bind(now.0)
            .bind(i64::from(most))
            .fetch_all()
            .await)?;
        let waited = all(rows, |columns| {
            // One that was refused is empty.
            let Some(sealed) = columns.get()? else { return Ok(None) };
            Ok(Some(StoredMail {
                id: MailId(columns.uuid()?),
                sealed: Sealed(sealed),
                attempts: columns.number()?,
                expires_at: columns.time()?,
            }))
        })?;
        Ok(waited.into_iter().flatten().collect())
    }
}
