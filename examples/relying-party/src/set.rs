//! Security event tokens (RFC 8417) as Gait sends them (CAEP 1.0, over RFC 8935): verified step by step.

use crate::jws::{self, Claims, JwsError};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::JwkSet;
use serde::Serialize;
use serde_json::Value;

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
/// A sender may have queued an event for a day; clocks differ by a minute.
const OLDEST_S: i64 = 24 * 3600;
const SKEW_S: i64 = 60;

/// Who must have sent a token, to whom, and when "now" is.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, exactly.
    pub issuer: &'a str,
    /// This app's client id.
    pub audience: &'a str,
    /// The issuer's published keys.
    pub keys: &'a JwkSet,
    /// Seconds since the epoch.
    pub now: i64,
}

/// A verified security event token.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// Its id, unique per issuer.
    pub jti: String,
    /// When it was issued, seconds since the epoch.
    pub iat: i64,
    /// The cause that it shares with other tokens.
    pub txn: Option<String>,
    /// Whom it is about; `None` if the identifier's format is unknown.
    pub subject: Option<Subject>,
    /// What happened.
    pub event: Event,
}

/// Whom an event is about: one session of a person, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The person's `sub`.
    pub sub: Option<String>,
    /// The session's `sid`.
    pub sid: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// CAEP `risk-level-change`.
    RiskLevelChange {
        /// `LOW`, `MEDIUM` or `HIGH`.
        current_level: String,
        /// The level before, where it is told.
        previous_level: Option<String>,
        /// Why, in the sender's word.
        risk_reason: Option<String>,
        /// When, seconds since the epoch.
        event_timestamp: Option<i64>,
    },
    /// CAEP `session-revoked`.
    SessionRevoked {
        /// Why, for the person, in English.
        reason: Option<String>,
        /// When, seconds since the epoch.
        event_timestamp: Option<i64>,
    },
    /// Anything else: accepted, and without effect.
    Other {
        /// The URIs of the events.
        uris: Vec<String>,
    },
}

/// Why a token is refused, in the words of RFC 8935 §2.4.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// `invalid_request`
    #[error("{0}")]
    Request(&'static str),
    /// `invalid_request`, `invalid_key` or `authentication_failed`: what [`JwsError`] says.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// `invalid_issuer`
    #[error("the token is from another issuer")]
    Issuer,
    /// `invalid_audience`
    #[error("the token is for another app")]
    Audience,
}

impl SetError {
    /// The error code of RFC 8935 §2.4.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) | Self::Jws(JwsError::Malformed | JwsError::Type(_)) => "invalid_request",
            Self::Jws(JwsError::Algorithm | JwsError::UnknownKey) => "invalid_key",
            Self::Jws(JwsError::Signature) => "authentication_failed",
            Self::Issuer => "invalid_issuer",
            Self::Audience => "invalid_audience",
        }
    }
}

/// Verifies a security event token. Replays are the caller's to notice, by `jti`.
///
/// # Errors
/// [`SetError`], for the first rule that it breaks.
pub fn verify_set(token: &str, expected: &Expected<'_>) -> Result<Set, SetError> {
    // The CAEP Interoperability Profile wants RS256 for every event.
    let claims = jws::verify(token, "secevent+jwt", &[Algorithm::RS256], expected.keys)?;
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(SetError::Issuer);
    }
    if !jws::is_for(&claims, expected.audience) {
        return Err(SetError::Audience);
    }
    // SSF forbids both, so that an event is never mistaken for an ID token or an access token.
    if claims.contains_key("exp") || claims.contains_key("sub") {
        return Err(SetError::Request("exp and sub must not be present"));
    }
    let iat = jws::seconds(&claims, "iat").ok_or(SetError::Request("iat is missing"))?;
    if !(expected.now - OLDEST_S..=expected.now + SKEW_S).contains(&iat) {
        return Err(SetError::Request("iat is too old or in the future"));
    }
    let jti = jws::text(&claims, "jti").ok_or(SetError::Request("jti is missing"))?;
    let event = event(&claims)?;
    let subject = claims.get("sub_id").and_then(|id| subject(id, expected.issuer));
    Ok(Set {
        jti,
        iat,
        txn: jws::text(&claims, "txn"),
        subject,
        event,
    })
}

fn event(claims: &Claims) -> Result<Event, SetError> {
    let events = claims
        .get("events")
        .and_then(Value::as_object)
        .filter(|events| !events.is_empty());
    let events = events.ok_or(SetError::Request("events is missing"))?;
    let other = || Event::Other {
        uris: events.keys().take(8).cloned().collect(),
    };
    let Some((uri, Value::Object(payload))) = events.iter().next().filter(|_| events.len() == 1) else {
        return Ok(other());
    };
    let event_timestamp = jws::seconds(payload, "event_timestamp");
    match uri.strip_prefix(CAEP) {
        Some("risk-level-change") => {
            let current_level = jws::text(payload, "current_level").filter(|l| matches!(l.as_str(), "LOW" | "MEDIUM" | "HIGH"));
            Ok(Event::RiskLevelChange {
                current_level: current_level.ok_or(SetError::Request("current_level is missing or unknown"))?,
                previous_level: jws::text(payload, "previous_level"),
                risk_reason: jws::text(payload, "risk_reason"),
                event_timestamp,
            })
        }
        Some("session-revoked") => {
            let reason = payload
                .get("reason_user")
                .and_then(Value::as_object)
                .and_then(|r| jws::text(r, "en"));
            Ok(Event::SessionRevoked { reason, event_timestamp })
        }
        _ => Ok(other()),
    }
}

/// Reads a subject identifier: simple (RFC 9493 `iss_sub`), or complex with a user, a session, or both (SSF 1.0).
fn subject(id: &Value, issuer: &str) -> Option<Subject> {
    let format = id.get("format")?.as_str()?;
    let (user, session) = match format {
        "iss_sub" => (Some(id), None),
        "complex" => (id.get("user"), id.get("session")),
        _ => return None,
    };
    let sub = user.map(|user| person(user, issuer));
    let sid = session.map(opaque);
    if matches!(sub, Some(None)) || matches!(sid, Some(None)) || (sub.is_none() && sid.is_none()) {
        return None;
    }
    Some(Subject {
        sub: sub.flatten(),
        sid: sid.flatten(),
    })
}

fn person(id: &Value, issuer: &str) -> Option<String> {
    let id = id.as_object().filter(|id| id.get("format").is_some_and(|f| f == "iss_sub"))?;
    (id.get("iss")?.as_str()? == issuer).then(|| jws::text(id, "sub"))?
}

fn opaque(id: &Value) -> Option<String> {
    let id = id.as_object().filter(|id| id.get("format").is_some_and(|f| f == "opaque"))?;
    jws::text(id, "id")
}
