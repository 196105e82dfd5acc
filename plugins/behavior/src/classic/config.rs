//! What an operator may set.

use crate::classic::blob::MAX_VECTORS;
use crate::classic::features::DIMENSIONS;
use crate::classic::template::Training;
use crate::failure;
use crate::range::within;
use gait_sdk::PluginError;
use serde::{Deserialize, Serialize};

/// Settings of the scorer. Every field has a default that was tuned on synthetic rhythms; a model keeps the settings it was
/// trained with, so a change of `nu`, `gamma`, the weights or the quantile shows at the account's next retraining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Vectors until an account is enrolled, 60..=1000. A one-class SVM refuses far more than `nu` of the owner's own batches
    /// when it has seen fewer than 100.
    pub min_samples: usize,
    /// Newest vectors that are kept and trained on, `min_samples`..=1000. Training takes memory and time with its square.
    pub max_samples: usize,
    /// Features that a batch must have to be judged, 1..=8.
    pub min_features: usize,
    /// Key presses in a batch below which its keystroke features count as missing, 1..=100.
    pub min_keys: usize,
    /// Pointer movements in a batch below which speed and change of direction count as missing, 1..=100.
    pub min_moves: usize,
    /// From this clock resolution on, in milliseconds (1..=1000), keystroke features count as missing.
    pub coarse_clock_ms: f64,
    /// Upper bound of the share of training vectors outside the SVM's region, 0.01..=0.9.
    pub nu: f64,
    /// Width of the SVM's Gaussian kernel exp(-gamma d²) on standardised features, 0.001..=10.
    pub gamma: f64,
    /// Weight of the SVM's vote in the fitness, 0..=1; the two weights sum to 1.
    pub svm_weight: f64,
    /// Weight of the closeness to the centroid in the fitness, 0..=1.
    pub distance_weight: f64,
    /// Share of held-out batches of the owner's that the threshold refuses, 0..=0.5.
    pub threshold_quantile: f64,
    /// Strikes at which a step-up is asked for, 1..=8.
    pub soft_strikes: u32,
    /// Strikes at which the session should end, more than `soft_strikes` and at most 50.
    pub hard_strikes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min_samples: 100,
            max_samples: MAX_VECTORS,
            min_features: 2,
            min_keys: 5,
            min_moves: 5,
            coarse_clock_ms: 10.0,
            nu: 0.1,
            gamma: 1.0 / (2 * DIMENSIONS) as f64,
            svm_weight: 0.5,
            distance_weight: 0.5,
            threshold_quantile: 0.03,
            soft_strikes: 3,
            hard_strikes: 6,
        }
    }
}

impl Config {
    /// Checks every range and every relation between two fields.
    ///
    /// # Errors
    /// [`PluginError::Config`] that names the key, what it may be and what it is.
    pub fn validate(&self) -> Result<(), PluginError> {
        within("min_samples", self.min_samples, 60, MAX_VECTORS)?;
        within("max_samples", self.max_samples, self.min_samples, MAX_VECTORS)?;
        within("min_features", self.min_features, 1, DIMENSIONS)?;
        within("min_keys", self.min_keys, 1, 100)?;
        within("min_moves", self.min_moves, 1, 100)?;
        within("coarse_clock_ms", self.coarse_clock_ms, 1.0, 1000.0)?;
        within("nu", self.nu, 0.01, 0.9)?;
        within("gamma", self.gamma, 0.001, 10.0)?;
        within("svm_weight", self.svm_weight, 0.0, 1.0)?;
        within("distance_weight", self.distance_weight, 0.0, 1.0)?;
        within("threshold_quantile", self.threshold_quantile, 0.0, 0.5)?;
        within("soft_strikes", self.soft_strikes, 1, 8)?;
        within("hard_strikes", self.hard_strikes, self.soft_strikes + 1, 50)?;
        let sum = self.svm_weight + self.distance_weight;
        if (sum - 1.0).abs() > 1e-9 {
            return Err(failure::config(format!("svm_weight + distance_weight must be 1, not {sum}")));
        }
        Ok(())
    }

    /// What the training of a model needs of it.
    pub(crate) fn training(&self) -> Training {
        Training {
            nu: self.nu,
            gamma: self.gamma,
            svm_weight: self.svm_weight,
            distance_weight: self.distance_weight,
            quantile: self.threshold_quantile,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn complaint(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_valid_and_an_empty_table_means_the_defaults() {
        Config::default().validate().unwrap();
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), Config::default());
    }

    #[test]
    fn a_misspelt_key_is_refused_by_name() {
        let error = serde_json::from_str::<Config>(r#"{"min_sample": 3}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("min_sample"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_key_and_range() {
        assert!(complaint(|c| c.nu = f64::NAN).contains("nu must be 0.01 to 0.9, not NaN"));
        assert!(complaint(|c| c.gamma = 0.0).contains("gamma"));
        assert!(complaint(|c| c.min_samples = 5).contains("min_samples"));
        assert!(complaint(|c| c.max_samples = 99).contains("max_samples must be 100 to 1000, not 99"));
        assert!(complaint(|c| c.hard_strikes = 3).contains("hard_strikes must be 4 to 50, not 3"));
        assert!(complaint(|c| c.svm_weight = 0.7).contains("must be 1"));
    }
}
