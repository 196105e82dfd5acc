//! Log lines: human or JSON, level by `GAIT_LOG` (for example `info,gait=debug`).

use crate::config::LogFormat;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. A second call does nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("GAIT_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Human => lines.try_init(),
        LogFormat::Json => lines.json().with_current_span(true).with_span_list(false).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
