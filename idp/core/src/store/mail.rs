//! Mails that wait to be sent.

use super::Result;
use crate::ids::MailId;
use crate::ports::{MailState, MailTrouble};
use crate::seal::Sealed;
use async_trait::async_trait;
use gait_sdk::Timestamp;

/// A mail as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMail {
    /// Its id.
    pub id: MailId,
    /// What is in it, for whom: codes and links among it.
    pub sealed: Sealed,
    /// Tries so far.
    pub attempts: u32,
    /// What it carries is dead from then on, so that it need not be sent.
    pub expires_at: Timestamp,
}

/// Mails that wait to be sent.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// Keeps a mail, which is due at once; false if `most` are kept already.
    async fn queue_mail(&self, mail: &StoredMail, now: Timestamp, most: u32) -> Result<bool>;
    /// How many wait to be sent.
    async fn mails_waiting(&self) -> Result<u64>;
    /// True if there is something to do: a mail is due, or has expired.
    async fn has_due_mail(&self, now: Timestamp) -> Result<bool>;
    /// Claims mails that are due and have not expired, the most overdue first: they are not due again before `until`.
    async fn claim_mails(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<StoredMail>>;
    /// One was sent: nothing of it is kept.
    async fn forget_mail(&self, id: MailId) -> Result<()>;
    /// One was not sent, for this reason, and is tried again then.
    async fn mail_failed(&self, id: MailId, trouble: MailTrouble, next_at: Timestamp) -> Result<()>;
    /// One was refused for good: what is in it is erased, and that it was refused is known until it would have expired.
    async fn mail_refused(&self, id: MailId) -> Result<()>;
    /// Mail can be sent: what was only waiting for that is in no trouble any more, and due at once.
    async fn mail_service_works(&self, now: Timestamp) -> Result<()>;
    /// How a mail is doing, and the mail service.
    async fn mail_state(&self, id: Option<MailId>, now: Timestamp) -> Result<MailState>;
    /// Deletes at most `most` of what has expired; returns what was still waiting to be sent.
    async fn purge_mails(&self, now: Timestamp, most: u32) -> Result<Vec<StoredMail>>;
}
