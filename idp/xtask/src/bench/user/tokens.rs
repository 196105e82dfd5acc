//! Tokens, and whether they are what they must be.

use crate::site::Site;
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode_header};
use serde_json::Value;

/// What a user holds.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// Whose they are.
    pub sub: String,
}

impl Tokens {
    /// Takes the token endpoint's answer, whose ID token has these claims.
    ///
    /// # Errors
    /// One is missing.
    pub fn read(answer: &Value, claims: &Value) -> anyhow::Result<Self> {
        Ok(Self {
            access: text(answer, "access_token")?,
            refresh: text(answer, "refresh_token")?,
            sub: text(claims, "sub")?,
        })
    }
}

/// A member that is text.
///
/// # Errors
/// It isn't.
pub fn text(object: &Value, name: &str) -> anyhow::Result<String> {
    let text = object[name].as_str().with_context(|| format!("no {name} in {object}"))?;
    Ok(text.to_owned())
}

/// The claims of an ES256 token of this provider's. Its signature is another function's business.
///
/// # Errors
/// It is none.
pub fn claims(token: &str, site: &Site) -> anyhow::Result<Value> {
    let header = decode_header(token)?;
    ensure!(header.alg == Algorithm::ES256, "signed with {:?}", header.alg);
    let payload = token.split('.').nth(1).context("no payload")?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
    ensure!(claims["iss"] == site.issuer.as_str(), "issued by {}", claims["iss"]);
    Ok(claims)
}

/// Checks a signature by the provider's published keys.
///
/// # Errors
/// It is not the provider's.
pub fn check_signature(token: &str, site: &Site) -> anyhow::Result<()> {
    let kid = decode_header(token)?.kid.context("no kid")?;
    let key = DecodingKey::from_jwk(site.keys.find(&kid).context("the key isn't published")?)?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &key, &validation)?;
    Ok(())
}
