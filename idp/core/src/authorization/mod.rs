//! The authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2): checks in order, then a flow or an answer.

mod checks;
pub mod redirect;
pub(crate) mod request;
pub(crate) mod response;

use crate::Idp;
use crate::client::Client;
use crate::error::Result;
use crate::ids::{ClientId, FlowId};
use crate::params::Params;
use crate::visit::{Caller, Cookie, log_client};
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
        let Ok(params) = Params::read(params) else {
            return Ok(refused("invalid_request", "the request is too big"));
        };
        let client = match self.known_client(&params).await? {
            Ok(client) => client,
            Err(refusal) => return Ok(Authorized::Refused(refusal)),
        };
        log_client(&client.id);
        let redirect_uri = match proven_redirect(&params, &client) {
            Ok(uri) => uri,
            Err(refusal) => return Ok(Authorized::Refused(refusal)),
        };
        match self.checked_request(&params, &client, redirect_uri) {
            Ok(request) => self.begin_authorization(request, caller).await,
            Err(fault) => Ok(Authorized::Respond(
                self.fault_response(&params, redirect_uri, fault),
                Vec::new(),
            )),
        }
    }

    /// RFC 6749 §3.1.2.4, §4.1.2.1: without a known client nothing is sent anywhere.
    async fn known_client(&self, params: &Params) -> Result<Result<Client, Refusal>> {
        if params.is_repeated("client_id") {
            return Ok(Err(refusal("invalid_request", "client_id came more than once")));
        }
        let Some(id) = params.get("client_id") else {
            return Ok(Err(refusal("invalid_request", "client_id is missing")));
        };
        let client = self.store.client(&ClientId::from(id)).await?;
        Ok(client.ok_or_else(|| refusal("invalid_request", "client_id is unknown")))
    }
}

/// OIDC Core §3.1.2.1: `redirect_uri` is required, and must be one that the client registered.
fn proven_redirect<'a>(params: &'a Params, client: &Client) -> Result<&'a str, Refusal> {
    if params.is_repeated("redirect_uri") {
        return Err(refusal("invalid_request", "redirect_uri came more than once"));
    }
    let uri = params
        .get("redirect_uri")
        .ok_or_else(|| refusal("invalid_request", "redirect_uri is missing"))?;
    match redirect::is_registered(client, uri) {
        true => Ok(uri),
        false => Err(refusal("invalid_request", "redirect_uri is not registered for this client")),
    }
}

fn refusal(error: &'static str, description: &str) -> Refusal {
    Refusal {
        error,
        description: description.to_owned(),
    }
}

fn refused(error: &'static str, description: &str) -> Authorized {
    Authorized::Refused(refusal(error, description))
}
