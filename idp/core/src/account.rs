//! Accounts: people we know.

use crate::ids::AccountId;
use gait_sdk::{PluginId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

/// What was typed to say who one is, in canonical form: NFKC, trimmed, lower-cased, at most 254 bytes. One form for look-up,
/// uniqueness and counters alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identifier(String);

impl Identifier {
    /// Longest canonical identifier in bytes (RFC 5321 §4.5.3.1.3).
    pub const MAX_BYTES: usize = 254;

    /// Canonicalises `typed`. `None` if nothing is left, it is too long, or it holds control characters.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 4 * Self::MAX_BYTES {
            return None;
        }
        let text: String = typed.nfkc().collect::<String>().to_lowercase().nfkc().collect();
        let text = text.trim();
        let fits = !text.is_empty() && text.len() <= Self::MAX_BYTES && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What behaviour does to an account's sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Behaviour is collected (with consent) and never acts.
    #[default]
    Train,
    /// Behaviour may demand a step-up or revoke.
    Auth,
}

/// A person we know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Stable id; the public `sub`.
    pub id: AccountId,
    /// Canonical user name, unique among user names and e-mail addresses.
    pub username: Identifier,
    /// Canonical e-mail address, unique likewise.
    pub email: Option<Identifier>,
    /// True if an operator or the person has proven it.
    pub email_verified: bool,
    /// Standard claims (OIDC Core §5.1) but `sub`, `email*`; for example `name`, `address`, `phone_number`.
    pub claims: Map<String, Value>,
    /// Train or auth.
    pub mode: Mode,
    /// Set while the account may not be used.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change of claims or e-mail (`updated_at` claim).
    pub updated_at: Timestamp,
    /// Last change of a credential that the person proves with; waivers are off for 24 h after it.
    pub credential_changed_at: Option<Timestamp>,
    /// Nothing that was begun or issued before this counts any more.
    pub revoked_before: Option<Timestamp>,
}

/// A credential as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCredential {
    /// Whose.
    pub account: AccountId,
    /// Of which plugin.
    pub plugin: PluginId,
    /// The part that the plugin sees.
    pub credential: gait_sdk::Credential,
    /// Last save or proof.
    pub last_used_at: Option<Timestamp>,
}

/// Purpose of the consent to be watched.
pub const WATCH_PURPOSE: &str = "continuous_auth";
/// Purpose of the second consent: how the password is typed. It needs the first, and is withdrawn with it.
pub const PASSWORD_PURPOSE: &str = "password_rhythm";

/// A consent to be watched: a noun of its own, given on our pages only, apart from OAuth consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BehaviourConsent {
    /// Whose.
    pub account: AccountId,
    /// For what: [`WATCH_PURPOSE`] or [`PASSWORD_PURPOSE`].
    pub purpose: String,
    /// Version of the text that was shown.
    pub text_version: String,
    /// When it was given.
    pub at: Timestamp,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}
