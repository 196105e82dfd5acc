//! The other nodes: what is told to them, and what they tell.

use crate::store::Database;
use async_trait::async_trait;
use gait_core::Idp;
use gait_core::ports::{Changed, Herald};
use std::sync::Arc;
use std::time::Duration;

/// Pause before the database is listened to again.
const BREATH: Duration = Duration::from_millis(500);

/// The nodes that share a database.
pub struct Nodes(pub Database);

#[async_trait]
impl Herald for Nodes {
    async fn tell(&self, changed: Changed) {
        let told = match serde_json::to_string(&changed) {
            Ok(text) => self.0.notify(&text).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = told {
            tracing::warn!(?changed, error, "the other nodes weren't told; they look for themselves");
        }
    }
}

/// Heeds what other nodes tell, as long as there may be any. After a pause in which notices may have been lost, it heeds everything.
pub async fn heed(idp: Arc<Idp>, database: Database) {
    loop {
        match database.listen().await {
            Ok(None) => return,
            Ok(Some(mut notices)) => {
                follow(&idp, Changed::Anything).await;
                while let Some(text) = notices.next().await {
                    // A newer node may tell what this one doesn't know.
                    follow(&idp, serde_json::from_str(&text).unwrap_or(Changed::Anything)).await;
                }
                tracing::debug!("the connection for notices broke");
            }
            Err(error) => tracing::debug!(%error, "notices can't be listened to"),
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn follow(idp: &Idp, changed: Changed) {
    if let Err(error) = idp.heed(&changed).await {
        tracing::warn!(?changed, %error, "what another node changed can't be read yet");
    }
}
