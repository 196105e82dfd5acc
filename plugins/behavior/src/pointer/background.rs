//! What is common: actions of other accounts.

use super::account::Account;
use super::features::{Features, MEASURES};
use super::training::{Bins, Weights, train};
use serde::{Deserialize, Serialize};

/// Most accounts in a background.
const ACCOUNTS: usize = 64;

/// Most actions in a background.
const ACTIONS: usize = 4500;

/// The actions of one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Share {
    tag: u64,
    actions: Vec<Features>,
    cohort: Option<Weights>,
}

/// Actions of other accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Background {
    bins: Bins,
    shares: Vec<Share>,
}

impl Background {
    /// Samples accounts evenly.
    pub fn of(accounts: &[&Account]) -> Self {
        let picked = spread(accounts, ACCOUNTS);
        let each = ACTIONS / picked.len().max(1);
        let mut shares: Vec<Share> = picked
            .iter()
            .map(|account| {
                let actions: Vec<&Features> = account.actions().collect();
                Share {
                    tag: account.tag(),
                    actions: spread(&actions, each).into_iter().map(|a| **a).collect(),
                    cohort: None,
                }
            })
            .collect();
        let bins = Bins::of(shares.iter().flat_map(|share| &share.actions));
        let cohort: Vec<Option<Weights>> = picked
            .iter()
            .map(|account| {
                let own: Vec<&Features> = account.actions().collect();
                let others: Vec<&Features> = shares
                    .iter()
                    .filter(|s| s.tag != account.tag())
                    .flat_map(|s| &s.actions)
                    .collect();
                (!others.is_empty() && own.len() >= 30).then(|| train(&bins, &own, &others))
            })
            .collect();
        for (share, weights) in shares.iter_mut().zip(cohort) {
            share.cohort = weights;
        }
        Self { bins, shares }
    }

    pub(super) fn bins(&self) -> &Bins {
        &self.bins
    }

    pub(super) fn others(&self, tag: u64) -> Vec<&Features> {
        self.shares
            .iter()
            .filter(|share| share.tag != tag)
            .flat_map(|share| &share.actions)
            .collect()
    }

    pub(super) fn cohort(&self, tag: u64) -> Vec<&Weights> {
        self.shares
            .iter()
            .filter(|share| share.tag != tag)
            .filter_map(|share| share.cohort.as_ref())
            .collect()
    }
}

/// So many of the items, evenly.
fn spread<T>(items: &[T], most: usize) -> Vec<&T> {
    let keep = most.min(items.len());
    (0..keep).filter_map(|i| items.get(i * items.len() / keep)).collect()
}
