//! How the owner types the text.

use super::anchor::Anchor;
use super::evidence::Evidence;
use super::judgement::{Attack, Judgement};
use super::memory::{Memory, regular};
use super::profile::Profile;
use super::sample::{KEYS, Sample};
use serde::{Deserialize, Serialize};

/// Samples until a template judges.
pub const LEAST: usize = 5;

/// Newest samples that are kept.
const KEPT: usize = 60;

/// Times are kept in quarters of a millisecond.
const QUARTERS: f64 = 4.0;

/// Largest time that is kept, in quarters of a millisecond: 15 s.
const MOST_QUARTERS: u16 = 60_000;

/// Share of the account's own newest samples that are no further from the others than what may be learned without a proof.
const OWN_RANGE: f64 = 0.8;

/// Evidence for the owner, in nats, that such a sample must give.
const OWN_LLR: f64 = 2.0;

/// The newest samples of one text, typed by one person on one class of device.
///
/// State: about 6 kB for a text of 8 keys and at most 35 kB for one of 64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    keys: usize,
    /// Oldest first: holds, then times between keydowns, in quarters of a millisecond.
    kept: Vec<Vec<u16>>,
    pub(super) anchor: Anchor,
    memory: Memory,
}

impl Template {
    /// An empty template of a text of so many keys.
    pub fn new(keys: usize) -> Self {
        Self {
            keys,
            kept: Vec::new(),
            anchor: Anchor::default(),
            memory: Memory::default(),
        }
    }

    /// How many keys the text has.
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// How many samples it is made of, 0..=60. It judges from 5 on.
    pub fn samples(&self) -> usize {
        self.kept.len()
    }

    /// True if it has enough samples to judge.
    pub fn judges(&self) -> bool {
        self.kept.len() >= LEAST
    }

    /// Learns a sample. If it is `proven` (a strong factor or a passed step-up says whose it is), it also moves the anchor; if
    /// not, it must have been judged to be [`Judgement::inside`] — judged again here, so that a caller's mistake poisons
    /// nothing — and is otherwise only remembered; so the first 5 must be proven. A sample of another length is ignored. Returns
    /// whether it was learned. Every sample goes once to either this or [`Self::remember`], after it was judged: what the
    /// template has seen before is a replay.
    pub fn learn(&mut self, sample: &Sample, proven: bool) -> bool {
        if sample.keys() != self.keys {
            return false;
        }
        if !proven && !self.judge(sample).is_some_and(|judgement| judgement.inside) {
            self.remember(sample);
            return false;
        }
        if proven {
            self.anchor.prove(&sample.logs());
        }
        self.memory.learned(sample);
        let times = sample.hold_ms().iter().chain(sample.down_ms());
        self.kept.push(times.map(|time| quarters(*time)).collect());
        let surplus = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..surplus);
        true
    }

    /// Remembers a sample that was judged and is not to be learned, so that its replay is recognised.
    pub fn remember(&mut self, sample: &Sample) {
        if sample.keys() == self.keys {
            self.memory.attempt(sample);
        }
    }

    /// Judges a sample; `None` if too little is known of the owner, or the text has another length.
    pub fn judge(&self, sample: &Sample) -> Option<Judgement> {
        if !self.judges() || sample.keys() != self.keys {
            return None;
        }
        let samples: Vec<Sample> = self.kept.iter().filter_map(|times| self.restore(times)).collect();
        if samples.len() < LEAST {
            return None;
        }
        let profile = Profile::of(self.keys, &samples);
        let evidence = Evidence::of(&profile, sample);
        let attack = self.attack(sample, &profile, &evidence);
        let llr = evidence.llr();
        let inside = attack.is_none() && llr >= OWN_LLR && self.anchor.holds(&sample.logs()) && in_range(&profile, &evidence);
        Some(Judgement {
            score: evidence.score(),
            llr,
            inside,
            attack,
        })
    }

    fn attack(&self, sample: &Sample, profile: &Profile, evidence: &Evidence) -> Option<Attack> {
        if self.memory.knows(sample) {
            Some(Attack::Replay)
        } else if regular(sample) {
            Some(Attack::Regular)
        } else if evidence.synthetic(profile) {
            Some(Attack::Synthetic)
        } else {
            None
        }
    }

    fn restore(&self, times: &[u16]) -> Option<Sample> {
        let times: Vec<f64> = times.iter().map(|time| f64::from(*time) / QUARTERS).collect();
        let (hold_ms, down_ms) = times.split_at_checked(self.keys)?;
        Sample::new(hold_ms, down_ms)
    }

    /// What is wrong with these numbers, if they can't come from [`Template::learn`].
    pub fn fault(&self) -> Option<&'static str> {
        if !KEYS.contains(&self.keys) {
            return Some("the text has too few or too many keys");
        }
        if self.kept.len() > KEPT {
            return Some("there are too many samples");
        }
        if self.kept.iter().any(|times| self.restore(times).is_none()) {
            return Some("a sample is out of range");
        }
        self.anchor.fault(2 * self.keys - 1).or_else(|| self.memory.fault(self.keys))
    }
}

/// True if a sample is as close to the owner's others as most of them are to each other.
fn in_range(profile: &Profile, evidence: &Evidence) -> bool {
    let own = profile.own_distances();
    let at = ((own.len().saturating_sub(1)) as f64 * OWN_RANGE) as usize;
    own.get(at).is_some_and(|bound| evidence.distance <= *bound)
}

fn quarters(time: f64) -> u16 {
    // Never 0, which no hold is.
    ((time * QUARTERS).round() as u16).clamp(1, MOST_QUARTERS)
}
