//! What is kept of an account: its actions, thinned out fairly over its sessions.

use super::features::{Features, MEASURES};
use serde::{Deserialize, Serialize};

/// Most actions that stay for ever.
const ANCHOR: usize = 300;

/// Most of them that one session gives.
const ANCHOR_SHARE: usize = 100;

/// Most actions that come and go.
const RECENT: usize = 1000;

/// Most sessions that come and go.
const SESSIONS: usize = 40;

/// The actions of an account. A frozen anchor of the first sessions, which no later session can move, and the newest sessions,
/// of which the largest gives way first: so no session, however long, has more than its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    tag: u64,
    anchor: Vec<Features>,
    recent: Vec<Vec<Features>>,
}

impl Account {
    /// An account of which nothing is known. The tag, a random number, tells its actions from those of others in a background.
    pub fn new(tag: u64) -> Self {
        Self {
            tag,
            anchor: Vec::new(),
            recent: Vec::new(),
        }
    }

    /// The account's tag.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// How many actions are kept.
    pub fn len(&self) -> usize {
        self.anchor.len() + self.recent.iter().map(Vec::len).sum::<usize>()
    }

    /// True if none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the actions of one session, or of a part of one.
    pub fn learn(&mut self, actions: &[Features]) {
        let room = (ANCHOR - self.anchor.len().min(ANCHOR))
            .min(ANCHOR_SHARE)
            .min(actions.len() / 3);
        let (mut anchored, mut session) = (Vec::new(), Vec::new());
        for (i, action) in actions.iter().enumerate() {
            // Evenly over the session.
            if (i + 1) * room / actions.len() > i * room / actions.len() {
                anchored.push(*action);
            } else {
                session.push(*action);
            }
        }
        self.anchor.extend(anchored);
        thin(&mut session, RECENT);
        if !session.is_empty() {
            self.recent.push(session);
        }
        self.make_room();
    }

    fn make_room(&mut self) {
        if self.recent.len() > SESSIONS {
            self.recent.drain(..self.recent.len() - SESSIONS);
        }
        let mut lengths: Vec<usize> = self.recent.iter().map(Vec::len).collect();
        let mut surplus = lengths.iter().sum::<usize>().saturating_sub(RECENT);
        while surplus > 0 {
            // The oldest of the largest.
            let largest = (0..lengths.len()).rev().max_by_key(|i| lengths[*i]).unwrap_or_default();
            lengths[largest] -= 1;
            surplus -= 1;
        }
        for (session, length) in self.recent.iter_mut().zip(lengths) {
            thin(session, length);
        }
        self.recent.retain(|session| !session.is_empty());
    }

    /// The actions, oldest first.
    pub(super) fn actions(&self) -> impl Iterator<Item = &Features> {
        self.anchor.iter().chain(self.recent.iter().flatten())
    }

    /// What is wrong with it, if it can't come from [`Account::learn`].
    pub fn fault(&self) -> Option<&'static str> {
        let recent = self.recent.iter().map(Vec::len).sum::<usize>();
        (self.anchor.len() > ANCHOR || recent > RECENT || self.recent.len() > SESSIONS).then_some("too many actions")
    }
}

/// Keeps so many of the actions, evenly.
fn thin(actions: &mut Vec<Features>, keep: usize) {
    let all = actions.len();
    if keep >= all {
        return;
    }
    let mut i = 0;
    actions.retain(|_| {
        i += 1;
        i * keep / all > (i - 1) * keep / all
    });
}

/// Most bytes that an account takes, but for a few of its lengths.
pub const MAX_BYTES: usize = (ANCHOR + RECENT) * (MEASURES + 1);
