//! Sinks: where events go, and what is told of requests.

pub mod callbacks;
pub mod elasticsearch;
pub mod otlp;
pub mod queue;

pub use queue::{Queue, Shipping};

use axum::extract::MatchedPath;
use axum::http::{HeaderValue, Method};
use std::time::Duration;

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Line {
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Its id.
    pub id: HeaderValue,
    /// Its method.
    pub method: Method,
    /// The route that it matched.
    pub route: Option<MatchedPath>,
    /// Status of the answer.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
}
