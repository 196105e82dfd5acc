//! Events: facts in the past tense, written in the transaction that made them true, and their deliveries.

use crate::Idp;
use crate::ids::{AccountId, ClientId, DeliveryId, EventId, SessionId};
use crate::session::{EndReason, RiskLevel};
use gait_sdk::{PluginId, Timestamp};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A session was begun.
    SessionBegun {
        /// With these factors.
        plugins: Vec<PluginId>,
    },
    /// A factor was proven anew.
    SessionStrengthened {
        /// Which.
        plugins: Vec<PluginId>,
        /// The level before.
        previous_level: RiskLevel,
    },
    /// A step-up was demanded, or its alarm rose.
    StepUpDemanded {
        /// The level now.
        level: RiskLevel,
        /// The level before.
        previous_level: RiskLevel,
        /// Reason codes.
        reasons: Vec<String>,
    },
    /// A step-up was tried and failed.
    StepUpFailed {
        /// Failures so far.
        failures: u32,
    },
    /// A session ended.
    SessionEnded {
        /// Why.
        reason: EndReason,
        /// Reason codes of the alarm, if one did it.
        reasons: Vec<String>,
    },
    /// The watch would have acted, but only observes (deployment mode `observe`), or the breaker held it back.
    DecisionWithheld {
        /// What it would have done: `step_up` or `revoke`.
        decision: String,
        /// Reason codes.
        reasons: Vec<String>,
    },
    /// A sign-in step failed.
    StepFailed {
        /// Which plugin.
        plugin: PluginId,
        /// Why: `wrong`, `error`, `limited`.
        why: String,
    },
    /// A code was redeemed.
    GrantIssued {
        /// Scopes, space separated.
        scope: String,
    },
    /// A spent code or refresh token was presented again; its family was revoked.
    ReplayDetected {
        /// `code` or `refresh_token`.
        kind: String,
    },
    /// A grant was revoked by its client or its owner.
    GrantRevoked,
    /// A credential was added, changed or removed.
    CredentialChanged {
        /// Which plugin's.
        plugin: PluginId,
        /// `create`, `update`, `delete`.
        change: String,
    },
    /// An approval was answered.
    ApprovalAnswered {
        /// "It was me".
        yes: bool,
    },
    /// The account was disabled or enabled.
    AccountDisabled {
        /// True if disabled.
        disabled: bool,
    },
    /// The password was reset by mail.
    Recovered,
    /// Behaviour consent was given or withdrawn.
    ConsentChanged {
        /// For what.
        purpose: String,
        /// True if given.
        given: bool,
    },
    /// The mode was changed.
    ModeChanged {
        /// To this.
        mode: crate::account::Mode,
    },
    /// Everything held about the person's behaviour was erased.
    BehaviourErased,
    /// A signal came in from a configured sender.
    SignalReceived {
        /// Who.
        sender: String,
        /// The event's URI.
        uri: String,
    },
    /// The owner said that an alarm was right or wrong.
    FeedbackGiven {
        /// True for "this was me".
        was_me: bool,
    },
    /// What only a newer Gait can read, as it was written: nothing of it is lost or changed here.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id, sortable by time.
    pub id: EventId,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What.
    pub what: What,
    /// About whom.
    pub account: Option<AccountId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// At which client.
    pub client: Option<ClientId>,
    /// The visitor's address in full: only here, nowhere else in a log.
    pub address: Option<String>,
    /// The request that caused it; `txn` of SETs.
    pub txn: String,
}

impl Event {
    /// When, in whole seconds.
    pub fn at(&self) -> Timestamp {
        Timestamp(self.at_ms.div_euclid(1000))
    }
}

/// How a receiver is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// OIDC Back-Channel Logout 1.0.
    BackchannelLogout,
    /// SET over RFC 8935.
    Callback,
}

/// Who is told: a client, on one of its channels. What it is told stands in one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receiver {
    /// The client.
    pub client: ClientId,
    /// How.
    pub channel: Channel,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// In its receiver's line, in the order of the events.
    Queued,
    /// Beside the line since its receiver refuses it, to be tried again then: it holds nothing else back.
    Aside(Timestamp),
    /// It arrived then.
    Arrived(Timestamp),
    /// A dead letter since then: never again, unless an operator says so.
    Dead(Timestamp),
}

/// One delivery of one event to one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its id; `jti` of the token that is sent.
    pub id: DeliveryId,
    /// The receiver.
    pub client: ClientId,
    /// How.
    pub channel: Channel,
    /// The event.
    pub event: Event,
    /// Where it stands.
    pub state: DeliveryState,
    /// Since when it is tried: since its event, or since an operator said "again".
    pub since: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// How many of them reached the receiver, and were not accepted; since `since`.
    pub refusals: u32,
    /// Why the last one failed, for the operator.
    pub last_error: Option<String>,
}

impl Delivery {
    /// Who is told.
    pub fn receiver(&self) -> Receiver {
        Receiver {
            client: self.client.clone(),
            channel: self.channel,
        }
    }
}

impl Idp {
    /// An event of this moment; `txn` is the request that caused it.
    pub(crate) fn event(
        &self,
        what: What,
        account: Option<AccountId>,
        session: Option<&SessionId>,
        client: Option<&ClientId>,
        address: Option<String>,
        txn: &str,
    ) -> Event {
        Event {
            id: EventId(self.ports.uuid()),
            at_ms: self.ports.clock.now_ms(),
            what,
            account,
            session: session.cloned(),
            client: client.cloned(),
            address,
            txn: txn.to_owned(),
        }
    }
}
