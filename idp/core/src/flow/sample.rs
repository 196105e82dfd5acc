//! The rhythm of the identifier's typing, as the sign-in page measured it.

use crate::Idp;
use crate::continuous::parse_batch;
use crate::visit::Caller;
use gait_sdk::{Batch, Channel};
use std::collections::BTreeMap;

impl Idp {
    /// Reads it, if this browser may be measured at all. What can't be read is as good as none: missing data is never an anomaly.
    pub(super) fn read_sample(&self, caller: &Caller, fields: &BTreeMap<String, String>) -> Option<Batch> {
        if !caller.marker || !self.watches() {
            return None;
        }
        let batch = parse_batch(fields.get("behavior")?.as_bytes()).ok()??;
        Some(Batch {
            channel: Channel::SignIn,
            ..batch
        })
    }
}
