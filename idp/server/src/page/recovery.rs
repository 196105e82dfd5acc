//! The pages of recovery.

use gait_sdk::{Form, Text};
use serde::Serialize;

/// Who are you? Posts `identifier` to its own address.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryStart {
    /// Hidden field `csrf`.
    pub csrf: String,
    /// What to fill in.
    pub identifier: String,
    /// What was wrong with the last answer.
    pub error: Option<Text>,
}

/// The new secret. Posts the form's fields to its own address.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryForm {
    /// Hidden field `csrf`.
    pub csrf: String,
    /// The factor's set-up form.
    pub form: Form,
    /// What was wrong with the last answer.
    pub error: Option<Text>,
}
