//! Both models under one face: they learn repetitions and judge them.

use super::data::Typed;
use crate::Model;
use crate::classic;
use crate::fixed::{Sample, Template};
use gait_sdk::{Batch, Channel, Metrics, Pointer};

/// Added to the score of what a detector flagged, so that no threshold lets it pass.
const FLAGGED: f64 = 1_000.0;

/// The score of what could not be judged.
const UNJUDGED: f64 = 2_000.0;

/// What a model says of a repetition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    /// The higher, the less like the owner.
    pub(super) score: f64,
    /// It may be learned without a proof.
    pub(super) inside: bool,
    /// An attack was recognised.
    pub(super) flagged: bool,
}

/// Somebody's model.
pub(super) trait Examiner {
    /// Judges a repetition.
    fn judge(&mut self, typed: &Typed) -> Outcome;
    /// Learns one; `proven` if a second factor says whose it is.
    fn learn(&mut self, typed: &Typed, proven: bool);
    /// Remembers one that was judged and is not learned.
    fn remember(&mut self, typed: &Typed);
}

/// An empty model of a text of so many keys.
pub(super) fn examiner(model: Model, keys: usize) -> Box<dyn Examiner> {
    match model {
        Model::Default => Box::new(Template::new(keys)),
        Model::Classic => Box::new(Classic::default()),
    }
}

impl Examiner for Template {
    fn judge(&mut self, typed: &Typed) -> Outcome {
        let judgement = Sample::new(&typed.hold_ms, &typed.down_ms).and_then(|sample| Template::judge(self, &sample));
        match judgement {
            Some(judgement) => {
                let flagged = judgement.attack.is_some();
                Outcome {
                    score: judgement.score + if flagged { FLAGGED } else { 0.0 },
                    inside: judgement.inside,
                    flagged,
                }
            }
            None => Outcome {
                score: UNJUDGED,
                inside: false,
                flagged: false,
            },
        }
    }

    fn learn(&mut self, typed: &Typed, proven: bool) {
        if let Some(sample) = Sample::new(&typed.hold_ms, &typed.down_ms) {
            Template::learn(self, &sample, proven);
        }
    }

    fn remember(&mut self, typed: &Typed) {
        if let Some(sample) = Sample::new(&typed.hold_ms, &typed.down_ms) {
            Template::remember(self, &sample);
        }
    }
}

/// The classic model, trained on the whole enrolment and later on the newest repetitions. It wants more vectors than a short
/// enrolment has: fewer are repeated. It has no range of its own, so it is given only what is proven.
#[derive(Default)]
struct Classic {
    vectors: Vec<classic::features::Features>,
    template: Option<classic::template::Template>,
    since: usize,
}

/// Newest vectors that the classic model is trained on again.
const NEWEST: usize = 60;

/// Vectors that it needs: 20 after a third was held out.
const LEAST: usize = 30;

/// It is trained again after so many new ones.
const RETRAIN: usize = 10;

impl Classic {
    fn features(typed: &Typed) -> classic::features::Features {
        let flights = typed.down_ms.iter().zip(&typed.hold_ms).map(|(down, hold)| down - hold);
        let batch = Batch {
            seq: 1,
            channel: Channel::SignIn,
            span_ms: typed.down_ms.iter().sum(),
            clock_ms: 1.0,
            pointer: Pointer::Mouse,
            metrics: Metrics {
                hold_ms: typed.hold_ms.clone(),
                flight_ms: flights.collect(),
                ..Metrics::default()
            },
            digraph_ms: Vec::new(),
            keys: Vec::new(),
            path: Vec::new(),
        };
        classic::features::Features::of(&batch, &classic::Config::default())
    }

    fn train(&mut self) {
        if self.template.is_some() {
            self.vectors.drain(..self.vectors.len().saturating_sub(NEWEST));
        }
        let newest = &self.vectors;
        let count = newest.len().max(LEAST);
        let vectors: Vec<_> = newest.iter().copied().cycle().take(count).collect();
        self.template = classic::template::Template::train(&vectors, &classic::Config::default().training()).ok();
        self.since = 0;
    }
}

impl Examiner for Classic {
    fn judge(&mut self, typed: &Typed) -> Outcome {
        if (self.template.is_none() || self.since >= RETRAIN) && !self.vectors.is_empty() {
            self.train();
        }
        match &self.template {
            Some(template) => {
                let verdict = template.judge(&template.known(&Self::features(typed)));
                Outcome {
                    score: 1.0 - verdict.fitness,
                    inside: false,
                    flagged: false,
                }
            }
            None => Outcome {
                score: UNJUDGED,
                inside: false,
                flagged: false,
            },
        }
    }

    fn learn(&mut self, typed: &Typed, _: bool) {
        self.vectors.push(Self::features(typed));
        self.since += 1;
    }

    fn remember(&mut self, _: &Typed) {}
}
