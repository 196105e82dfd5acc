//! Who calls: one browser request, as the rules see it, and the cookies that the answer changes.

use crate::ids::{AccountId, ClientId, FlowId};
use crate::token::secret::Secret;
use gait_sdk::Visitor;

/// A browser's request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Address (established once, by the wire's one function), user agent and device.
    pub visitor: Visitor,
    /// Its session cookie.
    pub session: Option<Secret>,
    /// Its cookie of the flow that is addressed.
    pub flow: Option<Secret>,
    /// It holds the marker of a given behaviour consent, so that the sign-in page may collect.
    pub marker: bool,
    /// It holds the marker of a consent to the password's rhythm.
    pub password_marker: bool,
    /// BCP 47 tag of the page's language.
    pub locale: String,
    /// The request's id.
    pub request_id: String,
}

/// A change to the browser's cookies. All are `__Host-`, `Secure`, `HttpOnly`, `SameSite=Lax`.
#[derive(Clone, Debug)]
pub enum Cookie {
    /// The session's, or none any more.
    Session(Option<Secret>),
    /// One flow's, or none any more.
    Flow(FlowId, Option<Secret>),
    /// The device's, for a year.
    Device(Secret),
    /// The marker of a behaviour consent: no value, only presence.
    Marker(bool),
    /// The marker of a consent to the password's rhythm, likewise.
    PasswordMarker(bool),
}

/// Names the client of this request to the request's log span.
pub(crate) fn log_client(client: &ClientId) {
    tracing::Span::current().record("client", tracing::field::display(client));
}

/// Names the account of this request to the request's log span.
pub(crate) fn log_account(account: AccountId) {
    tracing::Span::current().record("account", tracing::field::display(account));
}
