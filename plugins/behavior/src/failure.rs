//! The plugin's errors, stamped with its id.

use gait_sdk::{PluginError, PluginId};

/// The plugin's id, as in plans, logs and configuration.
pub(crate) const ID: &str = "behavior";

pub(crate) fn corrupt(detail: impl Into<String>) -> PluginError {
    PluginError::Corrupt {
        plugin: PluginId::from(ID),
        detail: detail.into(),
    }
}

pub(crate) fn config(detail: impl Into<String>) -> PluginError {
    PluginError::Config {
        plugin: PluginId::from(ID),
        detail: detail.into(),
    }
}

pub(crate) fn failed(detail: impl Into<String>) -> PluginError {
    PluginError::Failed {
        plugin: PluginId::from(ID),
        detail: detail.into(),
    }
}
