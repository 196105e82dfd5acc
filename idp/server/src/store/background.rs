//! Backgrounds: what scorers know of people in general.

use super::row::{Columns, all, one};
use super::{Connection, Database, change, transact};
use async_trait::async_trait;
use gait_core::ids::AccountId;
use gait_core::seal::Sealed;
use gait_core::store::{BackgroundStore, DueBackground, Result, StoredBackground};
use gait_sdk::PluginId;

/// Within the transaction that erases a model of `plugin`: what was made of it is stale. The row is made if it isn't there, for it may
/// be being made at this moment, unseen, for a background that the model will be in.
pub(super) async fn outdate(db: &mut Connection<'_>, plugin: &PluginId) -> Result<()> {
    db.sql(
        "INSERT INTO background (plugin, revision, made_of, made_at_ms, accounts) VALUES ($1, 1, 0, 0, 0) \
         ON CONFLICT (plugin) DO UPDATE SET revision = background.revision + 1",
    )
    .bind(plugin.as_str())
    .execute()
    .await?;
    Ok(())
}

fn read(columns: &mut Columns<'_>) -> Result<StoredBackground> {
    Ok(StoredBackground {
        plugin: columns.word()?,
        blob: Sealed(columns.get()?),
        accounts: columns.number()?,
        made_at_ms: columns.get()?,
    })
}

#[async_trait]
impl BackgroundStore for Database {
    async fn enrolled_accounts(&self, plugin: &PluginId) -> Result<Vec<AccountId>> {
        let rows = self
            .read()
            .await?
            .sql("SELECT account FROM model WHERE plugin = $1 AND enrolled = TRUE ORDER BY account")
            .bind(plugin.as_str())
            .fetch_all()
            .await?;
        all(rows, |columns| Ok(AccountId(columns.uuid()?)))
    }

    async fn due_background(&self, plugin: &PluginId, before_ms: i64) -> Result<Option<DueBackground>> {
        transact!(self, Adds, |db| {
            // The row is there before anything is read that goes into it, so that no erasure goes unseen.
            db.sql(
                "INSERT INTO background (plugin, revision, made_of, made_at_ms, accounts) VALUES ($1, 1, 0, 0, 0) \
                 ON CONFLICT (plugin) DO NOTHING",
            )
            .bind(plugin.as_str())
            .execute()
            .await?;
            let row = db
                .sql(
                    "SELECT revision, revision <> made_of FROM background WHERE plugin = $1 AND (revision <> made_of \
                     OR made_at_ms < $2)",
                )
                .bind(plugin.as_str())
                .bind(before_ms)
                .fetch_optional()
                .await?;
            one(row, |columns| {
                Ok(DueBackground {
                    revision: columns.get()?,
                    stale: columns.get()?,
                })
            })
        })
    }

    async fn put_background(
        &self,
        plugin: &PluginId,
        made: Option<&StoredBackground>,
        at_ms: i64,
        revision: i64,
    ) -> Result<bool> {
        let done = change!(self, Adds, |db| db
            .sql(
                "UPDATE background SET made_of = revision, made_at_ms = $3, accounts = $4, blob = $5 WHERE plugin = $1 \
                 AND revision = $2",
            )
            .bind(plugin.as_str())
            .bind(revision)
            .bind(at_ms)
            .bind(made.map_or(0, |made| i64::from(made.accounts)))
            .bind(made.map(|made| made.blob.0.as_slice()))
            .execute()
            .await)?;
        Ok(done > 0)
    }

    async fn background_made_at(&self, plugin: &PluginId) -> Result<Option<i64>> {
        let row = self
            .read()
            .await?
            .sql("SELECT made_at_ms FROM background WHERE plugin = $1 AND blob IS NOT NULL")
            .bind(plugin.as_str())
            .fetch_optional()
            .await?;
        one(row, |columns| columns.get())
    }

    async fn background(&self, plugin: &PluginId) -> Result<Option<StoredBackground>> {
        let row = self
            .read()
            .await?
            .sql("SELECT plugin, blob, accounts, made_at_ms FROM background WHERE plugin = $1 AND blob IS NOT NULL")
            .bind(plugin.as_str())
            .fetch_optional()
            .await?;
        one(row, read)
    }
}
