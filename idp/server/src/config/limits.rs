//! `[limits]`: how often somebody may try and call.

use gait_core::policy::Limits;

/// What must be possible at least once.
pub(super) fn check(limits: &Limits) -> Result<Limits, String> {
    for (name, value) in [
        ("attempts_per_account", limits.attempts_per_account),
        ("attempts_per_address", limits.attempts_per_address),
        ("flows_per_address", limits.flows_per_address),
        ("recoveries_per_address", limits.recoveries_per_address),
        ("failures_per_client", limits.failures_per_client),
        ("refused_per_address", limits.refused_per_address),
        ("samples_per_session", limits.samples_per_session),
        ("signals_per_sender", limits.signals_per_sender),
    ] {
        if value == 0 {
            return Err(format!("limits.{name} must be at least 1, or nothing would pass"));
        }
    }
    Ok(*limits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use crate::config::Config;
    use gait_core::policy::Limits;
    use std::path::Path;

    fn limits(lines: &str) -> Result<Limits, String> {
        let text = format!("issuer = \"https://id.example\"\n\n[limits]\n{lines}\n");
        let config = Config::parse(&text, "gait.toml", Path::new(".")).map_err(|error| error.to_string())?;
        Ok(config.policy.limits)
    }

    #[test]
    fn what_is_not_written_is_as_usual() {
        assert_eq!(limits("").unwrap(), Limits::default());
        let raised = limits("calls_per_client = 1200000\nattempts_per_account = 5").unwrap();
        assert_eq!((raised.calls_per_client, raised.attempts_per_account), (1_200_000, 5));
        assert_eq!(raised.refused_per_address, Limits::default().refused_per_address);
    }

    #[test]
    fn what_would_lock_everybody_out_is_refused_with_its_line() {
        for (line, reason) in [
            ("attempts_per_account = 0", "attempts_per_account must be at least 1"),
            ("refused_per_address = 0", "refused_per_address must be at least 1"),
            ("attempts = 3", "unknown field"),
            ("flows_per_address = -1", ""),
        ] {
            let error = limits(line).unwrap_err();
            assert!(error.contains(reason) && error.starts_with("gait.toml:"), "{line}: {error}");
        }
    }
}
