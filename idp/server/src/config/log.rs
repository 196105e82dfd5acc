//! `log`, `log_level` and `log_file`: which lines are written, how they look, and where to.

use serde::Deserialize;
use std::path::PathBuf;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// What is logged.
#[derive(Clone, Debug, Default)]
pub struct LogConfig {
    /// How lines look.
    pub format: LogFormat,
    /// Which lines, for example `info` or `info,gait=debug`; the environment variable `GAIT_LOG` comes first.
    pub level: Option<String>,
    /// File that lines are added to; without one they go to standard error.
    pub file: Option<PathBuf>,
}
