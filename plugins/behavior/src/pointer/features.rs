//! What is measured of an action, and how it is kept.

use super::action::{Action, Kind};
use super::codebook::Scale::{self, Count, Share, Signed, Size};
use super::kinematics::{Moments, Path, moments, percentile};
use gait_sdk::Motion;
use serde::{Deserialize, Serialize};

/// How many measurements an action has.
pub const MEASURES: usize = SCALES.len();

const SPEED: Scale = Size { unit: 2.0, top: 1e5 };
const VELOCITY: Scale = Signed { unit: 10.0, top: 1e5 };
const ACCELERATION: Scale = Signed { unit: 100.0, top: 1e7 };
const JERK: Scale = Signed { unit: 1e4, top: 1e10 };
const TURNING: Scale = Signed { unit: 0.05, top: 5e3 };
const BEND: Scale = Signed { unit: 1e-3, top: 10.0 };
const LENGTH: Scale = Size { unit: 2.0, top: 1e5 };
const SECONDS: Scale = Size { unit: 0.005, top: 100.0 };

/// The scales in the order of [`measure`].
const SCALES: [Scale; 46] = [
    Size { unit: 1.0, top: 500.0 },
    SECONDS,
    LENGTH,
    LENGTH,
    Share,
    VELOCITY,
    SPEED,
    VELOCITY,
    SPEED,
    SPEED,
    SPEED,
    SPEED,
    SPEED,
    SPEED,
    SPEED,
    SPEED,
    ACCELERATION,
    Size { unit: 50.0, top: 1e7 },
    ACCELERATION,
    ACCELERATION,
    JERK,
    Size { unit: 1e3, top: 1e10 },
    Size { unit: 1e3, top: 1e10 },
    TURNING,
    Size { unit: 0.05, top: 5e3 },
    TURNING,
    TURNING,
    BEND,
    Size { unit: 1e-3, top: 10.0 },
    Size { unit: 1e-3, top: 10.0 },
    Size { unit: 0.05, top: 500.0 },
    Count,
    Count,
    LENGTH,
    ACCELERATION,
    Share,
    Count,
    SECONDS,
    SECONDS,
    Size { unit: 0.001, top: 10.0 },
    SECONDS,
    SECONDS,
    Size { unit: 0.005, top: 100.0 },
    Signed { unit: 2.0, top: 1e4 },
    Signed { unit: 2.0, top: 1e4 },
    Count,
];

/// An action as it is kept: one byte a measurement, no place, no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Features([u8; MEASURES]);

impl Features {
    /// The codes, one a measurement.
    pub fn codes(&self) -> &[u8; MEASURES] {
        &self.0
    }
}

impl From<Features> for Vec<u8> {
    fn from(features: Features) -> Self {
        features.0.to_vec()
    }
}

impl TryFrom<Vec<u8>> for Features {
    type Error = &'static str;

    fn try_from(codes: Vec<u8>) -> Result<Self, Self::Error> {
        codes
            .try_into()
            .map(Self)
            .map_err(|_| "an action has another number of measurements")
    }
}

impl Action {
    /// Measures the action.
    pub fn features(&self) -> Features {
        let values = measure(self);
        Features(std::array::from_fn(|i| SCALES[i].code(values[i])))
    }
}

fn measure(action: &Action) -> [f64; MEASURES] {
    let path = Path::of(action.points());
    let (dt, v) = (&path.dt, &path.v);
    let vx = moments(path.dx.iter().zip(dt).map(|(d, t)| d / t));
    let vy = moments(path.dy.iter().zip(dt).map(|(d, t)| d / t));
    let speed = moments(v.iter().copied());
    let a = moments(path.a.iter().copied());
    let j = moments(path.j.iter().copied());
    let w = moments(path.w.iter().copied());
    let c = moments(path.c.iter().copied());
    let pauses = moments(dt.iter().copied());
    let duration: f64 = dt.iter().sum();
    let distance: f64 = path.ds.iter().sum();
    let (x, y) = path.end();
    let chord = x.hypot(y);
    let deviation = path.deviation();
    let octant = ((y.atan2(x) + std::f64::consts::PI) / std::f64::consts::FRAC_PI_4).floor();
    let early = &path.a[..(path.a.len() / 4).max(1)];
    let mut sorted = v.clone();
    sorted.sort_by(f64::total_cmp);
    let (click, approach) = click(action, &path);
    [
        action.points().len() as f64,
        duration,
        distance,
        chord,
        chord / (distance + 1e-9),
        vx.mean,
        vx.std,
        vy.mean,
        vy.std,
        speed.mean,
        speed.std,
        speed.max,
        speed.min,
        percentile(&sorted, 0.25),
        percentile(&sorted, 0.5),
        percentile(&sorted, 0.75),
        a.mean,
        a.std,
        a.max,
        a.min,
        j.mean,
        j.std,
        largest(&j),
        w.mean,
        w.std,
        w.max,
        w.min,
        c.mean,
        c.std,
        largest(&c),
        path.turns.iter().map(|turn| turn.abs()).sum(),
        path.turns
            .iter()
            .filter(|turn| turn.abs() > std::f64::consts::FRAC_PI_4)
            .count() as f64,
        octant,
        deviation,
        early.iter().sum::<f64>() / early.len() as f64,
        path.time_of_peak() / duration,
        dt.iter().filter(|dt| **dt > 0.2).count() as f64,
        pauses.max,
        pauses.mean,
        pauses.std,
        click,
        approach,
        deviation / (chord + 1.0),
        x,
        y,
        match action.kind() {
            Kind::Move => 0.0,
            Kind::PointClick => 1.0,
            Kind::Drag => 2.0,
        },
    ]
}

fn largest(moments: &Moments) -> f64 {
    moments.max.max(-moments.min)
}

/// Seconds from the last press to the last release, and before the last press; 0 where there is none.
fn click(action: &Action, path: &Path) -> (f64, f64) {
    let last = |what: Motion| action.points().iter().rposition(|point| point.what == what);
    let Some(down) = last(Motion::Down) else { return (0.0, 0.0) };
    let held = last(Motion::Up).map_or(0.0, |up| path.t[up] - path.t[down]);
    let approach = path.t[down] - path.t[down.saturating_sub(1)];
    (held.max(0.0), approach)
}
