//! What the scorer costs, by its contract alone: `cargo bench -p gait-behavior`, for both models.
//!
//! Goals on one core: a batch of 50 events is scored in 50 µs, one new record is learned in 1 ms where no retraining is due, an
//! account is trained anew in 50 ms, a model has at most 100 kB, and 5,000 accounts with new records are learned within the two
//! minutes of one schedule.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Chance, batch, context};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use gait_behavior::{Behavior, Config, Model};
use gait_sdk::{
    Background, Batch, Channel, Context, Label, Labelled, Metrics, ModelBlob, Motion, Point, Pointer, Prepared, Record, RecordId,
    Scorer, State, Timestamp,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Keys and points of a batch: 50 events together.
const KEYS: usize = 25;
const POINTS: usize = 25;

/// Keys of an identifier.
const IDENTIFIER: usize = 11;

/// Batches of an account that is trained anew: in apps, and at sign-in.
const SESSION_BATCHES: u64 = 150;
const SIGN_INS: u64 = 30;

/// Accounts whose models make the background.
const CROWD: u64 = 40;

/// Accounts that are measured, for so many in one schedule of so long; each has new records.
const MEASURED: usize = 200;
const ACCOUNTS: usize = 5_000;
const SCHEDULE: Duration = Duration::from_secs(120);
const NEW_RECORDS: usize = 10;

/// Somebody with a rhythm and a way with the mouse.
struct Person {
    hold_ms: f64,
    digraph_ms: f64,
    identifier: Vec<(f64, f64)>,
    speed: f64,
    chance: Chance,
}

impl Person {
    fn new(number: u64) -> Self {
        let mut chance = Chance(number);
        let mut about = |mean: f64, spread: f64| mean * (spread * chance.normal()).exp();
        Self {
            hold_ms: about(95.0, 0.2),
            digraph_ms: about(210.0, 0.25),
            identifier: (0..IDENTIFIER).map(|_| (about(95.0, 0.25), about(220.0, 0.4))).collect(),
            speed: about(0.6, 0.4),
            chance,
        }
    }

    fn about(&mut self, mean: f64, spread: f64) -> f64 {
        mean * (spread * self.chance.normal()).exp()
    }

    /// Holds, and times from keydown to keydown.
    fn typing(&mut self, typical: &[(f64, f64)], spread: f64) -> (Vec<f64>, Vec<f64>) {
        let holds = typical.iter().map(|(hold, _)| self.about(*hold, spread)).collect();
        let digraphs = typical[1..].iter().map(|(_, digraph)| self.about(*digraph, spread)).collect();
        (holds, digraphs)
    }

    /// A stroke to some place that ends with a click.
    fn stroke(&mut self, points: usize) -> Vec<Point> {
        let mut direction = std::f64::consts::PI * self.chance.normal();
        (0..points)
            .map(|i| {
                direction += 0.2 * self.chance.normal();
                let share = i as f64 / points as f64;
                let dt = if i == 0 { 0.0 } else { self.about(16.0, 0.1) };
                let length = self.about(4.0 * share * (1.0 - share) * self.speed, 0.3) * dt;
                let what = match points - i {
                    1 => Motion::Up,
                    2 => Motion::Down,
                    _ => Motion::Move,
                };
                Point {
                    dt_ms: if what == Motion::Up { self.about(90.0, 0.2) } else { dt } as f32,
                    dx: (length * direction.cos()).round() as f32,
                    dy: (length * direction.sin()).round() as f32,
                    what,
                }
            })
            .collect()
    }

    /// Ten seconds in an app.
    fn working(&mut self, seq: u64) -> Batch {
        let (hold_ms, digraph_ms) = self.typing(&[(self.hold_ms, self.digraph_ms); KEYS], 0.35);
        let path = [self.stroke(POINTS / 2), self.stroke(POINTS - POINTS / 2)].concat();
        let mut batch = batch(seq, typed(&hold_ms, &digraph_ms));
        pointed(&mut batch.metrics, &path);
        batch.digraph_ms = digraph_ms;
        batch.path = path;
        batch
    }

    /// The identifier on the sign-in page.
    fn signing_in(&mut self, seq: u64) -> Batch {
        let typical = self.identifier.clone();
        let (hold_ms, digraph_ms) = self.typing(&typical, 0.2);
        Batch {
            channel: Channel::SignIn,
            pointer: Pointer::None,
            digraph_ms: digraph_ms.clone(),
            ..batch(seq, typed(&hold_ms, &digraph_ms))
        }
    }

    fn batches(&mut self, working: u64, signing_in: u64) -> Vec<Batch> {
        let sign_ins: Vec<_> = (1..=signing_in).map(|seq| self.signing_in(seq)).collect();
        let rest = (1..=working).map(|seq| self.working(signing_in + seq));
        sign_ins.into_iter().chain(rest).collect()
    }
}

fn typed(hold_ms: &[f64], digraph_ms: &[f64]) -> Metrics {
    Metrics {
        hold_ms: hold_ms.to_vec(),
        flight_ms: digraph_ms.iter().zip(hold_ms).map(|(digraph, hold)| digraph - hold).collect(),
        keypress_rate: vec![4.0, 5.0, 4.0],
        ..Metrics::default()
    }
}

/// What the collector makes of the path for the classic model.
fn pointed(metrics: &mut Metrics, path: &[Point]) {
    let moves = || path.iter().filter(|point| point.what == Motion::Move && point.dt_ms > 0.0);
    let angles: Vec<f64> = moves().map(|point| f64::from(point.dy.atan2(point.dx))).collect();
    metrics.mouse_velocity = moves()
        .map(|point| f64::from(point.dx.hypot(point.dy) / point.dt_ms))
        .collect();
    metrics.cursor_variation = angles.windows(2).map(|pair| (pair[1] - pair[0]).sin().abs()).collect();
    metrics.dwell_ms = path
        .iter()
        .filter(|point| point.what == Motion::Up)
        .map(|point| f64::from(point.dt_ms))
        .collect();
    metrics.click_frequency = vec![1.0; metrics.dwell_ms.len()];
}

/// The scorer under measurement, and what it knows of people in general.
struct Desk {
    scorer: Behavior,
    cx: Context,
    background: Option<Background>,
}

impl Desk {
    fn new(model: Model) -> Self {
        let config = Config {
            model,
            ..Config::default()
        };
        let mut desk = Self {
            scorer: Behavior::new(config).unwrap(),
            cx: context(),
            background: None,
        };
        let crowd: Vec<_> = (0..CROWD)
            .map(|number| desk.enrolled(&mut Person::new(1_000 + number)))
            .collect();
        desk.background = desk.scorer.background(&crowd).now_or_never().unwrap().unwrap();
        desk
    }

    /// What is kept of batches for learning, before there is a model.
    fn records(&self, batches: &[Batch]) -> Vec<Labelled> {
        let mut state = State::default();
        let mut records = Vec::new();
        for batch in batches {
            let scored = self
                .scorer
                .score(&self.cx, None, state, batch)
                .now_or_never()
                .unwrap()
                .unwrap();
            state = scored.state;
            records.extend(scored.record);
        }
        records.into_iter().zip(0..).map(proven).collect()
    }

    fn learn(&self, model: Option<&ModelBlob>, records: &[Labelled]) -> Option<ModelBlob> {
        let learned = self.scorer.learn(&self.cx, model, self.background.as_ref(), records);
        learned.now_or_never().unwrap().unwrap().model
    }

    fn enrolled(&self, person: &mut Person) -> ModelBlob {
        let records = self.records(&person.batches(SESSION_BATCHES, SIGN_INS));
        let model = self.learn(None, &records).unwrap();
        assert!(model.enrolled, "{} records are too few", records.len());
        model
    }

    fn prepare(&self, model: &ModelBlob) -> Prepared {
        self.scorer.prepare(model, self.background.as_ref()).unwrap()
    }
}

/// A record as the host gives it to be learned, one a minute.
fn proven((record, number): (Record, u32)) -> Labelled {
    Labelled {
        record: Record {
            id: Some(RecordId::new(format!("record-{number}"))),
            at: Timestamp(1_700_000_000 + 60 * i64::from(number)),
            ..record
        },
        label: Label::Proven,
    }
}

/// New records of somebody who is enrolled, newer than those.
fn fresh(desk: &Desk, person: &mut Person, count: usize) -> Vec<Labelled> {
    let records = desk.records(&person.batches(count as u64, 1));
    let later = records.into_iter().map(|labelled| labelled.record).zip(1_000_000..);
    later.map(proven).take(count).collect()
}

fn single(criterion: &mut Criterion, name: &str, desk: &Desk) {
    let mut person = Person::new(1);
    let records = desk.records(&person.batches(SESSION_BATCHES, SIGN_INS));
    let model = desk.learn(None, &records).unwrap();
    let prepared = desk.prepare(&model);
    let mut state = State::default();
    for seq in 1..=10 {
        let batch = person.working(seq);
        let scored = desk.scorer.score(&desk.cx, Some(&prepared), state, &batch);
        state = scored.now_or_never().unwrap().unwrap().state;
    }
    println!(
        "{name}: a model has {} bytes, a session {} bytes",
        model.bytes.len(),
        state.0.len()
    );
    let next = person.working(11);
    criterion.bench_function(&format!("{name}/score 50 events"), |bencher| {
        bencher.iter(|| {
            let scored = desk
                .scorer
                .score(&desk.cx, Some(&prepared), black_box(state.clone()), black_box(&next));
            scored.now_or_never().unwrap().unwrap()
        });
    });
    let one = fresh(desk, &mut person, 1);
    criterion.bench_function(&format!("{name}/learn one record"), |bencher| {
        bencher.iter(|| desk.learn(Some(black_box(&model)), black_box(&one)));
    });
    criterion.bench_function(&format!("{name}/train anew"), |bencher| {
        bencher.iter(|| desk.learn(None, black_box(&records)));
    });
    criterion.bench_function(&format!("{name}/prepare"), |bencher| {
        bencher.iter(|| desk.prepare(black_box(&model)));
    });
}

/// One schedule over many accounts, run once: every account differs, so their mean is what counts.
fn schedule(name: &str, desk: &Desk) {
    let accounts: Vec<_> = (0..MEASURED as u64)
        .map(|number| {
            let mut person = Person::new(10_000 + number);
            let model = desk.enrolled(&mut person);
            let records = fresh(desk, &mut person, NEW_RECORDS);
            (model, records)
        })
        .collect();
    #[allow(clippy::disallowed_methods, reason = "a stopwatch")]
    let began = Instant::now();
    for (model, records) in &accounts {
        black_box(desk.learn(Some(model), records));
    }
    let took = began.elapsed();
    let all = took.mul_f64(ACCOUNTS as f64 / MEASURED as f64);
    let fits = if all <= SCHEDULE { "fits" } else { "does not fit" };
    println!(
        "{name}: {MEASURED} accounts with {NEW_RECORDS} new records each are learned in {took:.2?}; {ACCOUNTS} would take {all:.1?}, \
         which {fits} a schedule of {SCHEDULE:?}"
    );
}

fn benches(criterion: &mut Criterion) {
    for model in [Model::Default, Model::Classic] {
        let desk = Desk::new(model);
        single(criterion, model.name(), &desk);
        schedule(model.name(), &desk);
    }
}

criterion_group!(scorer, benches);
criterion_main!(scorer);
