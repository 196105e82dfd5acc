//! What is remembered of a code that was sent.

use crate::code::Code;
use crate::{Config, id};
use gait_sdk::{Context, Memo, PluginError, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How far the clocks of two nodes may differ, in seconds.
const SKEW_S: i64 = 60;

/// The memo. Only a keyed hash of the code is kept.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    /// HMAC-SHA-256 of code, nonce and account; `None` once the code is dead, so that nothing can match any more.
    mac: Option<[u8; 32]>,
    nonce: [u8; 16],
    sent_at: Timestamp,
    expires_at: Timestamp,
    failures: u32,
    /// Which mail it is, for the person.
    pub(crate) label: String,
}

impl Sent {
    pub(crate) fn new(cx: &Context, config: &Config, key: &[u8; 32], code: &Code, label: String) -> Self {
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&cx.random("nonce")[..16]);
        Self {
            mac: Some(mac(key, code.as_str(), &nonce, cx)),
            nonce,
            sent_at: cx.now,
            expires_at: cx.now.plus(config.ttl_s.into()),
            failures: 0,
            label,
        }
    }

    pub(crate) fn from_memo(memo: &Memo) -> Result<Self, PluginError> {
        Self::deserialize(&memo.0).map_err(|_| PluginError::Corrupt {
            plugin: id(),
            detail: "the memo".to_owned(),
        })
    }

    pub(crate) fn to_memo(&self) -> Result<Memo, PluginError> {
        serde_json::to_value(self).map(Memo).map_err(|error| PluginError::Failed {
            plugin: id(),
            detail: error.to_string(),
        })
    }

    /// Whether a right code still counts. Not before it was sent either: then a clock was set back, perhaps to before the
    /// end of a code that is long over.
    pub(crate) fn is_alive(&self, now: Timestamp, config: &Config) -> bool {
        let sent_before = now.since(self.sent_at) >= -SKEW_S;
        !self.is_dead() && self.failures < config.max_failures && sent_before && now < self.expires_at
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.mac.is_none()
    }

    pub(crate) fn kill(&mut self) {
        self.mac = None;
    }

    pub(crate) fn count_failure(&mut self, config: &Config) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= config.max_failures {
            self.kill();
        }
    }

    /// Seconds until another code may be asked for.
    pub(crate) fn wait_s(&self, now: Timestamp, config: &Config) -> i64 {
        let wait_s = i64::from(config.resend_wait_s);
        wait_s.saturating_sub(now.since(self.sent_at)).clamp(0, wait_s)
    }

    /// Compared in constant time; the same work whoever is asked.
    pub(crate) fn matches(&self, cx: &Context, key: &[u8; 32], typed: &str) -> bool {
        let typed = mac(key, typed, &self.nonce, cx);
        self.mac.is_some_and(|sent| bool::from(sent.ct_eq(&typed)))
    }
}

/// Bound to this code, this mail and this account. The lengths in front keep code, nonce and account apart.
fn mac(key: &[u8; 32], code: &str, nonce: &[u8; 16], cx: &Context) -> [u8; 32] {
    // A key of less than a block is padded with zeros to one (RFC 2104 §2).
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&(code.len() as u64).to_be_bytes());
    mac.update(code.as_bytes());
    mac.update(nonce);
    mac.update(cx.known().map_or("", |view| view.handle.as_str()).as_bytes());
    mac.finalize().into_bytes().into()
}
