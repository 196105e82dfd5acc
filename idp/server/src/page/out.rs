//! The pages on the way out: sign-out, and responses that travel as a form.

use gait_core::authorization::AuthorizationResponse;
use serde::Serialize;

/// Sign out? Posts `csrf` and the request's parameters to `/end_session/confirm`.
#[derive(Clone, Debug, Serialize)]
pub struct SignOut {
    /// Hidden field `csrf`.
    pub csrf: String,
    /// The client's name, if it is known.
    pub client: Option<String>,
    /// User name of the session.
    pub account: String,
    /// Hidden fields: the request's parameters.
    pub params: Vec<(String, String)>,
}

/// A form that posts itself to a proven redirect URI (OAuth 2.0 Form Post Response Mode); with a button, for want of scripts.
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    /// The redirect URI.
    pub action: String,
    /// The response's parameters.
    pub params: Vec<(String, String)>,
}

impl From<&AuthorizationResponse> for FormPost {
    fn from(response: &AuthorizationResponse) -> Self {
        Self {
            action: response.redirect_uri.clone(),
            params: response.params.clone(),
        }
    }
}
