//! The demo rhythms: a generator with its parameters, no recording of anybody.

use anyhow::Context as _;
use gait_sdk::{Batch, Channel, Metrics, Motion, Point, Pointer};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, StandardNormal};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// Milliseconds that a batch covers, and the resolution of its clock.
const SPAN_MS: f64 = 5000.0;
const CLOCK_MS: f64 = 0.1;

#[derive(Deserialize)]
struct File {
    rhythms: BTreeMap<String, Typing>,
    pointers: BTreeMap<String, Manner>,
}

/// How one metric of a rhythm is drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    n: usize,
    mean: f64,
    sd: f64,
    batch_sd: f64,
    min: f64,
}

impl Metric {
    /// One draw for the batch, and one for each of its values.
    fn draw(&self, normal: &mut impl FnMut() -> f64) -> Vec<f64> {
        let centre = self.mean + self.batch_sd * normal();
        (0..self.n).map(|_| (centre + self.sd * normal()).max(self.min)).collect()
    }
}

/// The eight metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typing {
    hold_ms: Metric,
    flight_ms: Metric,
    mouse_velocity: Metric,
    click_frequency: Metric,
    dwell_ms: Metric,
    scroll_distance: Metric,
    keypress_rate: Metric,
    cursor_variation: Metric,
}

/// How somebody moves the pointer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manner {
    strokes: usize,
    clicks: usize,
    distance_px: f64,
    distance_sd: f64,
    speed: f64,
    speed_sd: f64,
    peak: f64,
    bow: f64,
    bow_sd: f64,
    jitter_px: f64,
    step_ms: f64,
    pause_ms: f64,
    pause_sd: f64,
}

impl Manner {
    /// One movement.
    fn stroke(&self, normal: &mut impl FnMut() -> f64) -> Vec<Point> {
        let mut spread = |middle: f64, sd: f64| middle * (sd * normal()).exp();
        let distance = spread(self.distance_px, self.distance_sd);
        let lasts = distance / spread(self.speed, self.speed_sd);
        // Two normal numbers point in any direction.
        let angle = normal().atan2(normal());
        let bow = distance * (self.bow + self.bow_sd * normal());
        let warp = 0.5_f64.ln() / self.peak.ln();
        let mut points = vec![point(0.0, 0.0, 0.0, Motion::Move)];
        let (mut t, mut last, mut x, mut y) = (0.0, 0.0, 0.0, 0.0);
        while t < lasts {
            t += tenth(self.step_ms + 0.4 * normal().abs());
            let u = (t / lasts).min(1.0).powf(warp);
            // The least jerk.
            let share = u.powi(3) * (10.0 - 15.0 * u + 6.0 * u * u);
            let (along, aside) = (distance * share, bow * (PI * share).sin());
            let to_x = (along * angle.cos() - aside * angle.sin() + self.jitter_px * normal()).round();
            let to_y = (along * angle.sin() + aside * angle.cos() + self.jitter_px * normal()).round();
            // A pointer that stands still says nothing.
            if (to_x, to_y) != (x, y) {
                points.push(point(t - last, to_x - x, to_y - y, Motion::Move));
                (last, x, y) = (t, to_x, to_y);
            }
        }
        points
    }

    /// The strokes of a batch, of which the first ones end with a click.
    fn path(&self, dwell_ms: &[f64], normal: &mut impl FnMut() -> f64) -> Vec<Point> {
        let mut path = Vec::new();
        for i in 0..self.strokes {
            path.extend(self.stroke(normal));
            if let Some(&dwell) = dwell_ms.get(i).filter(|_| i < self.clicks) {
                let pause = self.pause_ms * (self.pause_sd * normal()).exp();
                path.push(point(pause, 0.0, 0.0, Motion::Down));
                path.push(point(dwell, 0.0, 0.0, Motion::Up));
            }
        }
        path
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a tenth of a millisecond or a pixel is all there is to it"
)]
fn point(dt_ms: f64, dx: f64, dy: f64, what: Motion) -> Point {
    Point {
        dt_ms: tenth(dt_ms) as f32,
        dx: dx as f32,
        dy: dy as f32,
        what,
    }
}

/// One rhythm of `examples/relying-party/rhythms.json`.
#[derive(Clone, Debug)]
pub struct Rhythm {
    typing: Typing,
    manner: Manner,
}

/// What was measured of a rhythm within a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The lists.
    pub metrics: Metrics,
    /// Each hold with the flight after it.
    pub digraph_ms: Vec<f64>,
    /// The strokes of the pointer.
    pub path: Vec<Point>,
}

impl Rhythm {
    /// The rhythm of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        let mut file: File = serde_json::from_str(relying_party::RHYTHMS)?;
        let missing = || format!("there is no rhythm {name}");
        Ok(Self {
            typing: file.rhythms.remove(name).with_context(missing)?,
            manner: file.pointers.remove(name).with_context(missing)?,
        })
    }

    /// Draws what a batch measures.
    pub fn sample(&self, normal: &mut impl FnMut() -> f64) -> Sample {
        let typing = &self.typing;
        let metrics = Metrics {
            click_frequency: typing.click_frequency.draw(normal),
            cursor_variation: typing.cursor_variation.draw(normal),
            dwell_ms: typing.dwell_ms.draw(normal),
            flight_ms: typing.flight_ms.draw(normal),
            hold_ms: typing.hold_ms.draw(normal),
            keypress_rate: typing.keypress_rate.draw(normal),
            mouse_velocity: typing.mouse_velocity.draw(normal),
            scroll_distance: typing.scroll_distance.draw(normal),
        };
        let digraphs = metrics.hold_ms.iter().zip(&metrics.flight_ms);
        // The path draws from a stream of its own: however long it gets, the lists of the next batch stay as they are.
        let mut of_path = normals(metrics.hold_ms.first().copied().unwrap_or_default().to_bits());
        Sample {
            digraph_ms: digraphs.map(|(hold, flight)| (hold + flight).max(1.0)).collect(),
            path: self.manner.path(&metrics.dwell_ms, &mut of_path),
            metrics,
        }
    }
}

impl Sample {
    /// As the collector sends it.
    pub fn wire(&self, seq: u64) -> Value {
        let path = self.path.iter().map(|point| {
            let [dt, dx, dy] = [point.dt_ms, point.dx, point.dy].map(|value| tenth(value.into()));
            let what = match point.what {
                Motion::Move => 0,
                Motion::Down => 1,
                Motion::Drag => 2,
                Motion::Up => 3,
            };
            json!([dt, dx, dy, what])
        });
        json!({
            "v": 1, "seq": seq, "span_ms": SPAN_MS, "clock_ms": CLOCK_MS, "pointer": "mouse",
            "metrics": self.metrics, "digraph_ms": self.digraph_ms, "path": path.collect::<Vec<_>>(),
        })
    }

    /// As the scorer sees it.
    pub fn batch(self, seq: u64) -> Batch {
        Batch {
            seq,
            channel: Channel::Session,
            span_ms: SPAN_MS,
            clock_ms: CLOCK_MS,
            pointer: Pointer::Mouse,
            metrics: self.metrics,
            digraph_ms: self.digraph_ms,
            keys: Vec::new(),
            path: self.path,
        }
    }
}

/// Standard normal numbers, always the same for a seed.
pub fn normals(seed: u64) -> impl FnMut() -> f64 {
    let mut rng = StdRng::seed_from_u64(seed);
    move || StandardNormal.sample(&mut rng)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn what_is_made_hangs_together_and_fits_into_a_batch() {
        for name in ["alice", "attacker"] {
            let (rhythm, mut normal) = (Rhythm::named(name).unwrap(), normals(5));
            for seq in 1..=50 {
                let sample = rhythm.sample(&mut normal);
                assert_eq!(sample.digraph_ms.len() + 1, sample.metrics.hold_ms.len());
                let begins = sample.path.iter().filter(|point| point.dt_ms == 0.0);
                assert!(begins.clone().count() == 5 && begins.into_iter().all(|point| (point.dx, point.dy) == (0.0, 0.0)));
                let clicks = |what| sample.path.iter().filter(|point| point.what == what).count();
                assert_eq!((clicks(Motion::Down), clicks(Motion::Up)), (4, 4));
                assert!(sample.path.iter().all(|point| point.dt_ms == 0.0 || point.dt_ms >= 8.0));
                let wire = sample.wire(seq);
                assert!(wire.to_string().len() < 15 * 1024, "{}", wire.to_string().len());
                assert_eq!(wire["path"].as_array().unwrap().len(), sample.path.len());
            }
        }
    }

    #[test]
    fn two_people_differ_in_typing_and_in_pointing() {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let of = |name: &str| {
            let (rhythm, mut normal) = (Rhythm::named(name).unwrap(), normals(5));
            let samples: Vec<_> = (0..50).map(|_| rhythm.sample(&mut normal)).collect();
            let digraphs: Vec<_> = samples.iter().flat_map(|sample| sample.digraph_ms.clone()).collect();
            let steps = samples.iter().flat_map(|sample| &sample.path);
            let speeds: Vec<_> = steps
                .filter(|point| point.what == Motion::Move && point.dt_ms > 0.0)
                .map(|point| f64::from(point.dx.hypot(point.dy) / point.dt_ms))
                .collect();
            (mean(&digraphs), mean(&speeds))
        };
        let (alice, attacker) = (of("alice"), of("attacker"));
        assert!(
            attacker.0 > 1.3 * alice.0 && attacker.1 > 1.3 * alice.1,
            "{alice:?} {attacker:?}"
        );
    }
}
