//! The behavioural scorer: is the person who types and points still the person who signed in?
//!
//! Two models stand side by side behind one contract. The default one ([`Model::Default`]) adds up evidence from three channels:
//! [`fixed`] (a text that is typed again and again: the identifier), [`free`] (whatever is typed in an app) and [`pointer`].
//! The [`classic`] one is eight means against a centroid and a one-class SVM, kept so that anyone can compare.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod classic;
mod config;
pub mod default;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod failure;
pub mod fixed;
pub mod free;
pub mod pointer;
mod range;
pub mod reason;
pub mod sequential;

pub use config::{Config, Model};

use async_trait::async_trait;
use gait_sdk::{
    Background, Batch, Context, Labelled, Learned, ModelBlob, PluginError, PluginId, Prepared, Scored, Scorer, ScorerManifest,
    State, Text,
};

/// The model that judges.
enum Engine {
    Default(Box<default::Scorer>),
    Classic(classic::Scorer),
}

/// The scorer.
pub struct Behavior {
    engine: Engine,
    manifest: ScorerManifest,
}

impl Behavior {
    /// Makes the scorer.
    ///
    /// # Errors
    /// [`PluginError::Config`] for a value out of its range; see [`Config::validate`].
    pub fn new(config: Config) -> Result<Self, PluginError> {
        config.validate()?;
        let (enrol_samples, engine) = match config.model {
            Model::Default => (
                config.default.enrol_events,
                Engine::Default(Box::new(default::Scorer::new(config.default))),
            ),
            Model::Classic => (
                u32::try_from(config.classic.min_samples).unwrap_or(u32::MAX),
                Engine::Classic(classic::Scorer::new(config.classic)),
            ),
        };
        let manifest = ScorerManifest {
            id: PluginId::from(failure::ID),
            label: Text::new("behavior-label", "Typing and pointing rhythm"),
            enrol_samples,
        };
        Ok(Self { engine, manifest })
    }
}

#[async_trait]
impl Scorer for Behavior {
    fn manifest(&self) -> &ScorerManifest {
        &self.manifest
    }

    fn prepare(&self, model: &ModelBlob, background: Option<&Background>) -> Result<Prepared, PluginError> {
        match &self.engine {
            Engine::Default(engine) => engine.prepare(model, background),
            Engine::Classic(_) => classic::Scorer::prepare(model),
        }
    }

    async fn score(&self, cx: &Context, model: Option<&Prepared>, state: State, batch: &Batch) -> Result<Scored, PluginError> {
        match &self.engine {
            Engine::Default(engine) => engine.score(cx, model, state, batch),
            Engine::Classic(engine) => engine.score(cx, model, state, batch),
        }
    }

    // A model that the other engine left behind is no beginning: the account is learned anew.
    async fn learn(
        &self,
        cx: &Context,
        model: Option<&ModelBlob>,
        background: Option<&Background>,
        records: &[Labelled],
    ) -> Result<Learned, PluginError> {
        match &self.engine {
            Engine::Default(engine) => engine.learn(cx, model.filter(|model| !classic::wrote(model)), background, records),
            Engine::Classic(engine) => engine.learn(model.filter(|model| !default::wrote(model)), records),
        }
    }

    async fn background(&self, models: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        match &self.engine {
            Engine::Default(_) => default::Scorer::background(models),
            Engine::Classic(_) => Ok(None),
        }
    }

    fn describe(&self, model: &ModelBlob) -> Result<serde_json::Value, PluginError> {
        if default::wrote(model) {
            default::Scorer::describe(model)
        } else {
            classic::Scorer::describe(model)
        }
    }
}
