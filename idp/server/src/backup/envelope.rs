//! What closes a backup, and what opens it.

use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient, scrypt, x25519};
use anyhow::{Context as _, anyhow, bail};
use gait_core::token::secret::Secret;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

/// Most work (2^n rounds) that opening by a passphrase may cost: about a minute, so that a slow machine opens what a fast one closed.
const MAX_WORK: u8 = 22;

/// What a backup is closed with.
pub enum Lock {
    /// Public keys (`age1…`): whoever holds one of the private ones opens it. The machine that takes the backup needs no secret.
    Recipients(Vec<x25519::Recipient>),
    /// A passphrase.
    Passphrase(Secret),
}

/// What a backup is opened with.
pub enum Key {
    /// Private keys (`AGE-SECRET-KEY-1…`).
    Identities(Vec<Box<dyn Identity + Send + Sync>>),
    /// A passphrase.
    Passphrase(Secret),
}

impl Lock {
    /// To these public keys.
    ///
    /// # Errors
    /// One of them is none, or there is none at all.
    pub fn recipients<'a>(keys: impl Iterator<Item = &'a str>) -> anyhow::Result<Self> {
        let parse = |key: &str| {
            key.parse()
                .map_err(|why: &str| anyhow!("{key:?} is no age public key: {why}"))
        };
        let recipients = keys.map(parse).collect::<anyhow::Result<Vec<_>>>()?;
        if recipients.is_empty() {
            bail!("no public key is named");
        }
        Ok(Self::Recipients(recipients))
    }

    /// Encrypts what `write` writes.
    pub(super) fn close<W: Write>(
        &self,
        into: W,
        write: impl FnOnce(&mut age::stream::StreamWriter<W>) -> io::Result<()>,
    ) -> anyhow::Result<W> {
        let encryptor = match self {
            Self::Recipients(keys) => Encryptor::with_recipients(keys.iter().map(|key| key as &dyn Recipient))?,
            Self::Passphrase(passphrase) => Encryptor::with_user_passphrase(passphrase.expose().into()),
        };
        let mut writer = encryptor.wrap_output(into)?;
        write(&mut writer)?;
        Ok(writer.finish()?)
    }
}

impl Key {
    /// The private keys in a file, as `age-keygen` writes it.
    ///
    /// # Errors
    /// It can't be read, or holds none.
    pub fn identities(path: &Path) -> anyhow::Result<Self> {
        let place = || path.display().to_string();
        let file = std::fs::File::open(path).with_context(place)?;
        let keys = IdentityFile::from_buffer(BufReader::new(file)).with_context(|| format!("{}: no age identities", place()))?;
        let keys = keys.into_identities()?;
        if keys.is_empty() {
            bail!("{}: no age identity is in it", place());
        }
        Ok(Self::Identities(keys))
    }

    /// Decrypts a stream. What comes out is proven piece by piece, and only the end proves that nothing is missing.
    pub(super) fn open<R: Read>(&self, sealed: R) -> anyhow::Result<impl Read> {
        let decryptor = Decryptor::new(sealed).map_err(explain)?;
        match (self, decryptor.is_scrypt()) {
            (Self::Identities(_), true) => bail!("this backup opens with a passphrase"),
            (Self::Passphrase(_), false) => bail!("this backup opens with a private key, not with a passphrase"),
            (Self::Identities(keys), false) => decryptor.decrypt(keys.iter().map(|key| &**key as &dyn Identity)),
            (Self::Passphrase(passphrase), true) => {
                let mut key = scrypt::Identity::new(passphrase.expose().into());
                key.set_max_work_factor(MAX_WORK);
                decryptor.decrypt(std::iter::once(&key as &dyn Identity))
            }
        }
        .map_err(explain)
    }
}

fn explain(error: DecryptError) -> anyhow::Error {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => {
            anyhow!("this key or passphrase doesn't open the backup")
        }
        DecryptError::DecryptionFailed | DecryptError::InvalidMac => {
            anyhow!("the passphrase is wrong, or the backup was changed")
        }
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => anyhow!("this is no backup, or it is damaged"),
        DecryptError::ExcessiveWork { .. } => anyhow!("opening it would take more than a minute of work"),
        error => anyhow!("this is no backup, or it is cut off ({error})"),
    }
}
