//! `/authorize`, GET and POST.

use super::App;
use super::caller::Browser;
use super::form::{BadForm, Params};
use super::{cookies, pages};
use crate::page::{ErrorPage, Trouble};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use gait_core::authorization::Authorized;

/// Takes an authorization request.
pub async fn authorize(State(app): State<App>, mut browser: Browser, params: Result<Params, BadForm>) -> Response {
    let params = match params {
        Ok(Params(params)) => params,
        Err(bad) => return pages::bad_form(&app, &browser, &bad),
    };
    let wanted = params
        .iter()
        .find(|(name, _)| name == "ui_locales")
        .map(|(_, tags)| tags.as_str());
    browser.choose_language(&app, wanted);
    let wanted_any = wanted.is_some();
    match app.idp.authorize(&params, &browser.caller).await {
        Ok(Authorized::Refused(refusal)) => {
            let page = ErrorPage::new(Trouble::App, &browser.caller.request_id).with(refusal.error, &refusal.description);
            pages::error_page(&app, &browser, page)
        }
        Ok(Authorized::Respond(response, cookies)) => pages::respond(&app, &browser, &response, cookies),
        Ok(Authorized::Ask(flow, cookies)) => {
            let asked = pages::see_other(&format!("/flow/{flow}"), cookies);
            // The flow's pages follow the wish too.
            if wanted_any {
                (cookies::language(&browser.caller.locale), asked).into_response()
            } else {
                asked
            }
        }
        Err(error) => pages::core_trouble(&app, &browser, &error),
    }
}
