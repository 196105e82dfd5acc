//! Questions as data. The theme draws them, so every plugin inherits theme, language, accessibility and use without
//! JavaScript.

use crate::Text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An input that the person fills in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name of the answer, for example `password`.
    pub name: String,
    /// Its label.
    pub label: Text,
    /// The `autocomplete` token of HTML, for example `current-password` or `one-time-code`.
    pub autocomplete: String,
    /// Longest accepted answer in bytes; the engine refuses more before the plugin sees it.
    pub max_bytes: usize,
}

/// One option of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The answer's value.
    pub value: String,
    /// What the person reads.
    pub label: Text,
}

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "node", rename_all = "snake_case")]
pub enum Node {
    /// A paragraph.
    Paragraph {
        /// Its words.
        text: Text,
    },
    /// What has just happened, as a status that is also read out: a new code was sent.
    Notice {
        /// Its words.
        text: Text,
    },
    /// A line of text.
    Text(Field),
    /// A secret: masked, pasting allowed, never sent back, never measured.
    Secret(Field),
    /// A short code: numeric keyboard, never measured.
    Code(Field),
    /// One of several, as buttons.
    Choice {
        /// Name of the answer.
        name: String,
        /// The options, in order.
        options: Vec<Choice>,
    },
    /// A value to read or compare, in large type (the code of another tab, the address asked about).
    Show {
        /// What it is.
        label: Text,
        /// The value.
        value: String,
    },
    /// A further button that answers `name=value` without filling the fields in, for example "send again".
    Button {
        /// Name of the answer.
        name: String,
        /// Its value.
        value: String,
        /// What the person reads.
        label: Text,
        /// Seconds from the question until it may be pressed; the page counts down what is left of them.
        wait_s: u32,
    },
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Heading.
    pub title: Text,
    /// Parts, in order.
    pub nodes: Vec<Node>,
    /// The main button; `None` if the nodes bring their own.
    pub submit: Option<Text>,
}

/// What the plugin remembers between question and answer. The browser never sees it.
#[derive(Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Memo(pub serde_json::Value);

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo(***)")
    }
}

/// What came back: names and values of the form's fields. Its `Debug` shows names only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Answer(pub BTreeMap<String, String>);

impl Answer {
    /// The value of one field, if it was sent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}
