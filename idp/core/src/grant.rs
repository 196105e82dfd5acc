//! Grants, codes and the tokens that come of them.

use crate::ids::{AccountId, ClientId, GrantId, SessionId};
use crate::token::secret::Hash;
use gait_sdk::{Amr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A set of scopes.
pub type Scopes = BTreeSet<String>;

/// What an account allowed a client in one authorization; the family of every token that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Who allowed.
    pub account: AccountId,
    /// Whom.
    pub client: ClientId,
    /// In which session.
    pub session: SessionId,
    /// What.
    pub scopes: Scopes,
    /// The `claims` parameter (OIDC Core §5.5), if there was one.
    pub claims: Option<serde_json::Value>,
    /// `nonce` of the request.
    pub nonce: Option<String>,
    /// Assurance at the time, for every token of the family (RFC 9470 §6: a refresh doesn't change it).
    pub acr: Option<String>,
    /// Methods at the time.
    pub amr: Vec<Amr>,
    /// Time of the last proof at the time.
    pub auth_time: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Grant {
    /// True if it survives a normal logout (scope `offline_access`).
    pub fn is_offline(&self) -> bool {
        self.scopes.contains("offline_access")
    }
}

/// An authorization code's meaning, kept ephemeral under the code's hash until it is redeemed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeGrant {
    /// The grant as it will be.
    pub grant: Grant,
    /// `redirect_uri` of the request.
    pub redirect_uri: String,
    /// PKCE S256 challenge; absent only for a confidential client that sent a nonce.
    pub code_challenge: Option<String>,
    /// Dead from then on.
    pub expires_at: Timestamp,
}

/// Kinds of stored tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Access token: opaque, or the `jti` of a JWT.
    Access,
    /// Refresh token.
    Refresh,
}

/// A token as the store keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Hash of the token, or of a JWT's `jti`.
    pub hash: Hash,
    /// What it is.
    pub kind: TokenKind,
    /// Its family; `None` for client credentials.
    pub grant: Option<GrantId>,
    /// Whom it was issued to.
    pub client: ClientId,
    /// What it allows.
    pub scopes: Scopes,
    /// Resource servers that it is meant for.
    pub audience: Vec<ClientId>,
    /// When.
    pub issued_at: Timestamp,
    /// Dead from then on.
    pub expires_at: Timestamp,
    /// Set when a refresh token was rotated, or any token revoked.
    pub spent_at: Option<Timestamp>,
}

/// A token with all that its life hangs on, read at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The token.
    pub token: Token,
    /// Its grant.
    pub grant: Option<Grant>,
    /// The grant's session.
    pub session: Option<crate::session::Session>,
    /// The grant's account.
    pub account: Option<crate::account::Account>,
}
