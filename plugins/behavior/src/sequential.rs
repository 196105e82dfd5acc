//! When has enough been seen?

use serde::{Deserialize, Serialize};

/// Page's test (Biometrika 1954): evidence against the owner is added up from wherever it was least. What a session has proven
/// before does not excuse what comes after, so a takeover is noticed as soon as one from the first key on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cusum {
    /// Nats against the owner, 0 or more.
    pub value: f64,
}

impl Cusum {
    /// Takes evidence, in nats, positive for the owner, and gives the new value. Evidence that is not a number is none.
    pub fn step(&mut self, llr: f64) -> f64 {
        if llr.is_finite() {
            self.value = (self.value - llr).max(0.0);
        }
        self.value
    }
}

/// At which value of a [`Cusum`] an alarm is due, by how rare a false one shall be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Nats at one false alarm per hour of activity.
    pub hourly: f64,
    /// The power of the hours that it grows with: were timings independent, it would grow with their logarithm only, but false
    /// alarms come from whole days on which somebody types strangely.
    pub power: f64,
}

impl Threshold {
    /// The value at one false alarm per `hours` of activity, which are more than 0.
    pub fn at(&self, hours: f64) -> f64 {
        self.hourly * hours.powf(self.power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_hour_does_not_excuse_a_bad_minute() {
        let (mut fresh, mut proven) = (Cusum::default(), Cusum::default());
        (0..1000).for_each(|_| assert_eq!(proven.step(0.5), 0.0));
        for _ in 0..10 {
            assert_eq!(fresh.step(-0.5), proven.step(-0.5));
        }
        assert_eq!(proven.value, 5.0);
    }

    #[test]
    fn what_is_no_number_changes_nothing() {
        let mut cusum = Cusum { value: 2.0 };
        for llr in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(cusum.step(llr), 2.0);
        }
    }

    #[test]
    fn a_rarer_false_alarm_needs_a_higher_threshold() {
        let threshold = Threshold { hourly: 5.0, power: 0.5 };
        assert_eq!((threshold.at(1.0), threshold.at(4.0)), (5.0, 10.0));
    }
}
