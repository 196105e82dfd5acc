//! `private_key_jwt`: a client's signed assertion of itself (RFC 7523, with the audience of RFC 10070).

use super::jws;
use crate::Idp;
use crate::client::Client;
use crate::error::Result;
use crate::ids::ClientId;
use crate::token::secret::Hash;
use gait_sdk::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Furthest ahead that an assertion may expire, in seconds.
const MAX_LIFE_S: i64 = 300;
/// Longest life of those from before RFC 10070, whose libraries make them for an hour.
const MAX_LEGACY_LIFE_S: i64 = 3600;
/// How far a client's clock may go wrong, in seconds.
const SKEW_S: i64 = 10;
/// Longest `jti` in bytes.
const MAX_JTI: usize = 256;
/// Most keys of one client that are tried.
const MAX_KEYS: usize = 16;

/// Who an assertion says that it is, unverified: good for finding the keys to verify it with.
pub(super) fn claimed_client(assertion: &str) -> Option<ClientId> {
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(assertion).ok()?;
    claims["sub"].as_str().map(ClientId::from)
}

/// Between when an assertion may have been used.
struct Times {
    /// When it was issued, or the earliest that it can have been.
    issued_at: Timestamp,
    /// Until when its use is remembered: longer than it lives by the longest that any may live, for a clock may step past its end and back.
    remembered_until: Timestamp,
}

impl Idp {
    /// True if `assertion` proves `client`, now and for the first time.
    pub(super) async fn accepts_assertion(&self, client: &Client, assertion: &str) -> Result<bool> {
        let Some(claims) = signed_claims(client, assertion) else {
            return Ok(false);
        };
        let now = self.ports.now();
        let Some(times) = self.is_meant_for_us(client, &claims, now) else {
            return Ok(false);
        };
        let Some(jti) = claims["jti"].as_str().filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI) else {
            return Ok(false);
        };
        let key = Hash::of(format!("{}\0{jti}", client.id).as_bytes()).to_text();
        let ttl = u32::try_from(times.remembered_until.since(now)).unwrap_or(0) + 1;
        let is_first = self.ephemeral.put_new(&format!("assertion:{key}"), b"1", ttl).await?;
        Ok(is_first && self.replay_would_show(times.issued_at).await?)
    }

    /// Checks issuer, subject, audience and times.
    fn is_meant_for_us(&self, client: &Client, claims: &Value, now: Timestamp) -> Option<Times> {
        let id = client.id.as_str();
        let endpoint = format!("{}/token", self.issuer);
        let legacy = client.legacy_assertions && (claims["aud"] == endpoint || sole(&claims["aud"]) == Some(endpoint.as_str()));
        let meant = claims["iss"] == id && claims["sub"] == id && (claims["aud"] == self.issuer || legacy);
        let expires = Timestamp(claims["exp"].as_i64()?);
        let longest = if client.legacy_assertions {
            MAX_LEGACY_LIFE_S
        } else {
            MAX_LIFE_S
        };
        let lives = expires > now && expires.since(now) <= longest + SKEW_S;
        let begun = |claim: &Value| claim.is_null() || claim.as_i64().is_some_and(|at| at <= now.0 + SKEW_S);
        let times = Times {
            issued_at: claims["iat"].as_i64().map_or(expires.plus(-longest - SKEW_S), Timestamp),
            remembered_until: expires.plus(longest + SKEW_S),
        };
        (meant && lives && begun(&claims["iat"]) && begun(&claims["nbf"])).then_some(times)
    }
}

fn sole(audience: &Value) -> Option<&str> {
    match audience.as_array().map(Vec::as_slice) {
        Some([one]) => one.as_str(),
        _ => None,
    }
}

/// The claims, if one of the client's registered keys signed them. The keys' own types decide the algorithm, never the header
/// alone; keys in the header, and addresses of keys, are not looked at.
fn signed_claims(client: &Client, assertion: &str) -> Option<Value> {
    let kid = jws::named_kid(assertion)?;
    let keys = client.jwks.as_ref()?.get("keys")?.as_array()?;
    let verified = keys
        .iter()
        .take(MAX_KEYS)
        .filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok())
        .filter(|key| kid.is_none() || key.common.key_id == kid)
        .find_map(|key| verified_by(&key, assertion))?;
    let honest = matches!(verified.typ.as_deref(), None | Some("JWT" | "client-authentication+jwt"));
    honest.then_some(verified.claims)
}

fn verified_by(key: &Jwk, assertion: &str) -> Option<jws::Verified> {
    if key
        .common
        .public_key_use
        .as_ref()
        .is_some_and(|usage| *usage != PublicKeyUse::Signature)
    {
        return None;
    }
    let decoding = DecodingKey::from_jwk(key).ok()?;
    let named = key.common.key_algorithm;
    algorithms(key)
        .iter()
        .filter(|alg| named.is_none_or(|named| Algorithm::try_from(named).ok() == Some(**alg)))
        .find_map(|alg| jws::verify(assertion, &decoding, *alg))
}

/// What a key of this type may sign with. Never a symmetric algorithm.
fn algorithms(key: &Jwk) -> &'static [Algorithm] {
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => &[],
    }
}
