//! When has enough been seen?

use serde::{Deserialize, Serialize};

/// Where a session begins, as a share of the way to an alarm: nobody has been watched yet. An owner walks it off within a minute,
/// and an impostor who was there from the start is caught in half the time (Lucas and Crosier, "Fast initial response for CUSUM
/// quality-control schemes", Technometrics 1982, who recommend a half).
pub const HEAD_START: f64 = 0.5;

/// Page's test ("Continuous inspection schemes", Biometrika 1954): evidence against the owner is added up from wherever it was
/// least. What a session has proven before does not excuse what comes after, so a takeover is noticed as soon as one from the
/// first key on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cusum {
    /// 0 or more, in units of the threshold: at 1 an alarm is due.
    pub value: f64,
}

impl Default for Cusum {
    fn default() -> Self {
        Self { value: HEAD_START }
    }
}

impl Cusum {
    /// Takes evidence of a channel, in nats, positive for the owner, and that channel's threshold, and gives the new value.
    /// Evidence that is not a number is none.
    pub fn step(&mut self, llr: f64, threshold: f64) -> f64 {
        let share = llr / threshold;
        if share.is_finite() {
            self.value = (self.value - share).max(0.0);
        }
        self.value
    }

    /// True if an alarm is due.
    pub fn is_due(&self) -> bool {
        self.value >= 1.0
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
        let (mut fresh, mut proven) = (Cusum { value: 0.0 }, Cusum::default());
        (0..1000).for_each(|_| {
            proven.step(0.5, 10.0);
        });
        for _ in 0..10 {
            assert_eq!(fresh.step(-0.5, 10.0), proven.step(-0.5, 10.0));
        }
        assert!((proven.value - 0.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_number_changes_nothing() {
        let mut cusum = Cusum { value: 0.2 };
        for llr in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(cusum.step(llr, 1.0), 0.2);
        }
        assert_eq!(cusum.step(1.0, 0.0), 0.2);
    }

    #[test]
    fn an_impostor_from_the_start_is_caught_in_half_the_time() {
        let alarm = |mut cusum: Cusum| (1..100).find(|_| cusum.step(-0.5, 10.0) >= 1.0);
        assert_eq!(alarm(Cusum { value: 0.0 }), Some(20));
        assert_eq!(alarm(Cusum::default()), Some(10));
    }
}
