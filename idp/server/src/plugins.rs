//! Plugins and their limits: each runs behind a [`Guarded`] that bounds its time and concurrency and turns a panic into an error.

mod slots;

pub use slots::Slots;

use async_trait::async_trait;
use futures_util::FutureExt;
use gait_sdk::{
    Answer, Authenticator, Background, Batch, Context, Cost, Effect, Host, Labelled, Learned, Manifest, Memo, ModelBlob, Outcome,
    PluginError, PluginId, Prepared, Reply, Scored, Scorer, ScorerManifest, State, Visitor,
};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};

/// Deadline of one call.
const DEADLINE: Duration = Duration::from_secs(10);

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
    /// A call for a visitor, or for nobody in particular, that waits for a slot if it needs a core.
    async fn queued<R>(
        &self,
        visitor: Option<&Visitor>,
        call: impl Future<Output = Result<R, PluginError>> + Send,
    ) -> Result<R, PluginError> {
        if self.cost != Cost::Cpu {
            return self.call(self.cost, call).await;
        }
        let slot = self.slots.take(visitor).await;
        let _slot = slot.ok_or_else(|| self.busy("too many wait, or for too long"))?;
        self.call(self.cost, call).await
    }

    async fn call<R>(&self, cost: Cost, call: impl Future<Output = Result<R, PluginError>> + Send) -> Result<R, PluginError> {
        let call = AssertUnwindSafe(call).catch_unwind();
        let bounded = async {
            match cost {
                Cost::Cpu => off_the_async_threads(call).await,
                Cost::Light | Cost::Remote => call.await,
            }
        };
        let outcome = tokio::time::timeout(DEADLINE, bounded)
            .await
            .map_err(|_| self.busy("deadline passed"))?;
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
        // A question is no work: it must not wait behind answers.
        self.call(self.cost, self.inner.challenge(cx, host)).await
    }
    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, host: &dyn Host) -> Result<Reply, PluginError> {
        let visitor = Some(&cx.visitor);
        self.queued(visitor, self.inner.verify(cx, memo, answer, host)).await
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
        self.queued(None, self.inner.learn(cx, model, background, records)).await
    }
    async fn background(&self, models: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        self.queued(None, self.inner.background(models)).await
    }
    fn describe(&self, model: &ModelBlob) -> Result<serde_json::Value, PluginError> {
        self.at_once(|| self.inner.describe(model))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::metrics::Queue;
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
}
