//! Models, sealed in the store and parsed in this node's memory.

use super::background::Known;
use crate::Idp;
use crate::error::{Error, Result};
use crate::ids::AccountId;
use crate::ports::Changed;
use crate::seal::{SealError, Sealed};
use crate::store::{StoreError, StoredModel, WatchStanding, Whose};
use gait_sdk::{Background, ModelBlob, Prepared, Scorer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parsed models that a node keeps. An entry saves work and nothing else, so the cache is emptied when it is full.
const CACHE: usize = 1024;
/// What models are sealed for.
const MODEL: &str = "model";

/// What a parsed model was made of: when it was trained, and when the background was made that it is judged against.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    trained_at_ms: i64,
    background_at_ms: Option<i64>,
}

/// What this node has parsed of models and of the background.
#[derive(Default)]
pub struct Models {
    parsed: Mutex<HashMap<Whose, (Version, Prepared)>>,
    background: Mutex<Option<Opened>>,
}

/// The background that was opened last, with the time that it was made at; nothing, if it couldn't be read.
pub(super) type Opened = (i64, Option<Arc<Background>>);

/// A model, ready to judge by.
pub(crate) struct ReadyModel {
    /// As the scorer parsed it.
    pub parsed: Prepared,
    /// Whether it has learned enough for the account to be judged by it.
    pub enrolled: bool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Models {
    fn get(&self, whose: &Whose, wanted: Version) -> Option<Prepared> {
        let parsed = lock(&self.parsed);
        let (version, model) = parsed.get(whose)?;
        (*version == wanted).then(|| model.clone())
    }

    fn put(&self, whose: &Whose, version: Version, model: Prepared) {
        let mut parsed = lock(&self.parsed);
        if parsed.len() >= CACHE {
            parsed.clear();
        }
        parsed.insert(whose.clone(), (version, model));
    }

    fn drop(&self, whose: &Whose) {
        lock(&self.parsed).remove(whose);
    }

    /// Forgets what was parsed of an account.
    pub(crate) fn forget(&self, account: AccountId) {
        lock(&self.parsed).retain(|whose, _| whose.account != account);
    }

    /// Forgets everything that was parsed.
    pub(crate) fn forget_all(&self) {
        lock(&self.parsed).clear();
        self.put_background(None);
    }

    /// The background that was made at `made_at_ms`, if it was opened before.
    pub(super) fn background(&self, made_at_ms: i64) -> Option<Opened> {
        lock(&self.background).clone().filter(|(at_ms, _)| *at_ms == made_at_ms)
    }

    /// Keeps what was opened, in place of what was before.
    pub(super) fn put_background(&self, opened: Option<Opened>) {
        *lock(&self.background) = opened;
    }
}

impl Idp {
    /// Forgets, on every node, what was parsed of an account, now that it is erased.
    pub(crate) async fn forget_models(&self, account: AccountId) {
        self.models.forget(account);
        self.ports.herald.tell(Changed::Account(account)).await;
    }

    pub(super) fn seal_model(&self, whose: &Whose, plain: &[u8]) -> Result<Sealed, SealError> {
        self.master.seal(MODEL, &owner(whose), plain, self.ports.entropy.as_ref())
    }

    pub(super) fn open_model(&self, stored: &StoredModel) -> Result<ModelBlob> {
        let plain = self.master.open(MODEL, &owner(&stored.whose), &stored.blob)?;
        serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged("a model is no JSON of a model".to_owned()).into())
    }

    /// What is held about the person in a model: a summary that its scorer makes. Nothing, if that scorer is no longer here.
    pub(crate) fn describe_model(&self, stored: &StoredModel) -> Result<serde_json::Value> {
        let Some(scorer) = self.registry.scorer().filter(|scorer| scorer.manifest().id == stored.plugin) else {
            return Ok(serde_json::Value::Null);
        };
        let described = scorer.describe(&self.open_model(stored)?);
        described.map_err(|error| Error::Inconsistent(format!("a model can't be described: {error}")))
    }

    /// The model of a watched session's account, parsed once for each training and each background.
    pub(crate) async fn watched_model(&self, scorer: &dyn Scorer, standing: &WatchStanding) -> Result<Option<ReadyModel>> {
        let known = self.background_of(&scorer.manifest().id, standing.background_made_at).await?;
        let whose = standing.account.id.into();
        self.ready_model(scorer, &whose, standing.model, &known).await
    }

    /// A model, parsed. The row is looked at every time: what was erased is gone at once.
    pub(super) async fn prepared(&self, scorer: &dyn Scorer, whose: &Whose, known: &Known) -> Result<Option<ReadyModel>> {
        let version = self.store.model_version(whose, &scorer.manifest().id).await?;
        self.ready_model(scorer, whose, version, known).await
    }

    /// The model that is `there`: when it was trained, and whether it is enrolled.
    async fn ready_model(
        &self,
        scorer: &dyn Scorer,
        whose: &Whose,
        there: Option<(i64, bool)>,
        known: &Known,
    ) -> Result<Option<ReadyModel>> {
        let plugin = &scorer.manifest().id;
        let Some((trained_at_ms, enrolled)) = there else {
            self.models.drop(whose);
            return Ok(None);
        };
        let background = known.of(whose);
        let version = |trained_at_ms| Version {
            trained_at_ms,
            background_at_ms: background.and(known.made_at_ms),
        };
        if let Some(parsed) = self.models.get(whose, version(trained_at_ms)) {
            return Ok(Some(ReadyModel { parsed, enrolled }));
        }
        // It may have been trained again meanwhile.
        let Some(stored) = self.store.model(whose, plugin).await? else {
            return Ok(None);
        };
        let (version, enrolled) = (version(stored.trained_at_ms), stored.enrolled);
        let parsed = self.open_model(&stored).map_err(|error| error.to_string());
        let parsed = parsed.and_then(|blob| scorer.prepare(&blob, background).map_err(|error| error.to_string()));
        match parsed {
            Ok(parsed) => {
                self.models.put(whose, version, parsed.clone());
                Ok(Some(ReadyModel { parsed, enrolled }))
            }
            Err(error) => {
                // As good as none: missing data is never an anomaly.
                tracing::warn!(account = %whose.account, %plugin, error, "a model can't be read");
                Ok(None)
            }
        }
    }
}

/// Whom models and records are sealed for.
pub(super) fn owner(whose: &Whose) -> String {
    match &whose.credential {
        None => whose.account.to_string(),
        Some(credential) => format!("{}/{credential}", whose.account),
    }
}
