//! A checked authorization request: what the flow engine and the code grant need of it.

use super::ResponseMode;
use super::checks::{self, AcrClaim, Checked, Fault};
use crate::Idp;
use crate::client::Client;
use crate::grant::Scopes;
use crate::ids::ClientId;
use crate::params::Params;
use crate::token::claims::implied;
use crate::token::jws::Typ;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A value of `prompt` (OIDC Core §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PromptValue {
    /// Ask nothing; stands alone.
    None,
    /// Prove anew.
    Login,
    /// Ask for OAuth consent again.
    Consent,
    /// Let the person choose the account.
    SelectAccount,
}

/// An authorization request that passed every check: client and redirect URI are proven.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    /// Who asks.
    pub client: ClientId,
    /// Where the answer goes, as it was sent (a loopback port may differ from the registered one).
    pub redirect_uri: String,
    /// How the answer travels.
    pub mode: ResponseMode,
    /// `state`, opaque.
    pub state: Option<String>,
    /// `nonce`, opaque.
    pub nonce: Option<String>,
    /// What is asked for: at least one scope, all registered for the client.
    pub scopes: Scopes,
    /// PKCE S256 challenge.
    pub code_challenge: Option<String>,
    /// How to prompt.
    pub prompts: BTreeSet<PromptValue>,
    /// Longest age of the last proof in seconds.
    pub max_age: Option<u32>,
    /// Levels that are wished for, best first (voluntary claim).
    pub acr_values: Vec<String>,
    /// Levels of which one must be met (`claims` parameter, essential); empty if any level will do, `None` if not demanded.
    pub essential_acr: Option<Vec<String>>,
    /// What to fill in as the identifier.
    pub login_hint: Option<String>,
    /// The `sub` (as this client sees it) that must sign in: of `id_token_hint`, or of a `sub` value in `claims`. Compare with
    /// [`crate::Idp::subject`].
    pub expected_subject: Option<String>,
    /// Languages of the pages, best first.
    pub ui_locales: Vec<String>,
    /// The `claims` parameter.
    pub claims: Option<Value>,
    /// Scopes whose claims it asks for by name.
    pub implied_scopes: Scopes,
}

impl AuthorizationRequest {
    /// True if `prompt` holds `value`.
    pub(crate) fn prompts(&self, value: PromptValue) -> bool {
        self.prompts.contains(&value)
    }
}

impl Idp {
    /// Checks everything that is checked once client and redirect URI are proven.
    pub(super) fn checked_request(&self, params: &Params, client: &Client, redirect_uri: &str) -> Checked<AuthorizationRequest> {
        checks::nothing_repeated(params)?;
        checks::no_request_object(params)?;
        checks::response_type(params)?;
        let mode = checks::response_mode(params)?;
        checks::grant_allowed(client)?;
        let prompts = checks::prompts(params)?;
        let scopes = checks::scopes(params, client, &prompts)?;
        let code_challenge = checks::code_challenge(params, client, &scopes)?;
        let claims = checks::claims(params)?;
        let mut acr_values = checks::list(params, "acr_values")?;
        let mut essential_acr = None;
        match checks::acr_claim(claims.as_ref()) {
            Some(AcrClaim::Essential(levels)) => essential_acr = Some(levels),
            Some(AcrClaim::Voluntary(levels)) => acr_values.extend(levels),
            None => {}
        }
        let subjects = [checks::subject_claim(claims.as_ref())?, self.hinted_subject(params, client)?];
        Ok(AuthorizationRequest {
            client: client.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            mode,
            state: params.owned("state"),
            nonce: params.owned("nonce"),
            scopes,
            code_challenge,
            prompts,
            max_age: checks::max_age(params)?,
            acr_values,
            essential_acr,
            login_hint: params.owned("login_hint"),
            expected_subject: checks::agreed(subjects.into_iter().flatten().collect())?,
            ui_locales: checks::list(params, "ui_locales")?,
            implied_scopes: implied(claims.as_ref(), client),
            claims,
        })
    }

    /// OIDC Core §3.1.2.1: `id_token_hint` is an ID token of ours for this client, expired or not.
    fn hinted_subject(&self, params: &Params, client: &Client) -> Checked<Option<String>> {
        let Some(hint) = params.get("id_token_hint") else {
            return Ok(None);
        };
        let claims = self.keys.verify(&self.issuer, Typ::IdToken, hint);
        let claims = claims.filter(|claims| claims["aud"] == client.id.as_str());
        let subject = claims.and_then(|claims| claims["sub"].as_str().map(str::to_owned));
        subject
            .map(Some)
            .ok_or(Fault("invalid_request", "id_token_hint is not an ID token of this client"))
    }
}
