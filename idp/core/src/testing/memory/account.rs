//! Accounts, credentials, attempts.

use super::{MemoryStore, State, Window};
use crate::account::{Account, Identifier, Mode, StoredCredential};
use crate::event::Event;
use crate::ids::AccountId;
use crate::session::EndReason;
use crate::store::{AccountStore, CredentialChange, EffectBatch, Result, StoreError, Which};
use async_trait::async_trait;
use gait_sdk::{PluginId, Timestamp};

impl State {
    pub(super) fn account_mut(&mut self, id: AccountId) -> Result<&mut Account> {
        self.accounts.get_mut(&id).ok_or(StoreError::Stale("account"))
    }

    fn is_free(&self, identifier: &Identifier, owner: AccountId) -> bool {
        let holds = |account: &Account| account.username == *identifier || account.email.as_ref() == Some(identifier);
        !self.accounts.values().any(|account| account.id != owner && holds(account))
    }

    fn check_free(&self, account: &Account) -> Result<()> {
        let free = self.is_free(&account.username, account.id)
            && account.email.as_ref().is_none_or(|email| self.is_free(email, account.id));
        if free {
            Ok(())
        } else {
            Err(StoreError::Taken("user name or e-mail address"))
        }
    }

    fn add_credential(&mut self, credential: StoredCredential) -> Result<()> {
        let same =
            |other: &StoredCredential| other.account == credential.account && other.credential.id == credential.credential.id;
        if self.credentials.iter().any(same) {
            return Err(StoreError::Taken("credential"));
        }
        self.credentials.push(credential);
        Ok(())
    }

    fn replace_credential(&mut self, account: AccountId, at: Timestamp, new: &StoredCredential) -> Result<()> {
        let stored = self.credentials.iter_mut().find(|old| {
            old.account == account
                && old.plugin == new.plugin
                && old.credential.id == new.credential.id
                && old.credential.version == new.credential.version
        });
        let stored = stored.ok_or(StoreError::Stale("credential"))?;
        stored.credential.label.clone_from(&new.credential.label);
        stored.credential.payload = new.credential.payload.clone();
        stored.credential.version += 1;
        stored.last_used_at = Some(at);
        Ok(())
    }

    fn change_credential(&mut self, account: AccountId, at: Timestamp, change: &CredentialChange) -> Result<()> {
        match change {
            CredentialChange::Add(credential) => self.add_credential(StoredCredential {
                account,
                ..credential.clone()
            }),
            CredentialChange::Replace { credential } => self.replace_credential(account, at, credential),
            CredentialChange::Forget { plugin, id } => {
                self.credentials
                    .retain(|kept| kept.account != account || kept.plugin != *plugin || kept.credential.id != *id);
                let is_held = |kept: &StoredCredential| kept.account == account && kept.credential.id == *id;
                if !self.credentials.iter().any(is_held) {
                    self.erase_rhythm(account, Some(id));
                }
                Ok(())
            }
            CredentialChange::Used { id } => {
                let used = self
                    .credentials
                    .iter_mut()
                    .find(|kept| kept.account == account && kept.credential.id == *id);
                if let Some(credential) = used {
                    credential.last_used_at = Some(at);
                }
                Ok(())
            }
            CredentialChange::ForgetRhythm { id } => {
                self.erase_rhythm(account, Some(id));
                Ok(())
            }
        }
    }

    pub(super) fn carry_out(&mut self, account: AccountId, at: Timestamp, batch: &EffectBatch) -> Result<()> {
        let changed_at = batch.credential_changed_at;
        let kept = self.account_mut(account)?;
        kept.credential_changed_at = changed_at.or(kept.credential_changed_at);
        for change in &batch.credentials {
            self.change_credential(account, at, change)?;
        }
        for approval in &batch.approvals {
            if self.approvals.insert(approval.hash, approval.clone()).is_some() {
                return Err(StoreError::Taken("approval"));
            }
        }
        self.note(&batch.events);
        Ok(())
    }
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn account(&self, id: AccountId) -> Result<Option<Account>> {
        Ok(self.state().accounts.get(&id).cloned())
    }

    async fn account_by(&self, identifier: &Identifier) -> Result<Option<Account>> {
        let holds = |account: &&Account| account.username == *identifier || account.email.as_ref() == Some(identifier);
        Ok(self.state().accounts.values().find(holds).cloned())
    }

    async fn accounts(&self, after: Option<AccountId>, limit: u32) -> Result<Vec<Account>> {
        let state = self.state();
        let page = state
            .accounts
            .values()
            .filter(|account| after.is_none_or(|after| account.id > after));
        Ok(page.take(limit as usize).cloned().collect())
    }

    async fn add_account(&self, account: &Account, credentials: &[StoredCredential]) -> Result<()> {
        self.transact(|state| {
            state.check_free(account)?;
            if state.accounts.insert(account.id, account.clone()).is_some() {
                return Err(StoreError::Taken("account"));
            }
            let mut added = credentials.iter();
            added.try_for_each(|credential| {
                state.add_credential(StoredCredential {
                    account: account.id,
                    ..credential.clone()
                })
            })
        })
    }

    async fn put_profile(&self, account: &Account) -> Result<()> {
        self.transact(|state| {
            let kept = state.account_mut(account.id)?;
            kept.email.clone_from(&account.email);
            kept.email_verified = account.email_verified;
            kept.claims.clone_from(&account.claims);
            kept.updated_at = account.updated_at;
            let kept = kept.clone();
            state.check_free(&kept)
        })
    }

    async fn set_disabled(&self, id: AccountId, at: Option<Timestamp>, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.account_mut(id)?.disabled_at = at;
        if let Some(at) = at {
            state.end(&Which::AllOf(id), at, EndReason::AccountChanged, &|_| Vec::new());
        }
        state.note(events);
        Ok(())
    }

    async fn set_mode(&self, id: AccountId, mode: Mode, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.account_mut(id)?.mode = mode;
        state.note(events);
        Ok(())
    }

    async fn credentials(&self, account: AccountId, plugin: Option<&PluginId>) -> Result<Vec<StoredCredential>> {
        let state = self.state();
        let wanted = |kept: &&StoredCredential| kept.account == account && plugin.is_none_or(|plugin| kept.plugin == *plugin);
        let mut found: Vec<_> = state.credentials.iter().filter(wanted).cloned().collect();
        found.sort_by(|a, b| {
            (a.credential.created_at, a.credential.id.as_str()).cmp(&(b.credential.created_at, b.credential.id.as_str()))
        });
        Ok(found)
    }

    async fn carry_out(&self, account: AccountId, at: Timestamp, batch: &EffectBatch) -> Result<()> {
        self.transact(|state| state.carry_out(account, at, batch))
    }

    async fn count_attempt(&self, key: &str, now: Timestamp, window_s: u32) -> Result<u64> {
        let mut state = self.state();
        let window = state.attempts.entry(key.to_owned()).or_insert(Window {
            closes_at: now,
            count: 0,
        });
        if window.closes_at <= now {
            *window = Window {
                closes_at: now.plus(i64::from(window_s)),
                count: 0,
            };
        }
        window.count += 1;
        Ok(window.count)
    }

    async fn clear_attempts(&self, key: &str) -> Result<()> {
        self.state().attempts.remove(key);
        Ok(())
    }
}
