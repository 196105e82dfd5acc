//! The pages behind a mailed approval link.

use super::Device;
use gait_core::approval::ApprovalPage;
use gait_sdk::{Form, Timestamp};
use serde::Serialize;

/// Was it you? Posts to its own address; the link is the capability, so that there is no further token.
#[derive(Clone, Debug, Serialize)]
pub struct Approval {
    /// The plugin's question.
    pub form: Form,
    /// When the sign-in was.
    pub asked_at: Timestamp,
    /// From which address; empty if unknown.
    pub address: String,
    /// With which browser.
    pub device: Device,
    /// A "yes" needs the `code` that the sign-in's tab shows.
    pub needs_code: bool,
    /// A wrong code was given; so many tries are left.
    pub tries_left: Option<u32>,
}

impl Approval {
    /// From the core's page.
    pub fn new(page: &ApprovalPage) -> Self {
        Self {
            form: page.form.clone(),
            asked_at: page.asked_at,
            address: page.address.clone(),
            device: Device::read(&page.user_agent),
            needs_code: page.needs_code,
            tries_left: page.tries_left,
        }
    }
}
