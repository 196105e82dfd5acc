//! What was done, what was acknowledged, and what went otherwise than it must.

use rand::Rng as _;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The kind of operation that may take a few tries.
pub const SIGN_IN: &str = "sign-in";

/// How operations of a kind went.
#[derive(Clone, Copy, Default)]
struct Tally {
    done: u32,
    refused: u32,
}

/// A token that must be refused from now on.
#[derive(Clone)]
pub struct Dead {
    /// The token.
    pub token: String,
    /// It is a refresh token, and no access token.
    pub is_refresh: bool,
    /// What killed it.
    pub why: &'static str,
}

/// Something that may be spent once.
#[derive(Clone)]
pub enum Once {
    /// A code.
    Code(String),
    /// A refresh token.
    Refresh(String),
}

#[derive(Default)]
struct Books {
    /// Nothing is to be refused.
    all_is_well: bool,
    tallies: BTreeMap<&'static str, Tally>,
    faults: BTreeMap<&'static str, u32>,
    /// Why operations were refused.
    refusals: Vec<String>,
    violations: Vec<String>,
    dead: Vec<Dead>,
    /// How often each was spent, as far as was answered.
    spent: BTreeMap<String, u32>,
    /// What nobody's tokens hang on any more, so that it can be tried again.
    idle: Vec<Once>,
    signed_out: BTreeSet<String>,
    keys: BTreeSet<String>,
}

/// The books that everybody keeps together.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Books>>);

impl Ledger {
    fn open(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operation was acknowledged.
    pub fn done(&self, kind: &'static str) {
        self.open().tallies.entry(kind).or_default().done += 1;
    }

    /// An operation was refused, or not answered: whether it was done isn't known. Once all is well, that is a violation, but for
    /// sign-ins: a mail may still be late then, and many passwords at once are too many.
    pub fn refused(&self, kind: &'static str, why: impl fmt::Display) {
        let is_bad = {
            let mut books = self.open();
            books.tallies.entry(kind).or_default().refused += 1;
            books.refusals.push(format!("{kind}: {why:#}"));
            books.all_is_well && kind != SIGN_IN
        };
        if is_bad {
            self.violation(format_args!("all is well, and yet {kind} was refused: {why:#}"));
        }
    }

    /// All faults are healed.
    pub fn all_is_well(&self) {
        self.open().all_is_well = true;
    }

    /// A fault is inflicted; returns the how-manieth it is of all.
    pub fn fault(&self, kind: &'static str) -> u32 {
        let mut books = self.open();
        *books.faults.entry(kind).or_default() += 1;
        books.faults.values().sum()
    }

    /// Something went otherwise than it must.
    pub fn violation(&self, what: impl fmt::Display) {
        eprintln!("VIOLATION: {what:#}");
        let mut books = self.open();
        books.violations.push(format!("{what:#}"));
        books.refusals.push(format!("VIOLATION: {what:#}"));
    }

    /// How many of them there are.
    pub fn violations(&self) -> usize {
        self.open().violations.len()
    }

    /// A token died, and that was acknowledged.
    pub fn died(&self, token: &str, is_refresh: bool, why: &'static str) {
        let token = token.to_owned();
        self.open().dead.push(Dead { token, is_refresh, why });
    }

    /// Everything that is dead.
    pub fn all_dead(&self) -> Vec<Dead> {
        self.open().dead.clone()
    }

    /// One of them; `None` while nothing is.
    pub fn some_dead(&self, rng: &mut StdRng) -> Option<Dead> {
        pick(&self.open().dead, rng)
    }

    /// Something was spent, and that was acknowledged. The second time is a violation.
    pub fn spent(&self, what: &str, secret: &str) {
        let times = {
            let mut books = self.open();
            let times = books.spent.entry(secret.to_owned()).or_default();
            *times += 1;
            *times
        };
        if times > 1 {
            self.violation(format_args!("{what} was spent {times} times: {secret}"));
        }
    }

    /// Nothing hangs any more on what may have been spent.
    pub fn idle(&self, what: impl IntoIterator<Item = Once>) {
        self.open().idle.extend(what);
    }

    /// All of that.
    pub fn all_idle(&self) -> Vec<Once> {
        self.open().idle.clone()
    }

    /// One of that; `None` while there is nothing.
    pub fn some_idle(&self, rng: &mut StdRng) -> Option<Once> {
        pick(&self.open().idle, rng)
    }

    /// A session ended by a sign-out: its app must be told.
    pub fn signed_out(&self, sid: &str) {
        self.open().signed_out.insert(sid.to_owned());
    }

    /// All that did.
    pub fn all_signed_out(&self) -> BTreeSet<String> {
        self.open().signed_out.clone()
    }

    /// Keys that are published.
    pub fn published(&self, kids: impl IntoIterator<Item = String>) {
        self.open().keys.extend(kids);
    }

    /// All that ever were.
    pub fn all_published(&self) -> BTreeSet<String> {
        self.open().keys.clone()
    }

    /// Why operations were refused, a line each.
    pub fn refusals(&self) -> String {
        self.open().refusals.join("\n")
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let books = self.open();
        writeln!(f, "{:<32}{:>8}{:>10}", "operations", "done", "refused")?;
        for (kind, Tally { done, refused }) in &books.tallies {
            writeln!(f, "  {kind:<30}{done:>8}{refused:>10}")?;
        }
        writeln!(f, "faults")?;
        for (kind, count) in &books.faults {
            writeln!(f, "  {kind:<30}{count:>8}")?;
        }
        let all = books.tallies.values().map(|tally| tally.done).sum::<u32>();
        let refused = books.tallies.values().map(|tally| tally.refused).sum::<u32>();
        let faults = books.faults.values().sum::<u32>();
        write!(
            f,
            "{all} operations done, {refused} refused, {faults} faults, {} violations",
            books.violations.len()
        )
    }
}

fn pick<T: Clone>(all: &[T], rng: &mut StdRng) -> Option<T> {
    (!all.is_empty()).then(|| all[rng.gen_range(0..all.len())].clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_twice_is_a_violation() {
        let ledger = Ledger::default();
        ledger.spent("a code", "one");
        ledger.spent("a code", "other");
        assert_eq!(ledger.violations(), 0);
        ledger.spent("a code", "one");
        assert_eq!(ledger.violations(), 1);
        assert!(ledger.to_string().ends_with("1 violations"), "{ledger}");
    }
}
