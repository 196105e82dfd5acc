//! Speed, acceleration, jerk, turning and bending along a path.

use gait_sdk::Point;
use std::f64::consts::{PI, TAU};

/// A path and its derivatives, in seconds and CSS pixels. All numbers are finite.
pub(super) struct Path {
    /// Seconds since the first point, one a point.
    pub(super) t: Vec<f64>,
    /// Seconds between points, never 0.
    pub(super) dt: Vec<f64>,
    /// Steps to the right.
    pub(super) dx: Vec<f64>,
    /// Steps downward.
    pub(super) dy: Vec<f64>,
    /// Lengths of the steps.
    pub(super) ds: Vec<f64>,
    /// Speed.
    pub(super) v: Vec<f64>,
    /// Acceleration along the path; not empty.
    pub(super) a: Vec<f64>,
    /// Jerk along the path; not empty.
    pub(super) j: Vec<f64>,
    /// Changes of direction in radians between steps that moved; not empty.
    pub(super) turns: Vec<f64>,
    /// The same per second.
    pub(super) w: Vec<f64>,
    /// The same per pixel.
    pub(super) c: Vec<f64>,
}

impl Path {
    /// The path of at least four points.
    pub(super) fn of(points: &[Point]) -> Self {
        let steps = points.get(1..).unwrap_or_default();
        let dt: Vec<f64> = steps.iter().map(|point| f64::from(point.dt_ms) / 1000.0).collect();
        let dx: Vec<f64> = steps.iter().map(|point| f64::from(point.dx)).collect();
        let dy: Vec<f64> = steps.iter().map(|point| f64::from(point.dy)).collect();
        let ds: Vec<f64> = dx.iter().zip(&dy).map(|(x, y)| x.hypot(*y)).collect();
        let mut t = vec![0.0];
        t.extend(dt.iter().scan(0.0, |sum, dt| {
            *sum += dt;
            Some(*sum)
        }));
        let v: Vec<f64> = ds.iter().zip(&dt).map(|(ds, dt)| ds / dt).collect();
        let a = derivative(&v, &dt[1..]);
        let j = derivative(&a, &dt[2..]);
        let moving: Vec<usize> = (0..ds.len()).filter(|i| ds[*i] > 0.0).collect();
        let angle = |i: usize| dy[i].atan2(dx[i]);
        let pairs = || {
            moving
                .windows(2)
                .map(|pair| (pair[1], wrapped(angle(pair[1]) - angle(pair[0]))))
        };
        let mut turns: Vec<f64> = pairs().map(|(_, turn)| turn).collect();
        let mut w: Vec<f64> = pairs().map(|(i, turn)| turn / dt[i]).collect();
        let mut c: Vec<f64> = pairs().map(|(i, turn)| turn / ds[i]).collect();
        if turns.is_empty() {
            (turns, w, c) = (vec![0.0], vec![0.0], vec![0.0]);
        }
        Self {
            t,
            dt,
            dx,
            dy,
            ds,
            v,
            a,
            j,
            turns,
            w,
            c,
        }
    }

    /// Where it ends, seen from where it began.
    pub(super) fn end(&self) -> (f64, f64) {
        (self.dx.iter().sum(), self.dy.iter().sum())
    }

    /// Largest distance to the straight line from its beginning to its end; 0 if they are the same.
    pub(super) fn deviation(&self) -> f64 {
        let (end_x, end_y) = self.end();
        let chord = end_x.hypot(end_y);
        if chord == 0.0 {
            return 0.0;
        }
        let (mut x, mut y, mut most) = (0.0, 0.0, 0.0_f64);
        for (dx, dy) in self.dx.iter().zip(&self.dy) {
            x += dx;
            y += dy;
            most = most.max((x * end_y - y * end_x).abs() / chord);
        }
        most
    }

    /// Seconds until the step with the largest speed ended.
    pub(super) fn time_of_peak(&self) -> f64 {
        let peak = (0..self.v.len()).rev().max_by(|a, b| self.v[*a].total_cmp(&self.v[*b]));
        peak.map_or(0.0, |peak| self.t[peak + 1])
    }
}

/// Mean, (population) standard deviation and ends.
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) std: f64,
    pub(super) max: f64,
    pub(super) min: f64,
}

/// Of a list that is not empty.
pub(super) fn moments(values: impl Iterator<Item = f64>) -> Moments {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let (mut max, mut min) = (f64::MIN, f64::MAX);
    for value in values {
        n += 1.0;
        sum += value;
        squares += value * value;
        max = max.max(value);
        min = min.min(value);
    }
    let mean = sum / n;
    Moments {
        mean,
        std: (squares / n - mean * mean).max(0.0).sqrt(),
        max,
        min,
    }
}

/// A percentile of a sorted list that is not empty, linearly interpolated.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
}

/// Differences over times; one zero if there are none.
fn derivative(values: &[f64], dt: &[f64]) -> Vec<f64> {
    let differences: Vec<f64> = values.windows(2).zip(dt).map(|(pair, dt)| (pair[1] - pair[0]) / dt).collect();
    if differences.is_empty() { vec![0.0] } else { differences }
}

/// An angle in -π..π.
fn wrapped(angle: f64) -> f64 {
    if angle > PI {
        angle - TAU
    } else if angle < -PI {
        angle + TAU
    } else {
        angle
    }
}
