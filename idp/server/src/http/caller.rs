//! Who calls, taken from the request once: address, cookies, language, request id.

use super::cookies::Received;
use super::{App, address};
use crate::theme::Locale;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{ACCEPT_LANGUAGE, HeaderName, ORIGIN, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode};
use gait_core::ids::FlowId;
use gait_core::visit::Caller;
use gait_sdk::Visitor;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use tower_http::request_id::RequestId;

const MAX_USER_AGENT: usize = 256;

/// A browser's request: the core's [`Caller`], and what the wire itself needs.
pub struct Browser {
    /// For the core. Its flow cookie is not filled in; see [`Browser::in_flow`].
    pub caller: Caller,
    /// The language of its pages.
    pub locale: Locale,
    cookies: Received,
    origin: Option<String>,
    fetch_site: Option<String>,
    accept_language: Option<String>,
}

impl Browser {
    /// The caller with the cookie of one flow.
    pub fn in_flow(&self, flow: &FlowId) -> Caller {
        Caller {
            flow: self.cookies.flow(flow),
            ..self.caller.clone()
        }
    }

    /// The language that a page should be in; `wanted` comes first (`ui_locales`).
    pub fn choose_language(&mut self, app: &App, wanted: Option<&str>) {
        self.locale = app
            .themes
            .choose_language(wanted, self.cookies.language().as_deref(), self.accept_language.as_deref());
        self.caller.locale = self.locale.to_string();
    }

    /// True unless the browser says that another site made this request. Checked on every POST of a page, besides the token.
    pub fn is_same_origin(&self, issuer: &str) -> bool {
        match (&self.origin, &self.fetch_site) {
            (Some(origin), _) => origin == issuer,
            (None, Some(site)) => matches!(site.as_str(), "same-origin" | "none"),
            (None, None) => true,
        }
    }
}

impl FromRequestParts<App> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let cookies = Received::of(&parts.headers);
        let mut user_agent = text(&parts.headers, &USER_AGENT).unwrap_or_default();
        user_agent.truncate(user_agent.floor_char_boundary(MAX_USER_AGENT));
        let caller = Caller {
            visitor: Visitor {
                address: visitor_address(parts, app),
                user_agent,
                device: cookies.device().map(|device| device.hash().to_text()),
            },
            session: cookies.session(),
            flow: None,
            marker: cookies.marker(),
            password_marker: cookies.password_marker(),
            locale: String::new(),
            request_id: request_id(parts),
        };
        let mut browser = Self {
            caller,
            locale: Locale::english(),
            cookies,
            origin: text(&parts.headers, &ORIGIN),
            fetch_site: text(&parts.headers, &HeaderName::from_static("sec-fetch-site")),
            accept_language: text(&parts.headers, &ACCEPT_LANGUAGE),
        };
        browser.choose_language(app, None);
        Ok(browser)
    }
}

/// A program's request: no cookies count.
pub struct Program {
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Origin` header, if a browser sent it.
    pub origin: Option<String>,
    /// The address, for limits.
    pub address: Option<IpAddr>,
    /// The request's id.
    pub request_id: String,
}

impl Program {
    /// The bearer token of the `Authorization` header.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.authorization.as_deref()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }
}

impl FromRequestParts<App> for Program {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, StatusCode> {
        let mut lines = parts.headers.get_all(axum::http::header::AUTHORIZATION).iter();
        let authorization = lines.next().map(|line| line.to_str().map(str::to_owned)).transpose();
        if lines.next().is_some() {
            return Err(StatusCode::BAD_REQUEST);
        }
        Ok(Self {
            authorization: authorization.map_err(|_| StatusCode::BAD_REQUEST)?,
            origin: text(&parts.headers, &ORIGIN),
            address: visitor_address(parts, app),
            request_id: request_id(parts),
        })
    }
}

/// Whether a proxy that is believed hands this on.
pub fn is_from_proxy(extensions: &Extensions, app: &App) -> bool {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| address::is_proxy(peer.ip(), &app.trusted_proxies))
}

pub fn visitor_address(parts: &Parts, app: &App) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    address::visitor(peer.ip(), &parts.headers, &app.trusted_proxies)
}

fn request_id(parts: &Parts) -> String {
    let id = parts
        .extensions
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok());
    id.unwrap_or_default().to_owned()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
