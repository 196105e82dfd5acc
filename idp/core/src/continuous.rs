//! Continuous authentication: samples and signals come in, decisions go out. Mode, policy, monotonicity and the breaker, and
//! nothing else; what a sample means is the scorer's business.

use crate::Idp;
use crate::error::{Error, Result};
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
    /// 429, with seconds for `Retry-After`.
    #[error("too many batches")]
    TooMany(u32),
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

impl Idp {
    /// Issues a watch token for the session of an access token with scope `continuous_auth`; `origin` is where the collector will run,
    /// `browser_origin` the request's `Origin` header if a browser sent it.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub async fn watch_token(&self, bearer: &str, origin: &str, browser_origin: Option<&str>) -> Result<WatchToken, WatchError> {
        todo!()
    }

    /// Takes a batch: the request's JSON body (at most 16 KiB) under its watch token.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub async fn sample(
        &self,
        watch_token: &str,
        browser_origin: Option<&str>,
        body: &[u8],
        request_id: &str,
    ) -> Result<SampleAnswer, WatchError> {
        todo!()
    }

    /// Takes a signal: a SET from a configured sender, `bearer` being its secret. Returns once it is stored.
    ///
    /// # Errors
    /// See [`SignalError`].
    pub async fn signal(&self, bearer: Option<&str>, set: &str, request_id: &str) -> Result<(), SignalError> {
        todo!()
    }

    /// Turns step-ups that stood unanswered for too long into revocations. A leased job calls it.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn expire_step_ups(&self) -> Result<()> {
        todo!()
    }
}
