//! Learning: records become models, and models become a background. Called by leased jobs. All of it is sealed: records and
//! models for their owner, the background for its scorer.

mod background;
mod import;
mod models;
mod password;
mod records;
mod room;
mod signin;

pub use models::Models;
pub(crate) use password::TypedPassword;
pub(crate) use room::Rooms;
pub(crate) use signin::Typed;

use crate::Idp;
use crate::error::{Error, Result};
use crate::purge::in_batches;
use crate::session::Place;
use crate::store::{StoreError, StoredModel, Whose};
use background::Known;
use gait_sdk::{Labelled, Learned, PluginId, RecordId, Scorer, Timestamp};

/// Most models that one round trains.
const MODELS: u32 = 10_000;
/// Largest model as JSON, in bytes.
const MAX_MODEL: usize = 16 * 1024 * 1024;
/// Until when records were taken if all of them are meant.
const WHENEVER: Timestamp = Timestamp(i64::MAX);
const DAY_S: i64 = 86_400;

impl Idp {
    /// Trains whoever has records that are through their quarantine; returns how many models were written. What fails for one is
    /// logged, and the next one's turn comes all the same.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn learn_due(&self) -> Result<usize> {
        let Some(scorer) = self.registry.scorer() else {
            return Ok(0);
        };
        let plugin = &scorer.manifest().id;
        let until = self.ports.now().plus(-i64::from(self.policy.watch.quarantine_h) * 3600);
        let known = self.known_background(plugin).await?;
        let mut written = 0;
        for whose in self.store.due_to_train(plugin, until, MODELS).await? {
            match self.learn_one(scorer.as_ref(), &whose, until, &known).await {
                Ok(wrote) => written += usize::from(wrote),
                Err(error) => tracing::warn!(account = %whose.account, %plugin, %error, "an account could not be trained"),
            }
        }
        Ok(written)
    }

    /// Trains one model by records taken by `until`; by all of them as long as it isn't enrolled, for it has to begin with what
    /// there is. True if a model was written.
    async fn learn_one(&self, scorer: &dyn Scorer, whose: &Whose, until: Timestamp, known: &Known) -> Result<bool> {
        let plugin = &scorer.manifest().id;
        let Some(account) = self.store.account(whose.account).await? else {
            return Ok(false);
        };
        let stored = self.store.model(whose, plugin).await?;
        let enrolled = stored.as_ref().is_some_and(|stored| stored.enrolled);
        let model = stored.as_ref().map(|stored| self.open_model(stored)).transpose()?;
        let until = if enrolled { until } else { WHENEVER };
        let records = self.labelled_records(plugin, whose, until).await?;
        if records.is_empty() {
            return Ok(false);
        }
        let cx = self.scorer_context(plugin, &account, &Place::default(), None);
        let learned = scorer.learn(&cx, model.as_ref(), known.of(whose), &records).await;
        let learned = learned.map_err(|error| Error::Inconsistent(error.to_string()))?;
        let replaces = stored.map(|stored| stored.trained_at_ms);
        self.put_learned(plugin, whose, replaces, &learned, &records).await
    }

    /// Stores what was learned; true if a model was written.
    async fn put_learned(
        &self,
        plugin: &PluginId,
        whose: &Whose,
        replaces: Option<i64>,
        learned: &Learned,
        given: &[Labelled],
    ) -> Result<bool> {
        // A plugin settles what it was given, and nothing else.
        let given = given.iter().filter_map(|given| given.record.id.as_ref());
        let settled: Vec<RecordId> = given.filter(|id| learned.settled.contains(id)).cloned().collect();
        let Some(blob) = &learned.model else {
            self.store.settle_records(&settled).await?;
            return Ok(false);
        };
        let plain = serde_json::to_vec(blob).map_err(|error| Error::Inconsistent(error.to_string()))?;
        if plain.len() > MAX_MODEL {
            return Err(Error::Inconsistent(format!("{plugin} made a model of {} bytes", plain.len())));
        }
        let now_ms = self.ports.clock.now_ms();
        let model = StoredModel {
            whose: whose.clone(),
            plugin: plugin.clone(),
            blob: self.seal_model(whose, &plain)?,
            samples: blob.samples,
            enrolled: blob.enrolled,
            // Also the cache's version, so that two trainings within a millisecond must differ.
            trained_at_ms: replaces.map_or(now_ms, |before| now_ms.max(before.saturating_add(1))),
        };
        match self.store.put_model(&model, replaces, &settled).await {
            // Another node trained it, or what it was learned from was erased or disputed meanwhile: that counts.
            Err(StoreError::Stale(_)) => Ok(false),
            done => Ok(done?),
        }
    }

    /// Deletes records past their time, and the models of accounts that weren't used for long.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn purge_behaviour(&self) -> Result<u64> {
        let now = self.ports.now();
        let before = |days: u32| now.plus(-i64::from(days) * DAY_S);
        let (of_records, of_models) = (before(self.policy.watch.record_days), before(self.policy.watch.model_days));
        let records = in_batches(|most| self.store.purge_records(of_records, most)).await?;
        let models = in_batches(|most| self.store.purge_models(of_models, most)).await?;
        Ok(records + models)
    }
}
