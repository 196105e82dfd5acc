//! What is common: actions of other people.

use super::account::Account;
use super::features::Features;
use super::neutral;
use super::training::{Bins, Weights, train};
use serde::{Deserialize, Serialize};

/// Most accounts in a background.
const ACCOUNTS: usize = 64;

/// Most actions in a background.
const ACTIONS: usize = 4000;

/// Most members.
pub(super) const MEMBERS: usize = 24;

/// Fewest actions, own and others', that weights are trained on.
pub(super) const FEWEST: usize = 30;

/// Actions of other people, to tell what is somebody's own from what is common. It's made anew from the accounts that are there,
/// so nothing of an erased one is left in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    bins: Bins,
    shares: Vec<Share>,
    members: Vec<Member>,
    neutral: bool,
}

/// Somebody whom an impostor may resemble: how the actions of an account differ from those of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    tag: u64,
    weights: Weights,
}

/// The actions of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    tag: u64,
    actions: Vec<Features>,
}

impl Background {
    /// Samples at most 64 of the accounts, and at most 4,000 of their actions: evenly, and the same every time. At most 24 of the
    /// accounts are its members, which are learned one by one.
    pub fn of(accounts: &[&Account]) -> Self {
        let picked = spread(accounts, ACCOUNTS);
        let each = ACTIONS / picked.len().max(1);
        let shares = picked.iter().map(|account| {
            let actions: Vec<Features> = account.actions().copied().collect();
            Share {
                tag: account.tag(),
                actions: spread(&actions, each).into_iter().copied().collect(),
            }
        });
        let mut background = Self::new(shares.collect(), false);
        let members = spread(&picked, MEMBERS);
        background.members = members.into_iter().filter_map(|account| background.member(account)).collect();
        background
    }

    /// One made of no person's data, for a deployment that has too few accounts: see [`super::Model::train`].
    pub fn neutral() -> Self {
        let share = Share {
            tag: 0,
            actions: neutral::actions_of_nobody(),
        };
        Self::new(vec![share], true)
    }

    fn new(shares: Vec<Share>, neutral: bool) -> Self {
        let actions: Vec<&Features> = shares.iter().flat_map(|share| &share.actions).collect();
        Self {
            bins: Bins::of(&actions),
            shares,
            members: Vec::new(),
            neutral,
        }
    }

    fn member(&self, account: &Account) -> Option<Member> {
        Some(Member {
            tag: account.tag(),
            weights: self.weights(account)?,
        })
    }

    /// How the actions of an account differ from those of the others; `None` if either are too few.
    pub(super) fn weights(&self, account: &Account) -> Option<Weights> {
        let own: Vec<&Features> = account.actions().collect();
        let others = self.others(account.tag());
        (own.len() >= FEWEST && others.len() >= FEWEST).then(|| train(&self.bins, &own, &others))
    }

    /// The log-odds of an action for each member.
    pub(super) fn logits(&self, action: &Features) -> Vec<f64> {
        let logit = |member: &Member| member.weights.logit(&self.bins, action);
        self.members.iter().map(logit).collect()
    }

    /// The place among the members of the account with this tag.
    pub(super) fn member_of(&self, tag: u64) -> Option<usize> {
        self.members.iter().position(|member| member.tag == tag)
    }

    /// How many accounts it is made of; 0 for the neutral one.
    pub fn accounts(&self) -> usize {
        if self.neutral { 0 } else { self.shares.len() }
    }

    /// True for [`Background::neutral`].
    pub(super) fn is_neutral(&self) -> bool {
        self.neutral
    }

    pub(super) fn bins(&self) -> &Bins {
        &self.bins
    }

    /// The actions of everybody but the account with this tag.
    pub(super) fn others(&self, tag: u64) -> Vec<&Features> {
        let others = self.shares.iter().filter(|share| self.neutral || share.tag != tag);
        others.flat_map(|share| &share.actions).collect()
    }

    /// What is wrong with it, if it can't come from [`Background::of`] or [`Background::neutral`].
    pub fn fault(&self) -> Option<&'static str> {
        let actions: usize = self.shares.iter().map(|share| share.actions.len()).sum();
        if self.shares.len() > ACCOUNTS || self.members.len() > MEMBERS || actions > ACTIONS {
            return Some("the background is too large");
        }
        let faults = self.members.iter().find_map(|member| member.weights.fault());
        self.bins.fault().or(faults)
    }
}

/// So many of the items, evenly.
fn spread<T>(items: &[T], most: usize) -> Vec<&T> {
    let keep = most.min(items.len());
    (0..keep).filter_map(|i| items.get(i * items.len() / keep)).collect()
}
