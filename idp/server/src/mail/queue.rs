//! Where mails wait: in the store, sealed, so that neither a crash loses one nor a stolen database tells what is in it.

use crate::jobs::Bell;
use crate::metrics::Metrics;
use async_trait::async_trait;
use gait_core::ids::MailId;
use gait_core::ports::{Clock, Entropy, MailError, MailState, Mailer, OutgoingMail, Wake as _, uuid};
use gait_core::seal::MasterKey;
use gait_core::store::{Store, StoredMail};
use gait_sdk::Timestamp;
use std::sync::Arc;

/// Mails that may wait; beyond it the person reads "we couldn't send it".
const MOST: u32 = 10_000;
/// How long a mail for nobody waits for its turn, in seconds.
const NOBODYS_LIFE_S: i64 = 600;
/// What mails are sealed for.
const PURPOSE: &str = "mail";

/// The queue's end that the core holds.
#[derive(Clone)]
pub struct MailQueue {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// Rings when a mail was posted.
    pub(super) bell: Bell,
    pub(super) metrics: Arc<Metrics>,
    master: MasterKey,
}

impl MailQueue {
    /// Keeps mails in `store`.
    pub fn new(
        store: Arc<dyn Store>,
        master: MasterKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            store,
            clock,
            entropy,
            bell: Bell::default(),
            metrics,
            master,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The mail, or none: one for nobody.
    pub(super) fn open(&self, stored: &StoredMail) -> Result<Option<OutgoingMail>, String> {
        let opened = self.master.open(PURPOSE, &stored.id.to_string(), &stored.sealed);
        let plain = opened.map_err(|error| error.to_string())?;
        serde_json::from_slice(&plain).map_err(|_| "it can't be read".to_owned())
    }

    async fn put(&self, mail: Option<OutgoingMail>, expires_at: Timestamp) -> Result<MailId, MailError> {
        let id = MailId(uuid(self.clock.as_ref(), self.entropy.as_ref()));
        let plain = serde_json::to_vec(&mail).map_err(|error| MailError(error.to_string()))?;
        let sealed = self.master.seal(PURPOSE, &id.to_string(), &plain, self.entropy.as_ref());
        let stored = StoredMail {
            id,
            sealed: sealed.map_err(|error| MailError(error.to_string()))?,
            attempts: 0,
            expires_at,
        };
        let queued = self.store.queue_mail(&stored, self.now(), MOST).await;
        match queued.map_err(|error| MailError(error.to_string()))? {
            true => self.bell.wake(),
            false => return Err(MailError("too many mails are waiting".to_owned())),
        }
        Ok(id)
    }
}

#[async_trait]
impl Mailer for MailQueue {
    async fn post(&self, mail: OutgoingMail) -> Result<MailId, MailError> {
        let expires_at = mail.expires_at;
        let posted = self.put(Some(mail), expires_at).await;
        if posted.is_err() {
            self.metrics.mail("refused");
        }
        posted
    }

    async fn post_to_nobody(&self) -> Result<MailId, MailError> {
        self.put(None, self.now().plus(NOBODYS_LIFE_S)).await
    }

    async fn state(&self, mail: Option<MailId>) -> Result<MailState, MailError> {
        let state = self.store.mail_state(mail, self.now()).await;
        state.map_err(|error| MailError(error.to_string()))
    }
}
