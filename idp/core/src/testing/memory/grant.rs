//! Grants, codes and tokens.

use super::outbox::closed_at;
use super::{MemoryStore, Room, SpentCode, State};
use crate::event::Event;
use crate::grant::{Grant, Scopes, Standing, Token, TokenKind};
use crate::ids::{AccountId, ClientId, GrantId, SessionId};
use crate::store::{GrantStore, Redeemed, Result, Rotated, StoreError};
use crate::token::secret::Hash;
use async_trait::async_trait;
use gait_sdk::Timestamp;
use std::collections::{HashMap, HashSet};

impl State {
    /// Revokes a living grant and its tokens; false if there is none.
    pub(super) fn revoke(&mut self, id: GrantId, at: Timestamp) -> bool {
        let Some(grant) = self.grants.get_mut(&id).filter(|grant| grant.revoked_at.is_none()) else {
            return false;
        };
        grant.revoked_at = Some(at);
        let tokens = self.tokens.values_mut().filter(|token| token.grant == Some(id));
        for token in tokens {
            token.spent_at = token.spent_at.or(Some(at));
        }
        true
    }

    /// True if account and client are there and may be used for what was granted at `created_at`.
    fn parties_stand(&self, grant: &Grant) -> bool {
        let account = self.accounts.get(&grant.account);
        let account = account.filter(|account| account.disabled_at.is_none() && account.revoked_before <= Some(grant.created_at));
        account.is_some() && self.clients.contains_key(&grant.client)
    }

    fn session_lives(&self, grant: &Grant) -> bool {
        let kept = self.sessions.get(&grant.session);
        kept.is_some_and(|kept| kept.session.ended.is_none() && kept.session.account == grant.account)
    }

    fn grant_stands(&self, grant: &Grant) -> bool {
        grant.revoked_at.is_none() && self.parties_stand(grant) && (grant.is_offline() || self.session_lives(grant))
    }

    fn add_tokens(&mut self, tokens: &[Token]) -> Result<()> {
        for token in tokens {
            if !self.clients.contains_key(&token.client) {
                return Err(StoreError::Stale("client"));
            }
            if self.tokens.insert(token.hash, token.clone()).is_some() {
                return Err(StoreError::Taken("token"));
            }
        }
        Ok(())
    }

    fn redeem(&mut self, code: &Hash, grant: &Grant, tokens: &[Token], event: Option<&Event>) -> Result<Redeemed> {
        if let Some(spent) = self.spent_codes.get(code) {
            return Ok(Redeemed::Replayed(spent.grant));
        }
        let spent = SpentCode {
            grant: grant.id,
            at: grant.created_at,
        };
        self.spent_codes.insert(*code, spent);
        if !self.parties_stand(grant) || !self.session_lives(grant) {
            return Ok(Redeemed::Dead);
        }
        if self.grants.insert(grant.id, grant.clone()).is_some() {
            return Err(StoreError::Taken("grant"));
        }
        self.add_tokens(tokens)?;
        self.note(event.map(std::slice::from_ref).unwrap_or_default());
        Ok(Redeemed::First)
    }

    fn rotate(&mut self, old: &Hash, at: Timestamp, tokens: &[Token]) -> Result<Rotated> {
        let Some(token) = self.tokens.get(old).filter(|token| token.kind == TokenKind::Refresh) else {
            return Ok(Rotated::Dead);
        };
        let grant = token.grant.and_then(|id| self.grants.get(&id));
        if !grant.is_some_and(|grant| self.grant_stands(grant)) {
            return Ok(Rotated::Dead);
        }
        if token.spent_at.is_some() {
            return Ok(Rotated::Replayed);
        }
        if token.expires_at <= at {
            return Ok(Rotated::Dead);
        }
        if let Some(token) = self.tokens.get_mut(old) {
            token.spent_at = Some(at);
        }
        self.add_tokens(tokens)?;
        Ok(Rotated::First)
    }

    fn purge(&mut self, before: Timestamp, most: u32) -> u64 {
        let mut room = Room(most);
        let revoked = |id: &GrantId| {
            self.grants
                .get(id)
                .is_some_and(|grant| grant.revoked_at.is_some_and(|at| at < before))
        };
        self.tokens
            .retain(|_, token| !room.takes(token.expires_at < before || token.grant.as_ref().is_some_and(revoked)));
        let named: HashSet<_> = self.tokens.values().filter_map(|token| token.grant).collect();
        self.grants.retain(|id, grant| {
            let is_revoked = grant.revoked_at.is_some_and(|at| at < before);
            !room.takes(is_revoked && !named.contains(id))
        });
        self.spent_codes.retain(|_, spent| !room.takes(spent.at < before));
        self.attempts.retain(|_, window| !room.takes(window.closes_at < before));
        self.approvals.retain(|_, approval| !room.takes(approval.expires_at < before));
        self.deliveries
            .retain(|kept| !room.takes(closed_at(kept).is_some_and(|at| at < before)));
        u64::from(most - room.0)
    }

    fn purge_sessions(&mut self, before: Timestamp, most: u32) -> u64 {
        let mut room = Room(most);
        let named: HashSet<_> = self.tokens.values().filter_map(|token| token.grant).collect();
        self.grants
            .retain(|id, grant| !room.takes(grant.created_at < before && !named.contains(id)));
        let named: HashSet<_> = self.grants.values().map(|grant| grant.session.clone()).collect();
        self.sessions.retain(|id, kept| {
            let session = &kept.session;
            let died_at = session.ended.as_ref().map_or(session.last_seen_at, |ended| ended.at);
            !room.takes(died_at < before && !named.contains(id))
        });
        u64::from(most - room.0)
    }
}

#[async_trait]
impl GrantStore for MemoryStore {
    async fn redeem_code(&self, code: &Hash, grant: &Grant, tokens: &[Token], event: Option<&Event>) -> Result<Redeemed> {
        self.transact(|state| state.redeem(code, grant, tokens, event))
    }

    async fn spent_code(&self, code: &Hash) -> Result<Option<GrantId>> {
        Ok(self.state().spent_codes.get(code).map(|spent| spent.grant))
    }

    async fn rotate_refresh(&self, old: &Hash, at: Timestamp, tokens: &[Token]) -> Result<Rotated> {
        self.transact(|state| state.rotate(old, at, tokens))
    }

    async fn add_tokens(&self, tokens: &[Token]) -> Result<()> {
        self.transact(|state| state.add_tokens(tokens))
    }

    async fn standing(&self, token: &Hash) -> Result<Option<Standing>> {
        let state = self.state();
        let Some(token) = state.tokens.get(token).cloned() else {
            return Ok(None);
        };
        let grant = token.grant.and_then(|id| state.grants.get(&id)).cloned();
        let session = grant.as_ref().and_then(|grant| state.sessions.get(&grant.session));
        let account = grant.as_ref().and_then(|grant| state.accounts.get(&grant.account));
        Ok(Some(Standing {
            session: session.map(|kept| kept.session.clone()),
            account: account.cloned(),
            token,
            grant,
        }))
    }

    async fn grant(&self, id: GrantId) -> Result<Option<Grant>> {
        Ok(self.state().grants.get(&id).cloned())
    }

    async fn grants_of_session(&self, id: &SessionId) -> Result<Vec<Grant>> {
        let state = self.state();
        let mut found: Vec<_> = state.grants.values().filter(|grant| grant.session == *id).cloned().collect();
        found.sort_by_key(|grant| grant.created_at);
        Ok(found)
    }

    async fn grants_of(&self, account: AccountId) -> Result<Vec<Grant>> {
        let state = self.state();
        let living = |grant: &&Grant| grant.account == account && grant.revoked_at.is_none();
        let mut found: Vec<_> = state.grants.values().filter(living).cloned().collect();
        found.sort_by_key(|grant| std::cmp::Reverse(grant.created_at));
        Ok(found)
    }

    async fn revoke_grant(&self, id: GrantId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        if state.revoke(id, at) {
            state.note(events);
        }
        Ok(())
    }

    async fn disconnect(&self, account: AccountId, client: &ClientId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        let between = |grant: &&Grant| grant.account == account && grant.client == *client;
        let grants: Vec<_> = state.grants.values().filter(between).map(|grant| grant.id).collect();
        let mut changed = state.consents.remove(&(account, client.clone())).is_some();
        for grant in grants {
            changed |= state.revoke(grant, at);
        }
        if changed {
            state.note(events);
        }
        Ok(())
    }

    async fn revoke_token(&self, token: &Hash, at: Timestamp) -> Result<()> {
        let tokens: &mut HashMap<_, _> = &mut self.state().tokens;
        if let Some(token) = tokens.get_mut(token) {
            token.spent_at = token.spent_at.or(Some(at));
        }
        Ok(())
    }

    async fn consent(&self, account: AccountId, client: &ClientId) -> Result<Option<Scopes>> {
        Ok(self.state().consents.get(&(account, client.clone())).cloned())
    }

    async fn put_consent(&self, account: AccountId, client: &ClientId, scopes: &Scopes, _at: Timestamp) -> Result<()> {
        let mut state = self.state();
        if !state.accounts.contains_key(&account) || !state.clients.contains_key(client) {
            return Err(StoreError::Stale("account or client"));
        }
        state.consents.insert((account, client.clone()), scopes.clone());
        Ok(())
    }

    async fn purge(&self, before: Timestamp, most: u32) -> Result<u64> {
        Ok(self.state().purge(before, most))
    }

    async fn purge_access(&self, before: Timestamp, most: u32) -> Result<u64> {
        let mut state = self.state();
        let is_dead = |token: &&Token| token.kind == TokenKind::Access && token.expires_at < before;
        let dead = state.tokens.values().filter(is_dead).take(most as usize);
        let dead: Vec<_> = dead.map(|token| token.hash).collect();
        state.tokens.retain(|hash, _| !dead.contains(hash));
        Ok(dead.len() as u64)
    }

    async fn purge_sessions(&self, before: Timestamp, most: u32) -> Result<u64> {
        Ok(self.state().purge_sessions(before, most))
    }
}
