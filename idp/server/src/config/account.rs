//! `[[account]]`: declared accounts.

use gait_core::account::{Identifier, Mode};
use serde::Deserialize;

/// An account as it is declared. It is made when its user name isn't there yet; e-mail and claims follow the file, password and mode
/// belong to the person from then on.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// User name.
    pub username: String,
    /// E-mail address.
    pub email: Option<String>,
    /// The operator vouches for the address.
    #[serde(default)]
    pub email_verified: bool,
    /// First password. Without one the person sets it by recovery.
    pub password: Option<String>,
    /// Standard claims, for example `name`.
    #[serde(default)]
    pub claims: toml::Table,
    /// First mode.
    #[serde(default)]
    pub mode: Mode,
}

impl std::fmt::Debug for AccountConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountConfig")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl AccountConfig {
    pub(super) fn check(&self) -> Result<Self, String> {
        Identifier::parse(&self.username).ok_or_else(|| format!("account {:?}: no user name", self.username))?;
        if let Some(email) = &self.email {
            let parsed = Identifier::parse(email).filter(|email| email.as_str().contains('@'));
            parsed.ok_or_else(|| format!("account {}: {email:?} is no e-mail address", self.username))?;
        }
        if let Some(claim) = self
            .claims
            .keys()
            .find(|claim| matches!(claim.as_str(), "sub" | "email" | "email_verified"))
        {
            return Err(format!("account {}: {claim} is no free claim", self.username));
        }
        Ok(self.clone())
    }
}
