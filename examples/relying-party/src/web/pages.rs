//! The pages and what they are made of.

use super::{App, BROWSER, cookie_value, render, session};
use crate::RHYTHMS;
use crate::clock;
use crate::pending::Errand;
use crate::session::{Session, Status};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use minijinja::context;
use minijinja::value::Serde;
use openidconnect::CsrfToken;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct HomeQuery {
    /// What Gait gives back after signing out.
    state: Option<String>,
}

/// `GET /`
pub(super) async fn home(State(app): State<App>, jar: CookieJar, Query(query): Query<HomeQuery>) -> Response {
    if let Some(session) = session(&app, &jar) {
        return workspace(&app, &session);
    }
    let browser = cookie_value(&app.origins, &jar, BROWSER).map(CsrfToken::new);
    let errand = query
        .state
        .and_then(|state| app.pending.take(&state, browser.as_ref(), clock::now()));
    let signed_out = matches!(errand, Some(Errand::SignOut));
    render(&app, "signed_out.html", context! { signed_out, issuer => &app.config.issuer })
}

fn workspace(app: &App, session: &Session) -> Response {
    let (tokens, status, outcome) = {
        let mut current = session.current();
        (current.tokens.clone(), current.status.clone(), current.outcome.take())
    };
    let watched = tokens.scopes.iter().any(|scope| scope == "continuous_auth");
    let page = context! {
        person => Serde(&session.person),
        scopes => tokens.scopes,
        refreshable => tokens.refresh.is_some(),
        status => match status { Status::SignedIn => "signed_in", Status::StepUp => "step_up", Status::Ended => "ended" },
        watched,
        outcome => Serde(outcome),
        csrf => session.csrf.secret(),
        issuer => &app.config.issuer,
        collector => app.config.issuer_url("/static/gait.js"),
        samples => app.config.issuer_url("/continuous/samples"),
        inactivity_s => app.config.inactivity_s,
    };
    render(app, "app.html", page)
}

/// `GET /assets/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    const JS: &str = "text/javascript; charset=utf-8";
    let (mime, text) = match name.as_str() {
        "app.css" => ("text/css; charset=utf-8", include_str!("../../assets/app.css")),
        "app.js" => (JS, include_str!("../../assets/app.js")),
        "rhythm.js" => (JS, include_str!("../../assets/rhythm.js")),
        "icon.svg" => ("image/svg+xml", include_str!("../../assets/icon.svg")),
        "rhythms.json" => ("application/json", RHYTHMS),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(CONTENT_TYPE, mime), (CACHE_CONTROL, "no-cache")], text).into_response()
}
