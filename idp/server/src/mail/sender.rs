//! Sends what waits: on one node at a time, with a growing pause between the tries.

use super::outlet::{Outlet, SendError};
use super::queue::MailQueue;
use crate::jobs::Closing;
use crate::theme::{Locale, Themes};
use gait_core::delivery::back_off_s;
use gait_core::ids::MailId;
use gait_core::ports::{MailTrouble, OutgoingMail};
use gait_core::store::{Result, StoredMail};
use gait_sdk::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a node may not know of a mail that another has posted.
const EVERY: Duration = Duration::from_secs(1);
/// Seconds for which sending is ours.
const LEASE_S: u32 = 10;
/// Seconds for which a mail is not claimed again: longer than sending it takes, as a rule. One that arrives twice has the same id.
const CLAIM_S: i64 = 60;
/// Mails that have expired and are deleted in one go; what is left is, in the next.
const PURGED_AT_ONCE: u32 = 1000;
/// First pause after a failure, in seconds; doubled with each.
const BACK_OFF_S: i64 = 5;
/// Longest pause of a mail that is put off, in seconds.
const MAX_BACK_OFF_S: i64 = 300;
/// Longest pause of a mail server that is out of order, in seconds.
const MAX_PAUSE_S: i64 = 60;

type ThemeOf = dyn Fn(&OutgoingMail) -> Option<String> + Send + Sync;

/// Sends mails.
pub struct Sender {
    queue: MailQueue,
    outlet: Outlet,
    themes: Arc<Themes>,
    theme_of: Box<ThemeOf>,
}

/// How sending goes, on this node.
struct Pace {
    /// How often in a row the mail server was out of order.
    failures: u32,
    /// Nothing is sent before.
    until: Timestamp,
    /// The mail server is known to work, and that it does was written down.
    works: bool,
    /// Sending is ours until then, and a little longer.
    renew_at: Timestamp,
    /// The minute that is counted, and the mails in it.
    minute: (i64, u32),
}

/// What became of a mail, and whether it was for somebody.
struct Sent {
    mail: StoredMail,
    is_somebodys: bool,
    outcome: std::result::Result<(), SendError>,
}

impl Sender {
    /// Sends what is in `queue`; `theme_of` names the theme of a mail's client.
    pub fn new(
        queue: MailQueue,
        outlet: Outlet,
        themes: Arc<Themes>,
        theme_of: impl Fn(&OutgoingMail) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            queue,
            outlet,
            themes,
            theme_of: Box::new(theme_of),
        }
    }

    /// Sends what there is, whenever one is posted, and every second, as `node`.
    pub async fn run(self: Arc<Self>, node: String, mut closing: Closing) {
        let mut pace = Pace {
            failures: 0,
            until: Timestamp(0),
            works: false,
            renew_at: Timestamp(0),
            minute: (0, 0),
        };
        while !closing.is_near() {
            if let Err(error) = self.round(&node, &mut pace, &closing).await {
                tracing::warn!(%error, "mails can't be read; they will be sent later");
            }
            tokio::select! {
                _rung = tokio::time::timeout(EVERY, self.queue.bell.rung()) => {}
                () = closing.near() => {}
            }
        }
    }

    async fn round(self: &Arc<Self>, node: &str, pace: &mut Pace, closing: &Closing) -> Result<()> {
        let store = &self.queue.store;
        if pace.until > self.queue.now() {
            return Ok(());
        }
        if !store.has_due_mail(self.queue.now()).await? || !self.may_send(node, pace).await? {
            return Ok(());
        }
        for expired in store.purge_mails(self.queue.now(), PURGED_AT_ONCE).await? {
            // One for nobody is missed by nobody.
            if !matches!(self.queue.open(&expired), Ok(None)) {
                self.queue.metrics.mail("lost");
            }
        }
        let sent = self.send_due(node, pace, closing).await;
        // Let go: another node may have the next one.
        pace.renew_at = Timestamp(0);
        store.release("mail", node).await?;
        sent
    }

    /// Whatever happens, what is being sent is sent.
    async fn send_due(self: &Arc<Self>, node: &str, pace: &mut Pace, closing: &Closing) -> Result<()> {
        let (mut sending, mut outcome) = (JoinSet::new(), Ok(()));
        loop {
            if outcome.is_ok() && !closing.is_near() {
                outcome = self.begin_due(node, pace, &mut sending).await;
            }
            match sending.join_next().await {
                Some(Ok(sent)) => outcome = self.settle(pace, sent).await.and(outcome),
                Some(Err(error)) => tracing::error!(%error, "sending a mail broke off; it will be tried again"),
                None => return outcome,
            }
        }
    }

    async fn begin_due(self: &Arc<Self>, node: &str, pace: &mut Pace, sending: &mut JoinSet<Sent>) -> Result<()> {
        for mail in self.claim(node, pace, sending.len()).await? {
            let sender = self.clone();
            sending.spawn(async move { sender.send(mail).await });
        }
        Ok(())
    }

    /// The next mails. A mail server that is out of order is tried with one.
    async fn claim(&self, node: &str, pace: &mut Pace, under_way: usize) -> Result<Vec<StoredMail>> {
        let now = self.queue.now();
        let at_once = if pace.failures > 0 { 1 } else { self.outlet.at_once() };
        let room = u32::try_from(at_once.saturating_sub(under_way)).unwrap_or(u32::MAX);
        let room = room.min(pace.allowance(now, self.outlet.per_minute()));
        if room == 0 || pace.until > now || !self.may_send(node, pace).await? {
            return Ok(Vec::new());
        }
        let mails = self.queue.store.claim_mails(now, now.plus(CLAIM_S), room).await?;
        pace.minute.1 += u32::try_from(mails.len()).unwrap_or(u32::MAX);
        Ok(mails)
    }

    /// Whether sending is ours; renewed once half of its time is over.
    async fn may_send(&self, node: &str, pace: &mut Pace) -> Result<bool> {
        let now = self.queue.now();
        if now < pace.renew_at {
            return Ok(true);
        }
        let is_ours = self.queue.store.lease("mail", node, now, LEASE_S).await?;
        if is_ours {
            pace.renew_at = now.plus(i64::from(LEASE_S / 2));
        }
        Ok(is_ours)
    }

    async fn send(&self, stored: StoredMail) -> Sent {
        let opened = self.queue.open(&stored);
        Sent {
            is_somebodys: !matches!(opened, Ok(None)),
            outcome: match opened {
                Ok(Some(mail)) => self.send_opened(stored.id, &mail).await,
                Ok(None) => self.outlet.look().await,
                Err(why) => Err(SendError::Refused(why)),
            },
            mail: stored,
        }
    }

    async fn send_opened(&self, id: MailId, mail: &OutgoingMail) -> std::result::Result<(), SendError> {
        let locale = Locale::parse(&mail.locale).unwrap_or_else(Locale::english);
        let theme = (self.theme_of)(mail);
        let words = self.themes.mail(theme.as_deref(), &locale, &mail.template, &mail.args);
        let words = words.map_err(|error| SendError::Refused(format!("{}: {error}", mail.template)))?;
        self.outlet.send(id, &mail.to, words).await
    }

    /// Notes what became of a mail.
    async fn settle(&self, pace: &mut Pace, sent: Sent) -> Result<()> {
        let (store, now, mail) = (&self.queue.store, self.queue.now(), sent.mail);
        if let Err(error) = &sent.outcome {
            tracing::warn!(mail = %mail.id, attempts = mail.attempts + 1, %error, "a mail was not sent");
        }
        if sent.is_somebodys {
            self.queue.metrics.mail(match &sent.outcome {
                Ok(()) => "sent",
                Err(SendError::Refused(_)) => "lost",
                Err(_) => "failed",
            });
        }
        let works = !matches!(sent.outcome, Err(SendError::Service(_)));
        match sent.outcome {
            Ok(()) => store.forget_mail(mail.id).await?,
            Err(SendError::Refused(_)) => store.mail_refused(mail.id).await?,
            Err(SendError::Later(_)) => {
                let next_at = now.plus(self.back_off_s(mail.attempts, MAX_BACK_OFF_S));
                store.mail_failed(mail.id, MailTrouble::Delayed, next_at).await?;
            }
            Err(SendError::Service(_)) => {
                pace.until = now.plus(self.back_off_s(pace.failures, MAX_PAUSE_S));
                pace.failures += 1;
                store.mail_failed(mail.id, MailTrouble::Service, pace.until).await?;
            }
        }
        if works && !pace.works {
            store.mail_service_works(now).await?;
        }
        pace.works = works;
        if works {
            (pace.failures, pace.until) = (0, now);
        }
        Ok(())
    }

    fn back_off_s(&self, failures: u32, max_s: i64) -> i64 {
        let mut random = [0; 4];
        self.queue.entropy.fill(&mut random);
        back_off_s(BACK_OFF_S, failures, max_s, u32::from_be_bytes(random))
    }
}

impl Pace {
    /// Mails that may still be sent in this minute.
    fn allowance(&mut self, now: Timestamp, per_minute: u32) -> u32 {
        let minute = now.0.div_euclid(60);
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        per_minute.saturating_sub(self.minute.1)
    }
}
