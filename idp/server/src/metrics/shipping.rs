//! What goes to Elasticsearch, and what doesn't.

use crate::sink::queue::Measured;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Kinds of documents, each in a data stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Security events.
    Events,
    /// Request logs.
    Requests,
}

impl Stream {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Requests => "requests",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DocumentLabels {
    stream: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StreamLabels {
    stream: &'static str,
}

/// What goes to Elasticsearch.
pub struct Shipping {
    documents: Family<DocumentLabels, Counter>,
    failures: Family<StreamLabels, Counter>,
    requests_waiting: Gauge,
}

impl Shipping {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let shipping = Self {
            documents: Family::default(),
            failures: Family::default(),
            requests_waiting: Gauge::default(),
        };
        let help = "Documents that Elasticsearch took or refused, or that were dropped because too many waited";
        registry.register("gait_elasticsearch_documents", help, shipping.documents.clone());
        let help = "Bulk requests to Elasticsearch that failed as a whole";
        registry.register("gait_elasticsearch_failures", help, shipping.failures.clone());
        let help = "Request logs that wait for Elasticsearch";
        registry.register("gait_elasticsearch_waiting", help, shipping.requests_waiting.clone());
        shipping
    }

    fn count(&self, stream: Stream, outcome: &'static str, number: u64) {
        if number > 0 {
            self.outcome(stream, outcome).inc_by(number);
        }
    }

    fn outcome(&self, stream: Stream, outcome: &'static str) -> Counter {
        let stream = stream.as_str();
        self.documents.get_or_create(&DocumentLabels { stream, outcome }).clone()
    }

    /// So many are there.
    pub fn taken(&self, stream: Stream, number: u64) {
        self.count(stream, "taken", number);
    }

    /// So many don't fit and never will be there.
    pub fn refused(&self, stream: Stream, number: u64) {
        self.count(stream, "refused", number);
    }

    /// Of the requests' queue.
    pub fn queue(&self) -> Measured {
        Measured {
            waiting: self.requests_waiting.clone(),
            dropped: self.outcome(Stream::Requests, "dropped"),
        }
    }

    /// A bulk request failed.
    pub fn failed(&self, stream: Stream) {
        let stream = stream.as_str();
        self.failures.get_or_create(&StreamLabels { stream }).inc();
    }
}
