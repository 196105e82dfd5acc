//! How much evidence of this channel an alarm needs.

use crate::sequential::Threshold;

/// Of a [`crate::sequential::Cusum`] that starts where a session begins.
const THRESHOLD: Threshold = Threshold {
    hourly: 3.5,
    power: 0.57,
};

/// The threshold of a [`crate::sequential::Cusum`] over what [`super::Model::llr`] says that an owner reaches about once in so many
/// hours of pointing.
pub fn threshold(hours: f64) -> f64 {
    THRESHOLD.at(hours.max(0.1))
}
