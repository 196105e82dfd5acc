//! Questions that are answered elsewhere: `/approve/{token}`. GET shows, POST answers, the plugin judges.

use crate::Idp;
use crate::error::Result;
use crate::visit::Caller;
use gait_sdk::{Form, Timestamp};
use std::collections::BTreeMap;

/// What the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalPage {
    /// The plugin's question.
    pub form: Form,
    /// When the sign-in was.
    pub asked_at: Timestamp,
    /// From which address, as text.
    pub address: String,
    /// With which browser.
    pub user_agent: String,
    /// This is not the sign-in's browser: a "yes" needs the `code` that the sign-in's tab shows.
    pub needs_code: bool,
    /// A wrong code was given; so many tries are left.
    pub tries_left: Option<u32>,
}

/// What an answer led to.
#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalOutcome {
    /// "It was me".
    Confirmed,
    /// "Not me": that session has ended and the address is forgotten; `all=end` on the same link ends all sessions.
    Disowned,
    /// All sessions have ended.
    AllEnded,
    /// The code was wrong: ask again.
    WrongCode(ApprovalPage),
    /// Unknown, expired or answered before.
    Gone,
}

impl Idp {
    /// What an approval link asks. Changes nothing. `None` if it is unknown, expired or answered.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn approval(&self, token: &str, caller: &Caller) -> Result<Option<ApprovalPage>> {
        todo!()
    }

    /// Answers it: the form's fields, and `code` from another browser.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn answer_approval(
        &self,
        token: &str,
        fields: &BTreeMap<String, String>,
        caller: &Caller,
    ) -> Result<ApprovalOutcome> {
        todo!()
    }
}
