//! What the owner changes. Whatever weakens protection takes a factor that was just proven: the impostor must not switch the watch
//! off, nor take a factor away.

use super::{Change, ChangeError, SignedIn};
use crate::Idp;
use crate::account::{Mode, PASSWORD_PURPOSE, StoredCredential, WATCH_PURPOSE};
use crate::error::{Error, Result};
use crate::event::{Event, What};
use crate::flow::plan::{self, Cause, Evidence, Fresh};
use crate::flow::{BEHAVIOUR_TEXT_VERSION, PASSWORD_TEXT_VERSION};
use crate::ids::{ClientId, SessionId};
use crate::mail::address_of;
use crate::measure::Revocation;
use crate::policy::Row;
use crate::session::EndReason;
use crate::store::{CredentialChange, EffectBatch, Which};
use crate::visit::{Caller, Cookie};
use gait_sdk::{CredentialId, Text};
use std::collections::BTreeSet;
use subtle::ConstantTimeEq as _;

fn core(error: impl Into<Error>) -> ChangeError {
    ChangeError::Core(error.into())
}

fn refused(key: &str, words: &str) -> ChangeError {
    ChangeError::Refused(Text::new(key, words))
}

fn withdrawn(purpose: &str) -> What {
    What::ConsentChanged {
        purpose: purpose.to_owned(),
        given: false,
    }
}

impl Idp {
    /// Who asks for a change. Nothing is changed while a step-up is pending.
    pub(super) async fn changer(&self, csrf: &str, caller: &Caller) -> Result<SignedIn, ChangeError> {
        let who = self.browser_session(caller).await?.ok_or(ChangeError::SignedOut)?;
        let right: bool = who.csrf.as_bytes().ct_eq(csrf.as_bytes()).into();
        if !right {
            return Err(ChangeError::OutOfDate);
        }
        if who.session.step_up.is_some() {
            return Err(ChangeError::StepUpPending);
        }
        Ok(who)
    }

    /// A step-up that was passed within the last minutes, or a sign-in that proved as much.
    pub(super) fn check_fresh(&self, who: &SignedIn) -> Result<(), ChangeError> {
        let since = self.ports.now().plus(-i64::from(self.policy.fresh_s));
        let demands = plan::demands(&self.policy.step_up, &BTreeSet::new(), Fresh::Since(since), &Cause::StepUp);
        let evidence = Evidence {
            session: &who.session.proofs,
            here: &[],
        };
        match plan::missing(&demands, evidence) {
            None => Ok(()),
            Some(_) => Err(ChangeError::NeedsProof),
        }
    }

    pub(super) async fn make_change(&self, change: &Change, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        match change {
            Change::EndSession(id) => self.end_one(id, who, caller).await,
            Change::EndOthers => self.end_others(who, caller).await,
            Change::Disconnect(client) => self.disconnect(client, who, caller).await,
            Change::Forget(id) => self.forget_credential(id, who, caller).await,
            Change::Mode(mode) => self.choose_mode(*mode, who, caller).await,
            Change::GiveConsent { text_version } => self.give_consent(text_version, who, caller).await,
            Change::WithdrawConsent => self.withdraw_consent(who, caller).await,
            Change::GivePasswordConsent { text_version } => self.give_password_consent(text_version, who, caller).await,
            Change::WithdrawPasswordConsent => self.withdraw_password_consent(who, caller).await,
            Change::EraseBehaviour => self.erase_behaviour(who, caller).await,
        }
    }

    fn change_event(&self, what: What, who: &SignedIn, caller: &Caller) -> Event {
        let (account, session) = (Some(who.account.id), Some(&who.session.id));
        self.event(what, account, session, None, address_of(caller), &caller.request_id)
    }

    async fn end_one(&self, id: &SessionId, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        let session = self.store.session(id).await.map_err(core)?;
        let owned = session.filter(|session| session.account == who.account.id && session.ended.is_none());
        let session = owned.ok_or(ChangeError::NotFound)?;
        self.end_all(&Which::One(session.id.clone()), EndReason::EndedByOwner, &[], caller)
            .await?;
        Ok(match session.id == who.session.id {
            true => vec![Cookie::Session(None)],
            false => Vec::new(),
        })
    }

    async fn end_others(&self, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        let which = Which::AllBut(who.account.id, who.session.id.clone());
        self.end_all(&which, EndReason::EndedByOwner, &[], caller).await?;
        Ok(Vec::new())
    }

    async fn disconnect(&self, client: &ClientId, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        let id = who.account.id;
        let grants = self.store.grants_of(id).await.map_err(core)?;
        let granted = grants.iter().any(|grant| grant.client == *client);
        if !granted && self.store.consent(id, client).await.map_err(core)?.is_none() {
            return Err(ChangeError::NotFound);
        }
        let (session, address) = (Some(&who.session.id), address_of(caller));
        let event = self.event(
            What::GrantRevoked,
            Some(id),
            session,
            Some(client),
            address,
            &caller.request_id,
        );
        let begun_us = self.ports.meter.stopwatch_us();
        self.store
            .disconnect(id, client, self.ports.now(), &[event])
            .await
            .map_err(core)?;
        self.ports.note_revoked(Revocation::Disconnected, begun_us);
        self.ports.wake.wake();
        Ok(Vec::new())
    }

    async fn forget_credential(&self, id: &CredentialId, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        let all = self.store.credentials(who.account.id, None).await.map_err(core)?;
        let stored = all
            .iter()
            .find(|stored| stored.credential.id == *id)
            .ok_or(ChangeError::NotFound)?;
        self.check_fresh(who)?;
        if !self.can_still_sign_in(stored, &all, who) {
            return Err(refused(
                "last-factor",
                "You could not sign in without this way. Set up another one first.",
            ));
        }
        let plugin = self.registry.authenticator(&stored.plugin).map(|plugin| plugin.manifest());
        let is_factor = plugin.is_none_or(|manifest| !manifest.waiver);
        let what = What::CredentialChanged {
            plugin: stored.plugin.clone(),
            change: "delete".to_owned(),
        };
        let batch = EffectBatch {
            credentials: vec![CredentialChange::Forget {
                plugin: stored.plugin.clone(),
                id: id.clone(),
            }],
            credential_changed_at: is_factor.then(|| self.ports.now()),
            events: if is_factor {
                vec![self.change_event(what, who, caller)]
            } else {
                Vec::new()
            },
            ..EffectBatch::default()
        };
        self.store
            .carry_out(who.account.id, self.ports.now(), &batch)
            .await
            .map_err(core)?;
        self.ports.wake.wake();
        let told = plugin.filter(|_| is_factor);
        if let Some(notice) = told.and_then(|manifest| self.credential_notice(&who.account, manifest, "delete", caller)) {
            self.post_notice(notice).await;
        }
        Ok(Vec::new())
    }

    /// True if every row of the sign-in's plan that the credential may serve can be satisfied without it.
    pub(super) fn can_still_sign_in(&self, without: &StoredCredential, all: &[StoredCredential], who: &SignedIn) -> bool {
        let usable = |row: &Row| {
            row.0.iter().filter_map(|id| self.registry.authenticator(id)).any(|plugin| {
                let manifest = plugin.manifest();
                let others = all.iter().filter(|stored| stored.credential.id != without.credential.id);
                let holds = others.into_iter().any(|stored| stored.plugin == manifest.id);
                // A factor that nobody sets up (a code by mail) works for whoever has an address.
                let works = if manifest.enrols {
                    holds
                } else {
                    holds || who.account.email.is_some()
                };
                !manifest.waiver && works
            })
        };
        let mut rows = self.policy.plan.0.iter();
        rows.all(|row| !row.0.contains(&without.plugin) || usable(row))
    }

    async fn choose_mode(&self, mode: Mode, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        if mode == who.account.mode {
            return Ok(Vec::new());
        }
        match mode {
            Mode::Train => self.check_fresh(who)?,
            Mode::Auth => self.check_can_be_judged(who).await?,
        }
        let event = self.change_event(What::ModeChanged { mode }, who, caller);
        self.store.set_mode(who.account.id, mode, &[event]).await.map_err(core)?;
        self.ports.wake.wake();
        Ok(Vec::new())
    }

    /// Mode `auth` is for whoever has consented and is known well enough.
    async fn check_can_be_judged(&self, who: &SignedIn) -> Result<(), ChangeError> {
        let id = who.account.id;
        if self.store.behaviour_consent(id).await.map_err(core)?.is_none() {
            return Err(refused("mode-needs-consent", "This takes your consent first."));
        }
        let model = match self.registry.scorer() {
            Some(scorer) => self.store.model(&id.into(), &scorer.manifest().id).await.map_err(core)?,
            None => None,
        };
        match model.is_some_and(|model| model.enrolled) {
            true => Ok(()),
            false => Err(refused("mode-needs-samples", "There isn't enough yet to know you by.")),
        }
    }

    async fn give_consent(&self, text_version: &str, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        if text_version != BEHAVIOUR_TEXT_VERSION {
            return Err(ChangeError::OutOfDate); // another text was shown than the one that would be consented to
        }
        if !self.watches() {
            return Err(refused("watch-unavailable", "Nothing is watched here."));
        }
        Ok(vec![self.consent_to_watch(who.account.id, &who.session.id, caller).await?])
    }

    async fn withdraw_consent(&self, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        self.check_fresh(who)?;
        let id = who.account.id;
        let event = self.change_event(withdrawn(WATCH_PURPOSE), who, caller);
        self.decline_watch(id).await.map_err(core)?;
        self.forget_watching(id).await.map_err(core)?;
        self.store
            .withdraw_consent(id, self.ports.now(), &[event])
            .await
            .map_err(core)?;
        self.forget_rhythm(who, caller).await?;
        Ok(vec![Cookie::Marker(false), Cookie::PasswordMarker(false)])
    }

    async fn give_password_consent(
        &self,
        text_version: &str,
        who: &SignedIn,
        caller: &Caller,
    ) -> Result<Vec<Cookie>, ChangeError> {
        if text_version != PASSWORD_TEXT_VERSION {
            return Err(ChangeError::OutOfDate);
        }
        let id = who.account.id;
        if !self.watches_passwords() {
            return Err(refused("watch-unavailable", "Nothing is watched here."));
        }
        if self.store.behaviour_consent(id).await.map_err(core)?.is_none() {
            return Err(refused("mode-needs-consent", "This takes your consent first."));
        }
        Ok(vec![self.consent_to_password_rhythm(id, &who.session.id, caller).await?])
    }

    async fn withdraw_password_consent(&self, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        self.check_fresh(who)?;
        let event = self.change_event(withdrawn(PASSWORD_PURPOSE), who, caller);
        self.store
            .withdraw_password_consent(who.account.id, self.ports.now(), &[event])
            .await
            .map_err(core)?;
        self.forget_models(who.account.id).await;
        self.ports.wake.wake();
        Ok(vec![Cookie::PasswordMarker(false)])
    }

    async fn erase_behaviour(&self, who: &SignedIn, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        self.check_fresh(who)?;
        let event = self.change_event(What::BehaviourErased, who, caller);
        self.forget_watching(who.account.id).await.map_err(core)?;
        self.store.erase_behaviour(who.account.id, &[event]).await.map_err(core)?;
        self.forget_rhythm(who, caller).await?;
        Ok(Vec::new())
    }

    /// What this node remembers goes with what was stored; and where nothing is known any more, there is nothing to judge by. What
    /// the watch remembers was forgotten before, so that nothing is erased if it can't be; what was scored since is forgotten now.
    async fn forget_rhythm(&self, who: &SignedIn, caller: &Caller) -> Result<(), ChangeError> {
        self.forget_models(who.account.id).await;
        if let Err(error) = self.forget_watching(who.account.id).await {
            tracing::warn!(%error, "the watch may remember the last moments before an erasure until the session ends");
        }
        if who.account.mode == Mode::Auth {
            let event = self.change_event(What::ModeChanged { mode: Mode::Train }, who, caller);
            self.store
                .set_mode(who.account.id, Mode::Train, &[event])
                .await
                .map_err(core)?;
        }
        self.ports.wake.wake();
        Ok(())
    }
}
