//! Ships security events and request logs to Elasticsearch, in bulk, into data streams.
//!
//! Events are read from the store and marked there once they have arrived, so none is lost while Elasticsearch is away. Requests
//! wait in a queue of fixed length; what finds no room there is dropped and counted, and no request ever waits.

mod bulk;
mod document;
mod events;
mod requests;
mod setup;

pub use bulk::Document;
pub use document::of_event;
pub use events::Events;
pub use setup::{Found, MAPPED, install, look};

use super::queue::Seldom;
use crate::config::ElasticsearchConfig;
use crate::metrics::{Metrics, Stream};
use anyhow::Context as _;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use bulk::Fate;
use elasticsearch::Elasticsearch;
use elasticsearch::auth::Credentials;
use elasticsearch::http::transport::{MultiNodeConnectionPool, TransportBuilder};
use std::sync::Arc;
use std::time::Duration;

/// Deadline of one call.
const TIMEOUT: Duration = Duration::from_secs(10);
/// First pause after a failure; doubled with each.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(20);

/// A client for the configured cluster.
///
/// # Errors
/// There is no TLS, or no trusted root.
pub fn client(config: &ElasticsearchConfig) -> anyhow::Result<Elasticsearch> {
    let nodes = MultiNodeConnectionPool::round_robin(config.urls.clone(), None);
    let mut builder = TransportBuilder::new(nodes)
        .timeout(TIMEOUT)
        .disable_proxy()
        .enable_meta_header(false)
        .request_body_compression(true);
    if let Some(key) = &config.api_key {
        builder = builder.auth(Credentials::EncodedApiKey(key.expose().to_owned()));
    } else if let (Some(name), Some(password)) = (&config.username, &config.password) {
        builder = builder.auth(Credentials::Basic(name.clone(), password.expose().to_owned()));
    }
    Ok(Elasticsearch::new(builder.build().context("elasticsearch")?))
}

/// The name of a data stream.
fn name(stream: Stream, namespace: &str) -> String {
    format!("logs-gait.{}-{namespace}", stream.as_str())
}

/// The way into one data stream.
pub struct Shipper {
    client: Elasticsearch,
    /// The data stream's name.
    name: String,
    stream: Stream,
    metrics: Arc<Metrics>,
    said: Seldom,
}

impl Shipper {
    /// Into the stream of this kind.
    pub fn new(client: Elasticsearch, config: &ElasticsearchConfig, stream: Stream, metrics: Arc<Metrics>) -> Self {
        Self {
            client,
            name: name(stream, &config.namespace),
            stream,
            metrics,
            said: Seldom::default(),
        }
    }

    /// Sends documents until all are there, or never will be, at most `tries` times; returns those that are to be sent again.
    async fn send(&self, mut documents: Vec<Document>, tries: Option<usize>) -> Vec<Document> {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(PAUSE)
            .with_max_delay(MAX_PAUSE)
            .with_jitter();
        let mut pauses = match tries {
            Some(tries) => pauses.with_max_times(tries.saturating_sub(1)),
            None => pauses.without_max_times(),
        }
        .build();
        loop {
            self.send_once(&mut documents).await;
            if documents.is_empty() {
                return documents;
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return documents,
            }
        }
    }

    /// Sends documents once, and leaves those that are to be sent again.
    async fn send_once(&self, left: &mut Vec<Document>) {
        let fates = match bulk::create(&self.client, &self.name, left).await {
            Ok(fates) => fates,
            Err(why) => {
                self.metrics.shipping.failed(self.stream);
                return self.say(&why);
            }
        };
        let documents = std::mem::take(left);
        let (mut taken, mut refused) = (0, 0);
        for (document, fate) in documents.into_iter().zip(fates) {
            match fate {
                Fate::Taken => taken += 1,
                Fate::Refused(why) => {
                    refused += 1;
                    self.say(&why);
                }
                Fate::Again(why) => {
                    self.say(&why);
                    left.push(document);
                }
            }
        }
        self.metrics.shipping.taken(self.stream, taken);
        self.metrics.shipping.refused(self.stream, refused);
    }

    /// Says once in a while what is wrong; how often it is wrong, the metrics tell.
    fn say(&self, why: &str) {
        if self.said.is_due(&self.metrics) {
            tracing::warn!(stream = self.name, why, "Elasticsearch does not take everything");
        }
    }
}
