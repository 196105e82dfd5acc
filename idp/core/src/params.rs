//! Request parameters: read once, capped, never twice the same (RFC 6749 §3.1, §3.2).

use std::collections::{BTreeMap, BTreeSet};

/// Most parameters in one request.
const MAX_COUNT: usize = 64;
/// Longest name in bytes.
const MAX_NAME: usize = 64;
/// Longest value in bytes; signed hints and assertions are the longest that occur.
const MAX_VALUE: usize = 8 * 1024;
/// All names and values together, in bytes.
const MAX_TOTAL: usize = 32 * 1024;

/// A request's parameters by name. A parameter without a value counts as omitted; one that came twice has no value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
}

/// The request is bigger than any honest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooBig;

impl Params {
    /// Reads what came over the wire.
    pub(crate) fn read(pairs: &[(String, String)]) -> Result<Self, TooBig> {
        let total: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        let long = pairs
            .iter()
            .any(|(name, value)| name.len() > MAX_NAME || value.len() > MAX_VALUE);
        if pairs.len() > MAX_COUNT || total > MAX_TOTAL || long {
            return Err(TooBig);
        }
        let mut params = Self::default();
        let mut seen = BTreeSet::new();
        for (name, value) in pairs {
            if !seen.insert(name) {
                params.values.remove(name);
                params.repeated.insert(name.clone());
            } else if !value.is_empty() {
                params.values.insert(name.clone(), value.clone());
            }
        }
        Ok(params)
    }

    /// The value of `name`, if it came once and isn't empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of `name`, as an owned text.
    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// True if `name` came more than once.
    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.repeated.contains(name)
    }

    /// True if anything came more than once.
    pub(crate) fn has_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }
}
