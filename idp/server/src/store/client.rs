//! Clients. SQL looks at nothing but their id, so the rest is one structure.

use super::row::{all, json, one};
use super::statement::{delete_all, delete_some};
use super::{Database, change, transact};
use async_trait::async_trait;
use gait_core::client::Client;
use gait_core::ids::ClientId;
use gait_core::store::{ClientStore, Result};

#[async_trait]
impl ClientStore for Database {
    async fn client(&self, id: &ClientId) -> Result<Option<Client>> {
        let read = || async {
            let row = self
                .read()
                .await?
                .sql("SELECT body FROM client WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional()
                .await?;
            one(row, |columns| columns.json())
        };
        self.cache.get(&self.cache.clients, id, read).await
    }

    async fn clients(&self) -> Result<Vec<Client>> {
        let rows = self
            .read()
            .await?
            .sql("SELECT body FROM client ORDER BY id")
            .fetch_all()
            .await?;
        all(rows, |columns| columns.json())
    }

    async fn put_client(&self, client: &Client) -> Result<()> {
        change!(self, |db| db
            .sql("INSERT INTO client (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body")
            .bind(client.id.as_str())
            .bind(json(client)?)
            .execute()
            .await)?;
        Ok(())
    }

    async fn strip_client(&self, id: &ClientId, most: u32) -> Result<u64> {
        const OF_CLIENT: [&str; 4] = [
            delete_some!("token", "hash", "client = $1"),
            delete_some!("client_grant", "id", "client = $1"),
            delete_some!("oauth_consent", "account, client", "client = $1"),
            delete_some!("delivery", "id", "client = $1"),
        ];
        transact!(self, |db| delete_all(db, &OF_CLIENT, id.as_str(), most).await)
    }

    /// What it still has goes by its references.
    async fn remove_client(&self, id: &ClientId) -> Result<bool> {
        let done = change!(self, |db| db
            .sql("DELETE FROM client WHERE id = $1")
            .bind(id.as_str())
            .execute()
            .await)?;
        Ok(done > 0)
    }
}
