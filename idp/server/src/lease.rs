//! The lease on the jobs: of all nodes that share a database, one runs them.

use gait_core::Idp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

const NAME: &str = "jobs";
/// Seconds that the store grants it for: so long after a crash, another node takes over.
const TERM_S: u32 = 12;
/// So long its holder believes in it: shorter, for the nodes' clocks may differ.
const BELIEVED: Duration = Duration::from_secs(10);
const RENEWED_EVERY: Duration = Duration::from_secs(4);

/// A look at whether this node holds the lease.
#[derive(Clone)]
pub struct Lease(watch::Receiver<Option<Instant>>);

/// Renews it.
pub struct Keeper {
    idp: Arc<Idp>,
    node: String,
    held_until: watch::Sender<Option<Instant>>,
}

impl Keeper {
    /// For this node; it doesn't hold it yet.
    pub fn new(idp: Arc<Idp>) -> Self {
        Self {
            node: idp.ports().uuid().to_string(),
            idp,
            held_until: watch::Sender::new(None),
        }
    }

    /// The node that it is kept for.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// To look at.
    pub fn lease(&self) -> Lease {
        Lease(self.held_until.subscribe())
    }

    /// Takes the lease when it is free, and renews it from then on.
    pub async fn keep(&self) {
        loop {
            let asked = Instant::now();
            match self.idp.store().lease(NAME, &self.node, self.idp.ports().now(), TERM_S).await {
                Ok(true) => drop(self.held_until.send_replace(Some(asked + BELIEVED))),
                Ok(false) => drop(self.held_until.send_replace(None)),
                Err(error) => tracing::warn!(%error, "the lease on the jobs can't be renewed"),
            }
            tokio::time::sleep(RENEWED_EVERY).await;
        }
    }

    /// Gives it back, so that another node needn't wait.
    pub async fn release(&self) {
        self.held_until.send_replace(None);
        if let Err(error) = self.idp.store().release(NAME, &self.node).await {
            tracing::warn!(%error, "the lease on the jobs can't be given back; it ends by itself");
        }
    }
}

impl Lease {
    fn held_until(&mut self) -> Option<Instant> {
        self.0.borrow_and_update().filter(|until| *until > Instant::now())
    }

    /// Resolves when this node holds it.
    pub async fn held(&mut self) {
        while self.held_until().is_none() {
            self.changed().await;
        }
    }

    /// Resolves when this node holds it no longer, or can't know.
    pub async fn lost(&mut self) {
        while let Some(until) = self.held_until() {
            let _changed = tokio::time::timeout_at(until, self.changed()).await;
        }
    }

    async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody keeps it any more.
            std::future::pending().await
        }
    }
}
