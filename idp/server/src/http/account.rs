//! `/account`: what the owner sees and does.

use super::App;
use super::caller::Browser;
use super::form::{BadForm, Params, Posted};
use super::pages;
use crate::page::{AccountView, Page, Trouble};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue};
use axum::response::{IntoResponse, Response};
use gait_core::account::Mode;
use gait_core::account_page::{Change, ChangeError};
use gait_core::ids::{ClientId, SessionId};
use gait_sdk::{CredentialId, PluginId, Text};
use std::collections::BTreeMap;

const ACCOUNT: &str = "/account";
const SAVED: &str = "/account?notice=saved";
const PROVEN: &str = "/account?notice=proven";

/// The bare address leads to the account page.
pub async fn home() -> Response {
    pages::see_other(ACCOUNT, Vec::new())
}

/// Shows the page, or begins a sign-in that ends at it.
pub async fn show(State(app): State<App>, browser: Browser, params: Result<Params, BadForm>) -> Response {
    let params = params.map(|params| params.0).unwrap_or_default();
    let notice = params.iter().find(|(name, _)| name == "notice");
    draw(&app, &browser, notice.and_then(|(_, name)| known_notice(name)), None).await
}

async fn draw(app: &App, browser: &Browser, notice: Option<Text>, error: Option<Text>) -> Response {
    let drawn = async {
        let who = app.idp.signed_in(&browser.caller).await?;
        // While a step-up is pending, whoever sits there is shown nothing of the account.
        let Some(who) = who.filter(|who| who.session.step_up.is_none()) else {
            return Ok(None);
        };
        let page = app.idp.account_page(&who).await?;
        let view = AccountView {
            notice,
            error,
            ..AccountView::new(&page, &who, app.idp.policy())
        };
        Ok(Some(Page::Account(Box::new(view))))
    };
    match drawn.await {
        Ok(Some(page)) => pages::plain(app, browser, &page),
        Ok(None) => begin(app, browser, ACCOUNT, false, None).await,
        Err(error) => pages::core_trouble(app, browser, &error),
    }
}

/// Makes a change.
pub async fn change(State(app): State<App>, Posted { browser, fields }: Posted) -> Response {
    let csrf = fields.get("csrf").map(String::as_str).unwrap_or_default();
    match wanted(&fields) {
        Some(Wanted::Nothing) => pages::see_other(ACCOUNT, Vec::new()),
        Some(Wanted::Enrol(plugin)) => begin(&app, &browser, SAVED, true, Some(&plugin)).await,
        Some(Wanted::Change(change, notice)) => match app.idp.change(&change, csrf, &browser.caller).await {
            Ok(cookies) => pages::see_other(&format!("{ACCOUNT}?notice={notice}"), cookies),
            Err(error) => refused(&app, &browser, error).await,
        },
        None => pages::bad_form(&app, &browser, &BadForm("unknown change")),
    }
}

/// What is held, as a JSON file.
pub async fn export(State(app): State<App>, Posted { browser, fields }: Posted) -> Response {
    let csrf = fields.get("csrf").map(String::as_str).unwrap_or_default();
    match app.idp.export(csrf, &browser.caller).await {
        Ok(everything) => {
            let file = HeaderValue::from_static("attachment; filename=\"gait-export.json\"");
            ([(CONTENT_DISPOSITION, file)], super::reply::Json(everything)).into_response()
        }
        Err(error) => refused(&app, &browser, error).await,
    }
}

enum Wanted {
    /// A consent form that was sent unticked.
    Nothing,
    Enrol(PluginId),
    Change(Change, &'static str),
}

/// Reads the page's forms: `change`, and what it is about.
fn wanted(fields: &BTreeMap<String, String>) -> Option<Wanted> {
    let field = |name: &str| fields.get(name).map(String::as_str);
    let about = |name: &str| field(name).map(str::to_owned);
    let (change, notice) = match field("change")? {
        "end_session" => (Change::EndSession(SessionId(about("session")?)), "session-ended"),
        "end_others" => (Change::EndOthers, "others-ended"),
        "disconnect" => (Change::Disconnect(ClientId(about("client")?)), "disconnected"),
        "forget" => (Change::Forget(CredentialId::new(about("credential")?)), "forgotten"),
        "mode" => match field("mode")? {
            "train" => (Change::Mode(Mode::Train), "mode"),
            "auth" => (Change::Mode(Mode::Auth), "mode"),
            _ => return None,
        },
        "give_consent" if field("watch") != Some("yes") => return Some(Wanted::Nothing),
        "give_consent" => (
            Change::GiveConsent {
                text_version: about("text_version")?,
            },
            "consented",
        ),
        "withdraw_consent" => (Change::WithdrawConsent, "withdrawn"),
        "give_password_consent" if field("password_rhythm") != Some("yes") => return Some(Wanted::Nothing),
        "give_password_consent" => (
            Change::GivePasswordConsent {
                text_version: about("text_version")?,
            },
            "password-consented",
        ),
        "withdraw_password_consent" => (Change::WithdrawPasswordConsent, "password-withdrawn"),
        "erase" => (Change::EraseBehaviour, "erased"),
        "enrol" => return about("plugin").map(|plugin| Wanted::Enrol(PluginId::new(plugin))),
        _ => return None,
    };
    Some(Wanted::Change(change, notice))
}

/// The notice of a change that was made, by the name in the address; other names show nothing.
fn known_notice(name: &str) -> Option<Text> {
    let known = [
        "session-ended",
        "others-ended",
        "disconnected",
        "forgotten",
        "mode",
        "consented",
        "withdrawn",
        "password-consented",
        "password-withdrawn",
        "erased",
        "saved",
        "proven",
    ];
    known.contains(&name).then(|| Text::new(&format!("notice-{name}"), "Done."))
}

async fn refused(app: &App, browser: &Browser, error: ChangeError) -> Response {
    match error {
        ChangeError::SignedOut | ChangeError::StepUpPending => begin(app, browser, ACCOUNT, false, None).await,
        // The change is asked for again after the proof: nothing that a form carried is kept meanwhile.
        ChangeError::NeedsProof => begin(app, browser, PROVEN, true, None).await,
        ChangeError::OutOfDate => pages::trouble(app, browser, Trouble::OutOfDate),
        ChangeError::NotFound => pages::trouble(app, browser, Trouble::NotFound),
        ChangeError::Refused(text) => draw(app, browser, None, Some(text)).await,
        ChangeError::Core(error) => pages::core_trouble(app, browser, &error),
    }
}

/// Asks the person, and leads to `end` afterwards.
async fn begin(app: &App, browser: &Browser, end: &str, fresh: bool, enrol: Option<&PluginId>) -> Response {
    match app.idp.begin_page_flow(end, fresh, enrol, &browser.caller).await {
        Ok(begun) => pages::see_other(&format!("/flow/{}", begun.id), begun.cookies),
        Err(error) => pages::core_trouble(app, browser, &error),
    }
}
