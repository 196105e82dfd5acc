//! Calling a plugin: what it may know, what it may ask of the host.

use crate::Idp;
use crate::account::Account;
use crate::client::Client;
use crate::error::Result;
use crate::ids::AccountId;
use crate::seal::MasterKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gait_sdk::{
    AccountHandle, Answer, Authenticator, ClientView, Context, Host, Level, Memo, PluginError, PluginId, Purpose, Reply, Subject,
    SubjectView, Visitor,
};
use uuid::Uuid;

/// Whom a plugin is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whom<'a> {
    /// An account that may sign in.
    Known(&'a Account),
    /// Nobody: what was typed, canonical, or nothing.
    Unknown(&'a str),
}

impl<'a> Whom<'a> {
    /// The account, if there is one.
    pub fn account(self) -> Option<&'a Account> {
        match self {
            Self::Known(account) => Some(account),
            Self::Unknown(_) => None,
        }
    }
}

/// On what occasion a plugin is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    /// Why.
    pub purpose: Purpose,
    /// By whom.
    pub visitor: &'a Visitor,
    /// For which client.
    pub client: Option<&'a Client>,
    /// The level that was asked for first.
    pub wanted_acr: Option<&'a str>,
}

/// The host that a plugin sees.
struct PluginHost<'a> {
    plugin: &'a PluginId,
    master: &'a MasterKey,
}

impl Host for PluginHost<'_> {
    fn log(&self, level: Level, message: &str) {
        match level {
            Level::Debug => tracing::debug!(plugin = %self.plugin, "{message}"),
            Level::Info => tracing::info!(plugin = %self.plugin, "{message}"),
            Level::Warn => tracing::warn!(plugin = %self.plugin, "{message}"),
        }
    }
    fn key(&self, purpose: &str) -> [u8; 32] {
        *self.master.derive(&format!("plugin:{}:{purpose}", self.plugin))
    }
}

impl Idp {
    /// What `plugin` may know: its own credentials of this account and nothing of any other. Nobody costs the same look-up.
    pub(crate) async fn context(&self, plugin: &PluginId, whom: Whom<'_>, on: Occasion<'_>) -> Result<Context> {
        let owner = whom.account().map_or(AccountId(Uuid::nil()), |account| account.id);
        let stored = self.store.credentials(owner, Some(plugin)).await?;
        Ok(Context {
            purpose: on.purpose,
            subject: self.subject_of(plugin, whom),
            credentials: stored.into_iter().map(|stored| stored.credential).collect(),
            visitor: on.visitor.clone(),
            client: on.client.map(|client| ClientView {
                id: client.id.to_string(),
                name: client.name.clone(),
            }),
            wanted_acr: on.wanted_acr.map(str::to_owned),
            ip_evidence: None,
            now: self.ports.now(),
            entropy: self.ports.random(),
        })
    }

    fn subject_of(&self, plugin: &PluginId, whom: Whom<'_>) -> Subject {
        match whom {
            Whom::Known(account) => Subject::Known(SubjectView {
                handle: self.handle(plugin, account.id),
                username: account.username.as_str().to_owned(),
                email: account.email.as_ref().map(|email| email.as_str().to_owned()),
            }),
            Whom::Unknown(identifier) => Subject::Unknown {
                identifier: identifier.to_owned(),
            },
        }
    }

    /// Asks a plugin for its question.
    pub(crate) async fn challenge(&self, plugin: &dyn Authenticator, cx: &Context) -> Result<Reply, PluginError> {
        let id = &plugin.manifest().id;
        let reply = plugin.challenge(cx, &self.host(id)).await;
        reply.inspect_err(|error| tracing::warn!(plugin = %id, %error, "challenge failed"))
    }

    /// Asks a plugin whether an answer is good.
    pub(crate) async fn verify(
        &self,
        plugin: &dyn Authenticator,
        cx: &Context,
        memo: &Memo,
        answer: &Answer,
    ) -> Result<Reply, PluginError> {
        let id = &plugin.manifest().id;
        let reply = plugin.verify(cx, memo, answer, &self.host(id)).await;
        reply.inspect_err(|error| tracing::warn!(plugin = %id, %error, "verify failed"))
    }

    fn host<'a>(&'a self, plugin: &'a PluginId) -> PluginHost<'a> {
        PluginHost {
            plugin,
            master: &self.master,
        }
    }

    /// What `plugin` knows an account by. Deterministic authenticated encryption of the account's id in the manner of SIV
    /// (RFC 5297): a MAC of the id, and the id under a pad that is keyed by that MAC. So a handle is stable, tells nothing, differs
    /// from plugin to plugin, can't be made up, and still leads back to its account without an index.
    pub(crate) fn handle(&self, plugin: &PluginId, account: AccountId) -> AccountHandle {
        let id = account.0.as_bytes();
        let tag = self.handle_tag(plugin, id);
        let hidden = self.handle_pad(plugin, &tag, id);
        AccountHandle::new(URL_SAFE_NO_PAD.encode([tag, hidden].concat()))
    }

    /// The account of a handle that [`Idp::handle`] made for the same plugin.
    pub(crate) fn account_of_handle(&self, plugin: &PluginId, handle: &AccountHandle) -> Option<AccountId> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(handle.as_str()).ok()?.try_into().ok()?;
        let (tag, hidden) = bytes.split_at(16);
        let id = self.handle_pad(plugin, tag, hidden);
        let right: bool = subtle::ConstantTimeEq::ct_eq(&self.handle_tag(plugin, &id)[..], tag).into();
        right.then(|| AccountId(Uuid::from_bytes(id)))
    }

    fn handle_tag(&self, plugin: &PluginId, id: &[u8]) -> [u8; 16] {
        first_half(self.master.mac(&format!("handle:{plugin}"), id))
    }

    fn handle_pad(&self, plugin: &PluginId, tag: &[u8], text: &[u8]) -> [u8; 16] {
        let mut pad = first_half(self.master.mac(&format!("handle-pad:{plugin}"), tag));
        for (byte, other) in pad.iter_mut().zip(text) {
            *byte ^= other;
        }
        pad
    }
}

fn first_half(mac: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&mac[..16]);
    half
}
