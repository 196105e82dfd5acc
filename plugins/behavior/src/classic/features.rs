//! From eight lists of measurements to a vector of eight means.

use crate::classic::config::Config;
use gait_sdk::{Batch, Pointer};
use serde::{Deserialize, Serialize};

/// Length of a feature vector.
pub const DIMENSIONS: usize = 8;

/// Measurements that are read of one list; a longer list is cut, so that a hostile batch costs no more than an honest one.
const MAX_VALUES: usize = 4096;

/// What part of the behaviour a feature belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The keyboard.
    Typing,
    /// The mouse or touchpad.
    Pointing,
}

/// One of the eight features.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// Its name in [`gait_sdk::Metrics`].
    pub name: &'static str,
    /// Its unit, for people.
    pub unit: &'static str,
    /// Where it belongs.
    pub group: Group,
    /// Smallest measurement that is believed.
    pub low: f64,
    /// Largest measurement that is believed.
    pub high: f64,
}

/// The features in the order of [`gait_sdk::Metrics::lists`]. A measurement outside its range, or not a finite number, is
/// dropped as if it had not been made: a gap between keys of over two seconds is a pause and no rhythm, and nobody moves a
/// pointer at a hundred pixels a millisecond.
pub const FEATURES: [Feature; DIMENSIONS] = [
    feature("hold_ms", "ms", Group::Typing, 0.0, 2000.0),
    feature("flight_ms", "ms", Group::Typing, -2000.0, 2000.0),
    feature("mouse_velocity", "px/ms", Group::Pointing, 0.0, 100.0),
    feature("click_frequency", "1/s", Group::Pointing, 0.0, 50.0),
    feature("dwell_ms", "ms", Group::Pointing, 0.0, 10_000.0),
    feature("scroll_distance", "px", Group::Pointing, 0.0, 100_000.0),
    feature("keypress_rate", "1/s", Group::Typing, 0.0, 50.0),
    feature("cursor_variation", "rad", Group::Pointing, 0.0, std::f64::consts::PI),
];

const HOLD: usize = 0;
const VELOCITY: usize = 2;
const VARIATION: usize = 7;

const fn feature(name: &'static str, unit: &'static str, group: Group, low: f64, high: f64) -> Feature {
    Feature {
        name,
        unit,
        group,
        low,
        high,
    }
}

impl Feature {
    /// True if a measurement (or a mean of measurements) can be believed.
    pub fn believes(&self, value: f64) -> bool {
        // False for NaN as well.
        value >= self.low && value <= self.high
    }
}

/// A feature vector; `None` where the batch had no data for a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Features(pub [Option<f64>; DIMENSIONS]);

impl Features {
    /// Reduces a batch to its means. Nothing is read from a batch made by touch (the templates are of a keyboard and a mouse),
    /// and no keystrokes from a clock that is too coarse or that claims no resolution at all.
    pub fn of(batch: &Batch, config: &Config) -> Self {
        let mut means = [None; DIMENSIONS];
        if batch.pointer == Pointer::Touch {
            return Self(means);
        }
        let mut counts = [0; DIMENSIONS];
        for (i, list) in batch.metrics.lists().into_iter().enumerate() {
            (counts[i], means[i]) = mean(list, &FEATURES[i]);
        }
        let typed = counts[HOLD] >= config.min_keys && !coarse(batch, config);
        for (i, feature) in FEATURES.iter().enumerate() {
            let few = match (feature.group, i) {
                (Group::Typing, _) => !typed,
                (Group::Pointing, VELOCITY | VARIATION) => counts[i] < config.min_moves,
                (Group::Pointing, _) => false,
            };
            if few {
                means[i] = None;
            }
        }
        Self(means)
    }

    /// How many features there are.
    pub fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// True if there is a feature of `group`.
    pub fn covers(&self, group: Group) -> bool {
        FEATURES
            .iter()
            .zip(self.0)
            .any(|(feature, value)| feature.group == group && value.is_some())
    }

    /// True if every value lies in its feature's range.
    pub fn is_plausible(&self) -> bool {
        FEATURES
            .iter()
            .zip(self.0)
            .all(|(feature, value)| value.is_none_or(|value| feature.believes(value)))
    }
}

/// True if the browser's clock is too coarse for keystrokes; a resolution that makes no sense counts as coarse.
pub(crate) fn coarse(batch: &Batch, config: &Config) -> bool {
    !(batch.clock_ms >= 0.0 && batch.clock_ms < config.coarse_clock_ms)
}

/// How many of the measurements are believed, and their mean.
fn mean(list: &[f64], feature: &Feature) -> (usize, Option<f64>) {
    let believed = || list.iter().take(MAX_VALUES).copied().filter(|value| feature.believes(*value));
    let count = believed().count();
    if count == 0 {
        return (0, None);
    }
    let mean = believed().sum::<f64>() / count as f64;
    // Rounding may push the mean of equal values past the edge of their range.
    (count, Some(mean.clamp(feature.low, feature.high)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gait_sdk::{Channel, Metrics};

    fn batch(metrics: Metrics) -> Batch {
        Batch {
            seq: 1,
            channel: Channel::Session,
            span_ms: 10_000.0,
            clock_ms: 0.1,
            pointer: Pointer::Mouse,
            metrics,
            digraph_ms: Vec::new(),
            keys: Vec::new(),
            path: Vec::new(),
        }
    }

    fn typed() -> Metrics {
        Metrics {
            hold_ms: vec![80.0, 90.0, 100.0, 110.0, 120.0],
            flight_ms: vec![-20.0, 40.0],
            ..Metrics::default()
        }
    }

    #[test]
    fn a_list_becomes_its_mean_and_an_empty_one_is_missing() {
        let features = Features::of(&batch(typed()), &Config::default());
        assert_eq!(features.0, [Some(100.0), Some(10.0), None, None, None, None, None, None]);
        assert!(features.covers(Group::Typing) && !features.covers(Group::Pointing));
    }

    #[test]
    fn values_that_no_hand_makes_are_dropped() {
        let mut metrics = typed();
        metrics.hold_ms.extend([f64::NAN, f64::INFINITY, -1.0, 1e300]);
        metrics.flight_ms.extend([f64::NEG_INFINITY, 60_000.0]);
        let features = Features::of(&batch(metrics), &Config::default());
        assert_eq!(features.0[..2], [Some(100.0), Some(10.0)]);
    }

    #[test]
    fn too_few_keys_or_a_coarse_clock_leave_the_keystrokes_out_but_not_the_pointer() {
        let mut few = batch(Metrics {
            scroll_distance: vec![300.0],
            ..typed()
        });
        few.metrics.hold_ms.truncate(4);
        let pointer_only = [None, None, None, None, None, Some(300.0), None, None];
        assert_eq!(Features::of(&few, &Config::default()).0, pointer_only);
        for clock_ms in [10.0, 100.0, f64::NAN, -1.0] {
            let mut coarse = batch(Metrics {
                scroll_distance: vec![300.0],
                ..typed()
            });
            coarse.clock_ms = clock_ms;
            assert_eq!(Features::of(&coarse, &Config::default()).0, pointer_only, "{clock_ms}");
        }
    }

    #[test]
    fn two_jerks_of_the_mouse_are_no_movement() {
        let metrics = Metrics {
            mouse_velocity: vec![1.0; 4],
            cursor_variation: vec![0.5; 5],
            ..Metrics::default()
        };
        let features = Features::of(&batch(metrics), &Config::default());
        assert_eq!((features.0[VELOCITY], features.0[VARIATION]), (None, Some(0.5)));
    }

    #[test]
    fn a_finger_is_not_a_mouse() {
        let mut touch = batch(Metrics {
            mouse_velocity: vec![1.0; 50],
            ..typed()
        });
        touch.pointer = Pointer::Touch;
        assert_eq!(Features::of(&touch, &Config::default()).count(), 0);
    }
}
