//! Behaviour: consents, records, models.

use super::{KeptModel, MemoryStore, Room, State};
use crate::account::{BehaviourConsent, PASSWORD_PURPOSE, WATCH_PURPOSE};
use crate::event::Event;
use crate::ids::{AccountId, GrantId, SessionId};
use crate::store::{BehaviourStore, Result, StoreError, StoredModel, StoredRecord, WatchStanding, Whose};
use async_trait::async_trait;
use gait_sdk::{CredentialId, Label, PluginId, RecordId, Timestamp};
use std::collections::HashMap;

impl State {
    fn consent_in_force(&mut self, account: AccountId, purpose: &str) -> Option<&mut BehaviourConsent> {
        let mut consents = self.behaviour_consents.iter_mut();
        consents.find(|consent| consent.account == account && consent.purpose == purpose && consent.withdrawn_at.is_none())
    }

    /// The consent that a record or a model takes is in force.
    fn is_consented(&mut self, whose: &Whose) -> bool {
        let purpose = if whose.credential.is_some() {
            PASSWORD_PURPOSE
        } else {
            WATCH_PURPOSE
        };
        self.consent_in_force(whose.account, purpose).is_some()
    }

    /// Stale, if it is of a credential that is gone.
    fn check_credential(&self, whose: &Whose) -> Result<()> {
        let Some(id) = &whose.credential else { return Ok(()) };
        let is = |kept: &crate::account::StoredCredential| kept.account == whose.account && kept.credential.id == *id;
        match self.credentials.iter().any(is) {
            true => Ok(()),
            false => Err(StoreError::Stale("credential")),
        }
    }

    fn erase(&mut self, account: AccountId) {
        self.records.retain(|record| record.whose.account != account);
        self.forget_models(|whose, _| whose.account == account);
    }

    /// Erases what was kept and learned of how a credential is typed, or any of the account's.
    pub(super) fn erase_rhythm(&mut self, account: AccountId, id: Option<&CredentialId>) {
        let is = |whose: &Whose| {
            whose.account == account && whose.credential.is_some() && (id.is_none() || whose.credential.as_ref() == id)
        };
        self.records.retain(|record| !is(&record.whose));
        self.forget_models(|whose, _| is(whose));
    }

    /// Deletes models; a background that may have been made from one of them is stale.
    fn forget_models(&mut self, mut is_meant: impl FnMut(&Whose, &KeptModel) -> bool) -> u64 {
        let (mut gone, mut in_background) = (0, false);
        self.models.retain(|(whose, _), kept| {
            let goes = is_meant(whose, kept);
            gone += u64::from(goes);
            in_background |= goes && whose.credential.is_none();
            !goes
        });
        if in_background {
            self.outdate_backgrounds();
        }
        gone
    }

    fn waiting<'a>(&'a self, account: AccountId, plugin: &'a PluginId) -> impl Iterator<Item = &'a StoredRecord> {
        let records = self.records.iter();
        records.filter(move |record| record.whose.account == account && record.plugin == *plugin)
    }

    fn is_enrolled(&self, whose: &Whose, plugin: &PluginId) -> bool {
        let kept = self.models.get(&(whose.clone(), plugin.clone()));
        kept.is_some_and(|kept| kept.model.enrolled)
    }
}

fn is_due(record: &StoredRecord, until: Timestamp) -> bool {
    record.at <= until || record.label == Label::SteppedUp
}

fn oldest_first(mut records: Vec<StoredRecord>, limit: u32) -> Vec<StoredRecord> {
    records.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    records.truncate(limit as usize);
    records
}

#[async_trait]
impl BehaviourStore for MemoryStore {
    async fn watch_standing(
        &self,
        session: &SessionId,
        grant: GrantId,
        plugin: Option<&PluginId>,
    ) -> Result<Option<WatchStanding>> {
        let mut state = self.state();
        let Some(session) = state.sessions.get(session).map(|kept| kept.session.clone()) else {
            return Ok(None);
        };
        let id = session.account;
        let Some(account) = state.accounts.get(&id).cloned() else {
            return Ok(None);
        };
        let grant = state.grants.get(&grant);
        let connected = grant.is_some_and(|grant| grant.session == session.id && grant.revoked_at.is_none());
        let consented = state.consent_in_force(id, WATCH_PURPOSE).is_some();
        let model = plugin.and_then(|plugin| state.models.get(&(id.into(), plugin.clone())));
        let background = plugin.and_then(|plugin| state.background(plugin));
        Ok(Some(WatchStanding {
            model: model.map(|kept| (kept.model.trained_at_ms, kept.model.enrolled)),
            background_made_at: background.map(|made| made.made_at_ms),
            session,
            account,
            connected,
            consented,
        }))
    }

    async fn behaviour_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        Ok(self.state().consent_in_force(account, WATCH_PURPOSE).cloned())
    }

    async fn password_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>> {
        Ok(self.state().consent_in_force(account, PASSWORD_PURPOSE).cloned())
    }

    async fn behaviour_consents(&self, account: AccountId) -> Result<Vec<BehaviourConsent>> {
        let state = self.state();
        let given = state.behaviour_consents.iter().filter(|consent| consent.account == account);
        Ok(given.cloned().collect())
    }

    async fn give_consent(&self, consent: &BehaviourConsent, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.account_mut(consent.account)?;
        if consent.purpose != WATCH_PURPOSE && state.consent_in_force(consent.account, WATCH_PURPOSE).is_none() {
            return Err(StoreError::Stale("consent"));
        }
        if state.consent_in_force(consent.account, &consent.purpose).is_none() {
            state.behaviour_consents.push(consent.clone());
            state.note(events);
        }
        Ok(())
    }

    async fn withdraw_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.erase(account);
        let mut was_in_force = false;
        for purpose in [WATCH_PURPOSE, PASSWORD_PURPOSE] {
            if let Some(consent) = state.consent_in_force(account, purpose) {
                consent.withdrawn_at = Some(at);
                was_in_force = true;
            }
        }
        if was_in_force {
            state.note(events);
        }
        Ok(())
    }

    async fn withdraw_password_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()> {
        let mut state = self.state();
        state.erase_rhythm(account, None);
        if let Some(consent) = state.consent_in_force(account, PASSWORD_PURPOSE) {
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
        if !state.is_consented(&record.whose) {
            return Ok(false);
        }
        state.check_credential(&record.whose)?;
        if state.records.iter().any(|kept| kept.id == record.id) {
            return Err(StoreError::Taken("record"));
        }
        state.records.push(record.clone());
        Ok(true)
    }

    async fn label_records(&self, session: &SessionId, since: Timestamp, label: Label) -> Result<()> {
        let mut state = self.state();
        let records = state.records.iter_mut();
        for record in records.filter(|record| record.session == *session && record.at >= since) {
            record.label = label;
        }
        Ok(())
    }

    async fn records_of(&self, account: AccountId, limit: u32) -> Result<Vec<StoredRecord>> {
        let state = self.state();
        let own = state.records.iter().filter(|record| record.whose.account == account);
        Ok(oldest_first(own.cloned().collect(), limit))
    }

    async fn count_unsettled(&self, account: AccountId, plugin: &PluginId) -> Result<u64> {
        Ok(self.state().waiting(account, plugin).count() as u64)
    }

    async fn due_records(&self, whose: &Whose, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<StoredRecord>> {
        let state = self.state();
        let waiting = state.waiting(whose.account, plugin);
        let due = waiting.filter(|record| record.whose == *whose && is_due(record, until));
        Ok(oldest_first(due.cloned().collect(), limit))
    }

    async fn due_to_train(&self, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<Whose>> {
        let state = self.state();
        let due = |record: &&StoredRecord| {
            record.plugin == *plugin && (is_due(record, until) || !state.is_enrolled(&record.whose, plugin))
        };
        let mut newest: HashMap<&Whose, Timestamp> = HashMap::new();
        for record in state.records.iter().filter(due) {
            let at = newest.entry(&record.whose).or_insert(record.at);
            *at = record.at.max(*at);
        }
        let mut found: Vec<_> = newest.into_iter().collect();
        found.sort_by_key(|(whose, at)| (std::cmp::Reverse(*at), *whose));
        found.truncate(limit as usize);
        Ok(found.into_iter().map(|(whose, _)| whose.clone()).collect())
    }

    async fn put_model(&self, model: &StoredModel, replaces: Option<i64>, settled: &[RecordId]) -> Result<bool> {
        let mut state = self.state();
        if !state.is_consented(&model.whose) {
            return Ok(false);
        }
        state.check_credential(&model.whose)?;
        let key = (model.whose.clone(), model.plugin.clone());
        if state.models.get(&key).map(|kept| kept.model.trained_at_ms) != replaces {
            return Err(StoreError::Stale("model"));
        }
        let is_there = |id: &RecordId| state.records.iter().any(|record| record.id == *id);
        if !settled.iter().all(is_there) {
            return Err(StoreError::Stale("record"));
        }
        let kept = KeptModel {
            model: model.clone(),
            used_at: Timestamp(model.trained_at_ms.div_euclid(1000)),
        };
        state.models.insert(key, kept);
        state.records.retain(|record| !settled.contains(&record.id));
        Ok(true)
    }

    async fn settle_records(&self, settled: &[RecordId]) -> Result<()> {
        self.state().records.retain(|record| !settled.contains(&record.id));
        Ok(())
    }

    async fn model_version(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<(i64, bool)>> {
        let model = self.model(whose, plugin).await?;
        Ok(model.map(|model| (model.trained_at_ms, model.enrolled)))
    }

    async fn model(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<StoredModel>> {
        let state = self.state();
        let kept = state.models.get(&(whose.clone(), plugin.clone()));
        Ok(kept.map(|kept| kept.model.clone()))
    }

    async fn count_models(&self, plugin: &PluginId, since_ms: i64) -> Result<u64> {
        let state = self.state();
        let models = state.models.values().map(|kept| &kept.model);
        let accounts = models.filter(|model| model.plugin == *plugin && model.enrolled && model.whose.credential.is_none());
        Ok(accounts.filter(|model| model.trained_at_ms >= since_ms).count() as u64)
    }

    async fn credential_models(&self, account: AccountId) -> Result<Vec<StoredModel>> {
        let state = self.state();
        let models = state.models.values().map(|kept| &kept.model);
        let own = models.filter(|model| model.whose.account == account && model.whose.credential.is_some());
        let mut found: Vec<_> = own.cloned().collect();
        found.sort_by(|a, b| (&a.whose, &a.plugin).cmp(&(&b.whose, &b.plugin)));
        Ok(found)
    }

    async fn purge_records(&self, before: Timestamp, most: u32) -> Result<u64> {
        let mut room = Room(most);
        self.state().records.retain(|record| !room.takes(record.at < before));
        Ok(u64::from(most - room.0))
    }

    async fn purge_models(&self, before: Timestamp, most: u32) -> Result<u64> {
        let mut room = Room(most);
        Ok(self.state().forget_models(|_, kept| room.takes(kept.used_at < before)))
    }
}
