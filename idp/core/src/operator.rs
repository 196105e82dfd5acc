//! What an operator does at the command line, without the account's owner.

use crate::Idp;
use crate::account::{Account, Mode, StoredCredential};
use crate::error::{Error, Result};
use crate::event::What;
use crate::measure::Revocation;
use crate::session::EndReason;
use crate::store::{CredentialChange, EffectBatch, Which};

/// `txn` of what was done here.
const TXN: &str = "operator";
/// Accounts that are looked at in one go.
const PAGE: u32 = 100;

impl Idp {
    /// Sets the mode. `auth` only once the account is enrolled: it would be judged by nothing.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] if it isn't enrolled; or a backend is away.
    pub async fn set_mode_by_operator(&self, account: &Account, mode: Mode) -> Result<()> {
        if mode == Mode::Auth && !self.is_enrolled(account).await? {
            let name = account.username.as_str();
            return Err(Error::Inconsistent(format!(
                "{name} isn't enrolled yet: there is nothing to judge by"
            )));
        }
        let event = self.event(What::ModeChanged { mode }, Some(account.id), None, None, None, TXN);
        Ok(self.store.set_mode(account.id, mode, &[event]).await?)
    }

    async fn is_enrolled(&self, account: &Account) -> Result<bool> {
        let Some(scorer) = self.registry.scorer() else {
            return Ok(false);
        };
        let model = self.store.model(&account.id.into(), &scorer.manifest().id).await?;
        Ok(model.is_some_and(|model| model.enrolled))
    }

    /// Disables an account, ending all its sessions, or enables it.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn set_disabled_by_operator(&self, account: &Account, disabled: bool) -> Result<()> {
        let now = self.ports.now();
        if disabled {
            self.end_all_by_operator(account).await?;
        }
        let event = self.event(What::AccountDisabled { disabled }, Some(account.id), None, None, None, TXN);
        let begun_us = self.ports.meter.stopwatch_us();
        self.store.set_disabled(account.id, disabled.then_some(now), &[event]).await?;
        if disabled {
            self.ports
                .note_revoked(Revocation::Session(EndReason::AccountChanged), begun_us);
        }
        self.ports.wake.wake();
        Ok(())
    }

    /// Puts a credential in the place of the ones that its plugin has of the account, and ends all sessions.
    ///
    /// # Errors
    /// A backend is away, or the credential changed meanwhile.
    pub async fn replace_credential_by_operator(&self, account: &Account, credential: StoredCredential) -> Result<()> {
        let now = self.ports.now();
        let plugin = credential.plugin.clone();
        let held = self.store.credentials(account.id, Some(&plugin)).await?;
        let mut credentials: Vec<_> = held
            .into_iter()
            .map(|held| CredentialChange::Forget {
                plugin: plugin.clone(),
                id: held.credential.id,
            })
            .collect();
        credentials.push(CredentialChange::Add(credential));
        let what = What::CredentialChanged {
            plugin,
            change: "update".to_owned(),
        };
        let batch = EffectBatch {
            credentials,
            approvals: Vec::new(),
            credential_changed_at: Some(now),
            events: vec![self.event(what, Some(account.id), None, None, None, TXN)],
        };
        self.store.carry_out(account.id, now, &batch).await?;
        self.end_all_by_operator(account).await?;
        Ok(())
    }

    /// Ends all sessions, grants and tokens of all accounts; returns how many sessions lived.
    ///
    /// # Errors
    /// A backend is away: those of the accounts before it are ended.
    pub async fn end_everything_by_operator(&self) -> Result<usize> {
        let (mut after, mut ended) = (None, 0);
        loop {
            let page = self.store.accounts(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(ended) };
            after = Some(last.id);
            for account in &page {
                ended += self.end_all_by_operator(account).await?;
            }
        }
    }

    /// Ends all sessions, grants and tokens of an account; returns how many sessions lived.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn end_all_by_operator(&self, account: &Account) -> Result<usize> {
        let reason = EndReason::AccountChanged;
        let events = |session: &crate::session::Session| {
            let what = What::SessionEnded {
                reason,
                reasons: Vec::new(),
            };
            vec![self.event(what, Some(session.account), Some(&session.id), None, None, TXN)]
        };
        let begun_us = self.ports.meter.stopwatch_us();
        let which = Which::AllOf(account.id);
        let ended = self.store.end_sessions(&which, self.ports.now(), reason, &events).await?;
        self.ports.note_revoked(Revocation::Session(reason), begun_us);
        self.ports.wake.wake();
        Ok(ended.len())
    }
}
