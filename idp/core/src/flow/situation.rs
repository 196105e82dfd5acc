//! What holds right now: read anew each time something is decided, so that nothing is decided on what was true before.

use super::FlowError;
use super::call::{Occasion, Whom};
use super::plan::{self, Cause, Demand, Evidence, Fresh};
use super::state::{Flow, Goal};
use crate::Idp;
use crate::account::Account;
use crate::authorization::request::{AuthorizationRequest, PromptValue};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::ids::{AccountId, SessionId};
use crate::policy::{AcrRule, Watch};
use crate::session::{Proof, Session};
use crate::visit::{Caller, Cookie};
use gait_sdk::{Amr, PluginId, Visitor};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The scope of clients that want their sessions watched.
pub(crate) const WATCH_SCOPE: &str = "continuous_auth";
/// Seconds after a credential change in which no waiver counts.
const NO_WAIVERS_S: i64 = 86_400;

/// One answer (or beginning) in the making.
pub(super) struct Run<'a> {
    /// The flow as it will be.
    pub flow: Flow,
    /// Who calls.
    pub caller: &'a Caller,
    /// The living session that the browser holds.
    pub session: Option<SessionId>,
    /// What the answer changes of the browser's cookies.
    pub cookies: Vec<Cookie>,
    /// The session that this answer has begun, of which the browser doesn't know yet.
    pub begun: Option<SessionId>,
}

/// The rows of the store that a decision hangs on.
pub(super) struct Situation {
    /// The client, if one asked.
    pub client: Option<Client>,
    /// The account before us, if it may sign in.
    pub account: Option<Account>,
    /// The browser's living session, if it is this account's.
    pub own: Option<Session>,
    /// The client wants to watch, this deployment does, and the account hasn't consented.
    pub unconsented: bool,
}

impl Situation {
    /// Whom plugins are asked about.
    pub fn whom<'s>(&'s self, flow: &'s Flow) -> Whom<'s> {
        match &self.account {
            Some(account) => Whom::Known(account),
            None => Whom::Unknown(flow.who.name()),
        }
    }

    /// What was proven. Nothing is proven for nobody.
    pub fn evidence<'s>(&'s self, flow: &'s Flow) -> Evidence<'s> {
        if self.account.is_none() {
            return Evidence { session: &[], here: &[] };
        }
        let builds_on = self.own.as_ref().filter(|own| flow.base.as_ref() == Some(&own.id));
        Evidence {
            session: builds_on.map_or(&[], |own| &own.proofs),
            here: &flow.proofs,
        }
    }
}

impl AuthorizationRequest {
    /// The levels that were asked for, essential ones first.
    pub(super) fn wanted_acrs(&self) -> Vec<String> {
        let essential = self.essential_acr.iter().flatten();
        let mut wanted: Vec<String> = Vec::new();
        for acr in essential.chain(&self.acr_values) {
            if !wanted.contains(acr) {
                wanted.push(acr.clone());
            }
        }
        wanted
    }

    /// The levels that will do: the essential ones, or else those that are wished for.
    fn sought_acrs(&self) -> &[String] {
        match &self.essential_acr {
            Some(essential) if !essential.is_empty() => essential,
            _ => &self.acr_values,
        }
    }

    /// True if what was asked for can't be met by a signal.
    fn bars_waivers(&self) -> bool {
        let level = self.essential_acr.is_some() || !self.acr_values.is_empty();
        level || self.max_age.is_some() || self.prompts(PromptValue::Login)
    }
}

impl Flow {
    /// Which proofs count for what the client asked.
    fn fresh(&self) -> Fresh {
        let Some(request) = self.request() else { return Fresh::Any };
        match request.max_age {
            _ if request.prompts(PromptValue::Login) => Fresh::Here(self.begun_at),
            Some(0) => Fresh::Here(self.begun_at),
            Some(seconds) => Fresh::Since(self.begun_at.plus(-i64::from(seconds))),
            None => Fresh::Any,
        }
    }
}

impl Idp {
    /// True if this deployment watches at all.
    pub(crate) fn watches(&self) -> bool {
        self.policy.watch.mode != Watch::Off && self.registry.scorer().is_some()
    }

    /// Reads what holds now.
    pub(super) async fn situation(&self, run: &Run<'_>) -> Result<Situation, FlowError> {
        let flow = &run.flow;
        let client = match flow.request() {
            Some(request) => Some(self.client_of(request).await?.ok_or(FlowError::Gone)?),
            None => None,
        };
        let whom = flow.who.account().unwrap_or(AccountId(Uuid::nil())); // nobody costs the same look-up
        let account = self.store.account(whom).await.map_err(Error::from)?;
        let account = account.filter(|account| account.disabled_at.is_none());
        let revoked = account.as_ref().and_then(|account| account.revoked_before);
        if revoked.is_some_and(|limit| flow.begun_at < limit) {
            return Err(FlowError::Gone); // everything that was begun before was ended, this flow among it
        }
        let own = self.own_session(run, account.as_ref()).await?;
        if flow.base.is_some() && flow.base.as_ref() != own.as_ref().map(|own| &own.id) {
            return Err(FlowError::Gone); // the session that this flow builds on has ended, or is another browser's
        }
        let unconsented = match &account {
            Some(account) => self.lacks_watch_consent(flow, account).await?,
            None => false,
        };
        Ok(Situation {
            client,
            account,
            own,
            unconsented,
        })
    }

    async fn client_of(&self, request: &AuthorizationRequest) -> Result<Option<Client>> {
        Ok(self.store.client(&request.client).await?)
    }

    async fn own_session(&self, run: &Run<'_>, account: Option<&Account>) -> Result<Option<Session>> {
        let (Some(id), Some(account)) = (&run.session, account) else {
            return Ok(None);
        };
        let session = self.store.session(id).await?;
        Ok(session.filter(|session| session.account == account.id && self.lives(session, account)))
    }

    async fn lacks_watch_consent(&self, flow: &Flow, account: &Account) -> Result<bool> {
        let asked = flow.request().is_some_and(|request| request.scopes.contains(WATCH_SCOPE));
        Ok(asked && self.watches() && self.store.behaviour_consent(account.id).await?.is_none())
    }

    /// Everything that must be proven before the flow may end, what is most urgent first.
    pub(super) fn demands(&self, flow: &Flow, now: &Situation) -> Vec<Demand> {
        let mut demands = self.pending_demands(now);
        let waivers = self.counting_waivers(flow, now);
        let base = now
            .client
            .as_ref()
            .and_then(|client| client.plan.as_ref())
            .unwrap_or(&self.policy.plan);
        demands.extend(plan::demands(base, &waivers, flow.fresh(), &Cause::Plan));
        demands.extend(self.acr_demands(flow, now));
        demands.extend(
            self.reproof_demand(flow, now)
                .into_iter()
                .flat_map(|fresh| self.step_up_demands(fresh)),
        );
        demands
    }

    /// A pending step-up: a factor, proven here, after the demand.
    fn pending_demands(&self, now: &Situation) -> Vec<Demand> {
        let pending = now.own.as_ref().and_then(|own| own.step_up.as_ref());
        pending.map_or(Vec::new(), |step_up| self.step_up_demands(Fresh::Here(step_up.since)))
    }

    fn step_up_demands(&self, fresh: Fresh) -> Vec<Demand> {
        plan::demands(&self.policy.step_up, &BTreeSet::new(), fresh, &Cause::StepUp)
    }

    /// Proofs that must be young for another reason than the client's: a page of ours wants it, or a watched client's session has no
    /// behaviour consent and is proven anew from time to time instead.
    fn reproof_demand(&self, flow: &Flow, now: &Situation) -> Option<Fresh> {
        let before = |seconds: u32| Fresh::Since(flow.begun_at.plus(-i64::from(seconds)));
        match &flow.goal {
            Goal::Page { enrol: Some(_), .. } => Some(before(self.policy.fresh_s)),
            Goal::Page { fresh: true, .. } => Some(Fresh::Here(flow.begun_at)),
            Goal::Authorization(_) if now.unconsented && now.own.is_some() => {
                Some(before(self.policy.watch.reauth_without_consent_s))
            }
            _ => None,
        }
    }

    /// The rows of the level to aim at, unless one of those that will do is met.
    fn acr_demands(&self, flow: &Flow, now: &Situation) -> Vec<Demand> {
        let Some(request) = flow.request() else { return Vec::new() };
        let proofs = self.counted_proofs(flow, now);
        let mut rules = self.known_acrs(request).peekable();
        if rules.peek().is_none() || self.known_acrs(request).any(|rule| plan::acr_met(rule, &proofs)) {
            return Vec::new();
        }
        let target = rules.find(|rule| !flow.given_up.contains(&rule.acr));
        target.map_or(Vec::new(), |rule| {
            plan::demands(&rule.plan, &BTreeSet::new(), flow.fresh(), &Cause::Acr(rule.acr.clone()))
        })
    }

    fn known_acrs<'a>(&'a self, request: &'a AuthorizationRequest) -> impl Iterator<Item = &'a AcrRule> {
        let sought = request.sought_acrs().iter();
        sought.filter_map(|acr| self.policy.acrs.iter().find(|rule| rule.acr == *acr))
    }

    /// True if a level is essential and none of those that would do can still be reached.
    pub(super) fn essential_acr_is_out_of_reach(&self, flow: &Flow, now: &Situation) -> bool {
        let Some(request) = flow.request() else { return false };
        if request.essential_acr.as_ref().is_none_or(Vec::is_empty) {
            return false;
        }
        let proofs = self.counted_proofs(flow, now);
        !self
            .known_acrs(request)
            .any(|rule| plan::acr_met(rule, &proofs) || !flow.given_up.contains(&rule.acr))
    }

    /// The signals whose waiver counts in this flow.
    pub(super) fn counting_waivers(&self, flow: &Flow, now: &Situation) -> BTreeSet<PluginId> {
        let changed = now.account.as_ref().and_then(|account| account.credential_changed_at);
        let lately = changed.is_some_and(|at| self.ports.now().since(at) < NO_WAIVERS_S);
        let barred = flow.request().is_some_and(AuthorizationRequest::bars_waivers);
        if lately || barred || flow.distrusted {
            return BTreeSet::new();
        }
        self.registry.waivers()
    }

    /// The proofs that stand behind what is told to the client.
    fn counted_proofs(&self, flow: &Flow, now: &Situation) -> Vec<Proof> {
        let waivers = self.counting_waivers(flow, now);
        let waivers_count = !waivers.is_empty();
        let proofs = now.evidence(flow).counting(flow.fresh());
        plan::merged(proofs.filter(|proof| waivers_count || !proof.waiver))
    }

    /// What the client is told of the proofs: `acr` and `amr`.
    pub(super) fn assurance(&self, flow: &Flow, now: &Situation) -> (Option<String>, Vec<Amr>) {
        let proofs = self.counted_proofs(flow, now);
        let wanted = flow.request().map(AuthorizationRequest::wanted_acrs).unwrap_or_default();
        (plan::acr_for(&wanted, &self.policy.acrs, &proofs), plan::amr_of(&proofs))
    }

    /// The occasion on which plugins are asked.
    pub(super) fn occasion<'a>(flow: &'a Flow, now: &'a Situation, visitor: &'a Visitor) -> Occasion<'a> {
        let wanted = flow.request().and_then(|request| request.sought_acrs().first());
        Occasion {
            purpose: flow.purpose(),
            visitor,
            client: now.client.as_ref(),
            wanted_acr: wanted.map(String::as_str),
        }
    }
}
