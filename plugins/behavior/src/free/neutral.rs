//! Made-up people: log-normal holds and digraphs, slow and fast, in every combination.

use super::context::Context;
use super::counts::Counts;
use super::grid::{FINE, centre};

/// Medians of holds, in milliseconds.
const HOLDS: [f64; 4] = [75.0, 92.0, 110.0, 140.0];

/// Medians of digraphs within a word, in milliseconds.
const DIGRAPHS: [f64; 4] = [140.0, 190.0, 250.0, 340.0];

/// Standard deviation of a hold's logarithm.
const HOLD_SPREAD: f64 = 0.36;

/// Share, factor of the median, and standard deviation of the logarithm: digraphs within a word, and those that wait for a thought.
const FLOWING: (f64, f64, f64) = (0.75, 1.0, 0.5);
const THINKING: (f64, f64, f64) = (0.25, 3.0, 0.6);

/// Timings of each kind that one of these people is worth.
const TIMINGS: f64 = 3000.0;

/// One person for every pair of medians.
pub(super) fn people() -> impl Iterator<Item = Context> {
    HOLDS.into_iter().flat_map(|hold| {
        DIGRAPHS.into_iter().map(move |digraph| Context {
            holds: counts(hold, &[(1.0, 1.0, HOLD_SPREAD)]),
            digraphs: counts(digraph, &[FLOWING, THINKING]),
            ..Context::default()
        })
    })
}

fn counts(median: f64, parts: &[(f64, f64, f64)]) -> Counts {
    let density = |cell: usize| -> f64 {
        let part = |(share, factor, spread): &(f64, f64, f64)| {
            let z = (centre(cell) - (median * factor).ln()) / spread;
            share / spread * (-z * z / 2.0).exp()
        };
        parts.iter().map(part).sum()
    };
    let densities: Vec<_> = (0..FINE).map(density).collect();
    let total: f64 = densities.iter().sum();
    Counts::of(densities.into_iter().map(|density| TIMINGS * density / total))
}
