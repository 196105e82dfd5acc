//! What is held about a person, for the person.

use super::SignedIn;
use crate::Idp;
use crate::account::Account;
use crate::error::Result;
use crate::store::StoredModel;
use serde_json::{Value, json};

/// Most events of an export, newest first.
const MAX_EVENTS: u32 = 1000;
/// Most records of an export, oldest first; no more wait at any time.
const MAX_RECORDS: u32 = 2100;

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
        let mut passwords = Vec::new();
        for stored in self.store.credential_models(account.id).await? {
            passwords.push(self.export_model(&stored)?);
        }
        let model = match self.registry.scorer() {
            Some(scorer) => self.store.model(&account.id.into(), &scorer.manifest().id).await?,
            None => None,
        };
        Ok(json!({
            "mode": account.mode,
            "consents": self.store.behaviour_consents(account.id).await?,
            "model": model.map(|stored| self.export_model(&stored)).transpose()?,
            "password_models": passwords,
            "records": self.export_records(account).await?,
        }))
    }

    fn export_model(&self, stored: &StoredModel) -> Result<Value> {
        let summary = self.describe_model(stored)?;
        Ok(json!({
            "plugin": stored.plugin,
            "credential": stored.whose.credential,
            "samples": stored.samples,
            "enrolled": stored.enrolled,
            "summary": summary,
        }))
    }

    /// What waits to be learned, as it was measured. It is gone soon.
    async fn export_records(&self, account: &Account) -> Result<Vec<Value>> {
        let mut records = Vec::new();
        for stored in self.store.records_of(account.id, MAX_RECORDS).await? {
            let record = self.open_record(&stored)?;
            records.push(json!({
                "plugin": stored.plugin,
                "credential": stored.whose.credential,
                "session": stored.session,
                "label": stored.label,
                "at": stored.at,
                "measured": record.payload,
            }));
        }
        Ok(records)
    }
}
