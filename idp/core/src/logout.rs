//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).

use crate::Idp;
use crate::error::Result;
use crate::visit::{Caller, Cookie};

/// What becomes of a logout request.
#[derive(Clone, Debug)]
pub enum Logout {
    /// Ask the person first: the page posts `csrf` and the same parameters to `/end_session/confirm`.
    Confirm {
        /// Goes back with the answer.
        csrf: String,
        /// Client's name, if it is known.
        client: Option<String>,
        /// User name of the session.
        account: String,
        /// The request's parameters, to be sent again.
        params: Vec<(String, String)>,
    },
    /// Signed out (or nobody was signed in): a page of ours.
    Page(Vec<Cookie>),
    /// Signed out: back to the client, `state` included.
    Redirect(String, Vec<Cookie>),
    /// The request is wrong: a page with status 400, no redirect, nobody is signed out.
    Refused(String),
}

impl Idp {
    /// Takes a logout request (GET or POST).
    ///
    /// # Errors
    /// A backend is away.
    pub async fn end_session(&self, params: &[(String, String)], caller: &Caller) -> Result<Logout> {
        todo!()
    }

    /// The person confirmed.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn confirm_end_session(&self, csrf: &str, params: &[(String, String)], caller: &Caller) -> Result<Logout> {
        todo!()
    }
}
