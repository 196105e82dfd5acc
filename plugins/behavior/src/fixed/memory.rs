//! What was typed before, in short: nobody types a text twice to the millisecond.

use super::sample::Sample;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Learned samples that are remembered. They have room of their own, so that an impostor's attempts can't push them out.
const LEARNED: usize = 300;

/// Other samples that are remembered.
const ATTEMPTS: usize = 100;

/// Timings in a sketch. More would only cost room.
const TIMINGS: usize = 24;

/// Largest time in a sketch, in milliseconds.
const MOST_MS: f64 = 16_000.0;

/// Two samples are one if no timing is further off, in milliseconds. People's nearest ones are at least 13 off somewhere.
const WORST_MS: f64 = 10.0;

/// Or if they are no further off on average. People's nearest ones are 4.6 to 15 off.
const MEAN_MS: f64 = 4.2;

/// Timings from which on these bounds hold. With fewer, chance brings two samples closer, and they shrink in proportion.
const ENOUGH: f64 = 21.0;

/// Sketches of what was typed, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    learned: VecDeque<Vec<u16>>,
    attempts: VecDeque<Vec<u16>>,
}

impl Memory {
    /// Remembers a sample that was learned.
    pub(super) fn learned(&mut self, sample: &Sample) {
        keep(&mut self.learned, sample, LEARNED);
    }

    /// Remembers a sample that was judged and not learned.
    pub(super) fn attempt(&mut self, sample: &Sample) {
        keep(&mut self.attempts, sample, ATTEMPTS);
    }

    /// True if a remembered sample is this one, off by little more than a clock's noise.
    pub(super) fn knows(&self, sample: &Sample) -> bool {
        let timings: Vec<f64> = timings(sample).collect();
        let part = (timings.len() as f64 / ENOUGH).min(1.0);
        self.learned.iter().chain(&self.attempts).any(|sketch| {
            let off = sketch.iter().zip(&timings).map(|(a, b)| (f64::from(*a) - b).abs());
            let (worst, sum) = off.fold((0.0, 0.0), |(worst, sum), off| (off.max(worst), sum + off));
            worst <= WORST_MS * part || sum / timings.len() as f64 <= MEAN_MS * part
        })
    }

    /// What is wrong with it, if it can't be of a text of so many keys.
    pub(super) fn fault(&self, keys: usize) -> Option<&'static str> {
        let length = (2 * keys).saturating_sub(1).min(TIMINGS);
        let fits = |list: &VecDeque<Vec<u16>>, most| list.len() <= most && list.iter().all(|sketch| sketch.len() == length);
        (!fits(&self.learned, LEARNED) || !fits(&self.attempts, ATTEMPTS)).then_some("the memory is out of range")
    }
}

fn keep(list: &mut VecDeque<Vec<u16>>, sample: &Sample, most: usize) {
    list.push_back(timings(sample).map(|time| time.round() as u16).collect());
    while list.len() > most {
        list.pop_front();
    }
}

/// The first timings of a sample in the order in which they come, in milliseconds.
fn timings(sample: &Sample) -> impl Iterator<Item = f64> {
    let downs = sample.down_ms().iter().copied().map(Some).chain([None]);
    let pairs = sample.hold_ms().iter().copied().map(Some).zip(downs);
    pairs
        .flat_map(|(hold, down)| [hold, down])
        .flatten()
        .take(TIMINGS)
        .map(|time| time.min(MOST_MS))
}

/// Mean deviation of holds from their median, as a share of it, under which no hand holds its keys. People's least is 0.037.
const EVEN_HOLDS: f64 = 0.025;

/// The same for the times between keys. People's least is 0.098.
const EVEN_DOWNS: f64 = 0.07;

/// Keys from which on evenness of one kind tells; with fewer, both must be even.
const TELLING: usize = 8;

/// True if the timings are too even for a hand.
pub(super) fn regular(sample: &Sample) -> bool {
    let holds = unevenness(sample.hold_ms()) < EVEN_HOLDS;
    let downs = unevenness(sample.down_ms()) < EVEN_DOWNS;
    if sample.keys() < TELLING {
        holds && downs
    } else {
        holds || downs
    }
}

/// Mean deviation from the median, as a share of it.
fn unevenness(times: &[f64]) -> f64 {
    let median = super::profile::median(times.to_vec());
    let deviation = times.iter().map(|time| (time - median).abs()).sum::<f64>() / times.len() as f64;
    deviation / median.max(1.0)
}
