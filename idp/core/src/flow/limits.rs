//! How often somebody may try. Counted before a plugin is asked, atomically, whoever it is that tries.

use crate::Idp;
use crate::account::Account;
use crate::error::{Error, Result};
use crate::ids::AccountId;
use crate::rates::network;
use gait_sdk::{PluginId, Visitor};
use uuid::Uuid;

/// Seconds of a window.
pub(crate) const WINDOW_S: u32 = 900;
/// Answers in one flow.
pub(crate) const ATTEMPTS_PER_FLOW: u32 = 30;
/// Seconds that a browser is remembered as one that signed in to an account.
const DEVICE_LIFE_S: u32 = 90 * 86_400;

/// Whose tries are counted: an account's, or those for an identifier that names nobody.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counted<'a> {
    /// An account.
    Account(AccountId),
    /// An identifier.
    Identifier(&'a str),
}

impl<'a> Counted<'a> {
    /// The account, or else the identifier.
    pub fn of(account: Option<&Account>, identifier: &'a str) -> Self {
        account.map_or(Self::Identifier(identifier), |account| Self::Account(account.id))
    }
    fn key(self) -> String {
        match self {
            Self::Account(id) => format!("a:{id}"),
            Self::Identifier(text) => format!("i:{text}"),
        }
    }
}

fn address_key(visitor: &Visitor) -> String {
    network(visitor.address)
}

fn device_key(account: AccountId, device: &str) -> String {
    format!("device:{account}:{device}")
}

fn attempts_key(visitor: &Visitor) -> String {
    format!("attempts:{}", address_key(visitor))
}

impl Idp {
    /// Counts one answer from an address; false if it must not be looked at.
    pub(crate) async fn address_may_try(&self, visitor: &Visitor) -> Result<bool> {
        Ok(self.ephemeral.count(&attempts_key(visitor), WINDOW_S).await? <= self.policy.limits.attempts_per_address)
    }

    /// Counts one answer for somebody; false if it must not be looked at. Kept durably, so the address must have been let pass
    /// before: whoever may not try must not write either.
    pub(crate) async fn may_try(&self, whom: Counted<'_>, plugin: &PluginId, visitor: &Visitor) -> Result<bool> {
        let key = self.own_key(&format!("try:{plugin}"), whom, visitor).await?;
        let of_account = self.store.count_attempt(&key, self.ports.now(), WINDOW_S).await?;
        Ok(of_account <= self.policy.limits.attempts_per_account)
    }

    /// The person got it right: their tries start anew, and the address, which others may share, is not charged for this one.
    pub(crate) async fn clear_tries(&self, whom: Counted<'_>, plugin: &PluginId, visitor: &Visitor) -> Result<()> {
        self.discharge_address(visitor).await?;
        let key = self.own_key(&format!("try:{plugin}"), whom, visitor).await?;
        Ok(self.store.clear_attempts(&key).await?)
    }

    /// Takes the answer back that was counted last from an address.
    pub(crate) async fn discharge_address(&self, visitor: &Visitor) -> Result<()> {
        Ok(self.ephemeral.uncount(&attempts_key(visitor)).await?)
    }

    /// Counts a flow that is about to be kept.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub(crate) async fn check_may_begin(&self, visitor: &Visitor) -> Result<()> {
        self.count_visitor("flows", visitor, self.policy.limits.flows_per_address)
            .await
    }

    /// Counts a recovery that is asked for.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub(crate) async fn check_may_recover(&self, visitor: &Visitor) -> Result<()> {
        self.count_visitor("recoveries", visitor, self.policy.limits.recoveries_per_address)
            .await
    }

    async fn count_visitor(&self, what: &str, visitor: &Visitor, most: u64) -> Result<()> {
        let key = format!("{what}:{}", address_key(visitor));
        match self.ephemeral.count(&key, WINDOW_S).await? {
            count if count <= most => Ok(()),
            _ => Err(Error::TooMany(WINDOW_S)),
        }
    }

    /// Under what something is counted for somebody. A browser that has signed in to the account before has counts of its own, so
    /// that strangers can't use up the owner's (ASVS 5.0 6.1.1).
    async fn own_key(&self, what: &str, whom: Counted<'_>, visitor: &Visitor) -> Result<String> {
        let shared = format!("{what}:{}", whom.key());
        let account = match whom {
            Counted::Account(account) => account,
            Counted::Identifier(_) => AccountId(Uuid::nil()), // nobody's browser is known, and nobody costs the same look-up
        };
        match &visitor.device {
            Some(device) if self.knows_device(account, device).await? => Ok(format!("{shared}:{device}")),
            _ => Ok(shared),
        }
    }

    async fn knows_device(&self, account: AccountId, device: &str) -> Result<bool> {
        if self.ephemeral.get(&device_key(account, device)).await?.is_some() {
            return Ok(true);
        }
        let sessions = self.store.sessions_of(account).await?;
        Ok(sessions.iter().any(|session| session.place.device.as_deref() == Some(device)))
    }

    /// Remembers that this browser signed in to this account. Forgetting it costs its owner some tries, no more.
    pub(crate) async fn remember_device(&self, account: AccountId, device: &str) -> Result<()> {
        let key = device_key(account, device);
        Ok(self.ephemeral.put(&key, b"1", DEVICE_LIFE_S).await?)
    }

    /// Counts mails that are about to be sent; false if they must not be. `why` is who asks for them, a plugin or recovery: what
    /// any stranger may ask for must not use up what the owner needs to sign in.
    pub(crate) async fn may_mail(&self, why: &str, whom: Counted<'_>, visitor: &Visitor, mails: usize) -> Result<bool> {
        for _ in 0..mails {
            let by_address = format!("mails:{}", address_key(visitor));
            if self.ephemeral.count(&by_address, WINDOW_S).await? > self.policy.mails.per_address {
                return Ok(false);
            }
            let key = self.own_key(&format!("mail:{why}"), whom, visitor).await?;
            if self.store.count_attempt(&key, self.ports.now(), WINDOW_S).await? > self.policy.mails.per_account {
                return Ok(false);
            }
            // Last, so that what was refused above uses none of it up.
            let key = format!("mailbox:{}", whom.key());
            if self.store.count_attempt(&key, self.ports.now(), WINDOW_S).await? > self.policy.mails.per_mailbox {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
