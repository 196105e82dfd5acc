//! Verifying a security event token that came in (RFC 8417, RFC 8935 §2): one rule a function, in an order in which nothing is
//! believed before it is proven.

use super::{Sender, SignalError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gait_sdk::Timestamp;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

/// Largest SET in bytes.
const MAX_SET: usize = 64 * 1024;
/// Longest `jti` in bytes.
const MAX_JTI: usize = 256;
/// Oldest SET that is taken, in seconds: a sender's queue may have stood still for a day.
pub(super) const MAX_AGE_S: i64 = 24 * 3600;
/// How far a sender's clock may be ahead, in seconds.
const MAX_AHEAD_S: i64 = 60;
/// Algorithms that are taken.
const ALGS: [Algorithm; 4] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
/// Headers by which a token would name its own key (RFC 7515 §4.1), or ask for something that is not understood here.
const FORBIDDEN_HEADERS: [&str; 5] = ["crit", "jwk", "jku", "x5u", "x5c"];

/// What a proven SET says.
#[derive(Debug)]
pub(super) struct Set {
    /// `jti`.
    pub jti: String,
    /// When it was issued.
    pub iat: Timestamp,
    /// URI of its one event.
    pub uri: String,
    /// The event.
    pub event: Map<String, Value>,
    /// About whom (RFC 9493).
    pub subject: Value,
}

/// Verifies `set` as one of `sender` to `issuer`.
///
/// # Errors
/// [`SignalError::Refused`] with the code of RFC 8935 §2.4.
pub(super) fn verify(set: &str, sender: &Sender, issuer: &str, now: Timestamp) -> Result<Set, SignalError> {
    if set.len() > MAX_SET {
        return Err(invalid("the SET is larger than 64 KiB"));
    }
    let header = header(set)?;
    check_header(&header)?;
    let claims = signed_claims(set, &header, sender)?;
    check_parties(&claims, sender, issuer)?;
    let iat = check_times(&claims, now)?;
    read(&claims, iat)
}

/// A refusal.
pub(super) fn refused(err: &'static str, description: &str) -> SignalError {
    SignalError::Refused {
        err,
        description: description.to_owned(),
    }
}

fn invalid(description: &str) -> SignalError {
    refused("invalid_request", description)
}

fn header(set: &str) -> Result<Map<String, Value>, SignalError> {
    let parts: Vec<&str> = set.split('.').collect();
    let [header, _, _] = parts.as_slice() else {
        return Err(invalid("the SET is no compact JWS of three parts"));
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| invalid("the header is no base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| invalid("the header is no JSON object"))
}

fn check_header(header: &Map<String, Value>) -> Result<(), SignalError> {
    if FORBIDDEN_HEADERS.iter().any(|name| header.contains_key(*name)) {
        return Err(invalid(
            "the header has a member that is not allowed: crit, jwk, jku, x5u or x5c",
        ));
    }
    let typ = header
        .get("typ")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    if typ != "secevent+jwt" {
        return Err(invalid("typ is not secevent+jwt"));
    }
    Ok(())
}

/// The claims, once the signature is proven by a key that was configured for the sender.
fn signed_claims(set: &str, header: &Map<String, Value>, sender: &Sender) -> Result<Map<String, Value>, SignalError> {
    let alg = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let alg: Algorithm = alg.parse().map_err(|_| refused("invalid_key", "alg is not allowed"))?;
    if !ALGS.contains(&alg) {
        return Err(refused("invalid_key", "alg is not allowed"));
    }
    let jwk = key(header, sender).ok_or_else(|| refused("invalid_key", "kid names no configured key"))?;
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| refused("invalid_key", "the configured key can't be used"))?;
    let mut validation = Validation::new(alg);
    // Claims are checked here one by one: a SET has no exp, and the library would demand one.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode(set, &key, &validation)
        .map(|token| token.claims)
        .map_err(|_| {
            refused(
                "invalid_key",
                "the signature can't be verified, or the claims are no JSON object",
            )
        })
}

fn key(header: &Map<String, Value>, sender: &Sender) -> Option<Jwk> {
    let keys: JwkSet = serde_json::from_value(sender.jwks.clone()).ok()?;
    match header.get("kid") {
        Some(kid) => keys.find(kid.as_str()?).cloned(),
        None => match keys.keys.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
    }
}

fn check_parties(claims: &Map<String, Value>, sender: &Sender, issuer: &str) -> Result<(), SignalError> {
    if claims.get("iss").and_then(Value::as_str) != Some(sender.issuer.as_str()) {
        return Err(refused("invalid_issuer", "iss is not the sender's"));
    }
    let is_ours = |audience: &Value| audience.as_str() == Some(issuer);
    let addressed = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.iter().any(is_ours),
        Some(audience) => is_ours(audience),
        None => false,
    };
    if !addressed {
        return Err(refused("invalid_audience", "aud is not this issuer"));
    }
    Ok(())
}

/// `exp` and `sub` are forbidden, so that no ID token or access token can pass for a SET.
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, SignalError> {
    if claims.contains_key("exp") || claims.contains_key("sub") {
        return Err(invalid("a SET has neither exp nor sub"));
    }
    let iat = claims.get("iat").and_then(seconds).ok_or_else(|| invalid("iat is missing"))?;
    if !(-MAX_AHEAD_S..=MAX_AGE_S).contains(&now.since(iat)) {
        return Err(invalid("iat is too old or in the future"));
    }
    Ok(iat)
}

fn read(claims: &Map<String, Value>, iat: Timestamp) -> Result<Set, SignalError> {
    let jti = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
    if jti.is_empty() || jti.len() > MAX_JTI {
        return Err(invalid("jti is missing or too long"));
    }
    let events = claims.get("events").and_then(Value::as_object);
    let events: Vec<_> = events.into_iter().flatten().collect();
    let [(uri, Value::Object(event))] = events.as_slice() else {
        return Err(invalid("events must hold exactly one event"));
    };
    let subject = claims.get("sub_id").ok_or_else(|| invalid("sub_id is missing"))?;
    Ok(Set {
        jti: jti.to_owned(),
        iat,
        uri: (*uri).clone(),
        event: event.clone(),
        subject: subject.clone(),
    })
}

/// A NumericDate (RFC 7519 §2), cut to seconds.
pub(super) fn seconds(value: &Value) -> Option<Timestamp> {
    let whole = value.as_i64();
    // Fractions are allowed; what doesn't fit saturates, and is out of every window.
    #[allow(clippy::cast_possible_truncation)]
    whole.or_else(|| value.as_f64().map(|seconds| seconds as i64)).map(Timestamp)
}
