//! `[[sender]]`: who may send signals.

use super::client::MIN_SECRET;
use super::secret::{Key, Written};
use gait_core::continuous::Sender;
use gait_core::ids::ClientId;
use gait_core::token::secret::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A sender as it is declared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderConfig {
    /// `iss` of its security event tokens.
    pub issuer: String,
    /// SHA-256 of its bearer secret is kept; the secret has at least 32 characters.
    pub secret: Option<Secret>,
    /// File that holds the secret.
    pub secret_file: Option<PathBuf>,
    /// Environment variable that holds it.
    pub secret_env: Option<String>,
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
        let written = Written {
            key: Key::Secret,
            inline: &self.secret,
            file: &self.secret_file,
            env: &self.secret_env,
        };
        let secret = written.required(folder);
        checked.secret = Some(secret.map_err(|reason| format!("sender {}: {reason}", self.issuer))?);
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
        let secret = self
            .secret
            .as_ref()
            .filter(|secret| secret.expose().len() >= MIN_SECRET)
            .ok_or_else(|| format!("sender {}: the secret needs at least {MIN_SECRET} characters", self.issuer))?;
        let jwks = self
            .jwks
            .as_ref()
            .ok_or_else(|| format!("sender {}: jwks or jwks_file is missing", self.issuer))?;
        Ok(Sender {
            issuer: self.issuer.clone(),
            secret: secret.hash(),
            jwks: serde_json::to_value(jwks).map_err(|error| format!("sender {}: {error}", self.issuer))?,
            clients: self.clients.clone(),
        })
    }
}
