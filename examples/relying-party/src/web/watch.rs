//! What the page asks for while it is watched.

use super::{App, Button, PageError, pressed, session};
use crate::callbacks::Callback;
use crate::provider::{ProviderError, tokens};
use crate::session::{Session, Status};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use axum_extra::extract::CookieJar;
use openidconnect::AccessToken;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What Gait answers when asked for a watch token.
#[derive(Serialize, Deserialize)]
struct WatchToken {
    watch_token: String,
    expires_in: u64,
    samples_endpoint: String,
}

/// An error of Gait's, in the form of RFC 6749 §5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

enum WatchError {
    /// With Gait's error code.
    Refused(StatusCode, String),
    Unreachable,
}

/// `POST /watch-token`: asks Gait for a watch token with the access token, which stays on the server.
pub(super) async fn token(State(app): State<App>, jar: CookieJar, Form(form): Form<Button>) -> Result<Response, PageError> {
    let session = pressed(&app, &jar, &form.csrf)?;
    if session.current().status == Status::Ended {
        return Ok((StatusCode::CONFLICT, Json(json!({ "error": "session_ended" }))).into_response());
    }
    let access = session.current().tokens.access.clone();
    let mut answer = ask(&app, &access).await;
    if matches!(answer, Err(WatchError::Refused(StatusCode::UNAUTHORIZED, _))) && refresh(&app, &session, &access).await.is_ok() {
        let newer = session.current().tokens.access.clone();
        answer = ask(&app, &newer).await;
    }
    Ok(match answer {
        Ok(token) => Json(token).into_response(),
        Err(WatchError::Refused(status, error)) => {
            if status == StatusCode::CONFLICT {
                session.end();
            }
            (status, Json(json!({ "error": error }))).into_response()
        }
        Err(WatchError::Unreachable) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "error": "temporarily_unavailable" })),
        )
            .into_response(),
    })
}

async fn ask(app: &App, access: &AccessToken) -> Result<WatchToken, WatchError> {
    let request = app
        .gait
        .http
        .post(app.config.issuer_url("/continuous/token"))
        .bearer_auth(access.secret());
    let answer = request
        .json(&json!({ "origin": app.origins.own }))
        .send()
        .await
        .map_err(|_| WatchError::Unreachable)?;
    let status = answer.status();
    if status.is_success() {
        return answer.json().await.map_err(|_| WatchError::Unreachable);
    }
    match answer.json::<Refusal>().await {
        Ok(refusal) if status.is_client_error() => Err(WatchError::Refused(status, refusal.error)),
        _ => Err(WatchError::Unreachable),
    }
}

/// Renews the tokens, unless somebody did since `stale` was read: a refresh token is good for one use.
pub(super) async fn refresh(app: &App, session: &Session, stale: &AccessToken) -> Result<(), ProviderError> {
    let _one_at_a_time = session.refreshing.lock().await;
    let (access, refresh, id) = {
        let current = session.current();
        (
            current.tokens.access.clone(),
            current.tokens.refresh.clone(),
            current.tokens.id.clone(),
        )
    };
    if access.secret() != stale.secret() {
        return Ok(());
    }
    let refresh = refresh.ok_or(ProviderError::Missing("refresh token for this session"))?;
    let answer = app.gait.provider().await?.refresh(&refresh, &app.gait.http).await?;
    let mut renewed = tokens(&answer);
    let mut current = session.current();
    renewed.id = id; // the sign-in's own: it is the hint for the next step-up and for signing out
    renewed.refresh = renewed.refresh.or(Some(refresh)).filter(|_| current.status != Status::Ended);
    current.tokens = renewed;
    Ok(())
}

/// What the page polls.
#[derive(Serialize)]
struct Events {
    #[serde(flatten)]
    status: Status,
    callbacks: Vec<Callback>,
}

/// `GET /events.json`
pub(super) async fn events(State(app): State<App>, jar: CookieJar) -> Response {
    let Some(session) = session(&app, &jar) else {
        return Json(json!({ "state": "signed_out", "callbacks": [] })).into_response();
    };
    let status = session.current().status.clone();
    let callbacks = app.callbacks.about(&session.person.sub, session.person.sid.as_deref());
    Json(Events { status, callbacks }).into_response()
}
