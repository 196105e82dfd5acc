//! Other people.

use super::account::Account;
use serde::{Deserialize, Serialize};

/// Accounts in a background, at most.
pub(super) const MAX_MEMBERS: usize = 96;

/// A handful of accounts, told apart only by their tags: what an account is compared with. It is made anew each time, so that
/// nothing of an erased account is left in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    members: Vec<Account>,
}

impl Background {
    /// The background of these accounts: those with enough timings, and of many, those with the lowest tags, which are random.
    pub fn of(accounts: &[&Account]) -> Self {
        let mut chosen: Vec<_> = accounts.iter().filter(|account| account.suffices()).collect();
        chosen.sort_by_key(|account| account.tag());
        chosen.dedup_by_key(|account| account.tag());
        Self {
            members: chosen
                .into_iter()
                .take(MAX_MEMBERS)
                .map(|account| (*account).clone())
                .collect(),
        }
    }

    /// Its accounts.
    pub fn members(&self) -> &[Account] {
        &self.members
    }

    /// What is wrong with these numbers, if they can't come from [`Background::of`].
    pub fn fault(&self) -> Option<&'static str> {
        if self.members.len() > MAX_MEMBERS {
            return Some("there are too many members");
        }
        if self.members.windows(2).any(|pair| pair[0].tag() >= pair[1].tag()) {
            return Some("the members are out of order");
        }
        self.members.iter().find_map(Account::fault)
    }
}
