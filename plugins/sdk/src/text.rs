//! Words for people, named so that a theme can translate them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A message by its Fluent key. A theme that knows the key renders it in the visitor's language; one that doesn't shows
/// `fallback`, so a plugin works with themes that have never heard of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Fluent message id, for example `otp-intro`.
    pub key: String,
    /// Arguments of the message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Plain English, complete in itself.
    pub fallback: String,
}

impl Text {
    /// A message without arguments.
    pub fn new(key: &str, fallback: &str) -> Self {
        Self {
            key: key.to_owned(),
            args: BTreeMap::new(),
            fallback: fallback.to_owned(),
        }
    }
    /// Adds one argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }
}
