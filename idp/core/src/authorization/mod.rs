//! The authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2): checks in order, then a flow or an answer.

pub(crate) mod request;
pub(crate) mod response;

use crate::Idp;
use crate::error::Result;
use crate::ids::FlowId;
use crate::visit::{Caller, Cookie};
use serde::{Deserialize, Serialize};

/// How the response travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query.
    #[default]
    Query,
    /// By an auto-submitted form.
    FormPost,
}

/// An answer to a proven redirect URI; `iss` (RFC 9207) and `state` are among the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// Where to.
    pub redirect_uri: String,
    /// How.
    pub mode: ResponseMode,
    /// What.
    pub params: Vec<(String, String)>,
}

/// An error before client and redirect URI are proven: shown as a page, never sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// OAuth error code.
    pub error: &'static str,
    /// For the developer who reads the page.
    pub description: String,
}

/// What becomes of an authorization request.
#[derive(Clone, Debug)]
pub enum Authorized {
    /// A page with status 400.
    Refused(Refusal),
    /// An answer at once: an error, or a code without a question (single sign-on).
    Respond(AuthorizationResponse, Vec<Cookie>),
    /// The person is asked: go to `/flow/{id}` (303).
    Ask(FlowId, Vec<Cookie>),
}

impl Idp {
    /// Takes an authorization request: its parameters in the order they came, from the query (GET) or the body (POST).
    ///
    /// # Errors
    /// A backend is away.
    pub async fn authorize(&self, params: &[(String, String)], caller: &Caller) -> Result<Authorized> {
        todo!()
    }
}
