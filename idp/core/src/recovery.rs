//! Recovery: a new password by mail. It ends all sessions and begins none, so whoever reads the mail still has to prove everything
//! else that a sign-in takes.

use crate::Idp;
use crate::account::{Account, Identifier};
use crate::effects::{EffectError, Origin};
use crate::error::{Error, Result};
use crate::event::What;
use crate::flow::call::{Occasion, Whom};
use crate::flow::limits::Counted;
use crate::flow::words;
use crate::ids::AccountId;
use crate::mail::{NOTICE_LIFE_S, address_of};
use crate::session::EndReason;
use crate::store::{CredentialChange, Which};
use crate::token::secret::{Secret, SecretKind};
use crate::visit::Caller;
use gait_sdk::{Answer, Authenticator, Form, Memo, Node, PluginError, Purpose, Reply, Step, Text, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seconds that a link lives.
const LINK_LIFE_S: u32 = 600;
/// Answers to one link.
const MAX_TRIES: u64 = 20;

/// What a link asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct RecoveryPrompt {
    /// User name of the account.
    pub account: String,
    /// The factor's form.
    pub form: Form,
}

/// What setting the new password led to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made once for a request, and at once taken apart")]
pub enum RecoveryOutcome {
    /// Done; sign in with it.
    Done,
    /// The new password won't do: ask again.
    Again(RecoveryPrompt, Text),
    /// Unknown, expired or used.
    Gone,
}

/// What a link stands for; kept under its hash. A link for nobody is kept too, so that nobody costs the same.
#[derive(Serialize, Deserialize)]
struct Link {
    account: Option<AccountId>,
    asked_at: Timestamp,
}

/// A link that can still be used.
struct Open {
    account: Account,
    plugin: Arc<dyn Authenticator>,
    form: Form,
    memo: Memo,
}

impl Open {
    fn prompt(self) -> RecoveryPrompt {
        RecoveryPrompt {
            account: self.account.username.as_str().to_owned(),
            form: self.form,
        }
    }
}

fn key(token: &Secret) -> String {
    format!("recovery:{}", token.hash().to_text())
}

impl Idp {
    /// Somebody forgot a password: mails a link if the identifier names an account with an address. The same for all others, in
    /// answer and time.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn begin_recovery(&self, identifier: &str, caller: &Caller) -> Result<()> {
        if self.policy.recovery.is_none() {
            return Ok(());
        }
        self.check_may_recover(&caller.visitor).await?;
        let identifier = Identifier::parse(identifier);
        let found = match &identifier {
            Some(identifier) => self.store.account_by(identifier).await?,
            None => None,
        };
        let account = found.filter(|account| account.disabled_at.is_none() && account.email.is_some());
        let typed = identifier.as_ref().map(Identifier::as_str).unwrap_or_default();
        if !self
            .may_mail("recovery", Counted::of(account.as_ref(), typed), &caller.visitor, 1)
            .await?
        {
            tracing::warn!("too many recovery mails were asked for; this one is not sent");
            return Ok(());
        }
        let secret = self.keep_link(account.as_ref()).await?;
        match account {
            Some(account) => self.mail_link(&account, &secret, caller).await,
            None => Ok(self.ports.mailer.post_to_nobody().await.map(drop)?),
        }
    }

    /// What somebody who asked for a link reads if no mail can be sent at all. Changes nothing.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn recovery_notice(&self) -> Result<Option<Text>> {
        self.mail_notice(None, false).await
    }

    async fn keep_link(&self, account: Option<&Account>) -> Result<Secret> {
        let secret = Secret::new(SecretKind::Recovery, &self.ports);
        let link = Link {
            account: account.map(|account| account.id),
            asked_at: self.ports.now(),
        };
        let bytes = serde_json::to_vec(&link).map_err(|why| Error::Inconsistent(format!("recovery: {why}")))?;
        self.ephemeral.put(&key(&secret), &bytes, LINK_LIFE_S).await?;
        Ok(secret)
    }

    async fn mail_link(&self, account: &Account, secret: &Secret, caller: &Caller) -> Result<()> {
        let mut args = self.mail_args(account, caller);
        args.insert("link".to_owned(), format!("{}/recovery/{}", self.issuer, secret.expose()));
        args.insert("minutes".to_owned(), (LINK_LIFE_S / 60).to_string());
        if let Some(mail) = self.own_mail(account, "recovery", args, caller, None, LINK_LIFE_S) {
            self.ports.mailer.post(mail).await?;
        }
        Ok(())
    }

    /// What a recovery link asks for. Changes nothing. `None` if it is unknown, expired or used.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn recovery_form(&self, token: &str, caller: &Caller) -> Result<Option<RecoveryPrompt>> {
        let Some(secret) = Secret::parse(SecretKind::Recovery, token) else {
            return Ok(None);
        };
        Ok(self.open_recovery(&secret, caller).await?.map(Open::prompt))
    }

    /// Sets the new password.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn finish_recovery(
        &self,
        token: &str,
        fields: &BTreeMap<String, String>,
        caller: &Caller,
    ) -> Result<RecoveryOutcome> {
        let Some(secret) = Secret::parse(SecretKind::Recovery, token) else {
            return Ok(RecoveryOutcome::Gone);
        };
        let Some(open) = self.open_recovery(&secret, caller).await? else {
            return Ok(RecoveryOutcome::Gone);
        };
        let tries = self.ephemeral.count(&format!("{}:tries", key(&secret)), LINK_LIFE_S).await?;
        if tries > MAX_TRIES {
            return Ok(RecoveryOutcome::Gone);
        }
        match self.ask_recovery(&open, fields, caller).await? {
            Ok(reply) => self.recover(&secret, &open, reply, caller).await,
            Err(text) => Ok(RecoveryOutcome::Again(open.prompt(), text)),
        }
    }

    /// The link of a living account that nothing has overtaken, with the question of the factor that recovery sets anew.
    async fn open_recovery(&self, secret: &Secret, caller: &Caller) -> Result<Option<Open>> {
        let Some(bytes) = self.ephemeral.get(&key(secret)).await? else {
            return Ok(None);
        };
        // One of a newer node may say what this one can't read.
        let Ok(link) = serde_json::from_slice::<Link>(&bytes) else {
            return Ok(None);
        };
        let account = match link.account {
            Some(id) => self.store.account(id).await?,
            None => None,
        };
        let overtaken = |limit: Option<Timestamp>| limit.is_some_and(|limit| link.asked_at < limit);
        let usable = |account: &Account| account.disabled_at.is_none() && !overtaken(account.credential_changed_at);
        let plugin = self
            .policy
            .recovery
            .as_ref()
            .and_then(|id| self.registry.authenticator(id))
            .cloned();
        let (Some(account), Some(plugin)) = (account.filter(usable), plugin) else {
            return Ok(None);
        };
        let occasion = occasion(caller);
        let cx = self.context(&plugin.manifest().id, Whom::Known(&account), occasion).await?;
        let reply = self.challenge(plugin.as_ref(), &cx).await;
        let reply = reply.map_err(|error| Error::Inconsistent(format!("recovery can't be asked for: {error}")))?;
        let Step::Ask { form, memo } = reply.step else {
            return Err(Error::Inconsistent(format!(
                "{} has nothing to set anew",
                plugin.manifest().id
            )));
        };
        Ok(Some(Open {
            account,
            plugin,
            form,
            memo,
        }))
    }

    /// What the plugin makes of the answer, or what the person should change. Nothing has happened yet.
    async fn ask_recovery(
        &self,
        open: &Open,
        fields: &BTreeMap<String, String>,
        caller: &Caller,
    ) -> Result<std::result::Result<Reply, Text>> {
        let Some(answer) = answer(&open.form, fields) else {
            return Ok(Err(words::wrong()));
        };
        let id = &open.plugin.manifest().id;
        let cx = self.context(id, Whom::Known(&open.account), occasion(caller)).await?;
        let reply = match self.verify(open.plugin.as_ref(), &cx, &open.memo, &answer).await {
            Ok(reply) => reply,
            Err(busy @ PluginError::Busy { .. }) => return Err(Error::Busy(busy.to_string())),
            Err(_) => return Ok(Err(words::broken())),
        };
        Ok(match reply.step {
            Step::Pass { .. } => Ok(reply),
            Step::Fail { reason, .. } => Err(reason.text),
            _ => Err(words::wrong()),
        })
    }

    /// The link is spent by exactly one winner, then everything happens.
    async fn recover(&self, secret: &Secret, open: &Open, reply: Reply, caller: &Caller) -> Result<RecoveryOutcome> {
        if self.ephemeral.take(&key(secret)).await?.is_none() {
            return Ok(RecoveryOutcome::Gone);
        }
        let account = &open.account;
        let origin = Origin {
            account,
            plugin: open.plugin.manifest(),
            purpose: Purpose::Enrol,
            caller,
            client: None,
            flow: None,
            session: None,
            browser: None,
            used: None,
        };
        let mut work = match self.prepare_effects(origin, reply.effects).await {
            Ok(work) => work,
            Err(EffectError::Core(error)) => return Err(error),
            Err(error) => return Err(Error::Inconsistent(format!("recovery: {error}"))),
        };
        work.batch.credentials.extend(self.trust_to_forget(account.id).await?);
        work.batch.credential_changed_at = Some(self.ports.now());
        let (what, address) = (What::Recovered, address_of(caller));
        work.batch
            .events
            .push(self.event(what, Some(account.id), None, None, address, &caller.request_id));
        self.store.carry_out(account.id, self.ports.now(), &work.batch).await?;
        self.end_all(&Which::AllOf(account.id), EndReason::AccountChanged, &[], caller)
            .await?;
        let whom = Counted::Account(account.id);
        if let Err(error) = self.clear_tries(whom, &open.plugin.manifest().id, &caller.visitor).await {
            tracing::warn!(%error, "the tries before a recovery still count");
        }
        self.tell_recovered(account, caller).await;
        Ok(RecoveryOutcome::Done)
    }

    /// What signals are trusted from: whoever reads the mail must not inherit it.
    async fn trust_to_forget(&self, account: AccountId) -> Result<Vec<CredentialChange>> {
        let waivers = self.registry.waivers();
        let stored = self.store.credentials(account, None).await?;
        let trusted = stored.into_iter().filter(|stored| waivers.contains(&stored.plugin));
        Ok(trusted
            .map(|stored| CredentialChange::Forget {
                plugin: stored.plugin,
                id: stored.credential.id,
            })
            .collect())
    }

    async fn tell_recovered(&self, account: &Account, caller: &Caller) {
        let mut args = self.mail_args(account, caller);
        args.insert("link".to_owned(), format!("{}/recovery", self.issuer));
        if let Some(mail) = self.own_mail(account, "password-changed", args, caller, None, NOTICE_LIFE_S) {
            self.post_notice(mail).await;
        }
    }
}

fn occasion(caller: &Caller) -> Occasion<'_> {
    Occasion {
        purpose: Purpose::Enrol,
        visitor: &caller.visitor,
        client: None,
        wanted_acr: None,
    }
}

/// The fields that the form asks for; `None` if one is longer than the form allows.
fn answer(form: &Form, fields: &BTreeMap<String, String>) -> Option<Answer> {
    let mut picked = BTreeMap::new();
    for node in &form.nodes {
        if let Node::Text(field) | Node::Secret(field) | Node::Code(field) = node
            && let Some(value) = fields.get(&field.name)
        {
            if value.len() > field.max_bytes {
                return None;
            }
            picked.insert(field.name.clone(), value.clone());
        }
    }
    Some(Answer(picked))
}
