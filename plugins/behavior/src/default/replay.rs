//! Recognising input that was recorded and played again, or made by a machine.
//!
//! A person never repeats herself: sixteen timings in a row that all lie within a few milliseconds of earlier ones, or a stroke
//! of the pointer over the very same pixels, are a recording. And a person is never even: timings without scatter are a
//! machine's.

use crate::pointer::Action;
use gait_sdk::Batch;
use serde::{Deserialize, Serialize};

/// Timings of a sketch.
const LENGTH: usize = 16;

/// Furthest that a replayed timing may be off, in milliseconds: what a player's own clock adds.
const SLACK_MS: u16 = 6;

/// Timings of a sketch that must be that near. Two of a person's own passages agree so in less than one of a billion.
const NEAR: usize = 15;

/// Points that move in a stroke that is worth remembering: shorter ones repeat by chance.
const LEAST_POINTS: usize = 12;

/// Timings that must be there before their scatter means anything.
const LEAST_TIMINGS: usize = 12;

/// Standard deviation over mean below which holds and digraphs are a machine's. People's is above 0.08.
const EVEN: f64 = 0.03;

/// Clock resolution in milliseconds from which on timings are too coarse to be compared.
const COARSE_MS: f64 = 5.0;

/// What is remembered of earlier batches: the beginnings of their timings in order, and hashes of their strokes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sketches {
    timings: Vec<[u16; LENGTH]>,
    strokes: Vec<u32>,
}

impl Sketches {
    /// What is to be remembered of a batch and of its actions.
    pub(crate) fn of(batch: &Batch, actions: &[Action]) -> Self {
        let passage = passages(batch).next().filter(|_| batch.clock_ms < COARSE_MS);
        Self {
            timings: passage.into_iter().collect(),
            strokes: actions.iter().filter_map(trace).collect(),
        }
    }

    /// True if a batch has a passage, or one of its actions a trace, that was seen before.
    pub(crate) fn knows(&self, batch: &Batch, actions: &[Action]) -> bool {
        let seen = |passage: &[u16; LENGTH]| self.timings.iter().any(|known| alike(known, passage));
        let heard = batch.clock_ms < COARSE_MS && !self.timings.is_empty() && passages(batch).any(|passage| seen(&passage));
        heard || actions.iter().filter_map(trace).any(|trace| self.strokes.contains(&trace))
    }

    /// Adds newer sketches, and forgets the oldest above these numbers.
    pub(crate) fn add(&mut self, newer: Self, most_timings: usize, most_strokes: usize) {
        self.timings.extend(newer.timings);
        self.strokes.extend(newer.strokes);
        self.timings.drain(..self.timings.len().saturating_sub(most_timings));
        self.strokes.drain(..self.strokes.len().saturating_sub(most_strokes));
    }

    /// True if there are no more than these numbers.
    pub(crate) fn fits(&self, most_timings: usize, most_strokes: usize) -> bool {
        self.timings.len() <= most_timings && self.strokes.len() <= most_strokes
    }
}

/// True if the timings of a batch scatter less than a person's can.
pub(crate) fn too_even(batch: &Batch) -> bool {
    let even = |list: &[f64]| list.len() >= LEAST_TIMINGS && scatter(list) < EVEN;
    batch.clock_ms < COARSE_MS && even(&batch.metrics.hold_ms) && even(&batch.digraph_ms)
}

/// Standard deviation over mean.
fn scatter(list: &[f64]) -> f64 {
    let n = list.len() as f64;
    let mean = list.iter().sum::<f64>() / n;
    let variance = list.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    if mean > 0.0 { variance.sqrt() / mean } else { f64::INFINITY }
}

/// Every [`LENGTH`] timings in a row, in whole milliseconds: of the holds, or of the digraphs where there are more.
fn passages(batch: &Batch) -> impl Iterator<Item = [u16; LENGTH]> {
    let list = if batch.digraph_ms.len() > batch.metrics.hold_ms.len() {
        &batch.digraph_ms
    } else {
        &batch.metrics.hold_ms
    };
    list.windows(LENGTH)
        .map(|window| std::array::from_fn(|i| window[i].clamp(0.0, 60_000.0).round() as u16))
}

fn alike(known: &[u16; LENGTH], passage: &[u16; LENGTH]) -> bool {
    let mut far = 0;
    for (a, b) in known.iter().zip(passage) {
        far += usize::from(a.abs_diff(*b) > SLACK_MS);
        if far > LENGTH - NEAR {
            return false;
        }
    }
    true
}

/// A hash of the pixels that a longer action passed, whatever its speed (FNV-1a).
fn trace(action: &Action) -> Option<u32> {
    let steps = action.points().iter().map(|point| (point.dx, point.dy));
    let steps: Vec<_> = steps.filter(|(dx, dy)| *dx != 0.0 || *dy != 0.0).collect();
    if steps.len() < LEAST_POINTS {
        return None;
    }
    let bytes = steps
        .into_iter()
        .flat_map(|(dx, dy)| [dx.round() as i16, dy.round() as i16])
        .flat_map(i16::to_le_bytes);
    Some(bytes.fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    }))
}
