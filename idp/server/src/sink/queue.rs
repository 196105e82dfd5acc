//! A queue of fixed length between requests, which never wait, and a task that ships what they put in, in batches.

use crate::metrics::Metrics;
use gait_core::measure::Meter as _;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// Items that may wait.
const LENGTH: usize = 20_000;
/// Most items of a batch.
const BATCH: usize = 1000;
/// An item waits no longer for others.
const EVERY: Duration = Duration::from_secs(1);
/// How long the end of the server waits for the last items.
const FLUSH: Duration = Duration::from_secs(5);
/// Microseconds between lines in the log that say the same.
const SAY_AGAIN_US: u64 = 60_000_000;

/// Where batches go.
pub trait Ship: Send + Sync + 'static {
    /// What they are of.
    type Item: Send;

    /// Ships a batch, and tries again as long as there is hope.
    fn ship(&self, batch: Vec<Self::Item>) -> impl Future<Output = ()> + Send;
}

/// What is measured of a queue.
#[derive(Clone)]
pub struct Measured {
    /// Items that wait.
    pub waiting: Gauge,
    /// Items that found no room.
    pub dropped: Counter,
}

/// The queue's end that requests put items in.
#[derive(Clone)]
pub struct Queue<T> {
    items: mpsc::Sender<T>,
    measured: Measured,
}

/// The task that ships them.
pub struct Shipping {
    task: JoinHandle<()>,
    closing: Arc<Notify>,
    waiting: Gauge,
    /// Of what.
    name: &'static str,
}

impl<T: Send + 'static> Queue<T> {
    /// Starts shipping; `name` says what, in the log.
    pub fn start(name: &'static str, ship: impl Ship<Item = T>, measured: Measured) -> (Self, Shipping) {
        let (items, queue) = mpsc::channel(LENGTH);
        let closing = Arc::new(Notify::new());
        let waiting = measured.waiting.clone();
        let task = tokio::spawn(ship_all(ship, queue, waiting.clone(), closing.clone()));
        let shipping = Shipping {
            task,
            closing,
            waiting,
            name,
        };
        (Self { items, measured }, shipping)
    }

    /// Puts an item in, or drops and counts it if too many wait.
    pub fn put(&self, item: T) {
        match self.items.try_send(item) {
            Ok(()) => drop(self.measured.waiting.inc()),
            Err(_) => drop(self.measured.dropped.inc()),
        }
    }
}

impl Shipping {
    /// Takes no more items, and waits for the last ones, for a while.
    pub async fn finish(mut self) {
        self.closing.notify_one();
        if tokio::time::timeout(FLUSH, &mut self.task).await.is_err() {
            self.task.abort();
            tracing::warn!(lost = self.waiting.get(), "{} were not shipped before the end", self.name);
        }
    }
}

async fn ship_all<S: Ship>(ship: S, mut queue: mpsc::Receiver<S::Item>, waiting: Gauge, closing: Arc<Notify>) {
    let mut items = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            more = collect(&mut queue, &mut items) => if !more { return },
            () = closing.notified() => {
                queue.close();
                continue;
            }
        }
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        ship.ship(std::mem::take(&mut items)).await;
        waiting.dec_by(count);
    }
}

/// Waits for an item, and a little for more; false if there will be none.
async fn collect<T>(queue: &mut mpsc::Receiver<T>, items: &mut Vec<T>) -> bool {
    let room = BATCH - items.len();
    if queue.recv_many(items, room).await == 0 {
        return !items.is_empty();
    }
    let mut late = std::pin::pin!(tokio::time::sleep(EVERY));
    while items.len() < BATCH {
        let room = BATCH - items.len();
        tokio::select! {
            () = &mut late => break,
            more = queue.recv_many(items, room) => if more == 0 { break },
        }
    }
    true
}

/// Says something once in a while; how often it is so, the metrics tell.
#[derive(Default)]
pub(super) struct Seldom(AtomicU64);

impl Seldom {
    /// Whether it is time to say it again.
    pub fn is_due(&self, metrics: &Metrics) -> bool {
        let now_us = metrics.stopwatch_us().max(1);
        let said = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |said_us| {
            let is_due = said_us == 0 || now_us.saturating_sub(said_us) >= SAY_AGAIN_US;
            is_due.then_some(now_us)
        });
        said.is_ok()
    }
}
