//! The behavioural scorer: is the person who types and points still the person who signed in?
//!
//! Two models stand side by side behind one contract. The default one ([`Model::Default`]) adds up evidence from three channels:
//! [`fixed`] (a text that is typed again and again: the identifier), [`free`] (whatever is typed in an app) and [`pointer`].
//! The [`classic`] one is eight means against a centroid and a one-class SVM, kept so that anyone can compare.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod classic;
mod config;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod failure;
pub mod fixed;
pub mod free;
pub mod pointer;

pub use config::{Config, Model};

use async_trait::async_trait;
use gait_sdk::{
    Background, Batch, Context, Labelled, Learned, ModelBlob, PluginError, PluginId, Prepared, Scored, Scorer, ScorerManifest, State,
    Text,
};

/// The scorer.
pub struct Behavior {
    classic: classic::Scorer,
    manifest: ScorerManifest,
}

impl Behavior {
    /// Makes the scorer.
    ///
    /// # Errors
    /// [`PluginError::Config`] for a value out of its range; see [`Config::validate`].
    pub fn new(config: Config) -> Result<Self, PluginError> {
        config.validate()?;
        let manifest = ScorerManifest {
            id: PluginId::from(failure::ID),
            label: Text::new("behavior-label", "Typing and pointing rhythm"),
            enrol_samples: u32::try_from(config.classic.min_samples).unwrap_or(u32::MAX),
        };
        Ok(Self {
            classic: classic::Scorer::new(config.classic),
            manifest,
        })
    }
}

#[async_trait]
impl Scorer for Behavior {
    fn manifest(&self) -> &ScorerManifest {
        &self.manifest
    }

    fn prepare(&self, model: &ModelBlob, _: Option<&Background>) -> Result<Prepared, PluginError> {
        classic::Scorer::prepare(model)
    }

    async fn score(&self, cx: &Context, model: Option<&Prepared>, state: State, batch: &Batch) -> Result<Scored, PluginError> {
        self.classic.score(cx, model, state, batch)
    }

    async fn learn(
        &self,
        _: &Context,
        model: Option<&ModelBlob>,
        _: Option<&Background>,
        records: &[Labelled],
    ) -> Result<Learned, PluginError> {
        self.classic.learn(model, records)
    }

    async fn background(&self, _: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        Ok(None)
    }

    fn describe(&self, model: &ModelBlob) -> Result<serde_json::Value, PluginError> {
        classic::Scorer::describe(model)
    }
}
