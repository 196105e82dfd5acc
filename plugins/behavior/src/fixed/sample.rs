//! One typing of the text.

use std::ops::RangeInclusive;

/// Keys that a text may have. A shorter one tells too little, and a longer one is not typed the same way twice.
pub const KEYS: RangeInclusive<usize> = 4..=64;

/// Longest time that a key is believed to be held, in milliseconds.
const MAX_HOLD_MS: f64 = 5_000.0;

/// Longest time between two keys that is believed to be part of one typing, in milliseconds.
const MAX_DOWN_MS: f64 = 60_000.0;

/// Shorter holds count as this long, in milliseconds: below it, a clock measures itself.
const LEAST_HOLD_MS: f64 = 5.0;

/// The same for the time between two keys.
const LEAST_DOWN_MS: f64 = 10.0;

/// The timings of one typing of the text, without a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// How long each key was held, in milliseconds.
    hold_ms: Vec<f64>,
    /// From each keydown to the next, in milliseconds.
    down_ms: Vec<f64>,
}

impl Sample {
    /// Takes the times that each key was held and the times from each keydown to the next, in milliseconds and in order: one
    /// fewer of the latter. `None` if the lengths don't fit, if there are fewer than 4 or more than 64 keys, or if a time is
    /// nothing that a person typing a known text makes (not finite; held for no time or over 5 s; a pause of over a minute).
    pub fn new(hold_ms: &[f64], down_ms: &[f64]) -> Option<Self> {
        let fits = KEYS.contains(&hold_ms.len()) && down_ms.len() + 1 == hold_ms.len();
        // False for NaN as well.
        let holds = hold_ms.iter().all(|time| *time > 0.0 && *time <= MAX_HOLD_MS);
        let downs = down_ms.iter().all(|time| *time >= 0.0 && *time <= MAX_DOWN_MS);
        (fits && holds && downs).then(|| Self {
            hold_ms: hold_ms.to_vec(),
            down_ms: down_ms.to_vec(),
        })
    }

    /// How many keys were typed.
    pub fn keys(&self) -> usize {
        self.hold_ms.len()
    }

    /// Milliseconds that each key was held.
    pub(super) fn hold_ms(&self) -> &[f64] {
        &self.hold_ms
    }

    /// Milliseconds from each keydown to the next.
    pub(super) fn down_ms(&self) -> &[f64] {
        &self.down_ms
    }

    /// Logarithms of all holds, then of all times between keys: people vary by factors, not by milliseconds.
    pub(super) fn logs(&self) -> Vec<f64> {
        let holds = self.hold_ms.iter().map(|time| time.max(LEAST_HOLD_MS).ln());
        let downs = self.down_ms.iter().map(|time| time.max(LEAST_DOWN_MS).ln());
        holds.chain(downs).collect()
    }
}
