//! Samples: who sent a batch, whether it is scored, and what the collector is told. The answer to a batch is the same whatever
//! became of it, but for what the person will notice anyway.

use super::act::Raised;
use super::watch_token::Watched;
use super::watching::Watching;
use super::{SampleAnswer, WatchError, WatchState, batch};
use crate::Idp;
use crate::account::Account;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::policy::Watch;
use crate::session::Session;
use crate::store::WatchStanding;
use crate::token::secret::Secret;
use gait_sdk::{Alarm, Batch, Label, MAX_STATE_BYTES, ReasonCode, Scored, Scorer};

/// Times that a batch is scored again because another one came in between.
const TRIES: usize = 8;
/// Seconds after which the use of a session is noted again.
const TOUCH_EVERY_S: i64 = 60;
/// Most reason codes of an assessment, and their longest length.
const MAX_REASONS: usize = 8;
const MAX_REASON: usize = 64;

impl Idp {
    /// Takes a batch: the request's JSON body (at most 16 KiB) under its watch token.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub async fn sample(
        &self,
        watch_token: &str,
        browser_origin: Option<&str>,
        body: &[u8],
        request_id: &str,
    ) -> Result<SampleAnswer, WatchError> {
        let watched = self.watched(watch_token).await?;
        if browser_origin.is_some_and(|browser| browser != watched.origin) {
            return Err(WatchError::Origin);
        }
        self.count_samples(&watched.session)?;
        let batch = batch::parse(body)?.map(|batch| self.as_agreed(batch));
        let Some(standing) = self.watch_standing(&watched).await? else {
            return Ok(self.sample_answer(WatchState::Ended, None, false));
        };
        let remembered = match batch.filter(|_| standing.session.ended.is_none()) {
            Some(batch) => self.take_batch(&watched, &standing, &batch, request_id).await?,
            None => None,
        };
        match remembered {
            Some(watching) => {
                self.tell_collector(&watched, &standing.session, &watching, standing.consented)
                    .await
            }
            None => self.tell_collector_anew(&watched, standing.consented).await,
        }
    }

    /// The session of a watch token, ended ones too, with all that a batch of it hangs on.
    ///
    /// # Errors
    /// [`WatchError::WatchToken`] if the session lives and the app was disconnected from it.
    async fn watch_standing(&self, watched: &Watched) -> Result<Option<WatchStanding>, WatchError> {
        let plugin = self.registry.scorer().map(|scorer| &scorer.manifest().id);
        let standing = self.store.watch_standing(&watched.session, watched.grant, plugin);
        let standing = standing.await.map_err(Error::from)?;
        let is_cut_off = |standing: &WatchStanding| standing.session.ended.is_none() && !standing.connected;
        match standing.as_ref().is_some_and(is_cut_off) {
            true => Err(WatchError::WatchToken),
            false => Ok(standing),
        }
    }

    /// What the collector is told, by the session as it is now.
    async fn tell_collector_anew(&self, watched: &Watched, consented: bool) -> Result<SampleAnswer, WatchError> {
        let session = self.store.session(&watched.session).await.map_err(Error::from)?;
        let Some(session) = session else {
            return Ok(self.sample_answer(WatchState::Ended, None, false));
        };
        let (watching, _) = self.watching_of(&session).await?;
        self.tell_collector(watched, &session, &watching, consented).await
    }

    /// What the collector is told: the state of the session, seen through the veil of a decision that was just made.
    async fn tell_collector(
        &self,
        watched: &Watched,
        session: &Session,
        watching: &Watching,
        consented: bool,
    ) -> Result<SampleAnswer, WatchError> {
        let state = watching.shown(WatchState::of(session), self.ports.clock.now_ms());
        let renewed = match state {
            WatchState::Ended => None,
            WatchState::Ok | WatchState::StepUp => self.renewed_watch_token(watched).await?,
        };
        Ok(self.sample_answer(state, renewed, consented && self.takes_key_identities()))
    }

    fn sample_answer(&self, state: WatchState, watch_token: Option<Secret>, keys: bool) -> SampleAnswer {
        SampleAnswer {
            state,
            next_s: self.policy.watch.batch_every_s,
            watch_token,
            keys,
        }
    }

    fn takes_key_identities(&self) -> bool {
        let policy = &self.policy.watch;
        policy.key_identity && policy.mode != Watch::Off
    }

    /// Whatever a collector sends, nobody sees key identities that the operator has not agreed to.
    fn as_agreed(&self, batch: Batch) -> Batch {
        match self.policy.watch.key_identity {
            true => batch,
            false => Batch {
                keys: Vec::new(),
                ..batch
            },
        }
    }

    /// Drops a batch, or has it scored. Without consent no scorer sees it. Gives back what is remembered now, unless the session may
    /// have changed.
    async fn take_batch(
        &self,
        watched: &Watched,
        standing: &WatchStanding,
        batch: &Batch,
        txn: &str,
    ) -> Result<Option<Watching>, WatchError> {
        if !batch.is_empty() {
            self.note_watched_use(&standing.session).await?;
        }
        match self.registry.scorer() {
            Some(scorer) if standing.consented && self.policy.watch.mode != Watch::Off => {
                self.score_batch(scorer.as_ref(), watched, standing, batch, txn).await
            }
            _ => Ok(None),
        }
    }

    /// Who works in a watched app uses the session.
    async fn note_watched_use(&self, session: &Session) -> Result<()> {
        let now = self.ports.now();
        if now.since(session.last_seen_at) >= TOUCH_EVERY_S {
            self.store.touch_session(&session.id, now).await?;
        }
        Ok(())
    }

    /// Scores a batch once, acts on the verdict, and remembers. Acting comes first: if this node dies in between, the batch counts
    /// as not seen and may be sent again.
    async fn score_batch(
        &self,
        scorer: &dyn Scorer,
        watched: &Watched,
        standing: &WatchStanding,
        batch: &Batch,
        txn: &str,
    ) -> Result<Option<Watching>, WatchError> {
        let plugin = &scorer.manifest().id;
        let WatchStanding { session, account, .. } = standing;
        let client = self.store.client(&watched.client).await.map_err(Error::from)?;
        let mut cx = self.scorer_context(plugin, account, &session.place, client.as_ref());
        cx.ip_evidence = self.ip_evidence(account, &cx).await?;
        let model = self.watched_model(scorer, standing).await?;
        for _ in 0..TRIES {
            let (before, stored) = self.watching_of(session).await?;
            if before.has_seen(&watched.client, batch.seq) {
                return Ok(Some(before));
            }
            let scored = scorer.score(&cx, model.as_ref().map(|model| &model.parsed), before.scorer.clone(), batch);
            let scored = scored
                .await
                .map_err(|error| tracing::warn!(%plugin, %error, "a batch could not be scored"));
            let scored = scored.ok().filter(fits);
            let mut after = before.clone();
            after.note_seq(&watched.client, batch.seq);
            let mut acted = false;
            if let Some(scored) = &scored {
                self.follow_verdict(&mut after, session, scored);
                let raised = raised(account, session, watched, scored, &before, txn);
                self.act_on_alarm(session, &raised).await?;
                acted = raised.alarm != Alarm::None;
            }
            if self.remember_watching(&session.id, stored.as_deref(), &after).await? {
                self.keep_batch(session, client.as_ref(), &after, scored).await?;
                return Ok((!acted).then_some(after));
            }
        }
        // Not seen: the collector sends it again.
        Err(Error::TooMany(1).into())
    }

    /// Moves what is remembered on by a verdict.
    fn follow_verdict(&self, after: &mut Watching, session: &Session, scored: &Scored) {
        after.scorer = scored.state.clone();
        if scored.assessment.alarm > after.worst {
            after.worst = scored.assessment.alarm;
            let lag_ms = i64::from(self.policy.watch.decision_lag_ms);
            let lag_ms = i64::from(u32::from_be_bytes(self.ports.random())) % (lag_ms + 1);
            let now_ms = self.ports.clock.now_ms();
            let shown = after.shown(WatchState::of(session), now_ms);
            after.hide(shown, now_ms + lag_ms);
        }
    }

    /// Keeps a batch's record. While a step-up is pending it is held back: how that is answered decides whose it was. Where an alarm
    /// led to none (mode `train`, an observing deployment), nobody will ever say so, and the record is dropped.
    async fn keep_batch(
        &self,
        before: &Session,
        client: Option<&Client>,
        after: &Watching,
        scored: Option<Scored>,
    ) -> Result<()> {
        let Some(scored) = scored else { return Ok(()) };
        let Some(record) = scored.record else { return Ok(()) };
        let alarmed = scored.assessment.alarm != Alarm::None;
        // Acting on an alarm has changed the session.
        let session = match alarmed {
            true => self.store.session(&before.id).await?,
            false => Some(before.clone()),
        };
        let Some(session) = session.filter(|session| session.ended.is_none()) else {
            return Ok(());
        };
        if alarmed && session.step_up.is_none() {
            return Ok(());
        }
        let plan = client.and_then(|client| client.plan.as_ref());
        let label = match after.worst {
            Alarm::None => self.label_of(&session, plan.unwrap_or(&self.policy.plan)),
            Alarm::Soft | Alarm::Hard => Label::Unproven,
        };
        self.keep_record(&session.account.into(), &session.id, label, &record).await
    }
}

fn raised(account: &Account, session: &Session, watched: &Watched, scored: &Scored, before: &Watching, txn: &str) -> Raised {
    Raised {
        alarm: scored.assessment.alarm,
        reasons: codes(&scored.assessment.reasons),
        mode: account.mode,
        proven_at: session.auth_time(),
        is_news: scored.assessment.alarm > before.worst,
        client: Some(watched.client.clone()),
        txn: txn.to_owned(),
    }
}

/// A verdict that breaks the contract counts as none.
fn fits(scored: &Scored) -> bool {
    let fits = scored.state.0.len() <= MAX_STATE_BYTES;
    if !fits {
        tracing::warn!(bytes = scored.state.0.len(), "a scorer's state is too large");
    }
    fits
}

/// Reason codes go into events and to clients, so they are codes and nothing else.
fn codes(reasons: &[ReasonCode]) -> Vec<String> {
    let is_code = |reason: &&str| {
        let fits = (1..=MAX_REASON).contains(&reason.len());
        fits && reason
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let codes = reasons.iter().map(|reason| reason.0.as_str()).filter(is_code);
    codes.take(MAX_REASONS).map(str::to_owned).collect()
}
