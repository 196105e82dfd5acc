//! Refreshing (RFC 6749 §6) with rotation (RFC 9700 §4.14.2), which serves confidential clients as well as public ones.

use super::issue::Family;
use super::redeem::needs_proof;
use super::secret::{Secret, SecretKind};
use super::standing::{Life, life};
use super::{ClientRequest, OAuthError};
use crate::Idp;
use crate::client::Client;
use crate::grant::{Scopes, Standing, TokenKind};
use crate::params::Params;
use crate::store::Rotated;
use serde_json::Value;

fn invalid_grant() -> OAuthError {
    OAuthError::refused("invalid_grant", "the refresh token is unknown, expired or revoked")
}

impl Idp {
    /// Spends a refresh token for new tokens. One that was spent before betrays that two hold it: the whole family dies. While a
    /// step-up is pending nothing is spent, so that the family goes on once the person has proven themselves.
    pub(super) async fn refresh(&self, client: &Client, params: &Params, request: &ClientRequest) -> Result<Value, OAuthError> {
        let text = params
            .get("refresh_token")
            .ok_or_else(|| OAuthError::refused("invalid_request", "refresh_token is missing"))?;
        let old = Secret::parse(SecretKind::Refresh, text).ok_or_else(invalid_grant)?.hash();
        let standing = self.store.standing(&old).await?.ok_or_else(invalid_grant)?;
        let token = &standing.token;
        if token.kind != TokenKind::Refresh || token.client != client.id {
            return Err(invalid_grant());
        }
        let grant = standing.grant.as_ref().ok_or_else(invalid_grant)?;
        if token.spent_at.is_some() {
            return Err(self.replayed(grant.id, grant, "refresh_token", request).await?);
        }
        match life(&standing, self.ports.now()) {
            Life::Alive => {}
            Life::StepUpPending(_) => return Err(needs_proof()),
            Life::Dead => return Err(invalid_grant()),
        }
        self.count_account(grant.account)?;
        let scopes = narrowed(params, &token.scopes)?;
        let issued = self.issue(family(&standing, client)?, &scopes, &token.scopes, None)?;
        match self.store.rotate_refresh(&old, self.ports.now(), &issued.tokens).await? {
            Rotated::First => Ok(issued.response),
            Rotated::Replayed => Err(self.replayed(grant.id, grant, "refresh_token", request).await?),
            Rotated::Dead => Err(invalid_grant()),
        }
    }
}

fn family<'a>(standing: &'a Standing, client: &'a Client) -> Result<Family<'a>, OAuthError> {
    match (&standing.grant, &standing.account, &standing.session) {
        (Some(grant), Some(account), Some(session)) => Ok(Family {
            grant,
            client,
            account,
            session,
        }),
        _ => Err(invalid_grant()),
    }
}

/// RFC 6749 §6: the scope may be narrowed for the access token, never widened.
fn narrowed(params: &Params, held: &Scopes) -> Result<Scopes, OAuthError> {
    let Some(asked) = params.get("scope") else {
        return Ok(held.clone());
    };
    let scopes: Scopes = asked
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    match !scopes.is_empty() && scopes.is_subset(held) {
        true => Ok(scopes),
        false => Err(OAuthError::refused(
            "invalid_scope",
            "the scope is wider than what was granted",
        )),
    }
}
