//! What a batch says, channel by channel.

use super::Settings;
use super::replay::{Sketches, too_even};
use crate::fixed;
use crate::free::Timing;
use crate::pointer::{Action, Features, actions};
use crate::reason;
use gait_sdk::{Batch, Channel, KeyTiming, Pointer};

/// Most timings and actions that are read of one batch.
const MOST: usize = 1000;

/// A batch, read once.
pub(crate) struct Reading {
    /// Made with a finger or a pen; those are templates of their own.
    pub(crate) touch: bool,
    /// The text that was typed, on a sign-in page.
    pub(crate) text: Option<fixed::Sample>,
    /// Timings of free text, in an app.
    pub(crate) typing: Vec<Timing>,
    /// What the pointer did, in an app.
    pub(crate) pointing: Vec<Features>,
    /// What to recognise it by, should it come again.
    pub(crate) sketches: Sketches,
    actions: Vec<Action>,
}

impl Reading {
    /// Reads a batch.
    pub(crate) fn of(batch: &Batch, settings: &Settings) -> Self {
        let in_app = batch.channel == Channel::Session;
        let audible = batch.clock_ms < settings.coarse_clock_ms;
        let actions = if in_app { actions(&batch.path) } else { Vec::new() };
        let text = (!in_app && audible).then(|| fixed::Sample::new(&batch.metrics.hold_ms, &batch.digraph_ms));
        Self {
            touch: batch.pointer == Pointer::Touch,
            text: text.flatten(),
            typing: if in_app && audible {
                timings(batch, settings)
            } else {
                Vec::new()
            },
            pointing: actions.iter().take(MOST).map(Action::features).collect(),
            sketches: Sketches::of(batch, &actions),
            actions,
        }
    }

    /// True if nothing can be judged or learned.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_none() && self.typing.is_empty() && self.pointing.is_empty()
    }

    /// What shows that no hand made this batch just now, if anything does.
    pub(crate) fn forgery(&self, batch: &Batch, seen: &[&Sketches]) -> Option<&'static str> {
        if seen.iter().any(|seen| seen.knows(batch, &self.actions)) {
            return Some(reason::REPLAYED);
        }
        too_even(batch).then_some(reason::TOO_EVEN)
    }
}

/// The timings of a batch: with the identity of their keys where that was agreed to, and was sent.
fn timings(batch: &Batch, settings: &Settings) -> Vec<Timing> {
    let known = settings.key_identity && !batch.keys.is_empty();
    let timings: Vec<Timing> = if known {
        batch.keys.iter().map(|timing: &KeyTiming| Timing::from(*timing)).collect()
    } else {
        let holds = batch.metrics.hold_ms.iter().map(|ms| Timing::hold(*ms));
        holds.chain(batch.digraph_ms.iter().map(|ms| Timing::digraph(*ms))).collect()
    };
    timings.into_iter().take(MOST).collect()
}
