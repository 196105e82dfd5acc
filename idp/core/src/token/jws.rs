//! Compact JWS (RFC 7515): what we sign, and what we accept back of our own.

use crate::client::Alg;
use crate::error::{Error, Result};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::secret::Hash;
use crate::ids::Kid;

/// Longest JWS that is looked at, in bytes.
const MAX_JWS: usize = 8 * 1024;

/// What a JWT of ours is, so that none stands where another is meant (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::enum_variant_names)] // these are their names in the specifications
pub(crate) enum Typ {
    /// ID token.
    IdToken,
    /// Access token (RFC 9068).
    AccessToken,
    /// Logout token (OpenID Connect Back-Channel Logout 1.0).
    LogoutToken,
    /// Security event token (RFC 8417).
    EventToken,
}

impl Typ {
    fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::EventToken => "secevent+jwt",
        }
    }
}

/// A private key, parsed once.
pub(crate) enum PrivateKey {
    /// RSASSA-PKCS1-v1_5, 2048 bits.
    Rs256(Box<RsaKeyPair>),
    /// P-256.
    Es256(Box<EcdsaKeyPair>),
    /// Ed25519.
    EdDsa(Box<Ed25519KeyPair>),
}

fn broken(what: &str) -> Error {
    Error::Inconsistent(format!("signing key: {what}"))
}

impl PrivateKey {
    /// A new key, as PKCS#8. Key generation draws on the cryptographic library's own random source.
    pub(crate) fn generate(alg: Alg) -> Result<Zeroizing<Vec<u8>>> {
        let failed = |_| broken("can't be made");
        let document = match alg {
            Alg::RS256 => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                return Ok(Zeroizing::new(key.as_der().map_err(failed)?.as_ref().to_vec()));
            }
            Alg::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()),
            Alg::EdDSA => Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()),
        };
        Ok(Zeroizing::new(document.map_err(failed)?.as_ref().to_vec()))
    }

    /// Reads what [`PrivateKey::generate`] made.
    pub(crate) fn parse(alg: Alg, pkcs8: &[u8]) -> Result<Self> {
        let failed = |_| broken("can't be read");
        Ok(match alg {
            Alg::RS256 => Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(pkcs8).map_err(failed)?)),
            Alg::ES256 => Self::Es256(Box::new(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(failed)?,
            )),
            Alg::EdDSA => Self::EdDsa(Box::new(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(failed)?)),
        })
    }

    /// The key's id, which is its thumbprint (RFC 7638), and its public JWK (RFC 7517).
    pub(crate) fn public(&self) -> (Kid, Value) {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // The thumbprint's input: required members only, in alphabetical order, no blanks. The values are base64url.
        let (alg, members, canonical) = match self {
            Self::Rs256(key) => {
                let public = key.public_key();
                let n = encode(public.modulus().big_endian_without_leading_zero());
                let e = encode(public.exponent().big_endian_without_leading_zero());
                let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
                ("RS256", json!({ "kty": "RSA", "n": n, "e": e }), canonical)
            }
            Self::Es256(key) => {
                // An uncompressed point: 0x04, x, y.
                let point = key.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..65]));
                let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
                ("ES256", json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }), canonical)
            }
            Self::EdDsa(key) => {
                let x = encode(key.public_key().as_ref());
                let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
                ("EdDSA", json!({ "kty": "OKP", "crv": "Ed25519", "x": x }), canonical)
            }
        };
        let kid = Hash::of(canonical.as_bytes()).to_text();
        let mut jwk = members;
        jwk["kid"] = json!(kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(alg);
        (Kid(kid), jwk)
    }

    /// Signs `claims` as a compact JWS.
    pub(crate) fn sign(&self, kid: &Kid, typ: Typ, claims: &Value) -> Result<String> {
        let header = json!({ "alg": self.alg_name(), "typ": typ.as_str(), "kid": kid.as_str() });
        let input = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.sign_bytes(input.as_bytes())?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn alg_name(&self) -> &'static str {
        match self {
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>> {
        let failed = |_| broken("can't sign");
        let random = SystemRandom::new();
        Ok(match self {
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                signature
            }
            Self::Es256(key) => key.sign(&random, message).map_err(failed)?.as_ref().to_vec(),
            Self::EdDsa(key) => key.try_sign(message).map_err(failed)?.as_ref().to_vec(),
        })
    }
}

/// A public key of ours, ready to verify with.
pub(crate) struct PublicKey {
    alg: Algorithm,
    key: DecodingKey,
}

impl PublicKey {
    /// Reads a public JWK of ours.
    pub(crate) fn parse(alg: Alg, jwk: &Value) -> Result<Self> {
        let failed = |_| broken("the public key can't be read");
        let jwk: Jwk = serde_json::from_value(jwk.clone()).map_err(|why| broken(&why.to_string()))?;
        let alg = match alg {
            Alg::RS256 => Algorithm::RS256,
            Alg::ES256 => Algorithm::ES256,
            Alg::EdDSA => Algorithm::EdDSA,
        };
        let key = DecodingKey::from_jwk(&jwk).map_err(failed)?;
        Ok(Self { alg, key })
    }

    /// The claims of a JWS that this key signed as a `typ`. Says nothing of its time.
    pub(crate) fn verify(&self, typ: Typ, jws: &str) -> Option<Value> {
        let verified = verify(jws, &self.key, self.alg)?;
        (verified.typ.as_deref() == Some(typ.as_str())).then_some(verified.claims)
    }
}

/// A JWS whose signature holds.
pub(crate) struct Verified {
    /// `typ` of its header.
    pub typ: Option<String>,
    /// Its claims.
    pub claims: Value,
}

/// The key id that a JWS names, unverified: good for choosing a key and for nothing else.
pub(crate) fn named_kid(jws: &str) -> Option<Option<String>> {
    (jws.len() <= MAX_JWS).then(|| jsonwebtoken::decode_header(jws).ok().map(|header| header.kid))?
}

/// Verifies a signature by a key that we chose, under the one algorithm that goes with it. Refuses critical headers (RFC 7515
/// §4.1.11), of which we understand none. The claims' meaning, time included, is the caller's to check.
pub(crate) fn verify(jws: &str, key: &DecodingKey, alg: Algorithm) -> Option<Verified> {
    if jws.len() > MAX_JWS {
        return None;
    }
    let mut rules = Validation::new(alg);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    let data = jsonwebtoken::decode::<Value>(jws, key, &rules).ok()?;
    let plain = data.header.crit.is_none() && data.claims.is_object();
    plain.then_some(Verified {
        typ: data.header.typ,
        claims: data.claims,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::token::keys::ALGS;

    const TYPES: [Typ; 4] = [Typ::IdToken, Typ::AccessToken, Typ::LogoutToken, Typ::EventToken];

    #[test]
    fn what_is_signed_as_one_thing_verifies_as_that_thing_only() {
        for alg in ALGS {
            let key = PrivateKey::parse(alg, &PrivateKey::generate(alg).unwrap()).unwrap();
            let (kid, jwk) = key.public();
            let public = PublicKey::parse(alg, &jwk).unwrap();
            for typ in TYPES {
                let jws = key.sign(&kid, typ, &json!({ "sub": "a" })).unwrap();
                for other in TYPES {
                    assert_eq!(
                        public.verify(other, &jws).is_some(),
                        typ == other,
                        "{alg:?}: {typ:?} as {other:?}"
                    );
                }
                assert_eq!(named_kid(&jws), Some(Some(kid.as_str().to_owned())));
            }
        }
    }

    #[test]
    fn a_jws_longer_than_any_honest_one_is_not_looked_at() {
        let alg = Alg::EdDSA;
        let key = PrivateKey::parse(alg, &PrivateKey::generate(alg).unwrap()).unwrap();
        let (kid, jwk) = key.public();
        let jws = key.sign(&kid, Typ::IdToken, &json!({ "sub": "a".repeat(MAX_JWS) })).unwrap();
        assert!(PublicKey::parse(alg, &jwk).unwrap().verify(Typ::IdToken, &jws).is_none());
        assert_eq!(named_kid(&jws), None);
    }
}
