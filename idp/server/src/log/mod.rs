//! Log lines: human or JSON; which ones is the configuration's `log_level`, or the environment variable `GAIT_LOG`.

mod json;
mod lines;

pub use lines::lost;

use crate::config::{LogConfig, LogFormat};
use anyhow::Context as _;
use lines::{Lines, MOST, Target};
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
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
/// How long the end waits for the last lines.
const FLUSH: Duration = Duration::from_secs(2);

/// The log of the process. Dropped, it writes the last lines.
pub struct Log {
    controls: Controls,
    /// Nothing ever comes: it is cut when the last lines are written.
    written: Receiver<()>,
}

impl Log {
    /// What can be changed while lines are written.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.controls.lines.end();
        let _cut = self.written.recv_timeout(FLUSH);
    }
}

/// What can be changed while lines are written.
#[derive(Clone)]
pub struct Controls {
    level: reload::Handle<EnvFilter, Registry>,
    lines: Arc<Lines>,
}

impl Controls {
    /// Changes which lines are written to the configuration's `log_level`; `GAIT_LOG` still comes first.
    pub fn set_level(&self, log_level: Option<&str>) {
        if let Err(error) = self.level.reload(filter(log_level)) {
            tracing::warn!(%error, "the log level can't be changed");
        }
    }

    /// Goes on in a new file if the old one was renamed.
    ///
    /// # Errors
    /// It can't be opened; the old one stays.
    pub fn reopen(&self) -> anyhow::Result<()> {
        self.lines.target.reopen()
    }
}

/// Starts logging. If it was started before, what began then goes on, and nothing else does.
///
/// # Errors
/// The file can't be opened.
pub fn start(config: &LogConfig) -> anyhow::Result<Log> {
    let target = Target::of(config.file.as_deref())?;
    let is_terminal = matches!(target, Target::Stderr) && std::io::stderr().is_terminal();
    let lines = Arc::new(Lines::new(target, MOST));
    let (filter, level) = reload::Layer::new(filter(config.level.as_deref()));
    let layer = fmt::layer().with_writer(lines.clone()).with_ansi(is_terminal);
    let layer = match config.format {
        LogFormat::Human => layer.boxed(),
        LogFormat::Json => layer.event_format(json::Line).fmt_fields(json::Members).boxed(),
    };
    if tracing_subscriber::registry().with(filter).with(layer).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    let (end, written) = channel();
    let writing = lines.clone();
    let thread = thread::Builder::new().name("log".to_owned()).spawn(move || {
        let _end = end;
        writing.write_out();
    });
    thread.context("no thread for the log")?;
    let controls = Controls { level, lines };
    Ok(Log { controls, written })
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
