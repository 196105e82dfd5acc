//! Policy: plans, levels and lifetimes. Pure data from the configuration.

use gait_sdk::PluginId;
use serde::{Deserialize, Serialize};

/// A row of a plan: any of these factors will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row(pub Vec<PluginId>);

/// A plan: every row must be satisfied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan(pub Vec<Row>);

/// A level of assurance, computed from proofs: it is met when every row of its plan is satisfied by a factor (never by a waiver).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcrRule {
    /// The value in `acr`.
    pub acr: String,
    /// What proves it.
    pub plan: Plan,
}

/// What the deployment does with behaviour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Samples are dropped.
    Off,
    /// Samples are judged and decisions logged; nothing happens to the session.
    Observe,
    /// Decisions act.
    #[default]
    Enforce,
}

/// Lifetimes in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// Authorization code; at most 600, 60 by default.
    pub code: u32,
    /// Opaque access token.
    pub access: u32,
    /// JWT access token; at most 300.
    pub access_jwt: u32,
    /// ID token.
    pub id_token: u32,
    /// Refresh token since its last use.
    pub refresh_idle: u32,
    /// Refresh family since the grant.
    pub refresh_absolute: u32,
    /// Session since its last use.
    pub session_idle: u32,
    /// Session since it was begun.
    pub session_absolute: u32,
    /// Flow.
    pub flow: u32,
    /// Watch token; at most 600.
    pub watch: u32,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: 60,
            access: 600,
            access_jwt: 300,
            id_token: 3600,
            refresh_idle: 14 * 86_400,
            refresh_absolute: 90 * 86_400,
            session_idle: 3600,
            session_absolute: 12 * 3600,
            flow: 1800,
            watch: 600,
        }
    }
}

/// How the watch acts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchPolicy {
    /// off, observe or enforce.
    pub mode: Watch,
    /// Composite fitness (0.0–1.0) from which a sign-in sample may waive, in account mode `auth`; `None` never waives.
    pub waive_from: Option<f64>,
    /// Composite fitness below which a sign-in sample removes waivers. A trusted address alone reaches `weight_ip` of it, so this
    /// must be higher, or no rhythm could ever speak against that address.
    pub distrust_below: f64,
    /// Weight of the behaviour fitness in the composite.
    pub weight_behaviour: f64,
    /// Weight of the IP trust score in the composite.
    pub weight_ip: f64,
    /// Unanswered seconds with the alarm standing after which a step-up becomes a revocation.
    pub unanswered_s: u32,
    /// Failed step-ups after which the session is revoked.
    pub max_failed_step_ups: u32,
    /// Breaker: more than this many revocations by the scorer within `breaker_window_s` turn further ones into step-ups.
    pub breaker_revocations: u32,
    /// Window of the breaker in seconds.
    pub breaker_window_s: u32,
    /// Longest random delay in milliseconds before a decision shows, so that the moment tells nothing.
    pub decision_lag_ms: u32,
    /// Seconds between batches that the collector is asked for.
    pub batch_every_s: u32,
    /// Hours that the records of an enrolled account wait before they are learned, so that they can still be dropped when it turns
    /// out that they weren't the owner's. Less than `record_days`.
    pub quarantine_h: u32,
    /// Days after which records are deleted even if they weren't learned.
    pub record_days: u32,
    /// Days after which the models of an account that isn't used are deleted.
    pub model_days: u32,
    /// Hours after which the background is made anew; after an erasure it is within minutes.
    pub background_every_h: u32,
    /// Offers people a consent to have the rhythm of their password learned too.
    pub password_rhythm: bool,
    /// Seconds between proofs for a watched client's session without behaviour consent (a plain periodic re-authentication).
    pub reauth_without_consent_s: u32,
    /// Whether timings may be kept by key, of those who consented to the watch. More is known of a person by it, and more could
    /// be known of what they write, so it is off unless an operator says otherwise.
    pub key_identity: bool,
}

impl Default for WatchPolicy {
    fn default() -> Self {
        Self {
            mode: Watch::Enforce,
            waive_from: Some(0.8),
            distrust_below: 0.5,
            weight_behaviour: 0.7,
            weight_ip: 0.3,
            unanswered_s: 600,
            max_failed_step_ups: 3,
            breaker_revocations: 50,
            breaker_window_s: 60,
            decision_lag_ms: 1500,
            batch_every_s: 5,
            quarantine_h: 24,
            record_days: 7,
            model_days: 400,
            background_every_h: 24,
            password_rhythm: false,
            reauth_without_consent_s: 3600,
            key_identity: false,
        }
    }
}

/// How many mails may be asked for in a quarter of an hour, so that nobody's mailbox is flooded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailLimits {
    /// For one account, by one way, from browsers that are strange to it; each that it has signed in by has as many.
    pub per_account: u64,
    /// From one address (an IPv6 /64).
    pub per_address: u64,
    /// For one account, by all ways and from all browsers together.
    pub per_mailbox: u64,
}

impl Default for MailLimits {
    fn default() -> Self {
        Self {
            per_account: 5,
            per_address: 20,
            per_mailbox: 30,
        }
    }
}

/// How often somebody may try and call. Windows are a quarter of an hour for people, and a minute for programs; `0` is no limit
/// where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Answers to one factor for one account, or for one identifier that names nobody, in a quarter of an hour.
    pub attempts_per_account: u64,
    /// Wrong answers from one address (an IPv6 /64) in a quarter of an hour; all visitors without a known address share one.
    pub attempts_per_address: u64,
    /// Flows that one address begins in a quarter of an hour: many people may share it, and yet it must not fill the memory for flows.
    pub flows_per_address: u64,
    /// Recoveries that one address asks for in a quarter of an hour.
    pub recoveries_per_address: u64,
    /// Failed authentications of one client from one address in a minute.
    pub failures_per_client: u64,
    /// Requests of programs from one address that were refused (bad credentials, bad tokens, nonsense) in a minute.
    pub refused_per_address: u64,
    /// Requests of programs from one address in a minute; 0 is no limit.
    pub calls_per_address: u64,
    /// Requests of one authenticated client in a minute; 0 is no limit.
    pub calls_per_client: u64,
    /// Requests with tokens of one account in a minute; 0 is no limit.
    pub calls_per_account: u64,
    /// Batches of one watched session in a minute: a collector sends one in five seconds, a demonstration many at once.
    pub samples_per_session: u64,
    /// Signals of one sender in a minute; each is kept as an event.
    pub signals_per_sender: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts_per_account: 10,
            attempts_per_address: 100,
            flows_per_address: 1000,
            recoveries_per_address: 100,
            failures_per_client: 20,
            refused_per_address: 1200,
            calls_per_address: 0,
            calls_per_client: 0,
            calls_per_account: 0,
            samples_per_session: 600,
            signals_per_sender: 6000,
        }
    }
}

/// The whole policy of a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// What a sign-in takes.
    pub plan: Plan,
    /// What a step-up takes: one factor proven after the demand, in order of preference.
    pub step_up: Plan,
    /// Levels, weakest first.
    pub acrs: Vec<AcrRule>,
    /// The factor that recovery sets anew (its `Enrol` form is shown behind the mailed link); `None` switches recovery off.
    pub recovery: Option<PluginId>,
    /// Lifetimes.
    pub lifetimes: Lifetimes,
    /// The watch.
    pub watch: WatchPolicy,
    /// Limits of what is mailed.
    pub mails: MailLimits,
    /// Limits of tries and calls.
    pub limits: Limits,
    /// Seconds within which a proof counts as fresh for what weakens protection.
    pub fresh_s: u32,
}
