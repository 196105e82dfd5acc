//! How the owner typed when a second factor said who it was.

use super::profile::clipped;
use serde::{Deserialize, Serialize};

/// Proven samples after which each further one moves the anchor by the same part.
const MEMORY: u32 = 20;

/// Scale on which distances to the anchor are measured: holds and times between keys alike, as logarithms.
const SCALE: f64 = 0.25;

/// What is learned without a proof lies no further than so many times the usual distance of proven samples.
const REACH: f64 = 1.3;

/// Nor does it matter below this distance, which is within everybody's noise.
const LEAST_REACH: f64 = 0.4;

/// The centre of proven samples, which nothing unproven moves. It bounds how far a patient impostor can drag a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Anchor {
    /// Mean of the logarithms of each timing, the newer ones counting more.
    centre: Vec<f32>,
    /// Mean distance of proven samples to it.
    usual: f32,
    /// Proven samples.
    proven: u32,
}

impl Anchor {
    /// Moves towards a proven sample.
    pub(super) fn prove(&mut self, logs: &[f64]) {
        if self.proven == 0 {
            self.centre = logs.iter().map(|log| *log as f32).collect();
        }
        let distance = self.distance(logs) as f32;
        self.proven = self.proven.saturating_add(1);
        let part = 1.0 / self.proven.min(MEMORY) as f32;
        self.usual += part * (distance - self.usual);
        for (centre, log) in self.centre.iter_mut().zip(logs) {
            *centre += part * (*log as f32 - *centre);
        }
    }

    /// True if a sample may be learned without a proof.
    pub(super) fn holds(&self, logs: &[f64]) -> bool {
        self.proven > 0 && self.distance(logs) <= (REACH * f64::from(self.usual)).max(LEAST_REACH)
    }

    fn distance(&self, logs: &[f64]) -> f64 {
        let off: Vec<f64> = logs
            .iter()
            .zip(&self.centre)
            .map(|(log, centre)| (log - f64::from(*centre)) / SCALE)
            .collect();
        clipped(&off)
    }

    /// What is wrong with it, if it can't be of a text with so many timings.
    pub(super) fn fault(&self, timings: usize) -> Option<&'static str> {
        let length = if self.proven == 0 { 0 } else { timings };
        // Logarithms of milliseconds; false for NaN as well.
        let centre = self.centre.len() == length && self.centre.iter().all(|log| (0.0..=12.0).contains(log));
        let usual = (0.0..=10.0).contains(&self.usual);
        (!centre || !usual).then_some("the anchor is out of range")
    }
}
