//! Ids that were seen, so that a token sent twice has one effect.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// No token is accepted that is older than a day; a week leaves room.
const KEEP_S: i64 = 7 * 24 * 3600;
const MOST: usize = 10_000;

/// The ids of the last week, the newest ten thousand at most.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    order: VecDeque<(i64, String)>,
    ids: HashSet<String>,
}

impl Seen {
    /// True the first time that `id` comes; `now` in seconds since the epoch.
    pub(crate) fn is_new(&self, id: &str, now: i64) -> bool {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while inner.order.front().is_some_and(|(at, _)| now - at > KEEP_S) || inner.order.len() >= MOST {
            if let Some((_, old)) = inner.order.pop_front() {
                inner.ids.remove(&old);
            }
        }
        if !inner.ids.insert(id.to_owned()) {
            return false;
        }
        inner.order.push_back((now, id.to_owned()));
        true
    }
}
