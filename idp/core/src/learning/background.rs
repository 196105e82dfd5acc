//! The background: what the scorer knows of people in general, made anew from the models of consenting accounts from time to time,
//! and soon after one of them was erased.

use super::models::Opened;
use crate::Idp;
use crate::error::{Error, Result};
use crate::ids::AccountId;
use crate::store::{DueBackground, StoreError, StoredBackground, Whose};
use gait_sdk::{Background, ModelBlob, PluginId};
use std::sync::Arc;

/// Most accounts that it is made from.
const ACCOUNTS: usize = 64;
/// What it is sealed for.
const BACKGROUND: &str = "background";
const HOUR_MS: i64 = 3_600_000;

/// The background as this node knows it at a moment.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// When it was made; `None` if there is none that can be read.
    pub made_at_ms: Option<i64>,
    background: Option<Arc<Background>>,
}

impl Known {
    /// What a model is judged against. It is made of accounts' models, so it tells nothing of how a password is typed.
    pub fn of(&self, whose: &Whose) -> Option<&Background> {
        self.background.as_deref().filter(|_| whose.credential.is_none())
    }
}

impl From<Opened> for Known {
    fn from((made_at_ms, background): Opened) -> Self {
        let made_at_ms = background.is_some().then_some(made_at_ms);
        Self { made_at_ms, background }
    }
}

impl Idp {
    /// Makes the background if it is due; true if one was stored, or taken away because the scorer wants none.
    ///
    /// # Errors
    /// The scorer fails, or a backend is away.
    pub async fn make_background(&self) -> Result<bool> {
        let Some(scorer) = self.registry.scorer() else {
            return Ok(false);
        };
        let plugin = &scorer.manifest().id;
        let now_ms = self.ports.clock.now_ms();
        let before_ms = now_ms - i64::from(self.policy.watch.background_every_h) * HOUR_MS;
        let Some(due) = self.store.due_background(plugin, before_ms).await? else {
            return Ok(false);
        };
        let models = self.some_models(plugin).await?;
        let made = match models.is_empty() {
            true => Ok(None),
            false => scorer.background(&models).await,
        };
        match made {
            Ok(made) => self.put_background(plugin, made.as_ref(), due).await,
            Err(error) => {
                self.drop_stale(plugin, due).await?;
                Err(Error::Inconsistent(error.to_string()))
            }
        }
    }

    async fn put_background(&self, plugin: &PluginId, made: Option<&Background>, due: DueBackground) -> Result<bool> {
        // Also the cache's version, so that two within a millisecond must differ.
        let before = self.store.background_made_at(plugin).await?;
        let now_ms = self.ports.clock.now_ms();
        let at_ms = before.map_or(now_ms, |before| now_ms.max(before.saturating_add(1)));
        let stored = made.map(|made| self.seal_background(plugin, made, at_ms)).transpose()?;
        let put = self.store.put_background(plugin, stored.as_ref(), at_ms, due.revision);
        Ok(put.await?)
    }

    /// What can't be made anew must not stay if somebody was erased who may be in it. It goes on being due.
    async fn drop_stale(&self, plugin: &PluginId, due: DueBackground) -> Result<()> {
        if due.stale {
            self.store.put_background(plugin, None, 0, due.revision).await?;
        }
        Ok(())
    }

    fn seal_background(&self, plugin: &PluginId, made: &Background, made_at_ms: i64) -> Result<StoredBackground> {
        let plain = serde_json::to_vec(made).map_err(|error| Error::Inconsistent(error.to_string()))?;
        if plain.len() > super::MAX_MODEL {
            return Err(Error::Inconsistent(format!(
                "{plugin} made a background of {} bytes",
                plain.len()
            )));
        }
        Ok(StoredBackground {
            plugin: plugin.clone(),
            blob: self
                .master
                .seal(BACKGROUND, plugin.as_str(), &plain, self.ports.entropy.as_ref())?,
            accounts: made.accounts,
            made_at_ms,
        })
    }

    /// The models of enrolled accounts, chosen at random if they are many.
    async fn some_models(&self, plugin: &PluginId) -> Result<Vec<ModelBlob>> {
        let mut models = Vec::new();
        for account in self.choose(self.store.enrolled_accounts(plugin).await?) {
            let Some(stored) = self.store.model(&account.into(), plugin).await? else {
                continue;
            };
            match self.open_model(&stored) {
                Ok(model) => models.push(model),
                Err(error) => tracing::warn!(%account, %plugin, %error, "a model can't be read"),
            }
        }
        Ok(models)
    }

    /// At most as many as a background is made from, each as likely as the others.
    fn choose(&self, mut accounts: Vec<AccountId>) -> Vec<AccountId> {
        let count = accounts.len();
        for first in 0..count.min(ACCOUNTS) {
            let random = u64::from_be_bytes(self.ports.random());
            let further = random % (count - first) as u64;
            accounts.swap(first, first + usize::try_from(further).unwrap_or(0));
        }
        accounts.truncate(ACCOUNTS);
        accounts
    }

    /// The background as it is now; opened at most once for each that is made.
    pub(super) async fn known_background(&self, plugin: &PluginId) -> Result<Known> {
        let made_at_ms = self.store.background_made_at(plugin).await?;
        self.background_of(plugin, made_at_ms).await
    }

    /// The background that was made at a time; none, if there is none.
    pub(super) async fn background_of(&self, plugin: &PluginId, made_at_ms: Option<i64>) -> Result<Known> {
        let Some(made_at_ms) = made_at_ms else {
            self.models.put_background(None);
            return Ok(Known::default());
        };
        if let Some(opened) = self.models.background(made_at_ms) {
            return Ok(opened.into());
        }
        let Some(stored) = self.store.background(plugin).await? else {
            return Ok(Known::default());
        };
        let background = match self.open_background(&stored) {
            Ok(background) => Some(Arc::new(background)),
            Err(error) => {
                // The scorer has a neutral one of its own.
                tracing::warn!(%plugin, %error, "the background can't be read");
                None
            }
        };
        let opened = (stored.made_at_ms, background);
        self.models.put_background(Some(opened.clone()));
        Ok(opened.into())
    }

    fn open_background(&self, stored: &StoredBackground) -> Result<Background> {
        let plain = self.master.open(BACKGROUND, stored.plugin.as_str(), &stored.blob)?;
        serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged("a background is no JSON of one".to_owned()).into())
    }
}
