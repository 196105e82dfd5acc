//! How a password is typed: the credential's own rhythm, with a consent of its own. It goes with the credential, and when the
//! password is changed.

use crate::Idp;
use crate::account::Account;
use crate::error::Result;
use crate::store::Whose;
use gait_sdk::{Batch, PluginId};
use serde::{Deserialize, Serialize};

/// How the right password was typed on the sign-in page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TypedPassword {
    /// Whose password it is: the factor that was proven with it.
    pub plugin: PluginId,
    /// The rhythm.
    pub batch: Batch,
}

impl Idp {
    /// True if this deployment looks at how passwords are typed at all.
    pub(crate) fn watches_passwords(&self) -> bool {
        self.watches() && self.policy.watch.password_rhythm
    }

    /// Whose rhythm it is, if the account has consented to it: its one credential of the factor. Which of several was typed, nobody
    /// says.
    pub(super) async fn whose_password(&self, account: &Account, typed: &TypedPassword) -> Result<Option<Whose>> {
        if !self.watches_passwords() || self.store.password_consent(account.id).await?.is_none() {
            return Ok(None);
        }
        let held = self.store.credentials(account.id, Some(&typed.plugin)).await?;
        Ok(match &held[..] {
            [only] => Some(Whose {
                account: account.id,
                credential: Some(only.credential.id.clone()),
            }),
            _ => None,
        })
    }
}
