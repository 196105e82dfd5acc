//! `[[account]]`: declared accounts.

use super::secret::{Key, Written};
use gait_core::account::{Identifier, Mode};
use gait_core::token::secret::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};

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
    pub password: Option<Secret>,
    /// File that holds it.
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds it.
    pub password_env: Option<String>,
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
    pub(super) fn check(&self, folder: &Path) -> Result<Self, String> {
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
        let written = Written {
            key: Key::Password,
            inline: &self.password,
            file: &self.password_file,
            env: &self.password_env,
        };
        let password = written
            .read(folder)
            .map_err(|reason| format!("account {}: {reason}", self.username))?;
        Ok(Self {
            password,
            ..self.clone()
        })
    }
}
