//! What is remembered of a watched session, ephemeral, changed by compare-and-swap.

use super::WatchState;
use crate::Idp;
use crate::error::{Error, Result};
use crate::ids::{AccountId, ClientId, SessionId};
use crate::session::Session;
use gait_sdk::{Alarm, State, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Times that something is forgotten again because a batch came in between.
const TRIES: usize = 8;

/// Hides a decision for a random moment, so that its time doesn't tell which batch was the one.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Veil {
    until_ms: i64,
    shown: WatchState,
}

/// What is remembered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Watching {
    /// The latest batch of each client's collector.
    seqs: BTreeMap<ClientId, u64>,
    /// The proof since which the scorer's state counts.
    proven_at: Timestamp,
    /// What the scorer remembers.
    pub scorer: State,
    /// The worst alarm since that proof, acted on or not.
    pub worst: Alarm,
    veil: Option<Veil>,
}

impl Watching {
    /// True if this batch, or a later one of the same collector, was scored.
    pub(super) fn has_seen(&self, client: &ClientId, seq: u64) -> bool {
        self.seqs.get(client).is_some_and(|last| seq <= *last)
    }

    /// Notes a batch.
    pub(super) fn note_seq(&mut self, client: &ClientId, seq: u64) {
        self.seqs.insert(client.clone(), seq);
    }

    /// Goes on showing `shown` until `until_ms`.
    pub(super) fn hide(&mut self, shown: WatchState, until_ms: i64) {
        self.veil = Some(Veil { until_ms, shown });
    }

    /// What the collector is told at `now_ms` if the session is in state `truth`.
    pub(super) fn shown(&self, truth: WatchState, now_ms: i64) -> WatchState {
        match &self.veil {
            Some(veil) if now_ms < veil.until_ms => veil.shown,
            _ => truth,
        }
    }

    /// Reads what is stored, as it counts for `session`: a new proof begins the watch anew. What can't be read counts as lost.
    fn read(stored: Option<&[u8]>, session: &Session) -> Self {
        let mut watching: Self = stored
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .unwrap_or_default();
        if watching.proven_at != session.auth_time() {
            watching.proven_at = session.auth_time();
            watching.scorer = State::default();
            watching.worst = Alarm::None;
        }
        watching
    }
}

impl WatchState {
    /// What a session is in truth.
    pub(super) fn of(session: &Session) -> Self {
        if session.ended.is_some() {
            Self::Ended
        } else if session.step_up.is_some() {
            Self::StepUp
        } else {
            Self::Ok
        }
    }
}

impl Idp {
    /// What is remembered of a session, and the bytes to name when it is changed.
    pub(super) async fn watching_of(&self, session: &Session) -> Result<(Watching, Option<Vec<u8>>)> {
        let stored = self.ephemeral.get(&key(&session.id)).await?;
        Ok((Watching::read(stored.as_deref(), session), stored))
    }

    /// Forgets what the scorer remembers of an account's sessions. Which batches were seen is kept: none is taken twice.
    pub(crate) async fn forget_watching(&self, account: AccountId) -> Result<()> {
        for session in self.store.sessions_of(account).await? {
            for _ in 0..TRIES {
                let (mut watching, stored) = self.watching_of(&session).await?;
                watching.scorer = State::default();
                if stored.is_none() || self.remember_watching(&session.id, stored.as_deref(), &watching).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Remembers; false if it has changed meanwhile.
    pub(super) async fn remember_watching(&self, session: &SessionId, old: Option<&[u8]>, watching: &Watching) -> Result<bool> {
        let new = serde_json::to_vec(watching).map_err(|error| Error::Inconsistent(error.to_string()))?;
        let life_s = self.policy.lifetimes.session_absolute;
        let key = key(session);
        Ok(match old {
            Some(old) => self.ephemeral.swap(&key, old, &new, life_s).await?,
            None => self.ephemeral.put_new(&key, &new, life_s).await?,
        })
    }
}

fn key(session: &SessionId) -> String {
    format!("watch:{session}")
}
