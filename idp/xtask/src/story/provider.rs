//! The provider under test: the real one, on an ephemeral port of loopback, with a database in a temporary folder.

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::StreamExt as _;
use gait::config::Config;
use gait::jobs::Jobs;
use gait::lease::Keeper;
use gait::mail::{Catcher, Outlet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The account.
pub const USERNAME: &str = "alice";
/// Its address.
pub const EMAIL: &str = "alice@example.test";
/// Its password.
pub const PASSWORD: &str = "a quiet path along the river";
/// The app.
pub const APP: &str = "story-app";
/// Its secret.
pub const APP_SECRET: &str = "story-app-secret-that-is-long-enough";
/// The app's API, a resource server that understands step-ups.
pub const API: &str = "story-api";
/// Its secret.
pub const API_SECRET: &str = "story-api-secret-that-is-long-enough";

/// The script says when to learn, so that every run is the same: the job's turn never comes.
const RETRAIN_EVERY_S: u32 = 86_400;

/// When the server had read the last byte of the latest batch.
#[derive(Clone, Default)]
pub struct LastByte(Arc<Mutex<Option<Instant>>>);

impl LastByte {
    #[allow(clippy::disallowed_methods, reason = "a stopwatch, not a rule that depends on time")]
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The time since; `None` before the first batch.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed())
    }
}

/// The provider.
pub struct Provider {
    /// Its issuer.
    pub issuer: String,
    /// Itself, for what no request can do: to have it learn now.
    pub app: gait::App,
    /// The mail that it sends.
    pub mails: Catcher,
    /// The stopwatch of batches.
    pub last_byte: LastByte,
    _jobs: Jobs,
    _folder: TempDir,
}

impl Provider {
    /// Starts it, with an app that lives at `app_origin`.
    ///
    /// # Errors
    /// No port is free, or the provider can't start.
    pub async fn start(app_origin: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let config = Config::parse(
            &configuration(&issuer, app_origin),
            "the story's configuration",
            folder.path(),
        )?;
        let mails = Catcher::default();
        let app = gait::App::builder(config)
            .outlet(Outlet::Catch(mails.clone()))
            .build()
            .await
            .context("the provider")?;
        // Served by ourselves, as `App::serve` has no place for a stopwatch.
        let jobs = app.start_jobs(&Arc::new(Keeper::new(app.idp.clone())));
        let last_byte = LastByte::default();
        let stopwatch = from_fn_with_state(last_byte.clone(), note_last_byte);
        let service = gait::http::router(app.http.clone(), Router::new()).layer(stopwatch);
        tokio::spawn(async move { axum::serve(listener, service.into_make_service_with_connect_info::<SocketAddr>()).await });
        Ok(Self {
            issuer,
            app,
            mails,
            last_byte,
            _jobs: jobs,
            _folder: folder,
        })
    }
}

/// Notes when the server reads the bytes of a batch; the last note stands.
async fn note_last_byte(State(last_byte): State<LastByte>, request: Request, next: Next) -> Response {
    if request.uri().path() != "/continuous/samples" {
        return next.run(request).await;
    }
    let watched = request.map(|body| Body::from_stream(body.into_data_stream().inspect(move |_| last_byte.now())));
    next.run(watched).await
}

fn configuration(issuer: &str, app_origin: &str) -> String {
    format!(
        r#"
issuer = "{issuer}"
retrain_every_s = {RETRAIN_EVERY_S}
trusted_proxies = ["127.0.0.1/32"]
# The app's callbacks go to this machine, by http.
allow_private_receivers = true

[policy]
plan = [["password"], ["ip-trust", "email-otp"]]
# The password first: only a few mails an hour go to one account, and the sign-ins need them.
step_up = [["password", "email-otp"]]

[[client]]
id = "{APP}"
secret = "{APP_SECRET}"
redirect_uris = ["{app_origin}/callback"]
origins = ["{app_origin}"]
scopes = ["openid", "offline_access", "continuous_auth"]
audience = ["{API}"]
backchannel_logout_uri = "{app_origin}/backchannel-logout"
continuous_auth_callback_uri = "{app_origin}/continuous-callback"

[[client]]
id = "{API}"
secret = "{API_SECRET}"
grant_types = []
introspects = true
step_up_aware = true

[[account]]
username = "{USERNAME}"
email = "{EMAIL}"
email_verified = true
password = "{PASSWORD}"
"#
    )
}
