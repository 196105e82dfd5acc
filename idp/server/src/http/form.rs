//! Forms, with caps.

use super::caller::Browser;
use super::{App, pages};
use crate::page::Trouble;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;

/// Most parameters of one request.
const MAX_PARAMS: usize = 100;

/// Parameters in the order they came: from the query (GET) or from a form body (POST). A POST with a query mixes both, which is
/// refused.
pub struct Params(pub Vec<(String, String)>);

/// Why parameters were refused; always 400.
#[derive(Debug)]
pub struct BadForm(pub &'static str);

impl Params {
    fn parse(bytes: &[u8]) -> Result<Self, BadForm> {
        let params: Vec<_> = url::form_urlencoded::parse(bytes).into_owned().take(MAX_PARAMS + 1).collect();
        if params.len() > MAX_PARAMS {
            return Err(BadForm("too many parameters"));
        }
        // No parameter may have one (RFC 6749 appendix A), and no database takes it in a text.
        if params.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(BadForm("there is a NUL in a parameter"));
        }
        Ok(Self(params))
    }

    /// As a map.
    ///
    /// # Errors
    /// A name came twice.
    pub fn fields(self) -> Result<BTreeMap<String, String>, BadForm> {
        let count = self.0.len();
        let fields: BTreeMap<_, _> = self.0.into_iter().collect();
        if fields.len() == count {
            Ok(fields)
        } else {
            Err(BadForm("a field came twice"))
        }
    }
}

impl IntoResponse for BadForm {
    fn into_response(self) -> Response {
        super::reply::bad_request("invalid_request", self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = BadForm;

    async fn from_request(request: Request, state: &S) -> Result<Self, BadForm> {
        if request.method() == Method::GET || request.method() == Method::HEAD {
            return Self::parse(request.uri().query().unwrap_or_default().as_bytes());
        }
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            return Err(BadForm("parameters belong into the body"));
        }
        if !is_form(request.headers()) {
            return Err(BadForm("the body must be application/x-www-form-urlencoded"));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|_| BadForm("the body can't be read, or is too big"))?;
        Self::parse(&body)
    }
}

/// A form that a page of ours posted. What can't be read, or comes from another site, is answered with a page here, so that no
/// handler can forget to look.
pub struct Posted {
    /// Who sent it.
    pub browser: Browser,
    /// Its fields.
    pub fields: BTreeMap<String, String>,
}

impl FromRequest<App> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(browser) = Browser::from_request_parts(&mut parts, app).await;
        let params = Params::from_request(Request::from_parts(parts, body), app).await;
        match params.and_then(Params::fields) {
            Err(bad) => Err(pages::bad_form(app, &browser, &bad)),
            Ok(_) if !browser.is_same_origin(app.idp.issuer()) => Err(pages::trouble(app, &browser, Trouble::Foreign)),
            Ok(fields) => Ok(Self { browser, fields }),
        }
    }
}

/// What a browser brings from a client to a protocol's page: the parameters as they came, and the page in the language that the client
/// wishes for. What can't be read is answered with a page here.
pub struct FromClient {
    /// Who brings it.
    pub browser: Browser,
    /// The parameters, in order.
    pub params: Vec<(String, String)>,
    /// The client's wish (OIDC Core §3.1.2.1), if it has one.
    pub ui_locales: Option<String>,
}

impl FromRequest<App> for FromClient {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(mut browser) = Browser::from_request_parts(&mut parts, app).await;
        let params = match Params::from_request(Request::from_parts(parts, body), app).await {
            Ok(Params(params)) => params,
            Err(bad) => return Err(pages::bad_form(app, &browser, &bad)),
        };
        let wish = params.iter().find(|(name, _)| name == "ui_locales");
        let ui_locales = wish.map(|(_, tags)| tags.clone());
        browser.choose_language(app, ui_locales.as_deref());
        Ok(Self {
            browser,
            params,
            ui_locales,
        })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
