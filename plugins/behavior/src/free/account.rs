//! What is kept of one account.

use super::context::Context;
use super::timing::Timing;
use serde::{Deserialize, Serialize};

/// Contexts beside the main one, at most.
const MAX_OTHERS: usize = 2;

/// How often a timing counts that a step-up has proven to be the owner's although it looked strange.
const PROVEN: u16 = 2;

/// Cells of single keys and digraphs that are kept, at most: what bounds the size of an account with key identities.
const MAX_KEYED_CELLS: usize = 9000;

/// Timings of an account below which nothing is said of it.
const MIN_TIMINGS: f64 = 200.0;

/// Counts of an account's timings, in one context or a few. There is no order in them and no text, only how often each cell was
/// seen. About 1 kB without key identities, and at most 40 kB with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    tag: u64,
    /// The main one first.
    contexts: Vec<Context>,
}

impl Account {
    /// An account of which nothing is known yet. By `tag`, a random number, it is recognised in a background, lest it be
    /// compared with itself.
    pub fn new(tag: u64) -> Self {
        Self {
            tag,
            contexts: Vec::new(),
        }
    }

    /// What the account is recognised by.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// Counts the timings of a session that ended well, in the context that they fit best. The more of the session is given at
    /// once, the surer that is. What is no rhythm is left out.
    pub fn learn(&mut self, timings: &[Timing]) {
        let Some(main) = self.contexts.first() else {
            return self.open(timings, 1);
        };
        let mut best = 0;
        if self.contexts.len() > 1 {
            let fits: Vec<_> = self.contexts.iter().map(|context| context.fit(timings, main)).collect();
            best = (1..fits.len()).fold(0, |best, i| if fits[i] > fits[best] { i } else { best });
        }
        self.contexts[best].learn(timings, 1);
        self.bound();
    }

    /// Counts what was typed shortly before a passed step-up, as a context of its own. When there are too many, the one that was
    /// seen least goes into the main one. Before enrolment there is nothing that it could be strange to, and it is learned.
    pub fn absorb(&mut self, timings: &[Timing]) {
        if !self.suffices() {
            return self.learn(timings);
        }
        self.open(timings, PROVEN);
        if self.contexts.len() > 1 + MAX_OTHERS {
            let seen = |i: &usize| self.contexts[*i].timings();
            if let Some(least) = (1..=MAX_OTHERS).min_by(|a, b| seen(a).total_cmp(&seen(b))) {
                let least = self.contexts.remove(least);
                self.contexts[0].merge(&least);
            }
        }
        self.bound();
    }

    /// Timings that were counted, older ones less.
    pub fn timings(&self) -> f64 {
        self.contexts.iter().map(Context::timings).sum()
    }

    /// True if there is enough for the account to be judged by.
    pub fn suffices(&self) -> bool {
        self.main().is_some_and(|main| main.timings() >= MIN_TIMINGS)
    }

    /// What is wrong with these numbers, if they can't come from [`Account::learn`] and [`Account::absorb`].
    pub fn fault(&self) -> Option<&'static str> {
        if self.contexts.len() > 1 + MAX_OTHERS {
            return Some("there are too many contexts");
        }
        if self.keyed_cells() > MAX_KEYED_CELLS {
            return Some("there are too many cells of keys");
        }
        self.contexts.iter().find_map(Context::fault)
    }

    pub(super) fn main(&self) -> Option<&Context> {
        self.contexts.first()
    }

    pub(super) fn contexts(&self) -> &[Context] {
        &self.contexts
    }

    fn open(&mut self, timings: &[Timing], weight: u16) {
        let mut context = Context::default();
        context.learn(timings, weight);
        self.contexts.push(context);
        self.bound();
    }

    fn keyed_cells(&self) -> usize {
        self.contexts.iter().map(Context::keyed_cells).sum()
    }

    fn bound(&mut self) {
        while self.keyed_cells() > MAX_KEYED_CELLS {
            self.contexts.iter_mut().for_each(Context::halve_keyed);
        }
    }
}
