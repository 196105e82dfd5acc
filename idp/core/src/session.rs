//! Sessions: a browser that has proven who sits before it.

use crate::ids::{AccountId, SessionId};
use gait_sdk::{Alarm, Amr, PluginId, Timestamp};
use serde::{Deserialize, Serialize};

/// This factor passed at that time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Which plugin.
    pub plugin: PluginId,
    /// In which ways.
    pub amr: Vec<Amr>,
    /// When.
    pub at: Timestamp,
    /// A risk signal that let a row go, not a factor.
    pub waiver: bool,
}

/// How much doubt there is (CAEP `risk-level-change`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RiskLevel {
    /// None beyond the usual.
    #[default]
    Low,
    /// A step-up is wanted.
    Medium,
    /// A step-up is wanted and the alarm is hard (the breaker held the revocation back).
    High,
}

/// A step-up that is demanded of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUp {
    /// A factor must be proven after this moment.
    pub since: Timestamp,
    /// The alarm that demanded it.
    pub alarm: Alarm,
    /// Why: reason codes.
    pub reasons: Vec<String>,
    /// Failed tries so far.
    pub failures: u32,
}

/// Where a session was begun or last proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The address, as text; empty if unknown.
    pub address: String,
    /// `User-Agent`, capped.
    pub user_agent: String,
    /// Hash of the device cookie.
    pub device: Option<String>,
}

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The person signed out.
    SignedOut,
    /// The person ended it from the account page.
    EndedByOwner,
    /// "Not me" was answered.
    Disowned,
    /// The scorer or a signal.
    Anomaly,
    /// Three failed step-ups, or one unanswered for too long.
    StepUpFailed,
    /// The password was reset or the account disabled.
    AccountChanged,
    /// Another sign-in in the same browser took its place.
    Replaced,
}

impl EndReason {
    /// True if `offline_access` grants die with the session too.
    pub fn is_security(self) -> bool {
        !matches!(self, Self::SignedOut | Self::Replaced)
    }
}

/// A living (or ended) session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// `sid`.
    pub id: SessionId,
    /// Whose.
    pub account: AccountId,
    /// What was proven; the latest proof of each plugin.
    pub proofs: Vec<Proof>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Last use.
    pub last_seen_at: Timestamp,
    /// Where.
    pub place: Place,
    /// Doubt.
    pub level: RiskLevel,
    /// A step-up that is demanded.
    pub step_up: Option<StepUp>,
    /// Set once it has ended.
    pub ended: Option<Ended>,
    /// Grows at each change; a change that names a stale one loses.
    pub sequence: i64,
}

impl Session {
    /// When a factor (not a waiver) was last proven: `auth_time`.
    pub fn auth_time(&self) -> Timestamp {
        self.proofs
            .iter()
            .filter(|proof| !proof.waiver)
            .map(|proof| proof.at)
            .max()
            .unwrap_or(self.created_at)
    }
}
