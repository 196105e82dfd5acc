//! Log lines: human or JSON; which ones is the configuration's `log_level`, or the environment variable `GAIT_LOG`.

mod json;

use crate::config::LogFormat;
use std::io::IsTerminal as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

/// Environment variable that comes before the configuration's `log_level`.
const VARIABLE: &str = "GAIT_LOG";
/// Where nobody says otherwise.
const DEFAULT: &str = "info";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// What a level says nothing about: each statement would be a line at `debug`.
const QUIET: &str = "sqlx=warn";

/// Which lines are written: can be changed while the server runs.
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Changes it to the configuration's `log_level`; `GAIT_LOG` still comes first.
    pub fn set(&self, log_level: Option<&str>) {
        if let Err(error) = self.0.reload(filter(log_level)) {
            tracing::warn!(%error, "the log level can't be changed");
        }
    }
}

/// Starts logging to standard error. A second call does nothing.
pub fn start(format: LogFormat, log_level: Option<&str>) -> Level {
    let (filter, level) = reload::Layer::new(filter(log_level));
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Human => lines.boxed(),
        LogFormat::Json => lines.event_format(json::Line).fmt_fields(json::Members).boxed(),
    };
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    Level(level)
}

fn filter(log_level: Option<&str>) -> EnvFilter {
    match EnvFilter::try_from_env(VARIABLE) {
        Ok(filter) => filter,
        Err(_) => EnvFilter::new(format!("{QUIET},{}", log_level.unwrap_or(DEFAULT))),
    }
}

/// Checks a `log_level`: a level, and levels of parts, separated by commas.
///
/// # Errors
/// The reason.
pub(crate) fn check(log_level: &str) -> Result<(), String> {
    for part in log_level.split(',') {
        let level = part.split_once('=').map_or(part, |(_, level)| level);
        if !LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known)) {
            return Err(format!("log_level: {level:?} is none of {}", LEVELS.join(", ")));
        }
    }
    EnvFilter::try_new(log_level)
        .map(drop)
        .map_err(|error| format!("log_level: {error}"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_level_is_one_of_the_six_and_may_differ_between_parts() {
        for good in ["info", "off", "DEBUG", "info,gait=debug", "warn,gait::http=trace,sqlx=debug"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "loud", "infoo", "info,", "gait=", "info,gait=loud", "3"] {
            assert!(check(bad).is_err_and(|reason| reason.starts_with("log_level: ")), "{bad}");
        }
    }
}
