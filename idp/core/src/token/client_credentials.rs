//! Tokens for a client itself (RFC 6749 §4.4).

use super::OAuthError;
use crate::Idp;
use crate::client::{Client, ClientAuth};
use crate::grant::Scopes;
use crate::params::Params;
use serde_json::Value;

/// Scopes that speak of a person; a client alone has none to speak of.
const PERSONAL: [&str; 7] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
    "continuous_auth",
];

impl Idp {
    /// Issues an access token to a confidential client in its own name. No refresh token: it may ask again.
    pub(super) async fn client_credentials(&self, client: &Client, params: &Params) -> Result<Value, OAuthError> {
        if client.auth == ClientAuth::None {
            return Err(OAuthError::refused(
                "unauthorized_client",
                "a public client has no credentials",
            ));
        }
        let issued = self.issue_to_client(client, &own_scopes(client, params)?)?;
        self.store.add_tokens(&issued.tokens).await?;
        Ok(issued.response)
    }
}

fn own_scopes(client: &Client, params: &Params) -> Result<Scopes, OAuthError> {
    let mut allowed = client.scopes.clone();
    allowed.retain(|scope| !PERSONAL.contains(&scope.as_str()));
    let Some(asked) = params.get("scope") else {
        return Ok(allowed);
    };
    let scopes: Scopes = asked
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    match scopes.is_subset(&allowed) {
        true => Ok(scopes),
        false => Err(OAuthError::refused(
            "invalid_scope",
            "the scope is wider than what the client may use",
        )),
    }
}
