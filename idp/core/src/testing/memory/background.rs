//! Backgrounds.

use super::{MemoryStore, State};
use crate::ids::AccountId;
use crate::store::{BackgroundStore, DueBackground, Result, StoredBackground};
use async_trait::async_trait;
use gait_sdk::PluginId;

/// The background of one scorer.
#[derive(Clone)]
pub(super) struct KeptBackground {
    /// Grows when a model that may be in it is erased.
    revision: i64,
    /// The revision that it was made of; 0 before the first.
    made_of: i64,
    made_at_ms: i64,
    made: Option<StoredBackground>,
}

impl State {
    pub(super) fn background(&self, plugin: &PluginId) -> Option<&StoredBackground> {
        self.backgrounds.get(plugin)?.made.as_ref()
    }

    pub(super) fn outdate_backgrounds(&mut self) {
        for kept in self.backgrounds.values_mut() {
            kept.revision += 1;
        }
    }
}

#[async_trait]
impl BackgroundStore for MemoryStore {
    async fn enrolled_accounts(&self, plugin: &PluginId) -> Result<Vec<AccountId>> {
        let state = self.state();
        let models = state.models.values().map(|kept| &kept.model);
        let enrolled = models.filter(|model| model.plugin == *plugin && model.enrolled && model.whose.credential.is_none());
        let mut found: Vec<_> = enrolled.map(|model| model.whose.account).collect();
        found.sort();
        Ok(found)
    }

    async fn due_background(&self, plugin: &PluginId, before_ms: i64) -> Result<Option<DueBackground>> {
        let mut state = self.state();
        let kept = state.backgrounds.entry(plugin.clone()).or_insert(KeptBackground {
            revision: 1,
            made_of: 0,
            made_at_ms: 0,
            made: None,
        });
        let stale = kept.made_of != kept.revision;
        let due = DueBackground {
            revision: kept.revision,
            stale,
        };
        Ok((stale || kept.made_at_ms < before_ms).then_some(due))
    }

    async fn put_background(
        &self,
        plugin: &PluginId,
        made: Option<&StoredBackground>,
        at_ms: i64,
        revision: i64,
    ) -> Result<bool> {
        let mut state = self.state();
        let Some(kept) = state.backgrounds.get_mut(plugin).filter(|kept| kept.revision == revision) else {
            return Ok(false);
        };
        kept.made_of = revision;
        kept.made_at_ms = at_ms;
        kept.made = made.cloned();
        Ok(true)
    }

    async fn background_made_at(&self, plugin: &PluginId) -> Result<Option<i64>> {
        Ok(self.state().background(plugin).map(|made| made.made_at_ms))
    }

    async fn background(&self, plugin: &PluginId) -> Result<Option<StoredBackground>> {
        Ok(self.state().background(plugin).cloned())
    }
}
