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
const SCALES: [Scale; 46 + EXTRA] = [
    Size { unit: 1.0, top: 500.0 }, SECONDS, LENGTH, LENGTH, Share,
    VELOCITY, SPEED, VELOCITY, SPEED,
    SPEED, SPEED, SPEED, SPEED, SPEED, SPEED, SPEED,
    ACCELERATION, Size { unit: 50.0, top: 1e7 }, ACCELERATION, ACCELERATION,
    JERK, Size { unit: 1e3, top: 1e10 }, Size { unit: 1e3, top: 1e10 },
    TURNING, Size { unit: 0.05, top: 5e3 }, TURNING, TURNING,
    BEND, Size { unit: 1e-3, top: 10.0 }, Size { unit: 1e-3, top: 10.0 },
    Size { unit: 0.05, top: 500.0 }, Count, Count, LENGTH,
    ACCELERATION, Share, Count, SECONDS, SECONDS, Size { unit: 0.001, top: 10.0 }, SECONDS, SECONDS,
    Size { unit: 0.005, top: 100.0 }, Signed { unit: 2.0, top: 1e4 }, Signed { unit: 2.0, top: 1e4 }, Count,
    // 46: cv, peakedness, after peak s, to peak s, share of way before peak
    Size { unit: 0.02, top: 20.0 }, Size { unit: 0.02, top: 50.0 }, SECONDS, SECONDS, Share,
    // 51: peaks, peaks per s, still steps share
    Count, Size { unit: 0.05, top: 100.0 }, Share,
    // 54: start angle, end angle, signed dev, overshoot
    Signed { unit: 0.02, top: 3.2 }, Signed { unit: 0.02, top: 3.2 }, Signed { unit: 0.005, top: 5.0 }, Size { unit: 0.002, top: 5.0 },
    // 58: first quarter speed, last quarter speed, last step speed
    SPEED, SPEED, SPEED,
    // 61: axis-aligned, diagonal, tiny steps, median step, largest step
    Share, Share, Share, Size { unit: 0.5, top: 2000.0 }, Size { unit: 0.5, top: 5000.0 },
    // 66: dt quantiles min, 25, 50, 75
    Size { unit: 0.001, top: 5.0 }, Size { unit: 0.001, top: 5.0 }, Size { unit: 0.001, top: 5.0 }, Size { unit: 0.001, top: 5.0 },
    // 70: |dx| share, chord angle, rest before press, way while pressed
    Share, Signed { unit: 3.2, top: 3.2 }, SECONDS, Size { unit: 0.5, top: 5000.0 },
    // 74: shares of the way in time quarters
    Share, Share, Share, Share,
    // 78: log dimensionless jerk, power law
    Signed { unit: 2.0, top: 60.0 }, Signed { unit: 0.3, top: 5.0 },
    // 80: even steps share, fraction of integer
    Share, Size { unit: 0.5, top: 2000.0 },
];
const EXTRA: usize = 36;

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
        codes.try_into().map(Self).map_err(|_| "an action has another number of measurements")
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
    let mut all = [0.0; MEASURES];
    all[..46].copy_from_slice(&measure0(action));
    all[46..].copy_from_slice(&extra(action));
    all
}
fn extra(action: &Action) -> [f64; EXTRA] {
    let p = Path::of(action.points());
    let n = p.ds.len();
    let v = moments(p.v.iter().copied());
    let duration: f64 = p.dt.iter().sum();
    let distance: f64 = p.ds.iter().sum();
    let peak = p.time_of_peak();
    let before: f64 = p.ds.iter().zip(&p.t[1..]).filter(|(_, t)| **t <= peak).map(|(d, _)| d).sum();
    let peaks = p.v.windows(3).filter(|w| w[1] > w[0] && w[1] >= w[2] && w[1] > 0.2 * v.max).count() as f64;
    let still = p.ds.iter().filter(|d| **d == 0.0).count() as f64 / n as f64;
    let (ex, ey) = p.end();
    let chord = ex.hypot(ey);
    let wrap = |a: f64| (a + 3.0 * std::f64::consts::PI).rem_euclid(2.0 * std::f64::consts::PI) - std::f64::consts::PI;
    let (mut x, mut y) = (0.0, 0.0);
    let (mut sd, mut over) = (0.0f64, 0.0f64);
    let mut pos = vec![(0.0, 0.0)];
    for (dx, dy) in p.dx.iter().zip(&p.dy) {
        x += dx; y += dy; pos.push((x, y));
        if chord > 0.0 {
            let d = (x * ey - y * ex) / chord;
            if d.abs() > sd.abs() { sd = d; }
            over = over.max((x * ex + y * ey) / chord - chord);
        }
    }
    let k = (n / 4).max(1);
    let seg = |a: usize, b: usize| { let (x0, y0) = pos[a]; let (x1, y1) = pos[b]; if (x0, y0) == (x1, y1) { 0.0 } else { wrap((y1 - y0).atan2(x1 - x0) - ey.atan2(ex)) } };
    let sp = |a: usize, b: usize| p.ds[a..b].iter().sum::<f64>() / p.dt[a..b].iter().sum::<f64>();
    let moving = p.ds.iter().filter(|d| **d > 0.0).count().max(1) as f64;
    let count = |f: &dyn Fn(usize) -> bool| (0..n).filter(|i| p.ds[*i] > 0.0 && f(*i)).count() as f64 / moving;
    let mut ds: Vec<f64> = p.ds.iter().copied().filter(|d| *d > 0.0).collect(); ds.sort_by(f64::total_cmp); if ds.is_empty() { ds.push(0.0); }
    let mut dt = p.dt.clone(); dt.sort_by(f64::total_cmp);
    let ax: f64 = p.dx.iter().map(|d| d.abs()).sum(); let ay: f64 = p.dy.iter().map(|d| d.abs()).sum();
    let down = action.points().iter().rposition(|q| q.what == Motion::Down);
    let (rest, held) = match down {
        Some(d) => {
            let last = (0..d).rev().find(|i| p.ds[*i] > 0.0).map_or(0.0, |i| p.t[i + 1]);
            (p.t[d] - last, p.ds[d..].iter().sum())
        }
        None => (0.0, 0.0),
    };
    let quarter = |q: f64| p.ds.iter().zip(&p.t[1..]).filter(|(_, t)| **t > duration * q && **t <= duration * (q + 0.25) + 1e-9).map(|(d, _)| d).sum::<f64>() / (distance + 1e-9);
    let j2: f64 = p.j.iter().map(|j| j * j).sum::<f64>() / p.j.len() as f64;
    let ldj = (j2 * duration.powi(6) / (distance * distance + 1.0) + 1.0).ln();
    // power law between speed and curvature
    let (mut sx, mut sy, mut sxx, mut sxy, mut m) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mv: Vec<usize> = (0..n).filter(|i| p.ds[*i] > 0.0).collect();
    for (q, c) in p.c.iter().enumerate() { if mv.len() > q + 1 && c.abs() > 1e-6 { let a = c.abs().ln(); let b = p.v[mv[q + 1]].ln(); sx += a; sy += b; sxx += a * a; sxy += a * b; m += 1.0; } }
    let var = sxx - sx * sx / f64::max(m, 1.0);
    let power = if m >= 3.0 && var > 1e-6 { (sxy - sx * sy / m) / var } else { 0.0 };
    [
        v.std / (v.mean + 1e-9), v.max / (v.mean + 1e-9), duration - peak, peak, before / (distance + 1e-9),
        peaks, peaks / duration, still,
        seg(0, k), seg(n - k, n), sd / (chord + 1.0), over / (chord + 1.0),
        sp(0, k), sp(n - k, n), p.v[n - 1],
        count(&|i| p.dx[i] == 0.0 || p.dy[i] == 0.0), count(&|i| p.dx[i].abs() == p.dy[i].abs()), count(&|i| p.ds[i] < 1.5), percentile(&ds, 0.5), ds[ds.len() - 1],
        dt[0], percentile(&dt, 0.25), percentile(&dt, 0.5), percentile(&dt, 0.75),
        ax / (ax + ay + 1e-9), ey.atan2(ex), rest, held,
        quarter(0.0), quarter(0.25), quarter(0.5), quarter(0.75),
        ldj, power,
        count(&|i| (p.dx[i] % 2.0) == 0.0 && (p.dy[i] % 2.0) == 0.0), percentile(&ds, 0.1),
    ]
}
fn measure0(action: &Action) -> [f64; 46] {
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
        action.points().len() as f64, duration, distance, chord, chord / (distance + 1e-9),
        vx.mean, vx.std, vy.mean, vy.std,
        speed.mean, speed.std, speed.max, speed.min, percentile(&sorted, 0.25), percentile(&sorted, 0.5), percentile(&sorted, 0.75),
        a.mean, a.std, a.max, a.min,
        j.mean, j.std, largest(&j),
        w.mean, w.std, w.max, w.min,
        c.mean, c.std, largest(&c),
        path.turns.iter().map(|turn| turn.abs()).sum(),
        path.turns.iter().filter(|turn| turn.abs() > std::f64::consts::FRAC_PI_4).count() as f64,
        octant, deviation,
        early.iter().sum::<f64>() / early.len() as f64,
        path.time_of_peak() / duration,
        dt.iter().filter(|dt| **dt > 0.2).count() as f64,
        pauses.max, pauses.mean, pauses.std,
        click, approach,
        deviation / (chord + 1.0), x, y,
        match action.kind() { Kind::Move => 0.0, Kind::PointClick => 1.0, Kind::Drag => 2.0 },
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
