//! A background made ready to be compared with.

use super::account::Account;
use super::background::{Background, Member, common};
use super::context::Context;
use super::counts::Counts;
use super::density::{Tilt, adapt, smooth};
use super::grid::{self, COARSE, FINE};
use super::timing::{Kind, Timing, kind_of};

/// How many timings the prior is worth: where all holds or all digraphs are counted together, and in one key or digraph.
struct Prior {
    plain: f64,
    keyed: f64,
}

/// For what an account has learned in ordinary sessions.
const MAIN: Prior = Prior { plain: 20.0, keyed: 6.0 };

/// For its other contexts, which have seen little.
const OTHER: Prior = Prior {
    plain: 100.0,
    keyed: 20.0,
};

/// Share of everybody's density that is spread evenly, so that nothing is impossible.
const FLOOR: f64 = 0.001;

/// The background as densities: everybody's, and each member's. With key identities it takes some megabytes, so all accounts
/// share one.
pub struct Crowd {
    /// Keys and digraphs with densities of their own, in order.
    features: Vec<u16>,
    /// Everybody's densities, one after another: all holds, all digraphs, each feature.
    everybody: Vec<f64>,
    /// For each slot of them, the density with everybody, then with each member.
    voices: Vec<f32>,
    /// The members' tags, in order.
    tags: Vec<u64>,
}

impl Crowd {
    /// Makes a background ready.
    pub fn new(background: &Background) -> Self {
        let members = background.members();
        let features = common(members.iter().map(|member| &member.context));
        let mut crowd = Self {
            everybody: everybody(members, &features),
            features,
            voices: Vec::new(),
            tags: members.iter().map(|member| member.tag).collect(),
        };
        let densities: Vec<_> = members.iter().map(|member| crowd.density(&member.context, &MAIN)).collect();
        let voices = |slot: usize| {
            let everybody = std::iter::once(crowd.everybody[slot] as f32);
            everybody.chain(densities.iter().map(move |density| density[slot]))
        };
        crowd.voices = (0..crowd.everybody.len()).flat_map(voices).collect();
        crowd
    }

    /// The voice of the account with this tag.
    pub(super) fn voice_of(&self, tag: u64) -> Option<usize> {
        self.tags.binary_search(&tag).ok().map(|i| i + 1)
    }

    /// Where the densities of a timing are; `None` if it is no rhythm.
    pub(super) fn slot(&self, timing: &Timing) -> Option<usize> {
        let cell = grid::cell(timing.ms)?;
        let known = timing
            .feature()
            .and_then(|feature| self.features.binary_search(&feature).ok());
        Some(match (known, timing.kind) {
            (Some(i), _) => 2 * FINE + i * COARSE + usize::from(grid::coarse(cell)),
            (None, Kind::Hold) => usize::from(cell),
            (None, Kind::Digraph) => FINE + usize::from(cell),
        })
    }

    /// What everybody and each member say to a slot.
    pub(super) fn voices(&self, slot: usize) -> &[f32] {
        let voices = self.tags.len() + 1;
        &self.voices[slot * voices..(slot + 1) * voices]
    }

    /// An account's densities in all slots, for each of its contexts.
    pub(super) fn densities(&self, account: &Account) -> Vec<Vec<f32>> {
        let prior = |i: usize| if i == 0 { &MAIN } else { &OTHER };
        account
            .contexts()
            .iter()
            .enumerate()
            .map(|(i, context)| self.density(context, prior(i)))
            .collect()
    }

    fn density(&self, context: &Context, prior: &Prior) -> Vec<f32> {
        let mut density = Vec::with_capacity(self.everybody.len());
        for (kind, everybody) in [Kind::Hold, Kind::Digraph].into_iter().zip(self.everybody.chunks(FINE)) {
            density.extend(adapt(&smooth(&context.plain(kind).dense(FINE)), everybody, prior.plain));
        }
        let counts = |feature: &u16| Some(smooth(&context.keyed.get(feature)?.dense(COARSE)));
        let keyed: Vec<_> = self.features.iter().map(counts).collect();
        let (holds, digraphs) = (
            self.tilt(Kind::Hold, context, &keyed),
            self.tilt(Kind::Digraph, context, &keyed),
        );
        for ((feature, everybody), counts) in self.keyed().zip(&keyed) {
            let tilt = if kind_of(feature) == Kind::Hold { &holds } else { &digraphs };
            let expected = tilt.apply(everybody);
            density.extend(
                counts
                    .as_ref()
                    .map_or_else(|| expected.clone(), |counts| adapt(counts, &expected, prior.keyed)),
            );
        }
        density.into_iter().map(|share| share as f32).collect()
    }

    /// How a context differs from everybody in all keys, or all digraphs; where it has none by name, in all timings of the kind.
    fn tilt(&self, kind: Kind, context: &Context, keyed: &[Option<Vec<f64>>]) -> Tilt {
        let mut tilt = Tilt::default();
        for ((feature, everybody), counts) in self.keyed().zip(keyed) {
            if let Some(counts) = counts.as_ref().filter(|_| kind_of(feature) == kind) {
                tilt.compare(counts, everybody);
            }
        }
        if context.keyed.is_empty() {
            let plain = if kind == Kind::Hold {
                &self.everybody[..FINE]
            } else {
                &self.everybody[FINE..2 * FINE]
            };
            tilt.compare(&smooth(&context.plain(kind).dense(FINE)), plain);
        }
        tilt
    }

    /// The features and everybody's densities of them.
    fn keyed(&self) -> impl Iterator<Item = (u16, &[f64])> {
        self.features.iter().copied().zip(self.everybody[2 * FINE..].chunks(COARSE))
    }
}

/// Everybody's densities: all holds, all digraphs, each feature.
fn everybody(members: &[Member], features: &[u16]) -> Vec<f64> {
    let contexts = || members.iter().map(|member| &member.context);
    let mut all = Vec::with_capacity(2 * FINE + features.len() * COARSE);
    for kind in [Kind::Hold, Kind::Digraph] {
        all.extend(pooled(contexts().map(|context| context.plain(kind)), FINE));
    }
    for feature in features {
        all.extend(pooled(contexts().filter_map(|context| context.keyed.get(feature)), COARSE));
    }
    all
}

fn pooled<'a>(counts: impl Iterator<Item = &'a Counts>, cells: usize) -> Vec<f64> {
    let mut sum = vec![0.0; cells];
    for counts in counts {
        sum.iter_mut().zip(counts.dense(cells)).for_each(|(sum, count)| *sum += count);
    }
    let sum = smooth(&sum);
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
