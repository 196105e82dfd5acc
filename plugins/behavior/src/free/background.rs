//! Other people.

use super::account::Account;
use super::context::Context;
use super::neutral;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Accounts below which there is no background: too few to tell what is common, and each would stand out.
const MIN_MEMBERS: usize = 8;

/// Accounts in a background, at most.
pub(super) const MAX_MEMBERS: usize = 96;

/// Timings of a key or digraph, of all members, below which it is left out.
const MIN_SEEN: f64 = 150.0;

/// Keys and digraphs in a background, at most; of more, those that were seen most often.
const MAX_FEATURES: usize = 256;

/// Cells of single keys and digraphs in one member, at most.
const MAX_KEYED_CELLS: usize = 9000;

/// Some dozens of accounts, told apart only by their tags: what an account is compared with. It is made anew each time, so that
/// nothing of an erased account is left in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    members: Vec<Member>,
}

/// One of them, in the order of the tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub tag: u64,
    pub context: Context,
}

impl Background {
    /// The background of these accounts: those with enough timings, and of many, those with the lowest tags, which are random.
    /// A key or digraph that fewer than eight of them have typed is left out. `None` if there are fewer than eight accounts.
    pub fn of(accounts: &[&Account]) -> Option<Self> {
        let member = |account: &&Account| {
            let context = account.suffices().then(|| account.main()).flatten()?.clone();
            Some(Member {
                tag: account.tag(),
                context,
            })
        };
        let mut members: Vec<_> = accounts.iter().filter_map(member).collect();
        members.sort_by_key(|member| member.tag);
        members.dedup_by_key(|member| member.tag);
        members.truncate(MAX_MEMBERS);
        let common = common(members.iter().map(|member| &member.context));
        for member in &mut members {
            member
                .context
                .keyed
                .retain(|feature, _| common.binary_search(feature).is_ok());
        }
        (members.len() >= MIN_MEMBERS).then_some(Self { members })
    }

    /// The background that is shipped, for a deployment that has none of its own: made-up people, from a few rounded figures of
    /// how the speed of typing differs. It knows nothing of single keys.
    pub fn neutral() -> Self {
        let members = neutral::people()
            .zip(u64::MAX - 64..)
            .map(|(context, tag)| Member { tag, context })
            .collect();
        Self { members }
    }

    /// How many accounts are in it.
    pub fn accounts(&self) -> usize {
        self.members.len()
    }

    /// What is wrong with these numbers, if they can't come from [`Background::of`].
    pub fn fault(&self) -> Option<&'static str> {
        if !(MIN_MEMBERS..=MAX_MEMBERS).contains(&self.members.len()) {
            return Some("there are too few or too many members");
        }
        if self.members.windows(2).any(|pair| pair[0].tag >= pair[1].tag) {
            return Some("the members are out of order");
        }
        if self
            .members
            .iter()
            .any(|member| member.context.keyed_cells() > MAX_KEYED_CELLS)
        {
            return Some("there are too many cells of keys");
        }
        self.members.iter().find_map(|member| member.context.fault())
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }
}

/// Keys and digraphs that were seen often enough, and by enough people, in order.
pub(super) fn common<'a>(contexts: impl Iterator<Item = &'a Context>) -> Vec<u16> {
    let mut seen: BTreeMap<u16, (usize, f64)> = BTreeMap::new();
    for (feature, counts) in contexts.flat_map(|context| &context.keyed) {
        let (people, timings) = seen.entry(*feature).or_default();
        *people += 1;
        *timings += counts.total();
    }
    seen.retain(|_, (people, timings)| *people >= MIN_MEMBERS && *timings >= MIN_SEEN);
    let mut often: Vec<_> = seen.into_iter().collect();
    often.sort_by(|(_, (_, a)), (_, (_, b))| b.total_cmp(a));
    let mut features: Vec<_> = often.into_iter().map(|(feature, _)| feature).take(MAX_FEATURES).collect();
    features.sort_unstable();
    features
}
