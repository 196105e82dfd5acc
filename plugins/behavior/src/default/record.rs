//! What is kept of a batch until it is learned from, and what of it may enter a template.

use super::memory::Memory;
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

/// What has entered a memory.
#[derive(Debug, Default)]
pub(crate) struct Entered {
    /// Anything.
    pub(crate) any: bool,
    /// Actions of a mouse.
    pub(crate) desk_pointing: bool,
    /// Actions of a finger.
    pub(crate) touch_pointing: bool,
    /// What was typed strangely, and yet by the owner.
    desk_strange: Vec<Timing>,
    touch_strange: Vec<Timing>,
}

impl Entered {
    fn pointing(&mut self, touch: bool) -> &mut bool {
        if touch {
            &mut self.touch_pointing
        } else {
            &mut self.desk_pointing
        }
    }

    fn strange(&mut self, touch: bool) -> &mut Vec<Timing> {
        if touch {
            &mut self.touch_strange
        } else {
            &mut self.desk_strange
        }
    }
}

/// Takes into a memory what may enter it, oldest first. A record without an id could not be settled, and would be learned again
/// at every run.
pub(crate) fn learn(memory: &mut Memory, records: &[Labelled]) -> Entered {
    let mut usable: Vec<_> = records
        .iter()
        .filter(|labelled| labelled.record.id.is_some() && labelled.label != Label::Disputed)
        .collect();
    usable.sort_by_key(|labelled| labelled.record.at);
    let mut entered = Entered::default();
    for labelled in usable {
        if let Some(sample) = Sample::of(&labelled.record) {
            admit(memory, sample, labelled.label, &mut entered);
        }
    }
    for touch in [false, true] {
        // All at once: they are one other way in which the owner types.
        let strange = std::mem::take(entered.strange(touch));
        if !strange.is_empty() {
            let newest = &strange[strange.len().saturating_sub(STRANGE)..];
            memory.class_mut(touch).typing.absorb(newest);
        }
    }
    entered
}

/// Takes what a sample's label and its own likeness allow.
fn admit(memory: &mut Memory, sample: Sample, label: Label, entered: &mut Entered) {
    let proven = matches!(label, Label::Proven | Label::SteppedUp);
    let class = memory.class_mut(sample.touch);
    let mut events = 0;
    // A text of another length begins a template only where it is proven.
    if let Some(text) = sample.text.filter(|text| proven || class.text(text.keys()).is_some()) {
        let template = class.text_to_learn(text.keys());
        if proven || sample.inside.text {
            events += usize::from(template.learn(&text, proven));
        } else {
            template.remember(&text);
        }
    }
    let allowed = !sample.typing.is_empty() && (proven || sample.inside.typing);
    if allowed && class.typing_ledger.admit(sample.typing.len(), proven) {
        let timings = sample.typing.timings();
        events += timings.len().div_ceil(2);
        if label == Label::SteppedUp {
            entered.strange(sample.touch).extend(timings);
        } else {
            class.typing.learn(&timings);
        }
    }
    let allowed = !sample.pointing.is_empty() && (proven || sample.inside.pointing);
    if allowed && class.pointing_ledger.admit(sample.pointing.len(), proven) {
        class.pointing.learn(&sample.pointing);
        events += sample.pointing.len();
        *entered.pointing(sample.touch) = true;
    }
    if events > 0 {
        class.remember(sample.sketches);
        memory.events = memory.events.saturating_add(u32::try_from(events).unwrap_or(u32::MAX));
        entered.any = true;
    }
}
