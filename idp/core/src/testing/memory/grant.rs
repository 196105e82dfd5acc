//! Grants, codes and tokens.

use super::outbox::closed_at;
use super::{MemoryStore, SpentCode, State};
use crate::event::Event;
use crate::grant::{Grant, Scopes, Standing, Token, TokenKind};
use crate::ids::{AccountId, ClientId, GrantId, SessionId};
use crate::store::{GrantStore, Redeemed, Result, Rotated, StoreError};
use crate::token::secret::Hash;
use async_trait::async_trait;
use gait_sdk::Timestamp;
use std::collections::HashMap;

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

    fn redeem(&mut self, code: &Hash, grant: &Grant, tokens: &[Token], events: &[Event]) -> Result<Redeemed> {
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
        self.note(events);
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

    fn purge(&mut self, before: Timestamp) -> u64 {
        let size = |state: &Self| {
            let grants = state.grants.len() + state.tokens.len() + state.spent_codes.len();
            grants + state.attempts.len() + state.sessions.len() + state.approvals.len() + state.deliveries.len()
        };
        let size_before = size(self);
        self.tokens.retain(|_, token| token.expires_at >= before);
        self.spent_codes.retain(|_, spent| spent.at >= before);
        self.attempts.retain(|_, window| window.closes_at >= before);
        self.approvals.retain(|_, approval| approval.expires_at >= before);
        self.deliveries.retain(|kept| closed_at(kept).is_none_or(|at| at >= before));
        let grants = std::mem::take(&mut self.grants);
        self.grants = grants
            .into_iter()
            .filter(|(id, grant)| {
                let holds_tokens = || self.tokens.values().any(|token| token.grant == Some(*id));
                grant.revoked_at.is_none_or(|at| at >= before) && (grant.created_at >= before || holds_tokens())
            })
            .collect();
        self.tokens
            .retain(|_, token| token.grant.is_none_or(|id| self.grants.contains_key(&id)));
        let sessions = std::mem::take(&mut self.sessions);
        let is_used = |id: &SessionId| self.grants.values().any(|grant| grant.session == *id);
        self.sessions = sessions
            .into_iter()
            .filter(|(id, kept)| {
                let session = &kept.session;
                session.ended.as_ref().map_or(session.last_seen_at, |ended| ended.at) >= before || is_used(id)
            })
            .collect();
        (size_before - size(self)) as u64
    }
}

#[async_trait]
impl GrantStore for MemoryStore {
    async fn redeem_code(&self, code: &Hash, grant: &Grant, tokens: &[Token], events: &[Event]) -> Result<Redeemed> {
        self.transact(|state| state.redeem(code, grant, tokens, events))
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

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        Ok(self.state().purge(before))
    }
}
