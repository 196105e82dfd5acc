//! Where Prometheus asks: a port of its own, since who may see how much is going on is not the public.

use super::Metrics;
use crate::door;
use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// OpenMetrics 1.0 §4.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The open port.
pub struct Listener(TcpListener);

impl Listener {
    /// Opens it.
    ///
    /// # Errors
    /// The address is taken or isn't ours.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("can't listen on {address} for [metrics]"))?;
        Ok(Self(listener))
    }

    /// Answers until it is dropped.
    pub async fn serve(self, metrics: Arc<Metrics>) {
        let routes = Router::new().route("/metrics", get(answer)).with_state(metrics);
        door::serve(self.0, routes, Arc::default(), std::future::pending()).await;
    }
}

async fn answer(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
