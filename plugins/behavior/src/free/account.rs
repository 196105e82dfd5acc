//! What is kept of one account.

use super::counts::Counts;
use super::grid::{self, COARSE, FINE};
use super::timing::{Kind, Timing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Timings of a kind from which on everything is halved: old days fade as new ones come, and nothing grows without end.
const FULL: f64 = 16_384.0;

/// Cells of single keys and digraphs that are kept, at most: what bounds the size of an account with key identities.
const MAX_KEYED_CELLS: usize = 9000;

/// Timings of an account below which nothing is said of it.
const MIN_TIMINGS: f64 = 200.0;

/// Counts of an account's timings. There is no order in it and no text, only how often each cell was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    tag: u64,
    holds: Counts,
    digraphs: Counts,
    keyed: BTreeMap<u16, Counts>,
}

impl Account {
    /// An account of which nothing is known yet. By `tag`, a random number, it is recognised in a background, lest it be
    /// compared with itself.
    pub fn new(tag: u64) -> Self {
        Self { tag, ..Self::default() }
    }

    /// What the account is recognised by.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// Counts timings, each `weight` times: once for an ordinary session that ended well, twice for what was proven to be the
    /// owner's although it looked strange. What is no rhythm is left out.
    pub fn learn(&mut self, timings: &[Timing], weight: u16) {
        for timing in timings {
            let Some(cell) = grid::cell(timing.ms) else { continue };
            self.plain_mut(timing.kind).add(cell, weight);
            if let Some(feature) = timing.feature() {
                self.keyed.entry(feature).or_default().add(cell / 2, weight);
            }
        }
        while self.plain(Kind::Hold).total() > FULL || self.plain(Kind::Digraph).total() > FULL {
            self.holds.halve();
            self.digraphs.halve();
            self.halve_keyed();
        }
        while self.keyed.values().map(Counts::len).sum::<usize>() > MAX_KEYED_CELLS {
            self.halve_keyed();
        }
    }

    /// Timings that were counted, older ones less.
    pub fn timings(&self) -> f64 {
        self.holds.total() + self.digraphs.total()
    }

    /// True if there is enough for the account to be judged by.
    pub fn suffices(&self) -> bool {
        self.timings() >= MIN_TIMINGS
    }

    /// What is wrong with these numbers, if they can't come from [`Account::learn`].
    pub fn fault(&self) -> Option<&'static str> {
        if !self.holds.is_sound(FINE) || !self.digraphs.is_sound(FINE) {
            return Some("cells of all timings are out of order or range");
        }
        if !self.keyed.values().all(|counts| counts.is_sound(COARSE)) {
            return Some("cells of a key are out of order or range");
        }
        if self.keyed.keys().any(|feature| *feature < 0x100) {
            return Some("a key has no number");
        }
        let cells = self.keyed.values().map(Counts::len).sum::<usize>();
        (cells > MAX_KEYED_CELLS).then_some("there are too many cells of keys")
    }

    pub(super) fn plain(&self, kind: Kind) -> &Counts {
        match kind {
            Kind::Hold => &self.holds,
            Kind::Digraph => &self.digraphs,
        }
    }

    pub(super) fn keyed(&self) -> &BTreeMap<u16, Counts> {
        &self.keyed
    }

    fn plain_mut(&mut self, kind: Kind) -> &mut Counts {
        match kind {
            Kind::Hold => &mut self.holds,
            Kind::Digraph => &mut self.digraphs,
        }
    }

    fn halve_keyed(&mut self) {
        self.keyed.values_mut().for_each(Counts::halve);
        self.keyed.retain(|_, counts| counts.len() > 0);
    }
}
