//! The plan is satisfied: the session holds the proofs, everybody is told, and what remains is asked. Each call begins with what holds
//! now, so the whole plan was evaluated again just before.

use super::call::Occasion;
use super::call::Whom;
use super::engine::{End, Turn};
use super::situation::{Run, Situation, WATCH_SCOPE};
use super::state::{Goal, Stage};
use super::verify::Posed;
use super::{FlowError, Why, plan};
use crate::Idp;
use crate::account::Account;
use crate::authorization::request::AuthorizationRequest;
use crate::effects::Origin;
use crate::error::Error;
use crate::event::What;
use crate::grant::Scopes;
use crate::ids::SessionId;
use crate::mail::address_of;
use crate::measure::{Measure, StepUpTurn};
use crate::session::{EndReason, Place, RiskLevel, Session};
use crate::store::{StoreError, Strengthened, Which};
use crate::token::secret::{Secret, SecretKind};
use crate::visit::{Caller, Cookie};
use gait_sdk::{Authenticator, Context, Outcome, PluginId, Purpose};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A session that has just been begun or strengthened.
struct Entered {
    id: SessionId,
    secret: Secret,
}

impl Idp {
    /// Goes on once nothing is missing. `None` if something has changed: evaluate anew.
    pub(super) async fn conclude(&self, run: &mut Run<'_>, now: &Situation) -> Result<Option<Turn>, FlowError> {
        let Some(account) = &now.account else {
            return Ok(Some(self.refuse(run, "access_denied", "the account can't be used")));
        };
        if let Some(turn) = self.refusal_of(run, now, account) {
            return Ok(Some(turn));
        }
        let pending = now.own.as_ref().is_some_and(|own| own.step_up.is_some());
        if !run.flow.done.session || pending {
            self.enter(run, now, account).await?;
            return Ok(None);
        }
        self.after_session(run, now, account).await
    }

    /// What the client asked for and this sign-in isn't.
    pub(super) fn refusal_of(&self, run: &Run<'_>, now: &Situation, account: &Account) -> Option<Turn> {
        let (request, client) = (run.flow.request()?, now.client.as_ref()?);
        let expected = request.expected_subject.as_ref();
        if expected.is_some_and(|expected| *expected != self.subject(client, account.id)) {
            return Some(self.refuse(
                run,
                "login_required",
                "another account signed in than the one that was asked for",
            ));
        }
        let unmet = request.essential_acr.is_some() && self.assurance(&run.flow, now).0.is_none();
        if unmet || self.essential_acr_is_out_of_reach(&run.flow, now) {
            return Some(self.refuse(run, "unmet_authentication_requirements", "the level can't be reached"));
        }
        None
    }

    /// Has the session hold what was proven.
    async fn enter(&self, run: &mut Run<'_>, now: &Situation, account: &Account) -> Result<(), FlowError> {
        if let (true, Some(own)) = (run.flow.proofs.is_empty(), &now.own) {
            run.flow.base = Some(own.id.clone()); // nothing new was proven: single sign-on
            run.flow.done.session = true;
            return Ok(());
        }
        let caller = self.with_device(run);
        // First of all, as a question to the ephemeral store: without it there will be no code, and the sign-in is not to be begun.
        if let Some(device) = &caller.visitor.device {
            self.remember_device(account.id, device).await?;
        }
        let entered = match &now.own {
            Some(own) => self.strengthen(run, own, &caller).await?,
            None => Some(self.begin_session(run, account, &caller).await?),
        };
        let Some(entered) = entered else { return Ok(()) };
        run.begun = now.own.is_none().then(|| entered.id.clone());
        let purpose = run.flow.purpose();
        run.session = Some(entered.id.clone());
        run.flow.base = Some(entered.id.clone());
        run.flow.done.session = true;
        run.cookies.push(Cookie::Session(Some(entered.secret.clone())));
        self.ports.wake.wake();
        self.keep_sample(run, now, account, &entered.id).await;
        let marker = self.check_password_marker(account, run.caller).await?;
        run.cookies.extend(marker);
        self.settle(run, now, account, (&caller, purpose), &entered).await?;
        Ok(())
    }

    /// The caller with a device cookie: made now if there was none.
    fn with_device(&self, run: &mut Run<'_>) -> Caller {
        let mut caller = run.caller.clone();
        if caller.visitor.device.is_none() {
            let secret = Secret::new(SecretKind::Device, &self.ports);
            caller.visitor.device = Some(secret.hash().to_text());
            run.cookies.retain(|cookie| !matches!(cookie, Cookie::Device(_)));
            run.cookies.push(Cookie::Device(secret));
        }
        caller
    }

    /// Proves a living session anew: the same `sid`, another cookie. `None` if it has changed meanwhile.
    async fn strengthen(&self, run: &Run<'_>, own: &Session, caller: &Caller) -> Result<Option<Entered>, FlowError> {
        let (_, secret) = self.new_session_ids();
        let pending = own.step_up.is_some();
        let change = Strengthened {
            secret: secret.hash(),
            proofs: plan::merged(own.proofs.iter().chain(&run.flow.proofs)),
            level: if pending { RiskLevel::Low } else { own.level },
            step_up: None,
            place: Place::of(caller),
        };
        let what = What::SessionStrengthened {
            plugins: proven(run),
            previous_level: own.level,
        };
        let client = run.flow.request().map(|request| &request.client);
        let address = address_of(caller);
        let event = self.event(what, Some(own.account), Some(&own.id), client, address, &caller.request_id);
        let (id, at) = (&own.id, self.ports.now());
        match self.store.strengthen_session(id, own.sequence, at, &change, &[event]).await {
            Ok(()) => {}
            Err(StoreError::Stale(_)) => return Ok(None),
            Err(error) => return Err(Error::from(error).into()),
        }
        if pending {
            self.ports.meter.measured(Measure::StepUp(StepUpTurn::Passed));
            self.absorb_records(own).await?;
        }
        let id = own.id.clone();
        Ok(Some(Entered { id, secret }))
    }

    /// Begins a session. One of another account that this browser was in ends.
    async fn begin_session(&self, run: &Run<'_>, account: &Account, caller: &Caller) -> Result<Entered, FlowError> {
        let (id, secret) = self.new_session_ids();
        let now = self.ports.now();
        let session = Session {
            id: id.clone(),
            account: account.id,
            proofs: run.flow.proofs.clone(),
            created_at: now,
            last_seen_at: now,
            place: Place::of(caller),
            level: RiskLevel::Low,
            step_up: None,
            ended: None,
            sequence: 0,
        };
        let what = What::SessionBegun { plugins: proven(run) };
        let client = run.flow.request().map(|request| &request.client);
        let address = address_of(caller);
        let event = self.event(what, Some(account.id), Some(&id), client, address, &caller.request_id);
        match self.store.begin_session(&session, &secret.hash(), &[event]).await {
            Ok(()) => {}
            // Disabled, or everything of it ended, in this very moment: there is nobody left to sign in.
            Err(StoreError::Stale(_)) => return Err(FlowError::Gone),
            Err(error) => return Err(Error::from(error).into()),
        }
        if let Some(former) = &run.session {
            self.end_all(&Which::One(former.clone()), EndReason::Replaced, &[], caller)
                .await?;
        }
        Ok(Entered { id, secret })
    }

    /// Hands the rhythm of the sign-in on for learning. Whatever goes wrong with it, the person is signed in.
    async fn keep_sample(&self, run: &mut Run<'_>, now: &Situation, account: &Account, session: &SessionId) {
        let typed = std::mem::take(&mut run.flow.typed);
        if typed.is_empty() {
            return;
        }
        let plan = now.client.as_ref().and_then(|client| client.plan.as_ref());
        let plan = plan.unwrap_or(&self.policy.plan);
        let kept = async {
            let occasion = Self::occasion(&run.flow, now, &run.caller.visitor);
            let cx = self
                .context(&PluginId::from(plan::BEHAVIOUR), Whom::Known(account), occasion)
                .await?;
            self.keep_typed(account, (session, plan), &typed, &cx).await
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, "a sign-in's sample could not be kept");
        }
    }

    /// Tells every authenticator of the plan that it is satisfied. What they want then only adds to a sign-in that has happened, so
    /// what fails of it is logged.
    async fn settle(
        &self,
        run: &mut Run<'_>,
        now: &Situation,
        account: &Account,
        (caller, purpose): (&Caller, Purpose),
        entered: &Entered,
    ) -> Result<(), FlowError> {
        let outcome = Outcome {
            satisfied: true,
            passed: proven(run),
        };
        for plugin in self.plugins_of_plan(run, now) {
            let manifest = plugin.manifest();
            let occasion = Occasion {
                purpose,
                ..Self::occasion(&run.flow, now, &caller.visitor)
            };
            let cx = self.context(&manifest.id, Whom::Known(account), occasion).await?;
            let effects = match plugin.settled(&cx, &outcome).await {
                Ok(effects) => effects,
                Err(error) => {
                    tracing::warn!(plugin = %manifest.id, %error, "settled failed");
                    continue;
                }
            };
            let origin = Origin {
                account,
                plugin: manifest,
                purpose,
                caller,
                client: now.client.as_ref(),
                flow: Some(&run.flow.id),
                session: Some(&entered.id),
                browser: Some(entered.secret.hash()),
                used: None,
            };
            match self.carry_out(origin, effects).await {
                Ok(carried) if carried.approval.is_some() => {
                    run.flow.done.approval = carried.approval;
                    run.flow.done.mail = carried.mail;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(plugin = %manifest.id, %error, "effects of a settled sign-in were not carried out"),
            }
        }
        Ok(())
    }

    /// Tells the authenticators that the plan was given up. The subject stays unknown to them, and there is nobody to do anything for.
    pub(super) async fn tell_unsatisfied(&self, run: &Run<'_>) {
        let Ok(now) = self.situation(run).await else { return };
        if run.flow.done.session {
            return;
        }
        let outcome = Outcome {
            satisfied: false,
            passed: proven(run),
        };
        for plugin in self.plugins_of_plan(run, &now) {
            let occasion = Self::occasion(&run.flow, &now, &run.caller.visitor);
            let whom = Whom::Unknown(run.flow.who.name());
            let cx: Result<Context, Error> = self.context(&plugin.manifest().id, whom, occasion).await;
            if let Ok(cx) = cx
                && let Err(error) = plugin.settled(&cx, &outcome).await
            {
                tracing::warn!(plugin = %plugin.manifest().id, %error, "settled failed");
            }
        }
    }

    fn plugins_of_plan(&self, run: &Run<'_>, now: &Situation) -> Vec<Arc<dyn Authenticator>> {
        let demands = self.demands(&run.flow, now);
        let ids: BTreeSet<PluginId> = demands.into_iter().flat_map(|demand| demand.row.0).collect();
        ids.iter().filter_map(|id| self.registry.authenticator(id)).cloned().collect()
    }

    /// What remains once the session holds the proofs.
    async fn after_session(&self, run: &mut Run<'_>, now: &Situation, account: &Account) -> Result<Option<Turn>, FlowError> {
        if run.flow.done.approval.is_some() {
            run.flow.stage = Stage::ApprovalSent;
            return Ok(Some(Turn::Stay));
        }
        match run.flow.goal.clone() {
            Goal::Page {
                path,
                enrol: Some(plugin),
                ..
            } => self.enrol(run, now, path, &plugin).await,
            Goal::Page { path, .. } => Ok(Some(Turn::Done(End::Page(path)))),
            Goal::Authorization(request) => self.consented(run, now, account, &request).await,
        }
    }

    /// Has the plugin ask for what its new credential takes.
    async fn enrol(
        &self,
        run: &mut Run<'_>,
        now: &Situation,
        path: String,
        plugin: &PluginId,
    ) -> Result<Option<Turn>, FlowError> {
        let Some(authenticator) = self.registry.authenticator(plugin) else {
            return Ok(Some(Turn::Done(End::Page(path))));
        };
        run.flow.why = Why::Enrol;
        run.flow.ways = Vec::new();
        match self.pose(run, now, authenticator.as_ref()).await? {
            Posed::Asked(asked) => run.flow.stage = Stage::Enrol(asked),
            Posed::Abstained => return Ok(Some(Turn::Done(End::Page(path)))),
            Posed::Failed(text) => {
                run.flow.error = Some(text);
                run.flow.stage = Stage::Enrol(self.dead_question(plugin.clone()));
            }
        }
        Ok(Some(Turn::Stay))
    }

    /// Asks for the consents that are missing, then issues the code.
    async fn consented(
        &self,
        run: &mut Run<'_>,
        now: &Situation,
        account: &Account,
        request: &AuthorizationRequest,
    ) -> Result<Option<Turn>, FlowError> {
        let (Some(client), Some(own)) = (&now.client, &now.own) else {
            return Err(FlowError::Gone);
        };
        if !run.flow.done.consent && self.needs_consent(client, account, request).await? {
            run.flow.stage = Stage::Consent(shown_scopes(request));
            return Ok(Some(Turn::Stay));
        }
        if now.unconsented && !run.flow.done.watch && !self.declined_watch(account.id).await? {
            run.flow.stage = Stage::BehaviourConsent;
            return Ok(Some(Turn::Stay));
        }
        let (acr, amr) = self.assurance(&run.flow, now);
        let scopes = self.granted_scopes(request, now);
        let response = self.issue_code(request, own, account, scopes, acr, amr).await?;
        Ok(Some(Turn::Done(End::Respond(response))))
    }

    /// What the code is for: without behaviour consent, or where nobody watches, the scope to watch is silently left out.
    pub(super) fn granted_scopes(&self, request: &AuthorizationRequest, now: &Situation) -> Scopes {
        let watched = self.watches() && !now.unconsented;
        let scopes = request.scopes.iter().filter(|scope| watched || *scope != WATCH_SCOPE);
        scopes.cloned().collect()
    }
}

/// The scopes that people are asked about: neither `openid` nor watching, which has a consent of its own.
pub(super) fn shown_scopes(request: &AuthorizationRequest) -> Vec<String> {
    let apart = |scope: &&String| *scope != "openid" && *scope != WATCH_SCOPE;
    request.scopes.union(&request.implied_scopes).filter(apart).cloned().collect()
}

fn proven(run: &Run<'_>) -> Vec<PluginId> {
    run.flow.proofs.iter().map(|proof| proof.plugin.clone()).collect()
}
