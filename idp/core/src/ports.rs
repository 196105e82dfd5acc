//! What the rules need of the world: time, randomness, mail, and somebody who counts.

use crate::ids::{AccountId, ClientId, MailId};
use crate::measure::{Measure, Meter, Revocation};
use async_trait::async_trait;
use gait_sdk::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch, UTC.
    fn now_ms(&self) -> i64;

    /// The same in seconds.
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms().div_euclid(1000))
    }
}

/// Gives cryptographically secure randomness.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// A mail, before a theme gives it words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingMail {
    /// The address.
    pub to: String,
    /// Template in the theme's `mail/` folder.
    pub template: String,
    /// What the template may use. May hold secrets (codes, links), so it is never logged.
    pub args: BTreeMap<String, String>,
    /// BCP 47 tag of the language.
    pub locale: String,
    /// Whose theme to use.
    pub client: Option<ClientId>,
    /// What it carries is dead from then on, so that it need not be sent.
    pub expires_at: Timestamp,
}

/// Why a mail was not sent so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTrouble {
    /// No mail can be sent, whoever it is for.
    Service,
    /// The mail server puts this one off.
    Delayed,
    /// The mail server refuses this one, for good.
    Refused,
}

/// How mail is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailState {
    /// What is wrong with the mail that was asked about.
    pub trouble: Option<MailTrouble>,
    /// No mail can be sent, whoever it is for.
    pub is_service_out: bool,
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Accepts a mail for sending and returns at once; it is sent soon, and tried again until it expires, even if this process
    /// dies.
    ///
    /// # Errors
    /// Too many mails wait, or they can't be kept.
    async fn post(&self, mail: OutgoingMail) -> Result<MailId, MailError>;
    /// As long as [`Mailer::post`] takes, and with the same outcome, where there is nobody to mail to: who waits can't tell whether
    /// a mail was sent. That no mail can be sent at all is found out by it as by any other.
    ///
    /// # Errors
    /// As [`Mailer::post`].
    async fn post_to_nobody(&self) -> Result<MailId, MailError>;
    /// How a mail that was posted is doing. One that was sent, or is unknown, is in no trouble.
    ///
    /// # Errors
    /// It can't be looked up.
    async fn state(&self, mail: Option<MailId>) -> Result<MailState, MailError>;
}

/// A mail could not be accepted.
#[derive(Debug, thiserror::Error)]
#[error("mail could not be accepted: {0}")]
pub struct MailError(pub String);

/// Told when there is something new in the outbox, so that delivery need not wait for the next round.
pub trait Wake: Send + Sync {
    /// There is.
    fn wake(&self);
}

/// What another node has changed of the things that nodes keep in their memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// The key ring.
    Keys,
    /// What was learned of an account is erased.
    Account(AccountId),
    /// Anything: what was told may have been missed.
    Anything,
}

/// Tells the other nodes. Whatever they keep must also expire by itself, for what is told may be lost.
#[async_trait]
pub trait Herald: Send + Sync {
    /// Returns once it is on its way.
    async fn tell(&self, changed: Changed);
}

/// The ports that a provider runs on.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// The outbox's bell.
    pub wake: Arc<dyn Wake>,
    /// The other nodes.
    pub herald: Arc<dyn Herald>,
    /// Measurements.
    pub meter: Arc<dyn Meter>,
}

impl Ports {
    /// Now, in seconds.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    /// `N` fresh random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
    /// A new UUID version 7 (RFC 9562 §5.7): sorts by time.
    pub fn uuid(&self) -> Uuid {
        uuid(self.clock.as_ref(), self.entropy.as_ref())
    }
    /// Notes that tokens died, by what was begun at `begun_us` on the stopwatch.
    pub(crate) fn note_revoked(&self, cause: Revocation, begun_us: u64) {
        let us = self.meter.stopwatch_us().saturating_sub(begun_us);
        self.meter.measured(Measure::Revoked { cause, us });
    }
}

/// As [`Ports::uuid`], for who holds only these.
pub fn uuid(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let ms = u64::try_from(clock.now_ms()).unwrap_or(0);
    let mut random = [0; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
}
