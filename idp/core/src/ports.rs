//! What the rules need of the world: time, randomness, mail, and somebody who counts.

use crate::ids::ClientId;
use crate::measure::{Measure, Meter, Revocation};
use async_trait::async_trait;
use gait_sdk::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch, UTC.
    fn now_ms(&self) -> i64;
}

/// Gives cryptographically secure randomness.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// A mail, before a theme gives it words.
#[derive(Clone, PartialEq, Eq)]
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
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Accepts a mail for sending and returns at once, in the same time whatever the address: who waits can't tell whether
    /// a mail was sent.
    ///
    /// # Errors
    /// The queue is full or mail isn't configured.
    async fn post(&self, mail: OutgoingMail) -> Result<(), MailError>;
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
    /// Measurements.
    pub meter: Arc<dyn Meter>,
}

impl Ports {
    /// Now, in seconds.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.now_ms().div_euclid(1000))
    }
    /// `N` fresh random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
    /// A new UUID version 7 (RFC 9562 §5.7): sorts by time.
    pub fn uuid(&self) -> Uuid {
        let ms = u64::try_from(self.clock.now_ms()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &self.random()).into_uuid()
    }
    /// Notes that tokens died, by what was begun at `begun_us` on the stopwatch.
    pub(crate) fn note_revoked(&self, cause: Revocation, begun_us: u64) {
        let us = self.meter.stopwatch_us().saturating_sub(begun_us);
        self.meter.measured(Measure::Revoked { cause, us });
    }
}
