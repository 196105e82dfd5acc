//! Has the disk keep what was committed. SQLite's writer commits without waiting for it (`synchronous = NORMAL`: what is committed
//! survives the process, not a power cut); whoever may not be told before it is safe waits here, and one sync serves all who wait.

use gait_core::store::{Result, StoreError};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{oneshot, watch};

type Waiting = oneshot::Sender<bool>;

/// The disk under a database file. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    waiting: Sender<Waiting>,
    /// How many syncs have begun and ended, together: it is syncing while that is odd.
    steps: watch::Receiver<u64>,
    /// A sync has failed: what the system remembers of the file needn't be what is on it, so nothing is safe any more.
    failed: Arc<AtomicBool>,
}

impl Disk {
    /// Of the database at `path`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn under(path: &Path) -> io::Result<Self> {
        let log = log_of(path);
        let (waiting, queue) = channel();
        let (step, steps) = watch::channel(0);
        let failed = Arc::new(AtomicBool::new(false));
        let disk = Self {
            waiting,
            steps,
            failed: failed.clone(),
        };
        let work = move || sync_for(&queue, &log, &step, &failed);
        std::thread::Builder::new().name("disk".to_owned()).spawn(work)?;
        Ok(disk)
    }

    /// Waits until everything that was committed before this call survives a power cut.
    pub async fn kept(&self) -> Result<()> {
        let (waiting, safe) = oneshot::channel();
        let asked = self.waiting.send(waiting).is_ok();
        match asked && safe.await.unwrap_or(false) {
            true => Ok(()),
            false => Err(away()),
        }
    }

    /// Waits for the end of the sync that is under way, if one is. What is committed before that waits for the next one all the same.
    pub async fn ready(&self) {
        let mut steps = self.steps.clone();
        let now = *steps.borrow_and_update();
        if now % 2 == 1 {
            // It has ended with its thread, or by itself.
            let _gone = steps.changed().await;
        }
    }

    /// Fails once a sync has failed: nothing may be written then.
    pub fn check(&self) -> Result<()> {
        match self.failed.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(away()),
        }
    }
}

/// The log of a database file, which stands beside it.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn away() -> StoreError {
    StoreError::Away("the disk doesn't keep what is written".to_owned())
}

/// Syncs as long as somebody may ask for it.
fn sync_for(queue: &Receiver<Waiting>, log: &Path, step: &watch::Sender<u64>, failed: &AtomicBool) {
    while let Ok(first) = queue.recv() {
        // Whoever asks from now on may have committed after the sync has begun, and waits for the next.
        let waiting: Vec<_> = std::iter::once(first).chain(queue.try_iter()).collect();
        step.send_modify(|step| *step += 1);
        if let Err(error) = sync(log) {
            tracing::error!(%error, "the disk failed: nothing is written any more; start again once it is well");
            failed.store(true, Ordering::Release);
        }
        step.send_modify(|step| *step += 1);
        let safe = !failed.load(Ordering::Acquire);
        for waiting in waiting {
            let _gone = waiting.send(safe);
        }
    }
}

fn sync(log: &Path) -> io::Result<()> {
    match File::open(log) {
        Ok(log) => log.sync_data(),
        // Everything has been moved into the database, which SQLite syncs before it removes its log.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(folder.path().join("a.db-wal"), b"x").unwrap();
        let disk = Disk::under(&path).unwrap();
        let all = (0..50).map(|_| disk.kept());
        assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
        disk.check().unwrap();
    }

    #[tokio::test]
    async fn after_a_failure_nothing_is_safe() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        // A log that can't be opened: it leads to itself.
        let log = folder.path().join("a.db-wal");
        std::os::unix::fs::symlink(&log, &log).unwrap();
        let disk = Disk::under(&path).unwrap();
        disk.kept().await.unwrap_err();
        std::fs::remove_file(&log).unwrap();
        disk.kept().await.unwrap_err();
        disk.check().unwrap_err();
    }
}
