//! What is kept of a batch until it is learned from, and what of it may enter a template.

use super::memory::{Class, Memory};
use super::reading::{Reading, Typing};
use super::replay::Sketches;
use crate::failure::failed;
use crate::fixed;
use crate::free::Timing;
use crate::pointer::Features;
use gait_sdk::{Label, Labelled, PluginError, Record, Timestamp};
use serde::{Deserialize, Serialize};

const VERSION: u32 = 2;

/// Newest timings before a passed step-up that are learned as one more way in which the owner types: some 300 keys.
const STRANGE: usize = 600;

/// What lay well inside the account's own range when it was judged, and so may be learned without a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inside {
    pub(crate) text: bool,
    pub(crate) typing: bool,
    pub(crate) pointing: bool,
}

/// The payload of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sample {
    v: u32,
    touch: bool,
    text: Option<fixed::Sample>,
    typing: Typing,
    pointing: Vec<Features>,
    sketches: Sketches,
    inside: Inside,
}

impl Sample {
    /// What is to be kept of a batch.
    ///
    /// # Errors
    /// [`PluginError::Failed`] if it can't be written.
    pub(crate) fn record(reading: Reading, inside: Inside, at: Timestamp) -> Result<Record, PluginError> {
        let sample = Self {
            v: VERSION,
            touch: reading.touch,
            text: reading.text,
            typing: reading.typing,
            pointing: reading.pointing,
            sketches: reading.sketches,
            inside,
        };
        let payload = serde_json::to_value(sample).map_err(|error| failed(format!("a sample can't be written: {error}")))?;
        Ok(Record { id: None, at, payload })
    }

    /// Reads a record; `None` if its payload is not one of ours. A single record that can't be read must not keep the account's
    /// whole training from going on.
    fn of(record: &Record) -> Option<Self> {
        Self::deserialize(&record.payload).ok().filter(|sample| sample.v == VERSION)
    }
}

/// What may enter the templates of a device class: all of a round at once, for a channel wants to see it as one sitting.
#[derive(Default)]
struct Fresh {
    typing: Vec<Timing>,
    /// What was typed strangely, and yet by the owner: one other way in which the owner types.
    strange: Vec<Timing>,
    pointing: Vec<Features>,
}

impl Fresh {
    fn enter(self, class: &mut Class) {
        if !self.typing.is_empty() {
            class.typing.learn(&self.typing);
        }
        if !self.strange.is_empty() {
            let newest = self.strange.len().saturating_sub(STRANGE);
            class.typing.absorb(&self.strange[newest..]);
        }
        if !self.pointing.is_empty() {
            class.pointing.learn(&self.pointing);
            let fresh = u32::try_from(self.pointing.len()).unwrap_or(u32::MAX);
            class.untrained = class.untrained.saturating_add(fresh);
        }
    }
}

/// Takes into a memory what may enter it, oldest first; true if anything did. A record without an id could not be settled, and
/// would be learned again at every run.
pub(crate) fn learn(memory: &mut Memory, records: &[Labelled]) -> bool {
    let mut usable: Vec<_> = records
        .iter()
        .filter(|labelled| labelled.record.id.is_some() && labelled.label != Label::Disputed)
        .collect();
    usable.sort_by_key(|labelled| labelled.record.at);
    let before = memory.events;
    let (mut desk, mut touch) = (Fresh::default(), Fresh::default());
    let mut remembered = false;
    for labelled in usable {
        if let Some(sample) = Sample::of(&labelled.record) {
            let fresh = if sample.touch { &mut touch } else { &mut desk };
            remembered |= admit(memory, sample, labelled.label, fresh);
        }
    }
    desk.enter(&mut memory.desk);
    touch.enter(&mut memory.touch);
    remembered || memory.events > before
}

/// Takes what a sample's label and its own likeness allow. True if a text was remembered, though not learned.
fn admit(memory: &mut Memory, sample: Sample, label: Label, fresh: &mut Fresh) -> bool {
    let proven = matches!(label, Label::Proven | Label::SteppedUp);
    let class = memory.class_mut(sample.touch);
    let (mut events, mut remembered) = (0, false);
    // A text of another length begins a template only where it is proven.
    if let Some(text) = sample.text.filter(|text| proven || class.text(text.keys()).is_some()) {
        let template = class.text_to_learn(text.keys());
        if proven || sample.inside.text {
            events += usize::from(template.learn(&text, proven));
        } else {
            template.remember(&text);
            remembered = true;
        }
    }
    let allowed = !sample.typing.is_empty() && (proven || sample.inside.typing);
    if allowed && class.typing_ledger.admit(sample.typing.len(), proven) {
        let timings = sample.typing.timings();
        events += timings.len().div_ceil(2);
        let list = if label == Label::SteppedUp {
            &mut fresh.strange
        } else {
            &mut fresh.typing
        };
        list.extend(timings);
    }
    let allowed = !sample.pointing.is_empty() && (proven || sample.inside.pointing);
    if allowed && class.pointing_ledger.admit(sample.pointing.len(), proven) {
        events += sample.pointing.len();
        fresh.pointing.extend(sample.pointing);
    }
    if events > 0 {
        class.remember(sample.sketches);
        memory.events = memory.events.saturating_add(u32::try_from(events).unwrap_or(u32::MAX));
    }
    remembered
}
