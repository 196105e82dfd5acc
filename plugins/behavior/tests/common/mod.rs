//! A scorer without a host, and people made of numbers.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use futures_util::FutureExt;
use gait_behavior::classic::Config;
use gait_behavior::{Behavior, Model};
use gait_sdk::{
    AccountHandle, Background, Batch, Channel, Context, Label, Labelled, Learned, Metrics, ModelBlob, Pointer, Prepared, Purpose,
    Record, RecordId, Scored, Scorer, State, Subject, SubjectView, Timestamp, Visitor,
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub mod anything;
pub mod people;

/// The rhythms that the dev mode plays.
const RHYTHMS: &str = include_str!("../../../../examples/relying-party/rhythms.json");

#[derive(Deserialize)]
struct File {
    rhythms: BTreeMap<String, Rhythm>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    n: usize,
    mean: f64,
    sd: f64,
    batch_sd: f64,
    min: f64,
}

/// Somebody's rhythm: metrics by name.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Rhythm(BTreeMap<String, Metric>);

impl Rhythm {
    pub fn named(name: &str) -> Self {
        serde_json::from_str::<File>(RHYTHMS).unwrap().rhythms.remove(name).unwrap()
    }

    /// This rhythm, moved by `share` of the way to the other one.
    pub fn towards(&self, other: &Self, share: f64) -> Self {
        let mut rhythm = self.clone();
        for (name, metric) in &mut rhythm.0 {
            metric.mean += share * (other.0[name].mean - metric.mean);
        }
        rhythm
    }

    pub fn batch(&self, chance: &mut Chance, seq: u64) -> Batch {
        let metrics: BTreeMap<_, _> = self.0.iter().map(|(name, metric)| (name, metric.draw(chance))).collect();
        let metrics: Metrics = serde_json::from_value(serde_json::to_value(metrics).unwrap()).unwrap();
        batch(seq, metrics)
    }
}

impl Metric {
    fn draw(&self, chance: &mut Chance) -> Vec<f64> {
        let middle = self.mean + self.batch_sd * chance.normal();
        (0..self.n)
            .map(|_| (middle + self.sd * chance.normal()).max(self.min))
            .collect()
    }
}

pub fn batch(seq: u64, metrics: Metrics) -> Batch {
    Batch {
        seq,
        channel: Channel::Session,
        span_ms: 10_000.0,
        clock_ms: 0.1,
        pointer: Pointer::Mouse,
        metrics,
        digraph_ms: Vec::new(),
        keys: Vec::new(),
        path: Vec::new(),
    }
}

/// Only the keyboard's part of a batch.
pub fn typing_of(mut batch: Batch) -> Batch {
    let Metrics {
        hold_ms,
        flight_ms,
        keypress_rate,
        ..
    } = batch.metrics;
    batch.metrics = Metrics {
        hold_ms,
        flight_ms,
        keypress_rate,
        ..Metrics::default()
    };
    batch
}

/// Only the mouse's part of a batch.
pub fn pointing_of(mut batch: Batch) -> Batch {
    batch.metrics = Metrics {
        hold_ms: vec![],
        flight_ms: vec![],
        keypress_rate: vec![],
        ..batch.metrics
    };
    batch
}

/// Seeded randomness (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0, at most 1.
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * self.uniform().ln()).sqrt(), std::f64::consts::TAU * self.uniform());
        radius * angle.cos()
    }
}

pub fn context() -> Context {
    Context {
        purpose: Purpose::SignIn,
        subject: Subject::Known(SubjectView {
            handle: AccountHandle::new("handle"),
            username: "alice".to_owned(),
            email: None,
        }),
        credentials: vec![],
        visitor: Visitor {
            address: None,
            user_agent: String::new(),
            device: None,
        },
        client: None,
        wanted_acr: None,
        ip_evidence: None,
        now: Timestamp(1_700_000_000),
        entropy: [7; 32],
    }
}

/// The scorer with one account's model and one session's state, as a host would keep them.
pub struct Desk {
    pub scorer: Behavior,
    pub context: Context,
    pub background: Option<Background>,
    pub model: Option<ModelBlob>,
    prepared: Option<Prepared>,
    pub state: State,
    records: usize,
}

impl Desk {
    pub fn new(config: Config) -> Self {
        Self::with(classic(config))
    }

    pub fn with(scorer: Behavior) -> Self {
        Self {
            scorer,
            context: context(),
            background: None,
            model: None,
            prepared: None,
            state: State::default(),
            records: 0,
        }
    }

    /// A desk whose owner was enrolled with `samples` batches.
    pub fn of(rhythm: &Rhythm, samples: u64, chance: &mut Chance) -> Self {
        let mut desk = Self::new(Config::default());
        let records = (0..samples)
            .map(|seq| desk.play(&rhythm.batch(chance, seq)).record.unwrap())
            .collect();
        desk.learn(records, Label::Proven);
        desk
    }

    /// Scores a batch in the session.
    pub fn play(&mut self, batch: &Batch) -> Scored {
        let state = self.state.clone();
        let scored = self
            .scorer
            .score(&self.context, self.prepared.as_ref(), state, batch)
            .now_or_never()
            .unwrap()
            .unwrap();
        self.state = scored.state.clone();
        scored
    }

    pub fn labelled(&mut self, record: Record, label: Label) -> Labelled {
        self.records += 1;
        let id = Some(RecordId::new(format!("record-{}", self.records)));
        Labelled {
            record: Record { id, ..record },
            label,
        }
    }

    pub fn learn(&mut self, records: Vec<Record>, label: Label) -> Learned {
        let records: Vec<_> = records.into_iter().map(|record| self.labelled(record, label)).collect();
        self.learn_labelled(&records)
    }

    pub fn learn_labelled(&mut self, records: &[Labelled]) -> Learned {
        let learned = self
            .scorer
            .learn(&self.context, self.model.as_ref(), self.background.as_ref(), records)
            .now_or_never()
            .unwrap()
            .unwrap();
        if let Some(model) = &learned.model {
            self.prepared = Some(self.scorer.prepare(model, self.background.as_ref()).unwrap());
            self.model = Some(model.clone());
        }
        learned
    }

    pub fn samples(&self) -> u32 {
        self.model.as_ref().map_or(0, |model| model.samples)
    }
}

/// The scorer with the classic model.
pub fn classic(config: Config) -> Behavior {
    let config = gait_behavior::Config {
        model: Model::Classic,
        classic: config,
        ..gait_behavior::Config::default()
    };
    Behavior::new(config).unwrap()
}
