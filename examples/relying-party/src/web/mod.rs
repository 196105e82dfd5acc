//! The routes, on one screen, and what every answer has in common.

mod actions;
mod callbacks;
mod note;
mod pages;
mod sign_in;
mod watch;

use crate::callbacks::Callbacks;
use crate::config::{Config, Origins};
use crate::pending::Pending;
use crate::provider::{Gait, ProviderError};
use crate::seen::Seen;
use crate::session::{Session, Sessions};
use crate::signal::SignalKey;
use crate::{StartError, jws};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use minijinja::{Environment, UndefinedBehavior, context};
use openidconnect::CsrfToken;
use std::sync::Arc;

/// Everything that a handler needs.
struct Shared {
    config: Arc<Config>,
    origins: Origins,
    policy: HeaderValue,
    gait: Gait,
    sessions: Sessions,
    pending: Pending,
    seen: Seen,
    callbacks: Callbacks,
    signals: SignalKey,
    templates: Environment<'static>,
}

type App = Arc<Shared>;

/// The app. The issuer is discovered on first use, and may come up later.
///
/// # Errors
/// [`StartError`] for a bad configuration.
pub fn app(config: Config) -> Result<Router, StartError> {
    let config = Arc::new(config);
    let origins = config.origins()?;
    let shared = Arc::new(Shared {
        policy: policy(&origins),
        gait: Gait::new(config.clone(), &origins)?,
        sessions: Sessions::default(),
        pending: Pending::default(),
        seen: Seen::default(),
        callbacks: Callbacks::default(),
        signals: SignalKey::new(&config)?,
        templates: templates()?,
        origins,
        config,
    });
    let routes = Router::new()
        .route("/", get(pages::home))
        .route("/assets/{name}", get(pages::asset))
        .route("/login", get(sign_in::login))
        .route("/callback", get(sign_in::callback))
        .route("/logout", post(sign_in::logout))
        .route("/watch-token", post(watch::token))
        .route("/events.json", get(watch::events))
        .route("/call-api", post(actions::call_api))
        .route("/refresh", post(actions::refresh))
        .route("/signal", post(actions::signal))
        .route("/api/note", get(note::note))
        .route("/continuous-callback", post(callbacks::continuous))
        .route("/backchannel-logout", post(callbacks::logout))
        .fallback(async || PageError::NotFound)
        .layer(DefaultBodyLimit::max(jws::MAX_TOKEN_BYTES + 1024));
    Ok(routes
        .layer(map_response_with_state(shared.clone(), finish))
        .with_state(shared))
}

/// Scripts and connections may go to this app and to Gait, and to nobody else.
fn policy(origins: &Origins) -> HeaderValue {
    let issuer = &origins.issuer;
    let text = format!(
        "default-src 'none'; script-src 'self' {issuer}; connect-src 'self' {issuer}; style-src 'self'; img-src 'self'; \
         form-action 'self' {issuer}; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_template("layout.html", include_str!("../../templates/layout.html"))?;
    templates.add_template("signed_out.html", include_str!("../../templates/signed_out.html"))?;
    templates.add_template("app.html", include_str!("../../templates/app.html"))?;
    templates.add_template("error.html", include_str!("../../templates/error.html"))?;
    Ok(templates)
}

/// Gives every answer its security headers, and an error its page.
async fn finish(State(app): State<App>, mut response: Response) -> Response {
    if let Some(Failure(text)) = response.extensions().get::<Failure>().cloned() {
        let status = response.status();
        response = (status, render(&app, "error.html", context! { message => text })).into_response();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, app.policy.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn render(app: &Shared, name: &str, context: minijinja::Value) -> Response {
    let page = app.templates.get_template(name).and_then(|template| template.render(context));
    match page {
        Ok(html) => ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => {
            tracing::error!(%error, name, "a page can't be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "The page can't be shown.").into_response()
        }
    }
}

/// What the error page says.
#[derive(Clone)]
struct Failure(String);

/// Why a page can't be answered.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("{0}")]
    Request(String),
    /// The person cancelled, or Gait would not.
    #[error("Gait has not confirmed who you are: {0} (access_denied).")]
    Denied(String),
    #[error("There is no such page.")]
    NotFound,
    #[error("Please sign in first.")]
    SignedOut,
    #[error("This form is too old. Please go back and load the page again.")]
    Forged,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Provider(ProviderError::Unreachable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Provider(_) => StatusCode::BAD_GATEWAY,
            Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Denied(_) | Self::Forged => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
        };
        tracing::info!(error = %self, "refused");
        let mut response = status.into_response();
        response.extensions_mut().insert(Failure(self.to_string()));
        response
    }
}

/// The name of a cookie: `__Host-` keeps other hosts and plain HTTP from setting it, and needs HTTPS itself.
fn cookie_name(origins: &Origins, name: &'static str) -> String {
    if origins.secure {
        format!("__Host-{name}")
    } else {
        name.to_owned()
    }
}

fn cookie(origins: &Origins, name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build((cookie_name(origins, name), value))
        .path("/")
        .http_only(true)
        .secure(origins.secure)
        .same_site(SameSite::Lax)
        .build()
}

fn cookie_value(origins: &Origins, jar: &CookieJar, name: &'static str) -> Option<String> {
    jar.get(&cookie_name(origins, name)).map(|cookie| cookie.value().to_owned())
}

/// The cookie of a session.
const SESSION: &str = "rp-session";
/// The cookie of a browser that was sent to Gait.
const BROWSER: &str = "rp-browser";

fn session(app: &Shared, jar: &CookieJar) -> Option<Arc<Session>> {
    app.sessions.get(&cookie_value(&app.origins, jar, SESSION)?)
}

/// The form of a button.
#[derive(serde::Deserialize)]
struct Button {
    csrf: CsrfToken,
}

/// The session of the person who pressed a button on this app's own page.
fn pressed(app: &Shared, jar: &CookieJar, csrf: &CsrfToken) -> Result<Arc<Session>, PageError> {
    let session = session(app, jar).ok_or(PageError::SignedOut)?;
    if *csrf == session.csrf {
        Ok(session)
    } else {
        Err(PageError::Forged)
    }
}
