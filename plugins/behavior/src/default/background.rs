//! What is known of people in general: a handful of consenting accounts, for each device class.

use super::memory::{Class, Memory, VERSION, unseal};
use crate::failure::{corrupt, failed};
use crate::{free, pointer};
use gait_sdk::{Background, ModelBlob, PluginError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Accounts below which there is no background but the neutral one: of fewer, each would be too easily told.
const LEAST: usize = 8;

/// Actions of an account below which it is not asked how people point.
const LEAST_ACTIONS: usize = 30;

/// Largest background that is read or written, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// The background as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    desk: Pair,
    touch: Pair,
}

#[derive(Serialize, Deserialize)]
struct Pair {
    typing: Option<free::Background>,
    pointing: Option<pointer::Background>,
}

/// The background, ready to judge by.
pub(crate) struct People {
    desk: Ready,
    touch: Ready,
}

/// The background of one device class.
pub(crate) struct Ready {
    /// Free text.
    pub(crate) typing: Arc<free::Crowd>,
    /// The pointer.
    pub(crate) pointing: pointer::Background,
}

impl People {
    /// The background that the plugin ships.
    pub(crate) fn neutral() -> Self {
        let nobody = || Pair {
            typing: None,
            pointing: None,
        };
        Self {
            desk: Ready::of(nobody()),
            touch: Ready::of(nobody()),
        }
    }

    /// Reads a background.
    ///
    /// # Errors
    /// [`PluginError::Corrupt`] for everything that [`gather`] would not have written.
    pub(crate) fn open(background: &Background) -> Result<Self, PluginError> {
        let (version, checksum, bytes) = (background.version, &background.checksum, &background.bytes);
        let written: Written = unseal(version, checksum, bytes, MAX_BYTES, "background")?;
        if let Some(fault) = written.desk.fault().or_else(|| written.touch.fault()) {
            return Err(corrupt(fault));
        }
        Ok(Self {
            desk: Ready::of(written.desk),
            touch: Ready::of(written.touch),
        })
    }

    /// The background of a device class.
    pub(crate) fn class(&self, touch: bool) -> &Ready {
        if touch { &self.touch } else { &self.desk }
    }
}

impl Pair {
    fn fault(&self) -> Option<&'static str> {
        let typing = self.typing.as_ref().and_then(free::Background::fault);
        typing.or_else(|| self.pointing.as_ref().and_then(pointer::Background::fault))
    }
}

impl Ready {
    /// A class of devices that too few people use has the neutral background.
    fn of(pair: Pair) -> Self {
        let typing = pair.typing.unwrap_or_else(free::Background::neutral);
        Self {
            typing: Arc::new(free::Crowd::new(&typing)),
            pointing: pair.pointing.unwrap_or_else(pointer::Background::neutral),
        }
    }
}

/// Makes the background of these accounts' models; `None` if they are too few. A model that can't be read is left out.
///
/// # Errors
/// [`PluginError::Failed`] if it can't be written.
pub(crate) fn gather(models: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
    let memories: Vec<Memory> = models.iter().filter_map(|model| Memory::open(model).ok()).collect();
    if memories.len() < LEAST {
        return Ok(None);
    }
    let written = Written {
        desk: pair(&memories, |memory| &memory.desk),
        touch: pair(&memories, |memory| &memory.touch),
    };
    let bytes = postcard::to_allocvec(&written).map_err(|error| failed(format!("the background can't be written: {error}")))?;
    if bytes.len() > MAX_BYTES {
        return Err(failed(format!("the background has {} bytes", bytes.len())));
    }
    Ok(Some(Background {
        version: VERSION,
        checksum: Sha256::digest(&bytes).into(),
        bytes,
        accounts: u32::try_from(memories.len()).unwrap_or(u32::MAX),
    }))
}

fn pair(memories: &[Memory], class: fn(&Memory) -> &Class) -> Pair {
    let typing: Vec<_> = memories.iter().map(|memory| &class(memory).typing).collect();
    let pointing = memories.iter().map(|memory| &class(memory).pointing);
    let pointing: Vec<_> = pointing.filter(|account| account.len() >= LEAST_ACTIONS).collect();
    Pair {
        typing: free::Background::of(&typing),
        pointing: (pointing.len() >= LEAST).then(|| pointer::Background::of(&pointing)),
    }
}
