//! Errors of the core that are not part of a protocol's answer.

use crate::ports::MailError;
use crate::seal::SealError;
use crate::store::StoreError;

/// The provider could not do its work. A wire shows it as 503 (`is_away`), 429 (`TooMany`) or 500, with the request id and
/// nothing else.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealed data that can't be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The caller asks for too much; it may ask again after so many seconds.
    #[error("too many requests; again in {0} s")]
    TooMany(u32),
    /// More is being computed than there is room for; the same call may succeed soon.
    #[error("busy: {0}")]
    Busy(String),
    /// Something stored or configured contradicts itself.
    #[error("inconsistent: {0}")]
    Inconsistent(String),
}

impl Error {
    /// True if the same call may succeed soon: a backend is away, or there is too much to do.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Store(StoreError::Away(_)) | Self::Mail(_) | Self::Busy(_))
    }
}

/// Result of core calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;
