//! What a batch says, channel by channel.

use super::Settings;
use super::replay::{Sketches, too_even};
use crate::fixed;
use crate::free::Timing;
use crate::pointer::{Action, Features, actions};
use crate::reason;
use gait_sdk::{Batch, Channel, KeyTiming, Pointer};
use serde::{Deserialize, Serialize};

/// Most timings and actions that are read of one batch.
const MOST: usize = 1000;

/// A batch, read once.
pub(crate) struct Reading {
    /// Made with a finger or a pen; those are templates of their own.
    pub(crate) touch: bool,
    /// The text that was typed, on a sign-in page.
    pub(crate) text: Option<fixed::Sample>,
    /// Free text, in an app.
    pub(crate) typing: Typing,
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
                Typing::of(batch, settings)
            } else {
                Typing::default()
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

/// What was typed, as timings: with the identity of their keys where that was agreed to, and was sent; else without.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Typing {
    holds: Vec<f32>,
    digraphs: Vec<f32>,
    keys: Vec<KeyTiming>,
}

impl Typing {
    fn of(batch: &Batch, settings: &Settings) -> Self {
        if settings.key_identity && !batch.keys.is_empty() {
            let keys = batch
                .keys
                .iter()
                .copied()
                .filter(|timing| timing.ms.is_finite())
                .take(MOST)
                .collect();
            return Self { keys, ..Self::default() };
        }
        let list = |list: &[f64]| {
            list.iter()
                .map(|ms| *ms as f32)
                .filter(|ms| ms.is_finite())
                .take(MOST)
                .collect()
        };
        Self {
            holds: list(&batch.metrics.hold_ms),
            digraphs: list(&batch.digraph_ms),
            keys: Vec::new(),
        }
    }

    /// True if nothing was typed.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many timings there are.
    pub(crate) fn len(&self) -> usize {
        self.holds.len() + self.digraphs.len() + self.keys.len()
    }

    /// True if the keys are known.
    pub(crate) fn knows_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Hold and digraph by turns, as they were typed.
    pub(crate) fn timings(&self) -> Vec<Timing> {
        let most = self.holds.len().max(self.digraphs.len());
        let hold = |i: usize| self.holds.get(i).map(|ms| Timing::hold(f64::from(*ms)));
        let digraph = |i: usize| self.digraphs.get(i).map(|ms| Timing::digraph(f64::from(*ms)));
        let plain = (0..most).flat_map(|i| [hold(i), digraph(i)]).flatten();
        plain.chain(self.keys.iter().map(Timing::from)).collect()
    }
}
