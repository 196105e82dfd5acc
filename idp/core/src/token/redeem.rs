//! Redeeming a code (RFC 6749 §4.1.3, OIDC Core §3.1.3).

use super::issue::{Family, scope_text};
use super::pkce;
use super::secret::{Hash, Secret, SecretKind};
use super::standing::{Life, life};
use super::{ClientRequest, OAuthError};
use crate::Idp;
use crate::authorization::response::code_key;
use crate::client::Client;
use crate::event::What;
use crate::grant::{CodeGrant, Grant, Standing};
use crate::ids::GrantId;
use crate::measure::Revocation;
use crate::params::Params;
use crate::store::Redeemed;
use serde_json::Value;

fn invalid_grant(description: &str) -> OAuthError {
    OAuthError::refused("invalid_grant", description)
}

/// The answer while a step-up is pending: there is no registered code for it at this endpoint.
pub(super) fn needs_proof() -> OAuthError {
    invalid_grant("re-authentication required")
}

impl Idp {
    /// Redeems a code. A second valid use revokes what the first one got (RFC 9700 §2.1.1); an invalid one revokes nothing, or
    /// whoever saw a code in a log could sign its owner out.
    pub(super) async fn redeem(&self, client: &Client, params: &Params, request: &ClientRequest) -> Result<Value, OAuthError> {
        let code = params
            .get("code")
            .ok_or_else(|| OAuthError::refused("invalid_request", "code is missing"))?;
        let code = Secret::parse(SecretKind::Code, code).ok_or_else(unknown_code)?.hash();
        let meaning = self.meaning_of(&code).await?;
        if !is_for(&meaning, client, params) {
            return Err(unknown_code());
        }
        if meaning.expires_at <= self.ports.now() {
            let why = invalid_grant("the code has expired");
            return Err(self.dead_code(&code, &meaning.grant, request, why).await?);
        }
        self.redeem_first(client, &code, &meaning.grant, request).await
    }

    /// The answer to a code that can't be redeemed any more; what it got when it could is revoked. (A code that can be is spent by the
    /// store, which tells a second use by itself.)
    async fn dead_code(
        &self,
        code: &Hash,
        grant: &Grant,
        request: &ClientRequest,
        why: OAuthError,
    ) -> Result<OAuthError, OAuthError> {
        match self.store.spent_code(code).await? {
            Some(spent) => self.replayed(spent, grant, "code", request).await,
            None => Ok(why),
        }
    }

    async fn meaning_of(&self, code: &Hash) -> Result<CodeGrant, OAuthError> {
        let bytes = self.ephemeral.get(&code_key(code)).await?.ok_or_else(unknown_code)?;
        // One of a newer node may mean what this one can't read.
        serde_json::from_slice(&bytes).map_err(|_| unknown_code())
    }

    async fn redeem_first(
        &self,
        client: &Client,
        code: &Hash,
        grant: &Grant,
        request: &ClientRequest,
    ) -> Result<Value, OAuthError> {
        self.count_account(grant.account)?;
        let (session, account) = (
            self.store.session(&grant.session).await?,
            self.store.account(grant.account).await?,
        );
        let (Some(session), Some(account)) = (session, account) else {
            return Err(self.dead_code(code, grant, request, unknown_code()).await?);
        };
        let family = Family {
            grant,
            client,
            account: &account,
            session: &session,
        };
        let issued = self.issue(family, &grant.scopes, &grant.scopes, grant.nonce.as_deref())?;
        let access = issued.tokens.first().cloned().ok_or_else(unknown_code)?;
        let standing = Standing {
            token: access,
            grant: Some(grant.clone()),
            session: Some(session.clone()),
            account: Some(account.clone()),
        };
        match life(&standing, self.ports.now()) {
            Life::Alive if session.ended.is_none() => {}
            Life::StepUpPending(_) => return Err(self.dead_code(code, grant, request, needs_proof()).await?),
            Life::Alive | Life::Dead => return Err(self.dead_code(code, grant, request, unknown_code()).await?),
        }
        let scope = scope_text(&grant.scopes);
        let event = self.grant_event(What::GrantIssued { scope }, grant, request);
        match self.store.redeem_code(code, grant, &issued.tokens, Some(&event)).await? {
            Redeemed::First => Ok(issued.response),
            Redeemed::Replayed(spent) => Err(self.replayed(spent, grant, "code", request).await?),
            Redeemed::Dead => Err(unknown_code()),
        }
    }

    /// Revokes the family of what was presented twice, and gives the answer.
    pub(super) async fn replayed(
        &self,
        spent: GrantId,
        grant: &Grant,
        kind: &str,
        request: &ClientRequest,
    ) -> Result<OAuthError, OAuthError> {
        let what = What::ReplayDetected { kind: kind.to_owned() };
        let event = self.grant_event(what, grant, request);
        let begun_us = self.ports.meter.stopwatch_us();
        self.store.revoke_grant(spent, self.ports.now(), &[event]).await?;
        self.ports.note_revoked(Revocation::Replay, begun_us);
        self.ports.wake.wake();
        Ok(invalid_grant("it was used before"))
    }

    /// An event about a grant, caused by its client's request.
    pub(super) fn grant_event(&self, what: What, grant: &Grant, request: &ClientRequest) -> crate::event::Event {
        self.event(
            what,
            Some(grant.account),
            Some(&grant.session),
            Some(&grant.client),
            request.address.map(|address| address.to_string()),
            &request.request_id,
        )
    }
}

fn unknown_code() -> OAuthError {
    invalid_grant("the code is unknown, or was issued for another request")
}

/// RFC 6749 §4.1.3: a code is bound to its client and redirect URI, and by PKCE to the browser's sign-in. The redirect URI may be
/// left out only where PKCE has taken its place (OAuth 2.1).
fn is_for(meaning: &CodeGrant, client: &Client, params: &Params) -> bool {
    let challenge = meaning.code_challenge.as_deref();
    let redirect = match params.get("redirect_uri") {
        Some(uri) => uri == meaning.redirect_uri,
        None => challenge.is_some(),
    };
    meaning.grant.client == client.id && redirect && pkce::answers(challenge, params.get("code_verifier"))
}
