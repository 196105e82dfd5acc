//! Tells a collector of requests, as spans (OTLP over HTTP). Which ones, and in whose trace, is decided here while a request comes in; the
//! rest is done from a queue, and only built with the feature `otlp`.

mod context;
#[cfg(feature = "otlp")]
mod message;
#[cfg(feature = "otlp")]
mod ship;

pub use context::{Context, Parent};
#[cfg(feature = "otlp")]
pub use ship::{Shipper, look};

use super::queue::{Measured, Ship};
use super::{Line, Queue, Shipping};
use crate::config::OtlpConfig;
use uuid::Uuid;

/// A request that was answered, and its place in a trace.
#[derive(Clone, Debug)]
pub struct Span {
    /// The request.
    pub line: Line,
    /// Its place.
    pub context: Context,
}

/// The way of requests to the collector.
pub struct Traces {
    /// Where spans wait.
    pub queue: Queue<Span>,
    /// Share of requests that are told of, 0.0 to 1.0, where nobody else has decided.
    pub ratio: f64,
    /// Whether a proxy's `traceparent` is followed.
    pub follow_proxies: bool,
}

impl Traces {
    /// Starts telling what is configured.
    pub fn start(config: &OtlpConfig, ship: impl Ship<Item = Span>, measured: Measured) -> (Self, Shipping) {
        let (queue, shipping) = Queue::start("spans", ship, measured);
        let traces = Self {
            queue,
            ratio: config.ratio,
            follow_proxies: config.follow_proxies,
        };
        (traces, shipping)
    }

    /// The place of a request in a trace; `None` if nobody is told of it.
    pub fn place(&self, id: Uuid, parent: Option<Parent>) -> Option<Context> {
        match parent {
            Some(parent) => parent.is_sampled.then(|| Context::below(id, &parent)),
            None => Context::new(id, self.ratio),
        }
    }
}
