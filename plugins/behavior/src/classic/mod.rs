//! The classic model: eight means of a batch, standardised, against one centroid and a one-class SVM, as originally designed.
//!
//! A batch becomes a [`features::Features`]; an account's [`template::Template`] judges it; strikes are counted over a session.
//! A batch below the account's own threshold is a strike, one above takes a strike off; `soft_strikes` ask for a step-up and
//! `hard_strikes` for the end of the session. Missing data is never a strike.
//!
//! The model is as old and simple as it is readable. On public data sets it errs far more often than the default one.

mod blob;
mod config;
pub mod features;
pub mod fit;
mod sample;
pub mod scaler;
mod session;
pub mod template;
pub mod verdict;

pub use config::Config;

use crate::failure;
use crate::reason;
use blob::Memory;
use features::{FEATURES, Features, Group};
use gait_sdk::{
    Alarm, Assessment, Batch, Context, Evidence, Label, Labelled, Learned, ModelBlob, PluginError, Pointer, Prepared, ReasonCode,
    Record, Scored, State,
};
use sample::Sample;
use scaler::moments;
use serde_json::json;
use session::Session;
use std::sync::Arc;
use template::Template;

/// What `prepare` gives to the host; `None` while the account is not enrolled.
struct Watch(Option<Template>);

/// The classic scorer.
pub(crate) struct Scorer {
    config: Config,
}

impl Scorer {
    /// Makes the scorer, of a configuration that is valid.
    pub(crate) fn new(config: Config) -> Self {
        Self { config }
    }

    /// Judges by a template, which knows enough of the features.
    fn judge(&self, cx: &Context, template: &Template, state: &State, features: Features) -> Result<Scored, PluginError> {
        let mut session = Session::read(state)?;
        let verdict = template.judge(&features);
        let (alarm, learnable) = session.observe(features, &verdict, &self.config);
        let record = if learnable.is_empty() {
            None
        } else {
            Some(Sample::record(learnable, cx.now)?)
        };
        let reasons = if verdict.refused() {
            verdict.suspects().into_iter().map(blame).collect()
        } else {
            Vec::new()
        };
        let assessment = Assessment {
            evidence: Evidence::Llr(verdict.llr()),
            fitness: Some(verdict.fitness),
            alarm,
            reasons,
        };
        Ok(Scored {
            state: session.write()?,
            assessment,
            record,
        })
    }

    /// Why there is too little in a batch.
    fn shortage(&self, batch: &Batch) -> &'static str {
        if batch.pointer == Pointer::Touch {
            reason::TOUCH
        } else if !batch.metrics.hold_ms.is_empty() && features::coarse(batch, &self.config) {
            reason::COARSE_CLOCK
        } else {
            reason::FEW_DATA
        }
    }

    /// The account's vectors after these records, newest last; `None` if they bring nothing.
    fn extend(&self, earlier: Vec<Features>, records: &[Labelled]) -> Option<Vec<Features>> {
        let mut fresh: Vec<&Record> = records
            .iter()
            .filter(|labelled| is_trusted(labelled))
            .map(|l| &l.record)
            .collect();
        fresh.sort_by_key(|record| record.at);
        let fresh: Vec<_> = fresh.into_iter().flat_map(Sample::vectors).collect();
        if fresh.is_empty() {
            return None;
        }
        let mut vectors = earlier;
        vectors.extend(fresh);
        vectors.drain(..vectors.len().saturating_sub(self.config.max_samples));
        Some(vectors)
    }

    /// Parses a model.
    pub(crate) fn prepare(model: &ModelBlob) -> Result<Prepared, PluginError> {
        Ok(Arc::new(Watch(Memory::open(model)?.template)))
    }

    /// Judges one batch.
    pub(crate) fn score(
        &self,
        cx: &Context,
        model: Option<&Prepared>,
        state: State,
        batch: &Batch,
    ) -> Result<Scored, PluginError> {
        let features = Features::of(batch, &self.config);
        if features.count() < self.config.min_features {
            return Ok(insufficient(state, self.shortage(batch), None));
        }
        let template = match model {
            Some(prepared) => watch(prepared)?.0.as_ref(),
            None => None,
        };
        let known = template.map(|template| template.known(&features).count());
        match (template, known) {
            (Some(template), Some(known)) if known >= self.config.min_features => self.judge(cx, template, &state, features),
            (template, _) => {
                let code = if template.is_some() {
                    reason::FEW_DATA
                } else {
                    reason::NOT_ENROLLED
                };
                let clean = Session::read(&state)?.is_clean();
                let record = if clean {
                    Some(Sample::record(vec![features], cx.now)?)
                } else {
                    None
                };
                Ok(insufficient(state, code, record))
            }
        }
    }

    /// Extends a model by new records.
    pub(crate) fn learn(&self, model: Option<&ModelBlob>, records: &[Labelled]) -> Result<Learned, PluginError> {
        let earlier = model.map(Memory::open).transpose()?.unwrap_or_default();
        let settled = records.iter().filter_map(|labelled| labelled.record.id.clone()).collect();
        let Some(vectors) = self.extend(earlier.vectors, records) else {
            return Ok(Learned { model: None, settled });
        };
        let template = if vectors.len() >= self.config.min_samples {
            let trained = Template::train(&vectors, &self.config.training());
            Some(trained.map_err(|error| failure::failed(error.to_string()))?)
        } else {
            None
        };
        Ok(Learned {
            model: Some(Memory { vectors, template }.seal()?),
            settled,
        })
    }

    /// What is held in a model.
    pub(crate) fn describe(model: &ModelBlob) -> Result<serde_json::Value, PluginError> {
        let memory = Memory::open(model)?;
        let features: Vec<_> = FEATURES
            .iter()
            .enumerate()
            .filter_map(|(i, feature)| {
                let (samples, mean, sd) = moments(&memory.vectors, i)?;
                Some(json!({ "name": feature.name, "unit": feature.unit, "samples": samples, "mean": mean, "sd": sd }))
            })
            .collect();
        Ok(json!({ "samples": memory.vectors.len(), "enrolled": memory.template.is_some(), "features": features }))
    }
}

/// True for a model of this format.
pub(crate) fn wrote(model: &ModelBlob) -> bool {
    model.version == blob::VERSION
}

fn watch(prepared: &Prepared) -> Result<&Watch, PluginError> {
    prepared
        .downcast_ref::<Watch>()
        .ok_or_else(|| failure::failed("the prepared model is another plugin's"))
}

/// Nothing can be said: the state stays as it is, and no alarm is raised.
fn insufficient(state: State, code: &str, record: Option<Record>) -> Scored {
    let reasons = vec![ReasonCode(code.to_owned())];
    let assessment = Assessment {
        evidence: Evidence::Insufficient,
        fitness: None,
        alarm: Alarm::None,
        reasons,
    };
    Scored {
        state,
        assessment,
        record,
    }
}

fn blame(group: Group) -> ReasonCode {
    let code = match group {
        Group::Typing => reason::TYPING,
        Group::Pointing => reason::POINTING,
    };
    ReasonCode(code.to_owned())
}

/// Only what a factor stands behind is learned from. The rest is settled unused: a disputed record is somebody else's, and an
/// unproven one may be. A record without an id could not be settled, and would be learned again at every run.
fn is_trusted(labelled: &Labelled) -> bool {
    labelled.record.id.is_some() && matches!(labelled.label, Label::Proven | Label::SteppedUp)
}
