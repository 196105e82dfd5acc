//! The app's end of callbacks: takes logout tokens and security event tokens, and verifies them as an app of yours would.

use crate::app::App;
use anyhow::{Context as _, bail};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use gait::ports::SystemClock;
use gait_core::ports::Clock as _;
use jsonwebtoken::jwk::JwkSet;
use relying_party::{Event, Expected, Subject, verify_logout_token, verify_set};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

const POLL: Duration = Duration::from_millis(50);

/// A token as it came, and when, in seconds since the epoch.
#[derive(Clone)]
enum Token {
    Logout(String, i64),
    Event(String, i64),
}

type Received = Arc<Mutex<Vec<Token>>>;

/// Listens for callbacks.
pub struct Receiver {
    /// Where the app lives.
    pub origin: String,
    /// Its port.
    pub port: u16,
    received: Received,
}

impl Receiver {
    /// Starts listening.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let received = Received::default();
        let routes = Router::new()
            .route("/backchannel-logout", post(logout))
            .route("/continuous-callback", post(event))
            .with_state(received.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let origin = format!("http://{address}");
        let port = address.port();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { origin, port, received })
    }

    /// What was told so far, oldest first: the session that each is about, and what it says. Verifies all of it, by the time at which
    /// it came.
    ///
    /// # Errors
    /// One is not what it must be.
    pub fn told(&self, app: &App, keys: &JwkSet) -> anyhow::Result<Vec<(Option<String>, String)>> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner).clone();
        received.iter().map(|token| read(token, app, keys)).collect()
    }

    /// Waits until every kind of callback in `wanted` has come about the session `sid`; returns what was told of it, oldest first.
    ///
    /// # Errors
    /// One is missing when the time is up, or one is not what it must be.
    pub async fn verified(
        &self,
        app: &App,
        keys: &JwkSet,
        sid: &str,
        wanted: &[&str],
        within: Duration,
    ) -> anyhow::Result<Vec<String>> {
        let mut waited = Duration::ZERO;
        loop {
            let told = self.told(app, keys)?;
            let count = told.len();
            let about: Vec<_> = told
                .into_iter()
                .filter(|(session, _)| session.as_deref() == Some(sid))
                .map(|(_, what)| what)
                .collect();
            if wanted.iter().all(|kind| about.iter().any(|what| what.starts_with(kind))) {
                return Ok(about);
            }
            if waited >= within {
                bail!("of the callbacks {wanted:?} only these of {count} came within {within:?}: {about:?}");
            }
            tokio::time::sleep(POLL).await;
            waited += POLL;
        }
    }
}

async fn logout(State(received): State<Received>, body: String) -> StatusCode {
    let Some(token) = body.strip_prefix("logout_token=") else {
        return StatusCode::BAD_REQUEST;
    };
    received
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Token::Logout(token.to_owned(), SystemClock.now().0));
    StatusCode::OK
}

async fn event(State(received): State<Received>, body: String) -> StatusCode {
    received
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Token::Event(body, SystemClock.now().0));
    StatusCode::ACCEPTED
}

/// The session that a token is about, and what it says.
fn read(token: &Token, app: &App, keys: &JwkSet) -> anyhow::Result<(Option<String>, String)> {
    let (Token::Logout(_, now) | Token::Event(_, now)) = *token;
    let expected = Expected {
        issuer: app.issuer(),
        audience: app.client_id(),
        keys,
        now,
    };
    match token {
        Token::Logout(token, _) => {
            let (_, subject) = verify_logout_token(token, &expected).context("a logout token")?;
            Ok((subject.sid, "backchannel-logout (logout token)".to_owned()))
        }
        Token::Event(token, _) => {
            let set = verify_set(token, &expected).context("a security event token")?;
            let sid = set.subject.and_then(|Subject { sid, .. }| sid);
            Ok((
                sid,
                format!(
                    "{} (security event token, txn {})",
                    words(&set.event),
                    set.txn.unwrap_or_default()
                ),
            ))
        }
    }
}

fn words(event: &Event) -> String {
    match event {
        Event::RiskLevelChange {
            current_level,
            previous_level,
            risk_reason,
            ..
        } => {
            let reason = risk_reason.as_deref().unwrap_or("no reason given");
            format!(
                "risk-level-change {} -> {current_level}, {reason}",
                previous_level.as_deref().unwrap_or("?")
            )
        }
        Event::SessionRevoked { .. } => "session-revoked".to_owned(),
        Event::Other { uris } => format!("unknown event {uris:?}"),
    }
}
