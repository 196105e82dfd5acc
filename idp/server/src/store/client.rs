//! Clients. SQL looks at nothing but their id, so the rest is one structure.

use super::row::{all, fail, json, one};
use super::{Sqlite, commit};
use async_trait::async_trait;
use gait_core::client::Client;
use gait_core::ids::ClientId;
use gait_core::store::{ClientStore, Result};
use gait_sdk::Timestamp;

#[async_trait]
impl ClientStore for Sqlite {
    async fn client(&self, id: &ClientId) -> Result<Option<Client>> {
        let row = sqlx::query("SELECT body FROM client WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        one(row, |columns| columns.json())
    }

    async fn clients(&self) -> Result<Vec<Client>> {
        let rows = sqlx::query("SELECT body FROM client ORDER BY id")
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        all(rows, |columns| columns.json())
    }

    async fn put_client(&self, client: &Client) -> Result<()> {
        sqlx::query("INSERT INTO client (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body")
            .bind(client.id.as_str())
            .bind(json(client)?)
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(())
    }

    /// Grants, tokens, consents and deliveries go by their references.
    async fn remove_client(&self, id: &ClientId, _at: Timestamp) -> Result<bool> {
        let mut db = self.begin().await?;
        let done = sqlx::query("DELETE FROM client WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *db)
            .await
            .map_err(fail)?;
        commit(db).await?;
        Ok(done.rows_affected() > 0)
    }
}
