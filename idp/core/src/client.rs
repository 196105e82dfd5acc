//! Clients: the apps that people sign in to, and the resource servers that introspect.

use crate::ids::ClientId;
use crate::policy::Plan;
use crate::token::secret::Hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// How a client proves itself at the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// HTTP Basic (RFC 6749 §2.3.1).
    #[default]
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
    /// A signed assertion (RFC 7523, RFC 10070).
    PrivateKeyJwt,
    /// Public client.
    None,
}

/// A signature algorithm of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Alg {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits.
    #[default]
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// What a client's access tokens look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// Random, hashed at rest, dead at once when revoked.
    #[default]
    Opaque,
    /// RFC 9068, at most 5 minutes.
    Jwt,
}

/// What `sub` a client sees (OIDC Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same at every client.
    #[default]
    Public,
    /// Different for each sector.
    Pairwise,
}

/// Grants that a client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// Its name for people.
    pub name: String,
    /// Hash of its secret; the secret has at least 32 characters.
    pub secret: Option<Hash>,
    /// How it proves itself.
    pub auth: ClientAuth,
    /// Its public keys (RFC 7517), for `private_key_jwt`.
    pub jwks: Option<serde_json::Value>,
    /// Allowed redirect URIs, compared exactly.
    pub redirect_uris: Vec<String>,
    /// Allowed targets after logout, compared exactly.
    pub post_logout_redirect_uris: Vec<String>,
    /// Web origins that may call the public endpoints and be watched, for example `https://app.example`.
    pub origins: Vec<String>,
    /// Grants that it may use.
    pub grant_types: BTreeSet<GrantType>,
    /// Scopes that it may ask for.
    pub scopes: BTreeSet<String>,
    /// Signature algorithm of its ID tokens.
    pub id_token_alg: Alg,
    /// Format of its access tokens.
    pub access_token: AccessTokenFormat,
    /// Which `sub` it sees.
    pub subject_type: SubjectType,
    /// Host that groups pairwise clients; the first redirect URI's host if absent.
    pub sector_identifier: Option<String>,
    /// Where logout tokens go.
    pub backchannel_logout_uri: Option<Url>,
    /// Where security event tokens go.
    pub continuous_auth_callback_uri: Option<Url>,
    /// Its own plan in place of the deployment's.
    pub plan: Option<Plan>,
    /// Its own theme.
    pub theme: Option<String>,
    /// True if people aren't asked for OAuth consent: the operator's own app.
    pub trusted: bool,
    /// True for native apps: consent is confirmed each time (RFC 8252 §8.6).
    pub native: bool,
    /// Resource servers (client ids) that its access tokens are meant for.
    pub audience: Vec<ClientId>,
    /// As a resource server: it may introspect tokens whose audience it is.
    pub introspects: bool,
    /// As a resource server: it turns `step_up_required` into an RFC 9470 challenge.
    pub step_up_aware: bool,
    /// Accept assertions as they were before RFC 10070: for the token endpoint's URL, and for up to an hour.
    pub legacy_assertions: bool,
}
