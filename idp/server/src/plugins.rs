//! Plugins and their limits: each runs behind a [`Guarded`] that bounds its time and concurrency and turns a panic into an error.

use crate::metrics::Queue;
use async_trait::async_trait;
use futures_util::FutureExt;
use gait_sdk::{
    Answer, Authenticator, Background, Batch, Context, Cost, Effect, Host, Labelled, Learned, Manifest, Memo, ModelBlob, Outcome,
    PluginError, PluginId, Prepared, Reply, Scored, Scorer, ScorerManifest, State,
};
use prometheus_client::metrics::gauge::Gauge;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Longest wait for a slot of a CPU-bound plugin; beyond it the person is asked to try again.
const QUEUE_WAIT: Duration = Duration::from_secs(5);
/// Deadline of one call.
const DEADLINE: Duration = Duration::from_secs(10);

/// How many CPU-bound calls run at once, over all plugins that share it.
#[derive(Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    queue: Queue,
}

impl Slots {
    /// So many; `queue` tells who waits for them.
    pub fn new(count: usize, queue: Queue) -> Self {
        let free = Arc::new(Semaphore::new(count));
        Self { free, queue }
    }

    /// One of them; `None` if none became free in time.
    async fn take(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(slot) = self.free.try_acquire() {
            self.queue.waited.observe(0.0);
            return Some(slot);
        }
        let _waiting = Waiting::new(&self.queue.waiting);
        #[allow(clippy::disallowed_methods, reason = "a stopwatch for metrics")]
        let begun = Instant::now();
        let slot = tokio::time::timeout(QUEUE_WAIT, self.free.acquire()).await;
        self.queue.waited.observe(begun.elapsed().as_secs_f64());
        let slot = slot.ok().and_then(Result::ok);
        if slot.is_none() {
            self.queue.refused.inc();
        }
        slot
    }
}

/// Counts one who waits, for as long as it is there: who waits may give up at any moment.
struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// An authenticator with its limits.
pub struct Guarded<T: ?Sized> {
    cost: Cost,
    id: PluginId,
    slots: Slots,
    inner: Arc<T>,
}

/// Wraps an authenticator.
pub fn guard(inner: Arc<dyn Authenticator>, slots: Slots) -> Arc<dyn Authenticator> {
    let manifest = inner.manifest();
    Arc::new(Guarded {
        cost: manifest.cost,
        id: manifest.id.clone(),
        slots,
        inner,
    })
}

/// Wraps a scorer: learning is CPU-bound, judging is not.
pub fn guard_scorer(inner: Arc<dyn Scorer>, slots: Slots) -> Arc<dyn Scorer> {
    let id = inner.manifest().id.clone();
    Arc::new(Guarded {
        cost: Cost::Cpu,
        id,
        slots,
        inner,
    })
}

impl<T: ?Sized> Guarded<T> {
    async fn call<R>(&self, cost: Cost, call: impl Future<Output = Result<R, PluginError>> + Send) -> Result<R, PluginError> {
        let call = AssertUnwindSafe(call).catch_unwind();
        let bounded = async {
            if cost != Cost::Cpu {
                return Ok(call.await);
            }
            let slot = self.slots.take().await;
            let _slot = slot.ok_or_else(|| self.busy("no slot became free"))?;
            Ok(off_the_async_threads(call).await)
        };
        let outcome = tokio::time::timeout(DEADLINE, bounded)
            .await
            .map_err(|_| self.busy("deadline passed"))??;
        outcome.unwrap_or_else(|_| Err(self.panicked()))
    }

    /// A call that doesn't wait for anything.
    fn at_once<R>(&self, call: impl FnOnce() -> Result<R, PluginError>) -> Result<R, PluginError> {
        std::panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(self.panicked()))
    }

    fn panicked(&self) -> PluginError {
        PluginError::Failed {
            plugin: self.id.clone(),
            detail: "panicked".to_owned(),
        }
    }

    fn busy(&self, detail: &str) -> PluginError {
        PluginError::Busy {
            plugin: self.id.clone(),
            detail: detail.to_owned(),
        }
    }
}

/// Runs a future that never waits, only computes, so that the runtime's other tasks move to other threads meanwhile.
async fn off_the_async_threads<F: Future>(call: F) -> F::Output {
    match Handle::try_current().map(|handle| (handle.runtime_flavor(), handle)) {
        Ok((RuntimeFlavor::MultiThread, handle)) => tokio::task::block_in_place(|| handle.block_on(call)),
        _ => call.await,
    }
}

#[async_trait]
impl Authenticator for Guarded<dyn Authenticator> {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }
    async fn challenge(&self, cx: &Context, host: &dyn Host) -> Result<Reply, PluginError> {
        self.call(self.cost, self.inner.challenge(cx, host)).await
    }
    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, host: &dyn Host) -> Result<Reply, PluginError> {
        self.call(self.cost, self.inner.verify(cx, memo, answer, host)).await
    }
    async fn settled(&self, cx: &Context, outcome: &Outcome) -> Result<Vec<Effect>, PluginError> {
        self.call(Cost::Light, self.inner.settled(cx, outcome)).await
    }
    fn ip_score(&self, cx: &Context) -> Option<f64> {
        std::panic::catch_unwind(AssertUnwindSafe(|| self.inner.ip_score(cx)))
            .ok()
            .flatten()
    }
}

#[async_trait]
impl Scorer for Guarded<dyn Scorer> {
    fn manifest(&self) -> &ScorerManifest {
        self.inner.manifest()
    }
    fn prepare(&self, model: &ModelBlob, background: Option<&Background>) -> Result<Prepared, PluginError> {
        self.at_once(|| self.inner.prepare(model, background))
    }
    async fn score(&self, cx: &Context, model: Option<&Prepared>, state: State, batch: &Batch) -> Result<Scored, PluginError> {
        self.call(Cost::Light, self.inner.score(cx, model, state, batch)).await
    }
    async fn learn(
        &self,
        cx: &Context,
        model: Option<&ModelBlob>,
        background: Option<&Background>,
        records: &[Labelled],
    ) -> Result<Learned, PluginError> {
        self.call(self.cost, self.inner.learn(cx, model, background, records)).await
    }
    async fn background(&self, models: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        self.call(self.cost, self.inner.background(models)).await
    }
    fn describe(&self, model: &ModelBlob) -> Result<serde_json::Value, PluginError> {
        self.at_once(|| self.inner.describe(model))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use gait_sdk::kit;
    use gait_sdk::{Amr, Text};

    struct Hostile(Manifest, fn());

    #[async_trait]
    impl Authenticator for Hostile {
        fn manifest(&self) -> &Manifest {
            &self.0
        }
        async fn challenge(&self, _: &Context, _: &dyn Host) -> Result<Reply, PluginError> {
            (self.1)();
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(Reply::pass(&["pwd"]))
        }
        async fn verify(&self, _: &Context, _: &Memo, _: &Answer, _: &dyn Host) -> Result<Reply, PluginError> {
            Ok(Reply::pass(&["pwd"]))
        }
    }

    fn hostile(act: fn()) -> Arc<dyn Authenticator> {
        let manifest = Manifest {
            id: "hostile".into(),
            label: Text::new("hostile", "Hostile"),
            amr: vec![Amr::from("pwd")],
            silent: false,
            waiver: false,
            cost: Cost::Remote,
            enrols: false,
        };
        guard(Arc::new(Hostile(manifest, act)), Slots::new(1, Queue::default()))
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let plugin = hostile(|| panic!("on purpose"));
        let error = plugin
            .challenge(&kit::context(), &kit::TestHost::default())
            .await
            .unwrap_err();
        assert!(matches!(error, PluginError::Failed { .. }), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_ends_is_an_error() {
        let plugin = hostile(|| ());
        let error = plugin
            .challenge(&kit::context(), &kit::TestHost::default())
            .await
            .unwrap_err();
        assert!(matches!(error, PluginError::Busy { .. }), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_slot_is_counted_and_so_is_who_gets_none() {
        let metrics = crate::metrics::Metrics::default();
        let slots = Slots::new(1, metrics.queue.clone());
        let held = slots.take().await.unwrap();
        let waits = tokio::spawn({
            let slots = slots.clone();
            async move { slots.take().await.is_some() }
        });
        while slots.queue.waiting.get() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!waits.await.unwrap(), "the clock jumps to the end of the wait");
        assert_eq!((slots.queue.waiting.get(), slots.queue.refused.get()), (0, 1));
        drop(held);
        assert!(slots.take().await.is_some());
        assert!(metrics.encode().unwrap().contains("gait_plugin_wait_seconds_count 3\n"));
    }
}
