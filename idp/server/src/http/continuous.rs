//! Continuous authentication: watch tokens, samples, signals, and the mode.

use super::App;
use super::caller::{Browser, Program};
use super::form::{BadForm, Params};
use super::reply::{Json, bad_request, bearer_error, core_error, json_error};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use gait_core::account::Mode;
use gait_core::account_page::{Change, ChangeError};
use gait_core::continuous::{SignalError, WatchError, WatchState};
use gait_core::token::BearerError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Where the collector will run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchTokenRequest {
    /// The page's origin, for example `https://app.example`.
    origin: String,
}

/// A watch token.
#[derive(Serialize, ToSchema)]
pub struct WatchTokenResponse {
    /// The token: opaque, good for nothing but samples.
    watch_token: String,
    /// Seconds that it lives.
    expires_in: u32,
    /// Where samples go.
    samples_endpoint: String,
}

/// Issues a watch token for the session of an access token with scope `continuous_auth`.
#[utoipa::path(post, path = "/continuous/token", tag = "Continuous authentication", security(("bearer" = [])), request_body = WatchTokenRequest,
    responses((status = 200, body = WatchTokenResponse), (status = 401, description = "invalid_token"), (status = 403, description = "insufficient_scope, consent_required or invalid_origin"), (status = 409, description = "session_ended")))]
pub async fn watch_token(State(app): State<App>, program: Program, body: Bytes) -> Response {
    let Some(bearer) = program.bearer() else {
        return bearer_error(BearerError::Missing);
    };
    let Ok(request) = serde_json::from_slice::<WatchTokenRequest>(&body) else {
        return bad_request("invalid_request", "the body must be {\"origin\": …}");
    };
    match app.idp.watch_token(bearer, &request.origin, program.origin.as_deref()).await {
        Ok(watch) => Json(WatchTokenResponse {
            watch_token: watch.token.expose().to_owned(),
            expires_in: watch.expires_in,
            samples_endpoint: format!("{}/continuous/samples", app.idp.issuer()),
        })
        .into_response(),
        Err(error) => watch_error(error),
    }
}

/// What a batch looks like. Empty lists are missing data.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation of the body that the core parses")]
pub struct SampleBatch {
    /// Version of this format: 1.
    v: u32,
    /// Grows within a session.
    seq: u64,
    /// Milliseconds that it covers.
    span_ms: f64,
    /// Resolution of the browser's clock in milliseconds.
    clock_ms: f64,
    /// `none`, `mouse` or `touch`.
    pointer: String,
    /// Lists of numbers: `hold_ms`, `flight_ms`, `mouse_velocity`, `click_frequency`, `dwell_ms`, `scroll_distance`, `keypress_rate`,
    /// `cursor_variation`; at most 500 each.
    #[schema(value_type = Object)]
    metrics: serde_json::Value,
    /// Milliseconds from keydown to the next keydown, 0 to 60000; at most 500.
    #[schema(required = false)]
    digraph_ms: Vec<f64>,
    /// Shuffled timings by key, `[key, next, ms]`: a key's number (1 to 255), that of the key after it, or 0 where it is how long
    /// the key was held, and milliseconds; at most 1000. Only where an answer said `keys`; dropped elsewhere.
    #[schema(required = false, value_type = Vec<Vec<f64>>)]
    keys: Vec<(u8, u8, f32)>,
    /// Finished strokes of the pointer, one after another: points `[dt_ms, dx, dy, what]` relative to the point before, the first
    /// one `[0, 0, 0, …]`, in milliseconds (at most 60000) and CSS pixels (at most 20000 in one direction); `what` is 0 for a
    /// move, 1 for a button that goes down, 2 for a drag, 3 for a button let go. At most 1500.
    #[schema(required = false, value_type = Vec<Vec<f64>>)]
    path: Vec<(f32, f32, f32, u8)>,
}

/// The answer to a batch. No score leaves the server.
#[derive(Serialize, ToSchema)]
pub struct SampleResponse {
    /// `ok`, `step_up` or `ended`.
    #[schema(value_type = String)]
    state: WatchState,
    /// Seconds until the next batch.
    next_s: u32,
    /// A renewed token, in good time.
    #[serde(skip_serializing_if = "Option::is_none")]
    watch_token: Option<String>,
    /// Whether the next batches may hold `keys`.
    keys: bool,
}

/// Takes a batch of measurements under a watch token.
#[utoipa::path(post, path = "/continuous/samples", tag = "Continuous authentication", security(("watch_token" = [])), request_body = SampleBatch,
    responses((status = 200, body = SampleResponse), (status = 400, description = "invalid_request"), (status = 401, description = "invalid_token"), (status = 413, description = "Over 16 KiB"), (status = 429, description = "Too many batches")))]
pub async fn samples(State(app): State<App>, program: Program, body: Bytes) -> Response {
    let Some(bearer) = program.bearer() else {
        return watch_error(WatchError::WatchToken);
    };
    match app
        .idp
        .sample(bearer, program.origin.as_deref(), &body, &program.request_id)
        .await
    {
        Ok(answer) => Json(SampleResponse {
            state: answer.state,
            next_s: answer.next_s,
            watch_token: answer.watch_token.map(|token| token.expose().to_owned()),
            keys: answer.keys,
        })
        .into_response(),
        Err(error) => watch_error(error),
    }
}

fn watch_error(error: WatchError) -> Response {
    let text = error.to_string();
    match error {
        WatchError::Bearer(error) => bearer_error(error),
        WatchError::NoConsent => json_error(StatusCode::FORBIDDEN, "consent_required", &text),
        WatchError::Origin => json_error(StatusCode::FORBIDDEN, "invalid_origin", &text),
        WatchError::SessionEnded => json_error(StatusCode::CONFLICT, "session_ended", &text),
        WatchError::WatchToken => json_error(StatusCode::UNAUTHORIZED, "invalid_token", &text),
        WatchError::Bad(why) => bad_request("invalid_request", &why),
        WatchError::Core(error) => core_error(&error),
    }
}

/// Takes a security event token from a configured sender (RFC 8935 §2).
#[utoipa::path(post, path = "/continuous/signals", tag = "Continuous authentication", security(("bearer" = [])),
    request_body(content = String, content_type = "application/secevent+jwt", description = "A SET (RFC 8417) with one CAEP event: risk-level-change or session-revoked"),
    responses((status = 202, description = "Stored"), (status = 400, description = "`err` and `description` (RFC 8935 §2.3)", body = Object), (status = 401, description = "Unknown sender")))]
pub async fn signals(State(app): State<App>, program: Program, headers: HeaderMap, body: String) -> Response {
    let is_set = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .eq_ignore_ascii_case("application/secevent+jwt")
        });
    if !is_set {
        return set_error(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "the body must be application/secevent+jwt",
        );
    }
    match app.idp.signal(program.bearer(), body.trim(), &program.request_id).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(SignalError::Refused { err, description }) => {
            let status = match err {
                "authentication_failed" => StatusCode::UNAUTHORIZED,
                "access_denied" => StatusCode::FORBIDDEN,
                _ => StatusCode::BAD_REQUEST,
            };
            set_error(status, err, &description)
        }
        Err(SignalError::Core(error)) => core_error(&error),
    }
}

fn set_error(status: StatusCode, err: &str, description: &str) -> Response {
    (status, Json(json!({ "err": err, "description": description }))).into_response()
}

/// The account's mode.
#[derive(Serialize, ToSchema)]
pub struct ModeResponse {
    /// `train` or `auth`.
    #[schema(value_type = String)]
    mode: Mode,
    /// Whether `auth` may be chosen.
    enrolled: bool,
    /// Samples learned.
    samples: u32,
    /// Samples until enrolment.
    needed: u32,
    /// Goes back with a change, as `csrf`.
    csrf: String,
}

/// The mode of the account that is signed in here.
#[utoipa::path(get, path = "/mode", tag = "Account", security(("session" = [])),
    responses((status = 200, body = ModeResponse), (status = 401, description = "Not signed in")))]
pub async fn mode(State(app): State<App>, browser: Browser) -> Response {
    let found = async {
        let Some(who) = app.idp.signed_in(&browser.caller).await? else {
            return Ok(None);
        };
        let behaviour = app.idp.account_page(&who).await?.behaviour;
        Ok(Some((who.csrf, behaviour)))
    };
    match found.await {
        Ok(Some((csrf, behaviour))) => Json(ModeResponse {
            mode: behaviour.mode,
            enrolled: behaviour.enrolled,
            samples: behaviour.samples,
            needed: behaviour.needed,
            csrf,
        })
        .into_response(),
        Ok(None) => json_error(StatusCode::UNAUTHORIZED, "login_required", "not signed in"),
        Err(error) => core_error(&error),
    }
}

/// Changes the mode: `mode` (`train` or `auth`) and `csrf`. Needs a fresh proof to switch the watch off, and enrolment to switch it on.
#[utoipa::path(post, path = "/mode", tag = "Account", security(("session" = [])),
    request_body(content_type = "application/x-www-form-urlencoded", content = Object, description = "`mode`, `csrf`"),
    responses((status = 204, description = "Changed"), (status = 400, description = "Refused"), (status = 401, description = "Not signed in, or a fresh proof is needed"), (status = 403, description = "csrf")))]
pub async fn set_mode(State(app): State<App>, browser: Browser, params: Result<Params, BadForm>) -> Response {
    let fields = match params.and_then(Params::fields) {
        Ok(fields) => fields,
        Err(bad) => return bad_request("invalid_request", bad.0),
    };
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let mode = match field("mode") {
        "train" => Mode::Train,
        "auth" => Mode::Auth,
        _ => return bad_request("invalid_request", "mode is train or auth"),
    };
    if !browser.is_same_origin(app.idp.issuer()) {
        return json_error(StatusCode::FORBIDDEN, "csrf", "another site made this request");
    }
    match app.idp.change(&Change::Mode(mode), field("csrf"), &browser.caller).await {
        Ok(cookies) => (super::cookies::changes(cookies), StatusCode::NO_CONTENT).into_response(),
        Err(error) => change_error(&error),
    }
}

fn change_error(error: &ChangeError) -> Response {
    let text = error.to_string();
    match error {
        ChangeError::SignedOut => json_error(StatusCode::UNAUTHORIZED, "login_required", &text),
        ChangeError::OutOfDate => json_error(StatusCode::FORBIDDEN, "csrf", &text),
        ChangeError::NeedsProof | ChangeError::StepUpPending => {
            json_error(StatusCode::UNAUTHORIZED, "insufficient_user_authentication", &text)
        }
        ChangeError::NotFound => json_error(StatusCode::NOT_FOUND, "not_found", &text),
        ChangeError::Refused(_) => bad_request("refused", &text),
        ChangeError::Core(error) => core_error(error),
    }
}
