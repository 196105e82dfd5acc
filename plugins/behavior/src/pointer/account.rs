//! What is kept of an account: its actions, thinned out fairly over its sessions.

use super::features::Features;
use serde::{Deserialize, Serialize};

/// Most actions that stay for ever.
const ANCHOR: usize = 300;

/// Most of them that one session gives.
const ANCHOR_SHARE: usize = 100;

/// Most actions that come and go.
const RECENT: usize = 830;

/// Most sessions that come and go.
const SESSIONS: usize = 40;

/// The actions of an account, at most 60 kB. A frozen anchor of the first sessions, which no later session can move, and the
/// newest sessions, of which the largest gives way first: so no session, however long, has more than its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
        self.actions().count()
    }

    /// True if none is kept.
    pub fn is_empty(&self) -> bool {
        self.actions().next().is_none()
    }

    /// Keeps the actions of one session, oldest first: those that it has room for.
    pub fn learn(&mut self, actions: &[Features]) {
        let room = (ANCHOR.saturating_sub(self.anchor.len()))
            .min(ANCHOR_SHARE)
            .min(actions.len() / 3);
        let mut session = Vec::new();
        for (i, action) in actions.iter().enumerate() {
            let list = if keeps(i, room, actions.len()) {
                &mut self.anchor
            } else {
                &mut session
            };
            list.push(*action);
        }
        self.recent.push(session);
        self.make_room();
    }

    fn make_room(&mut self) {
        self.recent.retain(|session| !session.is_empty());
        self.recent.drain(..self.recent.len().saturating_sub(SESSIONS));
        let mut lengths: Vec<usize> = self.recent.iter().map(Vec::len).collect();
        let surplus = lengths.iter().sum::<usize>().saturating_sub(RECENT);
        for _ in 0..surplus {
            // The oldest of the largest.
            if let Some(largest) = lengths.iter_mut().rev().max_by_key(|length| **length) {
                *largest -= 1;
            }
        }
        for (session, length) in self.recent.iter_mut().zip(lengths) {
            thin(session, length);
        }
    }

    /// The actions, the anchor first.
    pub(super) fn actions(&self) -> impl Iterator<Item = &Features> {
        self.anchor.iter().chain(self.recent.iter().flatten())
    }

    /// What is wrong with it, if it can't come from [`Account::learn`].
    pub fn fault(&self) -> Option<&'static str> {
        let recent: usize = self.recent.iter().map(Vec::len).sum();
        let right = self.anchor.len() <= ANCHOR && recent <= RECENT && self.recent.len() <= SESSIONS;
        (!right).then_some("too many actions are kept")
    }
}

/// Keeps so many of the actions, evenly.
fn thin(actions: &mut Vec<Features>, keep: usize) {
    let all = actions.len();
    let mut places = 0..all;
    actions.retain(|_| places.next().is_some_and(|i| keeps(i, keep, all)));
}

/// True for `keep` places, evenly spread, out of `all`.
fn keeps(place: usize, keep: usize, all: usize) -> bool {
    let keep = keep.min(all);
    (place + 1) * keep / all > place * keep / all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pointer::features::MEASURES;

    fn session(mark: u8, actions: usize) -> Vec<Features> {
        let mut codes = [mark % 32; MEASURES];
        codes[1] = mark / 32;
        vec![Features::pack(&codes); actions]
    }

    fn count(account: &Account, mark: u8) -> usize {
        let marked = |action: &&Features| action.codes()[..2] == [mark % 32, mark / 32];
        account.actions().filter(marked).count()
    }

    #[test]
    fn a_short_history_is_kept_whole() {
        let mut account = Account::new(7);
        account.learn(&session(1, 100));
        account.learn(&session(2, 1));
        account.learn(&[]);
        assert_eq!((count(&account, 1), count(&account, 2), account.len()), (100, 1, 101));
        assert_eq!((account.fault(), account.tag()), (None, 7));
    }

    #[test]
    fn one_session_cannot_flood_an_account() {
        let mut account = Account::new(0);
        for mark in 1..=20 {
            account.learn(&session(mark, 100));
        }
        let anchor = account.anchor.clone();
        account.learn(&session(99, 100_000));
        assert!(count(&account, 99) <= RECENT / 20, "{}", count(&account, 99));
        assert_eq!(account.anchor, anchor);
        assert_eq!(account.fault(), None);
    }

    #[test]
    fn what_is_new_comes_in_and_the_anchor_stays() {
        let mut account = Account::new(0);
        for mark in 1..=200 {
            account.learn(&session(mark, 60));
        }
        assert!(count(&account, 200) >= RECENT / SESSIONS && count(&account, 150) == 0);
        assert!(account.anchor.len() == ANCHOR && count(&account, 1) > 0);
    }

    #[test]
    fn an_account_takes_at_most_60_kb() {
        let mut account = Account::new(u64::MAX);
        for mark in 1..=100 {
            account.learn(&session(mark, 1000));
        }
        assert_eq!(account.len(), ANCHOR + RECENT);
        let bytes = postcard::to_allocvec(&account).unwrap();
        assert!(bytes.len() <= 60_000, "{}", bytes.len());
        assert_eq!(postcard::from_bytes::<Account>(&bytes).unwrap(), account);
    }

    #[test]
    fn a_doctored_account_is_refused() {
        let full = |anchor: usize, recent: usize| Account {
            tag: 0,
            anchor: session(1, anchor),
            recent: vec![session(1, recent)],
        };
        assert_eq!(full(ANCHOR, RECENT).fault(), None);
        assert!(full(ANCHOR + 1, 0).fault().is_some());
        assert!(full(0, RECENT + 1).fault().is_some());
        let short = postcard::to_allocvec(&(0u64, vec![vec![1u8; MEASURES - 1]], Vec::<Vec<Vec<u8>>>::new())).unwrap();
        assert!(postcard::from_bytes::<Account>(&short).is_err());
    }
}
