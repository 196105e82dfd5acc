//! Somebody who types and points, as the collector in a page would measure it: fifty events a batch. Drawn at random, always the
//! same for a seed.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, StandardNormal};
use serde_json::{Value, json};

/// Keys pressed in a batch.
const KEYS: usize = 40;
/// Points of the pointer's one stroke: together fifty events.
const POINTS: usize = 10;
/// What a point of a movement without a button is called on the wire.
const MOVE: u8 = 0;

/// A person's hands.
pub struct Typist(StdRng);

impl Typist {
    /// Those of the `number`th person. They differ in what they draw, not in how they type.
    pub fn new(number: u32) -> Self {
        Self(StdRng::seed_from_u64(number.into()))
    }

    /// What a collector sends of the next five seconds.
    pub fn batch(&mut self, seq: u64) -> Value {
        let hold_ms = self.draw(KEYS, 92.0, 18.0, 20.0);
        let flight_ms = self.draw(KEYS - 1, 118.0, 55.0, -60.0);
        let digraph_ms: Vec<_> = hold_ms
            .iter()
            .zip(&flight_ms)
            .map(|(hold, flight)| tenth((hold + flight).max(1.0)))
            .collect();
        let metrics = json!({
            "hold_ms": hold_ms,
            "flight_ms": flight_ms,
            "keypress_rate": self.draw(5, 7.5, 1.0, 1.0),
            "mouse_velocity": self.draw(POINTS - 1, 0.85, 0.3, 0.02),
            "cursor_variation": self.draw(POINTS - 1, 0.42, 0.2, 0.0),
        });
        json!({
            "v": 1, "seq": seq, "span_ms": 5000, "clock_ms": 0.1, "pointer": "mouse",
            "metrics": metrics, "digraph_ms": digraph_ms, "path": self.stroke(),
        })
    }

    /// A movement to the right that begins slowly and ends slowly.
    fn stroke(&mut self) -> Vec<(f64, f64, f64, u8)> {
        let steps = self.draw(POINTS - 1, 16.0, 2.0, 8.0);
        let tremble = self.draw(POINTS - 1, 0.0, 1.5, -5.0);
        let mut points = vec![(0.0, 0.0, 0.0, MOVE)];
        for (i, (dt_ms, dy)) in steps.into_iter().zip(tremble).enumerate() {
            let phase = std::f64::consts::PI * (i as f64 + 0.5) / (POINTS - 1) as f64;
            points.push((dt_ms, (30.0 * phase.sin()).round(), dy.round(), MOVE));
        }
        points
    }

    fn draw(&mut self, n: usize, mean: f64, sd: f64, least: f64) -> Vec<f64> {
        let normals = (0..n).map(|_| StandardNormal.sample(&mut self.0));
        normals.map(|normal: f64| tenth((mean + sd * normal).max(least))).collect()
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_batch_holds_fifty_events_and_fits_into_a_request() {
        let mut typist = Typist::new(3);
        for seq in 1..100 {
            let batch = typist.batch(seq);
            let length = |list: &Value| list.as_array().unwrap().len();
            assert_eq!(length(&batch["metrics"]["hold_ms"]) + length(&batch["path"]), 50);
            assert_eq!(length(&batch["digraph_ms"]), length(&batch["metrics"]["flight_ms"]));
            assert!(batch.to_string().len() < 16 * 1024);
            assert_eq!(batch["seq"], seq);
        }
    }

    #[test]
    fn batches_differ_and_can_be_drawn_again() {
        let mut typist = Typist::new(3);
        let (first, second) = (typist.batch(1), typist.batch(1));
        assert_ne!(first, second, "a recording would be noticed");
        assert_eq!(Typist::new(3).batch(1), first);
    }
}
