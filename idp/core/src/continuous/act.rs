//! Carrying decisions out: demanding a step-up, ending a session. Alarms of the scorer and signals of others meet here.

use super::decide::{Decision, Facts, Withheld, decide};
use crate::Idp;
use crate::account::Mode;
use crate::error::{Error, Result};
use crate::event::{Event, What};
use crate::ids::ClientId;
use crate::measure::{Acting, Decided, Measure, Revocation, StepUpTurn};
use crate::policy::Watch;
use crate::session::{EndReason, RiskLevel, Session, StepUp};
use crate::store::{StoreError, Which};
use gait_sdk::{Alarm, Timestamp};

/// Times that a verdict is weighed again because the session changed meanwhile.
const TRIES: usize = 5;
/// Step-ups that one call of the job looks at a time.
const PAGE: u32 = 100;

/// An alarm, whoever raised it.
#[derive(Debug)]
pub(super) struct Raised {
    /// What is advised.
    pub alarm: Alarm,
    /// Reason codes.
    pub reasons: Vec<String>,
    /// The mode to act in.
    pub mode: Mode,
    /// The session's latest proof when it was judged; once there is a newer one, the verdict is of yesterday.
    pub proven_at: Timestamp,
    /// It is worse than what was known before: worth an event, even if nothing happens.
    pub is_news: bool,
    /// Where it came from.
    pub client: Option<ClientId>,
    /// The request that brought it.
    pub txn: String,
}

impl Idp {
    /// Acts on an alarm. The session's sequence decides between verdicts: one that finds the session changed is weighed anew, one
    /// that is older than the latest proof or later than the end does nothing.
    pub(super) async fn act_on_alarm(&self, session: &Session, raised: &Raised) -> Result<()> {
        if raised.alarm == Alarm::None {
            self.measure_decision(raised, false);
            return Ok(());
        }
        let tripped = self.breaker_trips(raised).await?;
        let mut session = session.clone();
        for _ in 0..TRIES {
            if session.ended.is_some() || session.auth_time() != raised.proven_at {
                return Ok(());
            }
            match self.act_on_alarm_once(&session, raised, tripped).await {
                Err(Error::Store(StoreError::Stale(_))) => match self.store.session(&session.id).await? {
                    Some(newer) => session = newer,
                    None => return Ok(()),
                },
                done => {
                    self.measure_decision(raised, tripped);
                    return done;
                }
            }
        }
        Err(StoreError::Away("the session keeps changing".to_owned()).into())
    }

    fn measure_decision(&self, raised: &Raised, tripped: bool) {
        let decided = match raised.alarm {
            Alarm::None => Decided::Keep,
            Alarm::Soft => Decided::StepUp,
            Alarm::Hard if tripped => Decided::StepUp,
            Alarm::Hard => Decided::Revoke,
        };
        let mode = match (self.policy.watch.mode, raised.mode) {
            (Watch::Off, _) => Acting::Off,
            (_, Mode::Train) => Acting::Train,
            (Watch::Observe, Mode::Auth) => Acting::Observe,
            (Watch::Enforce, Mode::Auth) => Acting::Enforce,
        };
        self.ports.meter.measured(Measure::Decision { decided, mode });
    }

    async fn act_on_alarm_once(&self, session: &Session, raised: &Raised, tripped: bool) -> Result<()> {
        let verdict = decide(&Facts {
            alarm: raised.alarm,
            mode: raised.mode,
            watch: self.policy.watch.mode,
            level: session.level,
            tripped,
        });
        let withheld = verdict.withheld.filter(|_| raised.is_news);
        let mut events: Vec<Event> = withheld
            .map(|held| self.withheld_event(held, session, raised))
            .into_iter()
            .collect();
        match verdict.decision {
            Decision::Keep => self.note_events(&events).await,
            Decision::StepUp(level) => self.demand_step_up(session, level, raised, &mut events).await,
            Decision::Revoke => self.revoke_on_alarm(session, raised).await,
        }
    }

    async fn note_events(&self, events: &[Event]) -> Result<()> {
        for event in events {
            self.store.note(event).await?;
        }
        Ok(())
    }

    fn withheld_event(&self, held: Withheld, session: &Session, raised: &Raised) -> Event {
        let what = What::DecisionWithheld {
            decision: held.as_str().to_owned(),
            reasons: raised.reasons.clone(),
        };
        self.watch_event(what, session, raised.client.as_ref(), &raised.txn)
    }

    fn watch_event(&self, what: What, session: &Session, client: Option<&ClientId>, txn: &str) -> Event {
        self.event(what, Some(session.account), Some(&session.id), client, None, txn)
    }

    /// Demands a step-up, or raises one that is pending; one that stands as high already goes on standing.
    async fn demand_step_up(&self, session: &Session, level: RiskLevel, raised: &Raised, events: &mut Vec<Event>) -> Result<()> {
        let step_up = match &session.step_up {
            Some(pending) if pending.alarm >= raised.alarm && session.level >= level => return self.note_events(events).await,
            // `since` stays: a worse alarm gives nobody more time to answer.
            Some(pending) => StepUp {
                alarm: raised.alarm.max(pending.alarm),
                reasons: raised.reasons.clone(),
                ..pending.clone()
            },
            None => new_step_up(self.ports.now(), raised.alarm, &raised.reasons),
        };
        let demanded = What::StepUpDemanded {
            level,
            previous_level: session.level,
            reasons: raised.reasons.clone(),
        };
        events.push(self.watch_event(demanded, session, raised.client.as_ref(), &raised.txn));
        let set = self
            .store
            .set_risk(&session.id, session.sequence, level, Some(&step_up), events);
        set.await?;
        if session.step_up.is_none() {
            self.ports.meter.measured(Measure::StepUp(StepUpTurn::Demanded));
        }
        self.ports.wake.wake();
        self.doubt_records(session, &step_up).await
    }

    async fn revoke_on_alarm(&self, session: &Session, raised: &Raised) -> Result<()> {
        let step_up = session.step_up.clone();
        let step_up = step_up.unwrap_or_else(|| new_step_up(self.ports.now(), raised.alarm, &raised.reasons));
        let event = |ended: &Session| {
            self.ended_event(
                EndReason::Anomaly,
                &raised.reasons,
                ended,
                raised.client.as_ref(),
                &raised.txn,
            )
        };
        self.end_watched(session, EndReason::Anomaly, &step_up, &|ended| vec![event(ended)])
            .await
    }

    fn ended_event(
        &self,
        reason: EndReason,
        reasons: &[String],
        session: &Session,
        client: Option<&ClientId>,
        txn: &str,
    ) -> Event {
        let what = What::SessionEnded {
            reason,
            reasons: reasons.to_vec(),
        };
        self.watch_event(what, session, client, txn)
    }

    /// Ends a session, if it still has the sequence that the verdict was reached on. The demand that is set first claims the
    /// sequence, and closes the session even if this node dies before the end is written.
    async fn end_watched(
        &self,
        session: &Session,
        reason: EndReason,
        step_up: &StepUp,
        events: crate::store::EndEvents<'_>,
    ) -> Result<()> {
        let begun_us = self.ports.meter.stopwatch_us();
        let claim = self
            .store
            .set_risk(&session.id, session.sequence, RiskLevel::High, Some(step_up), &[]);
        claim.await?;
        let which = Which::One(session.id.clone());
        self.store.end_sessions(&which, self.ports.now(), reason, events).await?;
        self.ports.note_revoked(Revocation::Session(reason), begun_us);
        self.ports.wake.wake();
        Ok(())
    }

    /// Counts a revocation that is about to happen; true if there are too many of them.
    async fn breaker_trips(&self, raised: &Raised) -> Result<bool> {
        let watch = &self.policy.watch;
        if raised.alarm != Alarm::Hard || raised.mode != Mode::Auth || watch.mode != Watch::Enforce {
            return Ok(false);
        }
        let count = self.ephemeral.count("watch-breaker", watch.breaker_window_s).await?;
        let trips = count > u64::from(watch.breaker_revocations);
        if trips {
            tracing::warn!(
                count,
                window_s = watch.breaker_window_s,
                "breaker open: revocations become step-ups"
            );
        }
        Ok(trips)
    }

    /// Turns step-ups that stood unanswered for too long into revocations. A leased job calls it.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn expire_step_ups(&self) -> Result<()> {
        let before = self.ports.now().plus(-i64::from(self.policy.watch.unanswered_s));
        loop {
            let late = self.store.step_ups_before(before, PAGE).await?;
            let mut ended = 0;
            for session in &late {
                ended += usize::from(self.expire_step_up(session).await?);
            }
            // A page in which nothing could be ended would come again.
            if late.len() < PAGE as usize || ended == 0 {
                return Ok(());
            }
        }
    }

    /// False if the session changed meanwhile: the next round sees it as it is then.
    async fn expire_step_up(&self, session: &Session) -> Result<bool> {
        let Some(step_up) = &session.step_up else {
            return Ok(false);
        };
        let txn = self.ports.uuid().to_string();
        let event = |ended: &Session| self.ended_event(EndReason::StepUpFailed, &step_up.reasons, ended, None, &txn);
        let events = |ended: &Session| vec![event(ended)];
        match self.end_watched(session, EndReason::StepUpFailed, step_up, &events).await {
            Err(Error::Store(StoreError::Stale(_))) => Ok(false),
            done => {
                done?;
                self.ports.meter.measured(Measure::StepUp(StepUpTurn::Unanswered));
                Ok(true)
            }
        }
    }
}

fn new_step_up(since: Timestamp, alarm: Alarm, reasons: &[String]) -> StepUp {
    StepUp {
        since,
        alarm,
        reasons: reasons.to_vec(),
        failures: 0,
    }
}
