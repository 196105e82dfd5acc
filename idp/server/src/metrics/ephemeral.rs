//! Counts failed calls of the ephemeral store.

use super::Metrics;
use async_trait::async_trait;
use gait_core::store::{Ephemeral, Result};
use std::sync::Arc;

/// An ephemeral store whose failures are counted.
pub struct Counted {
    inner: Arc<dyn Ephemeral>,
    metrics: Arc<Metrics>,
}

impl Counted {
    /// Counts those of `inner`.
    pub fn new(inner: Arc<dyn Ephemeral>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }

    fn seen<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.inspect_err(|_| {
            self.metrics.ephemeral_errors.inc();
        })
    }
}

#[async_trait]
impl Ephemeral for Counted {
    async fn ping(&self) -> Result<()> {
        self.seen(self.inner.ping().await)
    }
    async fn put(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<()> {
        self.seen(self.inner.put(key, value, ttl_s).await)
    }
    async fn put_new(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<bool> {
        self.seen(self.inner.put_new(key, value, ttl_s).await)
    }
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.seen(self.inner.get(key).await)
    }
    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.seen(self.inner.take(key).await)
    }
    async fn swap(&self, key: &str, old: &[u8], new: &[u8], ttl_s: u32) -> Result<bool> {
        self.seen(self.inner.swap(key, old, new, ttl_s).await)
    }
    async fn add(&self, key: &str, number: u64, window_s: u32) -> Result<u64> {
        self.seen(self.inner.add(key, number, window_s).await)
    }
    async fn uncount(&self, key: &str) -> Result<()> {
        self.seen(self.inner.uncount(key).await)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use gait_core::ephemeral::InProcess;
    use gait_core::testing::ports;

    #[tokio::test]
    async fn a_store_that_is_full_is_counted() {
        let metrics = Arc::new(Metrics::default());
        let store = Counted::new(Arc::new(InProcess::new(ports().clock, 1)), metrics.clone());
        store.put("flow:one", b"1", 60).await.unwrap();
        store.put("flow:other", b"2", 60).await.unwrap_err();
        assert_eq!(store.get("flow:one").await.unwrap().as_deref(), Some(&b"1"[..]));
        assert!(metrics.encode().unwrap().contains("gait_ephemeral_errors_total 1\n"));
    }
}
