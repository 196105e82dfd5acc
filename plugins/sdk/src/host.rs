//! What a plugin may ask of the host, beyond values.

use crate::PluginId;

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the curious.
    Debug,
    /// Worth knowing.
    Info,
    /// Somebody should look.
    Warn,
}

/// The handle given with every call of an authenticator. Everything is denied but what stands here.
pub trait Host: Send + Sync {
    /// Writes one line to the operator's log under the plugin's name. Never pass a secret.
    fn log(&self, level: Level, message: &str);
    /// A 32-byte key of the plugin's own for `purpose`, derived from the deployment's master key: the same on every node and
    /// after a restart, different for every plugin and purpose.
    fn key(&self, purpose: &str) -> [u8; 32];
}

/// Why a call failed. The engine treats any of these as a failed step, never as a skipped one.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// A stored payload, memo or model is not what this plugin wrote.
    #[error("{plugin}: stored data can't be read: {detail}")]
    Corrupt {
        /// Which plugin.
        plugin: PluginId,
        /// What was wrong, without the data.
        detail: String,
    },
    /// The configuration is wrong.
    #[error("{plugin}: {detail}")]
    Config {
        /// Which plugin.
        plugin: PluginId,
        /// Which key, and why.
        detail: String,
    },
    /// It can't be done now; the same call may succeed later.
    #[error("{plugin}: busy: {detail}")]
    Busy {
        /// Which plugin.
        plugin: PluginId,
        /// What was exhausted.
        detail: String,
    },
    /// Anything else.
    #[error("{plugin}: {detail}")]
    Failed {
        /// Which plugin.
        plugin: PluginId,
        /// What happened, without secrets.
        detail: String,
    },
}
