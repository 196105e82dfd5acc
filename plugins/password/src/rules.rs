//! What may be tried, and what may become a password (ASVS 6.2, NIST SP 800-63B §3.1.1.2): length, and that others
//! wouldn't guess it at once. No rules of composition, no expiry.

use crate::{Config, NEW_PASSWORD, PASSWORD};
use gait_sdk::{Field, Form, Node, SubjectView, Text};
use std::cmp::Reverse;

/// Common passwords of eight characters and more in lower case: those that head every list of leaked ones, and what the
/// habits behind them make (a word with a year, a walk on the keyboard, a key held down).
const COMMON: &str = include_str!("../common.txt");

/// Names shorter than this are part of too many good passwords.
const MIN_NAME_CHARS: usize = 4;

/// Words shorter than this don't make a password worse.
const MIN_WORD_CHARS: usize = 3;

pub(crate) struct Rules {
    min_chars: usize,
    max_bytes: usize,
    /// What everybody knows of the deployment, in lower case.
    host_words: Vec<String>,
}

impl Rules {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            min_chars: config.min_chars,
            max_bytes: config.max_bytes,
            host_words: Vec::new(),
        }
    }

    /// With the name of the host that passwords are for.
    pub(crate) fn at(self, host: &str) -> Self {
        Self {
            host_words: words(&host.to_lowercase()).collect(),
            ..self
        }
    }

    /// False for what can't be anybody's password, and isn't worth a hash.
    pub(crate) fn may_be_tried(&self, password: &str) -> bool {
        (1..=self.max_bytes).contains(&password.len())
    }

    /// What is wrong with a new password.
    pub(crate) fn check(&self, password: &str, subject: &SubjectView) -> Result<(), Text> {
        // The length in bytes first: nothing else looks at a megabyte.
        if password.len() > self.max_bytes {
            let words = format!("That's too long: use at most {} bytes.", self.max_bytes);
            return Err(Text::new("password-too-long", &words).with("max", self.max_bytes));
        }
        if password.chars().count() < self.min_chars {
            let words = format!("That's too short: use at least {} characters.", self.min_chars);
            return Err(Text::new("password-too-short", &words).with("min", self.min_chars));
        }
        let folded = password.to_lowercase();
        if is_common(&folded) {
            let words = "Many people use this one, so it's guessed first. Choose another.";
            return Err(Text::new("password-too-common", words));
        }
        if names(subject).any(|name| folded.contains(&name)) {
            let words = "This contains your name or address, so it's easy to guess. Choose another.";
            return Err(Text::new("password-contains-name", words));
        }
        // What is left must be a password by itself: whoever guesses has the words already.
        let rest = self.without_words(folded, subject);
        if rest.chars().count() < self.min_chars || is_common(&rest) {
            let words = format!(
                "Apart from your name, your address and this site's name, too little is left. Use at least {} further characters that are \
                 hard to guess.",
                self.min_chars
            );
            return Err(Text::new("password-mostly-names", &words).with("min", self.min_chars));
        }
        Ok(())
    }

    /// The password without the words of its context (ASVS 6.2.11): what the subject and the host are known by.
    fn without_words(&self, folded: String, subject: &SubjectView) -> String {
        let of_subject = known_by(subject).flat_map(|name| words(&name).collect::<Vec<_>>());
        let mut words: Vec<_> = of_subject.chain(self.host_words.iter().cloned()).collect();
        // A word that is part of another one must not break it up.
        words.sort_by_key(|word| Reverse(word.len()));
        words.iter().fold(folded, |rest, word| rest.replace(word, ""))
    }

    /// The form at sign-in and step-up.
    pub(crate) fn question(&self) -> Form {
        Form {
            title: Text::new("password-title", "Enter your password"),
            nodes: vec![Node::Secret(Field {
                name: PASSWORD.to_owned(),
                label: Text::new("password-field", "Password"),
                autocomplete: "current-password".to_owned(),
                max_bytes: self.max_bytes,
            })],
            submit: Some(Text::new("password-submit", "Continue")),
        }
    }

    /// The form that sets a new one.
    pub(crate) fn new_question(&self) -> Form {
        let hint = format!(
            "At least {} characters. A few words that don't belong together are easy to remember and hard to guess.",
            self.min_chars
        );
        Form {
            title: Text::new("password-new-title", "Choose a new password"),
            nodes: vec![
                Node::Paragraph {
                    text: Text::new("password-new-hint", &hint).with("min", self.min_chars),
                },
                Node::Secret(Field {
                    name: NEW_PASSWORD.to_owned(),
                    label: Text::new("password-new-field", "New password"),
                    autocomplete: "new-password".to_owned(),
                    max_bytes: self.max_bytes,
                }),
            ],
            submit: Some(Text::new("password-new-submit", "Save password")),
        }
    }
}

fn is_common(folded: &str) -> bool {
    COMMON.lines().any(|common| common == folded)
}

/// What others know the subject by, in lower case: the user name, and the address before its `@`.
fn known_by(subject: &SubjectView) -> impl Iterator<Item = String> {
    let known = [Some(subject.username.as_str()), subject.email.as_deref()];
    known
        .into_iter()
        .flatten()
        .map(|name| name.rsplit_once('@').map_or(name, |(local, _)| local).to_lowercase())
}

/// Those of them that no password may contain.
fn names(subject: &SubjectView) -> impl Iterator<Item = String> {
    known_by(subject).filter(|name| name.chars().count() >= MIN_NAME_CHARS)
}

/// The words of a name: `login` and `example` of `login.example`.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= MIN_WORD_CHARS)
        .map(str::to_owned)
}
