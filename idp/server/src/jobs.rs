//! Leased jobs: learning, the background, deliveries, unanswered step-ups, purging, the key ring. Each runs on exactly one node at a
//! time, but for deliveries, of which each is one node's at a time.

use crate::metrics::Metrics;
use crate::sink::elasticsearch::Events;
use gait_core::Idp;
use gait_core::error::Result;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How often is looked whether a background is due; it is, within this time, when somebody was erased who may be in it.
const BACKGROUND_EVERY: Duration = Duration::from_secs(60);
const SHIP_EVERY: Duration = Duration::from_secs(1);
const STEP_UPS_EVERY: Duration = Duration::from_secs(5);
const KEYS_EVERY: Duration = Duration::from_secs(60);
/// How often the nodes tell each other how often somebody has called.
const SHARE_EVERY: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(3600);
/// Seconds that rows are kept after they died, so that replays are still recognised.
const KEEP_DEAD_S: i64 = 30 * 86_400;
/// Seconds that events are kept: a year, for whoever looks into what happened. They hold addresses, so not for ever.
const KEEP_EVENTS_S: i64 = 365 * 86_400;

/// Rings when there is something in the outbox.
#[derive(Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Resolves when it rings; at once if it rang since the last time.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

impl gait_core::ports::Wake for Bell {
    fn wake(&self) {
        self.0.notify_one();
    }
}

/// Starts those that keep house; they end when the set is dropped.
pub(crate) fn start(idp: &Arc<Idp>, node: &str, metrics: &Arc<Metrics>, retrain_every_s: u32) -> JoinSet<()> {
    let on = |name, period| Round {
        idp: idp.clone(),
        node: node.to_owned(),
        metrics: metrics.clone(),
        name,
        period,
    };
    let mut jobs = JoinSet::new();
    let learn = Duration::from_secs(u64::from(retrain_every_s));
    jobs.spawn(every(
        on("learn", learn),
        |idp| async move { idp.learn_due().await.map(drop) },
    ));
    jobs.spawn(every(on("background", BACKGROUND_EVERY), |idp| async move {
        idp.make_background().await.map(drop)
    }));
    jobs.spawn(every(on("step-ups", STEP_UPS_EVERY), |idp| async move {
        idp.expire_step_ups().await
    }));
    jobs.spawn(every(on("purge", PURGE_EVERY), |idp| async move {
        let now = idp.ports().now();
        // A session that wasn't used for so long is dead whatever its lifetimes are.
        let kept_s = KEEP_DEAD_S.max(idp.policy().lifetimes.session_absolute.into());
        idp.store().purge(now.plus(-kept_s)).await?;
        idp.store().purge_events(now.plus(-KEEP_EVENTS_S)).await?;
        idp.purge_behaviour().await.map(drop)
    }));
    // Every node has counts of its own, so this one needs no lease.
    let rates = idp.clone();
    jobs.spawn(async move {
        loop {
            tokio::time::sleep(SHARE_EVERY).await;
            if let Err(error) = rates.share_rates().await {
                tracing::debug!(%error, "counts could not be shared");
            }
        }
    });
    // Every node reads the key ring for itself, so this one needs no lease.
    let (keys, counted) = (idp.clone(), metrics.clone());
    jobs.spawn(async move {
        loop {
            tokio::time::sleep(KEYS_EVERY).await;
            report(&counted, "keys", keys.refresh_keys().await);
        }
    });
    jobs
}

/// Has events shipped, too.
pub fn ship(jobs: &mut JoinSet<()>, idp: &Arc<Idp>, metrics: &Arc<Metrics>, events: Arc<Events>) {
    let round = Round {
        idp: idp.clone(),
        node: idp.ports().uuid().to_string(),
        metrics: metrics.clone(),
        name: "ship",
        period: SHIP_EVERY,
    };
    jobs.spawn(every(round, move |idp| {
        let events = events.clone();
        async move { events.round(&idp).await }
    }));
}

/// When and where a job runs.
struct Round {
    idp: Arc<Idp>,
    node: String,
    metrics: Arc<Metrics>,
    name: &'static str,
    period: Duration,
}

async fn every<F, R>(round: Round, job: F)
where
    F: Fn(Arc<Idp>) -> R,
    R: Future<Output = Result<()>> + Send + 'static,
{
    let Round {
        idp,
        node,
        metrics,
        name,
        period,
    } = round;
    // A lease outlives its period, so that a holder keeps it, and a crashed one loses it soon.
    let ttl = u32::try_from(period.as_secs()).unwrap_or(u32::MAX).saturating_mul(3).max(10);
    loop {
        match idp.store().lease(name, &node, idp.ports().now(), ttl).await {
            // On a task of its own, so that a panic ends this round and not the job.
            Ok(true) => match tokio::spawn(job(idp.clone())).await {
                Ok(outcome) => report(&metrics, name, outcome),
                Err(error) => {
                    metrics.job(name, "broke_off");
                    tracing::error!(job = name, %error, "job broke off; it will run again");
                }
            },
            Ok(false) => {}
            Err(error) => {
                metrics.job(name, "failed");
                tracing::warn!(job = name, %error, "no lease");
            }
        }
        tokio::time::sleep(period).await;
    }
}

fn report(metrics: &Metrics, job: &'static str, outcome: Result<()>) {
    metrics.job(job, if outcome.is_ok() { "done" } else { "failed" });
    if let Err(error) = outcome {
        tracing::warn!(job, %error, "job failed; it will run again");
    }
}
