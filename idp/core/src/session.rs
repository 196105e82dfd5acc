//! Sessions: a browser that has proven who sits before it.

use crate::Idp;
use crate::account::Account;
use crate::account_page::SignedIn;
use crate::error::Result;
use crate::event::What;
use crate::ids::{AccountId, SessionId};
use crate::mail::address_of;
use crate::measure::Revocation;
use crate::store::Which;
use crate::token::secret::{Secret, SecretKind};
use crate::visit::{Caller, log_account};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gait_sdk::{Alarm, Amr, PluginId, Timestamp};
use serde::{Deserialize, Serialize};

/// Seconds between two notes of a session's use.
const TOUCH_EVERY_S: i64 = 60;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// True if `offline_access` grants die with the session too, and what was recorded in it is not learned: it ended because of a
    /// doubt, or the owner ended it from elsewhere.
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

impl Place {
    /// Where a caller is.
    pub(crate) fn of(caller: &Caller) -> Self {
        Self {
            address: address_of(caller).unwrap_or_default(),
            user_agent: caller.visitor.user_agent.clone(),
            device: caller.visitor.device.clone(),
        }
    }
}

impl Idp {
    /// True if a session of this account still counts: not ended, neither too old nor too long unused, and not overtaken by a
    /// revocation of everything.
    pub(crate) fn lives(&self, session: &Session, account: &Account) -> bool {
        let now = self.ports.now();
        let lifetimes = &self.policy.lifetimes;
        let overtaken = account.revoked_before.is_some_and(|limit| session.created_at < limit);
        session.ended.is_none()
            && account.disabled_at.is_none()
            && !overtaken
            && now.since(session.created_at) < i64::from(lifetimes.session_absolute)
            && now.since(session.last_seen_at) < i64::from(lifetimes.session_idle)
    }

    /// Who is signed in in this browser.
    pub(crate) async fn browser_session(&self, caller: &Caller) -> Result<Option<SignedIn>> {
        let Some(secret) = &caller.session else { return Ok(None) };
        let Some(session) = self.store.session_by_secret(&secret.hash()).await? else {
            return Ok(None);
        };
        let Some(account) = self.store.account(session.account).await? else {
            return Ok(None);
        };
        if !self.lives(&session, &account) {
            return Ok(None);
        }
        log_account(account.id);
        self.touch(&session).await?;
        Ok(Some(SignedIn {
            csrf: self.session_csrf(secret),
            session,
            account,
        }))
    }

    async fn touch(&self, session: &Session) -> Result<()> {
        let now = self.ports.now();
        if now.since(session.last_seen_at) >= TOUCH_EVERY_S {
            self.store.touch_session(&session.id, now).await?;
        }
        Ok(())
    }

    /// What pages of a signed-in browser send back.
    pub(crate) fn session_csrf(&self, secret: &Secret) -> String {
        URL_SAFE_NO_PAD.encode(self.master.mac("session-csrf", &secret.hash().0))
    }

    /// A new `sid` and a new cookie.
    pub(crate) fn new_session_ids(&self) -> (SessionId, Secret) {
        let id = SessionId(URL_SAFE_NO_PAD.encode(self.ports.random::<16>()));
        (id, Secret::new(SecretKind::Session, &self.ports))
    }

    /// Ends sessions, and tells of it.
    pub(crate) async fn end_all(
        &self,
        which: &Which,
        reason: EndReason,
        reasons: &[String],
        caller: &Caller,
    ) -> Result<Vec<Session>> {
        let events = |session: &Session| {
            let what = What::SessionEnded {
                reason,
                reasons: reasons.to_vec(),
            };
            let (account, address) = (Some(session.account), address_of(caller));
            vec![self.event(what, account, Some(&session.id), None, address, &caller.request_id)]
        };
        let begun_us = self.ports.meter.stopwatch_us();
        let ended = self.store.end_sessions(which, self.ports.now(), reason, &events).await?;
        self.ports.note_revoked(Revocation::Session(reason), begun_us);
        self.ports.wake.wake();
        Ok(ended)
    }
}
