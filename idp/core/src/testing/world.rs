//! Ports that a test holds in its hand.

use crate::ids::MailId;
use crate::measure::{Measure, Meter};
use crate::ports::{Changed, Clock, Entropy, Herald, MailError, MailState, MailTrouble, Mailer, OutgoingMail, Ports, Wake};
use async_trait::async_trait;
use aws_lc_rs::digest;
use gait_sdk::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct StoppedClock(AtomicI64);

impl StoppedClock {
    /// Stands at `at`.
    pub fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.0 * 1000))
    }
    /// Now, in seconds.
    pub fn now(&self) -> Timestamp {
        Clock::now(self)
    }
    /// Sets it to `at`.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.0 * 1000, Ordering::SeqCst);
    }
    /// Moves it by `seconds`, backwards if negative.
    pub fn advance(&self, seconds: i64) {
        self.advance_ms(seconds * 1000);
    }
    /// Moves it by milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Bytes that look random and are the same for the same seed: SHA-256 of seed and counter. No two calls give the same.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    blocks: AtomicU64,
}

impl SeededEntropy {
    /// Starts at the beginning of `seed`'s sequence.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            blocks: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(digest::SHA256_OUTPUT_LEN) {
            let block = self.blocks.fetch_add(1, Ordering::SeqCst);
            let input = [self.seed.to_be_bytes(), block.to_be_bytes()].concat();
            part.copy_from_slice(&digest::digest(&digest::SHA256, &input).as_ref()[..part.len()]);
        }
    }
}

/// Ids of mails to nobody begin here.
const NOBODYS: u128 = 1 << 64;

/// A mailer that keeps what is posted.
#[derive(Default)]
pub struct Mailbox {
    mails: Mutex<Vec<OutgoingMail>>,
    closed: AtomicBool,
    posted: AtomicU64,
    state: Mutex<MailState>,
}

impl Mailbox {
    /// All mails so far, oldest first.
    pub fn all(&self) -> Vec<OutgoingMail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Mails to `address`, oldest first.
    pub fn to(&self, address: &str) -> Vec<OutgoingMail> {
        self.all().into_iter().filter(|mail| mail.to == address).collect()
    }
    /// The newest mail of `template` to `address`.
    pub fn last(&self, address: &str, template: &str) -> Option<OutgoingMail> {
        self.to(address).into_iter().rev().find(|mail| mail.template == template)
    }
    /// Throws all mails away.
    pub fn empty(&self) {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
    /// How many were posted so far, to nobody included.
    pub fn posted(&self) -> u64 {
        self.posted.load(Ordering::SeqCst)
    }
    /// What is wrong from now on: with every mail to somebody, and with mail as such.
    pub fn trouble(&self, trouble: Option<MailTrouble>, is_service_out: bool) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = MailState { trouble, is_service_out };
    }
    fn take(&self, mail: Option<OutgoingMail>) -> Result<MailId, MailError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(MailError("the mailbox is closed".to_owned()));
        }
        let count = u128::from(self.posted.fetch_add(1, Ordering::SeqCst));
        let id = if mail.is_some() { count } else { NOBODYS + count };
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).extend(mail);
        Ok(MailId(Uuid::from_u128(id)))
    }
    /// Refuses mail from now on (`true`), or takes it again.
    pub fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::SeqCst);
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn post(&self, mail: OutgoingMail) -> Result<MailId, MailError> {
        self.take(Some(mail))
    }

    async fn post_to_nobody(&self) -> Result<MailId, MailError> {
        self.take(None)
    }

    async fn state(&self, mail: Option<MailId>) -> Result<MailState, MailError> {
        let mut state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A mail to nobody is never in trouble of its own.
        state.trouble = state.trouble.filter(|_| mail.is_some_and(|id| id.0.as_u128() < NOBODYS));
        Ok(state)
    }
}

/// Counts how often the outbox's bell was rung.
#[derive(Debug, Default)]
pub struct Bell(AtomicU64);

impl Bell {
    /// How often.
    pub fn rung(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Keeps what was measured.
#[derive(Default)]
pub struct Measured(Mutex<Vec<Measure>>);

impl Measured {
    /// All so far, oldest first.
    pub fn all(&self) -> Vec<Measure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// How many are wanted ones.
    pub fn count(&self, is: impl Fn(&Measure) -> bool) -> usize {
        self.all().iter().filter(|measure| is(measure)).count()
    }
}

impl Meter for Measured {
    fn stopwatch_us(&self) -> u64 {
        0
    }
    fn measured(&self, what: Measure) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

/// Keeps what other nodes were told.
#[derive(Debug, Default)]
pub struct Told(Mutex<Vec<Changed>>);

impl Told {
    /// All of it, oldest first.
    pub fn all(&self) -> Vec<Changed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Herald for Told {
    async fn tell(&self, changed: Changed) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(changed);
    }
}

/// The ports of a test, each also by its own type.
#[derive(Clone)]
pub struct TestPorts {
    /// Time.
    pub clock: Arc<StoppedClock>,
    /// Randomness.
    pub entropy: Arc<SeededEntropy>,
    /// Mail.
    pub mailbox: Arc<Mailbox>,
    /// The outbox's bell.
    pub bell: Arc<Bell>,
    /// What other nodes were told.
    pub told: Arc<Told>,
    /// What was measured.
    pub measured: Arc<Measured>,
}

impl TestPorts {
    /// The same as the rules see them.
    pub fn ports(&self) -> Ports {
        Ports {
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            mailer: self.mailbox.clone(),
            wake: self.bell.clone(),
            herald: self.told.clone(),
            meter: self.measured.clone(),
        }
    }
}

/// Fresh test ports: the clock stands at 2030-01-01T00:00:00Z, randomness starts at seed 1.
pub fn ports() -> TestPorts {
    TestPorts {
        clock: Arc::new(StoppedClock::new(Timestamp(1_893_456_000))),
        entropy: Arc::new(SeededEntropy::new(1)),
        mailbox: Arc::default(),
        bell: Arc::default(),
        told: Arc::default(),
        measured: Arc::default(),
    }
}
