//! Judging actions.

use super::account::Account;
use super::background::Background;
use super::features::{Features, MEASURES};
use super::training::{BINS, Weights, knob, train};

/// Fewest actions that a model is made of.
const FEWEST: usize = 30;

/// Largest evidence of one action, in nats.
const MOST: f64 = 3.0;

/// A model of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    constant: f64,
    tables: Vec<[f32; 256]>,
}

impl Model {
    /// Trains a model.
    pub fn train(account: &Account, background: &Background) -> Option<Self> {
        let own: Vec<&Features> = account.actions().collect();
        let others = background.others(account.tag());
        if own.len() < FEWEST || others.len() < FEWEST {
            return None;
        }
        let mut weights = train(background.bins(), &own, &others);
        let cohort = background.cohort(account.tag());
        let alpha = knob("COHORT", 0.0) as f32;
        for other in &cohort {
            subtract(&mut weights, other, alpha / cohort.len() as f32);
        }
        let tables = (0..MEASURES)
            .map(|measure| {
                let table = background.bins().table(measure);
                std::array::from_fn(|code| weights.bins[measure * BINS + usize::from(table[code])])
            })
            .collect();
        Some(Self {
            constant: f64::from(weights.constant),
            tables,
        })
    }

    /// The evidence of an action.
    pub fn llr(&self, action: &Features) -> f64 {
        let sum: f32 = self
            .tables
            .iter()
            .zip(action.codes())
            .map(|(table, code)| table[usize::from(*code)])
            .sum();
        let most = knob("CLIP", MOST);
        (self.constant + f64::from(sum)).clamp(-most, most)
    }
}

fn subtract(weights: &mut Weights, other: &Weights, share: f32) {
    weights.constant -= share * other.constant;
    for (weight, other) in weights.bins.iter_mut().zip(&other.bins) {
        *weight -= share * other;
    }
}
