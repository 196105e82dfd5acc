//! Standardisation: mean 0 and standard deviation 1 for each feature, by the training vectors.

use crate::classic::features::{DIMENSIONS, Features};
use serde::{Deserialize, Serialize};

/// Training vectors that must have a feature before the model knows it. Otherwise somebody who only typed during enrolment
/// would be measured, on the first movement of the mouse, against a mean of nothing.
pub const MIN_SEEN: usize = 20;

/// A standardised vector: standard deviations from the mean, `None` where a feature is missing or unknown.
pub type Scaled = [Option<f64>; DIMENSIONS];

/// Mean and scale of one feature, in the feature's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Mean over the vectors that have the feature.
    pub mean: f64,
    /// Population standard deviation over them, or 1 where they are all the same. Greater than 0.
    pub scale: f64,
}

/// The eight columns; `None` for a feature that the model does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scaler {
    /// In the order of [`crate::classic::features::FEATURES`].
    pub columns: [Option<Column>; DIMENSIONS],
}

impl Scaler {
    /// Measures the training vectors.
    pub fn fit(vectors: &[Features]) -> Self {
        Self {
            columns: std::array::from_fn(|i| {
                let (seen, mean, sd) = moments(vectors, i)?;
                // A column of equal values has no scale of its own, not even when rounding gives it one (as in scikit-learn).
                let constant = sd <= 10.0 * f64::EPSILON * mean.abs();
                (seen >= MIN_SEEN).then_some(Column {
                    mean,
                    scale: if constant { 1.0 } else { sd },
                })
            }),
        }
    }

    /// Standardises a vector.
    pub fn scale(&self, features: &Features) -> Scaled {
        std::array::from_fn(|i| {
            let column = self.columns[i]?;
            Some((features.0[i]? - column.mean) / column.scale)
        })
    }
}

/// How many of the vectors have feature `i`, its mean and its population standard deviation; `None` if none has it.
pub fn moments(vectors: &[Features], i: usize) -> Option<(usize, f64, f64)> {
    let values = || vectors.iter().filter_map(|vector| vector.0[i]);
    let seen = values().count();
    if seen == 0 {
        return None;
    }
    let mean = values().sum::<f64>() / seen as f64;
    let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / seen as f64;
    Some((seen, mean, variance.sqrt()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_feature_seen_too_seldom_is_not_known() {
        let mut vectors = vec![Features([Some(2.0), None, None, None, None, None, None, None]); MIN_SEEN];
        vectors[0].0[1] = Some(5.0);
        let scaler = Scaler::fit(&vectors);
        assert_eq!(scaler.columns[0], Some(Column { mean: 2.0, scale: 1.0 }));
        assert_eq!(scaler.columns[1], None);
        let z = scaler.scale(&Features([Some(3.0), Some(9.0), None, None, None, None, None, None]));
        assert_eq!(z, [Some(1.0), None, None, None, None, None, None, None]);
    }
}
