//! How the owner types the text.

use super::judgement::Judgement;
use super::profile::Profile;
use super::sample::Sample;
use serde::{Deserialize, Serialize};

/// Samples until a template judges.
const LEAST: usize = 5;

/// Newest samples that are kept.
const KEPT: usize = 60;

/// The newest samples of one text, typed by one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    keys: usize,
    kept: Vec<Vec<f32>>,
}

impl Template {
    /// An empty template of a text of so many keys.
    pub fn new(keys: usize) -> Self {
        Self { keys, kept: Vec::new() }
    }

    /// Learns.
    pub fn learn(&mut self, sample: &Sample, _proven: bool) {
        self.kept.push(sample.logs().iter().map(|x| *x as f32).collect());
        if self.kept.len() > KEPT {
            self.kept.remove(0);
        }
    }

    /// Remembers.
    pub fn remember(&mut self, _: &Sample) {}

    /// Judges.
    pub fn judge(&self, sample: &Sample) -> Option<Judgement> {
        if self.kept.len() < LEAST || sample.keys() != self.keys {
            return None;
        }
        let profile = Profile::of(self.keys, &self.kept);
        let score = profile.score(&sample.logs());
        let mut own = profile.own_scores();
        own.sort_by(f64::total_cmp);
        let bound = own[((own.len() - 1) as f64 * 0.8).round() as usize];
        Some(Judgement {
            score,
            llr: 0.0,
            inside: score <= bound,
            attack: None,
        })
    }
}
