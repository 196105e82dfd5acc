//! Tokens: secrets, keys, JWTs, and what becomes of them.

mod assertion;
pub(crate) mod claims;
mod client_auth;
mod client_credentials;
mod introspect;
mod issue;
pub(crate) mod jws;
pub mod keys;
mod metadata;
mod pkce;
mod redeem;
mod refresh;
mod revoke;
pub mod secret;
pub(crate) mod standing;
pub(crate) mod subject;
mod userinfo;

use crate::Idp;
use crate::client::{Client, GrantType};
use crate::error::{Error, Result};
use crate::store::StoreError;
use serde_json::Value;
use std::net::IpAddr;

/// A form request from a client: token, introspection, revocation.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    /// The form's parameters, in order.
    pub params: Vec<(String, String)>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The caller's address, for limits.
    pub address: Option<IpAddr>,
    /// The request's id.
    pub request_id: String,
}

/// An OAuth error answer (RFC 6749 §5.2).
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// 400, or 401 for `invalid_client`.
    #[error("{error}: {description}")]
    Refused {
        /// Its code.
        error: &'static str,
        /// For the developer; ASCII without quotes and backslashes.
        description: String,
        /// The client used HTTP Basic: 401 needs `WWW-Authenticate: Basic`.
        basic: bool,
    },
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
}

impl OAuthError {
    /// A refusal that isn't about the client's own authentication.
    pub(crate) fn refused(error: &'static str, description: &str) -> Self {
        Self::Refused {
            error,
            description: description.to_owned(),
            basic: false,
        }
    }
}

impl From<StoreError> for OAuthError {
    fn from(why: StoreError) -> Self {
        Self::Core(why.into())
    }
}

/// A bearer token that won't do (RFC 6750 §3, RFC 9470 §3).
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// None was given: 401 without an error code.
    #[error("no token")]
    Missing,
    /// 400.
    #[error("{0}")]
    InvalidRequest(String),
    /// 401.
    #[error("the token is unknown, expired or revoked")]
    InvalidToken,
    /// 403.
    #[error("scope {0} is needed")]
    InsufficientScope(&'static str),
    /// 401 with `acr_values` and `max_age`: the person must prove themselves anew.
    #[error("a stronger authentication is required")]
    StepUp {
        /// Levels, space separated; empty if any will do.
        acr_values: String,
        /// Seconds.
        max_age: u32,
    },
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
}

impl From<StoreError> for BearerError {
    fn from(why: StoreError) -> Self {
        Self::Core(why.into())
    }
}

impl BearerError {
    /// The `WWW-Authenticate` header's value.
    pub fn challenge(&self) -> Option<String> {
        match self {
            Self::Missing => Some("Bearer".to_owned()),
            Self::InvalidRequest(_) => Some(r#"Bearer error="invalid_request""#.to_owned()),
            Self::InvalidToken => Some(r#"Bearer error="invalid_token""#.to_owned()),
            Self::InsufficientScope(scope) => Some(format!(r#"Bearer error="insufficient_scope", scope="{scope}""#)),
            Self::StepUp { acr_values, max_age } => {
                let acr = if acr_values.is_empty() {
                    String::new()
                } else {
                    format!(r#", acr_values="{acr_values}""#)
                };
                Some(format!(
                    r#"Bearer error="insufficient_user_authentication", error_description="A stronger authentication is required"{acr}, max_age="{max_age}""#
                ))
            }
            Self::Core(_) => None,
        }
    }
}

impl Idp {
    /// The token endpoint: `authorization_code`, `refresh_token`, `client_credentials`.
    ///
    /// # Errors
    /// See [`OAuthError`].
    pub async fn token(&self, request: &ClientRequest) -> Result<Value, OAuthError> {
        let params = client_auth::form(request)?;
        let client = self.authenticate(&params, request).await?;
        match params.get("grant_type") {
            Some("authorization_code") => {
                may_use(&client, GrantType::AuthorizationCode)?;
                self.redeem(&client, &params, request).await
            }
            Some("refresh_token") => {
                may_use(&client, GrantType::RefreshToken)?;
                self.refresh(&client, &params, request).await
            }
            Some("client_credentials") => {
                may_use(&client, GrantType::ClientCredentials)?;
                self.client_credentials(&client, &params).await
            }
            Some(_) => Err(OAuthError::refused("unsupported_grant_type", "grant_type is not supported")),
            None => Err(OAuthError::refused("invalid_request", "grant_type is missing")),
        }
    }

    /// Origins that may call the public endpoints with CORS.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn allows_origin(&self, origin: &str) -> Result<bool> {
        let clients = self.store.clients().await?;
        let registered = |client: &Client| client.origins.iter().any(|known| known == origin);
        Ok(clients.iter().any(registered))
    }
}

/// RFC 6749 §5.2: `unauthorized_client`.
fn may_use(client: &Client, grant: GrantType) -> Result<(), OAuthError> {
    match client.grant_types.contains(&grant) {
        true => Ok(()),
        false => Err(OAuthError::refused(
            "unauthorized_client",
            "the client may not use this grant",
        )),
    }
}
