//! Tokens: secrets, keys, JWTs, and what becomes of them.

pub mod keys;
pub mod secret;
pub(crate) mod standing;
pub(crate) mod subject;

use crate::Idp;
use crate::error::{Error, Result};
use serde_json::Value;

/// A form request from a client: token, introspection, revocation.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    /// The form's parameters, in order.
    pub params: Vec<(String, String)>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The caller's address as text, for limits.
    pub address: Option<String>,
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
    /// Too many tries: 429 with `Retry-After` in seconds.
    #[error("too many requests")]
    TooMany(u32),
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
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
        todo!()
    }

    /// Introspection (RFC 7662).
    ///
    /// # Errors
    /// See [`OAuthError`]; a bad token is `{"active": false}`.
    pub async fn introspect(&self, request: &ClientRequest) -> Result<Value, OAuthError> {
        todo!()
    }

    /// Revocation (RFC 7009).
    ///
    /// # Errors
    /// See [`OAuthError`]; an unknown token is fine.
    pub async fn revoke(&self, request: &ClientRequest) -> Result<(), OAuthError> {
        todo!()
    }

    /// UserInfo (OIDC Core §5.3).
    ///
    /// # Errors
    /// See [`BearerError`].
    pub async fn userinfo(&self, bearer: &str) -> Result<Value, BearerError> {
        todo!()
    }

    /// The discovery document (OIDC Discovery 1.0 §3, RFC 8414 §2).
    pub fn metadata(&self) -> Value {
        todo!()
    }

    /// The published keys (RFC 7517 §5).
    pub fn jwks(&self) -> Value {
        todo!()
    }

    /// Origins that may call the public endpoints with CORS.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn allows_origin(&self, origin: &str) -> Result<bool> {
        todo!()
    }

    /// Makes new signing keys; the old ones stay published until their tokens are dead.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn rotate_keys(&self) -> Result<()> {
        todo!()
    }

    /// Reads the key ring again, and deletes keys whose tokens are dead. Every node does so at least every minute.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn refresh_keys(&self) -> Result<()> {
        todo!()
    }
}
