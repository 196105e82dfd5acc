//! Learning: records become models. Called by a leased job. Models and records are sealed for their owner.

mod import;
mod signin;

use crate::Idp;
use crate::error::{Error, Result};
use crate::ids::{AccountId, SessionId};
use crate::session::{EndReason, Place, Session};
use crate::store::{StoreError, StoredModel, StoredRecord};
use gait_sdk::{Label, Labelled, Learned, ModelBlob, PluginId, Prepared, Record, RecordId, Scorer};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Accounts that one round trains.
const ACCOUNTS: u32 = 100;
/// Records that one account's model is extended by at a time; what is left over comes in the next round.
const RECORDS: u32 = 500;
/// Most records of one account that wait to be learned from; further ones are dropped, for a collector can send them faster than
/// they are learned.
const WAITING: u64 = 2000;
/// Largest record as JSON, in bytes.
const MAX_RECORD: usize = 16 * 1024;
/// Largest model as JSON, in bytes.
const MAX_MODEL: usize = 16 * 1024 * 1024;
/// Parsed models that a node keeps. An entry saves work and nothing else, so the cache is emptied when it is full.
const CACHE: usize = 1024;

/// What models and records are sealed for.
const MODEL: &str = "model";
const RECORD: &str = "record";

/// Parsed models of this node's memory, by account, each with the `trained_at_ms` that it was parsed from.
#[derive(Default)]
pub struct Models {
    pub(crate) parsed: Mutex<HashMap<AccountId, (i64, Prepared)>>,
}

/// A model, ready to judge by.
pub(crate) struct ReadyModel {
    /// As the scorer parsed it.
    pub parsed: Prepared,
    /// Whether it has learned enough for the account to be judged by it.
    pub enrolled: bool,
}

impl Models {
    fn get(&self, account: AccountId, trained_at_ms: i64) -> Option<Prepared> {
        let parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, model) = parsed.get(&account)?;
        (*at == trained_at_ms).then(|| model.clone())
    }

    fn put(&self, account: AccountId, trained_at_ms: i64, model: Prepared) {
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= CACHE {
            parsed.clear();
        }
        parsed.insert(account, (trained_at_ms, model));
    }

    fn drop(&self, account: AccountId) {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
    }
}

impl Idp {
    /// Trains the accounts that have unsettled records; returns how many models were written. What fails for one account is logged,
    /// and the next one's turn comes all the same.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn learn_due(&self) -> Result<usize> {
        let Some(scorer) = self.registry.scorer() else {
            return Ok(0);
        };
        let plugin = &scorer.manifest().id;
        let mut written = 0;
        for account in self.store.accounts_to_train(plugin, ACCOUNTS).await? {
            match self.learn_account(scorer.as_ref(), account).await {
                Ok(wrote) => written += usize::from(wrote),
                Err(error) => tracing::warn!(%account, %plugin, %error, "an account could not be trained"),
            }
        }
        Ok(written)
    }

    async fn learn_account(&self, scorer: &dyn Scorer, id: AccountId) -> Result<bool> {
        let plugin = &scorer.manifest().id;
        let Some(account) = self.store.account(id).await? else {
            return Ok(false);
        };
        let stored = self.store.model(id, plugin).await?;
        let model = stored.as_ref().map(|stored| self.open_model(stored)).transpose()?;
        let records = self.labelled_records(plugin, id).await?;
        if records.is_empty() {
            return Ok(false);
        }
        let cx = self.scorer_context(plugin, &account, &Place::default(), None);
        let learned = scorer.learn(&cx, model.as_ref(), None, &records).await;
        let learned = learned.map_err(|error| Error::Inconsistent(error.to_string()))?;
        let replaces = stored.map(|stored| stored.trained_at_ms);
        self.put_learned(plugin, id, replaces, learned, &records).await
    }

    /// Stores what was learned; true if a model was written.
    async fn put_learned(
        &self,
        plugin: &PluginId,
        account: AccountId,
        replaces: Option<i64>,
        learned: Learned,
        given: &[Labelled],
    ) -> Result<bool> {
        // A plugin settles what it was given, and nothing else.
        let was_given = |id: &RecordId| given.iter().any(|given| given.record.id.as_ref() == Some(id));
        let settled: Vec<RecordId> = learned.settled.into_iter().filter(was_given).collect();
        let Some(blob) = learned.model else {
            self.store.settle_records(&settled).await?;
            return Ok(false);
        };
        let plain = serde_json::to_vec(&blob).map_err(|error| Error::Inconsistent(error.to_string()))?;
        if plain.len() > MAX_MODEL {
            return Err(Error::Inconsistent(format!("{plugin} made a model of {} bytes", plain.len())));
        }
        let now_ms = self.ports.clock.now_ms();
        let model = StoredModel {
            account,
            plugin: plugin.clone(),
            blob: self.master.seal(MODEL, &account.to_string(), &plain, &self.ports)?,
            samples: blob.samples,
            enrolled: blob.enrolled,
            // Also the cache's version, so that two trainings within a millisecond must differ.
            trained_at_ms: replaces.map_or(now_ms, |before| now_ms.max(before.saturating_add(1))),
        };
        match self.store.put_model(&model, replaces, &settled).await {
            // Another node trained it, or the person erased it meanwhile: theirs counts.
            Err(StoreError::Stale(_)) => Ok(false),
            done => Ok(done?),
        }
    }

    pub(crate) fn open_model(&self, stored: &StoredModel) -> Result<ModelBlob> {
        let plain = self.master.open(MODEL, &stored.account.to_string(), &stored.blob)?;
        serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged("a model is no JSON of a model".to_owned()).into())
    }

    /// Unsettled records with what is known of them now.
    async fn labelled_records(&self, plugin: &PluginId, account: AccountId) -> Result<Vec<Labelled>> {
        let stored = self.store.unsettled_records(account, plugin, RECORDS).await?;
        let mut sessions: HashMap<SessionId, Option<Session>> = HashMap::new();
        let mut labelled = Vec::with_capacity(stored.len());
        for stored in stored {
            let Ok(record) = self.open_record(&stored) else {
                // It would stand in the way of all later ones for ever.
                tracing::warn!(%account, record = %stored.id, "a record can't be opened, and is put aside");
                self.store.settle_records(&[stored.id]).await?;
                continue;
            };
            if !sessions.contains_key(&stored.session) {
                let session = self.store.session(&stored.session).await?;
                sessions.insert(stored.session.clone(), session);
            }
            let session = sessions.get(&stored.session).and_then(Option::as_ref);
            let label = doubted(stored.label, session);
            labelled.push(Labelled { record, label });
        }
        Ok(labelled)
    }

    fn open_record(&self, stored: &StoredRecord) -> Result<Record> {
        let plain = self.master.open(RECORD, &stored.account.to_string(), &stored.payload)?;
        let payload = serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged("a record is no JSON".to_owned()))?;
        Ok(Record {
            id: Some(stored.id.clone()),
            at: stored.at,
            payload,
        })
    }

    /// Seals and keeps a record. The store refuses it unless consent is in force.
    pub(crate) async fn keep_record(&self, account: AccountId, session: &SessionId, label: Label, record: &Record) -> Result<()> {
        let Some(scorer) = self.registry.scorer() else {
            return Ok(());
        };
        let plugin = &scorer.manifest().id;
        let plain = serde_json::to_vec(&record.payload).map_err(|error| Error::Inconsistent(error.to_string()))?;
        if plain.len() > MAX_RECORD {
            tracing::warn!(%plugin, bytes = plain.len(), "a record is too large to be kept");
            return Ok(());
        }
        if self.store.count_unsettled(account, plugin).await? >= WAITING {
            tracing::debug!(%account, %plugin, "a record is dropped: too many wait to be learned from");
            return Ok(());
        }
        let stored = StoredRecord {
            id: RecordId::new(self.ports.uuid().to_string()),
            account,
            plugin: plugin.clone(),
            session: session.clone(),
            label,
            at: record.at,
            payload: self.master.seal(RECORD, &account.to_string(), &plain, &self.ports)?,
            settled: false,
        };
        self.store.keep_record(&stored).await?;
        Ok(())
    }

    /// The account's model, parsed once for each training. The row is looked at every time: what was erased is gone at once.
    pub(crate) async fn prepared_model(&self, scorer: &dyn Scorer, account: AccountId) -> Result<Option<ReadyModel>> {
        let plugin = &scorer.manifest().id;
        let Some(stored) = self.store.model(account, plugin).await? else {
            self.models.drop(account);
            return Ok(None);
        };
        let enrolled = stored.enrolled;
        if let Some(parsed) = self.models.get(account, stored.trained_at_ms) {
            return Ok(Some(ReadyModel { parsed, enrolled }));
        }
        let parsed = self.open_model(&stored).map_err(|error| error.to_string());
        let parsed = parsed.and_then(|blob| scorer.prepare(&blob, None).map_err(|error| error.to_string()));
        match parsed {
            Ok(parsed) => {
                self.models.put(account, stored.trained_at_ms, parsed.clone());
                Ok(Some(ReadyModel { parsed, enrolled }))
            }
            Err(error) => {
                // As good as none: missing data is never an anomaly.
                tracing::warn!(%account, %plugin, error, "a model can't be read");
                Ok(None)
            }
        }
    }

    /// Deletes records past their time.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn purge_behaviour(&self) -> Result<u64> {
        let kept_s = i64::from(self.policy.watch.record_days) * 86_400;
        Ok(self.store.purge_records(self.ports.now().plus(-kept_s)).await?)
    }
}

/// A label, lowered by what became of its session: a record that was kept in the moment before an alarm was written down, or by a
/// node that died then, must not pass for proven.
fn doubted(label: Label, session: Option<&Session>) -> Label {
    let Some(session) = session else {
        return label;
    };
    match &session.ended {
        Some(ended)
            if matches!(
                ended.reason,
                EndReason::Anomaly | EndReason::Disowned | EndReason::StepUpFailed
            ) =>
        {
            Label::Disputed
        }
        _ if session.step_up.is_some() && label == Label::Proven => Label::Unproven,
        _ => label,
    }
}
