//! The configuration: one TOML file. Unknown keys are refused, and every error names the line and the reason.

mod account;
mod client;
mod database;
mod elasticsearch;
mod limits;
mod log;
mod metrics;
mod otlp;
mod redis;
pub mod secret;
mod sender;
mod smtp;

pub use account::AccountConfig;
pub use client::ClientConfig;
pub use database::Server;
pub use elasticsearch::ElasticsearchConfig;
pub use log::{LogConfig, LogFormat};
pub use metrics::MetricsConfig;
pub use otlp::OtlpConfig;
pub use redis::RedisConfig;
pub use sender::SenderConfig;
pub use smtp::{MailTls, SmtpConfig};

use gait_core::policy::{AcrRule, Lifetimes, Limits, MailLimits, Plan, Policy, Row, WatchPolicy};
use gait_sdk::PluginId;
use ipnet::IpNet;
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// `[policy]`; see [`Policy`] for the meaning.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PolicyConfig {
    plan: Plan,
    step_up: Plan,
    acr: Vec<AcrRule>,
    recovery: Option<PluginId>,
    lifetimes: Lifetimes,
    watch: WatchPolicy,
    mails: MailLimits,
    fresh_s: u32,
}

fn plan(rows: &[&[&str]]) -> Plan {
    Plan(
        rows.iter()
            .map(|row| Row(row.iter().map(|&id| id.into()).collect()))
            .collect(),
    )
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            plan: plan(&[&["password"], &["ip-trust", "email-otp"]]),
            step_up: plan(&[&["email-otp", "password"]]),
            acr: vec![
                AcrRule {
                    acr: "urn:gait:acr:1fa".into(),
                    plan: plan(&[&["password", "email-otp"]]),
                },
                AcrRule {
                    acr: "urn:gait:acr:2fa".into(),
                    plan: plan(&[&["password"], &["email-otp"]]),
                },
            ],
            recovery: Some("password".into()),
            lifetimes: Lifetimes::default(),
            watch: WatchPolicy::default(),
            mails: MailLimits::default(),
            fresh_s: 300,
        }
    }
}

/// `[plugins]`: one table for each plugin in the tree; see the plugin's own documentation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginsConfig {
    /// Password.
    pub password: gait_password::Config,
    /// One-time code by e-mail.
    pub email_otp: gait_email_otp::Config,
    /// Trust in addresses.
    pub ip_trust: gait_ip_trust::Config,
    /// The behavioural scorer.
    pub behavior: gait_behavior::Config,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: Spanned<String>,
    #[serde(default = "default_listen")]
    listen: SocketAddr,
    #[serde(default = "default_data_dir")]
    data_dir: PathBuf,
    master_key_file: Option<PathBuf>,
    #[serde(default)]
    trusted_proxies: Vec<IpNet>,
    #[serde(default)]
    log: LogFormat,
    log_level: Option<Spanned<String>>,
    log_file: Option<PathBuf>,
    #[serde(default = "default_theme")]
    theme: String,
    themes_dir: Option<PathBuf>,
    #[serde(default = "default_retrain")]
    retrain_every_s: Spanned<u32>,
    #[serde(default)]
    allow_private_receivers: bool,
    #[serde(default)]
    allowed_receivers: Vec<Spanned<String>>,
    shutdown_grace_s: Option<Spanned<u32>>,
    policy: Option<Spanned<PolicyConfig>>,
    limits: Option<Spanned<Limits>>,
    smtp: Option<Spanned<SmtpConfig>>,
    metrics: Option<MetricsConfig>,
    database: Option<Spanned<database::DatabaseConfig>>,
    redis: Option<Spanned<redis::Section>>,
    elasticsearch: Option<Spanned<ElasticsearchConfig>>,
    otlp: Option<Spanned<otlp::Section>>,
    #[serde(default)]
    plugins: PluginsConfig,
    #[serde(default, rename = "client")]
    clients: Vec<Spanned<ClientConfig>>,
    #[serde(default, rename = "account")]
    accounts: Vec<Spanned<AccountConfig>>,
    #[serde(default, rename = "sender")]
    senders: Vec<Spanned<SenderConfig>>,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}
fn default_data_dir() -> PathBuf {
    PathBuf::from(".gait")
}
fn default_theme() -> String {
    "default".to_owned()
}
fn default_retrain() -> Spanned<u32> {
    Spanned::new(0..0, 120)
}

/// A configuration that was read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer, without a trailing slash.
    pub issuer: String,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Folder of the database and the master key.
    pub data_dir: PathBuf,
    /// File of the master key; `master.key` in the data folder by default.
    pub master_key_file: PathBuf,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What is logged.
    pub log: LogConfig,
    /// The deployment's theme.
    pub theme: String,
    /// Folder of further themes.
    pub themes_dir: Option<PathBuf>,
    /// Themes are read anew when their files change (the dev mode).
    pub reload_themes: bool,
    /// Seconds between rounds of learning.
    pub retrain_every_s: u32,
    /// Logout tokens and callbacks may go to loopback and private addresses and over http.
    pub allow_private_receivers: bool,
    /// Hosts that may have loopback or private addresses, by name; still https.
    pub allowed_receivers: Vec<String>,
    /// Seconds between the signal to end, from which on the node isn't ready, and the end of the listening.
    pub shutdown_grace_s: u32,
    /// The policy.
    pub policy: Policy,
    /// Where it stands, as `file:line`, for errors that only show once the plugins are known.
    pub policy_at: String,
    /// The mail server; without one, mail is caught (the dev mode) or refused.
    pub smtp: Option<SmtpConfig>,
    /// Where Prometheus asks, if anywhere.
    pub metrics: Option<MetricsConfig>,
    /// The Postgres server; without one, the database is a file in the data folder.
    pub database: Option<Server>,
    /// Where the nodes keep together what is ephemeral; without one, it is in this process.
    pub redis: Option<RedisConfig>,
    /// Where events and requests are shipped to, if anywhere.
    pub elasticsearch: Option<ElasticsearchConfig>,
    /// The collector that requests are told to as traces, if any.
    pub otlp: Option<OtlpConfig>,
    /// Plugins.
    pub plugins: PluginsConfig,
    /// Declared clients.
    pub clients: Vec<ClientConfig>,
    /// Declared accounts.
    pub accounts: Vec<AccountConfig>,
    /// Declared senders of signals.
    pub senders: Vec<SenderConfig>,
}

/// The configuration is wrong: `file:line: reason`.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {reason}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ConfigError {
    /// Which file.
    pub file: String,
    /// Which line, counted from 1.
    pub line: Option<usize>,
    /// Why.
    pub reason: String,
}

impl Config {
    /// Reads and checks a file, and where it names no database, the environment. Relative paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError`] with the line.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_with_text(path).map(|(config, _)| config)
    }

    /// The same, with the text that it was read from.
    ///
    /// # Errors
    /// As above.
    pub fn load_with_text(path: &Path) -> Result<(Self, String), ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            file: path.display().to_string(),
            line: None,
            reason: format!("can't be read: {error}"),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path.display().to_string();
        let mut config = Self::parse(&text, &name, folder)?;
        let wrong = |reason| ConfigError {
            file: name.clone(),
            line: None,
            reason,
        };
        if config.database.is_none() {
            config.database = database::of_environment().map_err(wrong)?;
        }
        if config.redis.is_none() {
            config.redis = redis::of_environment().map_err(wrong)?;
        }
        Ok((config, text))
    }

    /// The embedded database.
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("gait.db")
    }

    /// As [`Config::load`], from text; `folder` is what relative paths start from.
    ///
    /// # Errors
    /// [`ConfigError`] with the line.
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self, ConfigError> {
        let source = Source { text, name };
        let file: File = toml::from_str(text).map_err(|error| source.toml(&error))?;
        let issuer = source.check(&file.issuer, |issuer| check_issuer(issuer))?;
        let retrain_every_s = source.check(&file.retrain_every_s, |&seconds| {
            if seconds == 0 {
                Err("must be at least 1".to_owned())
            } else {
                Ok(seconds)
            }
        })?;
        let grace = source.check_some(file.shutdown_grace_s.as_ref(), |&seconds| check_grace(seconds));
        let shutdown_grace_s = grace?.unwrap_or_default();
        let log = LogConfig {
            format: file.log,
            level: source.check_some(file.log_level.as_ref(), |level| {
                crate::log::check(level).map(|()| level.clone())
            })?,
            file: file.log_file.map(|path| folder.join(path)),
        };
        let written = file.policy.unwrap_or_else(|| Spanned::new(0..0, PolicyConfig::default()));
        let limits = file.limits.unwrap_or_else(|| Spanned::new(0..0, Limits::default()));
        let policy = Policy {
            limits: source.check(&limits, limits::check)?,
            ..source.check(&written, check_policy)?
        };
        let mut clients = source.check_all(&file.clients, |client| client.check(folder))?;
        for (client, written) in clients.iter_mut().zip(&file.clients) {
            client.at = source.place(written.span().start);
        }
        let accounts = source.check_all(&file.accounts, |account| account.check(folder))?;
        let senders = source.check_all(&file.senders, |sender| sender.check(folder))?;
        let smtp = source.check_some(file.smtp.as_ref(), |smtp| smtp.check(folder))?;
        let database = source.check_some(file.database.as_ref(), |database| database.check(folder))?;
        let redis = source.check_some(file.redis.as_ref(), |redis| redis.check(folder))?;
        let elasticsearch = source.check_some(file.elasticsearch.as_ref(), |written| written.check(folder))?;
        let otlp = source.check_some(file.otlp.as_ref(), |otlp| otlp.check(folder))?;
        let data_dir = folder.join(file.data_dir);
        Ok(Self {
            issuer,
            listen: file.listen,
            master_key_file: file
                .master_key_file
                .map_or_else(|| data_dir.join("master.key"), |path| folder.join(path)),
            data_dir,
            trusted_proxies: file.trusted_proxies,
            log,
            theme: file.theme,
            themes_dir: file.themes_dir.map(|path| folder.join(path)),
            reload_themes: false,
            retrain_every_s,
            allow_private_receivers: file.allow_private_receivers,
            allowed_receivers: source.check_all(&file.allowed_receivers, |name| check_host(name))?,
            shutdown_grace_s,
            policy,
            policy_at: source.place(written.span().start),
            smtp,
            metrics: file.metrics,
            database,
            redis,
            elasticsearch,
            otlp,
            plugins: file.plugins,
            clients,
            accounts,
            senders,
        })
    }
}

fn check_issuer(issuer: &str) -> Result<String, String> {
    let url = url::Url::parse(issuer).map_err(|error| format!("issuer {issuer:?} is no URL: {error}"))?;
    let loopback = matches!(url.host(), Some(url::Host::Domain("localhost"))) || is_loopback_ip(&url);
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err("the issuer must be https (http only on loopback)".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("the issuer has no query, fragment or user".to_owned());
    }
    if issuer.ends_with('/') || url.path() != "/" {
        return Err("the issuer is an origin: no path and no trailing slash".to_owned());
    }
    Ok(issuer.to_owned())
}

/// A host as URLs name it.
fn check_host(name: &str) -> Result<String, String> {
    match url::Host::parse(name) {
        Ok(host) if host.to_string().eq_ignore_ascii_case(name) => Ok(host.to_string()),
        _ => Err(format!(
            "allowed_receivers: {name:?} is no host name: neither a scheme, a port nor a path belongs here"
        )),
    }
}

fn is_loopback_ip(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

fn check_grace(seconds: u32) -> Result<u32, String> {
    match seconds {
        0..=300 => Ok(seconds),
        _ => Err(format!("shutdown_grace_s must be 0 to 300, not {seconds}")),
    }
}

fn check_policy(policy: &PolicyConfig) -> Result<Policy, String> {
    let life = policy.lifetimes;
    for (name, value, most) in [
        ("code", life.code, 600),
        ("access_jwt", life.access_jwt, 300),
        ("watch", life.watch, 600),
        ("flow", life.flow, 7200),
    ] {
        if value == 0 || value > most {
            return Err(format!("policy.lifetimes.{name} must be 1 to {most} seconds, not {value}"));
        }
    }
    let watch = &policy.watch;
    for (name, value) in [
        ("distrust_below", Some(watch.distrust_below)),
        ("waive_from", watch.waive_from),
        ("weight_behaviour", Some(watch.weight_behaviour)),
        ("weight_ip", Some(watch.weight_ip)),
    ] {
        if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(format!("policy.watch.{name} must be 0.0 to 1.0"));
        }
    }
    if watch.weight_behaviour + watch.weight_ip <= 0.0 {
        return Err("policy.watch.weight_behaviour and weight_ip can't both be 0".to_owned());
    }
    check_retention(watch)?;
    Ok(Policy {
        plan: policy.plan.clone(),
        step_up: policy.step_up.clone(),
        acrs: policy.acr.clone(),
        recovery: policy.recovery.clone(),
        lifetimes: life,
        watch: watch.clone(),
        mails: policy.mails,
        limits: Limits::default(),
        fresh_s: policy.fresh_s,
    })
}

fn check_retention(watch: &WatchPolicy) -> Result<(), String> {
    for (name, value, least, most) in [
        ("record_days", watch.record_days, 1, 30),
        ("model_days", watch.model_days, 30, 1000),
        ("background_every_h", watch.background_every_h, 0, 24 * 30),
    ] {
        if !(least..=most).contains(&value) {
            return Err(format!("policy.watch.{name} must be {least} to {most}, not {value}"));
        }
    }
    if watch.quarantine_h >= watch.record_days * 24 {
        return Err(
            "policy.watch.quarantine_h must be less than record_days, or records are deleted before they are learned".to_owned(),
        );
    }
    Ok(())
}

/// The text that errors point into.
struct Source<'a> {
    text: &'a str,
    name: &'a str,
}

impl Source<'_> {
    fn error(&self, offset: Option<usize>, reason: impl fmt::Display) -> ConfigError {
        let line = offset
            .and_then(|offset| self.text.get(..offset))
            .map(|before| before.matches('\n').count() + 1);
        ConfigError {
            file: self.name.to_owned(),
            line,
            reason: reason.to_string(),
        }
    }

    /// `file:line` of an offset.
    fn place(&self, offset: usize) -> String {
        let line = self.text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1);
        format!("{}:{line}", self.name)
    }

    fn toml(&self, error: &toml::de::Error) -> ConfigError {
        self.error(error.span().map(|span| span.start), error.message())
    }

    fn check<T, U>(&self, value: &Spanned<T>, check: impl Fn(&T) -> Result<U, String>) -> Result<U, ConfigError> {
        check(value.get_ref()).map_err(|reason| self.error(Some(value.span().start), reason))
    }

    fn check_some<T, U>(
        &self,
        value: Option<&Spanned<T>>,
        check: impl Fn(&T) -> Result<U, String>,
    ) -> Result<Option<U>, ConfigError> {
        value.map(|value| self.check(value, check)).transpose()
    }

    fn check_all<T, U>(&self, values: &[Spanned<T>], check: impl Fn(&T) -> Result<U, String>) -> Result<Vec<U>, ConfigError> {
        values.iter().map(|value| self.check(value, &check)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn watch(line: &str) -> Result<WatchPolicy, ConfigError> {
        let text = format!("issuer = \"https://id.example\"\n\n[policy.watch]\n{line}\n");
        Config::parse(&text, "gait.toml", Path::new(".")).map(|config| config.policy.watch)
    }

    #[test]
    fn how_long_things_are_kept_has_a_default_and_can_be_chosen() {
        let shipped = watch("").unwrap();
        assert_eq!((shipped.quarantine_h, shipped.record_days, shipped.model_days), (24, 7, 400));
        assert!(!shipped.password_rhythm, "only where the operator says so");
        let chosen = watch("quarantine_h = 0\nrecord_days = 1\nbackground_every_h = 0\npassword_rhythm = true").unwrap();
        assert_eq!(
            (chosen.quarantine_h, chosen.background_every_h, chosen.password_rhythm),
            (0, 0, true)
        );
    }

    #[test]
    fn what_would_keep_too_long_or_learn_nothing_is_refused_with_its_line() {
        for (line, reason) in [
            ("record_days = 0", "record_days must be 1 to 30"),
            ("record_days = 31", "record_days must be 1 to 30"),
            ("model_days = 29", "model_days must be 30 to 1000"),
            ("background_every_h = 721", "background_every_h must be 0 to 720"),
            ("quarantine_h = 168", "quarantine_h must be less than record_days"),
            ("quarantine_h = -1", ""),
            ("quarantine = 1", "unknown field"),
        ] {
            let error = watch(line).unwrap_err();
            assert!(error.line.is_some_and(|line| (3..=4).contains(&line)), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
