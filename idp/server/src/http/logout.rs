//! `/end_session` (OpenID Connect RP-Initiated Logout 1.0).

use super::App;
use super::caller::Browser;
use super::form::{BadForm, FromClient, Params};
use super::pages;
use crate::page::{ErrorPage, Page, SignOut, Trouble};
use axum::extract::State;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use gait_core::logout::{Logout, SignedOut};
use std::time::Duration;

/// How long a person who signs out waits for the apps to be told, so that none shows itself signed in when the browser comes back.
const APPS_WAIT: Duration = Duration::from_secs(2);

/// Takes a logout request.
pub async fn end_session(State(app): State<App>, FromClient { browser, params, .. }: FromClient) -> Response {
    match app.idp.end_session(&params, &browser.caller).await {
        Ok(logout) => show(&app, &browser, logout).await,
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

/// The person confirmed.
pub async fn confirm(State(app): State<App>, browser: Browser, params: Result<Params, BadForm>) -> Response {
    let mut params = match params {
        Ok(Params(params)) => params,
        Err(bad) => return pages::bad_form(&app, &browser, &bad),
    };
    if !browser.is_same_origin(app.idp.issuer()) {
        return pages::trouble(&app, &browser, Trouble::Foreign);
    }
    let csrf = params
        .iter()
        .position(|(name, _)| name == "csrf")
        .map(|at| params.remove(at).1)
        .unwrap_or_default();
    match app.idp.confirm_end_session(&csrf, &params, &browser.caller).await {
        // That says that nobody is signed in, and may be reloaded.
        Ok(Logout::Page(signed_out)) => {
            tell_apps(&app, &signed_out).await;
            cleared(pages::see_other("/end_session", signed_out.cookies))
        }
        Ok(logout) => show(&app, &browser, logout).await,
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

async fn show(app: &App, browser: &Browser, logout: Logout) -> Response {
    match logout {
        Logout::Confirm {
            csrf,
            client,
            account,
            params,
        } => {
            let target = params.iter().find(|(name, _)| name == "post_logout_redirect_uri");
            let targets: Vec<_> = target.and_then(|(_, uri)| pages::form_target(uri)).into_iter().collect();
            pages::themed(
                app,
                browser,
                None,
                &Page::SignOut(SignOut {
                    csrf,
                    client,
                    account,
                    params,
                }),
                &targets,
            )
        }
        Logout::Page(signed_out) => {
            let page = pages::plain(app, browser, &Page::SignedOut);
            cleared((super::cookies::changes(signed_out.cookies), page).into_response())
        }
        Logout::Redirect(target, signed_out) => {
            tell_apps(app, &signed_out).await;
            cleared(pages::see_other(&target, signed_out.cookies))
        }
        Logout::Refused(why) => {
            let page = ErrorPage::new(Trouble::App, &browser.caller.request_id).with("invalid_request", &why);
            pages::error_page(app, browser, page)
        }
    }
}

async fn tell_apps(app: &App, signed_out: &SignedOut) {
    if let Some(session) = &signed_out.session {
        app.callbacks.told(&app.idp, session, APPS_WAIT).await;
    }
}

/// Cached pages of the session go too (ASVS 5.0 14.3.1).
fn cleared(mut response: Response) -> Response {
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\""),
    );
    response
}
