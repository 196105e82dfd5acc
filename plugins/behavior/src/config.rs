//! What an operator may set.

use crate::{classic, default};
use gait_sdk::PluginError;
use serde::{Deserialize, Serialize};

/// Which model judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "evaluate", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Evidence of three channels, added up.
    #[default]
    Default,
    /// Eight means against a centroid and a one-class SVM.
    Classic,
}

impl Model {
    /// Its name in the configuration and on the evaluator's command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Classic => "classic",
        }
    }
}

/// Settings of the scorer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which model judges.
    pub model: Model,
    /// Settings of the default model.
    pub default: default::Settings,
    /// Settings of the classic model.
    pub classic: classic::Config,
}

impl Config {
    /// Checks every range and every relation between two fields.
    ///
    /// # Errors
    /// [`PluginError::Config`] that names the key, what it may be and what it is.
    pub fn validate(&self) -> Result<(), PluginError> {
        self.default.validate()?;
        self.classic.validate()
    }
}
