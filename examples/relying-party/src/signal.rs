//! Signals to Gait: security event tokens that this app signs when it sees something wrong with a session.

use crate::Config;
use crate::set::Subject;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use oauth2::CsrfToken;
use serde_json::{Value, json};

/// What the app tells Gait about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalEvent {
    /// The app finds the session's risk high.
    Risk,
    /// The app has ended the session.
    Revoke,
}

/// The key that signs an app's signals.
pub struct SignalKey {
    key: EncodingKey,
    kid: String,
    issuer: String,
    audience: String,
}

impl SignalKey {
    /// Takes the key from the configuration.
    ///
    /// # Errors
    /// If it is no ES256 private key in PKCS#8 PEM.
    pub fn new(config: &Config) -> Result<Self, jsonwebtoken::errors::Error> {
        Ok(Self {
            key: EncodingKey::from_ec_pem(config.signal_key_pem.reveal().as_bytes())?,
            kid: config.signal_key_id.clone(),
            issuer: config.signal_issuer.clone(),
            audience: config.issuer.clone(),
        })
    }

    /// Signs a token that tells of `event` in the session of `subject`, at `now` (seconds since the epoch).
    ///
    /// # Errors
    /// If signing fails.
    pub fn sign(&self, event: SignalEvent, subject: &Subject, now: i64) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("secevent+jwt".into());
        header.kid = Some(self.kid.clone());
        let claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "jti": CsrfToken::new_random().secret(),
            "txn": CsrfToken::new_random().secret(),
            "sub_id": sub_id(subject, &self.audience),
            "events": payload(event, now),
        });
        encode(&header, &claims, &self.key)
    }
}

fn sub_id(subject: &Subject, gait: &str) -> Value {
    let mut id = json!({ "format": "complex" });
    if let Some(sub) = &subject.sub {
        id["user"] = json!({ "format": "iss_sub", "iss": gait, "sub": sub });
    }
    if let Some(sid) = &subject.sid {
        id["session"] = json!({ "format": "opaque", "id": sid });
    }
    id
}

fn payload(event: SignalEvent, now: i64) -> Value {
    match event {
        SignalEvent::Risk => json!({
            "https://schemas.openid.net/secevent/caep/event-type/risk-level-change": {
                "principal": "SESSION",
                "current_level": "HIGH",
                "risk_reason": "REPORTED_BY_APP",
                "event_timestamp": now,
                "initiating_entity": "user",
                "reason_admin": { "en": "Reported in the example app" },
            }
        }),
        SignalEvent::Revoke => json!({
            "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {
                "event_timestamp": now,
                "initiating_entity": "user",
                "reason_admin": { "en": "Ended in the example app" },
            }
        }),
    }
}
