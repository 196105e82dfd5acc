//! The plugins of a deployment.

use crate::error::{Error, Result};
use crate::policy::Policy;
use gait_sdk::{Authenticator, PluginId, Scorer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Authenticators by id, and the scorer if there is one. The wire wraps each plugin with its limits (pool, deadline, panic) before
/// it registers it here.
#[derive(Clone, Default)]
pub struct Registry {
    authenticators: BTreeMap<PluginId, Arc<dyn Authenticator>>,
    scorer: Option<Arc<dyn Scorer>>,
}

impl Registry {
    /// Adds an authenticator; a later one of the same id replaces an earlier one.
    #[must_use]
    pub fn with(mut self, authenticator: Arc<dyn Authenticator>) -> Self {
        self.authenticators.insert(authenticator.manifest().id.clone(), authenticator);
        self
    }
    /// Sets the scorer.
    #[must_use]
    pub fn with_scorer(mut self, scorer: Arc<dyn Scorer>) -> Self {
        self.scorer = Some(scorer);
        self
    }
    /// One authenticator.
    pub fn authenticator(&self, id: &PluginId) -> Option<&Arc<dyn Authenticator>> {
        self.authenticators.get(id)
    }
    /// All authenticators, by id.
    pub fn authenticators(&self) -> impl Iterator<Item = &Arc<dyn Authenticator>> {
        self.authenticators.values()
    }
    /// The ids of those that are risk signals, not factors.
    pub fn waivers(&self) -> BTreeSet<PluginId> {
        let waivers = self.authenticators().filter(|plugin| plugin.manifest().waiver);
        waivers.map(|plugin| plugin.manifest().id.clone()).collect()
    }
    /// The scorer.
    pub fn scorer(&self) -> Option<&Arc<dyn Scorer>> {
        self.scorer.as_ref()
    }
    /// Every plugin that the policy names must be here, no plan may be empty, and no row may hold waivers alone.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] naming the plan and the plugin.
    pub fn check(&self, policy: &Policy) -> Result<()> {
        let mut plans = vec![("plan", &policy.plan), ("step_up", &policy.step_up)];
        plans.extend(policy.acrs.iter().map(|rule| (rule.acr.as_str(), &rule.plan)));
        for (name, plan) in plans {
            self.check_plan(name, plan)?;
        }
        Ok(())
    }

    /// As [`Registry::check`], for one plan.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] naming the plan and the plugin.
    pub fn check_plan(&self, name: &str, plan: &crate::policy::Plan) -> Result<()> {
        if plan.0.is_empty() {
            return Err(Error::Inconsistent(format!("{name} has no rows")));
        }
        for row in &plan.0 {
            let mut factors = 0;
            for id in &row.0 {
                let plugin = self
                    .authenticator(id)
                    .ok_or_else(|| Error::Inconsistent(format!("{name} names the plugin {id}, which isn't registered")))?;
                factors += usize::from(!plugin.manifest().waiver);
            }
            if factors == 0 {
                return Err(Error::Inconsistent(format!("{name} has a row without a factor")));
            }
        }
        Ok(())
    }
}
