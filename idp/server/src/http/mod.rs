//! Every route on one screen. A handler takes the request apart, calls the core, and puts the answer together; it decides nothing.

mod account;
mod address;
mod approve;
mod assets;
mod authorize;
mod caller;
mod continuous;
mod cookies;
mod cors;
mod flow;
mod form;
mod headers;
mod health;
mod language;
mod limits;
mod logout;
mod oidc;
pub mod openapi;
mod pages;
mod recovery;
mod reply;
mod trace;

pub use caller::Browser;
pub use health::Readiness;
pub use pages::plain as plain_page;

use crate::metrics::Metrics;
use crate::sink::callbacks::Callbacks;
use crate::sink::otlp::Traces;
use crate::sink::{Line, Queue};
use crate::theme::Themes;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use gait_core::Idp;
use ipnet::IpNet;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

/// Largest body of a form or SET in bytes.
const MAX_BODY: usize = 64 * 1024;
/// Largest batch of samples in bytes.
const MAX_SAMPLES: usize = 16 * 1024;
/// Deadline of a request.
const DEADLINE: Duration = Duration::from_secs(30);

/// What handlers share. It is cloned for each request and each layer, so a clone is one count.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What is in an [`App`].
pub struct Shared {
    /// The provider.
    pub idp: Arc<Idp>,
    /// The discovery document, written once.
    pub discovery: Bytes,
    /// Themes.
    pub themes: Arc<Themes>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Deliveries, for who must not answer before the apps were told.
    pub callbacks: Callbacks,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where requests are shipped to, if anywhere.
    pub request_log: OnceLock<Queue<Line>>,
    /// The collector that they are told to as traces, if any.
    pub traces: OnceLock<Traces>,
    /// Whether this node wants work.
    pub readiness: Readiness,
}

impl App {
    /// Shares it.
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What every route is held to: how large a body is, and how long a request takes, its body included.
pub(crate) fn bounded<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.layer(
        ServiceBuilder::new()
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, DEADLINE))
            .layer(DefaultBodyLimit::max(MAX_BODY)),
    )
}

/// The whole provider as a service; `extra` are further routes, such as the dev mode's.
pub fn router(app: App, extra: Router<App>) -> Router {
    let public = Router::new()
        .route("/.well-known/openid-configuration", get(oidc::discovery))
        .route("/.well-known/oauth-authorization-server", get(oidc::discovery))
        .route("/jwks.json", get(oidc::jwks));

    let registered = Router::new()
        .route("/token", post(oidc::token).options(cors::preflight))
        .route("/userinfo", get(oidc::userinfo).post(oidc::userinfo).options(cors::preflight))
        .route("/revoke", post(oidc::revoke).options(cors::preflight))
        .route("/continuous/token", post(continuous::watch_token).options(cors::preflight))
        .route(
            "/continuous/samples",
            post(continuous::samples)
                .options(cors::preflight)
                .layer(DefaultBodyLimit::max(MAX_SAMPLES)),
        )
        // Before the layer, which answers the preflights: a fallback that is set after it would take them.
        .method_not_allowed_fallback(pages::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(app.clone(), limits::programs))
        .layer(axum::middleware::from_fn_with_state(app.clone(), cors::registered_origin));

    let servers = Router::new()
        .route("/introspect", post(oidc::introspect))
        .route("/continuous/signals", post(continuous::signals))
        .layer(axum::middleware::from_fn_with_state(app.clone(), limits::programs));

    let programs = Router::new()
        .route("/mode", get(continuous::mode).post(continuous::set_mode))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/static/{*path}", get(assets::file))
        .merge(openapi::routes());

    let pages = Router::new()
        .route("/", get(account::home))
        .route("/authorize", get(authorize::authorize).post(authorize::authorize))
        .route("/end_session", get(logout::end_session).post(logout::end_session))
        .route("/end_session/confirm", post(logout::confirm))
        .route("/flow/{id}", get(flow::show).post(flow::answer))
        .route("/approve/done", get(approve::done))
        .route("/approve/ended", get(approve::ended))
        .route("/approve/{token}", get(approve::show).post(approve::answer))
        .route("/recovery", get(recovery::start).post(recovery::send))
        .route("/recovery/sent", get(recovery::sent))
        .route("/recovery/done", get(recovery::done))
        .route("/recovery/{token}", get(recovery::show).post(recovery::set))
        .route("/account", get(account::show).post(account::change))
        .route("/account/export", post(account::export))
        .merge(extra)
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(app.clone(), language::switch))
        .layer(CompressionLayer::new().gzip(true));

    let all = Router::new()
        .merge(public)
        .merge(registered)
        .merge(servers)
        .merge(programs)
        .merge(pages)
        .method_not_allowed_fallback(pages::method_not_allowed);
    bounded(all)
        .layer(
            // One layer of our own: each of these costs every request a copy of all that is inside it.
            ServiceBuilder::new()
                .layer(axum::middleware::from_fn_with_state(app.clone(), trace::request))
                .layer(CatchPanicLayer::new()),
        )
        .with_state(app)
}
