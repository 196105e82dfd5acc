//! A browser's cookies, as far as Gait sets any: each must keep the rules of the `__Host-` prefix. (Libraries don't send Secure
//! cookies over http; browsers do on loopback.)

use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;

#[derive(Clone)]
struct Cookie {
    value: String,
    /// It outlives the browser.
    lasts: bool,
}

/// The cookies of one site.
#[derive(Clone, Default)]
pub struct Jar(BTreeMap<String, Cookie>);

impl Jar {
    /// Takes a `Set-Cookie` line.
    ///
    /// # Errors
    /// A browser would refuse it, or scripts could read it.
    pub fn take(&mut self, line: &str) -> anyhow::Result<()> {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .context("a cookie without a value")?;
        let attributes: BTreeMap<String, &str> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let is_host = name.starts_with("__Host-") && attributes.get("path") == Some(&"/") && !attributes.contains_key("domain");
        let is_closed =
            attributes.contains_key("secure") && attributes.contains_key("httponly") && attributes.contains_key("samesite");
        ensure!(
            is_host && is_closed,
            "cookie {name} doesn't keep the rules: {:?}",
            attributes.keys()
        );
        let max_age: Option<i64> = attributes
            .get("max-age")
            .map(|age| age.parse())
            .transpose()
            .context("Max-Age")?;
        if max_age.is_some_and(|age| age <= 0) {
            self.0.remove(name);
        } else {
            self.0.insert(
                name.to_owned(),
                Cookie {
                    value: value.to_owned(),
                    lasts: max_age.is_some(),
                },
            );
        }
        Ok(())
    }

    /// The `Cookie` header.
    pub fn header(&self) -> String {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        pairs.join("; ")
    }

    /// Whether there is a cookie of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Forgets what ends with the browser.
    pub fn close(&mut self) {
        self.0.retain(|_, cookie| cookie.lasts);
    }
}
