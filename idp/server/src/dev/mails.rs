//! The mail catcher's page and JSON.

use crate::http::{App, Browser, plain_page};
use crate::mail::{Catcher, CaughtMail};
use crate::page::{self, Mails, Page};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use gait_sdk::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

/// `/dev/mail` and `/dev/mail.json?to=ADDRESS`, newest first.
pub fn routes(catcher: Catcher) -> Router<App> {
    let json = catcher.clone();
    Router::new()
        .route(
            "/dev/mail",
            get(move |app, filter, browser| show(app, filter, browser, catcher)),
        )
        .route("/dev/mail.json", get(move |filter| list(filter, json)))
}

async fn show(State(app): State<App>, Query(filter): Query<Filter>, browser: Browser, catcher: Catcher) -> Response {
    let at = |mail: &CaughtMail| Timestamp(i64::try_from(mail.at).unwrap_or(i64::MAX));
    let mails = catcher.mails(filter.to.as_deref());
    let mails = mails
        .iter()
        .map(|mail| page::CaughtMail::new(&mail.to, &mail.subject, at(mail), &mail.text))
        .collect();
    plain_page(&app, &browser, &Page::Mails(Mails { to: filter.to, mails }))
}

async fn list(Query(filter): Query<Filter>, catcher: Catcher) -> Json<Vec<CaughtMail>> {
    Json(catcher.mails(filter.to.as_deref()))
}
