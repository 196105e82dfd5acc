//! An account's template: a model, and the threshold that was found for it. This is the seam of the models: the rest of the
//! plugin only trains a [`Template`] and asks it for a [`Verdict`], so a stronger model can sit beside the classic one.

use crate::classic::fit::{Classic, FitError};
use crate::classic::features::Features;
use crate::classic::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// Every third vector is held out when the threshold is sought.
const HOLD_OUT: usize = 3;

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// See [`crate::classic::Config::nu`].
    pub nu: f64,
    /// See [`crate::classic::Config::gamma`].
    pub gamma: f64,
    /// See [`crate::classic::Config::svm_weight`].
    pub svm_weight: f64,
    /// See [`crate::classic::Config::distance_weight`].
    pub distance_weight: f64,
    /// See [`crate::classic::Config::threshold_quantile`].
    pub quantile: f64,
}

/// A trained template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The model.
    pub classic: Classic,
    /// Fitness below which a batch is refused, 0..=1.
    pub threshold: f64,
}

impl Template {
    /// Fits the model to all vectors. The threshold is the wanted quantile of the fitness that vectors get from a model that has
    /// not seen them: one fitted to the other two thirds. The split is interleaved, so that old and new days are in both parts,
    /// and it is the same every time.
    ///
    /// # Errors
    /// As for [`Classic::fit`].
    pub fn train(vectors: &[Features], training: &Training) -> Result<Self, FitError> {
        let held_out = |i: usize| i % HOLD_OUT == HOLD_OUT - 1;
        let part = |wanted: bool| -> Vec<_> {
            vectors
                .iter()
                .enumerate()
                .filter(|(i, _)| held_out(*i) == wanted)
                .map(|(_, vector)| *vector)
                .collect()
        };
        let trial = Classic::fit(&part(false), training)?;
        let mut fitness: Vec<_> = part(true)
            .iter()
            .map(|vector| trial.fitness(&trial.scaler.scale(vector)))
            .collect();
        fitness.sort_by(f64::total_cmp);
        let rank = (training.quantile * fitness.len() as f64) as usize;
        let threshold = fitness.get(rank).copied().ok_or(FitError::TooFew(vectors.len()))?;
        Ok(Self {
            classic: Classic::fit(vectors, training)?,
            threshold,
        })
    }

    /// The features of `features` that the template knows.
    pub fn known(&self, features: &Features) -> Features {
        let columns = &self.classic.scaler.columns;
        Features(std::array::from_fn(|i| features.0[i].filter(|_| columns[i].is_some())))
    }

    /// Judges a vector.
    pub fn judge(&self, features: &Features) -> Verdict {
        let z = self.classic.scaler.scale(features);
        Verdict {
            fitness: self.classic.fitness(&z),
            threshold: self.threshold,
            relative_distance: self.classic.relative_distance(&z),
            z,
        }
    }

    /// What is wrong with these numbers, if they can't come from [`Template::train`].
    pub fn fault(&self) -> Option<&'static str> {
        if !(0.0..=1.0).contains(&self.threshold) {
            return Some("the threshold is out of range");
        }
        self.classic.fault()
    }
}
