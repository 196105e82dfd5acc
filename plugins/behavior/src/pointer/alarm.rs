//! How much evidence of this channel an alarm needs.

/// Nats that an owner reaches about once an hour, from where a session begins.
const ONCE_AN_HOUR: f64 = 2.95;

/// Nats by which the hours grow e-fold.
const GROWTH: f64 = 2.3;

/// The threshold of a [`crate::sequential::Cusum`] over what [`super::Model::llr`] says that an owner reaches about once in so many
/// hours of pointing. It's a straight line in the logarithm of the hours, as theory has it for sums that drift downward.
pub fn threshold(hours: f64) -> f64 {
    (ONCE_AN_HOUR + GROWTH * hours.max(0.1).ln()).max(0.5)
}
