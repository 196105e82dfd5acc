//! Secrets that are handed out, and the hashes that are stored of them.

use crate::ports::Ports;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What a secret is for. Its prefix makes leaked secrets findable, and keeps one kind from standing where another is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Authorization code.
    Code,
    /// Opaque access token.
    Access,
    /// Refresh token.
    Refresh,
    /// Watch token (samples only).
    Watch,
    /// Session cookie.
    Session,
    /// Flow cookie.
    Flow,
    /// Device cookie.
    Device,
    /// Approval link.
    Approval,
    /// Recovery link.
    Recovery,
    /// Client secret made by us.
    Client,
}

impl SecretKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Code => "gait_ac_",
            Self::Access => "gait_at_",
            Self::Refresh => "gait_rt_",
            Self::Watch => "gait_wt_",
            Self::Session => "gait_ss_",
            Self::Flow => "gait_fl_",
            Self::Device => "gait_dv_",
            Self::Approval => "gait_ap_",
            Self::Recovery => "gait_rc_",
            Self::Client => "gait_cs_",
        }
    }
}

const RANDOM_CHARS: usize = 43;
const CHECK_CHARS: usize = 6;

/// A secret in the open: wiped on drop, never printed, never serialised, compared in constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A new secret of 256 random bits: prefix, random part, checksum.
    pub fn new(kind: SecretKind, ports: &Ports) -> Self {
        let random = Zeroizing::new(URL_SAFE_NO_PAD.encode(Zeroizing::new(ports.random::<32>())));
        let check = checksum(kind.prefix(), &random);
        Self(Zeroizing::new(format!("{}{}{check}", kind.prefix(), random.as_str())))
    }

    /// Reads what somebody presents. `None` if it is no secret of this kind: wrong prefix, length, alphabet or checksum, so
    /// garbage costs no look-up.
    pub fn parse(kind: SecretKind, text: &str) -> Option<Self> {
        let body = text.strip_prefix(kind.prefix())?;
        if body.len() != RANDOM_CHARS + CHECK_CHARS || !body.is_ascii() {
            return None;
        }
        let (random, check) = body.split_at(RANDOM_CHARS);
        (checksum(kind.prefix(), random) == check).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Wraps a secret that was made elsewhere: a configured client secret, a typed password.
    pub fn wrap(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself, for the one place that hands it out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> Hash {
        Hash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Read from a configuration. An error doesn't show what was found.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = String::deserialize(source);
        text.map(Self::wrap)
            .map_err(|_| serde::de::Error::custom("a secret is a text in quotes"))
    }
}

fn checksum(prefix: &str, random: &str) -> String {
    let sum = Hash::of(format!("{prefix}{random}").as_bytes());
    let mut text = URL_SAFE_NO_PAD.encode(&sum.0[..6]);
    text.truncate(CHECK_CHARS);
    text
}

/// SHA-256 of a secret with at least 128 random bits (ASVS 5.0 6.5.2 allows a plain hash for those). Compared in constant time.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(out)
    }
    /// Base64url without padding.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
impl Eq for Hash {}

impl std::hash::Hash for Hash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({}…)", &self.to_text()[..6])
    }
}
