//! Enough of an identity provider to sign in, to be introspected, and to sign callbacks.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub const ISSUER: &str = "http://localhost:8080";
pub const CLIENT: &str = "demo-app";
pub const KID: &str = "fake-1";

pub fn signing_key() -> EncodingKey {
    EncodingKey::from_rsa_pem(include_bytes!("../fake-issuer-key.pem")).unwrap()
}

pub fn keys() -> JwkSet {
    let mut jwk = Jwk::from_encoding_key(&signing_key(), Algorithm::RS256).unwrap();
    jwk.common.key_id = Some(KID.into());
    JwkSet { keys: vec![jwk] }
}

pub fn sign(typ: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.typ = Some(typ.into());
    header.kid = Some(KID.into());
    jsonwebtoken::encode(&header, claims, &signing_key()).unwrap()
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the fake issuer answers next, and what it was asked.
#[derive(Default)]
pub struct Script {
    /// Changes to the ID token; null removes a claim.
    pub id_token: Value,
    /// The introspection answer.
    pub introspection: Value,
    /// How the watch token endpoint answers.
    pub watch: Option<(u16, Value)>,
    /// How the refresh grant answers, if it isn't new tokens.
    pub refresh_error: Option<Value>,
    /// The `nonce` and `code_challenge` of the authorization request.
    pub nonce: String,
    pub code_challenge: String,
    pub refreshed: u32,
    pub signals: Vec<String>,
    pub watch_requests: Vec<(String, Value)>,
}

#[derive(Clone)]
pub struct FakeIssuer {
    pub url: String,
    pub script: Arc<Mutex<Script>>,
}

/// Starts one on a free port.
pub async fn start() -> FakeIssuer {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let fake = FakeIssuer {
        url,
        script: Arc::default(),
    };
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(|| async { Json(keys()) }))
        .route("/token", post(token))
        .route("/introspect", post(introspect))
        .route("/continuous/token", post(watch_token))
        .route("/continuous/signals", post(signal))
        .with_state(fake.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    fake
}

async fn discovery(State(fake): State<FakeIssuer>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", fake.url);
    Json(json!({
        "issuer": fake.url, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"), "introspection_endpoint": at("/introspect"), "end_session_endpoint": at("/end_session"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"], "authorization_response_iss_parameter_supported": true,
    }))
}

async fn token(State(fake): State<FakeIssuer>, headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
    let refuse = |error: Value| (StatusCode::BAD_REQUEST, Json(error)).into_response();
    if basic(&headers) != "demo-app:demo-app-secret-for-localhost-only" {
        return refuse(json!({ "error": "invalid_client" }));
    }
    let mut script = fake.script.lock().unwrap();
    if form["grant_type"] == "refresh_token" {
        script.refreshed += 1;
        return match &script.refresh_error {
            Some(error) => refuse(error.clone()),
            None => Json(
                json!({ "access_token": format!("at-r{}", script.refreshed), "token_type": "Bearer", "expires_in": 300,
                "refresh_token": format!("rt-r{}", script.refreshed), "scope": "openid continuous_auth" }),
            )
            .into_response(),
        };
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, form["code_verifier"].as_bytes());
    if form["code"] != "good-code" || base64url(digest) != script.code_challenge {
        return refuse(json!({ "error": "invalid_grant" }));
    }
    let mut claims = json!({ "iss": fake.url, "aud": CLIENT, "sub": "alice", "sid": "s1", "iat": now(), "exp": now() + 300,
        "auth_time": now(), "nonce": script.nonce, "acr": "urn:x:1fa", "amr": ["pwd"], "email": "alice@example.com", "name": "Alice" });
    for (name, value) in script.id_token.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    Json(
        json!({ "access_token": "at-1", "token_type": "Bearer", "expires_in": 300, "refresh_token": "rt-1",
        "scope": "openid email continuous_auth", "id_token": sign("JWT", &claims) }),
    )
    .into_response()
}

async fn introspect(State(fake): State<FakeIssuer>, headers: HeaderMap) -> Response {
    if basic(&headers) != "demo-api:demo-api-secret-for-localhost-only" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(fake.script.lock().unwrap().introspection.clone()).into_response()
}

async fn watch_token(State(fake): State<FakeIssuer>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut script = fake.script.lock().unwrap();
    let bearer = headers["authorization"].to_str().unwrap().to_owned();
    script.watch_requests.push((bearer.clone(), body));
    if bearer == "Bearer at-1"
        && let Some((status, answer)) = script.watch.clone()
    {
        return (StatusCode::from_u16(status).unwrap(), Json(answer)).into_response();
    }
    let samples = format!("{}/continuous/samples", fake.url);
    Json(json!({ "watch_token": "gait_wt_1", "expires_in": 600, "samples_endpoint": samples })).into_response()
}

async fn signal(State(fake): State<FakeIssuer>, headers: HeaderMap, body: String) -> StatusCode {
    assert_eq!(headers["content-type"], "application/secevent+jwt");
    assert_eq!(headers["authorization"], "Bearer demo-signal-secret-for-localhost-only");
    fake.script.lock().unwrap().signals.push(body);
    StatusCode::ACCEPTED
}

fn basic(headers: &HeaderMap) -> String {
    let value = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let decoded = STANDARD.decode(value.trim_start_matches("Basic ")).unwrap_or_default();
    String::from_utf8(decoded).unwrap_or_default()
}

#[allow(clippy::disallowed_methods, reason = "the fake tells the real time")]
pub fn now() -> i64 {
    i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap()
}
