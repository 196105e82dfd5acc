//! Answers to an authorization request (RFC 6749 §4.1.2, RFC 9207).

use super::checks::{self, Fault};
use super::request::AuthorizationRequest;
use super::{AuthorizationResponse, ResponseMode};
use crate::Idp;
use crate::account::Account;
use crate::error::{Error, Result};
use crate::grant::{CodeGrant, Grant, Scopes};
use crate::ids::GrantId;
use crate::params::Params;
use crate::session::Session;
use crate::token::secret::{Hash, Secret, SecretKind};
use gait_sdk::Amr;

/// Longest life of a code in seconds (RFC 6749 §4.1.2 recommends at most ten minutes).
const MAX_CODE_LIFE: u32 = 600;

/// Key of an unspent code in the ephemeral store.
pub(crate) fn code_key(code: &Hash) -> String {
    format!("code:{}", code.to_text())
}

impl Idp {
    /// Issues a code for `scopes`, which is what the person (or the operator, for a trusted client) granted.
    ///
    /// # Errors
    /// A backend is away.
    pub(crate) async fn issue_code(
        &self,
        request: &AuthorizationRequest,
        session: &Session,
        account: &Account,
        scopes: Scopes,
        acr: Option<String>,
        amr: Vec<Amr>,
    ) -> Result<AuthorizationResponse> {
        let now = self.ports.now();
        let life = self.policy.lifetimes.code.clamp(1, MAX_CODE_LIFE);
        let grant = Grant {
            id: GrantId(self.ports.uuid()),
            account: account.id,
            client: request.client.clone(),
            session: session.id.clone(),
            scopes,
            claims: request.claims.clone(),
            nonce: request.nonce.clone(),
            acr,
            amr,
            auth_time: session.auth_time(),
            created_at: now,
            revoked_at: None,
        };
        let meaning = CodeGrant {
            grant,
            redirect_uri: request.redirect_uri.clone(),
            code_challenge: request.code_challenge.clone(),
            expires_at: now.plus(i64::from(life)),
        };
        let code = Secret::new(SecretKind::Code, &self.ports);
        let bytes = serde_json::to_vec(&meaning).map_err(|why| Error::Inconsistent(format!("code grant: {why}")))?;
        // Kept longer than the code lives, so that a late second use still finds what it must revoke.
        self.ephemeral.put(&code_key(&code.hash()), &bytes, MAX_CODE_LIFE).await?;
        let params = vec![("code".to_owned(), code.expose().to_owned())];
        Ok(self.respond(&request.redirect_uri, request.mode, request.state.as_deref(), params))
    }

    /// An error for the client.
    pub(crate) fn error_response(
        &self,
        request: &AuthorizationRequest,
        error: &'static str,
        description: &str,
    ) -> AuthorizationResponse {
        let params = error_params(error, description);
        self.respond(&request.redirect_uri, request.mode, request.state.as_deref(), params)
    }

    /// The answer to a request that broke a rule, in the mode that it asked for if that can be told.
    pub(super) fn fault_response(&self, params: &Params, redirect_uri: &str, fault: Fault) -> AuthorizationResponse {
        let mode = checks::response_mode(params).unwrap_or_default();
        self.respond(redirect_uri, mode, params.get("state"), error_params(fault.0, fault.1))
    }

    fn respond(
        &self,
        redirect_uri: &str,
        mode: ResponseMode,
        state: Option<&str>,
        mut params: Vec<(String, String)>,
    ) -> AuthorizationResponse {
        params.extend(state.map(|state| ("state".to_owned(), state.to_owned())));
        params.push(("iss".to_owned(), self.issuer.clone()));
        AuthorizationResponse {
            redirect_uri: redirect_uri.to_owned(),
            mode,
            params,
        }
    }
}

fn error_params(error: &'static str, description: &str) -> Vec<(String, String)> {
    vec![
        ("error".to_owned(), error.to_owned()),
        ("error_description".to_owned(), description.to_owned()),
    ]
}
