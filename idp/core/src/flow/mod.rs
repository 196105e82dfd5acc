//! Flows: one sign-in or step-up in one browser. A login is a step-up from nothing.

mod answer;
mod begin;
pub(crate) mod call;
mod consent;
mod engine;
mod finish;
pub(crate) mod limits;
pub(crate) mod plan;
mod prompt;
mod sample;
mod situation;
mod state;
mod step_up;
mod verify;
pub(crate) mod words;

pub use consent::{BEHAVIOUR_TEXT_VERSION, PASSWORD_TEXT_VERSION};

use crate::Idp;
use crate::authorization::AuthorizationResponse;
use crate::error::{Error, Result};
use crate::ids::FlowId;
use crate::visit::{Caller, Cookie};
use gait_sdk::{Form, PluginId, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the visitor should see next.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Goes back with the answer as `csrf`: derived from the flow's cookie and the step, so that an outdated page can't answer.
    pub csrf: String,
    /// The client's name and theme, if a client asked.
    pub client: Option<PromptClient>,
    /// Why we ask.
    pub why: Why,
    /// Who is signing in, once known to the browser: canonical user name as typed or of the session.
    pub account: Option<String>,
    /// What we ask.
    pub ask: Ask,
    /// What was wrong with the last answer.
    pub error: Option<Text>,
    /// What is wrong with the mail that the answer is in.
    pub notice: Option<Text>,
    /// Other factors of the same row: answer `other=<plugin>`.
    pub others: Vec<Way>,
}

/// The client of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptClient {
    /// `client_id`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Its theme.
    pub theme: Option<String>,
}

/// Why we ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Sign-in.
    SignIn,
    /// The watch demanded a step-up: the page says calmly why, what is asked and for how long it counts, and has "this was me /
    /// report" (answers `report=yes`: ends the session as disowned).
    StepUp {
        /// Reason codes.
        reasons: Vec<String>,
    },
    /// The client asked for a fresh or stronger proof (`max_age`, `acr_values`, `prompt=login`), or the account page did.
    Reauthenticate,
    /// A credential is set up from the account page.
    Enrol,
}

/// Another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Which plugin.
    pub plugin: PluginId,
    /// What it is called.
    pub label: Text,
}

/// The question. Each is answered by POST to `/flow/{id}` with the fields named here and `csrf`; every question may also be
/// answered `cancel=yes`.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// The first page: `identifier`, and the fields of the first row's form.
    SignIn {
        /// What to fill in (`login_hint`, or what was typed before).
        identifier: String,
        /// The first row's form, if it can be shown with the identifier.
        form: Form,
        /// This browser holds the behaviour marker: measure while the identifier is typed, answer in `behavior` (JSON).
        collect: bool,
        /// The same of the marker of the password's rhythm: measure while the password is typed, answer in `behavior_password`.
        collect_password: bool,
    },
    /// A factor's form; answers by its fields' names. In a sign-in also `account=other`: begin again as somebody else.
    Factor {
        /// Which.
        plugin: PluginId,
        /// Its form.
        form: Form,
    },
    /// Several could be meant (`prompt=select_account`): `account=continue` goes on with the session, `account=other` signs in anew.
    SelectAccount {
        /// User name of the session.
        current: String,
    },
    /// OAuth consent: `consent=allow` or `consent=deny`.
    Consent {
        /// Scopes that are asked for, without `openid`.
        scopes: Vec<String>,
    },
    /// Behaviour consent, apart and unticked: `watch=yes` (ticked) or nothing, then go on.
    BehaviourConsent {
        /// Version of the text.
        text_version: String,
    },
    /// An approval was mailed; the tab shows the code that another browser needs. Go on with `continue=yes`.
    ApprovalSent {
        /// The code.
        code: String,
    },
}

/// What an answer led to. After either, the browser is sent on by 303.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Show `/flow/{id}` again.
    Again(Vec<Cookie>),
    /// Done: back to the client.
    Respond(AuthorizationResponse, Vec<Cookie>),
    /// Done: to this path of our own pages.
    Page(String, Vec<Cookie>),
}

/// Why a flow can't go on.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// Unknown, expired, finished, or another browser's: no difference is told.
    #[error("this sign-in has ended or belongs to another browser")]
    Gone,
    /// `csrf` is missing or of an earlier step: nothing was changed.
    #[error("the page was out of date")]
    OutOfDate,
    /// The answer is malformed (too big, unknown action).
    #[error("bad answer: {0}")]
    Bad(String),
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
}

/// A flow that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its id: go to `/flow/{id}`.
    pub id: FlowId,
    /// Cookies to set.
    pub cookies: Vec<Cookie>,
}

impl Idp {
    /// What a flow asks now. Changes nothing.
    ///
    /// # Errors
    /// [`FlowError::Gone`], or a backend is away.
    pub async fn prompt(&self, id: &FlowId, caller: &Caller) -> Result<Prompt, FlowError> {
        let held = self.open_flow(id, caller).await?;
        self.prompt_of(&held.flow, caller).await
    }

    /// Answers what a flow asks: the form's fields, each at most 8 KiB (`behavior` 16 KiB). Of any number of answers to the same
    /// question at once, one is taken; the others are [`FlowError::OutOfDate`].
    ///
    /// # Errors
    /// See [`FlowError`]; after any of them the flow is as it was.
    pub async fn answer(&self, id: &FlowId, fields: &BTreeMap<String, String>, caller: &Caller) -> Result<Progress, FlowError> {
        self.take_answer(id, fields, caller).await
    }

    /// Begins a sign-in (or, with `fresh`, a re-authentication; or, with `enrol`, the set-up of a credential) that ends at `page`, a
    /// path of our own such as `/account?notice=saved`, without the query if it is cancelled; anything else that is given for a path leads to `/account`. A plugin that has nothing to
    /// set up is not asked.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn begin_page_flow(&self, page: &str, fresh: bool, enrol: Option<&PluginId>, caller: &Caller) -> Result<Begun> {
        self.begin_own_flow(page, fresh, enrol, caller).await
    }
}
