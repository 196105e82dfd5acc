//! `[[client]]`: declared clients.

use super::secret::{Key, Written};
use gait_core::client::{AccessTokenFormat, Alg, Client, ClientAuth, GrantType, SubjectType};
use gait_core::ids::ClientId;
use gait_core::policy::Plan;
use gait_core::token::secret::Secret;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use url::Url;

/// A client as it is declared; see [`Client`] for the meaning of each field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// Where it stands, as `file:line`; empty for one that no file declares.
    #[serde(skip)]
    pub at: String,
    /// `client_id`.
    pub id: String,
    /// Its name for people; the id by default.
    pub name: Option<String>,
    /// Its secret, at least 32 characters.
    pub secret: Option<Secret>,
    /// File that holds the secret.
    pub secret_file: Option<PathBuf>,
    /// Environment variable that holds it.
    pub secret_env: Option<String>,
    /// How it proves itself.
    #[serde(default)]
    pub auth: ClientAuth,
    /// Its public keys as a JWKS document.
    pub jwks: Option<toml::Value>,
    /// File that holds them.
    pub jwks_file: Option<PathBuf>,
    /// Allowed redirect URIs.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Allowed targets after logout.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Web origins.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Grants; code and refresh by default.
    pub grant_types: Option<BTreeSet<GrantType>>,
    /// Scopes; all that Gait knows but `continuous_auth` by default.
    pub scopes: Option<BTreeSet<String>>,
    /// ID token algorithm.
    #[serde(default)]
    pub id_token_alg: Alg,
    /// Access token format.
    #[serde(default)]
    pub access_token: AccessTokenFormat,
    /// Subject type.
    #[serde(default)]
    pub subject_type: SubjectType,
    /// Sector of pairwise subjects.
    pub sector_identifier: Option<String>,
    /// Where logout tokens go.
    pub backchannel_logout_uri: Option<Url>,
    /// Where security event tokens go.
    pub continuous_auth_callback_uri: Option<Url>,
    /// Its own plan.
    pub plan: Option<Plan>,
    /// Its own theme.
    pub theme: Option<String>,
    /// The operator's own app: no OAuth consent.
    #[serde(default)]
    pub trusted: bool,
    /// A native app.
    #[serde(default)]
    pub native: bool,
    /// Resource servers that its tokens are for.
    #[serde(default)]
    pub audience: Vec<ClientId>,
    /// It is a resource server that introspects.
    #[serde(default)]
    pub introspects: bool,
    /// It understands `step_up_required`.
    #[serde(default)]
    pub step_up_aware: bool,
    /// It signs assertions as before RFC 10070.
    #[serde(default)]
    pub legacy_assertions: bool,
}

/// Scopes of a client that declares none.
const DEFAULT_SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];
/// Fewest characters of a client's or sender's secret: 32 of base64url are 192 bits, and a plain hash is enough to store them.
pub(super) const MIN_SECRET: usize = 32;

impl ClientConfig {
    /// Reads the files that it names (relative to `folder`) and checks what can be checked without the rest.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self, folder: &Path) -> Result<Self, String> {
        let mut checked = self.clone();
        let written = Written {
            key: Key::Secret,
            inline: &self.secret,
            file: &self.secret_file,
            env: &self.secret_env,
        };
        checked.secret = written
            .read(folder)
            .map_err(|reason| format!("client {}: {reason}", self.id))?;
        if let Some(file) = &self.jwks_file {
            let keys: serde_json::Value = serde_json::from_str(&read(&folder.join(file))?)
                .map_err(|error| format!("client {}: {}: {error}", self.id, file.display()))?;
            checked.jwks = Some(toml::Value::try_from(keys).map_err(|error| format!("client {}: {error}", self.id))?);
        }
        checked.client()?;
        Ok(checked)
    }

    /// The client that it declares.
    ///
    /// # Errors
    /// The reason: a secret that is missing, short or superfluous, a URI that may not be registered.
    pub fn client(&self) -> Result<Client, String> {
        let fail = |reason: &str| Err(format!("client {}: {reason}", self.id));
        let secret_auth = matches!(self.auth, ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost);
        match &self.secret {
            Some(_) if !secret_auth => return fail("a secret makes no sense with this auth"),
            Some(secret) if secret.expose().len() < MIN_SECRET => return fail("the secret needs at least 32 characters"),
            None if secret_auth => return fail("a secret is missing"),
            _ => {}
        }
        if self.auth == ClientAuth::PrivateKeyJwt && self.jwks.is_none() {
            return fail("private_key_jwt needs jwks or jwks_file");
        }
        for uri in self.redirect_uris.iter().chain(&self.post_logout_redirect_uris) {
            check_redirect(uri).map_err(|reason| format!("client {}: {uri}: {reason}", self.id))?;
        }
        for origin in &self.origins {
            let url = Url::parse(origin).map_err(|error| format!("client {}: {origin}: {error}", self.id))?;
            if url.origin().ascii_serialization() != *origin {
                return fail(&format!(
                    "{origin} is no origin, write {}",
                    url.origin().ascii_serialization()
                ));
            }
        }
        for uri in self.backchannel_logout_uri.iter().chain(&self.continuous_auth_callback_uri) {
            if uri.fragment().is_some() || !matches!(uri.scheme(), "https" | "http") {
                return fail(&format!("{uri} must be http(s) without a fragment"));
            }
        }
        let jwks = self.jwks.as_ref().map(serde_json::to_value).transpose();
        Ok(Client {
            id: ClientId(self.id.clone()),
            name: self.name.clone().unwrap_or_else(|| self.id.clone()),
            secret: self.secret.as_ref().map(Secret::hash),
            auth: self.auth,
            jwks: jwks.map_err(|error| format!("client {}: jwks: {error}", self.id))?,
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
            origins: self.origins.clone(),
            grant_types: self
                .grant_types
                .clone()
                .unwrap_or_else(|| [GrantType::AuthorizationCode, GrantType::RefreshToken].into()),
            scopes: self
                .scopes
                .clone()
                .unwrap_or_else(|| DEFAULT_SCOPES.map(str::to_owned).into()),
            id_token_alg: self.id_token_alg,
            access_token: self.access_token,
            subject_type: self.subject_type,
            sector_identifier: self.sector_identifier.clone(),
            backchannel_logout_uri: self.backchannel_logout_uri.clone(),
            continuous_auth_callback_uri: self.continuous_auth_callback_uri.clone(),
            plan: self.plan.clone(),
            theme: self.theme.clone(),
            trusted: self.trusted,
            native: self.native,
            audience: self.audience.clone(),
            introspects: self.introspects,
            step_up_aware: self.step_up_aware,
            legacy_assertions: self.legacy_assertions,
        })
    }
}

/// A redirect URI that may be registered: absolute, no fragment, no scheme that runs code; http only on loopback; a private scheme
/// has a dot (RFC 8252 §7.1).
fn check_redirect(uri: &str) -> Result<(), &'static str> {
    let url = Url::parse(uri).map_err(|_| "is no absolute URI")?;
    if url.fragment().is_some() {
        return Err("has a fragment");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" => match url.host() {
            Some(url::Host::Domain("localhost")) => Ok(()),
            Some(url::Host::Ipv4(ip)) if ip.is_loopback() => Ok(()),
            Some(url::Host::Ipv6(ip)) if ip.is_loopback() => Ok(()),
            _ => Err("http is for loopback only"),
        },
        scheme if scheme.contains('.') => Ok(()),
        _ => Err("this scheme may not be registered"),
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
