//! What is measured of an action, each with the scale that it is coded on.

use super::action::{Action, Kind};
use super::codebook::Scale::{self, Count, Share, Signed, Size};
use super::kinematics::{Path, moments, percentile};
use gait_sdk::Motion;
use std::f64::consts::{FRAC_PI_4, PI, TAU};

/// How many measurements an action has.
pub const MEASURES: usize = 82;

/// A value and its scale.
type Measure = (Scale, f64);

const SPEED: Scale = Size { unit: 2.0, top: 1e5 };
const VELOCITY: Scale = Signed { unit: 10.0, top: 1e5 };
const ACCELERATION: Scale = Signed { unit: 100.0, top: 1e7 };
const JERK: Scale = Signed { unit: 1e4, top: 1e10 };
const TURNING: Scale = Signed { unit: 0.05, top: 5e3 };
const BEND: Scale = Signed { unit: 1e-3, top: 10.0 };
const LENGTH: Scale = Size { unit: 2.0, top: 1e5 };
const STEP: Scale = Size { unit: 0.5, top: 5000.0 };
const SECONDS: Scale = Size { unit: 0.005, top: 100.0 };
const TICK: Scale = Size { unit: 0.001, top: 5.0 };
const ANGLE: Scale = Signed { unit: 0.02, top: 3.2 };
const RATIO: Scale = Size { unit: 0.02, top: 50.0 };

/// Keeps a division by a length from being one by nothing.
const LITTLE: f64 = 1e-9;

/// Seconds without a point that count as a pause.
const PAUSE: f64 = 0.2;

/// The codes of an action's measurements.
pub(super) fn measure(action: &Action) -> [u8; MEASURES] {
    let path = Path::of(action.points());
    let mut codes = [0; MEASURES];
    let all = extent(action, &path)
        .into_iter()
        .chain(speeds(&path))
        .chain(changes(&path))
        .chain(turning(&path))
        .chain(course(&path))
        .chain(profile(&path))
        .chain(texture(&path))
        .chain(timing(&path))
        .chain(pressing(action, &path));
    for (code, (scale, value)) in codes.iter_mut().zip(all) {
        *code = scale.code(value);
    }
    codes
}

/// How large it is, how long it took, and where it led.
fn extent(action: &Action, path: &Path) -> [Measure; 11] {
    let (x, y) = path.end();
    let angle = y.atan2(x);
    let (across, along) = (span(&path.dx), span(&path.dy));
    let kind = match action.kind() {
        Kind::Move => 0.0,
        Kind::PointClick => 1.0,
        Kind::Drag => 2.0,
    };
    [
        (Size { unit: 1.0, top: 500.0 }, action.points().len() as f64),
        (SECONDS, path.duration()),
        (LENGTH, path.distance()),
        (LENGTH, path.chord()),
        (Share, path.chord() / (path.distance() + LITTLE)),
        (Signed { unit: 2.0, top: 1e4 }, x),
        (Signed { unit: 2.0, top: 1e4 }, y),
        (Count, ((angle + PI) / FRAC_PI_4).floor()),
        (Signed { unit: 3.2, top: 3.2 }, angle),
        (Share, across / (across + along + LITTLE)),
        (Count, kind),
    ]
}

/// Speeds in CSS pixels a second.
fn speeds(path: &Path) -> [Measure; 16] {
    let vx = moments(path.dx.iter().zip(&path.dt).map(|(d, t)| d / t));
    let vy = moments(path.dy.iter().zip(&path.dt).map(|(d, t)| d / t));
    let v = moments(path.v.iter().copied());
    let sorted = ascending(path.v.iter().copied());
    let (steps, quarter) = (path.v.len(), path.quarter());
    [
        (VELOCITY, vx.mean),
        (SPEED, vx.std),
        (VELOCITY, vy.mean),
        (SPEED, vy.std),
        (SPEED, v.mean),
        (SPEED, v.std),
        (SPEED, v.max),
        (SPEED, v.min),
        (SPEED, percentile(&sorted, 0.25)),
        (SPEED, percentile(&sorted, 0.5)),
        (SPEED, percentile(&sorted, 0.75)),
        (RATIO, v.std / (v.mean + LITTLE)),
        (RATIO, v.max / (v.mean + LITTLE)),
        (SPEED, path.speed(0, quarter)),
        (SPEED, path.speed(steps - quarter, steps)),
        (SPEED, path.v[steps - 1]),
    ]
}

/// Acceleration and jerk along the path.
fn changes(path: &Path) -> [Measure; 9] {
    let a = moments(path.a.iter().copied());
    let j = moments(path.j.iter().copied());
    let early = &path.a[..(path.a.len() / 4).max(1)];
    let jerk_squared = j.std * j.std + j.mean * j.mean;
    let roughness = jerk_squared * path.duration().powi(6) / (path.distance().powi(2) + 1.0);
    [
        (ACCELERATION, a.mean),
        (Size { unit: 50.0, top: 1e7 }, a.std),
        (ACCELERATION, a.max),
        (ACCELERATION, a.min),
        (ACCELERATION, early.iter().sum::<f64>() / early.len() as f64),
        (JERK, j.mean),
        (Size { unit: 1e3, top: 1e10 }, j.std),
        (Size { unit: 1e3, top: 1e10 }, j.largest()),
        (Signed { unit: 2.0, top: 60.0 }, roughness.ln_1p()),
    ]
}

/// Changes of direction.
fn turning(path: &Path) -> [Measure; 10] {
    let w = moments(path.w.iter().copied());
    let c = moments(path.c.iter().copied());
    let sharp = path.turns.iter().filter(|turn| turn.abs() > FRAC_PI_4).count();
    [
        (TURNING, w.mean),
        (Size { unit: 0.05, top: 5e3 }, w.std),
        (TURNING, w.max),
        (TURNING, w.min),
        (BEND, c.mean),
        (Size { unit: 1e-3, top: 10.0 }, c.std),
        (Size { unit: 1e-3, top: 10.0 }, c.largest()),
        (
            Size { unit: 0.05, top: 500.0 },
            path.turns.iter().map(|turn| turn.abs()).sum(),
        ),
        (Count, sharp as f64),
        (Signed { unit: 0.3, top: 5.0 }, path.power()),
    ]
}

/// How it keeps to the straight line from its beginning to its end.
fn course(path: &Path) -> [Measure; 6] {
    let (x, y) = path.end();
    let course = path.course();
    let (steps, quarter) = (path.ds.len(), path.quarter());
    let off = |from: usize, to: usize| match (span_of(&path.dx, from, to), span_of(&path.dy, from, to)) {
        (0.0, 0.0) => 0.0,
        (dx, dy) => turned(dy.atan2(dx) - y.atan2(x)),
    };
    [
        (LENGTH, course.aside.abs()),
        (Size { unit: 0.001, top: 10.0 }, course.aside.abs() / (path.chord() + 1.0)),
        (Signed { unit: 0.005, top: 5.0 }, course.aside / (path.chord() + 1.0)),
        (Size { unit: 0.002, top: 5.0 }, course.beyond / (path.chord() + 1.0)),
        (ANGLE, off(0, quarter)),
        (ANGLE, off(steps - quarter, steps)),
    ]
}

/// The shape of the speed over time.
fn profile(path: &Path) -> [Measure; 11] {
    let (duration, peak) = (path.duration(), path.time_of_peak());
    let top = moments(path.v.iter().copied()).max;
    let is_peak = |v: &&[f64]| v[1] > v[0] && v[1] >= v[2] && v[1] > 0.2 * top;
    let peaks = path.v.windows(3).filter(is_peak).count() as f64;
    let still = path.ds.iter().filter(|ds| **ds == 0.0).count() as f64;
    let share = |from: f64, to: f64| path.way(from * duration, to * duration) / (path.distance() + LITTLE);
    [
        (SECONDS, peak),
        (SECONDS, duration - peak),
        (Share, peak / duration),
        (Share, share(-1.0, peak / duration)),
        (Count, peaks),
        (Size { unit: 0.05, top: 100.0 }, peaks / duration),
        (Share, still / path.ds.len() as f64),
        (Share, share(0.0, 0.25)),
        (Share, share(0.25, 0.5)),
        (Share, share(0.5, 0.75)),
        (Share, share(0.75, 1.0)),
    ]
}

/// The grain of the steps: what the device and its settings make of a movement.
fn texture(path: &Path) -> [Measure; 7] {
    let moved = ascending(path.ds.iter().copied().filter(|ds| *ds > 0.0));
    let share = |of: fn(f64, f64) -> bool| {
        let steps = path.dx.iter().zip(&path.dy).filter(|(dx, dy)| **dx != 0.0 || **dy != 0.0);
        steps.filter(|(dx, dy)| of(**dx, **dy)).count() as f64 / moved.len() as f64
    };
    [
        (Share, share(|dx, dy| dx == 0.0 || dy == 0.0)),
        (Share, share(|dx, dy| dx.abs() == dy.abs())),
        (Share, share(|dx, dy| dx.hypot(dy) < 1.5)),
        (Share, share(|dx, dy| dx % 2.0 == 0.0 && dy % 2.0 == 0.0)),
        (STEP, percentile(&moved, 0.1)),
        (STEP, percentile(&moved, 0.5)),
        (STEP, percentile(&moved, 1.0)),
    ]
}

/// Times between points.
fn timing(path: &Path) -> [Measure; 8] {
    let dt = moments(path.dt.iter().copied());
    let sorted = ascending(path.dt.iter().copied());
    [
        (Count, path.dt.iter().filter(|dt| **dt > PAUSE).count() as f64),
        (SECONDS, dt.max),
        (SECONDS, dt.mean),
        (Size { unit: 0.001, top: 10.0 }, dt.std),
        (TICK, dt.min),
        (TICK, percentile(&sorted, 0.25)),
        (TICK, percentile(&sorted, 0.5)),
        (TICK, percentile(&sorted, 0.75)),
    ]
}

/// Around the last press of a button: how long it was held, when the last point and the last movement before it were, and how
/// far the pointer went while it was held. Zeros where there was none.
fn pressing(action: &Action, path: &Path) -> [Measure; 4] {
    let last = |what: Motion| action.points().iter().rposition(|point| point.what == what);
    let (mut held, mut before, mut rest, mut way) = (0.0, 0.0, 0.0, 0.0);
    if let Some(down) = last(Motion::Down) {
        held = last(Motion::Up).map_or(0.0, |up| path.t[up] - path.t[down]);
        before = path.t[down] - path.t[down.saturating_sub(1)];
        let moved = path.ds[..down].iter().rposition(|ds| *ds > 0.0);
        rest = path.t[down] - moved.map_or(0.0, |step| path.t[step + 1]);
        way = path.ds[down..].iter().sum();
    }
    [(SECONDS, held), (SECONDS, before), (SECONDS, rest), (STEP, way)]
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn span(steps: &[f64]) -> f64 {
    steps.iter().map(|step| step.abs()).sum()
}

fn span_of(steps: &[f64], from: usize, to: usize) -> f64 {
    steps[from..to].iter().sum()
}

/// An angle in -π..π.
fn turned(angle: f64) -> f64 {
    (angle + PI).rem_euclid(TAU) - PI
}
