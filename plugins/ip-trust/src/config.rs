//! `[plugins.ip-trust]`.

use crate::id;
use gait_sdk::PluginError;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// How trust is earned and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Sign-ins from a place until its owner is asked, 1 to 100.
    pub ask_after: u32,
    /// Private, loopback, link-local and carrier-grade NAT addresses may be trusted. Everybody behind the same router or
    /// proxy shares them, so this is for development only.
    pub allow_private: bool,
    /// Places remembered per account, 1 to 100; the one that wasn't used for longest gives way.
    pub max_entries: usize,
    /// Days without use after which a place is forgotten, 1 to 30.
    pub expires_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ask_after: 3,
            allow_private: false,
            max_entries: 20,
            expires_days: 30,
        }
    }
}

impl Config {
    /// Names the first key that is out of its range.
    pub(crate) fn check(&self) -> Result<(), PluginError> {
        within("ask_after", self.ask_after, 1..=100)?;
        within("max_entries", self.max_entries, 1..=100)?;
        within("expires_days", self.expires_days, 1..=30)
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
