//! What a plugin answers: a step, and effects that the host carries out.

use crate::{AccountHandle, CredentialId, Form, Memo, Record, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An authentication method reference (RFC 8176, IANA registry), for example `pwd` or `otp`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amr(pub String);

impl From<&str> for Amr {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

/// Why a step failed, in words for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What the page says. It never tells which part of several was wrong.
    pub text: Text,
    /// True if the challenge is dead: a new one must be asked for before another answer counts.
    pub spent: bool,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Ask the person.
    Ask {
        /// What.
        form: Form,
        /// What to remember until the answer comes.
        memo: Memo,
    },
    /// "This says who it is": the engine resolves the account and calls `verify` again with its credentials. Never a pass.
    Claim {
        /// Whom.
        handle: AccountHandle,
        /// What to remember.
        memo: Memo,
    },
    /// Proven, in these ways; must be a subset of the manifest's `amr`. Empty for a waiver.
    Pass {
        /// How.
        amr: Vec<Amr>,
    },
    /// Not proven.
    Fail {
        /// Why.
        reason: Reason,
        /// The memo from now on; `None` keeps the one that was given.
        memo: Option<Memo>,
    },
    /// Nothing to say: not enrolled, or not here. Never a pass and never a failure.
    Abstain,
}

/// Store a credential of this plugin for the subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Save {
    /// Which one to replace; `None` adds one.
    pub credential: Option<CredentialId>,
    /// The version that is replaced. If it is stale, the whole step fails: two flows can't spend one recovery code.
    pub expected_version: Option<i64>,
    /// What the account page calls it, at most 100 bytes.
    pub label: String,
    /// The plugin's data, at most 16 KiB as JSON.
    pub payload: serde_json::Value,
}

/// A mail to the subject's own address; a plugin can't name another. That of an unknown subject goes nowhere, but the host
/// counts it like any other, so that limits don't tell who exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Template in the theme's `mail/` folder, without extension, for example `otp`.
    pub template: String,
    /// What the template may use.
    pub args: BTreeMap<String, String>,
    /// Seconds for which it is worth sending, if what it carries lives no longer; an hour by default, a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life_s: Option<u32>,
}

/// A question that is answered elsewhere: a mail link, a phone. The core serves it at `/approve/{token}`, mails the link
/// with template `mail`, and calls the plugin's `verify` with purpose [`crate::Purpose::Approval`] and the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// What is asked; the core adds when, where and what.
    pub form: Form,
    /// Seconds until it dies.
    pub ttl_s: u32,
    /// What the plugin remembers until the answer.
    pub memo: Memo,
    /// Template of the mail that carries the link.
    pub mail: String,
}

/// What the host is asked to do. All effects of a reply are carried out, or none, and a pass counts only afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Store a credential.
    Save(Save),
    /// Delete a credential of this plugin.
    Forget {
        /// Which.
        credential: CredentialId,
    },
    /// Send a mail.
    Mail(Mail),
    /// Keep a record for later learning (dropped unless the account consented).
    Keep(Record),
    /// Ask elsewhere.
    Approval(Approval),
}

/// A step with its effects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What happened.
    pub step: Step,
    /// What to do.
    pub effects: Vec<Effect>,
}

impl From<Step> for Reply {
    fn from(step: Step) -> Self {
        Self {
            step,
            effects: Vec::new(),
        }
    }
}

impl Reply {
    /// Proven in these ways.
    pub fn pass(amr: &[&str]) -> Self {
        Step::Pass {
            amr: amr.iter().map(|&value| value.into()).collect(),
        }
        .into()
    }
    /// Not proven; the memo stays, and the person may try again.
    pub fn fail(text: Text) -> Self {
        Step::Fail {
            reason: Reason { text, spent: false },
            memo: None,
        }
        .into()
    }
    /// Adds an effect.
    #[must_use]
    pub fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}
