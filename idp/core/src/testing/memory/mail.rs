//! Mails that wait to be sent.

use super::{MemoryStore, Room};
use crate::ids::MailId;
use crate::ports::{MailState, MailTrouble};
use crate::store::{MailStore, Result, StoreError, StoredMail};
use async_trait::async_trait;
use gait_sdk::Timestamp;

/// A mail, and how it does.
#[derive(Clone)]
pub(super) struct KeptMail {
    mail: StoredMail,
    next_at: Timestamp,
    trouble: Option<MailTrouble>,
}

impl KeptMail {
    fn is_due(&self, now: Timestamp) -> bool {
        self.trouble != Some(MailTrouble::Refused) && self.next_at <= now
    }
}

#[async_trait]
impl MailStore for MemoryStore {
    async fn queue_mail(&self, mail: &StoredMail, now: Timestamp, most: u32) -> Result<bool> {
        let mut state = self.state();
        if state.mails.iter().any(|kept| kept.mail.id == mail.id) {
            return Err(StoreError::Taken("mail"));
        }
        let has_room = state.mails.len() < most as usize;
        if has_room {
            state.mails.push(KeptMail {
                mail: mail.clone(),
                next_at: now,
                trouble: None,
            });
        }
        Ok(has_room)
    }

    async fn mails_waiting(&self) -> Result<u64> {
        let state = self.state();
        Ok(state
            .mails
            .iter()
            .filter(|kept| kept.trouble != Some(MailTrouble::Refused))
            .count() as u64)
    }

    async fn has_due_mail(&self, now: Timestamp) -> Result<bool> {
        let state = self.state();
        Ok(state.mails.iter().any(|kept| kept.is_due(now) || kept.mail.expires_at <= now))
    }

    async fn claim_mails(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<StoredMail>> {
        let mut state = self.state();
        let is_due = |kept: &&mut KeptMail| kept.is_due(now) && kept.mail.expires_at > now;
        let mut due: Vec<_> = state.mails.iter_mut().filter(is_due).collect();
        due.sort_by_key(|kept| (kept.next_at, kept.mail.id));
        due.truncate(limit as usize);
        let claimed = due.into_iter().map(|kept| {
            kept.next_at = until;
            kept.mail.clone()
        });
        let mut claimed: Vec<_> = claimed.collect();
        claimed.sort_by_key(|mail| mail.id);
        Ok(claimed)
    }

    async fn forget_mail(&self, id: MailId) -> Result<()> {
        self.state().mails.retain(|kept| kept.mail.id != id);
        Ok(())
    }

    async fn mail_failed(&self, id: MailId, trouble: MailTrouble, next_at: Timestamp) -> Result<()> {
        if let Some(kept) = self.state().mails.iter_mut().find(|kept| kept.mail.id == id) {
            kept.mail.attempts += 1;
            (kept.trouble, kept.next_at) = (Some(trouble), next_at);
        }
        Ok(())
    }

    async fn mail_refused(&self, id: MailId) -> Result<()> {
        if let Some(kept) = self.state().mails.iter_mut().find(|kept| kept.mail.id == id) {
            kept.mail.attempts += 1;
            kept.mail.sealed.0.clear();
            kept.trouble = Some(MailTrouble::Refused);
        }
        Ok(())
    }

    async fn mail_service_works(&self, now: Timestamp) -> Result<()> {
        let mut state = self.state();
        for kept in state
            .mails
            .iter_mut()
            .filter(|kept| kept.trouble == Some(MailTrouble::Service))
        {
            (kept.trouble, kept.next_at) = (None, now);
        }
        Ok(())
    }

    async fn mail_state(&self, id: Option<MailId>, now: Timestamp) -> Result<MailState> {
        let state = self.state();
        let living = || state.mails.iter().filter(|kept| kept.mail.expires_at > now);
        Ok(MailState {
            trouble: living().find(|kept| Some(kept.mail.id) == id).and_then(|kept| kept.trouble),
            is_service_out: living().any(|kept| kept.trouble == Some(MailTrouble::Service)),
        })
    }

    async fn purge_mails(&self, now: Timestamp, most: u32) -> Result<Vec<StoredMail>> {
        let (mut state, mut room) = (self.state(), Room(most));
        let gone = state.mails.extract_if(.., |kept| room.takes(kept.mail.expires_at <= now));
        let waited = gone.filter(|kept| kept.trouble != Some(MailTrouble::Refused));
        Ok(waited.map(|kept| kept.mail).collect())
    }
}
