//! The buttons of the page. Each answers with an outcome: as JSON to the page's script, else on the page itself.

use super::watch::refresh as renew;
use super::{App, Button, PageError, pressed};
use crate::api::Challenge;
use crate::clock;
use crate::provider::ProviderError;
use crate::session::{Outcome, Session, Status};
use crate::signal::SignalEvent;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use axum_extra::extract::CookieJar;
use openidconnect::CsrfToken;
use serde::Deserialize;

/// `POST /call-api`: calls the app's own API with the person's access token, as a client would call anybody's.
pub(super) async fn call_api(
    State(app): State<App>,
    jar: CookieJar,
    headers: HeaderMap,
    Form(form): Form<Button>,
) -> Result<Response, PageError> {
    let session = pressed(&app, &jar, &form.csrf)?;
    let access = session.current().tokens.access.clone();
    let answer = app
        .gait
        .http
        .get(app.config.url("/api/note"))
        .bearer_auth(access.secret())
        .send()
        .await;
    let outcome = match answer {
        Ok(answer) => read(&session, answer).await,
        Err(error) => Outcome {
            ok: false,
            title: "The API can't be reached".into(),
            lines: vec![error.to_string()],
        },
    };
    Ok(show(&session, &headers, outcome))
}

async fn read(session: &Session, answer: reqwest::Response) -> Outcome {
    let status = answer.status();
    let asked = answer
        .headers()
        .get(WWW_AUTHENTICATE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = answer.text().await.unwrap_or_default();
    if status.is_success() {
        // The API asked Gait about the token: whatever was demanded before has been answered.
        let mut current = session.current();
        if current.status == Status::StepUp {
            current.status = Status::SignedIn;
            current.challenge = None;
        }
        drop(current);
        return Outcome {
            ok: true,
            title: format!("The API answered: {status}"),
            lines: vec![body],
        };
    }
    let challenge = asked.as_deref().and_then(Challenge::parse);
    let title = match &challenge {
        Some(_) => format!("The API wants a step-up: {status}"),
        None => format!("The API refused: {status}"),
    };
    if let Some(challenge) = challenge {
        let mut current = session.current();
        current.challenge = Some(challenge);
        if current.status == Status::SignedIn {
            current.status = Status::StepUp;
        }
    }
    Outcome {
        ok: false,
        title,
        lines: asked.map(|value| format!("WWW-Authenticate: {value}")).into_iter().collect(),
    }
}

/// `POST /refresh`
pub(super) async fn refresh(
    State(app): State<App>,
    jar: CookieJar,
    headers: HeaderMap,
    Form(form): Form<Button>,
) -> Result<Response, PageError> {
    let session = pressed(&app, &jar, &form.csrf)?;
    let access = session.current().tokens.access.clone();
    let outcome = match renew(&app, &session, &access).await {
        Ok(()) => Outcome {
            ok: true,
            title: "Gait issued new tokens".into(),
            lines: vec![],
        },
        Err(ProviderError::Refused { code, description }) => Outcome {
            ok: false,
            title: format!("Gait refused: {code}"),
            lines: vec![description],
        },
        Err(error) => Outcome {
            ok: false,
            title: "The tokens were not refreshed".into(),
            lines: vec![error.to_string()],
        },
    };
    Ok(show(&session, &headers, outcome))
}

#[derive(Deserialize)]
pub(super) struct Report {
    csrf: CsrfToken,
    kind: SignalEvent,
}

/// `POST /signal`: tells Gait about the own session, as a security event token.
pub(super) async fn signal(
    State(app): State<App>,
    jar: CookieJar,
    headers: HeaderMap,
    Form(form): Form<Report>,
) -> Result<Response, PageError> {
    let session = pressed(&app, &jar, &form.csrf)?;
    let outcome = report(&app, &session, form.kind).await.unwrap_or_else(|error| Outcome {
        ok: false,
        title: "The report was not sent".into(),
        lines: vec![error],
    });
    Ok(show(&session, &headers, outcome))
}

async fn report(app: &App, session: &Session, kind: SignalEvent) -> Result<Outcome, String> {
    let token = app
        .signals
        .sign(kind, &session.subject(), clock::now())
        .map_err(|error| error.to_string())?;
    let request = app
        .gait
        .http
        .post(app.config.issuer_url("/continuous/signals"))
        .header("Content-Type", "application/secevent+jwt")
        .header(ACCEPT, "application/json")
        .bearer_auth(app.config.signal_secret.reveal());
    let answer = request.body(token).send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    let title = if status.is_success() {
        format!("Gait took the report: {status}")
    } else {
        format!("Gait refused the report: {status}")
    };
    Ok(Outcome {
        ok: status.is_success(),
        title,
        lines: Some(body).filter(|body| !body.is_empty()).into_iter().collect(),
    })
}

fn show(session: &Session, headers: &HeaderMap, outcome: Outcome) -> Response {
    let wants_json = headers
        .get(ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("application/json"));
    if wants_json {
        return Json(outcome).into_response();
    }
    session.current().outcome = Some(outcome);
    Redirect::to("/").into_response()
}
