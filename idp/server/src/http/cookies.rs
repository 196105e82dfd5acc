//! Cookies: all `__Host-`, Secure, HttpOnly, SameSite=Lax.

use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie as HttpCookie, SameSite};
use gait_core::ids::FlowId;
use gait_core::token::secret::{Secret, SecretKind};
use gait_core::visit::Cookie;
use time::Duration;

const SESSION: &str = "__Host-gait-session";
const DEVICE: &str = "__Host-gait-device";
const MARKER: &str = "__Host-gait-watch";
const PASSWORD_MARKER: &str = "__Host-gait-watch-password";
const LANGUAGE: &str = "__Host-gait-lang";
const FLOW: &str = "__Host-gait-flow-";

/// The cookies of a request, read by name.
pub struct Received(CookieJar);

impl Received {
    /// Reads the `Cookie` headers; what can't be parsed isn't there.
    pub fn of(headers: &HeaderMap) -> Self {
        Self(CookieJar::from_headers(headers))
    }
    fn secret(&self, name: &str, kind: SecretKind) -> Option<Secret> {
        Secret::parse(kind, self.0.get(name)?.value())
    }
    /// The session's.
    pub fn session(&self) -> Option<Secret> {
        self.secret(SESSION, SecretKind::Session)
    }
    /// The device's.
    pub fn device(&self) -> Option<Secret> {
        self.secret(DEVICE, SecretKind::Device)
    }
    /// One flow's.
    pub fn flow(&self, flow: &FlowId) -> Option<Secret> {
        self.secret(&format!("{FLOW}{flow}"), SecretKind::Flow)
    }
    /// Whether the marker of a behaviour consent is there.
    pub fn marker(&self) -> bool {
        self.0.get(MARKER).is_some()
    }
    /// Whether the marker of a consent to the password's rhythm is there.
    pub fn password_marker(&self) -> bool {
        self.0.get(PASSWORD_MARKER).is_some()
    }
    /// The chosen language.
    pub fn language(&self) -> Option<String> {
        self.0.get(LANGUAGE).map(|cookie| cookie.value().to_owned())
    }
}

/// The cookies to set.
pub fn changes(changes: Vec<Cookie>) -> CookieJar {
    changes
        .into_iter()
        .fold(CookieJar::new(), |jar, change| jar.add(cookie(change)))
}

/// The language's cookie, for a year.
pub fn language(tag: &str) -> CookieJar {
    CookieJar::new().add(build(LANGUAGE.to_owned(), tag.to_owned(), Some(Duration::days(365))))
}

fn cookie(change: Cookie) -> HttpCookie<'static> {
    match change {
        // The session's own lifetimes are kept by the server; the cookie ends with the browser.
        Cookie::Session(secret) => secret_or_none(SESSION.to_owned(), secret.as_ref(), None),
        Cookie::Flow(flow, secret) => secret_or_none(format!("{FLOW}{flow}"), secret.as_ref(), Some(Duration::hours(2))),
        Cookie::Device(secret) => build(DEVICE.to_owned(), secret.expose().to_owned(), Some(Duration::days(365))),
        Cookie::Marker(given) => marker(MARKER, given),
        Cookie::PasswordMarker(given) => marker(PASSWORD_MARKER, given),
    }
}

fn marker(name: &str, given: bool) -> HttpCookie<'static> {
    match given {
        true => build(name.to_owned(), "1".to_owned(), Some(Duration::days(365))),
        false => build(name.to_owned(), String::new(), Some(Duration::ZERO)),
    }
}

fn secret_or_none(name: String, secret: Option<&Secret>, max_age: Option<Duration>) -> HttpCookie<'static> {
    match secret {
        Some(secret) => build(name, secret.expose().to_owned(), max_age),
        None => build(name, String::new(), Some(Duration::ZERO)),
    }
}

fn build(name: String, value: String, max_age: Option<Duration>) -> HttpCookie<'static> {
    let builder = HttpCookie::build((name, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax);
    match max_age {
        Some(age) => builder.max_age(age).build(),
        None => builder.build(),
    }
}
