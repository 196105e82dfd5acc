//! Jobs: learning, the background, unanswered step-ups, purging. They run on the one node that holds the lease; deliveries and mails are
//! claimed one by one, by every node, and the key ring is read by every node.

use crate::lease::Lease;
use crate::metrics::Metrics;
use crate::sink::elasticsearch::Events;
use gait_core::Idp;
use gait_core::error::Result;
use gait_core::token::keys::ROUND_S;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// How often is looked whether a background is due; it is, within this time, when somebody was erased who may be in it.
const BACKGROUND_EVERY: Duration = Duration::from_secs(60);
const SHIP_EVERY: Duration = Duration::from_secs(1);
const STEP_UPS_EVERY: Duration = Duration::from_secs(5);
/// As often as the core relies on: a new key signs once every node has read the ring.
const KEYS_EVERY: Duration = Duration::from_secs(ROUND_S as u64);
/// How often the nodes tell each other how often somebody has called.
const SHARE_EVERY: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// How long who talks to somebody has to finish that once the server ends: as long as one call may take, as a rule.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// Rings when there is something to do: to deliver, to send.
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

/// Tells who talks to somebody that the server ends: they finish what they have begun, and begin nothing more. For who is cut off doesn't
/// know whether the other side has heard, must be waited for until their claim ends, and may say it all again then.
#[derive(Clone)]
pub struct Closing(watch::Receiver<bool>);

impl Closing {
    /// True from the moment on at which it ends.
    pub fn is_near(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when it ends.
    pub async fn near(&mut self) {
        // Nobody is left who could say so: it has ended.
        let _gone = self.0.wait_for(|is_near| *is_near).await;
    }
}

/// What the server does beside answering. When it is dropped, all of it is broken off.
pub struct Jobs {
    /// What can be broken off at any moment, and is done again.
    pub(crate) house: JoinSet<()>,
    talks: JoinSet<()>,
    closing: watch::Sender<bool>,
}

impl Jobs {
    /// With those that keep house.
    pub(crate) fn with(house: JoinSet<()>) -> Self {
        Self {
            house,
            talks: JoinSet::new(),
            closing: watch::Sender::new(false),
        }
    }

    /// Adds one that talks to somebody, and ends when it is told to.
    pub(crate) fn talk<F>(&mut self, job: impl FnOnce(Closing) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.talks.spawn(job(Closing(self.closing.subscribe())));
    }

    /// Has what is said to somebody finished, within ten seconds, and then breaks everything off.
    pub async fn finish(mut self) {
        self.closing.send_replace(true);
        let finished = async { while self.talks.join_next().await.is_some() {} };
        if tokio::time::timeout(FINISH_WITHIN, finished).await.is_err() {
            tracing::warn!("mails or callbacks were broken off; they will be sent again once their claims have ended");
        }
        self.talks.shutdown().await;
    }
}

/// Starts those that keep house; they end when the set is dropped.
pub(crate) fn start(idp: &Arc<Idp>, lease: &Lease, metrics: &Arc<Metrics>, retrain_every_s: u32) -> JoinSet<()> {
    let on = |name, period| Round::of(idp, lease, metrics, name, period);
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
    jobs.spawn(every(
        on("purge", PURGE_EVERY),
        |idp| async move { idp.purge().await.map(drop) },
    ));
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
pub fn ship(jobs: &mut JoinSet<()>, idp: &Arc<Idp>, lease: &Lease, metrics: &Arc<Metrics>, events: Arc<Events>) {
    jobs.spawn(every(Round::of(idp, lease, metrics, "ship", SHIP_EVERY), move |idp| {
        let events = events.clone();
        async move { events.round(&idp).await }
    }));
}

/// When and where a job runs.
struct Round {
    idp: Arc<Idp>,
    lease: Lease,
    metrics: Arc<Metrics>,
    name: &'static str,
    period: Duration,
}

impl Round {
    fn of(idp: &Arc<Idp>, lease: &Lease, metrics: &Arc<Metrics>, name: &'static str, period: Duration) -> Self {
        Self {
            idp: idp.clone(),
            lease: lease.clone(),
            metrics: metrics.clone(),
            name,
            period,
        }
    }
}

async fn every<F, R>(round: Round, job: F)
where
    F: Fn(Arc<Idp>) -> R,
    R: Future<Output = Result<()>> + Send + 'static,
{
    let Round {
        idp,
        mut lease,
        metrics,
        name,
        period,
    } = round;
    loop {
        lease.held().await;
        // On a task of its own, so that a panic ends this round and not the job; and one that ends with this one.
        let mut work = JoinSet::new();
        work.spawn(job(idp.clone()));
        tokio::select! {
            ended = work.join_next() => match ended {
                Some(Err(error)) => {
                    metrics.job(name, "broke_off");
                    tracing::error!(job = name, %error, "job broke off; it will run again");
                }
                Some(Ok(outcome)) => report(&metrics, name, outcome),
                None => {}
            },
            () = lease.lost() => {
                metrics.job(name, "broke_off");
                tracing::warn!(job = name, "the lease was lost; another node goes on");
            }
        }
        drop(work);
        tokio::time::sleep(period).await;
    }
}

/// Counts what became of a round, and says what went wrong.
pub(crate) fn report(metrics: &Metrics, job: &'static str, outcome: Result<()>) {
    metrics.job(job, if outcome.is_ok() { "done" } else { "failed" });
    if let Err(error) = outcome {
        tracing::warn!(job, %error, "job failed; it will run again");
    }
}
