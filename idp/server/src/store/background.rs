//! Backgrounds: what scorers know of people in general.

use super::row::{Columns, all, fail, one};
use super::{Sqlite, commit};
use async_trait::async_trait;
use gait_core::ids::AccountId;
use gait_core::seal::Sealed;
use gait_core::store::{BackgroundStore, DueBackground, Result, StoredBackground};
use gait_sdk::PluginId;
use sqlx::SqliteConnection;

/// Within the transaction that erases a model: what was made of it is stale.
pub(super) async fn outdate(db: &mut SqliteConnection) -> Result<()> {
    sqlx::query("UPDATE background SET revision = revision + 1")
        .execute(db)
        .await
        .map_err(fail)?;
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
impl BackgroundStore for Sqlite {
    async fn enrolled_accounts(&self, plugin: &PluginId) -> Result<Vec<AccountId>> {
        let rows = sqlx::query("SELECT account FROM model WHERE plugin = $1 AND enrolled = TRUE ORDER BY account")
            .bind(plugin.as_str())
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        all(rows, |columns| Ok(AccountId(columns.uuid()?)))
    }

    async fn due_background(&self, plugin: &PluginId, before_ms: i64) -> Result<Option<DueBackground>> {
        let mut db = self.begin().await?;
        // The row is there before anything is read that goes into it, so that no erasure goes unseen.
        sqlx::query(
            "INSERT INTO background (plugin, revision, made_of, made_at_ms, accounts) VALUES ($1, 1, 0, 0, 0) \
             ON CONFLICT (plugin) DO NOTHING",
        )
        .bind(plugin.as_str())
        .execute(&mut *db)
        .await
        .map_err(fail)?;
        let row = sqlx::query(
            "SELECT revision, revision <> made_of FROM background \
             WHERE plugin = $1 AND (revision <> made_of OR made_at_ms < $2)",
        )
        .bind(plugin.as_str())
        .bind(before_ms)
        .fetch_optional(&mut *db)
        .await
        .map_err(fail)?;
        commit(db).await?;
        one(row, |columns| {
            Ok(DueBackground {
                revision: columns.get()?,
                stale: columns.get::<i64>()? != 0,
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
        let done = sqlx::query(
            "UPDATE background SET made_of = revision, made_at_ms = $3, accounts = $4, blob = $5 \
             WHERE plugin = $1 AND revision = $2",
        )
        .bind(plugin.as_str())
        .bind(revision)
        .bind(at_ms)
        .bind(made.map_or(0, |made| i64::from(made.accounts)))
        .bind(made.map(|made| made.blob.0.as_slice()))
        .execute(&self.writer)
        .await
        .map_err(fail)?;
        Ok(done.rows_affected() > 0)
    }

    async fn background_made_at(&self, plugin: &PluginId) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT made_at_ms FROM background WHERE plugin = $1 AND blob IS NOT NULL")
            .bind(plugin.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        one(row, |columns| columns.get())
    }

    async fn background(&self, plugin: &PluginId) -> Result<Option<StoredBackground>> {
        let row = sqlx::query("SELECT plugin, blob, accounts, made_at_ms FROM background WHERE plugin = $1 AND blob IS NOT NULL")
            .bind(plugin.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        one(row, read)
    }
}
