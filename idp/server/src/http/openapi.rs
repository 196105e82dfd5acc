//! OpenAPI 3.1 of every JSON endpoint, browsable at `/apidocs` from embedded assets.

use super::{App, continuous, health, oidc};
use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use axum::response::Response;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

#[derive(OpenApi)]
#[openapi(
    info(title = "Gait", description = "An OpenID provider that keeps checking, after the sign-in, that the person is still the same person."),
    paths(
        oidc::discovery, oidc::jwks, oidc::token, oidc::userinfo, oidc::introspect, oidc::revoke, continuous::watch_token,
        continuous::samples, continuous::signals, continuous::mode, continuous::set_mode, health::healthz, health::readyz
    ),
    components(schemas(continuous::SampleBatch)),
    modifiers(&Schemes)
)]
struct Api;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = || SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("bearer", bearer());
        components.add_security_scheme("watch_token", bearer());
        let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-gait-session"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

/// `/openapi.json` and `/apidocs`.
pub fn routes() -> Router<App> {
    // The browser's assets set inline styles; they get a policy of their own, and only they.
    let ui = SwaggerUi::new("/apidocs").url("/openapi.json", document());
    Router::from(ui).layer(axum::middleware::map_response(allow_ui))
}

async fn allow_ui(mut response: Response) -> Response {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
                  frame-ancestors 'none'; base-uri 'none'";
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
