//! The pages before and behind a recovery link.

use gait_sdk::{Form, Text};
use serde::Serialize;

/// A link was mailed, or not.
#[derive(Clone, Debug, Serialize)]
pub struct RecoverySent {
    /// That no mail can be sent, if it is so.
    pub notice: Option<Text>,
}

/// The new secret. Posts the form's fields to its own address; the link is the capability, so that there is no further token.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryForm {
    /// User name of the account, which password managers want to see.
    pub account: String,
    /// The factor's set-up form.
    pub form: Form,
    /// What was wrong with the last answer.
    pub error: Option<Text>,
}
