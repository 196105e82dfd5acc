//! The rhythm of typing, as the sign-in page measured it.

use crate::Idp;
use crate::account::Account;
use crate::continuous::parse_batch;
use crate::error::Result;
use crate::visit::{Caller, Cookie};
use gait_sdk::{Batch, Channel};
use std::collections::BTreeMap;

/// Field of the identifier's rhythm.
pub(super) const BEHAVIOUR_FIELD: &str = "behavior";
/// Field of the password's rhythm.
const PASSWORD_FIELD: &str = "behavior_password";

impl Idp {
    /// Reads the identifier's, if this browser may be measured at all. What can't be read is as good as none: missing data is never an anomaly.
    pub(super) fn read_sample(&self, caller: &Caller, fields: &BTreeMap<String, String>) -> Option<Batch> {
        if !caller.marker || !self.watches() {
            return None;
        }
        let batch = parse_batch(fields.get(BEHAVIOUR_FIELD)?.as_bytes()).ok()??;
        Some(Batch {
            channel: Channel::SignIn,
            ..batch
        })
    }

    /// Reads the password's, likewise: by positions only. Which keys they were must not come in here, whatever the page sends.
    pub(super) fn read_password_sample(&self, caller: &Caller, fields: &BTreeMap<String, String>) -> Option<Batch> {
        if !caller.password_marker || !self.watches_passwords() {
            return None;
        }
        let batch = parse_batch(fields.get(PASSWORD_FIELD)?.as_bytes()).ok()??;
        Some(Batch {
            channel: Channel::Password,
            keys: Vec::new(),
            path: Vec::new(),
            ..batch
        })
    }

    /// Takes the marker from a browser in which somebody signs in who hasn't consented to have the password measured.
    pub(super) async fn check_password_marker(&self, account: &Account, caller: &Caller) -> Result<Option<Cookie>> {
        let stays = !caller.password_marker || self.store.password_consent(account.id).await?.is_some();
        Ok((!stays).then_some(Cookie::PasswordMarker(false)))
    }
}
