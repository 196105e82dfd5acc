//! People who type and point, made of numbers.

use super::{Chance, Desk};
use futures_util::FutureExt;
use gait_behavior::{Behavior, Config};
use gait_sdk::{Background, Batch, Channel, Label, Metrics, ModelBlob, Motion, Point, Pointer, Scorer};

/// Somebody's manners. Times are in milliseconds, scatters in natural logarithms.
#[derive(Clone, Debug)]
pub struct Person {
    pub hold: f64,
    pub hold_scatter: f64,
    pub digraph: f64,
    pub digraph_scatter: f64,
    /// Pixels per millisecond.
    pub speed: f64,
    /// How far the middle of a stroke is beside the straight line, as a share of its length.
    pub bend: f64,
    /// Pixels.
    pub tremor: f64,
    pub click: f64,
}

impl Person {
    pub fn alice() -> Self {
        Self {
            hold: 88.0,
            hold_scatter: 0.16,
            digraph: 165.0,
            digraph_scatter: 0.32,
            speed: 0.9,
            bend: 0.05,
            tremor: 0.4,
            click: 85.0,
        }
    }

    pub fn mallory() -> Self {
        Self {
            hold: 128.0,
            hold_scatter: 0.22,
            digraph: 290.0,
            digraph_scatter: 0.45,
            speed: 1.7,
            bend: 0.18,
            tremor: 1.4,
            click: 125.0,
        }
    }

    /// Anybody.
    pub fn anybody(chance: &mut Chance) -> Self {
        let mut around = |middle: f64, scatter: f64| middle * (scatter * chance.normal()).exp();
        Self {
            hold: around(105.0, 0.2),
            hold_scatter: around(0.2, 0.15),
            digraph: around(220.0, 0.3),
            digraph_scatter: around(0.4, 0.15),
            speed: around(1.2, 0.3),
            bend: around(0.1, 0.5),
            tremor: around(0.8, 0.4),
            click: around(105.0, 0.2),
        }
    }

    fn holds(&self, keys: usize, chance: &mut Chance) -> Vec<f64> {
        (0..keys)
            .map(|_| tenths(self.hold * (self.hold_scatter * chance.normal()).exp()))
            .collect()
    }

    fn digraphs(&self, keys: usize, chance: &mut Chance) -> Vec<f64> {
        (1..keys)
            .map(|_| tenths(self.digraph * (self.digraph_scatter * chance.normal()).exp()))
            .collect()
    }

    /// Some keys of free text.
    pub fn types(&self, keys: usize, seq: u64, chance: &mut Chance) -> Batch {
        Batch {
            pointer: Pointer::None,
            metrics: Metrics {
                hold_ms: self.holds(keys, chance),
                ..Metrics::default()
            },
            digraph_ms: self.digraphs(keys, chance),
            ..empty(seq)
        }
    }

    /// Some clicks at places here and there.
    pub fn points(&self, clicks: usize, seq: u64, chance: &mut Chance) -> Batch {
        Batch {
            path: (0..clicks).flat_map(|_| self.stroke(chance)).collect(),
            ..empty(seq)
        }
    }

    /// Some of both.
    pub fn works(&self, seq: u64, chance: &mut Chance) -> Batch {
        let (typed, pointed) = (self.types(15, seq, chance), self.points(3, seq, chance));
        Batch {
            metrics: typed.metrics,
            digraph_ms: typed.digraph_ms,
            ..pointed
        }
    }

    /// A sign-in page's text, whose timings are the person's own at each place.
    pub fn signs_in(&self, keys: usize, seq: u64, chance: &mut Chance) -> Batch {
        let mut habit = Chance((self.hold * 1000.0 + self.digraph) as u64);
        let mut typed = |middles: Vec<f64>| {
            middles
                .into_iter()
                .map(|ms| tenths(ms * (0.1 * chance.normal()).exp()))
                .collect()
        };
        let (hold_ms, digraph_ms) = (typed(self.holds(keys, &mut habit)), typed(self.digraphs(keys, &mut habit)));
        Batch {
            channel: Channel::SignIn,
            pointer: Pointer::None,
            metrics: Metrics {
                hold_ms,
                ..Metrics::default()
            },
            digraph_ms,
            ..empty(seq)
        }
    }

    fn stroke(&self, chance: &mut Chance) -> Vec<Point> {
        let length = 150.0 + 500.0 * chance.uniform();
        let angle = std::f64::consts::TAU * chance.uniform();
        let (along, across) = ((angle.cos(), angle.sin()), (-angle.sin(), angle.cos()));
        let steps = (length / self.speed / 10.0).clamp(8.0, 200.0) as usize;
        let bend = self.bend * length * (1.0 + 0.3 * chance.normal());
        let place = |i: usize, chance: &mut Chance| {
            let t = i as f64 / steps as f64;
            let eased = t * t * t * (10.0 - 15.0 * t + 6.0 * t * t);
            let side = bend * (std::f64::consts::PI * eased).sin() + self.tremor * chance.normal();
            (
                (length * eased * along.0 + side * across.0).round(),
                (length * eased * along.1 + side * across.1).round(),
            )
        };
        let mut path = vec![point(0.0, 0.0, 0.0, Motion::Move)];
        let mut at = place(0, chance);
        for i in 1..=steps {
            let next = place(i, chance);
            path.push(point(
                9.0 + 2.0 * chance.uniform(),
                next.0 - at.0,
                next.1 - at.1,
                Motion::Move,
            ));
            at = next;
        }
        path.push(point(60.0 + 30.0 * chance.uniform(), 0.0, 0.0, Motion::Down));
        path.push(point(self.click * (0.15 * chance.normal()).exp(), 0.0, 0.0, Motion::Up));
        path
    }
}

/// The scorer as it is shipped.
pub fn shipped() -> Behavior {
    Behavior::new(Config::default()).unwrap()
}

/// A desk whose owner was enrolled with so many batches of work, in front of a background of other people.
pub fn enrolled(person: &Person, batches: u64, chance: &mut Chance) -> Desk {
    let mut desk = Desk::with(shipped());
    desk.background = Some(public());
    work(&mut desk, person, batches, chance);
    desk
}

/// The person works and is learned from.
pub fn work(desk: &mut Desk, person: &Person, batches: u64, chance: &mut Chance) {
    let records = (0..batches)
        .map(|seq| desk.play(&person.works(seq, chance)).record.unwrap())
        .collect();
    desk.learn(records, Label::Proven);
    desk.state = gait_sdk::State::default();
}

/// A background of sixteen people.
pub fn public() -> Background {
    static PUBLIC: std::sync::OnceLock<Background> = std::sync::OnceLock::new();
    let made = PUBLIC.get_or_init(|| {
        let mut chance = Chance(99);
        let models: Vec<_> = (0..16)
            .map(|i| model_of(&Person::anybody(&mut chance), i, &mut chance))
            .collect();
        shipped().background(&models).now_or_never().unwrap().unwrap().unwrap()
    });
    made.clone()
}

/// Somebody's model, with a tag of its own.
pub fn model_of(person: &Person, number: u8, chance: &mut Chance) -> ModelBlob {
    let mut desk = Desk::with(shipped());
    desk.context.entropy = [number; 32];
    work(&mut desk, person, 60, chance);
    desk.model.unwrap()
}

fn point(dt_ms: f64, dx: f64, dy: f64, what: Motion) -> Point {
    Point {
        dt_ms: dt_ms as f32,
        dx: dx as f32,
        dy: dy as f32,
        what,
    }
}

fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

fn empty(seq: u64) -> Batch {
    Batch {
        seq,
        channel: Channel::Session,
        span_ms: 5000.0,
        clock_ms: 0.1,
        pointer: Pointer::Mouse,
        metrics: Metrics::default(),
        digraph_ms: Vec::new(),
        keys: Vec::new(),
        path: Vec::new(),
    }
}
