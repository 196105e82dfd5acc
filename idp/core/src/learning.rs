//! Learning: records become models. Called by a leased job.

use crate::Idp;
use crate::account::Account;
use crate::error::Result;
use crate::ids::{AccountId, SessionId};
use crate::trust::SignInTrust;
use gait_sdk::{Batch, Context, Prepared};
use std::collections::HashMap;
use std::sync::Mutex;

/// Parsed models of this node's memory, by account, each with the `trained_at_ms` that it was parsed from.
#[derive(Default)]
pub struct Models {
    pub(crate) parsed: Mutex<HashMap<AccountId, (i64, Prepared)>>,
}

impl Idp {
    /// Trains the accounts that have unsettled records; returns how many models were written.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn learn_due(&self) -> Result<usize> {
        todo!()
    }

    /// Judges a sign-in's sample for a consenting account in mode `auth` where the deployment enforces; neutral otherwise.
    ///
    /// # Errors
    /// A backend is away.
    pub(crate) async fn signin_trust(&self, account: &Account, sample: Option<&Batch>, cx: &Context) -> Result<SignInTrust> {
        todo!()
    }

    /// Keeps a completed sign-in's sample for learning, if its account has consented.
    ///
    /// # Errors
    /// A backend is away.
    pub(crate) async fn keep_signin_sample(
        &self,
        account: &Account,
        session: &SessionId,
        sample: &Batch,
        cx: &Context,
    ) -> Result<()> {
        todo!()
    }

    /// Deletes records past their time.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn purge_behaviour(&self) -> Result<u64> {
        todo!()
    }
}
