//! `/authorize`, GET and POST.

use super::App;
use super::form::FromClient;
use super::{cookies, pages};
use crate::page::{ErrorPage, Trouble};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use gait_core::authorization::Authorized;

/// Takes an authorization request.
pub async fn authorize(State(app): State<App>, asked: FromClient) -> Response {
    let FromClient {
        browser,
        params,
        ui_locales,
    } = asked;
    match app.idp.authorize(&params, &browser.caller).await {
        Ok(Authorized::Refused(refusal)) => {
            let page = ErrorPage::new(Trouble::App, &browser.caller.request_id).with(refusal.error, &refusal.description);
            pages::error_page(&app, &browser, page)
        }
        Ok(Authorized::Respond(response, cookies)) => pages::respond(&app, &browser, &response, cookies),
        Ok(Authorized::Ask(flow, cookies)) => {
            let page = pages::see_other(&format!("/flow/{flow}"), cookies);
            // What the client asked for holds for the pages that follow; a switch on them comes later, and wins.
            match ui_locales {
                Some(_) => (cookies::language(&browser.caller.locale), page).into_response(),
                None => page,
            }
        }
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}
