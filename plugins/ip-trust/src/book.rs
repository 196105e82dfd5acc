//! The places of one account.

use crate::entry::{Entry, Place, Standing};
use crate::{Config, to_json};
use gait_sdk::{Context, Credential, Effect, PluginError, Save};
use ipnet::IpNet;
use serde::Deserialize;

/// A stored entry that can be read.
pub(crate) struct Kept<'a> {
    credential: &'a Credential,
    pub(crate) entry: Entry,
}

/// All of them, the expired apart. What can't be read isn't there.
pub(crate) struct Book<'a> {
    kept: Vec<Kept<'a>>,
    expired: Vec<Kept<'a>>,
}

impl<'a> Book<'a> {
    pub(crate) fn read(cx: &'a Context, config: &Config) -> Self {
        let readable = cx.credentials.iter().filter_map(|credential| {
            let entry = Entry::deserialize(&credential.payload).ok()?;
            Some(Kept { credential, entry })
        });
        let (mut kept, expired): (Vec<_>, Vec<_>) =
            readable.partition(|kept: &Kept<'_>| kept.entry.is_alive(cx.now, config.expires_days));
        distrust_doubles(&mut kept);
        Self { kept, expired }
    }

    /// The entries of one place: one, unless two sign-ins raced.
    pub(crate) fn at(&self, place: &Place) -> impl Iterator<Item = &Kept<'a>> {
        self.kept.iter().filter(move |kept| kept.entry.place() == *place)
    }

    /// The entries of one address, in whatever browser.
    pub(crate) fn of_address(&self, prefix: IpNet) -> impl Iterator<Item = &Kept<'a>> {
        self.kept.iter().filter(move |kept| kept.entry.prefix == prefix)
    }

    /// Writes the entry of a place, and clears away what is expired, double or too much.
    pub(crate) fn put(&self, entry: &Entry, max_entries: usize) -> Result<Vec<Effect>, PluginError> {
        let mut effects: Vec<_> = self.expired.iter().map(Kept::forget).collect();
        let place = entry.place();
        let mut same = self.at(&place);
        let replaced = same.next();
        effects.extend(same.map(Kept::forget));
        if replaced.is_none() {
            effects.extend(self.oldest_beyond(max_entries.saturating_sub(1)));
        }
        effects.push(Effect::Save(Save {
            credential: replaced.map(|kept| kept.credential.id.clone()),
            expected_version: replaced.map(|kept| kept.credential.version),
            label: entry.label(),
            payload: to_json(entry)?,
        }));
        Ok(effects)
    }

    /// Forgets an address in every browser.
    pub(crate) fn without(&self, prefix: IpNet) -> Vec<Effect> {
        let expired = self.expired.iter().filter(|kept| kept.entry.prefix == prefix);
        self.of_address(prefix).chain(expired).map(Kept::forget).collect()
    }

    fn oldest_beyond(&self, limit: usize) -> impl Iterator<Item = Effect> {
        let mut by_use: Vec<_> = self.kept.iter().collect();
        by_use.sort_by_key(|kept| kept.entry.last_seen);
        let surplus = by_use.len().saturating_sub(limit);
        by_use.into_iter().take(surplus).map(Kept::forget)
    }
}

impl Kept<'_> {
    fn forget(&self) -> Effect {
        Effect::Forget {
            credential: self.credential.id.clone(),
        }
    }
}

/// Of two entries for one place at least one is wrong, and it isn't known which: the place is only seen, and will be asked
/// about again.
fn distrust_doubles(kept: &mut [Kept<'_>]) {
    let places: Vec<_> = kept.iter().map(|kept| kept.entry.place()).collect();
    for kept in kept {
        if places.iter().filter(|&place| *place == kept.entry.place()).count() > 1 {
            kept.entry.state = Standing::Seen;
            kept.entry.asked_at = None;
        }
    }
}
