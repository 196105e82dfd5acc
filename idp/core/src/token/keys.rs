//! The key ring.

use crate::Setup;
use crate::error::Result;

/// The signing keys of this node's memory, as the store has them.
pub struct KeyRing {}

impl KeyRing {
    /// Opens the ring: checks the master key, and makes the first keys if there are none.
    ///
    /// # Errors
    /// The store is away, or the master key is another than the store's.
    pub async fn open(setup: &Setup) -> Result<Self> {
        todo!()
    }
}
