//! The master key: sealing what is stored, and keys derived for one purpose each.

use crate::ports::Entropy;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use std::fmt;
use zeroize::Zeroizing;

/// Sealed bytes: nonce, ciphertext, tag (AES-256-GCM). Opens only with the same purpose and owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// What was stored doesn't open: another master key, another owner, or damage.
#[derive(Debug, thiserror::Error)]
#[error("sealed data can't be opened: wrong master key, or damaged")]
pub struct SealError;

/// The deployment's master key, 256 bits.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Wraps key bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A 256-bit key for one purpose (HKDF-SHA-256, RFC 5869, the purpose as `info`).
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"gait").extract(self.0.as_ref());
        let mut key = Zeroizing::new([0; 32]);
        // 32 bytes are within HKDF's limit, so neither call can fail; zeroes would be refused by nobody, so make it loud.
        let filled = prk
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut()));
        assert!(filled.is_ok(), "HKDF of 32 bytes");
        key
    }

    /// HMAC-SHA-256 of `message` under the key for `purpose`.
    pub fn mac(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.derive(purpose).as_ref());
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&key, message).as_ref());
        out
    }

    /// Seals `plain` for `purpose` and `owner` (for example `model` and an account id).
    ///
    /// # Errors
    /// Only if the cipher refuses, which it does for plaintexts of 64 GiB.
    pub fn seal(&self, purpose: &str, owner: &str, plain: &[u8], entropy: &dyn Entropy) -> Result<Sealed, SealError> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut out = nonce.to_vec();
        let mut body = plain.to_vec();
        self.cipher(purpose)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner.as_bytes()), &mut body)
            .map_err(|_| SealError)?;
        out.append(&mut body);
        Ok(Sealed(out))
    }

    /// Opens what [`MasterKey::seal`] sealed for the same purpose and owner.
    ///
    /// # Errors
    /// [`SealError`] for anything else.
    pub fn open(&self, purpose: &str, owner: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, body) = sealed.0.split_at_checked(NONCE_LEN).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .cipher(purpose)?
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut body)
            .map_err(|_| SealError)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    fn cipher(&self, purpose: &str) -> Result<LessSafeKey, SealError> {
        UnboundKey::new(&AES_256_GCM, self.derive(purpose).as_ref())
            .map(LessSafeKey::new)
            .map_err(|_| SealError)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
