//! The protocol's endpoints for programs: discovery, keys, token, userinfo, introspection, revocation.

use super::App;
use super::caller::Program;
use super::form::{BadForm, Params};
use super::reply::{Json, bearer_error, oauth_error};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request, State};
use axum::http::Method;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use gait_core::token::{BearerError, ClientRequest};
use std::sync::Arc;

/// Seconds that discovery and keys may be cached: half of what a rotated key stays published at least.
const PUBLIC_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const ANYWHERE: HeaderValue = HeaderValue::from_static("*");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Discovery (OIDC Discovery 1.0 §4, RFC 8414 §3).
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "OpenID Connect",
    responses((status = 200, description = "The provider's metadata", content_type = "application/json", body = Object)))]
pub async fn discovery(State(app): State<App>) -> Response {
    public_json(app.discovery.clone())
}

/// The published keys (RFC 7517).
#[utoipa::path(get, path = "/jwks.json", tag = "OpenID Connect",
    responses((status = 200, description = "JWK set", content_type = "application/json", body = Object)))]
pub async fn jwks(State(app): State<App>) -> Response {
    public_json(Bytes::from_owner(Arc::<[u8]>::from(app.idp.jwks())))
}

/// Readable from anywhere.
fn public_json(text: Bytes) -> Response {
    let headers = [
        (CACHE_CONTROL, PUBLIC_CACHE),
        (CONTENT_TYPE, JSON),
        (ACCESS_CONTROL_ALLOW_ORIGIN, ANYWHERE),
    ];
    (headers, text).into_response()
}

/// A client's form request, taken apart for the core.
pub struct ClientForm(ClientRequest);

impl FromRequest<App> for ClientForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let program = Program::from_request_parts(&mut parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let params = Params::from_request(Request::from_parts(parts, body), app)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self(ClientRequest {
            params: params.0,
            authorization: program.authorization,
            address: program.address,
            request_id: program.request_id,
        }))
    }
}

/// Token endpoint (RFC 6749 §3.2).
#[utoipa::path(post, path = "/token", tag = "OpenID Connect",
    request_body(content_type = "application/x-www-form-urlencoded", content = Object,
        description = "`grant_type` authorization_code (code, redirect_uri, code_verifier), refresh_token (refresh_token, scope?) or client_credentials (scope?); client authentication by Basic, form or private_key_jwt"),
    responses((status = 200, description = "Tokens", body = Object), (status = 400, description = "OAuth error", body = Object), (status = 401, description = "invalid_client", body = Object), (status = 429, description = "Too many failed tries")))]
pub async fn token(State(app): State<App>, ClientForm(request): ClientForm) -> Response {
    match app.idp.token(&request).await {
        Ok(tokens) => Json(tokens).into_response(),
        Err(error) => oauth_error(error),
    }
}

/// Introspection (RFC 7662).
#[utoipa::path(post, path = "/introspect", tag = "OpenID Connect",
    request_body(content_type = "application/x-www-form-urlencoded", content = Object, description = "`token`, `token_type_hint`?; client authentication"),
    responses((status = 200, description = "`active`, and what is known; `step_up_required` for step-up-aware resource servers", body = Object), (status = 401, description = "invalid_client", body = Object)))]
pub async fn introspect(State(app): State<App>, ClientForm(request): ClientForm) -> Response {
    match app.idp.introspect(&request).await {
        Ok(view) => Json(view).into_response(),
        Err(error) => oauth_error(error),
    }
}

/// Revocation (RFC 7009).
#[utoipa::path(post, path = "/revoke", tag = "OpenID Connect",
    request_body(content_type = "application/x-www-form-urlencoded", content = Object, description = "`token`, `token_type_hint`?; client authentication"),
    responses((status = 200, description = "Revoked, or unknown"), (status = 401, description = "invalid_client", body = Object)))]
pub async fn revoke(State(app): State<App>, ClientForm(request): ClientForm) -> Response {
    match app.idp.revoke(&request).await {
        Ok(()) => ().into_response(),
        Err(error) => oauth_error(error),
    }
}

/// UserInfo (OIDC Core §5.3): the token in the header, or in a POST's form (RFC 6750 §2.2).
#[utoipa::path(get, path = "/userinfo", tag = "OpenID Connect", security(("bearer" = [])),
    responses((status = 200, description = "Claims", body = Object), (status = 401, description = "invalid_token, or insufficient_user_authentication (RFC 9470)"), (status = 403, description = "insufficient_scope")))]
pub async fn userinfo(State(app): State<App>, method: Method, program: Program, params: Result<Params, BadForm>) -> Response {
    let mut shown: Vec<String> = program.bearer().map(str::to_owned).into_iter().collect();
    if let (true, Ok(params)) = (method == Method::POST, params) {
        let in_form = params.0.into_iter().filter(|(name, _)| name == "access_token");
        shown.extend(in_form.map(|(_, token)| token));
    }
    let bearer = match shown.as_slice() {
        [bearer] => bearer,
        [] => return bearer_error(BearerError::Missing),
        _ => return bearer_error(BearerError::InvalidRequest("one token, please".to_owned())),
    };
    match app.idp.userinfo(bearer).await {
        Ok(claims) => Json(claims).into_response(),
        Err(error) => bearer_error(error),
    }
}
