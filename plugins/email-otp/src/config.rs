//! `[plugins.email-otp]`.

use crate::{id, mask};
use gait_sdk::PluginError;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Limits of a code, and what the page shows to those who have no address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seconds that a code lives, 60 to 600 (ASVS 6.5.5).
    pub ttl_s: u32,
    /// Wrong codes until the right one is refused too, 1 to 10.
    pub max_failures: u32,
    /// Seconds until another code may be asked for, 5 to 300.
    pub resend_wait_s: u32,
    /// Domains from which the masked address shown for an unknown user name is made up. Name those that your accounts have,
    /// so that it doesn't stand out.
    pub decoy_domains: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ttl_s: 600,
            max_failures: 5,
            resend_wait_s: 30,
            decoy_domains: ["gmail.com", "outlook.com", "icloud.com", "yahoo.com", "gmx.net"]
                .map(str::to_owned)
                .into(),
        }
    }
}

impl Config {
    /// Names the first key that is out of its range.
    pub(crate) fn check(&self) -> Result<(), PluginError> {
        within("ttl_s", self.ttl_s, 60..=600)?;
        within("max_failures", self.max_failures, 1..=10)?;
        within("resend_wait_s", self.resend_wait_s, 5..=300)?;
        let maskable = |domain: &String| mask::masked(&format!("x@{domain}")).is_some();
        if self.decoy_domains.is_empty() || !self.decoy_domains.iter().all(maskable) {
            return Err(wrong(
                "decoy_domains must be at least one domain, each like \"example.com\"".to_owned(),
            ));
        }
        Ok(())
    }

    /// The lifetime for people: whole minutes, never more than it is.
    pub(crate) fn minutes(&self) -> u32 {
        self.ttl_s / 60
    }
}

fn within(key: &str, value: u32, range: RangeInclusive<u32>) -> Result<(), PluginError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(wrong(format!(
        "{key} = {value} must be from {} to {}",
        range.start(),
        range.end()
    )))
}

fn wrong(detail: String) -> PluginError {
    PluginError::Config { plugin: id(), detail }
}
