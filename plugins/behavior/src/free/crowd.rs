//! A background made ready to be compared with.

use super::account::Account;
use super::background::Background;
use super::counts::Counts;
use super::density::{Tilt, adapt, smooth};
use super::grid::{self, COARSE, FINE};
use super::timing::{Kind, Timing, kind_of};
use std::collections::BTreeMap;

/// Timings of a key or digraph, of all members, below which it has no density of its own.
const MIN_SEEN: f64 = 150.0;

/// Timings that speak for the prior in a single key or digraph.
const KEYED_PRIOR: f64 = 6.0;

/// Timings that speak for everybody's density in an account's.
const PLAIN_PRIOR: f64 = 20.0;

/// Share of each density that is spread evenly, so that nothing is impossible.
const FLOOR: f64 = 0.001;

/// The background as densities: everybody's, and each member's.
pub struct Crowd {
    /// Keys and digraphs with densities of their own, in order.
    features: Vec<u16>,
    /// Everybody's density, one after another: all holds, all digraphs, each feature.
    everybody: Vec<f64>,
    /// For each cell, its density with everybody, then with each member.
    voices: Vec<f32>,
    /// The members' tags.
    tags: Vec<u64>,
}

impl Crowd {
    /// Makes a background ready. It is worth keeping: all accounts can share it.
    pub fn new(background: &Background) -> Self {
        let members = background.members();
        let features = common(members);
        let mut crowd = Self {
            everybody: everybody(members, &features),
            features,
            voices: Vec::new(),
            tags: members.iter().map(Account::tag).collect(),
        };
        let densities: Vec<_> = members.iter().map(|member| crowd.density(member)).collect();
        let voices = |cell: usize| {
            let everybody = std::iter::once(crowd.everybody[cell] as f32);
            everybody.chain(densities.iter().map(move |density| density[cell]))
        };
        crowd.voices = (0..crowd.everybody.len()).flat_map(voices).collect();
        crowd
    }

    /// How many voices there are: everybody's, and each member's.
    pub fn size(&self) -> usize {
        self.tags.len() + 1
    }

    /// The voice of the account with this tag.
    pub(super) fn voice_of(&self, tag: u64) -> Option<usize> {
        self.tags.binary_search(&tag).ok().map(|i| i + 1)
    }

    /// Where the densities of a timing are; `None` if it is no rhythm.
    pub(super) fn slot(&self, timing: &Timing) -> Option<usize> {
        let cell = usize::from(grid::cell(timing.ms)?);
        let known = timing
            .feature()
            .and_then(|feature| self.features.binary_search(&feature).ok());
        Some(match (known, timing.kind) {
            (Some(i), _) => 2 * FINE + i * COARSE + cell / 2,
            (None, Kind::Hold) => cell,
            (None, Kind::Digraph) => FINE + cell,
        })
    }

    /// What everybody and each member say to a slot.
    pub(super) fn voices(&self, slot: usize) -> &[f32] {
        &self.voices[slot * self.size()..(slot + 1) * self.size()]
    }

    /// An account's densities in all slots.
    pub(super) fn density(&self, account: &Account) -> Vec<f32> {
        let mut density = Vec::with_capacity(self.everybody.len());
        for (kind, everybody) in [Kind::Hold, Kind::Digraph].into_iter().zip(self.everybody.chunks(FINE)) {
            density.extend(adapt(&smooth(&account.plain(kind).dense(FINE)), everybody, PLAIN_PRIOR));
        }
        let keyed: Vec<_> = self
            .features
            .iter()
            .map(|feature| account.keyed().get(feature).map(|counts| smooth(&counts.dense(COARSE))))
            .collect();
        let parts = || self.features.iter().zip(self.everybody[2 * FINE..].chunks(COARSE));
        let (mut holds, mut digraphs) = (Tilt::new(), Tilt::new());
        for ((feature, everybody), counts) in parts().zip(&keyed) {
            let tilt = if kind_of(*feature) == Kind::Hold {
                &mut holds
            } else {
                &mut digraphs
            };
            if let Some(counts) = counts {
                tilt.compare(counts, everybody);
            }
        }
        for ((feature, everybody), counts) in parts().zip(&keyed) {
            let prior = if kind_of(*feature) == Kind::Hold { &holds } else { &digraphs }.apply(everybody);
            match counts {
                Some(counts) => density.extend(adapt(counts, &prior, KEYED_PRIOR)),
                None => density.extend(prior),
            }
        }
        density.into_iter().map(|share| share as f32).collect()
    }
}

/// Keys and digraphs that were seen often enough.
fn common(members: &[Account]) -> Vec<u16> {
    let mut seen: BTreeMap<u16, f64> = BTreeMap::new();
    for (feature, counts) in members.iter().flat_map(Account::keyed) {
        *seen.entry(*feature).or_default() += counts.total();
    }
    seen.retain(|_, total| *total >= MIN_SEEN);
    seen.into_keys().collect()
}

/// Everybody's densities: all holds, all digraphs, each feature.
fn everybody(members: &[Account], features: &[u16]) -> Vec<f64> {
    let mut all = Vec::new();
    for kind in [Kind::Hold, Kind::Digraph] {
        all.extend(pooled(members.iter().map(|member| member.plain(kind)), FINE));
    }
    for feature in features {
        all.extend(pooled(
            members.iter().filter_map(|member| member.keyed().get(feature)),
            COARSE,
        ));
    }
    all
}

fn pooled<'a>(counts: impl Iterator<Item = &'a Counts>, cells: usize) -> Vec<f64> {
    let mut sum = vec![0.0; cells];
    for counts in counts {
        sum.iter_mut()
            .zip(smooth(&counts.dense(cells)))
            .for_each(|(sum, count)| *sum += count);
    }
    let total: f64 = sum.iter().sum();
    let even = 1.0 / cells as f64;
    let share = |count: f64| {
        if total > 0.0 {
            (1.0 - FLOOR) * count / total + FLOOR * even
        } else {
            even
        }
    };
    sum.into_iter().map(share).collect()
}
