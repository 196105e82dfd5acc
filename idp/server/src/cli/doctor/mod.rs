//! `gait doctor`: looks at a configuration and at what it names. It changes nothing and sends nothing, unless asked for a mail.

mod machine;
mod services;
mod stored;
mod written;

use super::ConfigArg;
use crate::config::Config;
use anyhow::bail;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::time::Duration;

/// `gait doctor`.
#[derive(clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    config: ConfigArg,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    /// Send one mail to this address, to see whether it arrives.
    #[arg(long, value_name = "ADDRESS")]
    mail_to: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    state: State,
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Finding {
    fn new(state: State, detail: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            state,
            detail: detail.into(),
            hint: hint.map(str::to_owned),
        }
    }
    fn ok(detail: impl Into<String>) -> Self {
        Self::new(State::Ok, detail, None)
    }
    fn warn(detail: impl Into<String>, hint: &str) -> Self {
        Self::new(State::Warn, detail, Some(hint))
    }
    fn fail(detail: impl Into<String>, hint: &str) -> Self {
        Self::new(State::Fail, detail, Some(hint))
    }
}

/// Whom the doctor looks at.
struct Patient {
    config: Config,
    /// The configuration as it is written.
    text: String,
    path: std::path::PathBuf,
    mail_to: Option<String>,
}

/// One thing that is looked at: its name, and what is found. Nothing at all means that it isn't configured.
type Check = (&'static str, for<'a> fn(&'a Patient) -> BoxFuture<'a, Vec<Finding>>);

/// Everything that is looked at, in the order that it is told.
const CHECKS: &[Check] = &[
    ("permissions", |patient| written::permissions(patient).boxed()),
    ("clock", |patient| machine::clock(patient).boxed()),
    ("disk", |patient| machine::disk(patient).boxed()),
    ("address", |patient| machine::address(patient).boxed()),
    ("trusted_proxies", |patient| written::proxies(patient).boxed()),
    ("themes", |patient| written::themes(patient).boxed()),
    ("plugins", |patient| written::plugins(patient).boxed()),
    ("master key", |patient| stored::master_key(patient).boxed()),
    ("database", |patient| stored::database(patient).boxed()),
    ("signing keys", |patient| stored::keys(patient).boxed()),
    ("redis", |patient| services::redis(patient).boxed()),
    ("outbox", |patient| stored::outbox(patient).boxed()),
    ("mail", |patient| services::mail(patient).boxed()),
    ("elasticsearch", |patient| services::elasticsearch(patient).boxed()),
    #[cfg(feature = "otlp")]
    ("otlp", |patient| services::otlp(patient).boxed()),
    ("issuer", |patient| services::issuer(patient).boxed()),
];

/// Longest look at one thing.
const PATIENCE: Duration = Duration::from_secs(15);

/// A finding with the name of its check.
#[derive(Serialize)]
struct Line<'a> {
    check: &'a str,
    #[serde(flatten)]
    finding: Finding,
}

pub(super) async fn run(args: Doctor) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    match Config::load_with_text(&args.config.config) {
        Err(error) => lines.push(Line {
            check: "configuration",
            finding: Finding::fail(error.to_string(), "nothing else can be looked at before it is right"),
        }),
        Ok((config, text)) => {
            let patient = Patient {
                config,
                text,
                path: args.config.config.clone(),
                mail_to: args.mail_to.clone(),
            };
            let issuer = Finding::ok(format!("issuer {}", patient.config.issuer));
            lines.push(Line {
                check: "configuration",
                finding: issuer,
            });
            for &(check, look) in CHECKS {
                let found = tokio::time::timeout(PATIENCE, look(&patient)).await;
                let found =
                    found.unwrap_or_else(|_| vec![Finding::fail("no answer in time", "is it overloaded, or a firewall silent?")]);
                lines.extend(found.into_iter().map(|finding| Line { check, finding }));
            }
        }
    }
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&lines)?),
        false => lines.iter().for_each(print),
    }
    let failures = lines.iter().filter(|line| line.finding.state == State::Fail).count();
    if failures > 0 {
        bail!("{failures} problem(s)");
    }
    Ok(())
}

fn print(line: &Line<'_>) {
    let state = match line.finding.state {
        State::Ok => "ok   ",
        State::Warn => "warn ",
        State::Fail => "FAIL ",
    };
    println!("{state} {}: {}", line.check, line.finding.detail);
    if let Some(hint) = &line.finding.hint {
        println!("      -> {hint}");
    }
}
