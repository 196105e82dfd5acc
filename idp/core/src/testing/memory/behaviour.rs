//! Behaviour: consent, records, models.

use super::{MemoryStore, State};
use crate::account::BehaviourConsent;
use crate::event::Event;
use crate::ids::{AccountId, SessionId};
use crate::store::{BehaviourStore, Result, StoreError, StoredModel, StoredRecord};
use async_trait::async_trait;
use gait_sdk::{Label, PluginId, RecordId, Timestamp};
use std::collections::HashMap;

impl State {
    fn consent_in_force(&mut self, account: AccountId) -> Option<&mut BehaviourConsent> {
        let mut consents = self.behaviour_consents.iter_mut();
        consents.find(|consent| consent.account == account && consent.withdrawn_at.is_none())
    }

    fn erase(&mut self, account: AccountId) {
        self.records.retain(|record| record.account != account);
        self.models.retain(|(owner, _), _| *owner != account);
    }

    fn settle(&mut self, settled: &[RecordId]) {
        for record in self.records.iter_mut().filter(|record| settled.contains(&record.id)) {
            record.settled = true;
        }
    }

    fn unsettled<'a>(&'a self, account: AccountId, plugin: &'a PluginId) -> impl Iterator<Item = &'a StoredRecord> {
        let records = self.records.iter();
        records.filter(move |record| !record.settled && record.account == account && record.plugin == *plugin)
    }
}

#[async_trait]
impl BehaviourStore for MemoryStore {
    async fn behaviour_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        Ok(self.state().consent_in_force(account).cloned())
    }

    async fn behaviour_consents(&self, account: AccountId) -> Result<Vec<BehaviourConsent>> {
        let state = self.state();
        let given = state.behaviour_consents.iter().filter(|consent| consent.account == account);
        Ok(given.cloned().collect())
    }

    async fn give_consent(&self, consent: &BehaviourConsent, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.account_mut(consent.account)?;
        if state.consent_in_force(consent.account).is_none() {
            state.behaviour_consents.push(consent.clone());
            state.note(events);
        }
        Ok(())
    }

    async fn withdraw_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.erase(account);
        if let Some(consent) = state.consent_in_force(account) {
            consent.withdrawn_at = Some(at);
            state.note(events);
        }
        Ok(())
    }

    async fn erase_behaviour(&self, account: AccountId, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.erase(account);
        state.note(events);
        Ok(())
    }

    async fn keep_record(&self, record: &StoredRecord) -> Result<bool> {
        let mut state = self.state();
        if state.consent_in_force(record.account).is_none() {
            return Ok(false);
        }
        if state.records.iter().any(|kept| kept.id == record.id) {
            return Err(StoreError::Taken("record"));
        }
        state.records.push(record.clone());
        Ok(true)
    }

    async fn label_records(&self, session: &SessionId, label: Label) -> Result<()> {
        let mut state = self.state();
        let records = state.records.iter_mut();
        for record in records.filter(|record| record.session == *session && !record.settled) {
            record.label = label;
        }
        Ok(())
    }

    async fn unsettled_records(&self, account: AccountId, plugin: &PluginId, limit: u32) -> Result<Vec<StoredRecord>> {
        let state = self.state();
        let mut found: Vec<_> = state.unsettled(account, plugin).cloned().collect();
        found.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn count_unsettled(&self, account: AccountId, plugin: &PluginId) -> Result<u64> {
        Ok(self.state().unsettled(account, plugin).count() as u64)
    }

    async fn accounts_to_train(&self, plugin: &PluginId, limit: u32) -> Result<Vec<AccountId>> {
        let state = self.state();
        let mut newest: HashMap<AccountId, Timestamp> = HashMap::new();
        for record in state
            .records
            .iter()
            .filter(|record| !record.settled && record.plugin == *plugin)
        {
            let at = newest.entry(record.account).or_insert(record.at);
            *at = record.at.max(*at);
        }
        let mut accounts: Vec<_> = newest.into_iter().collect();
        accounts.sort_by_key(|(id, at)| (std::cmp::Reverse(*at), *id));
        accounts.truncate(limit as usize);
        Ok(accounts.into_iter().map(|(id, _)| id).collect())
    }

    async fn put_model(&self, model: &StoredModel, replaces: Option<i64>, settled: &[RecordId]) -> Result<bool> {
        let mut state = self.state();
        if state.consent_in_force(model.account).is_none() {
            return Ok(false);
        }
        let key = (model.account, model.plugin.clone());
        if state.models.get(&key).map(|kept| kept.trained_at_ms) != replaces {
            return Err(StoreError::Stale("model"));
        }
        state.models.insert(key, model.clone());
        state.settle(settled);
        Ok(true)
    }

    async fn settle_records(&self, settled: &[RecordId]) -> Result<()> {
        self.state().settle(settled);
        Ok(())
    }

    async fn model(&self, account: AccountId, plugin: &PluginId) -> Result<Option<StoredModel>> {
        Ok(self.state().models.get(&(account, plugin.clone())).cloned())
    }

    async fn purge_records(&self, before: Timestamp) -> Result<u64> {
        let mut state = self.state();
        let count = state.records.len();
        state.records.retain(|record| !record.settled && record.at >= before);
        Ok((count - state.records.len()) as u64)
    }
}
