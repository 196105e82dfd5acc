//! The engine: what is missing is asked for, silent ways first, until nothing is missing.

use super::call::Whom;
use super::limits::Counted;
use super::plan::{self, BEHAVIOUR, Cause, Demand};
use super::situation::{Run, Situation};
use super::state::{Asked, Flow, Goal, Stage, Who};
use super::verify::Posed;
use super::{FlowError, Way, Why, words};
use crate::Idp;
use crate::authorization::AuthorizationResponse;
use crate::effects::EffectError;
use crate::error::Error;
use crate::ids::MailId;
use crate::measure::StepOutcome;
use crate::session::Proof;
use crate::trust::SignInTrust;
use gait_sdk::{Amr, Authenticator, Form, Memo, PluginId, Step, Text};
use std::sync::Arc;

/// Most rounds of one answer: each proves something, gives a level up, or ends.
const MAX_ROUNDS: usize = 32;

/// Where a flow ends.
pub(super) enum End {
    /// At the client.
    Respond(AuthorizationResponse),
    /// At a page of ours.
    Page(String),
}

/// What became of a flow.
pub(super) enum Turn {
    /// It waits for an answer.
    Stay,
    /// It is over.
    Done(End),
}

/// What became of a row.
enum Pursued {
    /// Something has changed: plan anew.
    Changed,
    /// Somebody is asked.
    Asked,
    /// No factor of the row can be asked.
    Stuck,
}

impl Idp {
    /// Goes on as far as it goes without the person.
    pub(super) async fn advance(&self, run: &mut Run<'_>) -> Result<Turn, FlowError> {
        for _ in 0..MAX_ROUNDS {
            run.flow.drop_stale_proofs(self.ports.now());
            let now = self.situation(run).await?;
            let demands = self.demands(&run.flow, &now);
            let turn = match plan::missing(&demands, now.evidence(&run.flow)) {
                Some(demand) => self.pursue(run, &now, demand).await?,
                None => self.conclude(run, &now).await?,
            };
            if let Some(turn) = turn {
                return Ok(turn);
            }
        }
        Err(Error::Inconsistent("a flow goes round in circles".to_owned()).into())
    }

    async fn pursue(&self, run: &mut Run<'_>, now: &Situation, demand: &Demand) -> Result<Option<Turn>, FlowError> {
        if self.essential_acr_is_out_of_reach(&run.flow, now) {
            return Ok(Some(self.refuse(
                run,
                "unmet_authentication_requirements",
                "the level can't be reached",
            )));
        }
        run.flow.why = why(&run.flow, now, demand);
        if run.flow.who == Who::Nobody {
            self.first_page(run, now, demand).await?;
            return Ok(Some(Turn::Stay));
        }
        match self.pursue_row(run, now, demand).await? {
            Pursued::Changed => Ok(None),
            Pursued::Asked => Ok(Some(Turn::Stay)),
            Pursued::Stuck => self.stuck(run, now, demand).await,
        }
    }

    async fn pursue_row(&self, run: &mut Run<'_>, now: &Situation, demand: &Demand) -> Result<Pursued, FlowError> {
        let waives = now.evidence(&run.flow).holds_factor(demand.fresh) && run.flow.base.is_none();
        if waives && !demand.waivers.is_empty() && self.judge_sample(run, now).await? {
            return Ok(Pursued::Changed);
        }
        for plugin in self.silent_ways(demand, waives) {
            if !run.flow.tried.contains(&plugin.manifest().id) && self.try_silent(run, now, &plugin).await? {
                return Ok(Pursued::Changed);
            }
        }
        self.ask_row(run, now, demand).await
    }

    /// Judges the rhythm of the sign-in once it may matter, and once only; true if that changes what is missing.
    async fn judge_sample(&self, run: &mut Run<'_>, now: &Situation) -> Result<bool, FlowError> {
        let (Some(account), false, false) = (&now.account, run.flow.typed.is_empty(), run.flow.judged) else {
            return Ok(false);
        };
        run.flow.judged = true;
        let occasion = Self::occasion(&run.flow, now, &run.caller.visitor);
        let cx = self
            .context(&PluginId::from(BEHAVIOUR), Whom::Known(account), occasion)
            .await?;
        match self.signin_trust(account, &run.flow.typed, &cx).await? {
            SignInTrust::Neutral => Ok(false),
            SignInTrust::RemovesWaivers => {
                run.flow.distrusted = true;
                Ok(true)
            }
            SignInTrust::Waives => {
                self.prove(run, PluginId::from(BEHAVIOUR), Vec::new(), true);
                Ok(true)
            }
        }
    }

    /// Notes a proof of this moment.
    pub(super) fn prove(&self, run: &mut Run<'_>, plugin: PluginId, amr: Vec<Amr>, waiver: bool) {
        let at = self.ports.now();
        let proof = Proof { plugin, amr, at, waiver };
        run.flow.proofs = plan::merged(run.flow.proofs.iter().chain([&proof]));
    }

    fn silent_ways(&self, demand: &Demand, waives: bool) -> Vec<Arc<dyn Authenticator>> {
        let plugins = demand.row.0.iter().filter_map(|id| self.registry.authenticator(id));
        let may = |plugin: &&Arc<dyn Authenticator>| {
            let manifest = plugin.manifest();
            let counts = !manifest.waiver || (waives && demand.waivers.contains(&manifest.id));
            manifest.silent && counts
        };
        plugins.filter(may).cloned().collect()
    }

    async fn try_silent(&self, run: &mut Run<'_>, now: &Situation, plugin: &Arc<dyn Authenticator>) -> Result<bool, FlowError> {
        let manifest = plugin.manifest();
        let begun_us = self.ports.meter.stopwatch_us();
        run.flow.tried.push(manifest.id.clone());
        let occasion = Self::occasion(&run.flow, now, &run.caller.visitor);
        let cx = self.context(&manifest.id, now.whom(&run.flow), occasion).await?;
        // Without a proof the row still needs somebody.
        let Ok(reply) = self.challenge(plugin.as_ref(), &cx).await else {
            self.measure_step(&manifest.id, StepOutcome::Failed, begun_us);
            return Ok(false);
        };
        let Step::Pass { amr } = reply.step else {
            self.measure_step(&manifest.id, StepOutcome::Abstained, begun_us);
            return Ok(false);
        };
        let proven = self.accept(run, now, plugin.as_ref(), &cx, amr, reply.effects).await?;
        let Ok(amr) = proven else {
            self.measure_step(&manifest.id, StepOutcome::Failed, begun_us);
            return Ok(false);
        };
        self.measure_step(&manifest.id, StepOutcome::Passed, begun_us);
        self.prove(run, manifest.id.clone(), amr, manifest.waiver);
        Ok(true)
    }

    /// The plugins of a row that ask, the chosen one first.
    fn asking_ways(&self, run: &Run<'_>, demand: &Demand) -> Vec<Arc<dyn Authenticator>> {
        let plugins = demand.row.0.iter().filter_map(|id| self.registry.authenticator(id));
        let mut asking: Vec<_> = plugins
            .filter(|plugin| !plugin.manifest().silent && !plugin.manifest().waiver)
            .cloned()
            .collect();
        asking.sort_by_key(|plugin| run.flow.preferred.as_ref() != Some(&plugin.manifest().id));
        asking
    }

    /// Has the first factor of the row that can ask.
    async fn ask_row(&self, run: &mut Run<'_>, now: &Situation, demand: &Demand) -> Result<Pursued, FlowError> {
        let mut failed: Option<(PluginId, Text)> = None;
        for plugin in self.asking_ways(run, demand) {
            let id = plugin.manifest().id.clone();
            match self.pose(run, now, plugin.as_ref()).await? {
                Posed::Asked(asked) => {
                    run.flow.ways = self.other_ways(run, now, demand, &id).await?;
                    run.flow.stage = Stage::Factor(asked);
                    return Ok(Pursued::Asked);
                }
                Posed::Abstained => {}
                Posed::Failed(text) => failed = failed.or(Some((id, text))),
            }
        }
        let Some((plugin, text)) = failed else {
            return Ok(Pursued::Stuck);
        };
        run.flow.ways = Vec::new();
        run.flow.error = Some(text);
        run.flow.stage = Stage::Factor(self.dead_question(plugin));
        Ok(Pursued::Asked)
    }

    /// A question that can only be asked anew.
    pub(super) fn dead_question(&self, plugin: PluginId) -> Asked {
        let label = self
            .registry
            .authenticator(&plugin)
            .map(|plugin| plugin.manifest().label.clone());
        Asked {
            form: label.map_or_else(words::dead_end, words::ask_again),
            plugin,
            asked_at: self.ports.now(),
            memo: Memo::default(),
            spent: true,
            mail: None,
        }
    }

    /// The other factors of the row that have something to ask. What they would do on that occasion isn't done.
    async fn other_ways(
        &self,
        run: &Run<'_>,
        now: &Situation,
        demand: &Demand,
        current: &PluginId,
    ) -> Result<Vec<Way>, FlowError> {
        // Before anything is proven, which ways somebody has is nobody's business: all are offered that anybody might have.
        let proven = now.evidence(&run.flow).holds_factor(plan::Fresh::Any) || run.flow.base.is_some();
        let whom = if proven {
            now.whom(&run.flow)
        } else {
            Whom::Unknown(run.flow.who.name())
        };
        let mut ways = Vec::new();
        for plugin in self.asking_ways(run, demand) {
            let manifest = plugin.manifest();
            let occasion = Self::occasion(&run.flow, now, &run.caller.visitor);
            let cx = self.context(&manifest.id, whom, occasion).await?;
            let asks = |step: &Step| matches!(step, Step::Ask { .. });
            if manifest.id != *current
                && self
                    .challenge(plugin.as_ref(), &cx)
                    .await
                    .is_ok_and(|reply| asks(&reply.step))
            {
                ways.push(Way {
                    plugin: manifest.id.clone(),
                    label: manifest.label.clone(),
                });
            }
        }
        Ok(ways)
    }

    /// The engine's own page: the identifier, and the first row's question if it can be asked of anybody.
    async fn first_page(&self, run: &mut Run<'_>, now: &Situation, demand: &Demand) -> Result<(), FlowError> {
        let typed = match &run.flow.stage {
            Stage::SignIn { identifier, .. } => identifier.clone(),
            _ => run
                .flow
                .request()
                .and_then(|request| request.login_hint.clone())
                .unwrap_or_default(),
        };
        let mut asked = None;
        let first = self.asking_ways(run, demand).into_iter().next();
        if let Some(plugin) = &first {
            asked = self.question_for_anybody(run, now, plugin.as_ref()).await?;
        }
        let current = first.map(|plugin| plugin.manifest().id.clone());
        run.flow.ways = match &current {
            Some(current) => self.other_ways(run, now, demand, current).await?,
            None => Vec::new(),
        };
        run.flow.stage = Stage::SignIn {
            identifier: typed,
            asked,
        };
        Ok(())
    }

    /// A question that needs to know nobody: one that asks for effects (a mail) waits for the identifier.
    async fn question_for_anybody(
        &self,
        run: &Run<'_>,
        now: &Situation,
        plugin: &dyn Authenticator,
    ) -> Result<Option<Asked>, FlowError> {
        let id = &plugin.manifest().id;
        let occasion = Self::occasion(&run.flow, now, &run.caller.visitor);
        let cx = self.context(id, Whom::Unknown(""), occasion).await?;
        let Ok(reply) = self.challenge(plugin, &cx).await else {
            return Ok(None);
        };
        match reply.step {
            Step::Ask { form, memo } if reply.effects.is_empty() => Ok(Some(Asked {
                plugin: id.clone(),
                form,
                asked_at: cx.now,
                memo,
                spent: false,
                mail: None,
            })),
            _ => Ok(None),
        }
    }

    /// No factor of a row can be asked.
    async fn stuck(&self, run: &mut Run<'_>, now: &Situation, demand: &Demand) -> Result<Option<Turn>, FlowError> {
        if let Cause::Acr(acr) = &demand.cause {
            run.flow.given_up.push(acr.clone());
            return Ok(None);
        }
        let proven = now.evidence(&run.flow).holds_factor(plan::Fresh::Any);
        if !proven && run.flow.base.is_none() {
            run.flow.switch_to(Who::Nobody);
            run.flow.error = Some(words::wrong());
            self.first_page(run, now, demand).await?;
            return Ok(Some(Turn::Stay));
        }
        if matches!(run.flow.goal, Goal::Authorization(_)) {
            return Ok(Some(self.refuse(
                run,
                "access_denied",
                "no factor that is needed can be proven",
            )));
        }
        let plugin = demand.row.0.first().cloned().unwrap_or_else(|| PluginId::from(""));
        run.flow.ways = Vec::new();
        run.flow.stage = Stage::Factor(Asked {
            form: words::dead_end(),
            ..self.dead_question(plugin)
        });
        Ok(Some(Turn::Stay))
    }

    /// Counts and posts mails for nobody as it would for an account, and sends none.
    pub(super) async fn post_to_nobody(
        &self,
        run: &Run<'_>,
        plugin: &PluginId,
        effects: &[gait_sdk::Effect],
    ) -> Result<Option<MailId>, EffectError> {
        let mails = effects
            .iter()
            .filter(|effect| matches!(effect, gait_sdk::Effect::Mail(_)))
            .count();
        let whom = Counted::Identifier(run.flow.who.name());
        if !self.may_mail(plugin.as_str(), whom, &run.caller.visitor, mails).await? {
            return Err(EffectError::TooManyMails);
        }
        let mut last = None;
        for _ in 0..mails {
            last = Some(self.ports.mailer.post_to_nobody().await?);
        }
        Ok(last)
    }

    /// Ends a flow without what it was for: an error for the client, or a page of ours.
    pub(super) fn refuse(&self, run: &Run<'_>, error: &'static str, description: &str) -> Turn {
        match &run.flow.goal {
            Goal::Authorization(request) => Turn::Done(End::Respond(self.error_response(request, error, description))),
            // Without the query: it says what was done, and nothing was.
            Goal::Page { path, .. } if run.session.is_some() => {
                Turn::Done(End::Page(path.split('?').next().unwrap_or_default().to_owned()))
            }
            Goal::Page { .. } => Turn::Done(End::Page("/".to_owned())),
        }
    }

    /// The question that is shown in place of one that is dead.
    pub(super) fn bury(asked: &mut Asked) {
        let title = asked.form.title.clone();
        asked.spent = true;
        asked.form = words::ask_again(title);
    }
}

/// Why the next question is asked.
fn why(flow: &Flow, now: &Situation, demand: &Demand) -> Why {
    let pending = now.own.as_ref().and_then(|own| own.step_up.as_ref());
    match pending {
        Some(step_up) if demand.cause == Cause::StepUp => Why::StepUp {
            reasons: step_up.reasons.clone(),
        },
        _ if flow.base.is_some() || now.own.is_some() => Why::Reauthenticate,
        _ => Why::SignIn,
    }
}

/// True if a form has something to fill in or press.
pub(super) fn has_inputs(form: &Form) -> bool {
    use gait_sdk::Node;
    form.nodes
        .iter()
        .any(|node| !matches!(node, Node::Paragraph { .. } | Node::Notice { .. } | Node::Show { .. }))
}
