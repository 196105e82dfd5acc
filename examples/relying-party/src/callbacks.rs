//! What Gait called back about, for the page to show.

use crate::set::{Event, Subject};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

const MOST: usize = 500;

/// A callback that was verified.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Callback {
    /// Counts up, so that the page can tell new ones from old ones.
    pub id: u64,
    /// When it came, seconds since the epoch.
    pub at: i64,
    /// What it says.
    #[serde(flatten)]
    pub what: What,
    /// The cause that it shares with others.
    pub txn: Option<String>,
    #[serde(skip)]
    pub subject: Subject,
}

/// What a callback says.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum What {
    /// A security event.
    Event(Event),
    /// A back-channel logout.
    Logout {
        /// Always `backchannel-logout`.
        event: &'static str,
    },
}

impl What {
    /// The back-channel logout.
    pub(crate) fn logout() -> Self {
        Self::Logout {
            event: "backchannel-logout",
        }
    }
}

/// The newest callbacks, of all sessions.
#[derive(Default)]
pub(crate) struct Callbacks(Mutex<(u64, VecDeque<Callback>)>);

impl Callbacks {
    /// Writes one down.
    pub(crate) fn add(&self, at: i64, subject: Subject, what: What, txn: Option<String>) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, list) = &mut *guard;
        *count += 1;
        if list.len() >= MOST {
            list.pop_front();
        }
        list.push_back(Callback {
            id: *count,
            at,
            what,
            txn,
            subject,
        });
    }

    /// Those that are about one session, the oldest first.
    pub(crate) fn about(&self, sub: &str, sid: Option<&str>) -> Vec<Callback> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.iter().filter(|c| c.subject.covers(sub, sid)).cloned().collect()
    }
}
