//! `[[sender]]`: who may send signals.

use gait_core::continuous::Sender;
use gait_core::ids::ClientId;
use gait_core::token::secret::Hash;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A sender as it is declared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderConfig {
    /// `iss` of its security event tokens.
    pub issuer: String,
    /// SHA-256 of its bearer secret is kept; the secret has at least 32 characters.
    pub secret: String,
    /// Its public keys as a JWKS document.
    pub jwks: Option<toml::Value>,
    /// File that holds them.
    pub jwks_file: Option<PathBuf>,
    /// Clients whose sessions it may speak of.
    pub clients: Vec<ClientId>,
}

impl SenderConfig {
    pub(super) fn check(&self, folder: &Path) -> Result<Self, String> {
        let mut checked = self.clone();
        if let Some(file) = &self.jwks_file {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let keys: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| format!("sender {}: {error}", self.issuer))?;
            checked.jwks = Some(toml::Value::try_from(keys).map_err(|error| format!("sender {}: {error}", self.issuer))?);
        }
        checked.sender()?;
        Ok(checked)
    }

    /// The sender that it declares.
    ///
    /// # Errors
    /// The reason.
    pub fn sender(&self) -> Result<Sender, String> {
        if self.secret.len() < 32 {
            return Err(format!("sender {}: the secret needs at least 32 characters", self.issuer));
        }
        let jwks = self
            .jwks
            .as_ref()
            .ok_or_else(|| format!("sender {}: jwks or jwks_file is missing", self.issuer))?;
        Ok(Sender {
            issuer: self.issuer.clone(),
            secret: Hash::of(self.secret.as_bytes()),
            jwks: serde_json::to_value(jwks).map_err(|error| format!("sender {}: {error}", self.issuer))?,
            clients: self.clients.clone(),
        })
    }
}
