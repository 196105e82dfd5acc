//! Introspection (RFC 7662, RFC 9470 §6.2).

use super::issue::{audience_json, scope_text, set_assurance};
use super::standing::{Life, life};
use super::{ClientRequest, OAuthError, client_auth};
use crate::Idp;
use crate::client::{Client, ClientAuth};
use crate::grant::{Standing, TokenKind};
use crate::session::StepUp;
use serde_json::{Value, json};

impl Idp {
    /// Introspection (RFC 7662).
    ///
    /// # Errors
    /// See [`OAuthError`]; a bad token is `{"active": false}`.
    pub async fn introspect(&self, request: &ClientRequest) -> Result<Value, OAuthError> {
        let params = client_auth::form(request)?;
        let caller = self.authenticate(&params, request).await?;
        if caller.auth == ClientAuth::None {
            return Err(OAuthError::refused("invalid_client", "a public client may not introspect"));
        }
        let token = params
            .get("token")
            .ok_or_else(|| OAuthError::refused("invalid_request", "token is missing"))?;
        let Some(standing) = self.standing_of(token).await?.filter(|standing| may_see(&caller, standing)) else {
            return Ok(inactive());
        };
        match life(&standing, self.ports.now()) {
            Life::Alive => self.active(&standing).await,
            Life::StepUpPending(step_up) if caller.step_up_aware => {
                let mut answer = self.active(&standing).await?;
                demand(&mut answer, &standing, &step_up);
                Ok(answer)
            }
            Life::StepUpPending(_) | Life::Dead => Ok(inactive()),
        }
    }

    async fn active(&self, standing: &Standing) -> Result<Value, OAuthError> {
        let token = &standing.token;
        // `sub` is the one that the token's client sees, as in its JWTs.
        let Some(client) = self.store.client(&token.client).await? else {
            return Ok(inactive());
        };
        let mut answer = json!({
            "active": true,
            "iss": self.issuer,
            "client_id": token.client,
            "scope": scope_text(&token.scopes),
            "exp": token.expires_at,
            "iat": token.issued_at,
            "sub": client.id,
        });
        if token.kind == TokenKind::Access {
            answer["token_type"] = json!("Bearer");
        }
        if let Some(audience) = audience_json(&token.audience) {
            answer["aud"] = audience;
        }
        if let Some(grant) = &standing.grant {
            answer["sub"] = json!(self.subject(&client, grant.account));
            set_assurance(&mut answer, grant);
        }
        Ok(answer)
    }
}

/// RFC 7662 §2.2: nothing else is told.
fn inactive() -> Value {
    json!({ "active": false })
}

/// A client sees its own tokens; a resource server sees access tokens that are meant for it (RFC 7662 §4).
fn may_see(caller: &Client, standing: &Standing) -> bool {
    let token = &standing.token;
    let meant = caller.introspects && token.kind == TokenKind::Access && token.audience.contains(&caller.id);
    token.client == caller.id || meant
}

/// What a step-up-aware resource server needs for the challenge of RFC 9470. `acr` and `auth_time` stay what they were: they are
/// history. A proof counts if its `auth_time` is at or after `reauth_after`.
fn demand(answer: &mut Value, standing: &Standing, step_up: &StepUp) {
    answer["step_up_required"] = json!(true);
    answer["reauth_after"] = json!(step_up.since);
    if let Some(acr) = standing.grant.as_ref().and_then(|grant| grant.acr.as_ref()) {
        answer["required_acr_values"] = json!(acr);
    }
}
