//! Asking a factor and judging the answer: attempts are counted first, effects are carried out before a pass counts, and whatever
//! goes wrong is a failed step.

use super::limits::{ATTEMPTS_PER_FLOW, Counted};
use super::situation::{Run, Situation};
use super::state::{Asked, Who};
use super::{FlowError, words};
use crate::Idp;
use crate::account::Account;
use crate::effects::{EffectError, Origin};
use crate::error::Error;
use crate::event::What;
use crate::ids::MailId;
use crate::mail::address_of;
use crate::measure::{Measure, StepOutcome};
use gait_sdk::{AccountHandle, Amr, Answer, Authenticator, Context, Effect, Memo, PluginError, PluginId, Reply, Step, Text};

/// What became of asking for a question.
pub(super) enum Posed {
    /// Here it is.
    Asked(Asked),
    /// There is nothing to ask.
    Abstained,
    /// It can't be asked now.
    Failed(Text),
}

/// What became of an answer.
pub(super) enum Verdict {
    /// It was right.
    Passed(Vec<Amr>),
    /// There is a further question.
    Asked,
    /// It was not right.
    Failed {
        /// What the page says.
        text: Text,
        /// The person was wrong; it wasn't a limit or a broken plugin.
        wrong: bool,
    },
}

impl Verdict {
    fn broken() -> Self {
        Self::Failed {
            text: words::broken(),
            wrong: false,
        }
    }
    fn wrong(text: Text) -> Self {
        Self::Failed { text, wrong: true }
    }
    fn outcome(&self) -> StepOutcome {
        match self {
            Self::Passed(_) => StepOutcome::Passed,
            Self::Asked => StepOutcome::Asked,
            Self::Failed { wrong: true, .. } => StepOutcome::Wrong,
            Self::Failed { text, .. } if *text == words::too_many_tries() || *text == words::too_many_mails() => {
                StepOutcome::Limited
            }
            Self::Failed { .. } => StepOutcome::Failed,
        }
    }
}

impl Idp {
    /// Has a factor ask its question.
    pub(super) async fn pose(&self, run: &Run<'_>, now: &Situation, plugin: &dyn Authenticator) -> Result<Posed, FlowError> {
        let id = &plugin.manifest().id;
        let occasion = Self::occasion(&run.flow, now, &run.caller.visitor);
        let cx = self.context(id, now.whom(&run.flow), occasion).await?;
        let Ok(reply) = self.challenge(plugin, &cx).await else {
            return Ok(Posed::Failed(words::broken()));
        };
        match reply.step {
            Step::Ask { form, memo } => match self.carry_out_for(run, now, plugin, reply.effects).await? {
                Err(text) => Ok(Posed::Failed(text)),
                Ok(mail) => Ok(Posed::Asked(Asked {
                    plugin: id.clone(),
                    form,
                    asked_at: cx.now,
                    memo,
                    spent: false,
                    mail,
                })),
            },
            Step::Fail { reason, .. } => Ok(Posed::Failed(reason.text)),
            // Before it has asked, a factor that asks can neither pass nor claim.
            Step::Abstain | Step::Pass { .. } | Step::Claim { .. } => Ok(Posed::Abstained),
        }
    }

    /// Carries effects out for whoever is before us; returns the mail that is under way, or says what went wrong, if the person may know.
    /// For nobody, mails are counted and posted as for an account, and nothing is done.
    async fn carry_out_for(
        &self,
        run: &Run<'_>,
        now: &Situation,
        plugin: &dyn Authenticator,
        effects: Vec<Effect>,
    ) -> Result<Result<Option<MailId>, Text>, FlowError> {
        let carried = match &now.account {
            Some(account) => {
                let carried = self.carry_out(origin(run, now, plugin, account), effects).await;
                carried.map(|carried| carried.mail)
            }
            None => self.post_to_nobody(run, &plugin.manifest().id, &effects).await,
        };
        match carried {
            Ok(mail) => Ok(Ok(mail)),
            Err(error) => self.told(plugin, error).map(Err),
        }
    }

    /// What the person is told of effects that failed.
    fn told(&self, plugin: &dyn Authenticator, error: EffectError) -> Result<Text, FlowError> {
        tracing::warn!(plugin = %plugin.manifest().id, %error, "effects were not carried out");
        match error {
            EffectError::Core(error) => Err(error.into()),
            EffectError::TooManyMails => Ok(words::too_many_mails()),
            EffectError::Mail(_) => Ok(words::no_mail()),
            EffectError::Stale | EffectError::Refused(_) => Ok(words::wrong()),
        }
    }

    /// Takes a pass, if it is one: of an account, in ways that the manifest names, its effects carried out. Else says why not.
    pub(super) async fn accept(
        &self,
        run: &Run<'_>,
        now: &Situation,
        plugin: &dyn Authenticator,
        cx: &Context,
        amr: Vec<Amr>,
        effects: Vec<Effect>,
    ) -> Result<Result<Vec<Amr>, Text>, FlowError> {
        let manifest = plugin.manifest();
        let Some(account) = &now.account else {
            return Ok(Err(words::wrong()));
        };
        let listed = amr.iter().all(|method| manifest.amr.contains(method));
        if !listed || (manifest.waiver && !amr.is_empty()) {
            tracing::error!(plugin = %manifest.id, ?amr, "claims an amr that its manifest doesn't list");
            return Ok(Err(words::broken()));
        }
        let used = match &cx.credentials[..] {
            [only] if !touches(&effects) => Some(&only.id),
            _ => None,
        };
        let origin = Origin {
            used,
            ..origin(run, now, plugin, account)
        };
        match self.carry_out(origin, effects).await {
            Ok(_) => Ok(Ok(amr)),
            Err(error) => self.told(plugin, error).map(Err),
        }
    }

    /// Has an answer judged. Counted before anybody looks at it.
    pub(super) async fn try_answer(&self, run: &mut Run<'_>, asked: &mut Asked, answer: &Answer) -> Result<Verdict, FlowError> {
        let begun_us = self.ports.meter.stopwatch_us();
        let verdict = self.judge(run, asked, answer).await?;
        let outcome = verdict.outcome();
        self.measure_step(&asked.plugin, outcome, begun_us);
        match outcome {
            StepOutcome::Passed | StepOutcome::Asked | StepOutcome::Abstained => {}
            // Nobody's answer was looked at. A row for each would let a stranger fill the store at no cost.
            StepOutcome::Limited => {
                tracing::warn!(plugin = %asked.plugin, "an answer came that was not looked at: too many before it");
            }
            StepOutcome::Wrong | StepOutcome::Failed => self.note_failure(run, &asked.plugin, outcome.as_str()).await?,
        }
        Ok(verdict)
    }

    /// Measures a step that was begun at `begun_us` on the stopwatch.
    pub(super) fn measure_step(&self, plugin: &PluginId, outcome: StepOutcome, begun_us: u64) {
        let meter = &self.ports.meter;
        meter.measured(Measure::Step {
            plugin: plugin.clone(),
            outcome,
            us: meter.stopwatch_us().saturating_sub(begun_us),
        });
    }

    async fn judge(&self, run: &mut Run<'_>, asked: &mut Asked, answer: &Answer) -> Result<Verdict, FlowError> {
        run.flow.attempts += 1;
        let Some(plugin) = self.registry.authenticator(&asked.plugin).cloned() else {
            return Ok(Verdict::broken());
        };
        let now = self.situation(run).await?;
        let limited = Verdict::Failed {
            text: words::too_many_tries(),
            wrong: false,
        };
        if run.flow.attempts > ATTEMPTS_PER_FLOW || !self.address_may_try(&run.caller.visitor).await? {
            return Ok(limited);
        }
        if !self.count_try(run, &now, &asked.plugin).await? {
            return Ok(limited);
        }
        let (cx, reply) = self.ask_verify(run, &now, plugin.as_ref(), &asked.memo, answer).await?;
        let claimed = match reply {
            Ok(Reply {
                step: Step::Claim { handle, memo },
                ..
            }) => (handle, memo),
            reply => return self.weigh(run, &now, plugin.as_ref(), asked, (cx, reply)).await,
        };
        let Some(now) = self.follow_claim(run, &asked.plugin, &claimed.0).await? else {
            return Ok(Verdict::wrong(words::wrong()));
        };
        if !self.count_try(run, &now, &asked.plugin).await? {
            return Ok(limited);
        }
        let second = self.ask_verify(run, &now, plugin.as_ref(), &claimed.1, answer).await?;
        self.weigh(run, &now, plugin.as_ref(), asked, second).await
    }

    async fn count_try(&self, run: &Run<'_>, now: &Situation, plugin: &PluginId) -> Result<bool, FlowError> {
        let whom = Counted::of(now.account.as_ref(), run.flow.who.name());
        Ok(self.may_try(whom, plugin, &run.caller.visitor).await?)
    }

    async fn ask_verify(
        &self,
        run: &Run<'_>,
        now: &Situation,
        plugin: &dyn Authenticator,
        memo: &Memo,
        answer: &Answer,
    ) -> Result<(Context, Result<Reply, PluginError>), FlowError> {
        let occasion = Self::occasion(&run.flow, now, &run.caller.visitor);
        let cx = self.context(&plugin.manifest().id, now.whom(&run.flow), occasion).await?;
        let reply = self.verify(plugin, &cx, memo, answer).await;
        if let Err(busy @ PluginError::Busy { .. }) = &reply {
            // Nobody has looked at the answer. The address, which others may share, is not charged for it.
            self.discharge_address(&run.caller.visitor).await?;
            return Err(Error::Busy(busy.to_string()).into());
        }
        Ok((cx, reply))
    }

    /// Goes on with the account that an answer claims to be of; `None` if this flow is another's. It is proven only by the second call.
    async fn follow_claim(
        &self,
        run: &mut Run<'_>,
        plugin: &PluginId,
        handle: &AccountHandle,
    ) -> Result<Option<Situation>, FlowError> {
        let claimed = match self.account_of_handle(plugin, handle) {
            Some(id) => self.store.account(id).await.map_err(Error::from)?,
            None => None,
        };
        if run.flow.base.is_some() && run.flow.who.account() != claimed.as_ref().map(|account| account.id) {
            return Ok(None);
        }
        let who = match claimed.filter(|account| account.disabled_at.is_none()) {
            Some(account) => Who::Known {
                account: account.id,
                name: account.username.as_str().to_owned(),
            },
            None => Who::Unknown {
                identifier: run.flow.who.name().to_owned(),
            },
        };
        run.flow.switch_to(who);
        Ok(Some(self.situation(run).await?))
    }

    /// What a reply to an answer amounts to.
    async fn weigh(
        &self,
        run: &Run<'_>,
        now: &Situation,
        plugin: &dyn Authenticator,
        asked: &mut Asked,
        (cx, reply): (Context, Result<Reply, PluginError>),
    ) -> Result<Verdict, FlowError> {
        let Ok(reply) = reply else { return Ok(Verdict::broken()) };
        match reply.step {
            Step::Pass { amr } => {
                let accepted = self.accept(run, now, plugin, &cx, amr, reply.effects).await?;
                if let (Ok(_), Some(account)) = (&accepted, &now.account) {
                    self.clear_tries(Counted::Account(account.id), &asked.plugin, &run.caller.visitor)
                        .await?;
                }
                Ok(accepted.map_or_else(Verdict::wrong, Verdict::Passed))
            }
            Step::Ask { form, memo } => {
                match self.carry_out_for(run, now, plugin, reply.effects).await? {
                    Ok(mail) => asked.mail = mail.or(asked.mail),
                    Err(text) => return Ok(Verdict::Failed { text, wrong: false }),
                }
                asked.form = form;
                asked.asked_at = cx.now;
                asked.memo = memo;
                Ok(Verdict::Asked)
            }
            Step::Fail { reason, memo } => {
                // It has failed already; what else goes wrong makes it no worse.
                let _told = self.carry_out_for(run, now, plugin, reply.effects).await?;
                asked.memo = memo.unwrap_or_else(|| asked.memo.clone());
                if reason.spent {
                    Self::bury(asked);
                }
                Ok(Verdict::wrong(reason.text))
            }
            Step::Claim { .. } | Step::Abstain => Ok(Verdict::wrong(words::wrong())),
        }
    }

    async fn note_failure(&self, run: &Run<'_>, plugin: &PluginId, why: &str) -> Result<(), FlowError> {
        let what = What::StepFailed {
            plugin: plugin.clone(),
            why: why.to_owned(),
        };
        let client = run.flow.request().map(|request| &request.client);
        let (account, session) = (run.flow.who.account(), run.session.as_ref());
        let caller = run.caller;
        let event = self.event(what, account, session, client, address_of(caller), &caller.request_id);
        self.store.note(&event).await.map_err(Error::from)?;
        Ok(())
    }
}

/// Where effects of this flow come from.
fn origin<'a>(run: &'a Run<'_>, now: &'a Situation, plugin: &'a dyn Authenticator, account: &'a Account) -> Origin<'a> {
    Origin {
        account,
        plugin: plugin.manifest(),
        purpose: run.flow.purpose(),
        caller: run.caller,
        client: now.client.as_ref(),
        flow: None,
        session: now.own.as_ref().map(|own| &own.id),
        browser: None,
        used: None,
    }
}

/// True if effects write or delete credentials.
fn touches(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Save(_) | Effect::Forget { .. }))
}
