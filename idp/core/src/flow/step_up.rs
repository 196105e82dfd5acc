//! A step-up that the watch demanded: what a failure costs, and "this wasn't me".

use super::FlowError;
use super::engine::Turn;
use super::situation::Run;
use crate::Idp;
use crate::error::Error;
use crate::event::What;
use crate::ids::SessionId;
use crate::mail::address_of;
use crate::measure::{Measure, StepUpTurn};
use crate::session::{EndReason, Session, StepUp};
use crate::store::{StoreError, Which};
use crate::visit::Cookie;

/// Most tries to write down a failure while others write too.
const MAX_RACES: usize = 8;

impl Idp {
    /// Counts a wrong answer if a step-up is pending, whatever the flow was begun for; the last one that is allowed ends the session.
    pub(super) async fn count_failed_step_up(&self, run: &mut Run<'_>) -> Result<Turn, FlowError> {
        let Some(id) = self.situation(run).await?.own.map(|own| own.id) else {
            return Ok(Turn::Stay);
        };
        for _ in 0..MAX_RACES {
            let session = self.store.session(&id).await.map_err(Error::from)?;
            let Some(session) = session.filter(|session| session.ended.is_none()) else {
                return Err(FlowError::Gone);
            };
            let Some(step_up) = session.step_up.clone() else {
                return Ok(Turn::Stay);
            };
            if self.write_failure(run, &session, step_up).await? {
                return self.after_failure(run, &id).await;
            }
        }
        Err(Error::Inconsistent("a failed step-up could not be counted".to_owned()).into())
    }

    /// False if the session has changed meanwhile.
    async fn write_failure(&self, run: &Run<'_>, session: &Session, step_up: StepUp) -> Result<bool, FlowError> {
        let failures = step_up.failures + 1;
        let step_up = StepUp { failures, ..step_up };
        let caller = run.caller;
        let what = What::StepUpFailed { failures };
        let address = address_of(caller);
        let events = [self.event(
            what,
            Some(session.account),
            Some(&session.id),
            None,
            address,
            &caller.request_id,
        )];
        let write = self
            .store
            .set_risk(&session.id, session.sequence, session.level, Some(&step_up), &events);
        match write.await {
            Ok(()) => {
                self.ports.meter.measured(Measure::StepUp(StepUpTurn::Failed));
                Ok(true)
            }
            Err(StoreError::Stale(_)) => Ok(false),
            Err(error) => Err(Error::from(error).into()),
        }
    }

    async fn after_failure(&self, run: &mut Run<'_>, id: &SessionId) -> Result<Turn, FlowError> {
        let session = self.store.session(id).await.map_err(Error::from)?;
        let step_up = session.and_then(|session| session.step_up);
        let Some(step_up) = step_up.filter(|step_up| step_up.failures >= self.policy.watch.max_failed_step_ups) else {
            return Ok(Turn::Stay);
        };
        self.end_all(&Which::One(id.clone()), EndReason::StepUpFailed, &step_up.reasons, run.caller)
            .await?;
        Ok(self.session_lost(run, "the step-up failed"))
    }

    /// "This wasn't me": the session ends at once.
    pub(super) async fn report(&self, run: &mut Run<'_>) -> Result<Turn, FlowError> {
        let Some(id) = run.flow.base.clone() else {
            return Err(FlowError::Gone);
        };
        let session = self.store.session(&id).await.map_err(Error::from)?.ok_or(FlowError::Gone)?;
        let caller = run.caller;
        let what = What::FeedbackGiven { was_me: false };
        let address = address_of(caller);
        let event = self.event(what, Some(session.account), Some(&id), None, address, &caller.request_id);
        self.store.note(&event).await.map_err(Error::from)?;
        let reasons = session.step_up.map(|step_up| step_up.reasons).unwrap_or_default();
        self.end_all(&Which::One(id), EndReason::Disowned, &reasons, caller).await?;
        self.ports.meter.measured(Measure::StepUp(StepUpTurn::Disowned));
        Ok(self.session_lost(run, "the session was reported and has ended"))
    }

    fn session_lost(&self, run: &mut Run<'_>, description: &str) -> Turn {
        run.session = None;
        run.cookies.push(Cookie::Session(None));
        self.refuse(run, "access_denied", description)
    }
}
