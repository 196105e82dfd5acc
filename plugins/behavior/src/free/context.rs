//! One way in which a person types.

use super::counts::Counts;
use super::density::{adapt, smooth};
use super::grid::{self, COARSE, FINE};
use super::timing::{Kind, Timing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Timings of a kind from which on everything is halved: old days fade as new ones come, and nothing grows without end.
const FULL: f64 = 16_384.0;

/// Timings that speak for the main context where it is asked which context a session belongs to.
const MAIN_PRIOR: f64 = 100.0;

/// Counts of timings: all holds, all digraphs, and each key and digraph that is known by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    pub holds: Counts,
    pub digraphs: Counts,
    pub keyed: BTreeMap<u16, Counts>,
}

impl Context {
    /// Counts timings, each `weight` times. What is no rhythm is left out.
    pub fn learn(&mut self, timings: &[Timing], weight: u16) {
        for timing in timings {
            let Some(cell) = grid::cell(timing.ms) else { continue };
            match timing.kind {
                Kind::Hold => self.holds.add(cell, weight),
                Kind::Digraph => self.digraphs.add(cell, weight),
            }
            if let Some(feature) = timing.feature() {
                self.keyed.entry(feature).or_default().add(grid::coarse(cell), weight);
            }
        }
        self.fade();
    }

    /// Takes in the counts of another context.
    pub fn merge(&mut self, other: &Self) {
        self.holds.merge(&other.holds);
        self.digraphs.merge(&other.digraphs);
        for (feature, counts) in &other.keyed {
            self.keyed.entry(*feature).or_default().merge(counts);
        }
        self.fade();
    }

    /// All timings of a kind.
    pub fn plain(&self, kind: Kind) -> &Counts {
        match kind {
            Kind::Hold => &self.holds,
            Kind::Digraph => &self.digraphs,
        }
    }

    /// Timings that were counted, older ones less.
    pub fn timings(&self) -> f64 {
        self.holds.total() + self.digraphs.total()
    }

    /// Cells of keys and digraphs that are kept.
    pub fn keyed_cells(&self) -> usize {
        self.keyed.values().map(Counts::len).sum()
    }

    /// Halves the counts of keys and digraphs; those that are nearly nothing are forgotten.
    pub fn halve_keyed(&mut self) {
        self.keyed.values_mut().for_each(Counts::halve);
        self.keyed.retain(|_, counts| counts.len() > 0);
    }

    /// How well timings fit, in nats; of use only beside that of another context.
    pub fn fit(&self, timings: &[Timing], main: &Self) -> f64 {
        let density = |kind: Kind| {
            let main = adapt(&smooth(&main.plain(kind).dense(FINE)), &[1.0 / FINE as f64; FINE], MAIN_PRIOR);
            adapt(&smooth(&self.plain(kind).dense(FINE)), &main, MAIN_PRIOR)
        };
        let (holds, digraphs) = (density(Kind::Hold), density(Kind::Digraph));
        let of = |timing: &Timing| {
            let density = if timing.kind == Kind::Hold { &holds } else { &digraphs };
            grid::cell(timing.ms).map(|cell| density[usize::from(cell)].ln())
        };
        timings.iter().filter_map(of).sum()
    }

    /// What is wrong with these numbers, if they can't come from [`Context::learn`].
    pub fn fault(&self) -> Option<&'static str> {
        if !self.holds.is_sound(FINE) || !self.digraphs.is_sound(FINE) {
            return Some("cells of all timings are out of order or range");
        }
        if !self.keyed.values().all(|counts| counts.is_sound(COARSE)) {
            return Some("cells of a key are out of order or range");
        }
        // The smallest feature is key 1, held.
        self.keyed
            .keys()
            .any(|feature| *feature < 0x100)
            .then_some("a key has no number")
    }

    fn fade(&mut self) {
        while self.holds.total() > FULL || self.digraphs.total() > FULL {
            self.holds.halve();
            self.digraphs.halve();
            self.halve_keyed();
        }
    }
}
