//! From evidence to an alarm, for this channel alone.

/// Suspicion, in nats, that an owner reaches about once an hour.
const ONCE_AN_HOUR: f64 = 2.25;

/// Suspicion by which the hours grow e-fold.
const GROWTH: f64 = 2.4;

/// The suspicion that an owner reaches about once in so many hours of pointing. It's a straight line in the logarithm of the
/// hours, as theory has it for sums that drift downward.
pub fn threshold(hours: f64) -> f64 {
    (ONCE_AN_HOUR + GROWTH * hours.max(0.1).ln()).max(0.5)
}

/// Evidence against the owner that has come together without much to the contrary: Page's cumulative sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Suspicion(f64);

impl Suspicion {
    /// Adds the evidence of an action, in nats; true if the suspicion is now above the threshold.
    pub fn add(&mut self, llr: f64, threshold: f64) -> bool {
        self.0 = (self.0 - llr).max(0.0);
        self.0 > threshold
    }
}
