//! `/flow/{id}`: one route for all factors. GET shows, POST answers.

use super::App;
use super::caller::Browser;
use super::form::Posted;
use super::pages::{self, form_target};
use crate::page::{ErrorPage, Trouble, page_of};
use axum::extract::{Path, State};
use axum::response::Response;
use gait_core::flow::{FlowError, Progress, Prompt};
use gait_core::ids::{ClientId, FlowId};

/// Shows what the flow asks.
pub async fn show(State(app): State<App>, Path(id): Path<String>, browser: Browser) -> Response {
    let id = FlowId(id);
    match app.idp.prompt(&id, &browser.in_flow(&id)).await {
        Ok(prompt) => {
            let targets = form_targets(&app, &prompt).await;
            let theme = prompt.client.as_ref().and_then(|client| client.theme.clone());
            pages::themed(
                &app,
                &browser,
                theme.as_deref(),
                &page_of(&prompt, app.idp.policy()),
                &targets,
            )
        }
        Err(error) => flow_trouble(&app, &browser, &error),
    }
}

/// Answers.
pub async fn answer(State(app): State<App>, Path(id): Path<String>, Posted { browser, fields }: Posted) -> Response {
    let id = FlowId(id);
    match app.idp.answer(&id, &fields, &browser.in_flow(&id)).await {
        Ok(Progress::Again(cookies)) => pages::see_other(&format!("/flow/{id}"), cookies),
        Ok(Progress::Respond(response, cookies)) => pages::respond(&app, &browser, &response, cookies),
        Ok(Progress::Page(path, cookies)) => pages::see_other(&path, cookies),
        // An outdated page (the back button, a second tab): show the step that the flow is at.
        Err(FlowError::OutOfDate) => pages::see_other(&format!("/flow/{id}"), Vec::new()),
        Err(error) => flow_trouble(&app, &browser, &error),
    }
}

fn flow_trouble(app: &App, browser: &Browser, error: &FlowError) -> Response {
    match error {
        FlowError::Core(error) => pages::core_trouble(app, browser, error),
        FlowError::Bad(why) => {
            let page = ErrorPage::new(Trouble::Bad, &browser.caller.request_id).with("invalid_request", why);
            pages::error_page(app, browser, page)
        }
        _ => pages::trouble(app, browser, error.into()),
    }
}

/// Where the flow may end: at the client's redirect URIs.
async fn form_targets(app: &App, prompt: &Prompt) -> Vec<String> {
    let Some(client) = &prompt.client else { return Vec::new() };
    let found = app.idp.store().client(&ClientId(client.id.clone())).await.ok().flatten();
    let mut targets: Vec<_> = found
        .iter()
        .flat_map(|client| &client.redirect_uris)
        .filter_map(|uri| form_target(uri))
        .collect();
    targets.sort();
    targets.dedup();
    targets
}
