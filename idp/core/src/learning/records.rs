//! Records: kept sealed, labelled by what is known of their session, and given to the scorer when they are through.

use super::models::owner;
use crate::Idp;
use crate::error::{Error, Result};
use crate::flow::plan;
use crate::ids::SessionId;
use crate::policy::Plan;
use crate::seal::{SealError, Sealed};
use crate::session::{Session, StepUp};
use crate::store::{StoreError, StoredRecord, Whose};
use gait_sdk::{Label, Labelled, PluginId, Record, RecordId, Timestamp};
use std::collections::HashMap;

/// Records that one model is extended by at a time; what is left over comes in the next round.
const RECORDS: u32 = 500;
/// Largest record as JSON, in bytes.
const MAX_RECORD: usize = 16 * 1024;
/// What records are sealed for.
const RECORD: &str = "record";
/// Seconds before a step-up was demanded in which records are in doubt with it. What is older keeps its label, whatever becomes
/// of the step-up: an impostor who went unnoticed for an hour must not have it sealed by the owner's return.
const DOUBTED_S: i64 = 600;
/// Seconds after the demand within which a step-up that is passed speaks for what was recorded: whoever passes it later need not be
/// who sat there.
const ABSORBED_S: i64 = 300;

/// What becomes of a record that waits.
enum Fate {
    /// It is given to the scorer.
    Learned(Label),
    /// It waits until a step-up is answered.
    Held,
    /// It was not the owner's: it is deleted unlearned.
    Disputed,
}

impl Idp {
    /// How far a session without an alarm is proven: by every row of the plan, each met by a factor.
    pub(crate) fn label_of(&self, session: &Session, plan: &Plan) -> Label {
        let doubted = session.step_up.is_some() || session.ended.is_some();
        match !doubted && plan::met_by_factors(plan, &session.proofs) {
            true => Label::Proven,
            false => Label::Unproven,
        }
    }

    /// A step-up is demanded of a session: what was recorded shortly before is in doubt.
    pub(crate) async fn doubt_records(&self, session: &Session, step_up: &StepUp) -> Result<()> {
        let from = doubted_from(session, step_up);
        Ok(self.store.label_records(&session.id, from, Label::Unproven).await?)
    }

    /// A step-up of `session`, as it was before the proof, is passed: if that was soon enough, what was recorded since the proof before
    /// was the owner's.
    pub(crate) async fn absorb_records(&self, session: &Session) -> Result<()> {
        let Some(step_up) = &session.step_up else { return Ok(()) };
        if self.ports.now().since(step_up.since) > ABSORBED_S {
            return Ok(());
        }
        let from = doubted_from(session, step_up);
        Ok(self.store.label_records(&session.id, from, Label::SteppedUp).await?)
    }

    /// Records that may be learned, with what is known of them now.
    pub(super) async fn labelled_records(&self, plugin: &PluginId, whose: &Whose, until: Timestamp) -> Result<Vec<Labelled>> {
        let stored = self.store.due_records(whose, plugin, until, RECORDS).await?;
        let mut sessions: HashMap<SessionId, Option<Session>> = HashMap::new();
        let mut labelled = Vec::with_capacity(stored.len());
        let mut dropped = Vec::new();
        for stored in stored {
            if !sessions.contains_key(&stored.session) {
                let session = self.store.session(&stored.session).await?;
                sessions.insert(stored.session.clone(), session);
            }
            let session = sessions.get(&stored.session).and_then(Option::as_ref);
            match (fate(&stored, session), self.open_record(&stored)) {
                (Fate::Learned(label), Ok(record)) => labelled.push(Labelled { record, label }),
                (Fate::Learned(_), Err(_)) => {
                    // It would stand in the way of all later ones for ever.
                    tracing::warn!(account = %whose.account, record = %stored.id, "a record can't be opened, and is deleted");
                    dropped.push(stored.id);
                }
                (Fate::Held, _) => {}
                (Fate::Disputed, _) => dropped.push(stored.id),
            }
        }
        self.store.settle_records(&dropped).await?;
        Ok(labelled)
    }

    pub(crate) fn open_record(&self, stored: &StoredRecord) -> Result<Record> {
        let plain = self.master.open(RECORD, &owner(&stored.whose), &stored.payload)?;
        let payload = serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged("a record is no JSON".to_owned()))?;
        Ok(Record {
            id: Some(stored.id.clone()),
            at: stored.at,
            payload,
        })
    }

    pub(crate) fn seal_record(&self, whose: &Whose, plain: &[u8]) -> Result<Sealed, SealError> {
        self.master.seal(RECORD, &owner(whose), plain, self.ports.entropy.as_ref())
    }

    /// Seals and keeps a record of the scorer's. The store refuses it unless consent is in force.
    pub(crate) async fn keep_record(&self, whose: &Whose, session: &SessionId, label: Label, record: &Record) -> Result<()> {
        let Some(scorer) = self.registry.scorer() else {
            return Ok(());
        };
        let plugin = &scorer.manifest().id;
        let plain = serde_json::to_vec(&record.payload).map_err(|error| Error::Inconsistent(error.to_string()))?;
        if plain.len() > MAX_RECORD {
            tracing::warn!(%plugin, bytes = plain.len(), "a record is too large to be kept");
            return Ok(());
        }
        let account = whose.account;
        if !self.has_room(account, plugin).await? {
            tracing::debug!(%account, %plugin, "a record is dropped: too many wait to be learned from");
            return Ok(());
        }
        let stored = StoredRecord {
            id: RecordId::new(self.ports.uuid().to_string()),
            whose: whose.clone(),
            plugin: plugin.clone(),
            session: session.clone(),
            label,
            at: record.at,
            payload: self.seal_record(whose, &plain)?,
        };
        self.store.keep_record(&stored).await?;
        Ok(())
    }
}

/// From when on the records of a session are in doubt with a step-up that is demanded of it: whoever proved before was the owner.
fn doubted_from(session: &Session, step_up: &StepUp) -> Timestamp {
    session.auth_time().max(step_up.since.plus(-DOUBTED_S))
}

/// What becomes of a record by what became of its session: one that was kept in the moment before an alarm was written down, or by a
/// node that died then, must not pass for proven.
fn fate(stored: &StoredRecord, session: Option<&Session>) -> Fate {
    let Some(session) = session else {
        return Fate::Learned(stored.label);
    };
    match (&session.ended, &session.step_up) {
        (Some(ended), _) if ended.reason.is_security() => Fate::Disputed,
        // It is over, and nobody has answered.
        (Some(_), Some(step_up)) if stored.at >= doubted_from(session, step_up) => Fate::Disputed,
        (None, Some(_)) => Fate::Held,
        _ => Fate::Learned(stored.label),
    }
}
