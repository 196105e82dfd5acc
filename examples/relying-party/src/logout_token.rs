//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6).

use crate::jws::{self, JwsError};
use crate::set::{Expected, Subject};
use jsonwebtoken::Algorithm;
use serde_json::Value;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const SKEW_S: i64 = 60;

/// Why a logout token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutTokenError {
    /// It isn't a token that Gait signed.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A claim is missing, forbidden or wrong.
    #[error("the claim {0} is missing, forbidden or wrong")]
    Claim(&'static str),
}

/// Verifies a logout token: returns its `jti` and whom it signs out. Replays are the caller's to notice, by `jti`.
///
/// # Errors
/// [`LogoutTokenError`], for the first rule that it breaks.
pub fn verify_logout_token(token: &str, expected: &Expected<'_>) -> Result<(String, Subject), LogoutTokenError> {
    use LogoutTokenError::Claim;
    let allowed = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    let claims = jws::verify(token, "logout+jwt", &allowed, expected.keys)?;
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(Claim("iss"));
    }
    if !jws::is_for(&claims, expected.audience) {
        return Err(Claim("aud"));
    }
    let iat = jws::seconds(&claims, "iat").ok_or(Claim("iat"))?;
    if iat > expected.now + SKEW_S {
        return Err(Claim("iat"));
    }
    let exp = jws::seconds(&claims, "exp").ok_or(Claim("exp"))?;
    if exp < expected.now - SKEW_S {
        return Err(Claim("exp"));
    }
    if claims.contains_key("nonce") {
        return Err(Claim("nonce"));
    }
    if !claims
        .get("events")
        .and_then(|events| events.get(EVENT))
        .is_some_and(Value::is_object)
    {
        return Err(Claim("events"));
    }
    let jti = jws::text(&claims, "jti").ok_or(Claim("jti"))?;
    let subject = Subject {
        sub: jws::text(&claims, "sub"),
        sid: jws::text(&claims, "sid"),
    };
    if subject.sub.is_none() && subject.sid.is_none() {
        return Err(Claim("sid"));
    }
    Ok((jti, subject))
}
