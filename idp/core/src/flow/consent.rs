//! The two consents: what a client may know (OAuth), and whether it may watch (behaviour). They are asked for apart.

use super::FlowError;
use super::engine::Turn;
use super::situation::Run;
use crate::Idp;
use crate::account::{Account, BehaviourConsent, PASSWORD_PURPOSE, WATCH_PURPOSE};
use crate::authorization::request::{AuthorizationRequest, PromptValue};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::event::What;
use crate::grant::Scopes;
use crate::ids::{AccountId, SessionId};
use crate::mail::address_of;
use crate::visit::{Caller, Cookie};
use std::collections::BTreeMap;

/// Seconds for which a "no" to being watched holds: 90 days.
const DECLINED_S: u32 = 90 * 86_400;
/// Version of the text that people consent to when they let themselves be watched. Who changes the text changes this.
pub const BEHAVIOUR_TEXT_VERSION: &str = "2026-11-23";
/// The same, of the text about the password's rhythm.
pub const PASSWORD_TEXT_VERSION: &str = "2026-11-23";

impl Idp {
    /// True if the person must be asked what the client may know.
    pub(super) async fn needs_consent(
        &self,
        client: &Client,
        account: &Account,
        request: &AuthorizationRequest,
    ) -> Result<bool, FlowError> {
        // Who can't be told from an impostor is confirmed each time (RFC 8252 §8.6).
        if request.prompts(PromptValue::Consent) || client.native {
            return Ok(true);
        }
        if client.trusted {
            return Ok(false);
        }
        let remembered = self.store.consent(account.id, &client.id).await.map_err(Error::from)?;
        let covered = |known: Scopes| asked_scopes(request).is_subset(&known);
        Ok(!remembered.is_some_and(covered))
    }

    pub(super) async fn answer_consent(
        &self,
        run: &mut Run<'_>,
        shown: &[String],
        fields: &BTreeMap<String, String>,
    ) -> Result<Turn, FlowError> {
        match fields.get("consent").map(String::as_str) {
            Some("allow") => {}
            Some("deny") => return Ok(self.refuse(run, "access_denied", "the person denied consent")),
            _ => return Err(FlowError::Bad("consent is neither allow nor deny".to_owned())),
        }
        let (Some(request), Some(account)) = (run.flow.request(), run.flow.who.account()) else {
            return Err(FlowError::Gone);
        };
        let before = self.store.consent(account, &request.client).await.map_err(Error::from)?;
        let mut scopes = before.unwrap_or_default();
        scopes.extend(shown.iter().cloned());
        let (client, now) = (&request.client, self.ports.now());
        self.store
            .put_consent(account, client, &scopes, now)
            .await
            .map_err(Error::from)?;
        run.flow.done.consent = true;
        self.advance(run).await
    }

    pub(super) async fn answer_watch_consent(
        &self,
        run: &mut Run<'_>,
        fields: &BTreeMap<String, String>,
    ) -> Result<Turn, FlowError> {
        let (Some(account), Some(session)) = (run.flow.who.account(), run.session.clone()) else {
            return Err(FlowError::Gone);
        };
        run.flow.done.watch = true;
        match fields.get("watch").map(String::as_str) {
            Some("yes") => run.cookies.push(self.consent_to_watch(account, &session, run.caller).await?),
            _ => self.decline_watch(account).await?,
        }
        self.advance(run).await
    }

    /// Gives behaviour consent to the text as it is now; returns the cookie that lets this browser's sign-in page measure.
    pub(crate) async fn consent_to_watch(&self, account: AccountId, session: &SessionId, caller: &Caller) -> Result<Cookie> {
        self.consent_to(WATCH_PURPOSE, BEHAVIOUR_TEXT_VERSION, (account, session), caller)
            .await?;
        Ok(Cookie::Marker(true))
    }

    /// The same of the password's rhythm; it needs the consent to be watched.
    pub(crate) async fn consent_to_password_rhythm(
        &self,
        account: AccountId,
        session: &SessionId,
        caller: &Caller,
    ) -> Result<Cookie> {
        self.consent_to(PASSWORD_PURPOSE, PASSWORD_TEXT_VERSION, (account, session), caller)
            .await?;
        Ok(Cookie::PasswordMarker(true))
    }

    async fn consent_to(
        &self,
        purpose: &str,
        text_version: &str,
        (account, session): (AccountId, &SessionId),
        caller: &Caller,
    ) -> Result<()> {
        let consent = BehaviourConsent {
            account,
            purpose: purpose.to_owned(),
            text_version: text_version.to_owned(),
            at: self.ports.now(),
            withdrawn_at: None,
        };
        let what = What::ConsentChanged {
            purpose: purpose.to_owned(),
            given: true,
        };
        let event = self.event(
            what,
            Some(account),
            Some(session),
            None,
            address_of(caller),
            &caller.request_id,
        );
        self.store.give_consent(&consent, &[event]).await?;
        self.ports.wake.wake();
        Ok(())
    }

    /// Remembers a "no" to this text, so that nobody is asked again and again; the account page is there for a change of mind.
    pub(crate) async fn decline_watch(&self, account: AccountId) -> Result<()> {
        Ok(self.ephemeral.put(&declined_key(account), b"1", DECLINED_S).await?)
    }

    pub(super) async fn declined_watch(&self, account: AccountId) -> Result<bool> {
        Ok(self.ephemeral.get(&declined_key(account)).await?.is_some())
    }
}

fn declined_key(account: AccountId) -> String {
    format!("watch-declined:{BEHAVIOUR_TEXT_VERSION}:{account}")
}

fn asked_scopes(request: &AuthorizationRequest) -> Scopes {
    super::finish::shown_scopes(request).into_iter().collect()
}
