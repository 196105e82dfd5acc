//! A flow as it is kept between requests: who, what was proven, and what is asked. Bound to one browser by its cookie, moved on by
//! one winner at a time.

use super::{FlowError, Way, Why};
use crate::Idp;
use crate::authorization::request::AuthorizationRequest;
use crate::error::{Error, Result};
use crate::ids::{AccountId, FlowId, MailId, SessionId};
use crate::learning::Typed;
use crate::session::Proof;
use crate::token::secret::{Hash, Secret, SecretKind};
use crate::visit::Caller;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gait_sdk::{Form, Memo, Node, PluginId, Purpose, Text, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// Seconds for which an answer holds its flow: longer than any takes. An answer that was broken off in the middle (its node died)
/// must not hold it for ever.
const BUSY_S: i64 = 60;
/// Seconds that a proof counts within its flow until the whole plan is satisfied.
const PROOF_LIFE_S: i64 = 600;

/// What a flow is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Goal {
    /// A client's request. Its parameters never come from the browser again.
    Authorization(Box<AuthorizationRequest>),
    /// A page of our own.
    Page {
        /// Its path.
        path: String,
        /// A factor must be proven in this flow.
        fresh: bool,
        /// Then a credential of this plugin is set up.
        enrol: Option<PluginId>,
    },
}

/// Who is being proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    /// Nothing was typed yet.
    Nobody,
    /// What was typed names nobody who may sign in.
    Unknown {
        /// As typed, canonical.
        identifier: String,
    },
    /// An account.
    Known {
        /// Which.
        account: AccountId,
        /// As typed, canonical; so that the page shows no more than the person said.
        name: String,
    },
}

impl Who {
    /// The account.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Known { account, .. } => Some(*account),
            _ => None,
        }
    }
    /// The name to show and to count by.
    pub fn name(&self) -> &str {
        match self {
            Self::Nobody => "",
            Self::Unknown { identifier } => identifier,
            Self::Known { name, .. } => name,
        }
    }
}

/// A factor's question, as it was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Who asks.
    pub plugin: PluginId,
    /// What.
    pub form: Form,
    /// When.
    #[serde(default)]
    pub asked_at: Timestamp,
    /// What the plugin remembers.
    pub memo: Memo,
    /// The question is dead: whatever is answered, it is asked anew.
    pub spent: bool,
    /// The mail that it waits for.
    #[serde(default)]
    pub mail: Option<MailId>,
}

impl Asked {
    /// Its form as it is now: what is to be waited for is as much nearer as it is older.
    pub fn form_at(&self, now: Timestamp) -> Form {
        let passed_s = u32::try_from(now.since(self.asked_at).max(0)).unwrap_or(u32::MAX);
        let mut form = self.form.clone();
        for node in &mut form.nodes {
            if let Node::Button { wait_s, .. } = node {
                *wait_s = wait_s.saturating_sub(passed_s);
            }
        }
        form
    }
}

/// What a flow waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// The first page: an identifier, and the first row's question where it can be asked of anybody.
    SignIn {
        /// To fill in.
        identifier: String,
        /// The question beside it.
        asked: Option<Asked>,
    },
    /// A factor's question.
    Factor(Asked),
    /// The same account or another?
    SelectAccount,
    /// The set-up of a credential.
    Enrol(Asked),
    /// The code of the approval is shown.
    ApprovalSent,
    /// OAuth consent to these scopes.
    Consent(Vec<String>),
    /// Behaviour consent.
    BehaviourConsent,
}

/// What is done once the plan is satisfied.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Done {
    /// The session holds the flow's proofs.
    pub session: bool,
    /// An approval that was mailed and whose code is still to be shown.
    pub approval: Option<Hash>,
    /// The mail that it is in.
    #[serde(default)]
    pub mail: Option<MailId>,
    /// OAuth consent was given in this flow.
    pub consent: bool,
    /// Behaviour consent was asked for in this flow.
    pub watch: bool,
}

/// A flow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Flow {
    /// Its id.
    pub id: FlowId,
    /// Hash of its cookie's secret.
    pub browser: Hash,
    /// Grows with each accepted answer, so that an outdated page can't answer.
    pub step: u64,
    /// Until then an answer is being worked on: another one loses.
    pub busy_until: Option<Timestamp>,
    /// What it is for.
    pub goal: Goal,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Dead from then on.
    pub expires_at: Timestamp,
    /// The session that it builds on, whose proofs count.
    pub base: Option<SessionId>,
    /// Who.
    pub who: Who,
    /// What was proven here.
    pub proofs: Vec<Proof>,
    /// Silent plugins that were asked.
    pub tried: Vec<PluginId>,
    /// Answers so far.
    pub attempts: u32,
    /// What the sign-in page measured.
    pub typed: Typed,
    /// The rhythm was judged.
    pub judged: bool,
    /// It spoke against the owner: no waiver counts.
    pub distrusted: bool,
    /// Levels that this person has no factors for.
    pub given_up: Vec<String>,
    /// The way that the person chose on the first page.
    pub preferred: Option<PluginId>,
    /// Why it asks.
    pub why: Why,
    /// What was wrong with the last answer.
    pub error: Option<Text>,
    /// Other ways.
    pub ways: Vec<Way>,
    /// What is done after the plan.
    pub done: Done,
    /// What it waits for.
    pub stage: Stage,
}

impl Flow {
    /// The authorization request, if a client asked.
    pub fn request(&self) -> Option<&AuthorizationRequest> {
        match &self.goal {
            Goal::Authorization(request) => Some(request),
            Goal::Page { .. } => None,
        }
    }
    /// Why plugins are asked.
    pub fn purpose(&self) -> Purpose {
        let enrols = matches!(self.goal, Goal::Page { enrol: Some(_), .. });
        if enrols && self.done.session {
            Purpose::Enrol
        } else if self.base.is_some() {
            Purpose::StepUp
        } else {
            Purpose::SignIn
        }
    }
    /// Names another person: nothing that was proven or learned of the one before remains.
    pub fn switch_to(&mut self, who: Who) {
        if self.who.account().is_none() || self.who.account() != who.account() {
            self.proofs.clear();
            self.tried.clear();
            self.given_up.clear();
            self.judged = false;
            self.distrusted = false;
        }
        self.who = who;
    }
    /// Forgets proofs that are too old to be part of one sign-in.
    pub fn drop_stale_proofs(&mut self, now: Timestamp) {
        if !self.done.session {
            self.proofs.retain(|proof| now.since(proof.at) <= PROOF_LIFE_S);
        }
    }
}

/// A flow as it was read.
pub(super) struct Held {
    pub flow: Flow,
    raw: Vec<u8>,
}

fn key(id: &FlowId) -> String {
    format!("flow:{id}")
}

fn to_bytes(flow: &Flow) -> Result<Vec<u8>> {
    serde_json::to_vec(flow).map_err(|why| Error::Inconsistent(format!("flow: {why}")))
}

impl Idp {
    /// A flow that is not kept yet and belongs to no browser.
    pub(super) fn new_flow(&self, goal: Goal) -> Flow {
        let now = self.ports.now();
        Flow {
            id: FlowId(URL_SAFE_NO_PAD.encode(self.ports.random::<16>())),
            browser: Hash([0; 32]),
            step: 0,
            busy_until: None,
            goal,
            begun_at: now,
            expires_at: now.plus(i64::from(self.policy.lifetimes.flow)),
            base: None,
            who: Who::Nobody,
            proofs: Vec::new(),
            tried: Vec::new(),
            attempts: 0,
            typed: Typed::default(),
            judged: false,
            distrusted: false,
            given_up: Vec::new(),
            preferred: None,
            why: Why::SignIn,
            error: None,
            ways: Vec::new(),
            done: Done::default(),
            stage: Stage::SelectAccount,
        }
    }

    /// Keeps a new flow; returns its cookie's secret.
    pub(super) async fn keep_new(&self, mut flow: Flow) -> Result<Secret> {
        let secret = Secret::new(SecretKind::Flow, &self.ports);
        flow.browser = secret.hash();
        let bytes = to_bytes(&flow)?;
        self.ephemeral.put(&key(&flow.id), &bytes, self.flow_ttl(&flow)).await?;
        Ok(secret)
    }

    /// Reads a flow for the browser that holds its cookie.
    pub(super) async fn open_flow(&self, id: &FlowId, caller: &Caller) -> Result<Held, FlowError> {
        let secret = caller.flow.as_ref().ok_or(FlowError::Gone)?;
        if id.0.len() > 64 {
            return Err(FlowError::Gone);
        }
        let raw = self
            .ephemeral
            .get(&key(id))
            .await
            .map_err(Error::from)?
            .ok_or(FlowError::Gone)?;
        // A newer node may have taken it to where this one can't follow.
        let flow: Flow = serde_json::from_slice(&raw).map_err(|_| FlowError::Gone)?;
        if flow.browser != secret.hash() || flow.expires_at <= self.ports.now() {
            return Err(FlowError::Gone);
        }
        Ok(Held { flow, raw })
    }

    /// What the page must send back: of this browser's secret, at this step.
    pub(super) fn flow_csrf(&self, flow: &Flow) -> String {
        let message = [&flow.browser.0[..], flow.id.0.as_bytes(), &flow.step.to_be_bytes()].concat();
        URL_SAFE_NO_PAD.encode(self.master.mac("flow-csrf", &message))
    }

    /// Checks what came back.
    pub(super) fn check_flow_csrf(&self, flow: &Flow, csrf: Option<&String>) -> Result<(), FlowError> {
        let sent = csrf.map(String::as_str).unwrap_or_default();
        let right: bool = self.flow_csrf(flow).as_bytes().ct_eq(sent.as_bytes()).into();
        if right { Ok(()) } else { Err(FlowError::OutOfDate) }
    }

    /// Takes the flow for one answer. Of any number of answers at once, one gets it; the others are out of date.
    pub(super) async fn claim_flow(&self, held: Held) -> Result<Held, FlowError> {
        let now = self.ports.now();
        if held.flow.busy_until.is_some_and(|until| now < until) {
            return Err(FlowError::OutOfDate);
        }
        let busy = Flow {
            busy_until: Some(now.plus(BUSY_S)),
            ..held.flow.clone()
        };
        let raw = to_bytes(&busy)?;
        self.swap_flow(&held.raw, &raw, &held.flow).await?;
        let flow = Flow {
            busy_until: None,
            ..held.flow
        };
        Ok(Held { flow, raw })
    }

    /// Gives a flow back as it was.
    pub(super) async fn release_flow(&self, claimed: &Held) -> Result<(), FlowError> {
        let raw = to_bytes(&claimed.flow)?;
        self.swap_flow(&claimed.raw, &raw, &claimed.flow).await
    }

    /// Moves a flow on; with `rotate`, its cookie's secret changes too. Returns the new secret.
    pub(super) async fn keep_flow(&self, claimed: &Held, mut next: Flow, rotate: bool) -> Result<Option<Secret>, FlowError> {
        let secret = rotate.then(|| Secret::new(SecretKind::Flow, &self.ports));
        if let Some(secret) = &secret {
            next.browser = secret.hash();
        }
        next.step = claimed.flow.step + 1;
        next.busy_until = None;
        let raw = to_bytes(&next)?;
        self.swap_flow(&claimed.raw, &raw, &next).await?;
        Ok(secret)
    }

    /// Ends a flow.
    pub(super) async fn end_flow(&self, flow: &Flow) -> Result<(), FlowError> {
        let taken = self.ephemeral.take(&key(&flow.id)).await.map_err(Error::from)?;
        taken.map(|_| ()).ok_or(FlowError::Gone)
    }

    async fn swap_flow(&self, old: &[u8], new: &[u8], flow: &Flow) -> Result<(), FlowError> {
        let key = key(&flow.id);
        let swap = self.ephemeral.swap(&key, old, new, self.flow_ttl(flow));
        if swap.await.map_err(Error::from)? {
            Ok(())
        } else {
            Err(FlowError::OutOfDate)
        }
    }

    fn flow_ttl(&self, flow: &Flow) -> u32 {
        u32::try_from(flow.expires_at.since(self.ports.now())).unwrap_or(0).max(1)
    }
}
