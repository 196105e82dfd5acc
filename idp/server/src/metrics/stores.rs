//! What the stores are asked now and then: whether they answer, what waits in the outbox and to be mailed, how old the models are. A scrape reads
//! what was seen last, so that it costs the database nothing.

use super::Metrics;
use gait_core::Idp;
use gait_core::store::Result;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(5);
/// Models are counted once in so many rounds.
const MODELS_EVERY: u32 = 60;
const DAY_MS: i64 = 86_400_000;
/// Ages of models: younger than so many days, and how that is called.
const AGES: [(i64, &str); 4] = [(1, "1d"), (7, "7d"), (30, "30d"), (90, "90d")];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BackendLabels {
    backend: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ModelLabels {
    scorer: String,
    younger_than: &'static str,
}

/// Gauges of what was seen last.
pub struct Stores {
    up: Family<BackendLabels, Gauge>,
    events: Gauge,
    deliveries: Gauge,
    dead: Gauge,
    lag: Gauge<f64, AtomicU64>,
    mails: Gauge,
    models: Family<ModelLabels, Gauge>,
}

impl Stores {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let stores = Self {
            up: Family::default(),
            events: Gauge::default(),
            deliveries: Gauge::default(),
            dead: Gauge::default(),
            lag: Gauge::default(),
            mails: Gauge::default(),
            models: Family::default(),
        };
        registry.register("gait_backend_up", "Whether a backend answers", stores.up.clone());
        let help = "Events that no receiver was looked up for yet";
        registry.register("gait_outbox_events", help, stores.events.clone());
        let help = "Deliveries that have not arrived yet";
        registry.register("gait_outbox_deliveries", help, stores.deliveries.clone());
        let help = "Deliveries that were given up and are still kept";
        registry.register("gait_outbox_dead_letters", help, stores.dead.clone());
        let help = "Age of the oldest of what has not arrived yet";
        registry.register_with_unit("gait_outbox_lag", help, Unit::Seconds, stores.lag.clone());
        registry.register("gait_mails_waiting", "Mails that wait to be sent", stores.mails.clone());
        let help = "Enrolled models, by the time since they were trained";
        registry.register("gait_models", help, stores.models.clone());
        stores
    }

    fn backend(&self, backend: &'static str, is_up: bool) {
        self.up.get_or_create(&BackendLabels { backend }).set(i64::from(is_up));
    }
}

/// Asks the stores for ever.
pub async fn watch(idp: Arc<Idp>, metrics: Arc<Metrics>) {
    for round in (0..MODELS_EVERY).cycle() {
        let up = look(&idp, &metrics.stores, round == 0).await;
        metrics.stores.backend("database", up.is_ok());
        metrics.stores.backend("ephemeral", idp.ephemeral().ping().await.is_ok());
        if let Err(error) = up {
            tracing::debug!(%error, "the store could not be asked for metrics");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(idp: &Idp, stores: &Stores, with_models: bool) -> Result<()> {
    idp.store().ping().await?;
    let outbox = idp.store().backlog().await?;
    let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    stores.events.set(gauge(outbox.events));
    stores.deliveries.set(gauge(outbox.deliveries));
    stores.dead.set(gauge(outbox.dead_letters));
    stores.mails.set(gauge(idp.store().mails_waiting().await?));
    let now_ms = idp.ports().clock.now_ms();
    let lag_ms = outbox
        .oldest_at_ms
        .map_or(0, |at_ms| now_ms.saturating_sub(at_ms).max(0).unsigned_abs());
    stores.lag.set(Duration::from_millis(lag_ms).as_secs_f64());
    match idp.registry().scorer().filter(|_| with_models) {
        Some(scorer) => count_models(idp, stores, &scorer.manifest().id, now_ms).await,
        None => Ok(()),
    }
}

async fn count_models(idp: &Idp, stores: &Stores, scorer: &gait_sdk::PluginId, now_ms: i64) -> Result<()> {
    let bounds = AGES.iter().map(|(days, name)| (now_ms - days * DAY_MS, *name));
    for (since_ms, younger_than) in bounds.chain([(i64::MIN, "ever")]) {
        let count = idp.store().count_models(scorer, since_ms).await?;
        let labels = ModelLabels {
            scorer: scorer.to_string(),
            younger_than,
        };
        let gauge = stores.models.get_or_create(&labels);
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    Ok(())
}
