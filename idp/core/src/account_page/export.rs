//! What is held about a person, for the person.

use super::SignedIn;
use crate::Idp;
use crate::account::Account;
use crate::error::{Error, Result};
use serde_json::{Value, json};

/// Most events of an export, newest first.
const MAX_EVENTS: u32 = 1000;

impl Idp {
    /// No secret is among it: of credentials only what they are called, of the model a summary that its plugin makes.
    pub(super) async fn export_of(&self, who: &SignedIn) -> Result<Value> {
        let id = who.account.id;
        let credentials = self.store.credentials(id, None).await?;
        let credentials: Vec<_> = credentials
            .into_iter()
            .map(|stored| {
                json!({
                    "plugin": stored.plugin,
                    "label": stored.credential.label,
                    "created_at": stored.credential.created_at,
                    "last_used_at": stored.last_used_at,
                })
            })
            .collect();
        Ok(json!({
            "exported_at": self.ports.now(),
            "account": who.account,
            "credentials": credentials,
            "sessions": self.store.sessions_of(id).await?,
            "apps": self.store.grants_of(id).await?,
            "behaviour": self.export_behaviour(&who.account).await?,
            "events": self.store.events_of(id, MAX_EVENTS).await?,
        }))
    }

    async fn export_behaviour(&self, account: &Account) -> Result<Value> {
        let consents = self.store.behaviour_consents(account.id).await?;
        let mut export = json!({ "mode": account.mode, "consents": consents, "model": null, "waiting": 0 });
        let Some(scorer) = self.registry.scorer() else {
            return Ok(export);
        };
        let plugin = &scorer.manifest().id;
        export["waiting"] = json!(self.store.count_unsettled(account.id, plugin).await?);
        if let Some(stored) = self.store.model(account.id, plugin).await? {
            let blob = self.open_model(&stored)?;
            let described = scorer.describe(&blob);
            let described = described.map_err(|error| Error::Inconsistent(format!("a model can't be described: {error}")))?;
            export["model"] =
                json!({ "plugin": plugin, "samples": stored.samples, "enrolled": stored.enrolled, "summary": described });
        }
        Ok(export)
    }
}
