//! A checked authorization request: what the flow engine and the code grant need of it.

use super::ResponseMode;
use crate::grant::Scopes;
use crate::ids::ClientId;
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
    /// What is asked for: registered for the client, `openid` among them.
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
}

impl AuthorizationRequest {
    /// True if `prompt` holds `value`.
    pub(crate) fn prompts(&self, value: PromptValue) -> bool {
        self.prompts.contains(&value)
    }
}
