//! Pages: a theme draws them, with the headers that pages need.

use super::App;
use super::caller::Browser;
use super::form::BadForm;
use super::headers::page_policy;
use super::reply::AWAY_RETRY_S;
use crate::page::{ErrorPage, FormPost, Page, Trouble};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION, RETRY_AFTER};
use axum::response::{Html, IntoResponse, Response};
use gait_core::authorization::{AuthorizationResponse, ResponseMode};
use gait_core::error::Error;
use gait_core::visit::Cookie;
use url::Url;

/// A page in the theme of a client (or the deployment's); its forms may end at `form_targets`.
pub fn themed(app: &App, browser: &Browser, theme: Option<&str>, page: &Page, form_targets: &[String]) -> Response {
    match app.themes.render(theme, &browser.locale, page) {
        Ok(html) => {
            let mut response = Html(html).into_response();
            response
                .headers_mut()
                .insert(CONTENT_SECURITY_POLICY, page_policy(form_targets));
            if let Ok(tag) = HeaderValue::from_str(&browser.caller.locale) {
                response.headers_mut().insert(CONTENT_LANGUAGE, tag);
            }
            response
        }
        Err(error) => {
            tracing::error!(%error, page = page.template(), "the theme can't draw this page");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("The page can't be drawn. Request {}", browser.caller.request_id),
            )
                .into_response()
        }
    }
}

/// A page in the deployment's theme.
pub fn plain(app: &App, browser: &Browser, page: &Page) -> Response {
    themed(app, browser, None, page, &[])
}

/// An error page with its status.
pub fn trouble(app: &App, browser: &Browser, trouble: Trouble) -> Response {
    error_page(app, browser, ErrorPage::new(trouble, &browser.caller.request_id))
}

/// An error page with its status.
pub fn error_page(app: &App, browser: &Browser, error: ErrorPage) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = plain(app, browser, &Page::Error(error));
    *response.status_mut() = status;
    response
}

/// The provider failed: the reason goes to the log, the page shows the request id.
pub fn core_trouble(app: &App, browser: &Browser, error: &Error) -> Response {
    if error.is_away() {
        tracing::warn!(%error, "a backend is away");
        let mut response = trouble(app, browser, Trouble::Away);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(AWAY_RETRY_S));
        return response;
    }
    if let Error::TooMany(seconds) = error {
        let mut response = trouble(app, browser, Trouble::TooMany);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
        return response;
    }
    tracing::error!(%error, "the provider failed");
    trouble(app, browser, Trouble::Internal)
}

/// A form that can't be read.
pub fn bad_form(app: &App, browser: &Browser, bad: &BadForm) -> Response {
    error_page(
        app,
        browser,
        ErrorPage::new(Trouble::Bad, &browser.caller.request_id).with("invalid_request", bad.0),
    )
}

/// 303 with cookies (RFC 9700 §4.12: never 307).
pub fn see_other(target: &str, cookies: Vec<Cookie>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, super::cookies::changes(cookies)).into_response();
    match HeaderValue::from_str(target) {
        Ok(target) => {
            response.headers_mut().insert(LOCATION, target);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}

/// An authorization response on its way to the client.
pub fn respond(app: &App, browser: &Browser, response: &AuthorizationResponse, cookies: Vec<Cookie>) -> Response {
    match response.mode {
        ResponseMode::FormPost => {
            let targets = form_target(&response.redirect_uri).into_iter().collect::<Vec<_>>();
            let page = themed(app, browser, None, &Page::FormPost(FormPost::from(response)), &targets);
            (super::cookies::changes(cookies), page).into_response()
        }
        ResponseMode::Query => match with_query(&response.redirect_uri, &response.params) {
            Some(target) => see_other(&target, cookies),
            None => trouble(app, browser, Trouble::Internal),
        },
    }
}

fn with_query(uri: &str, params: &[(String, String)]) -> Option<String> {
    let mut url = Url::parse(uri).ok()?;
    url.query_pairs_mut().extend_pairs(params);
    Some(url.into())
}

/// What `form-action` needs to let a form end at this URI and go on from there: its scheme. Of a native app nobody knows the port before
/// (RFC 8252 §7.3), and of a web app nobody knows where its callback sends people.
pub fn form_target(uri: &str) -> Option<String> {
    Url::parse(uri).ok().map(|url| format!("{}:", url.scheme()))
}

/// 404.
pub async fn not_found(State(app): State<App>, browser: Browser) -> Response {
    trouble(&app, &browser, Trouble::NotFound)
}

/// 405.
pub async fn method_not_allowed(State(app): State<App>, browser: Browser) -> Response {
    trouble(&app, &browser, Trouble::Method)
}
