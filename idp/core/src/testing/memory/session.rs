//! Sessions, and how they end.

use super::{KeptSession, MemoryStore, State};
use crate::event::Event;
use crate::grant::Grant;
use crate::ids::{AccountId, SessionId};
use crate::session::{EndReason, Ended, RiskLevel, Session, StepUp};
use crate::store::{EndEvents, Result, SessionStore, StoreError, Strengthened, Which};
use crate::token::secret::Hash;
use async_trait::async_trait;
use gait_sdk::Timestamp;

/// True if what belongs to this account and session is meant.
fn covers(which: &Which, account: AccountId, session: &SessionId) -> bool {
    match which {
        Which::One(id) => session == id,
        Which::AllOf(of) => account == *of,
        Which::AllBut(of, kept) => account == *of && session != kept,
    }
}

impl State {
    /// Ends sessions with their grants and tokens. Grants go by whose they are, not by whether their session was still
    /// living: an offline grant outlives its session, and must not outlive a reason of security.
    pub(super) fn end(&mut self, which: &Which, at: Timestamp, reason: EndReason, events: EndEvents<'_>) -> Vec<Session> {
        let mut ended = Vec::new();
        for kept in self.sessions.values_mut() {
            let session = &mut kept.session;
            if session.ended.is_none() && covers(which, session.account, &session.id) {
                session.ended = Some(Ended { at, reason });
                session.sequence += 1;
                ended.push(session.clone());
            }
        }
        if reason.is_security() {
            self.records
                .retain(|record| !covers(which, record.whose.account, &record.session));
        }
        let dies = |grant: &&Grant| covers(which, grant.account, &grant.session) && (reason.is_security() || !grant.is_offline());
        let dead: Vec<_> = self.grants.values().filter(dies).map(|grant| grant.id).collect();
        for grant in dead {
            self.revoke(grant, at);
        }
        if let Which::AllOf(account) = which
            && let Some(account) = self.accounts.get_mut(account)
        {
            account.revoked_before = account.revoked_before.max(Some(at));
        }
        for session in &ended {
            self.note(&events(session));
        }
        ended
    }

    fn living_mut(&mut self, id: &SessionId, sequence: i64) -> Result<&mut KeptSession> {
        let kept = self.sessions.get_mut(id);
        kept.filter(|kept| kept.session.ended.is_none() && kept.session.sequence == sequence)
            .ok_or(StoreError::Stale("session"))
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn begin_session(&self, session: &Session, secret: &Hash, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        let account = state.accounts.get(&session.account).ok_or(StoreError::Stale("account"))?;
        if account.disabled_at.is_some() || account.revoked_before > Some(session.created_at) {
            return Err(StoreError::Stale("account"));
        }
        let same = |kept: &KeptSession| kept.session.id == session.id || kept.secret == *secret;
        if state.sessions.values().any(same) {
            return Err(StoreError::Taken("session"));
        }
        let kept = KeptSession {
            session: session.clone(),
            secret: *secret,
        };
        state.sessions.insert(session.id.clone(), kept);
        for ((whose, _), kept) in &mut state.models {
            if whose.account == session.account {
                kept.used_at = kept.used_at.max(session.created_at);
            }
        }
        state.note(events);
        Ok(())
    }

    async fn session_by_secret(&self, secret: &Hash) -> Result<Option<Session>> {
        let state = self.state();
        let found = state.sessions.values().find(|kept| kept.secret == *secret);
        Ok(found.map(|kept| kept.session.clone()))
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>> {
        Ok(self.state().sessions.get(id).map(|kept| kept.session.clone()))
    }

    async fn sessions_of(&self, account: AccountId) -> Result<Vec<Session>> {
        let state = self.state();
        let sessions = state.sessions.values().map(|kept| &kept.session);
        let living = sessions.filter(|session| session.account == account && session.ended.is_none());
        let mut found: Vec<_> = living.cloned().collect();
        found.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(found)
    }

    async fn touch_session(&self, id: &SessionId, at: Timestamp) -> Result<()> {
        let mut state = self.state();
        if let Some(kept) = state.sessions.get_mut(id).filter(|kept| kept.session.ended.is_none()) {
            kept.session.last_seen_at = kept.session.last_seen_at.max(at);
        }
        Ok(())
    }

    async fn strengthen_session(
        &self,
        id: &SessionId,
        sequence: i64,
        at: Timestamp,
        change: &Strengthened,
        events: &[Event],
    ) -> Result<()> {
        let mut state = self.state();
        if state
            .sessions
            .values()
            .any(|kept| kept.secret == change.secret && kept.session.id != *id)
        {
            return Err(StoreError::Taken("session"));
        }
        let kept = state.living_mut(id, sequence)?;
        kept.secret = change.secret;
        let session = &mut kept.session;
        session.proofs.clone_from(&change.proofs);
        session.level = change.level;
        session.step_up.clone_from(&change.step_up);
        session.place.clone_from(&change.place);
        session.last_seen_at = session.last_seen_at.max(at);
        session.sequence += 1;
        state.note(events);
        Ok(())
    }

    async fn set_risk(
        &self,
        id: &SessionId,
        sequence: i64,
        level: RiskLevel,
        step_up: Option<&StepUp>,
        events: &[Event],
    ) -> Result<()> {
        let mut state = self.state();
        let session = &mut state.living_mut(id, sequence)?.session;
        session.level = level;
        session.step_up = step_up.cloned();
        session.sequence += 1;
        state.note(events);
        Ok(())
    }

    async fn end_sessions(&self, which: &Which, at: Timestamp, reason: EndReason, events: EndEvents<'_>) -> Result<Vec<Session>> {
        Ok(self.state().end(which, at, reason, events))
    }

    async fn step_ups_before(&self, before: Timestamp, limit: u32) -> Result<Vec<Session>> {
        let state = self.state();
        let since = |session: &Session| session.step_up.as_ref().map(|step_up| step_up.since);
        let sessions = state.sessions.values().map(|kept| &kept.session);
        let late = sessions.filter(|session| session.ended.is_none() && since(session).is_some_and(|since| since < before));
        let mut found: Vec<_> = late.cloned().collect();
        found.sort_by_key(since);
        found.truncate(limit as usize);
        Ok(found)
    }
}
