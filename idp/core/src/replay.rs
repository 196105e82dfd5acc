//! Since when the ephemeral store remembers. It may die and come back empty, and a replay cache that is younger than what it is asked
//! about knows nothing of it.

use crate::Idp;
use crate::error::{Error, Result};
use crate::ports::Ports;
use crate::store::Ephemeral;
use gait_sdk::Timestamp;

/// Written once, when there is nothing, and lost with all the rest.
const BIRTH: &str = "birth";

/// Notes the birth of a store that is empty. If it is away now, that is done when it is asked for the first time.
pub(crate) async fn note_birth(ephemeral: &dyn Ephemeral, ports: &Ports) {
    let text = ports.clock.now_ms().to_string();
    if let Err(error) = ephemeral.put_new(BIRTH, text.as_bytes(), u32::MAX).await {
        tracing::warn!(%error, "the birth of the ephemeral store could not be noted; it is when it is needed");
    }
}

impl Idp {
    /// False for what may have been used before the replay cache began. To be asked after the use was remembered: if the cache
    /// dies in between, its birth is after that.
    pub(crate) async fn replay_would_show(&self, issued: Timestamp) -> Result<bool> {
        let born_at_ms = match self.ephemeral.get(BIRTH).await? {
            Some(bytes) => {
                let text = std::str::from_utf8(&bytes).ok();
                let born_at_ms = text.and_then(|text| text.parse::<i64>().ok());
                born_at_ms.ok_or_else(|| Error::Inconsistent("the ephemeral store's birth is no number".to_owned()))?
            }
            None => {
                note_birth(self.ephemeral.as_ref(), &self.ports).await;
                return Ok(false);
            }
        };
        // The second in which it was born began before it.
        Ok(issued.0.saturating_mul(1000) >= born_at_ms)
    }
}
