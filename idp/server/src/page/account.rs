//! The account page.

use super::Device;
use super::flow::{Reach, minutes, reach};
use gait_core::account::Mode;
use gait_core::account_page::{AccountPage, BehaviourView, Held, PasswordView, SignedIn};
use gait_core::policy::Policy;
use gait_core::session::{RiskLevel, Session};
use gait_sdk::{Text, Timestamp};
use serde::Serialize;

/// The account page. Every form posts to `/account` with `csrf` and `change`; the export to `/account/export`.
#[derive(Clone, Debug, Serialize)]
pub struct AccountView {
    /// Hidden field `csrf` of every form.
    pub csrf: String,
    /// User name.
    pub username: String,
    /// Name, if there is one.
    pub name: Option<String>,
    /// E-mail address, if there is one.
    pub email: Option<String>,
    /// What the last change did.
    pub notice: Option<Text>,
    /// Why the last change was refused.
    pub error: Option<Text>,
    /// Sessions, this one first.
    pub sessions: Vec<SessionView>,
    /// Connected apps.
    pub apps: Vec<App>,
    /// Credentials.
    pub credentials: Vec<Credential>,
    /// Trusted addresses.
    pub addresses: Vec<Credential>,
    /// What can be set up (or changed) here.
    pub enrolments: Vec<Enrolment>,
    /// Behaviour.
    pub behaviour: Behaviour,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    /// Its id: `change=end_session`, `session=<id>`.
    pub id: String,
    /// It is the one that shows the page.
    pub current: bool,
    /// Browser and system.
    pub device: Device,
    /// Address; empty if unknown.
    pub address: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// A step-up is pending.
    pub doubted: bool,
}

/// A connected app.
#[derive(Clone, Debug, Serialize)]
pub struct App {
    /// Its id: `change=disconnect`, `client=<id>`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may, without `openid`.
    pub reaches: Vec<Reach>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// A credential or a trusted address.
#[derive(Clone, Debug, Serialize)]
pub struct Credential {
    /// Its id: `change=forget`, `credential=<id>`.
    pub id: String,
    /// What its plugin is called.
    pub kind: Text,
    /// What it is called.
    pub label: String,
    /// It can't be removed: nobody could sign in without it.
    pub needed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// What can be set up or changed: `change=enrol`, `plugin=<plugin>`.
#[derive(Clone, Debug, Serialize)]
pub struct Enrolment {
    /// The plugin.
    pub plugin: String,
    /// What it is called.
    pub label: Text,
    /// There is one already, so that it is a change.
    pub held: bool,
}

/// Behaviour.
#[derive(Clone, Debug, Serialize)]
pub struct Behaviour {
    /// Whether the deployment watches at all.
    pub available: bool,
    /// Since when there is a consent: `change=withdraw_consent`.
    pub consented_at: Option<Timestamp>,
    /// Version of the text that was consented to.
    pub consented_version: Option<String>,
    /// Version of the text now: `change=give_consent`, `text_version`, `watch=yes`.
    pub text_version: String,
    /// Mode `auth`: `change=mode`, `mode=train|auth`.
    pub acts: bool,
    /// Samples learned.
    pub samples: u32,
    /// Samples waiting.
    pub waiting: u64,
    /// Samples until enrolment.
    pub needed: u32,
    /// Whether mode `auth` may be chosen.
    pub enrolled: bool,
    /// The password's rhythm, where the deployment offers it.
    pub password: Option<PasswordRhythm>,
    /// Days that raw measurements are kept at most.
    pub record_days: u32,
    /// Days after which what was learned is deleted if the account isn't used.
    pub model_days: u32,
    /// Minutes between plain confirmations without the consent.
    pub reauth_minutes: u32,
}

/// The password's rhythm.
#[derive(Clone, Debug, Serialize)]
pub struct PasswordRhythm {
    /// Since when there is a consent: `change=withdraw_password_consent`.
    pub consented_at: Option<Timestamp>,
    /// Version of the text that was consented to.
    pub consented_version: Option<String>,
    /// Version of the text now: `change=give_password_consent`, `text_version`, `password_rhythm=yes`.
    pub text_version: String,
    /// Samples learned.
    pub samples: u32,
}

impl AccountView {
    /// From the core's page.
    pub fn new(page: &AccountPage, who: &SignedIn, policy: &Policy) -> Self {
        let (addresses, credentials): (Vec<_>, Vec<_>) = page.held.iter().partition(|held| held.waiver);
        let mut sessions: Vec<SessionView> = page.sessions.iter().map(|session| session_view(session, who)).collect();
        sessions.sort_by_key(|session| !session.current);
        Self {
            csrf: who.csrf.clone(),
            username: who.account.username.as_str().to_owned(),
            name: who
                .account
                .claims
                .get("name")
                .and_then(|name| name.as_str())
                .map(str::to_owned),
            email: who.account.email.as_ref().map(|email| email.as_str().to_owned()),
            notice: None,
            error: None,
            sessions,
            apps: page.apps.iter().map(app).collect(),
            credentials: credentials.into_iter().map(credential).collect(),
            addresses: addresses.into_iter().map(credential).collect(),
            enrolments: page
                .can_enrol
                .iter()
                .map(|(plugin, label)| Enrolment {
                    plugin: plugin.to_string(),
                    label: label.clone(),
                    held: page.held.iter().any(|held| held.plugin == *plugin),
                })
                .collect(),
            behaviour: behaviour(&page.behaviour, policy),
        }
    }
}

fn session_view(session: &Session, who: &SignedIn) -> SessionView {
    SessionView {
        id: session.id.to_string(),
        current: session.id == who.session.id,
        device: Device::read(&session.place.user_agent),
        address: session.place.address.clone(),
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        doubted: session.step_up.is_some() || session.level != RiskLevel::Low,
    }
}

fn app((id, name, grants): &(gait_core::ids::ClientId, String, Vec<gait_core::grant::Grant>)) -> App {
    let mut scopes: Vec<String> = grants.iter().flat_map(|grant| grant.scopes.iter().cloned()).collect();
    scopes.sort();
    scopes.dedup();
    scopes.retain(|scope| scope != "openid");
    App {
        id: id.to_string(),
        name: name.clone(),
        reaches: scopes.iter().map(|scope| reach(scope)).collect(),
        since: grants.iter().map(|grant| grant.created_at).min(),
    }
}

fn credential(held: &Held) -> Credential {
    Credential {
        id: held.id.to_string(),
        kind: held.kind.clone(),
        label: held.label.clone(),
        needed: held.needed,
        created_at: held.created_at,
        last_used_at: held.last_used_at,
    }
}

fn password_rhythm(view: &PasswordView) -> PasswordRhythm {
    PasswordRhythm {
        consented_at: view.consent.as_ref().map(|consent| consent.at),
        consented_version: view.consent.as_ref().map(|consent| consent.text_version.clone()),
        text_version: view.text_version.clone(),
        samples: view.samples,
    }
}

fn behaviour(view: &BehaviourView, policy: &Policy) -> Behaviour {
    Behaviour {
        available: view.available,
        consented_at: view.consent.as_ref().map(|consent| consent.at),
        consented_version: view.consent.as_ref().map(|consent| consent.text_version.clone()),
        text_version: view.text_version.clone(),
        acts: view.mode == Mode::Auth,
        samples: view.samples,
        waiting: view.waiting,
        needed: view.needed,
        enrolled: view.enrolled,
        password: view.password.as_ref().map(password_rhythm),
        record_days: policy.watch.record_days,
        model_days: policy.watch.model_days,
        reauth_minutes: minutes(policy.watch.reauth_without_consent_s),
    }
}
