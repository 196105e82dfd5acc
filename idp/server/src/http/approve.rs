//! `/approve/{token}`: GET shows, POST answers. The link is the capability, so there is no further token.

use super::App;
use super::caller::Browser;
use super::form::{BadForm, Params};
use super::pages;
use crate::page::{Approval, ApprovalDisowned, Page, Trouble};
use axum::extract::{Path, State};
use axum::response::Response;
use gait_core::approval::ApprovalOutcome;

/// Shows the question. Changes nothing: mail scanners press links.
pub async fn show(State(app): State<App>, Path(token): Path<String>, browser: Browser) -> Response {
    match app.idp.approval(&token, &browser.caller).await {
        Ok(Some(page)) => pages::plain(&app, &browser, &Page::Approval(Approval::new(&page, ""))),
        Ok(None) => pages::trouble(&app, &browser, Trouble::Gone),
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}

/// Answers it.
pub async fn answer(
    State(app): State<App>,
    Path(token): Path<String>,
    browser: Browser,
    params: Result<Params, BadForm>,
) -> Response {
    let fields = match params.and_then(Params::fields) {
        Ok(fields) => fields,
        Err(bad) => return pages::bad_form(&app, &browser, &bad),
    };
    if !browser.is_same_origin(app.idp.issuer()) {
        return pages::trouble(&app, &browser, Trouble::Foreign);
    }
    match app.idp.answer_approval(&token, &fields, &browser.caller).await {
        Ok(ApprovalOutcome::Confirmed) => pages::plain(&app, &browser, &Page::ApprovalDone),
        Ok(ApprovalOutcome::Disowned) => pages::plain(
            &app,
            &browser,
            &Page::ApprovalDisowned(ApprovalDisowned { csrf: String::new() }),
        ),
        Ok(ApprovalOutcome::AllEnded) => pages::plain(&app, &browser, &Page::ApprovalEnded),
        Ok(ApprovalOutcome::WrongCode(page)) => pages::plain(&app, &browser, &Page::Approval(Approval::new(&page, ""))),
        Ok(ApprovalOutcome::Gone) => pages::trouble(&app, &browser, Trouble::Gone),
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}
