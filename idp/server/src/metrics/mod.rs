//! What Prometheus reads: how often and how long, never of whom. No label holds anything that a client, a visitor or an account
//! gave; the number of series is bounded by routes, plugins and a few fixed words.

mod ephemeral;
mod listener;
mod meter;
mod process;
mod requests;
mod shipping;
mod stores;
mod traces;

pub use ephemeral::Counted;
pub use listener::Listener;
pub use requests::Requests;
pub use shipping::{Shipping, Stream};
pub use stores::watch as watch_stores;
pub use traces::Traces;

use meter::Rules;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use stores::Stores;

/// Upper bounds in seconds of what a person waits for.
const WAITS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A family of histograms in seconds.
type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;

fn waits() -> Histogram {
    Histogram::new(WAITS)
}

/// One word that says what became of something.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JobLabels {
    job: &'static str,
    outcome: &'static str,
}

/// The slots of CPU-bound plugins: who waits, how long, and who is sent away.
#[derive(Clone)]
pub struct Queue {
    /// Calls that wait now.
    pub waiting: Gauge,
    /// How long they waited, in seconds.
    pub waited: Histogram,
    /// Calls that got no slot in time.
    pub refused: Counter,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: Gauge::default(),
            waited: waits(),
            refused: Counter::default(),
        }
    }
}

/// All of a node's metrics.
pub struct Metrics {
    registry: Registry,
    /// Requests.
    pub requests: Requests,
    /// What the rules tell.
    rules: Rules,
    /// What is asked of the stores now and then.
    stores: Stores,
    /// What goes to Elasticsearch.
    pub shipping: Shipping,
    /// What goes to the collector of traces.
    pub traces: Traces,
    /// The plugins' slots.
    pub queue: Queue,
    mails: Family<Outcome, Counter>,
    jobs: Family<JobLabels, Counter>,
    /// Failed calls of the ephemeral store.
    ephemeral_errors: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("gait_build", "What is running", build);
        registry.register_collector(Box::new(process::Process));
        let queue = Queue::default();
        registry.register("gait_plugin_waiting", "Calls that wait for a slot", queue.waiting.clone());
        let help = "How long calls waited for a slot";
        registry.register_with_unit("gait_plugin_wait", help, Unit::Seconds, queue.waited.clone());
        let help = "Calls that got no slot in time";
        registry.register("gait_plugin_refused", help, queue.refused.clone());
        let mails = Family::default();
        registry.register("gait_mails", "Mails, by what became of them", Family::clone(&mails));
        let jobs = Family::default();
        registry.register("gait_job_runs", "Rounds of jobs", Family::clone(&jobs));
        let ephemeral_errors = Counter::default();
        let help = "Failed calls of the ephemeral store";
        registry.register("gait_ephemeral_errors", help, ephemeral_errors.clone());
        Self {
            requests: Requests::register(&mut registry),
            rules: Rules::register(&mut registry),
            stores: Stores::register(&mut registry),
            shipping: Shipping::register(&mut registry),
            traces: Traces::register(&mut registry),
            queue,
            mails,
            jobs,
            ephemeral_errors,
            registry,
        }
    }
}

impl Metrics {
    /// A mail was `sent`, tried in vain (`failed`), given up (`lost`), or not accepted (`refused`).
    pub fn mail(&self, outcome: &'static str) {
        self.mails.get_or_create(&Outcome { outcome }).inc();
    }

    /// A round of a job was `done`, `failed`, or `broke_off`.
    pub fn job(&self, job: &'static str, outcome: &'static str) {
        self.jobs.get_or_create(&JobLabels { job, outcome }).inc();
    }

    /// All of them, as OpenMetrics text.
    ///
    /// # Errors
    /// None: text takes all.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}
