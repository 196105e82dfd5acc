//! Other servers.

use super::{Finding, Patient};
use crate::config::ElasticsearchConfig;
use crate::ephemeral;
use crate::mail::Outlet;
use crate::ports::SystemClock;
use crate::sink::elasticsearch::{self, Found};
use gait_core::ports::Clock as _;
use reqwest::header::DATE;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Deadline of one question.
const DEADLINE: Duration = Duration::from_secs(5);
/// Seconds that two clocks may differ.
const SKEW_S: i64 = 30;

/// The mail server greets us and takes our password; with `--mail-to`, it takes a mail too.
pub(super) async fn mail(patient: &Patient) -> Vec<Finding> {
    let Some(smtp) = &patient.config.smtp else {
        return vec![Finding::fail("[smtp] is missing", "the plan and recovery send mail")];
    };
    let outlet = match Outlet::smtp(smtp) {
        Ok(outlet) => outlet,
        Err(error) => return vec![Finding::fail(format!("{error:#}"), "[smtp]")],
    };
    let hint = "host, port, tls, username or password in [smtp]; or a firewall";
    if let Err(error) = outlet.greet().await {
        return vec![Finding::fail(format!("{}: {error:#}", smtp.host), hint)];
    }
    let mut findings = vec![Finding::ok(format!("{} answers; nothing was sent", smtp.host))];
    if let Some(to) = &patient.mail_to {
        let text = format!(
            "gait doctor of {} has sent this, to see whether mail arrives.\n",
            patient.config.issuer
        );
        findings = vec![match outlet.send_plain(to, "Mail from Gait arrives", text).await {
            Ok(()) => Finding::ok(format!("{} has taken a mail to {to}: look whether it arrives", smtp.host)),
            Err(error) => Finding::fail(format!("{}: a mail to {to}: {error:#}", smtp.host), hint),
        }];
    }
    findings
}

/// People and apps reach the issuer, and it is this one.
pub(super) async fn issuer(patient: &Patient) -> Vec<Finding> {
    let issuer = &patient.config.issuer;
    vec![match ask(issuer).await {
        Err(error) => Finding::warn(
            format!("{issuer} can't be reached from here: {error:#}"),
            "fine before the first start; else look at DNS, the proxy, and its certificate",
        ),
        Ok((found, _)) if found != *issuer => Finding::fail(
            format!("{issuer} answers as {found}"),
            "issuer must be what people and apps use, letter by letter",
        ),
        Ok((_, skew)) if skew.is_some_and(|skew| skew.abs() > SKEW_S) => Finding::warn(
            format!(
                "{issuer} answers, but its clock and this one differ by {} s",
                skew.unwrap_or_default()
            ),
            "set the clocks of all machines (chrony, systemd-timesyncd)",
        ),
        Ok(_) => Finding::ok(format!("{issuer} answers")),
    }]
}

/// The issuer that answers there, and how far its clock is from ours, in seconds.
async fn ask(issuer: &str) -> anyhow::Result<(String, Option<i64>)> {
    let client = reqwest::Client::builder().timeout(DEADLINE).build()?;
    let url = format!("{issuer}/.well-known/openid-configuration");
    let answer = client.get(url).send().await?.error_for_status()?;
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    // HTTP's GMT is Rfc2822's +0000.
    let date = date.and_then(|date| OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok());
    let skew = date.map(|date| date.unix_timestamp() - SystemClock.now().0);
    let metadata: serde_json::Value = answer.json().await?;
    Ok((metadata["issuer"].as_str().unwrap_or_default().to_owned(), skew))
}

/// The Redis of the nodes: whether it can be used, and whether it would forget.
pub(super) async fn redis(patient: &Patient) -> Vec<Finding> {
    let Some(redis) = &patient.config.redis else {
        return Vec::new();
    };
    let found = match ephemeral::check(redis).await {
        Ok(found) => found,
        Err(error) => {
            let hint = "sign-ins need it; what it has to be is said in README.md";
            return vec![Finding::fail(format!("{error:#}"), hint)];
        }
    };
    let version = Finding::ok(format!("answers, version {}", found.version));
    let warnings = found
        .warnings
        .iter()
        .map(|warning| Finding::warn(&warning.detail, warning.hint));
    std::iter::once(version).chain(warnings).collect()
}

/// Elasticsearch answers, can take what is shipped, and has what the streams need.
pub(super) async fn elasticsearch(patient: &Patient) -> Vec<Finding> {
    let Some(config) = &patient.config.elasticsearch else {
        return Vec::new();
    };
    let Found {
        version,
        missing,
        hidden,
    } = match elasticsearch::look(config).await {
        Ok(found) => found,
        Err(error) => {
            return vec![Finding::fail(
                format!("{error:#}"),
                "[elasticsearch]; events wait until it answers",
            )];
        }
    };
    let mut findings = vec![match version {
        Some(version) => Finding::ok(format!("answers, version {version}")),
        None => Finding::ok("answers, and doesn't tell this key its version"),
    }];
    if !missing.is_empty() {
        findings.push(Finding::warn(format!("missing: {}", missing.join(", ")), installs(config)));
    }
    if !hidden.is_empty() {
        let detail = format!("may not be looked at with this key: {}", hidden.join(", "));
        findings.push(Finding::warn(
            detail,
            "whoever may can run `gait elasticsearch setup`, which changes nothing that is right",
        ));
    }
    findings
}

fn installs(config: &ElasticsearchConfig) -> &'static str {
    match config.setup {
        true => "the next start installs it",
        false => "gait elasticsearch setup",
    }
}

/// The collector of traces takes what is sent, which is nothing here.
#[cfg(feature = "otlp")]
pub(super) async fn otlp(patient: &Patient) -> Vec<Finding> {
    let Some(config) = &patient.config.otlp else {
        return Vec::new();
    };
    let host = config.endpoint.host_str().unwrap_or_default();
    vec![match crate::sink::otlp::look(config).await {
        Ok(()) => Finding::ok(format!("{host} answers; no span was sent")),
        Err(error) => Finding::fail(format!("{host}: {error:#}"), "endpoint or header in [otlp]; or a firewall"),
    }]
}
