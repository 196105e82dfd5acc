//! Revocation (RFC 7009).

use super::{ClientRequest, OAuthError, client_auth};
use crate::Idp;
use crate::event::What;
use crate::grant::TokenKind;
use crate::measure::Revocation;

impl Idp {
    /// Revocation (RFC 7009). A refresh token takes its family with it; an access token goes alone. `token_type_hint` isn't needed:
    /// tokens tell what they are.
    ///
    /// # Errors
    /// See [`OAuthError`]; an unknown token is fine.
    pub async fn revoke(&self, request: &ClientRequest) -> Result<(), OAuthError> {
        let begun_us = self.ports.meter.stopwatch_us();
        let params = client_auth::form(request)?;
        let client = self.authenticate(&params, request).await?;
        let text = params
            .get("token")
            .ok_or_else(|| OAuthError::refused("invalid_request", "token is missing"))?;
        let Some(standing) = self.standing_of(text).await? else {
            return Ok(());
        };
        if standing.token.client != client.id {
            return Ok(()); // another client's: nothing happens, and nothing is told
        }
        let now = self.ports.now();
        match (&standing.grant, standing.token.kind) {
            (Some(grant), TokenKind::Refresh) => {
                let event = self.grant_event(What::GrantRevoked, grant, request);
                self.store.revoke_grant(grant.id, now, &[event]).await?;
                self.ports.wake.wake();
            }
            _ => self.store.revoke_token(&standing.token.hash, now).await?,
        }
        self.ports.note_revoked(Revocation::Client, begun_us);
        Ok(())
    }
}
