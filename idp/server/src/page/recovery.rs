//! The page behind a recovery link.

use gait_sdk::{Form, Text};
use serde::Serialize;

/// The new secret. Posts the form's fields to its own address; the link is the capability, so that there is no further token.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryForm {
    /// The factor's set-up form.
    pub form: Form,
    /// What was wrong with the last answer.
    pub error: Option<Text>,
}
