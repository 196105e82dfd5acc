//! How often somebody calls, counted where it may cost nothing: in this process. What is near its limit is told to the other nodes
//! once a second, and what they have counted is learned, so all nodes together let pass at most what one would, and what comes in
//! that second. While the ephemeral store is away each goes on with what it knows.
//!
//! What guards an account is not counted here, but exactly: see `flow::limits`.

use crate::Idp;
use crate::continuous::Sender;
use crate::error::{Error, Result};
use crate::ids::{AccountId, ClientId, SessionId};
use gait_sdk::{Timestamp, network_of};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seconds of a window.
pub(crate) const WINDOW_S: u32 = 60;
/// Most keys; beyond it those with little on them are forgotten.
const MAX_KEYS: usize = 100_000;
/// A key is told once this part of its limit was counted since it was told last.
const PORTION: u64 = 16;
/// Most keys that are told in one go.
const MAX_TOLD: usize = 1000;

/// The counts of this node.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<String, Tally>>);

/// What is known of one key in its window.
struct Tally {
    closes_at: Timestamp,
    window_s: u32,
    most: u64,
    /// Counted here.
    own: u64,
    /// Of these, not told yet.
    untold: u64,
    /// All nodes together, when it was told last.
    known: u64,
}

impl Tally {
    fn count(&self) -> u64 {
        self.own.max(self.known.saturating_add(self.untold))
    }

    fn is_over(&self, most: u64) -> bool {
        self.count() >= most
    }

    /// Little enough to be forgotten when room is needed.
    fn is_noise(&self) -> bool {
        self.count().saturating_mul(4) < self.most
    }
}

/// What the other nodes are told.
struct Told {
    key: String,
    number: u64,
    window_s: u32,
}

impl Rates {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Tally>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether `most` were counted under `key` already.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the seconds until the window closes.
    pub(crate) fn check(&self, key: &str, most: u64, now: Timestamp) -> Result<()> {
        match self.lock().get(key) {
            Some(tally) if now < tally.closes_at && tally.is_over(most) => Err(too_many(tally, now)),
            _ => Ok(()),
        }
    }

    /// Counts one under `key`, unless `most` were counted in the window that is open for it, or in one of `window_s` that opens now.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the seconds until the window closes.
    pub(crate) fn count(&self, key: &str, most: u64, window_s: u32, now: Timestamp) -> Result<()> {
        let mut tallies = self.lock();
        if let Some(tally) = tallies.get_mut(key).filter(|tally| now < tally.closes_at) {
            if tally.is_over(most) {
                return Err(too_many(tally, now));
            }
            tally.own += 1;
            tally.untold += 1;
            return Ok(());
        }
        if tallies.len() >= MAX_KEYS {
            tallies.retain(|_, tally| now < tally.closes_at && !tally.is_noise());
        }
        if tallies.len() >= MAX_KEYS {
            return Err(Error::TooMany(window_s));
        }
        let tally = Tally {
            closes_at: now.plus(i64::from(window_s)),
            window_s,
            most,
            own: 1,
            untold: 1,
            known: 0,
        };
        tallies.insert(key.to_owned(), tally);
        Ok(())
    }

    /// What is to be told now. Windows that have closed are forgotten.
    fn due(&self, now: Timestamp) -> Vec<Told> {
        let mut tallies = self.lock();
        tallies.retain(|_, tally| now < tally.closes_at);
        let is_due = |tally: &Tally| tally.untold > 0 && tally.untold.saturating_mul(PORTION) >= tally.most;
        let due = tallies.iter().filter(|(_, tally)| is_due(tally)).take(MAX_TOLD);
        due.map(|(key, tally)| Told {
            key: key.clone(),
            number: tally.untold,
            window_s: tally.window_s,
        })
        .collect()
    }

    /// What was told has arrived, and all nodes together have counted `known`.
    fn learn(&self, told: &Told, known: u64) {
        if let Some(tally) = self.lock().get_mut(&told.key) {
            tally.untold = tally.untold.saturating_sub(told.number);
            tally.known = tally.known.max(known);
        }
    }
}

fn too_many(tally: &Tally, now: Timestamp) -> Error {
    let left = tally.closes_at.since(now).clamp(1, i64::from(tally.window_s));
    Error::TooMany(u32::try_from(left).unwrap_or(tally.window_s))
}

/// What stands for an address in counts: its network, as for visitors.
pub(crate) fn network(address: Option<IpAddr>) -> String {
    let network = address.and_then(network_of);
    network.map_or("unknown".to_owned(), |network| network.to_string())
}

impl Idp {
    /// Before a program's request is looked at: has its address called too often, or been refused too often?
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn check_program(&self, address: Option<IpAddr>) -> Result<()> {
        let limits = &self.policy.limits;
        let (network, now) = (network(address), self.ports.now());
        self.rates.check(&refused_key(&network), limits.refused_per_address, now)?;
        self.count_call(|| format!("calls:{network}"), limits.calls_per_address)
    }

    /// A program's request was refused: bad credentials, a bad token, nonsense.
    pub fn note_refused(&self, address: Option<IpAddr>) {
        let most = self.policy.limits.refused_per_address;
        let key = refused_key(&network(address));
        // Who has too many already is told so by the next check.
        let _over = self.rates.count(&key, most, WINDOW_S, self.ports.now());
    }

    /// Counts a call by a client that has proven itself.
    pub(crate) fn count_client(&self, client: &ClientId) -> Result<()> {
        self.count_call(|| format!("client:{client}"), self.policy.limits.calls_per_client)
    }

    /// Counts a call with a token of an account's.
    pub(crate) fn count_account(&self, account: AccountId) -> Result<()> {
        self.count_call(|| format!("account:{account}"), self.policy.limits.calls_per_account)
    }

    /// Counts a batch of a watched session.
    pub(crate) fn count_samples(&self, session: &SessionId) -> Result<()> {
        self.count_call(|| format!("samples:{session}"), self.policy.limits.samples_per_session)
    }

    /// Counts a signal of a sender that has proven itself.
    pub(crate) fn count_signal(&self, sender: &Sender) -> Result<()> {
        self.count_call(|| format!("signals:{}", sender.issuer), self.policy.limits.signals_per_sender)
    }

    /// `most` of 0 is no limit, and costs nothing.
    fn count_call(&self, key: impl FnOnce() -> String, most: u64) -> Result<()> {
        match most {
            0 => Ok(()),
            most => self.rates.count(&key(), most, WINDOW_S, self.ports.now()),
        }
    }

    /// Tells the other nodes what was counted here, and learns what they have counted. To be called once a second.
    ///
    /// # Errors
    /// The ephemeral store is away: it is told later.
    pub async fn share_rates(&self) -> Result<()> {
        for told in self.rates.due(self.ports.now()) {
            let known = self
                .ephemeral
                .add(&format!("rate:{}", told.key), told.number, told.window_s)
                .await?;
            self.rates.learn(&told, known);
        }
        Ok(())
    }
}

fn refused_key(network: &str) -> String {
    format!("refused:{network}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const NOW: Timestamp = Timestamp(1_893_456_000);

    fn counted(rates: &Rates, key: &str, times: usize, most: u64) -> usize {
        (0..times).filter(|_| rates.count(key, most, 60, NOW).is_ok()).count()
    }

    #[test]
    fn so_many_pass_and_no_more_until_the_window_closes() {
        let rates = Rates::default();
        assert_eq!(counted(&rates, "a", 30, 20), 20);
        assert!(matches!(rates.check("a", 20, NOW.plus(59)), Err(Error::TooMany(1))));
        assert!(rates.check("b", 20, NOW).is_ok());
        assert!(rates.count("a", 20, 60, NOW.plus(60)).is_ok());
    }

    #[test]
    fn what_others_count_counts_here_too() {
        let rates = Rates::default();
        assert_eq!(counted(&rates, "a", 4, 20), 4);
        let due = rates.due(NOW);
        assert_eq!(due.iter().map(|told| told.number).sum::<u64>(), 4);
        rates.learn(&due[0], 17);
        assert!(rates.due(NOW).is_empty(), "told once");
        assert_eq!(counted(&rates, "a", 30, 20), 3);
    }

    #[test]
    fn a_window_that_was_opened_anew_elsewhere_does_not_open_this_one() {
        let rates = Rates::default();
        assert_eq!(counted(&rates, "a", 10, 20), 10);
        rates.learn(&rates.due(NOW)[0], 10);
        assert_eq!(counted(&rates, "a", 8, 20), 8);
        rates.learn(&rates.due(NOW)[0], 8);
        assert_eq!(counted(&rates, "a", 30, 20), 2);
    }

    #[test]
    fn little_of_much_is_not_told() {
        let rates = Rates::default();
        counted(&rates, "a", 62, 1000);
        assert!(rates.due(NOW).is_empty());
        counted(&rates, "a", 1, 1000);
        assert_eq!(rates.due(NOW).len(), 1);
        assert!(rates.due(NOW.plus(60)).is_empty(), "and nothing of what is past");
    }

    /// Whoever has many addresses must not make those that are near a limit forgotten.
    #[test]
    fn when_there_is_no_room_noise_is_forgotten_first() {
        let rates = Rates::default();
        counted(&rates, "loud", 20, 20);
        for number in 0..MAX_KEYS + 10 {
            rates.count(&format!("noise{number}"), 20, 60, NOW).unwrap();
        }
        assert!(rates.lock().len() <= MAX_KEYS);
        assert!(rates.check("loud", 20, NOW).is_err());
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        let network_of = |text: &str| network(text.parse().ok());
        assert_eq!(network_of("2001:db8::1"), network_of("2001:db8:0:0:ffff::2"));
        assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
        assert_eq!(network_of("::ffff:192.0.2.7"), network_of("192.0.2.7"));
        assert_eq!(network(None), "unknown");
    }
}
