//! A small app that signs people in with Gait, is watched by it, and shows what it is told.
//!
//! It stands on `axum`, `openidconnect` and `oauth2` and on none of Gait's crates, as an app of yours would. What to read:
//! [`Provider`](provider::Provider) for the sign-in, `web/watch.rs` for the watch token, `jws.rs`, `set.rs` and
//! `logout_token.rs` for the callbacks that come from Gait, `signal.rs` for those that go to it, `api.rs` for a resource
//! server that asks for a step-up (RFC 9470).

mod api;
mod callbacks;
mod clock;
mod config;
mod jws;
mod logout_token;
mod pending;
mod provider;
mod seen;
mod session;
mod set;
mod signal;
mod web;

pub use api::{Access, Challenge, Introspection, StepUpFields, decide};
pub use config::{Config, Secret};
pub use jws::JwsError;
pub use logout_token::{LogoutTokenError, verify_logout_token};
pub use provider::ProviderError;
pub use set::{Event, Expected, Set, SetError, Subject, verify_set};
pub use signal::{SignalEvent, SignalKey};
pub use web::app;

/// The rhythms that "Play Alice" and "Play the attacker" are made from: JSON, see its member `about`.
pub const RHYTHMS: &str = include_str!("../rhythms.json");
/// The demo's private signal key, PKCS#8 PEM (ES256). Everybody knows it: for localhost only.
pub const DEMO_SIGNAL_KEY_PEM: &str = include_str!("../demo-signal-key.pem");
/// The public half of [`DEMO_SIGNAL_KEY_PEM`] as a JWK set.
pub const DEMO_SIGNAL_JWKS: &str = include_str!("../demo-signal-jwks.json");

/// Why the app can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A URL in the configuration is none.
    #[error("{name} is not a URL: {source}")]
    Url {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The signal key is no ES256 key in PKCS#8 PEM.
    #[error("the signal key is not an ES256 private key in PKCS#8 PEM: {0}")]
    SignalKey(#[from] jsonwebtoken::errors::Error),
    /// The HTTP client can't be built.
    #[error("the HTTP client can't be built: {0}")]
    Client(#[from] reqwest::Error),
    /// A template doesn't parse.
    #[error("a template is broken: {0}")]
    Template(#[from] minijinja::Error),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves the app on `listener` until the task is dropped. The issuer may come up later: it is discovered on first use.
///
/// # Errors
/// [`StartError`] for a bad configuration, or when the listener fails.
pub async fn serve(listener: tokio::net::TcpListener, config: Config) -> Result<(), StartError> {
    axum::serve(listener, app(config)?).await?;
    Ok(())
}
