//! Batches of spans on their way: OTLP 1 over HTTP, in protobuf (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use super::{Span, message};
use crate::config::OtlpConfig;
use crate::metrics::Metrics;
use crate::outbound::{innermost, read_some};
use crate::sink::queue::{Seldom, Ship};
use anyhow::Context as _;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use backon::{ExponentialBuilder, Retryable as _};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use reqwest::header::CONTENT_TYPE;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Deadline of one call.
const TIMEOUT: Duration = Duration::from_secs(10);
/// First pause after a failure; doubled with each.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(20);
/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 16 * 1024;

/// Why a batch didn't arrive.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// It may arrive later.
    #[error("{0}")]
    Away(String),
    /// It never will.
    #[error("status {0}")]
    Refused(StatusCode),
}

/// The way to the collector.
pub struct Shipper {
    client: reqwest::Client,
    endpoint: Url,
    headers: HeaderMap,
    resource: Resource,
    metrics: Arc<Metrics>,
    said: Seldom,
}

impl Shipper {
    /// To the configured collector, from this node.
    ///
    /// # Errors
    /// There is no TLS, or no trusted root.
    pub fn new(config: &OtlpConfig, node: &str, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        Ok(Self {
            client: client()?,
            endpoint: config.endpoint.clone(),
            headers: config.headers.clone(),
            resource: message::resource(node),
            metrics,
            said: Seldom::default(),
        })
    }

    /// Posts a batch; returns how many spans were refused.
    async fn post(&self, body: Bytes) -> Result<u64, Trouble> {
        let away = |error: reqwest::Error| {
            let is_late = error.is_timeout();
            Trouble::Away(if is_late {
                "no answer in time".to_owned()
            } else {
                innermost(&error)
            })
        };
        let call = self.client.post(self.endpoint.clone()).headers(self.headers.clone());
        let answer = call.header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let answer = answer.send().await.map_err(away)?;
        match answer.status() {
            status if status.is_success() => {
                let answer = ExportTraceServiceResponse::decode(read_some(answer, MAX_ANSWER).await.as_slice());
                let refused = answer.ok().and_then(|answer| answer.partial_success);
                Ok(refused.map_or(0, |refused| u64::try_from(refused.rejected_spans).unwrap_or_default()))
            }
            // The specification's list; what else a server says is meant.
            status if matches!(status.as_u16(), 429 | 502 | 503 | 504) => {
                Err(Trouble::Away(format!("status {}", status.as_u16())))
            }
            status => Err(Trouble::Refused(status)),
        }
    }

    fn failed(&self, trouble: &Trouble) {
        self.metrics.traces.failures.inc();
        if self.said.is_due(&self.metrics) {
            tracing::warn!(why = %trouble, "the collector of traces does not take everything");
        }
    }
}

impl Ship for Shipper {
    type Item = Span;

    async fn ship(&self, batch: Vec<Span>) {
        let count = batch.len() as u64;
        let body = Bytes::from(message::request(self.resource.clone(), batch).encode_to_vec());
        let pauses = ExponentialBuilder::new()
            .with_min_delay(PAUSE)
            .with_max_delay(MAX_PAUSE)
            .with_jitter()
            .without_max_times();
        let posting = (|| self.post(body.clone()))
            .retry(pauses)
            .when(|trouble| matches!(trouble, Trouble::Away(_)))
            .notify(|trouble, _| self.failed(trouble));
        let refused = match posting.await {
            Ok(refused) => refused.min(count),
            Err(trouble) => {
                self.failed(&trouble);
                count
            }
        };
        self.metrics.traces.note(count - refused, refused);
    }
}

/// Sends the collector a batch of nothing.
///
/// # Errors
/// It doesn't answer, or doesn't take it.
pub async fn look(config: &OtlpConfig) -> anyhow::Result<()> {
    let shipper = Shipper::new(config, "", Arc::default())?;
    shipper.post(Bytes::new()).await?;
    Ok(())
}

/// The operator says where to, as for Elasticsearch, so it may be a private address.
fn client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .context("otlp")
}
