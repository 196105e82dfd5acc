//! Request logs: from a queue of fixed length into which a request puts its line without waiting.

use super::bulk::Document;
use super::{Shipper, document};
use crate::metrics::Metrics;
use axum::extract::MatchedPath;
use axum::http::{HeaderValue, Method};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// Lines that may wait.
const QUEUE: usize = 20_000;
/// Lines of a request to Elasticsearch.
const BATCH: usize = 1000;
/// A line waits no longer for others.
const EVERY: Duration = Duration::from_secs(1);
/// How long the end of the server waits for the last lines.
const FLUSH: Duration = Duration::from_secs(5);

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Line {
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Its id.
    pub id: HeaderValue,
    /// Its method.
    pub method: Method,
    /// The route that it matched.
    pub route: Option<MatchedPath>,
    /// Status of the answer.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
}

/// The queue's end that requests put their lines in.
#[derive(Clone)]
pub struct Requests {
    queue: mpsc::Sender<Line>,
    metrics: Arc<Metrics>,
}

/// The task that ships them.
pub struct Shipping {
    task: JoinHandle<()>,
    closing: Arc<Notify>,
    metrics: Arc<Metrics>,
}

impl Requests {
    /// Starts shipping.
    pub fn start(shipper: Shipper, metrics: Arc<Metrics>) -> (Self, Shipping) {
        let (queue, lines) = mpsc::channel(QUEUE);
        let closing = Arc::new(Notify::new());
        let task = tokio::spawn(ship(shipper, lines, metrics.clone(), closing.clone()));
        let shipping = Shipping {
            task,
            closing,
            metrics: metrics.clone(),
        };
        (Self { queue, metrics }, shipping)
    }

    /// Notes a request, or drops and counts it if too many wait.
    pub fn note(&self, line: Line) {
        match self.queue.try_send(line) {
            Ok(()) => drop(self.metrics.shipping.requests_waiting.inc()),
            Err(_) => self.metrics.shipping.dropped(1),
        }
    }
}

impl Shipping {
    /// Takes no more lines, and waits for the last ones, for a while.
    pub async fn finish(mut self) {
        self.closing.notify_one();
        if tokio::time::timeout(FLUSH, &mut self.task).await.is_err() {
            self.task.abort();
            let lost = self.metrics.shipping.requests_waiting.get();
            tracing::warn!(lost, "request logs did not reach Elasticsearch before the end");
        }
    }
}

async fn ship(shipper: Shipper, mut queue: mpsc::Receiver<Line>, metrics: Arc<Metrics>, closing: Arc<Notify>) {
    let mut lines = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            more = collect(&mut queue, &mut lines) => if !more { return },
            () = closing.notified() => {
                queue.close();
                continue;
            }
        }
        let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let documents = lines.drain(..).map(|line| Document {
            id: String::from_utf8_lossy(line.id.as_bytes()).into_owned(),
            source: document::of_request(&line),
        });
        let documents = documents.collect();
        shipper.send(documents, None).await;
        metrics.shipping.requests_waiting.dec_by(count);
    }
}

/// Waits for a line, and a little for more; false if there will be none.
async fn collect(queue: &mut mpsc::Receiver<Line>, lines: &mut Vec<Line>) -> bool {
    let room = BATCH - lines.len();
    if queue.recv_many(lines, room).await == 0 {
        return !lines.is_empty();
    }
    let mut late = std::pin::pin!(tokio::time::sleep(EVERY));
    while lines.len() < BATCH {
        let room = BATCH - lines.len();
        tokio::select! {
            () = &mut late => break,
            more = queue.recv_many(lines, room) => if more == 0 { break },
        }
    }
    true
}
