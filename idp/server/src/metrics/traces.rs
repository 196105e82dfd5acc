//! What goes to the collector of traces.

use super::Outcome;
use crate::sink::queue::Measured;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What goes to the collector of traces.
pub struct Traces {
    spans: Family<Outcome, Counter>,
    /// Calls that failed.
    pub failures: Counter,
    waiting: Gauge,
}

impl Traces {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let traces = Self {
            spans: Family::default(),
            failures: Counter::default(),
            waiting: Gauge::default(),
        };
        let help = "Spans that the collector took or refused, or that were dropped because too many waited";
        registry.register("gait_otlp_spans", help, traces.spans.clone());
        let help = "Calls of the collector that failed";
        registry.register("gait_otlp_failures", help, traces.failures.clone());
        let help = "Spans that wait for the collector";
        registry.register("gait_otlp_waiting", help, traces.waiting.clone());
        traces
    }

    fn outcome(&self, outcome: &'static str) -> Counter {
        self.spans.get_or_create(&Outcome { outcome }).clone()
    }

    /// Of the spans' queue.
    pub fn queue(&self) -> Measured {
        Measured {
            waiting: self.waiting.clone(),
            dropped: self.outcome("dropped"),
        }
    }

    /// So many are there, and so many never will be.
    pub fn note(&self, taken: u64, refused: u64) {
        self.outcome("taken").inc_by(taken);
        self.outcome("refused").inc_by(refused);
    }
}
