//! `/recovery`: a new password by mail.

use super::App;
use super::caller::Browser;
use super::form::Posted;
use super::pages;
use crate::page::{Page, RecoveryForm, RecoverySent, Trouble};
use axum::extract::{Path, State};
use axum::response::Response;
use gait_core::recovery::{RecoveryOutcome, RecoveryPrompt};
use gait_sdk::Text;

/// Asks who forgot.
pub async fn start(State(app): State<App>, browser: Browser) -> Response {
    pages::plain(&app, &browser, &Page::RecoveryStart)
}

/// Mails a link, or not: the page is the same.
pub async fn send(State(app): State<App>, Posted { browser, fields }: Posted) -> Response {
    let identifier = fields.get("identifier").map(String::as_str).unwrap_or_default();
    match app.idp.begin_recovery(identifier, &browser.caller).await {
        Ok(()) => pages::see_other("/recovery/sent", Vec::new()),
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

/// A link was mailed, or not.
pub async fn sent(State(app): State<App>, browser: Browser) -> Response {
    match app.idp.recovery_notice().await {
        Ok(notice) => pages::plain(&app, &browser, &Page::RecoverySent(RecoverySent { notice })),
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

/// Shows the form behind a link. Changes nothing.
pub async fn show(State(app): State<App>, Path(token): Path<String>, browser: Browser) -> Response {
    match app.idp.recovery_form(&token, &browser.caller).await {
        Ok(Some(prompt)) => again(&app, &browser, prompt, None),
        Ok(None) => pages::trouble(&app, &browser, Trouble::RecoveryGone),
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

/// Sets the new password.
pub async fn set(State(app): State<App>, Path(token): Path<String>, Posted { browser, fields }: Posted) -> Response {
    match app.idp.finish_recovery(&token, &fields, &browser.caller).await {
        Ok(RecoveryOutcome::Done) => pages::see_other("/recovery/done", Vec::new()),
        Ok(RecoveryOutcome::Again(prompt, error)) => again(&app, &browser, prompt, Some(error)),
        Ok(RecoveryOutcome::Gone) => pages::trouble(&app, &browser, Trouble::RecoveryGone),
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

/// The new password is saved.
pub async fn done(State(app): State<App>, browser: Browser) -> Response {
    pages::plain(&app, &browser, &Page::RecoveryDone)
}

fn again(app: &App, browser: &Browser, prompt: RecoveryPrompt, error: Option<Text>) -> Response {
    let RecoveryPrompt { account, form } = prompt;
    pages::plain(app, browser, &Page::RecoveryForm(RecoveryForm { account, form, error }))
}
