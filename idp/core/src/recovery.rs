//! Recovery: a new password by mail. It ends all sessions and begins none.

use crate::Idp;
use crate::error::Result;
use crate::visit::Caller;
use gait_sdk::{Form, Text};
use std::collections::BTreeMap;

/// What setting the new password led to.
#[derive(Clone, Debug, PartialEq)]
pub enum RecoveryOutcome {
    /// Done; sign in with it.
    Done,
    /// The new password won't do: ask again.
    Again(Form, Text),
    /// Unknown, expired or used.
    Gone,
}

impl Idp {
    /// Somebody forgot a password: mails a link if the identifier names an account with an address. The same for all others, in
    /// answer and time.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn begin_recovery(&self, identifier: &str, caller: &Caller) -> Result<()> {
        todo!()
    }

    /// The form behind a recovery link. Changes nothing. `None` if it is unknown, expired or used.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn recovery_form(&self, token: &str, caller: &Caller) -> Result<Option<Form>> {
        todo!()
    }

    /// Sets the new password.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn finish_recovery(
        &self,
        token: &str,
        fields: &BTreeMap<String, String>,
        caller: &Caller,
    ) -> Result<RecoveryOutcome> {
        todo!()
    }
}
