//! What a plugin may know when it is called.

use crate::{AccountHandle, CredentialId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::net::IpAddr;

/// Why the plugin is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// From nothing to a session. Only here may a waiver pass.
    SignIn,
    /// Proving anew within a living session, or up to a demanded level.
    StepUp,
    /// The account's owner, freshly proven, adds or changes a credential of this plugin.
    Enrol,
    /// An [`crate::Approval`] was answered.
    Approval,
}

/// A credential of the plugin that is called; the payload is the plugin's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// What the account page calls it.
    pub label: String,
    /// The plugin's data.
    pub payload: serde_json::Value,
    /// Grows by one at each save; a [`crate::Save`] names the version it replaces.
    pub version: i64,
    /// When it was first stored.
    pub created_at: Timestamp,
}

/// The account before us, as far as a plugin may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectView {
    /// Opaque and per plugin.
    pub handle: AccountHandle,
    /// Canonical user name.
    pub username: String,
    /// Address for mail, if the account has one.
    pub email: Option<String>,
}

/// Who is being proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An account that exists and may sign in.
    Known(SubjectView),
    /// What was typed names nobody (or a disabled account). Show the same pages and do the same work; the engine fails it.
    Unknown {
        /// As typed, canonical.
        identifier: String,
    },
}

/// The browser before us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The visitor's address; `None` if it could not be established, which is never trusted.
    pub address: Option<IpAddr>,
    /// `User-Agent`, capped at 256 bytes.
    pub user_agent: String,
    /// A hash of this browser's `__Host-` device cookie; `None` before the first sign-in completes.
    pub device: Option<String>,
}

impl Visitor {
    /// The network that stands for the address; see [`network_of`].
    pub fn prefix(&self) -> Option<IpNet> {
        self.address.and_then(network_of)
    }
}

/// The network that stands for an address, since whoever has the address has all of it: /32 for IPv4 (also IPv4-mapped), /64 for IPv6.
pub fn network_of(address: IpAddr) -> Option<IpNet> {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { 32 } else { 64 };
    IpNet::new(address, length).ok().map(|net| net.trunc())
}

/// What address trust knows of the visitor, for scorers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IpEvidence {
    /// 0.0 (never seen) to 1.0 (trusted).
    pub score: f64,
}

/// The client on whose behalf we ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// `client_id`.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

/// Everything a plugin may know. Serialisable, so that the same call can be made in process, in a sandbox or over HTTPS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Why we ask.
    pub purpose: Purpose,
    /// Of whom.
    pub subject: Subject,
    /// The subject's credentials of this plugin, and of no other.
    pub credentials: Vec<Credential>,
    /// From where.
    pub visitor: Visitor,
    /// For which client; `None` on the provider's own pages.
    pub client: Option<ClientView>,
    /// The acr that was demanded, if one was.
    pub wanted_acr: Option<String>,
    /// What address trust says; `None` where it was not asked.
    pub ip_evidence: Option<IpEvidence>,
    /// Now.
    pub now: Timestamp,
    /// Fresh randomness, never used for another call. Use [`Context::random`].
    pub entropy: [u8; 32],
}

impl Context {
    /// 32 fresh random bytes for one use, named by `label`; the same label gives the same bytes within one call.
    pub fn random(&self, label: &str) -> [u8; 32] {
        hmac_sha256(&self.entropy, label.as_bytes())
    }
    /// The known subject, if it is one.
    pub fn known(&self) -> Option<&SubjectView> {
        match &self.subject {
            Subject::Known(view) => Some(view),
            Subject::Unknown { .. } => None,
        }
    }
}

fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // `new` takes a key of exactly the block size; 32 bytes are zero-padded to it (RFC 2104 §2).
    let mut block = [0u8; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}
