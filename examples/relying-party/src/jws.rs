//! What every signed token from Gait must pass before its claims are looked at.

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

/// Longest token that is read, in bytes.
pub(crate) const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// The claims of a verified token.
pub(crate) type Claims = Map<String, Value>;

/// Why a token isn't believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// It is no compact JWS with a JSON object inside, or too long, or demands extensions.
    #[error("not a signed token that can be read")]
    Malformed,
    /// Its `typ` is that of another kind of token.
    #[error("the token's typ is not {0}")]
    Type(&'static str),
    /// Its algorithm isn't allowed.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// Its `kid` is missing, or names no key of the issuer.
    #[error("the issuer has no such key")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
}

/// Verifies type, algorithm, key and signature, in this order; the claims are the caller's to judge.
pub(crate) fn verify(token: &str, typ: &'static str, allowed: &[Algorithm], keys: &JwkSet) -> Result<Claims, JwsError> {
    if token.len() > MAX_TOKEN_BYTES || token.split('.').count() != 3 {
        return Err(JwsError::Malformed);
    }
    let header = decode_header(token).map_err(|_| JwsError::Malformed)?;
    if header.crit.is_some() {
        return Err(JwsError::Malformed);
    }
    if !header.typ.as_deref().is_some_and(|t| is_type(t, typ)) {
        return Err(JwsError::Type(typ));
    }
    if !allowed.contains(&header.alg) {
        return Err(JwsError::Algorithm);
    }
    let kid = header.kid.as_deref().ok_or(JwsError::UnknownKey)?;
    let key = keys
        .find(kid)
        .filter(|key| may_verify(key, header.alg))
        .ok_or(JwsError::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| JwsError::UnknownKey)?;
    let decoded = decode::<Claims>(token, &key, &signature_only(header.alg)).map_err(|_| JwsError::Signature)?;
    Ok(decoded.claims)
}

/// RFC 8417 §2.3: `application/` may stand before the type, and case doesn't matter.
fn is_type(found: &str, wanted: &str) -> bool {
    let found = found.to_ascii_lowercase();
    found.strip_prefix("application/").unwrap_or(&found) == wanted
}

/// A key is used for what it was published for, and nothing else.
fn may_verify(key: &Jwk, alg: Algorithm) -> bool {
    let for_signatures = key
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
    let for_algorithm = key
        .common
        .key_algorithm
        .is_none_or(|named| named.to_string() == format!("{alg:?}"));
    for_signatures && for_algorithm
}

fn signature_only(alg: Algorithm) -> Validation {
    let mut validation = Validation::new(alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

/// True if the claim `aud` is, or contains, `client`.
pub(crate) fn is_for(claims: &Claims, client: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(aud)) => aud == client,
        Some(Value::Array(list)) => list.iter().any(|aud| aud == client),
        _ => false,
    }
}

/// A claim that must be a text of at least one and at most 255 characters.
pub(crate) fn text(claims: &Claims, name: &str) -> Option<String> {
    claims
        .get(name)?
        .as_str()
        .filter(|t| !t.is_empty() && t.len() <= 255)
        .map(str::to_owned)
}

/// A claim that must be a time: seconds since the epoch, whole or not.
pub(crate) fn seconds(claims: &Claims, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(|s| s.abs() < 1e12).map(|s| s as i64))
}
