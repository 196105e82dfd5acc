//! Questions that are answered elsewhere: `/approve/{token}`. GET shows, POST answers, the plugin judges. What "not me" does to the
//! session is the core's.

use crate::Idp;
use crate::account::Account;
use crate::effects::{EffectError, Origin, Work};
use crate::error::{Error, Result};
use crate::event::What;
use crate::flow::call::{Occasion, Whom};
use crate::ids::AccountId;
use crate::mail::address_of;
use crate::session::EndReason;
use crate::store::{StoredApproval, Which};
use crate::token::secret::{Hash, Secret, SecretKind};
use crate::visit::Caller;
use gait_sdk::{Answer, Authenticator, Form, Purpose, Reply, Step, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Wrong codes that kill an approval.
const MAX_WRONG_CODES: u32 = 3;
/// Longest answer that a plugin is shown, in bytes.
const MAX_VALUE_BYTES: usize = 1024;

/// What the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalPage {
    /// The plugin's question.
    pub form: Form,
    /// When the sign-in was.
    pub asked_at: Timestamp,
    /// From which address, as text.
    pub address: String,
    /// With which browser.
    pub user_agent: String,
    /// This is not the sign-in's browser: a "yes" needs the `code` that the sign-in's tab shows.
    pub needs_code: bool,
    /// A wrong code was given; so many tries are left.
    pub tries_left: Option<u32>,
}

/// What an answer led to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made once for a request, and at once taken apart")]
pub enum ApprovalOutcome {
    /// "It was me".
    Confirmed,
    /// "Not me": that session has ended and the address is forgotten; `all=end` on the same link ends all sessions.
    Disowned,
    /// All sessions have ended.
    AllEnded,
    /// The code was wrong (or nothing was chosen): ask again.
    WrongCode(ApprovalPage),
    /// Unknown, expired or answered before.
    Gone,
}

/// An approval that can still be answered.
struct Open {
    approval: StoredApproval,
    account: Account,
    plugin: Arc<dyn Authenticator>,
}

/// What the plugin says to an answer.
enum Says {
    Yes(Reply),
    No(Reply),
    Neither,
}

impl Idp {
    /// What an approval link asks. Changes nothing. `None` if it is unknown, expired or answered.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn approval(&self, token: &str, caller: &Caller) -> Result<Option<ApprovalPage>> {
        let open = self.open_approval(token).await?;
        Ok(open.map(|open| page(&open.approval, caller, None)))
    }

    /// True for a link that was answered with "not me" and can still end all sessions (`all=end`).
    ///
    /// # Errors
    /// A backend is away.
    pub async fn is_disowned(&self, token: &str) -> Result<bool> {
        let Some(secret) = Secret::parse(SecretKind::Approval, token) else {
            return Ok(false);
        };
        Ok(self.ephemeral.get(&disowned_key(&secret.hash())).await?.is_some())
    }

    /// Answers it: the form's fields, and `code` from another browser.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn answer_approval(
        &self,
        token: &str,
        fields: &BTreeMap<String, String>,
        caller: &Caller,
    ) -> Result<ApprovalOutcome> {
        if fields.get("all").map(String::as_str) == Some("end") {
            return self.end_all_disowned(token, caller).await;
        }
        let Some(open) = self.open_approval(token).await? else {
            return Ok(ApprovalOutcome::Gone);
        };
        match self.judge_approval(&open, fields, caller).await {
            // Another answer may have been quicker, and have changed what this one was judged by.
            Err(error) => match self.open_approval(token).await? {
                Some(_) => Err(error),
                None => Ok(ApprovalOutcome::Gone),
            },
            judged => judged,
        }
    }

    async fn judge_approval(&self, open: &Open, fields: &BTreeMap<String, String>, caller: &Caller) -> Result<ApprovalOutcome> {
        match self.ask_approval(open, fields).await? {
            Says::Yes(reply) => self.confirm(open, reply, fields, caller).await,
            Says::No(reply) => self.disown(open, reply, caller).await,
            Says::Neither => Ok(ApprovalOutcome::WrongCode(page(&open.approval, caller, None))),
        }
    }

    /// The approval behind a link, if it can be answered. A link that is older than a change of the account's credentials, or than
    /// the end of all its sessions, is worth nothing.
    async fn open_approval(&self, token: &str) -> Result<Option<Open>> {
        let Some(secret) = Secret::parse(SecretKind::Approval, token) else {
            return Ok(None);
        };
        let Some(approval) = self.store.approval(&secret.hash()).await? else {
            return Ok(None);
        };
        let dead = approval.answered_at.is_some() || approval.expires_at <= self.ports.now();
        if dead || approval.attempts >= MAX_WRONG_CODES {
            return Ok(None);
        }
        let account = self.store.account(approval.account).await?;
        let overtaken = |limit: Option<Timestamp>| limit.is_some_and(|limit| approval.asked_at < limit);
        let usable = |account: &Account| {
            account.disabled_at.is_none() && !overtaken(account.revoked_before) && !overtaken(account.credential_changed_at)
        };
        let plugin = self.registry.authenticator(&approval.plugin).cloned();
        Ok(match (account.filter(usable), plugin) {
            (Some(account), Some(plugin)) => Some(Open {
                approval,
                account,
                plugin,
            }),
            _ => None,
        })
    }

    /// Values in, values out: nothing has happened yet.
    async fn ask_approval(&self, open: &Open, fields: &BTreeMap<String, String>) -> Result<Says> {
        let occasion = Occasion {
            purpose: Purpose::Approval,
            visitor: &open.approval.visitor,
            client: None,
            wanted_acr: None,
        };
        let cx = self
            .context(&open.approval.plugin, Whom::Known(&open.account), occasion)
            .await?;
        let shown = fields
            .iter()
            .filter(|(name, value)| *name != "code" && value.len() <= MAX_VALUE_BYTES);
        let answer = Answer(shown.map(|(name, value)| (name.clone(), value.clone())).collect());
        let reply = self.verify(open.plugin.as_ref(), &cx, &open.approval.memo, &answer).await;
        let reply = reply.map_err(|error| Error::Inconsistent(format!("an approval can't be judged: {error}")))?;
        Ok(match &reply.step {
            Step::Pass { .. } => Says::Yes(reply),
            Step::Fail { reason, .. } if reason.spent => Says::No(reply),
            _ => Says::Neither,
        })
    }

    async fn confirm(
        &self,
        open: &Open,
        reply: Reply,
        fields: &BTreeMap<String, String>,
        caller: &Caller,
    ) -> Result<ApprovalOutcome> {
        let hash = open.approval.hash;
        if !is_browser(&open.approval, caller) {
            // Counted before it is looked at: of any number of guesses at once, three are.
            let tries = self.store.fail_approval(&hash).await?;
            let is_right = tries <= MAX_WRONG_CODES && self.is_code(&open.approval, fields.get("code"));
            if !is_right {
                return Ok(match MAX_WRONG_CODES.saturating_sub(tries) {
                    0 => ApprovalOutcome::Gone,
                    left => ApprovalOutcome::WrongCode(page(&open.approval, caller, Some(left))),
                });
            }
        }
        match self.answer_with(open, reply, true, caller).await? {
            true => Ok(ApprovalOutcome::Confirmed),
            false => Ok(ApprovalOutcome::Gone),
        }
    }

    fn is_code(&self, approval: &StoredApproval, typed: Option<&String>) -> bool {
        let typed: String = typed
            .map(String::as_str)
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(16)
            .collect();
        self.approval_code_hash(&approval.hash, &typed.to_ascii_uppercase()) == approval.code
    }

    /// "Not me". The link stays good for ending all other sessions too.
    async fn disown(&self, open: &Open, reply: Reply, caller: &Caller) -> Result<ApprovalOutcome> {
        if !self.answer_with(open, reply, false, caller).await? {
            return Ok(ApprovalOutcome::Gone);
        }
        let left = open.approval.expires_at.since(self.ports.now());
        let ttl_s = u32::try_from(left).unwrap_or(0).max(1);
        let key = disowned_key(&open.approval.hash);
        let account = open.account.id.to_string();
        let kept = self.ephemeral.put(&key, account.as_bytes(), ttl_s);
        if let Err(error) = kept.await {
            // The session has ended, and that is what the person is told. Ending all others is done on the account page.
            tracing::warn!(%error, "a disowned link can't end all sessions");
        }
        Ok(ApprovalOutcome::Disowned)
    }

    /// Answers once: what the plugin wants is stored with the answer, or neither is. A disowned session ends first: that must not hang
    /// on what the plugin wants.
    async fn answer_with(&self, open: &Open, reply: Reply, yes: bool, caller: &Caller) -> Result<bool> {
        let origin = Origin {
            account: &open.account,
            plugin: open.plugin.manifest(),
            purpose: Purpose::Approval,
            caller,
            client: None,
            flow: None,
            session: open.approval.session.as_ref(),
            browser: None,
            used: None,
        };
        let session = open.approval.session.as_ref();
        if !yes && let Some(session) = session {
            self.end_all(&Which::One(session.clone()), EndReason::Disowned, &[], caller)
                .await?;
        }
        let mut work = self.approval_work(origin, reply).await?;
        let (what, account) = (What::ApprovalAnswered { yes }, Some(open.account.id));
        let event = self.event(what, account, session, None, address_of(caller), &caller.request_id);
        work.batch.events.push(event);
        let won = self
            .store
            .answer_approval(&open.approval.hash, self.ports.now(), &work.batch)
            .await?;
        self.ports.wake.wake();
        if won {
            self.finish_effects(origin, work).await.map_err(core)?;
        }
        Ok(won)
    }

    async fn approval_work(&self, origin: Origin<'_>, reply: Reply) -> Result<Work> {
        let work = self.prepare_effects(origin, reply.effects).await.map_err(core)?;
        self.check_mails(origin, &work).await.map_err(core)?;
        Ok(work)
    }

    /// `all=end`, once, on a link that was answered with "not me".
    async fn end_all_disowned(&self, token: &str, caller: &Caller) -> Result<ApprovalOutcome> {
        let Some(secret) = Secret::parse(SecretKind::Approval, token) else {
            return Ok(ApprovalOutcome::Gone);
        };
        let hash = secret.hash();
        if self.ephemeral.take(&disowned_key(&hash)).await?.is_none() {
            return Ok(ApprovalOutcome::Gone);
        }
        let Some(approval) = self.store.approval(&hash).await? else {
            return Ok(ApprovalOutcome::Gone);
        };
        let account: AccountId = approval.account;
        self.end_all(&Which::AllOf(account), EndReason::Disowned, &[], caller).await?;
        Ok(ApprovalOutcome::AllEnded)
    }
}

fn core(error: EffectError) -> Error {
    match error {
        EffectError::Core(error) => error,
        EffectError::Mail(error) => error.into(),
        other => Error::Inconsistent(format!("an approval's effects: {other}")),
    }
}

fn disowned_key(approval: &Hash) -> String {
    format!("disowned:{}", approval.to_text())
}

/// True in the browser that signed in.
fn is_browser(approval: &StoredApproval, caller: &Caller) -> bool {
    caller
        .session
        .as_ref()
        .is_some_and(|secret| secret.hash() == approval.browser)
}

fn page(approval: &StoredApproval, caller: &Caller, tries_left: Option<u32>) -> ApprovalPage {
    let address = approval.visitor.address.map(|address| address.to_canonical().to_string());
    ApprovalPage {
        form: approval.form.clone(),
        asked_at: approval.asked_at,
        address: address.unwrap_or_default(),
        user_agent: approval.visitor.user_agent.clone(),
        needs_code: !is_browser(approval, caller),
        tries_left,
    }
}
