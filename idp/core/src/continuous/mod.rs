//! Continuous authentication: samples and signals come in, decisions go out. Mode, policy, monotonicity and the breaker, and
//! nothing else; what a sample means is the scorer's business.
//!
//! What lasts and what doesn't: the demand itself (level and step-up) and the end of a session are durable, written with their
//! events. What the scorer remembers of a session is ephemeral: if it is lost, the scorer starts anew with an empty state, while a
//! demand that stands goes on standing. So a lost state delays an alarm, and opens nothing.

mod act;
mod batch;
mod context;
mod decide;
mod samples;
mod set;
mod signals;
mod watch_token;
mod watching;

pub(crate) use batch::parse as parse_batch;

use crate::error::Error;
use crate::ids::ClientId;
use crate::token::BearerError;
use crate::token::secret::{Hash, Secret};
use serde::{Deserialize, Serialize};

/// Who may send signals (RFC 8935 receiver side).
#[derive(Clone, Debug)]
pub struct Sender {
    /// `iss` of its SETs.
    pub issuer: String,
    /// Hash of its bearer secret.
    pub secret: Hash,
    /// Its public keys (RFC 7517).
    pub jwks: serde_json::Value,
    /// Clients whose sessions it may speak of.
    pub clients: Vec<ClientId>,
}

/// What the session is to the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchState {
    /// Go on. Looks the same whether the batch was scored, ignored, insufficient, unconsented or in train mode.
    Ok,
    /// A step-up is demanded.
    StepUp,
    /// It's over.
    Ended,
}

/// A watch token that was issued.
#[derive(Debug)]
pub struct WatchToken {
    /// The token.
    pub token: Secret,
    /// Seconds that it lives.
    pub expires_in: u32,
}

/// The answer to a batch.
#[derive(Debug)]
pub struct SampleAnswer {
    /// The state.
    pub state: WatchState,
    /// Seconds until the next batch.
    pub next_s: u32,
    /// A renewed token, in good time.
    pub watch_token: Option<Secret>,
    /// Whether the collector may tell which keys its timings are of: the operator and the person have both agreed to it.
    pub keys: bool,
}

/// Why a watch call was refused.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The access token (401, 403) as for any protected resource.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// 403 `consent_required`: the person has not consented, or withdrew it.
    #[error("no behaviour consent")]
    NoConsent,
    /// 403 `invalid_origin`: not a registered origin of the client, or not the one that the browser names.
    #[error("origin not allowed")]
    Origin,
    /// 409 `session_ended`.
    #[error("the session has ended")]
    SessionEnded,
    /// 401 `invalid_token`: the watch token.
    #[error("the watch token is unknown or expired")]
    WatchToken,
    /// 400 `invalid_request`.
    #[error("{0}")]
    Bad(String),
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
}

/// A SET that was refused (RFC 8935 §2.3).
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// 400 with this code (or 401 for `authentication_failed`, 403 for `access_denied`).
    #[error("{err}: {description}")]
    Refused {
        /// Code of RFC 8935 §2.4.
        err: &'static str,
        /// For the sender's developer.
        description: String,
    },
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
}
