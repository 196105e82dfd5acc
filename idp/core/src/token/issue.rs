//! Making tokens: what is handed out, and what is stored of it.

use super::claims::{Into, about};
use super::jws::Typ;
use super::secret::{Hash, Secret, SecretKind};
use crate::Idp;
use crate::account::Account;
use crate::client::{AccessTokenFormat, Alg, Client, GrantType};
use crate::error::Result;
use crate::grant::{Grant, Scopes, Token, TokenKind};
use crate::ids::ClientId;
use crate::session::Session;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gait_sdk::Timestamp;
use serde_json::{Value, json};

/// Longest life of a JWT access token in seconds: nobody can take it back from a resource server that only checks signatures.
const MAX_JWT_LIFE: u32 = 300;
/// Algorithm of JWT access tokens: fast to sign, and every JOSE library knows it.
const ACCESS_ALG: Alg = Alg::ES256;

/// A grant and those it is about.
#[derive(Clone, Copy)]
pub(super) struct Family<'a> {
    /// What was granted.
    pub grant: &'a Grant,
    /// To whom.
    pub client: &'a Client,
    /// By whom.
    pub account: &'a Account,
    /// In which session.
    pub session: &'a Session,
}

/// Tokens that are ready to be stored and handed out.
pub(super) struct Issued {
    /// The token response (RFC 6749 §5.1).
    pub response: Value,
    /// What is stored.
    pub tokens: Vec<Token>,
}

struct Access {
    text: String,
    token: Token,
}

/// Scopes as a token response or a claim has them.
pub(super) fn scope_text(scopes: &Scopes) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// An audience as JSON: one as a string, several as an array (RFC 7519 §4.1.3).
pub(super) fn audience_json(audience: &[ClientId]) -> Option<Value> {
    match audience {
        [] => None,
        [one] => Some(json!(one)),
        many => Some(json!(many)),
    }
}

impl Idp {
    /// Tokens of a family: an access token with `scopes`, a refresh token with `refresh_scopes` if the client may refresh, and an ID
    /// token if `openid` is among the scopes. `nonce` goes into the first ID token only.
    pub(super) fn issue(
        &self,
        family: Family<'_>,
        scopes: &Scopes,
        refresh_scopes: &Scopes,
        nonce: Option<&str>,
    ) -> Result<Issued> {
        let now = self.ports.now();
        let end = self.family_end(family);
        let access = self.access_token(family.client, Some(family), scopes, now, end)?;
        let mut response = access_response(&access, scopes, now);
        let mut tokens = vec![access.token];
        if family.client.grant_types.contains(&GrantType::RefreshToken) {
            let (refresh, token) = self.refresh_token(family, refresh_scopes, now, end);
            response["refresh_token"] = json!(refresh.expose());
            tokens.push(token);
        }
        if scopes.contains("openid") {
            response["id_token"] = json!(self.id_token(family, scopes, nonce, &access.text, now)?);
        }
        Ok(Issued { response, tokens })
    }

    /// An access token for the client itself (RFC 6749 §4.4).
    pub(super) fn issue_to_client(&self, client: &Client, scopes: &Scopes) -> Result<Issued> {
        let now = self.ports.now();
        let access = self.access_token(client, None, scopes, now, Timestamp(i64::MAX))?;
        Ok(Issued {
            response: access_response(&access, scopes, now),
            tokens: vec![access.token],
        })
    }

    /// When a family dies of age: with its session, unless it was granted `offline_access`.
    fn family_end(&self, family: Family<'_>) -> Timestamp {
        let lifetimes = &self.policy.lifetimes;
        let end = family.grant.created_at.plus(i64::from(lifetimes.refresh_absolute));
        match family.grant.is_offline() {
            true => end,
            false => end.min(family.session.created_at.plus(i64::from(lifetimes.session_absolute))),
        }
    }

    fn access_token(
        &self,
        client: &Client,
        family: Option<Family<'_>>,
        scopes: &Scopes,
        now: Timestamp,
        end: Timestamp,
    ) -> Result<Access> {
        let lifetimes = &self.policy.lifetimes;
        let token = |hash, life: u32| Token {
            hash,
            kind: TokenKind::Access,
            grant: family.map(|family| family.grant.id),
            client: client.id.clone(),
            scopes: scopes.clone(),
            audience: client.audience.clone(),
            issued_at: now,
            expires_at: now.plus(i64::from(life)).min(end),
            spent_at: None,
        };
        match client.access_token {
            AccessTokenFormat::Opaque => {
                let secret = Secret::new(SecretKind::Access, &self.ports);
                Ok(Access {
                    text: secret.expose().to_owned(),
                    token: token(secret.hash(), lifetimes.access),
                })
            }
            AccessTokenFormat::Jwt => {
                let jti = URL_SAFE_NO_PAD.encode(self.ports.random::<32>());
                let token = token(Hash::of(jti.as_bytes()), lifetimes.access_jwt.min(MAX_JWT_LIFE));
                let claims = self.access_claims(client, family, &token, &jti);
                Ok(Access {
                    text: self.keys.sign(ACCESS_ALG, Typ::AccessToken, &claims)?,
                    token,
                })
            }
        }
    }

    /// RFC 9068 §2.2. The issuer itself is the audience of tokens that are meant for UserInfo only.
    fn access_claims(&self, client: &Client, family: Option<Family<'_>>, token: &Token, jti: &str) -> Value {
        let mut claims = json!({
            "iss": self.issuer,
            "sub": client.id,
            "aud": audience_json(&token.audience).unwrap_or_else(|| json!(self.issuer)),
            "exp": token.expires_at,
            "iat": token.issued_at,
            "jti": jti,
            "client_id": client.id,
            "scope": scope_text(&token.scopes),
        });
        if let Some(Family { grant, .. }) = family {
            claims["sub"] = json!(self.subject(client, grant.account));
            set_assurance(&mut claims, grant);
        }
        claims
    }

    /// A refresh token: it lives as long as it is used, but never past the family's end.
    fn refresh_token(&self, family: Family<'_>, scopes: &Scopes, now: Timestamp, end: Timestamp) -> (Secret, Token) {
        let secret = Secret::new(SecretKind::Refresh, &self.ports);
        let token = Token {
            hash: secret.hash(),
            kind: TokenKind::Refresh,
            grant: Some(family.grant.id),
            client: family.client.id.clone(),
            scopes: scopes.clone(),
            audience: Vec::new(),
            issued_at: now,
            expires_at: now.plus(i64::from(self.policy.lifetimes.refresh_idle)).min(end),
            spent_at: None,
        };
        (secret, token)
    }

    /// OIDC Core §2, §3.1.3.6; `sid` of OpenID Connect Back-Channel Logout 1.0 §2.1.
    fn id_token(
        &self,
        family: Family<'_>,
        scopes: &Scopes,
        nonce: Option<&str>,
        access_token: &str,
        now: Timestamp,
    ) -> Result<String> {
        let Family {
            grant,
            client,
            account,
            session,
        } = family;
        let mut claims = Value::Object(about(account, client, grant, scopes, Into::IdToken));
        claims["iss"] = json!(self.issuer);
        claims["sub"] = json!(self.subject(client, account.id));
        claims["aud"] = json!(client.id);
        claims["azp"] = json!(client.id);
        claims["exp"] = json!(now.plus(i64::from(self.policy.lifetimes.id_token)));
        claims["iat"] = json!(now);
        claims["sid"] = json!(session.id);
        claims["at_hash"] = json!(at_hash(client.id_token_alg, access_token));
        set_assurance(&mut claims, grant);
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        self.keys.sign(client.id_token_alg, Typ::IdToken, &claims)
    }
}

fn access_response(access: &Access, scopes: &Scopes, now: Timestamp) -> Value {
    json!({
        "access_token": access.text,
        "token_type": "Bearer",
        "expires_in": access.token.expires_at.since(now).max(0),
        "scope": scope_text(scopes),
    })
}

/// What was proven when the grant was made; a refresh changes none of it (RFC 9470 §6).
pub(super) fn set_assurance(claims: &mut Value, grant: &Grant) {
    claims["auth_time"] = json!(grant.auth_time);
    if let Some(acr) = &grant.acr {
        claims["acr"] = json!(acr);
    }
    if !grant.amr.is_empty() {
        claims["amr"] = json!(grant.amr);
    }
}

/// OIDC Core §3.1.3.6: the left half of the access token's hash, by the hash of the ID token's algorithm (Ed25519 uses SHA-512).
fn at_hash(alg: Alg, access_token: &str) -> String {
    let algorithm = match alg {
        Alg::RS256 | Alg::ES256 => &digest::SHA256,
        Alg::EdDSA => &digest::SHA512,
    };
    let hash = digest::digest(algorithm, access_token.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_hash_is_the_left_half_by_the_hash_of_the_algorithm() {
        // The example of OIDC Core, appendix A.3.
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(Alg::RS256, access_token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(Alg::ES256, access_token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(Alg::EdDSA, access_token).len(), 43);
    }
}
