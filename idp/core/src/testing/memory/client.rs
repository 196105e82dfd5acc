//! Clients.

use super::{MemoryStore, Room};
use crate::client::Client;
use crate::ids::ClientId;
use crate::store::{ClientStore, Result};
use async_trait::async_trait;

#[async_trait]
impl ClientStore for MemoryStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Client>> {
        Ok(self.state().clients.get(id).cloned())
    }

    async fn clients(&self) -> Result<Vec<Client>> {
        Ok(self.state().clients.values().cloned().collect())
    }

    async fn put_client(&self, client: &Client) -> Result<()> {
        self.state().clients.insert(client.id.clone(), client.clone());
        Ok(())
    }

    async fn strip_client(&self, id: &ClientId, most: u32) -> Result<u64> {
        let (mut state, mut room) = (self.state(), Room(most));
        state.tokens.retain(|_, token| !room.takes(token.client == *id));
        state.grants.retain(|_, grant| !room.takes(grant.client == *id));
        state.consents.retain(|(_, client), _| !room.takes(client == id));
        state.deliveries.retain(|kept| !room.takes(kept.client == *id));
        Ok(u64::from(most - room.0))
    }

    async fn remove_client(&self, id: &ClientId) -> Result<bool> {
        self.strip_client(id, u32::MAX).await?;
        let mut state = self.state();
        state.receivers.retain(|receiver, _| receiver.client != *id);
        Ok(state.clients.remove(id).is_some())
    }
}
