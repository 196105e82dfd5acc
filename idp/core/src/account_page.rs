//! What the account's owner sees and does at `/account`. What weakens protection needs a fresh proof, and is refused while a
//! step-up is pending.

mod change;
mod export;

use crate::Idp;
use crate::account::{Account, BehaviourConsent, Mode, StoredCredential};
use crate::error::{Error, Result};
use crate::flow::{BEHAVIOUR_TEXT_VERSION, PASSWORD_TEXT_VERSION};
use crate::grant::Grant;
use crate::ids::{ClientId, SessionId};
use crate::session::Session;
use crate::visit::{Caller, Cookie};
use gait_sdk::{CredentialId, PluginId, Text, Timestamp};
use std::collections::BTreeMap;

/// A browser with a living session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Its account.
    pub account: Account,
    /// Goes back with every change as `csrf`; derived from the session's cookie.
    pub csrf: String,
}

/// A credential on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its id.
    pub id: CredentialId,
    /// Its plugin.
    pub plugin: PluginId,
    /// What its plugin is called.
    pub kind: Text,
    /// What it is called.
    pub label: String,
    /// True for waivers: a trusted address, not a factor.
    pub waiver: bool,
    /// The owner could not sign in without it, so it can't be removed.
    pub needed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// What is held about the person's behaviour.
#[derive(Clone, Debug, PartialEq)]
pub struct BehaviourView {
    /// Whether the deployment has a scorer and watches at all.
    pub available: bool,
    /// The consent in force.
    pub consent: Option<BehaviourConsent>,
    /// Version of the text that would be consented to now.
    pub text_version: String,
    /// Train or auth.
    pub mode: Mode,
    /// Samples learned.
    pub samples: u32,
    /// Samples waiting.
    pub waiting: u64,
    /// Samples until enrolment.
    pub needed: u32,
    /// Whether mode `auth` may be chosen.
    pub enrolled: bool,
    /// The password's rhythm, where the deployment offers it.
    pub password: Option<PasswordView>,
}

/// What is held about how the person's password is typed.
#[derive(Clone, Debug, PartialEq)]
pub struct PasswordView {
    /// The consent in force.
    pub consent: Option<BehaviourConsent>,
    /// Version of the text that would be consented to now.
    pub text_version: String,
    /// Samples learned, of all credentials.
    pub samples: u32,
}

/// The account page.
#[derive(Clone, Debug)]
pub struct AccountPage {
    /// Living sessions, newest first.
    pub sessions: Vec<Session>,
    /// Connected apps: client id, name, living grants.
    pub apps: Vec<(ClientId, String, Vec<Grant>)>,
    /// Credentials and trusted addresses.
    pub held: Vec<Held>,
    /// Plugins that can be set up here.
    pub can_enrol: Vec<(PluginId, Text)>,
    /// Behaviour.
    pub behaviour: BehaviourView,
}

/// Why a change was refused.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Nobody is signed in here.
    #[error("not signed in")]
    SignedOut,
    /// `csrf` is missing or wrong.
    #[error("the page was out of date")]
    OutOfDate,
    /// A factor must be proven first: begin a page flow with `fresh`.
    #[error("a fresh proof is needed")]
    NeedsProof,
    /// A step-up is pending: the same, and nothing else until it is passed.
    #[error("a step-up is pending")]
    StepUpPending,
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// It isn't possible: says why, as a Fluent key.
    #[error("not possible: {}", .0.fallback)]
    Refused(Text),
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
}

/// A change that the owner makes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// End one session.
    EndSession(SessionId),
    /// End all sessions but this one.
    EndOthers,
    /// Disconnect an app.
    Disconnect(ClientId),
    /// Remove a credential or a trusted address.
    Forget(CredentialId),
    /// Choose the mode.
    Mode(Mode),
    /// Give behaviour consent to the text of this version.
    GiveConsent {
        /// As it was shown.
        text_version: String,
    },
    /// Withdraw it, and the one to the password's rhythm with it; erases what is held.
    WithdrawConsent,
    /// Consent to have the password's rhythm learned too, to the text of this version.
    GivePasswordConsent {
        /// As it was shown.
        text_version: String,
    },
    /// Withdraw that; erases what is held of it.
    WithdrawPasswordConsent,
    /// Erase what is held.
    EraseBehaviour,
}

impl Idp {
    /// Who is signed in, if anybody; notes the use of the session.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn signed_in(&self, caller: &Caller) -> Result<Option<SignedIn>> {
        self.browser_session(caller).await
    }

    /// What the page shows.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn account_page(&self, who: &SignedIn) -> Result<AccountPage> {
        let id = who.account.id;
        let stored = self.store.credentials(id, None).await?;
        let sessions = self.store.sessions_of(id).await?;
        let enrolling = self.registry.authenticators().map(|plugin| plugin.manifest());
        Ok(AccountPage {
            sessions: sessions
                .into_iter()
                .filter(|session| self.lives(session, &who.account))
                .collect(),
            apps: self.apps(&who.account).await?,
            held: stored.iter().map(|one| self.held(one, &stored, who)).collect(),
            can_enrol: enrolling
                .filter(|manifest| manifest.enrols)
                .map(|manifest| (manifest.id.clone(), manifest.label.clone()))
                .collect(),
            behaviour: self.behaviour_view(&who.account).await?,
        })
    }

    async fn apps(&self, account: &Account) -> Result<Vec<(ClientId, String, Vec<Grant>)>> {
        let mut by_client: BTreeMap<ClientId, Vec<Grant>> = BTreeMap::new();
        for grant in self.store.grants_of(account.id).await? {
            by_client.entry(grant.client.clone()).or_default().push(grant);
        }
        let mut apps = Vec::with_capacity(by_client.len());
        for (id, grants) in by_client {
            let client = self.store.client(&id).await?;
            let name = client.map_or_else(|| id.to_string(), |client| client.name);
            apps.push((id, name, grants));
        }
        Ok(apps)
    }

    fn held(&self, stored: &StoredCredential, all: &[StoredCredential], who: &SignedIn) -> Held {
        let manifest = self.registry.authenticator(&stored.plugin).map(|plugin| plugin.manifest());
        let named = || Text::new("unknown-plugin", stored.plugin.as_str());
        Held {
            kind: manifest.map_or_else(named, |manifest| manifest.label.clone()),
            waiver: manifest.is_some_and(|manifest| manifest.waiver),
            needed: !self.can_still_sign_in(stored, all, who),
            id: stored.credential.id.clone(),
            plugin: stored.plugin.clone(),
            label: stored.credential.label.clone(),
            created_at: stored.credential.created_at,
            last_used_at: stored.last_used_at,
        }
    }

    async fn behaviour_view(&self, account: &Account) -> Result<BehaviourView> {
        let mut view = BehaviourView {
            available: self.watches(),
            consent: self.store.behaviour_consent(account.id).await?,
            text_version: BEHAVIOUR_TEXT_VERSION.to_owned(),
            mode: account.mode,
            samples: 0,
            waiting: 0,
            needed: 0,
            enrolled: false,
            password: self.password_view(account).await?,
        };
        let Some(scorer) = self.registry.scorer() else {
            return Ok(view);
        };
        let manifest = scorer.manifest();
        view.needed = manifest.enrol_samples;
        view.waiting = self.store.count_unsettled(account.id, &manifest.id).await?;
        if let Some(model) = self.store.model(&account.id.into(), &manifest.id).await? {
            view.samples = model.samples;
            view.enrolled = model.enrolled;
        }
        Ok(view)
    }

    async fn password_view(&self, account: &Account) -> Result<Option<PasswordView>> {
        if !self.watches_passwords() {
            return Ok(None);
        }
        let models = self.store.credential_models(account.id).await?;
        Ok(Some(PasswordView {
            consent: self.store.password_consent(account.id).await?,
            text_version: PASSWORD_TEXT_VERSION.to_owned(),
            samples: models.iter().map(|model| model.samples).sum(),
        }))
    }

    /// Makes a change, if `csrf` is right and the session is proven enough for it.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub async fn change(&self, change: &Change, csrf: &str, caller: &Caller) -> Result<Vec<Cookie>, ChangeError> {
        let who = self.changer(csrf, caller).await?;
        self.make_change(change, &who, caller).await
    }

    /// Everything held about the person's behaviour and account, as JSON. Needs a fresh proof.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub async fn export(&self, csrf: &str, caller: &Caller) -> Result<serde_json::Value, ChangeError> {
        let who = self.changer(csrf, caller).await?;
        self.check_fresh(&who)?;
        Ok(self.export_of(&who).await?)
    }
}
