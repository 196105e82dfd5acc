//! Movements of nobody: invented from what is known of pointing in general, so that the first accounts of a deployment are
//! compared with something.

use super::action::actions;
use super::features::Features;
use gait_sdk::{Motion, Point};
use std::f64::consts::TAU;

/// Invented people.
const PEOPLE: usize = 60;

/// Movements of each.
const MOVEMENTS: usize = 25;

/// The actions of invented people: the same every time.
pub(super) fn actions_of_nobody() -> Vec<Features> {
    let mut dice = Dice(20_261_122);
    (0..PEOPLE)
        .flat_map(|_| {
            let person = Person::new(&mut dice);
            let strokes: Vec<Point> = (0..MOVEMENTS).flat_map(|_| person.stroke(&mut dice)).collect();
            actions(&strokes)
        })
        .map(|action| action.features())
        .collect()
}

/// A linear congruential generator (Knuth's MMIX constants): no secret hangs on it.
struct Dice(u64);

impl Dice {
    /// Evenly from `low` to `high`.
    fn even(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly on a logarithmic scale.
    fn log(&mut self, low: f64, high: f64) -> f64 {
        self.even(low.ln(), high.ln()).exp()
    }

    /// About normal, mean 0 and deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even(-0.5, 0.5)).sum()
    }
}

/// Somebody who doesn't exist.
struct Person {
    tick_ms: f64,
    pace: f64,
    peak: f64,
    bend: f64,
    tremor: f64,
    hold_ms: f64,
    rest_ms: f64,
    unit: f64,
}

impl Person {
    fn new(dice: &mut Dice) -> Self {
        let ticks = [8.0, 8.0, 10.0, 16.0, 16.0, 33.0, 100.0];
        Self {
            tick_ms: ticks[dice.even(0.0, ticks.len() as f64) as usize % ticks.len()],
            pace: dice.log(0.6, 1.7),
            peak: dice.even(0.55, 0.9),
            bend: dice.normal() * 0.04,
            tremor: dice.log(0.1, 1.2),
            hold_ms: dice.log(60.0, 150.0),
            rest_ms: dice.log(40.0, 400.0),
            unit: if dice.even(0.0, 1.0) < 0.2 { 2.0 } else { 1.0 },
        }
    }

    /// A movement to a target, by Fitts's law and with the least jerk; mostly with a click, sometimes a drag or a rest.
    fn stroke(&self, dice: &mut Dice) -> Vec<Point> {
        let (distance, angle) = (dice.log(15.0, 1300.0), dice.even(0.0, TAU));
        let size = dice.log(10.0, 120.0);
        let duration = self.pace * (150.0 + 140.0 * (distance / size + 1.0).log2()) * dice.log(0.7, 1.6);
        let bend = (self.bend + dice.normal() * 0.05) * distance;
        let (warp, sort) = (self.peak * dice.log(0.85, 1.2), dice.even(0.0, 1.0));
        let drag = sort < 0.18;
        let mut path = vec![first()];
        let (mut now, mut x, mut y) = (0.0, 0.0, 0.0);
        if drag {
            path.push(point(self.tick_ms, 0.0, 0.0, Motion::Down));
        }
        while now < duration {
            let dt = self.tick_ms * dice.log(0.9, 1.2);
            now += dt;
            let along = least_jerk((now / duration).min(1.0).powf(warp));
            let aside = bend * (along * TAU / 2.0).sin() + self.tremor * dice.normal();
            let grid = |value: f64| (value / self.unit).round() * self.unit;
            let to_x = grid(along * distance * angle.cos() - aside * angle.sin());
            let to_y = grid(along * distance * angle.sin() + aside * angle.cos());
            if (to_x, to_y) != (x, y) {
                let what = if drag { Motion::Drag } else { Motion::Move };
                path.push(point(dt, to_x - x, to_y - y, what));
                (x, y) = (to_x, to_y);
            }
        }
        if sort < 0.9 {
            let press = self.rest_ms * dice.log(0.5, 2.0);
            if !drag {
                path.push(point(press, 0.0, 0.0, Motion::Down));
            }
            path.push(point(self.hold_ms * dice.log(0.7, 1.4), 0.0, 0.0, Motion::Up));
        }
        path
    }
}

/// The share of the way that a movement with the least jerk has made after a share of its time (Flash and Hogan, 1985).
fn least_jerk(time: f64) -> f64 {
    time.powi(3) * (10.0 - 15.0 * time + 6.0 * time * time)
}

fn first() -> Point {
    point(0.0, 0.0, 0.0, Motion::Move)
}

fn point(dt_ms: f64, dx: f64, dy: f64, what: Motion) -> Point {
    Point {
        dt_ms: dt_ms as f32,
        dx: dx as f32,
        dy: dy as f32,
        what,
    }
}
