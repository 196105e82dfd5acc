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
    /// The speed at each of them.
    speeds: Vec<f64>,
}

/// How a path keeps to its chord, in CSS pixels.
#[derive(Default)]
pub(super) struct Course {
    /// The largest distance to it, positive on one side.
    pub(super) aside: f64,
    /// How far it goes beyond its end.
    pub(super) beyond: f64,
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
        let moved: Vec<(usize, f64)> = (0..ds.len())
            .filter(|i| ds[*i] > 0.0)
            .map(|i| (i, dy[i].atan2(dx[i])))
            .collect();
        let mut path = Self {
            t,
            dt,
            dx,
            dy,
            ds,
            v,
            a,
            j,
            turns: Vec::new(),
            w: Vec::new(),
            c: Vec::new(),
            speeds: Vec::new(),
        };
        for pair in moved.windows(2) {
            path.turn(pair[1].0, wrapped(pair[1].1 - pair[0].1));
        }
        if path.turns.is_empty() {
            (path.turns, path.w, path.c) = (vec![0.0], vec![0.0], vec![0.0]);
        }
        path
    }

    fn turn(&mut self, step: usize, turn: f64) {
        self.turns.push(turn);
        self.w.push(turn / self.dt[step]);
        self.c.push(turn / self.ds[step]);
        self.speeds.push(self.v[step]);
    }

    /// Seconds that it took; not 0.
    pub(super) fn duration(&self) -> f64 {
        self.dt.iter().sum()
    }

    /// Its length.
    pub(super) fn distance(&self) -> f64 {
        self.ds.iter().sum()
    }

    /// Where it ends, seen from where it began.
    pub(super) fn end(&self) -> (f64, f64) {
        (self.dx.iter().sum(), self.dy.iter().sum())
    }

    /// The distance from its beginning to its end.
    pub(super) fn chord(&self) -> f64 {
        let (x, y) = self.end();
        x.hypot(y)
    }

    /// A quarter of its steps, at least one.
    pub(super) fn quarter(&self) -> usize {
        (self.ds.len() / 4).max(1)
    }

    /// Mean speed over some of its steps, which are not none.
    pub(super) fn speed(&self, from: usize, to: usize) -> f64 {
        self.ds[from..to].iter().sum::<f64>() / self.dt[from..to].iter().sum::<f64>()
    }

    /// The way of the steps that ended after `from` and not after `to` seconds.
    pub(super) fn way(&self, from: f64, to: f64) -> f64 {
        let ends = self.ds.iter().zip(&self.t[1..]);
        ends.filter(|(_, t)| **t > from && **t <= to + 1e-9).map(|(ds, _)| ds).sum()
    }

    /// How it keeps to its chord; zeros if it ends where it began.
    pub(super) fn course(&self) -> Course {
        let ((end_x, end_y), chord) = (self.end(), self.chord());
        let (mut x, mut y, mut course) = (0.0, 0.0, Course::default());
        if chord == 0.0 {
            return course;
        }
        for (dx, dy) in self.dx.iter().zip(&self.dy) {
            x += dx;
            y += dy;
            let aside = (x * end_y - y * end_x) / chord;
            if aside.abs() > course.aside.abs() {
                course.aside = aside;
            }
            course.beyond = course.beyond.max((x * end_x + y * end_y) / chord - chord);
        }
        course
    }

    /// Seconds until the (first) step with the largest speed ended.
    pub(super) fn time_of_peak(&self) -> f64 {
        let peak = (0..self.v.len()).rev().max_by(|a, b| self.v[*a].total_cmp(&self.v[*b]));
        peak.map_or(0.0, |peak| self.t[peak + 1])
    }

    /// The exponent of the power law between curvature and speed, by least squares on their logarithms; 0 where there is too
    /// little to fit it.
    pub(super) fn power(&self) -> f64 {
        let bent = self.c.iter().zip(&self.speeds).filter(|(c, _)| c.abs() > 1e-6);
        let (mut n, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (curvature, speed) in bent.map(|(c, v)| (c.abs().ln(), v.ln())) {
            n += 1.0;
            x += curvature;
            y += speed;
            xx += curvature * curvature;
            xy += curvature * speed;
        }
        if n < 3.0 || xx - x * x / n <= 1e-6 {
            return 0.0;
        }
        (xy - x * y / n) / (xx - x * x / n)
    }
}

/// Mean, (population) standard deviation and ends.
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) std: f64,
    pub(super) max: f64,
    pub(super) min: f64,
}

impl Moments {
    /// The largest absolute value.
    pub(super) fn largest(&self) -> f64 {
        self.max.max(-self.min)
    }
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

/// A percentile of a sorted list, linearly interpolated; 0 if it is empty.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
}

/// Differences over times; one zero if there are none.
fn derivative(values: &[f64], dt: &[f64]) -> Vec<f64> {
    let pairs = values.windows(2).zip(dt);
    let differences: Vec<f64> = pairs.map(|(pair, dt)| (pair[1] - pair[0]) / dt).collect();
    if differences.is_empty() { vec![0.0] } else { differences }
}

/// A difference of two angles, in -π..π.
fn wrapped(angle: f64) -> f64 {
    if angle > PI {
        angle - TAU
    } else if angle < -PI {
        angle + TAU
    } else {
        angle
    }
}
