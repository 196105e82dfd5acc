//! `[plugins.password]`.

use crate::id;
use gait_sdk::PluginError;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Memory that one hash may take, in KiB; also of a hash that is already stored.
pub(crate) const M_COST_KIB: RangeInclusive<u32> = 8..=1_048_576;
/// Passes over the memory.
pub(crate) const T_COST: RangeInclusive<u32> = 1..=32;
/// Lanes.
pub(crate) const P_COST: RangeInclusive<u32> = 1..=16;

/// The parameters of argon2id and the rules for new passwords. The defaults are OWASP's (19 MiB, two passes, one lane) and
/// ASVS 6.2's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Memory per hash in KiB, 8 to 1048576 and at least eight per lane. Below OWASP's 19456 only tests make sense.
    pub m_cost_kib: u32,
    /// Passes over the memory, 1 to 32.
    pub t_cost: u32,
    /// Lanes, 1 to 16.
    pub p_cost: u32,
    /// Shortest new password in characters, 8 (ASVS 6.2.1) to 64.
    pub min_chars: usize,
    /// Longest password in bytes, 256 (64 characters of four bytes, ASVS 6.2.9) to 4096. More is refused before it's hashed.
    pub max_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            m_cost_kib: 19_456,
            t_cost: 2,
            p_cost: 1,
            min_chars: 8,
            max_bytes: 256,
        }
    }
}

impl Config {
    /// Names the first key that is out of its range.
    pub(crate) fn check(&self) -> Result<(), PluginError> {
        within("m_cost_kib", self.m_cost_kib, M_COST_KIB)?;
        within("t_cost", self.t_cost, T_COST)?;
        within("p_cost", self.p_cost, P_COST)?;
        within("min_chars", self.min_chars, 8..=64)?;
        within("max_bytes", self.max_bytes, 256..=4096)
    }
}

fn within<T: PartialOrd + std::fmt::Display>(key: &str, value: T, range: RangeInclusive<T>) -> Result<(), PluginError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(PluginError::Config {
        plugin: id(),
        detail: format!("{key} = {value} must be from {} to {}", range.start(), range.end()),
    })
}
