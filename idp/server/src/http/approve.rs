//! `/approve/{token}`: GET shows, POST answers. The link is the capability, so there is no further token.

use super::App;
use super::caller::Browser;
use super::form::Posted;
use super::pages;
use crate::page::{Approval, Page, Trouble};
use axum::extract::{Path, State};
use axum::response::Response;
use gait_core::approval::ApprovalOutcome;

/// Shows the question. Changes nothing: mail scanners press links.
pub async fn show(State(app): State<App>, Path(token): Path<String>, browser: Browser) -> Response {
    match app.idp.approval(&token, &browser.caller).await {
        Ok(Some(page)) => pages::plain(&app, &browser, &Page::Approval(Approval::new(&page))),
        Ok(None) => answered(&app, &browser, &token).await,
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

/// A link that can't be answered any more. One that was answered with "not me" still ends all sessions.
async fn answered(app: &App, browser: &Browser, token: &str) -> Response {
    match app.idp.is_disowned(token).await {
        Ok(true) => pages::plain(app, browser, &Page::ApprovalDisowned),
        Ok(false) => pages::trouble(app, browser, Trouble::Gone),
        Err(error) => pages::core_trouble(app, browser, &error),
    }
}

/// "It was me" was answered.
pub async fn done(State(app): State<App>, browser: Browser) -> Response {
    pages::plain(&app, &browser, &Page::ApprovalDone)
}

/// All sessions have ended.
pub async fn ended(State(app): State<App>, browser: Browser) -> Response {
    pages::plain(&app, &browser, &Page::ApprovalEnded)
}

/// Answers it; what came of it has an address of its own, so that reloading it asks nothing again.
pub async fn answer(State(app): State<App>, Path(token): Path<String>, Posted { browser, fields }: Posted) -> Response {
    match app.idp.answer_approval(&token, &fields, &browser.caller).await {
        Ok(ApprovalOutcome::Confirmed) => pages::see_other("/approve/done", Vec::new()),
        Ok(ApprovalOutcome::Disowned) => pages::see_other(&format!("/approve/{token}"), Vec::new()),
        Ok(ApprovalOutcome::AllEnded) => pages::see_other("/approve/ended", Vec::new()),
        Ok(ApprovalOutcome::WrongCode(page)) => pages::plain(&app, &browser, &Page::Approval(Approval::new(&page))),
        Ok(ApprovalOutcome::Gone) => pages::trouble(&app, &browser, Trouble::Gone),
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}
