//! Clients.

use super::MemoryStore;
use crate::client::Client;
use crate::ids::ClientId;
use crate::store::{ClientStore, Result};
use async_trait::async_trait;
use gait_sdk::Timestamp;

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

    async fn remove_client(&self, id: &ClientId, _at: Timestamp) -> Result<bool> {
        let mut state = self.state();
        state.grants.retain(|_, grant| grant.client != *id);
        state.tokens.retain(|_, token| token.client != *id);
        state.consents.retain(|(_, client), _| client != id);
        state.deliveries.retain(|kept| kept.client != *id);
        state.receivers.retain(|receiver, _| receiver.client != *id);
        Ok(state.clients.remove(id).is_some())
    }
}
