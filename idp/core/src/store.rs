//! What the rules need of a database: small traits whose methods are **one atomic thing that happened**. No transaction
//! crosses a trait; every method that changes state takes the events that tell of it, and writes both or neither.
//!
//! One contract suite (`idp/server/tests/it/contract`) runs on every implementation.

mod mail;
mod outbox;

pub use mail::{MailStore, StoredMail};
pub use outbox::{DeliveryFilter, EXPANDED, OutboxStore, Pause};

use crate::account::{Account, BehaviourConsent, Identifier, Mode, StoredCredential};
use crate::client::{Alg, Client};
use crate::event::Event;
use crate::grant::{Grant, Scopes, Standing, Token};
use crate::ids::{AccountId, ClientId, EventId, FlowId, GrantId, Kid, SessionId};
use crate::seal::Sealed;
use crate::session::{EndReason, Proof, RiskLevel, Session, StepUp};
use crate::token::secret::Hash;
use async_trait::async_trait;
use gait_sdk::{CredentialId, Form, Label, Memo, PluginId, RecordId, Timestamp};
use serde::{Deserialize, Serialize};

/// Why a store call failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The backend can't be reached, is full, or timed out: nothing was done.
    #[error("store is away: {0}")]
    Away(String),
    /// Something with this id or name is there already: nothing was done.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// The version or sequence that was named is stale: nothing was done.
    #[error("{0} has changed meanwhile")]
    Stale(&'static str),
    /// What is stored can't be read.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
}

/// Result of store calls.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A change to a credential, with account and plugin stamped by the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialChange {
    /// Add.
    Add(StoredCredential),
    /// Replace the payload and label of one, if it still has this version; its version grows by one.
    Replace {
        /// The new state; its `credential.version` is the version that is replaced.
        credential: StoredCredential,
    },
    /// Delete one of this plugin and account; absent is fine.
    Forget {
        /// Which plugin's.
        plugin: PluginId,
        /// Which.
        id: CredentialId,
    },
    /// One was proven with: sets `last_used_at`.
    Used {
        /// Which.
        id: CredentialId,
    },
    /// One stands for another secret now: erases what was kept and learned of how the old one was typed.
    ForgetRhythm {
        /// Which.
        id: CredentialId,
    },
}

/// A question that is answered elsewhere, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredApproval {
    /// Hash of the link's secret.
    pub hash: Hash,
    /// Whose answer.
    pub account: AccountId,
    /// Which plugin asks.
    pub plugin: PluginId,
    /// The flow that it came of.
    pub flow: FlowId,
    /// The session that the flow began, "this session" of "Not me".
    pub session: Option<SessionId>,
    /// The question.
    pub form: Form,
    /// What the plugin remembers.
    pub memo: Memo,
    /// When, from where, with what: shown on the page.
    pub asked_at: Timestamp,
    /// The asking visitor, as the plugin saw it.
    pub visitor: gait_sdk::Visitor,
    /// Hash of the asking browser's session or flow cookie: its owner needs no code.
    pub browser: Hash,
    /// Keyed hash of the code that the sign-in's tab shows.
    pub code: Hash,
    /// Dead from then on.
    pub expires_at: Timestamp,
    /// Wrong codes so far.
    pub attempts: u32,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}

/// Whose rhythm: an account's, or that of one of its credentials, which is how its password is typed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whose {
    /// The account.
    pub account: AccountId,
    /// The credential, if it is a credential's.
    pub credential: Option<CredentialId>,
}

impl From<AccountId> for Whose {
    fn from(account: AccountId) -> Self {
        let credential = None;
        Self { account, credential }
    }
}

/// A record as the store keeps it: until it is learned, and not longer.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRecord {
    /// Its id.
    pub id: RecordId,
    /// Whose.
    pub whose: Whose,
    /// Of which scorer.
    pub plugin: PluginId,
    /// In which session it was taken.
    pub session: SessionId,
    /// How far it is proven.
    pub label: Label,
    /// When.
    pub at: Timestamp,
    /// The plugin's data.
    pub payload: Sealed,
}

/// A model as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredModel {
    /// Whose.
    pub whose: Whose,
    /// Of which scorer.
    pub plugin: PluginId,
    /// The sealed blob (JSON of [`gait_sdk::ModelBlob`]).
    pub blob: Sealed,
    /// Samples learned, for the progress bar.
    pub samples: u32,
    /// Whether there is enough to judge by.
    pub enrolled: bool,
    /// When it was trained; also the cache's version.
    pub trained_at_ms: i64,
}

/// A background as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBackground {
    /// Of which scorer.
    pub plugin: PluginId,
    /// The sealed blob (JSON of [`gait_sdk::Background`]).
    pub blob: Sealed,
    /// How many accounts it was made from.
    pub accounts: u32,
    /// When it was made; also the cache's version.
    pub made_at_ms: i64,
}

/// A background that is to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueBackground {
    /// What [`BackgroundStore::put_background`] must name; grows when an account's model is erased.
    pub revision: i64,
    /// The present one may hold something of an account that was erased since.
    pub stale: bool,
}

/// All that changes when a plugin's effects are carried out.
#[derive(Clone, Debug, Default)]
pub struct EffectBatch {
    /// Credentials, in order.
    pub credentials: Vec<CredentialChange>,
    /// Approvals to keep.
    pub approvals: Vec<StoredApproval>,
    /// Set if a credential that the person proves with changed: `credential_changed_at`.
    pub credential_changed_at: Option<Timestamp>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Accounts and their credentials.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// An account, disabled or not.
    async fn account(&self, id: AccountId) -> Result<Option<Account>>;
    /// By user name or e-mail address.
    async fn account_by(&self, identifier: &Identifier) -> Result<Option<Account>>;
    /// A page of accounts by id, after `after`.
    async fn accounts(&self, after: Option<AccountId>, limit: u32) -> Result<Vec<Account>>;
    /// Adds an account with its first credentials. [`StoreError::Taken`] if user name or address is taken by any account.
    async fn add_account(&self, account: &Account, credentials: &[StoredCredential]) -> Result<()>;
    /// Rewrites e-mail, verification, claims and `updated_at` of an account. [`StoreError::Taken`] as above.
    async fn put_profile(&self, account: &Account) -> Result<()>;
    /// Sets or clears `disabled_at`. Disabling also ends all sessions, grants and tokens, as [`SessionStore::end_sessions`] does for
    /// `AccountChanged`.
    async fn set_disabled(&self, id: AccountId, at: Option<Timestamp>, events: &[Event]) -> Result<()>;
    /// Changes the mode.
    async fn set_mode(&self, id: AccountId, mode: Mode, events: &[Event]) -> Result<()>;
    /// Credentials of an account, of one plugin or of all, oldest first.
    async fn credentials(&self, account: AccountId, plugin: Option<&PluginId>) -> Result<Vec<StoredCredential>>;
    /// Carries out a batch: all or nothing. [`StoreError::Stale`] if a version is stale.
    async fn carry_out(&self, account: AccountId, at: Timestamp, batch: &EffectBatch) -> Result<()>;
    /// Counts one attempt in the window that is open for `key`, or opens one of `window_s` seconds; returns the count after it. Durable:
    /// it guards an account.
    async fn count_attempt(&self, key: &str, now: Timestamp, window_s: u32) -> Result<u64>;
    /// Closes the window of `key`.
    async fn clear_attempts(&self, key: &str) -> Result<()>;
}

/// Which sessions to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// One.
    One(SessionId),
    /// All of an account; sets its `revoked_before`.
    AllOf(AccountId),
    /// All of an account but one.
    AllBut(AccountId, SessionId),
}

/// Makes the events of one ended session.
pub type EndEvents<'a> = &'a (dyn Fn(&Session) -> Vec<Event> + Send + Sync);

/// What is written when a session is proven anew.
#[derive(Clone, Debug)]
pub struct Strengthened {
    /// Hash of the cookie's new secret; the old one is dead at once.
    pub secret: Hash,
    /// All proofs.
    pub proofs: Vec<Proof>,
    /// The level from now on.
    pub level: RiskLevel,
    /// A step-up that is still demanded.
    pub step_up: Option<StepUp>,
    /// Where.
    pub place: crate::session::Place,
}

/// Sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Begins one, which is a use of the account's models; `secret` is its cookie's hash. [`StoreError::Stale`] if the account is
    /// disabled meanwhile.
    async fn begin_session(&self, session: &Session, secret: &Hash, events: &[Event]) -> Result<()>;
    /// By the cookie's hash; ended ones too.
    async fn session_by_secret(&self, secret: &Hash) -> Result<Option<Session>>;
    /// By `sid`; ended ones too.
    async fn session(&self, id: &SessionId) -> Result<Option<Session>>;
    /// Living sessions of an account, newest first.
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<Session>>;
    /// Notes the last use. May be lost in a crash.
    async fn touch_session(&self, id: &SessionId, at: Timestamp) -> Result<()>;
    /// Proves a session anew. [`StoreError::Stale`] unless it lives and still has this sequence.
    async fn strengthen_session(
        &self,
        id: &SessionId,
        sequence: i64,
        at: Timestamp,
        change: &Strengthened,
        events: &[Event],
    ) -> Result<()>;
    /// Changes level and demand. [`StoreError::Stale`] unless it lives and still has this sequence.
    async fn set_risk(
        &self,
        id: &SessionId,
        sequence: i64,
        level: RiskLevel,
        step_up: Option<&StepUp>,
        events: &[Event],
    ) -> Result<()>;
    /// Ends sessions, and with them their grants and tokens (`offline_access` grants only if the reason is one of security). Ended
    /// sessions stay as they are. A reason of security also deletes what was recorded in any of them, ended before or now, and
    /// isn't learned yet. Returns those that this call ended.
    async fn end_sessions(&self, which: &Which, at: Timestamp, reason: EndReason, events: EndEvents<'_>) -> Result<Vec<Session>>;
    /// Living sessions whose step-up was demanded before `before`.
    async fn step_ups_before(&self, before: Timestamp, limit: u32) -> Result<Vec<Session>>;
}

/// What became of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// This call won: grant and tokens are stored.
    First,
    /// It was spent before, for this grant; nothing was stored.
    Replayed(GrantId),
    /// Session, account or client is gone meanwhile; the code is spent, nothing was issued.
    Dead,
}

/// What became of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// This call won: the old one is spent, the new ones are stored.
    First,
    /// It was spent before; nothing was stored.
    Replayed,
    /// Grant, session, account or client is gone meanwhile; nothing was stored.
    Dead,
}

/// Grants and tokens.
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// Spends a code: leaves its tombstone (unique) and stores the grant and its first tokens. Exactly one call per code wins.
    async fn redeem_code(&self, code: &Hash, grant: &Grant, tokens: &[Token], event: Option<&Event>) -> Result<Redeemed>;
    /// The grant that a spent code led to.
    async fn spent_code(&self, code: &Hash) -> Result<Option<GrantId>>;
    /// Spends a refresh token and stores its successors. Exactly one call per token wins.
    async fn rotate_refresh(&self, old: &Hash, at: Timestamp, tokens: &[Token]) -> Result<Rotated>;
    /// Stores tokens without a grant (client credentials).
    async fn add_tokens(&self, tokens: &[Token]) -> Result<()>;
    /// A token with all that its life hangs on.
    async fn standing(&self, token: &Hash) -> Result<Option<Standing>>;
    /// A grant, revoked or not.
    async fn grant(&self, id: GrantId) -> Result<Option<Grant>>;
    /// Grants of a session, revoked ones too.
    async fn grants_of_session(&self, id: &SessionId) -> Result<Vec<Grant>>;
    /// Living grants of an account, newest first.
    async fn grants_of(&self, account: AccountId) -> Result<Vec<Grant>>;
    /// Revokes a grant and its tokens. Idempotent; events are written by the first call only.
    async fn revoke_grant(&self, id: GrantId, at: Timestamp, events: &[Event]) -> Result<()>;
    /// Revokes every grant between an account and a client, and forgets the OAuth consent.
    async fn disconnect(&self, account: AccountId, client: &ClientId, at: Timestamp, events: &[Event]) -> Result<()>;
    /// Revokes one token.
    async fn revoke_token(&self, token: &Hash, at: Timestamp) -> Result<()>;
    /// Scopes that an account has consented to for a client.
    async fn consent(&self, account: AccountId, client: &ClientId) -> Result<Option<Scopes>>;
    /// Remembers an OAuth consent.
    async fn put_consent(&self, account: AccountId, client: &ClientId, scopes: &Scopes, at: Timestamp) -> Result<()>;
    /// Deletes what died before `before`: tokens, revoked grants, tombstones, attempts, approvals, and deliveries. At most `most` rows
    /// go; returns how many. If they are fewer, nothing is left.
    async fn purge(&self, before: Timestamp, most: u32) -> Result<u64>;
    /// Deletes at most `most` access tokens that expired before `before`, of which is told the same once they are gone; returns how
    /// many went. If they are fewer, nothing is left.
    async fn purge_access(&self, before: Timestamp, most: u32) -> Result<u64>;
    /// Deletes grants from before `before` that have no token left, and sessions that ended or were last used then and that no grant
    /// names. At most `most` rows go; returns how many. If they are fewer, nothing is left. No session may live so long without
    /// being used.
    async fn purge_sessions(&self, before: Timestamp, most: u32) -> Result<u64>;
}

/// Clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// One.
    async fn client(&self, id: &ClientId) -> Result<Option<Client>>;
    /// All, by id.
    async fn clients(&self) -> Result<Vec<Client>>;
    /// Adds or rewrites one.
    async fn put_client(&self, client: &Client) -> Result<()>;
    /// Deletes at most `most` of a client's tokens, grants, consents and deliveries; returns how many. If they are fewer, nothing is
    /// left.
    async fn strip_client(&self, id: &ClientId, most: u32) -> Result<u64>;
    /// Removes one with whatever it still has; false if there was none.
    async fn remove_client(&self, id: &ClientId) -> Result<bool>;
}

/// Approvals.
#[async_trait]
pub trait ApprovalStore: Send + Sync {
    /// One, answered or not.
    async fn approval(&self, hash: &Hash) -> Result<Option<StoredApproval>>;
    /// Counts a code before it is looked at; returns the count after it.
    async fn fail_approval(&self, hash: &Hash) -> Result<u32>;
    /// Names the session that the flow began, in all its approvals.
    async fn bind_approvals(&self, flow: &FlowId, session: &SessionId) -> Result<()>;
    /// Answers one and carries the batch out, both or neither. False if it was answered before: exactly one call wins.
    async fn answer_approval(&self, hash: &Hash, at: Timestamp, batch: &EffectBatch) -> Result<bool>;
}

/// A watched session with all that a batch of it hangs on, read at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchStanding {
    /// The session, ended or not.
    pub session: Session,
    /// Its account.
    pub account: Account,
    /// The grant by which it is watched is the session's, and not revoked.
    pub connected: bool,
    /// The consent to be watched is in force.
    pub consented: bool,
    /// When the account's model was trained (`trained_at_ms`), and whether it is enrolled; `None` if there is none.
    pub model: Option<(i64, bool)>,
    /// When the background was made, if there is one.
    pub background_made_at: Option<i64>,
}

/// Behaviour: consents, records, models.
#[async_trait]
pub trait BehaviourStore: Send + Sync {
    /// What a batch of a session hangs on that is watched by `grant`; model and background are the plugin's, and none without one.
    async fn watch_standing(
        &self,
        session: &SessionId,
        grant: GrantId,
        plugin: Option<&PluginId>,
    ) -> Result<Option<WatchStanding>>;
    /// The consent to be watched that is in force.
    async fn behaviour_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>>;
    /// The consent to the password's rhythm that is in force.
    async fn password_consent(&self, account: AccountId) -> Result<Option<BehaviourConsent>>;
    /// Every consent ever given, for whatever purpose, oldest first, for the export.
    async fn behaviour_consents(&self, account: AccountId) -> Result<Vec<BehaviourConsent>>;
    /// Gives consent; one in force for the same purpose stays as it is. [`StoreError::Stale`] for the password's rhythm unless the
    /// consent to be watched is in force.
    async fn give_consent(&self, consent: &BehaviourConsent, events: &[Event]) -> Result<()>;
    /// Withdraws all consents of an account and erases all models and records, in one.
    async fn withdraw_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()>;
    /// Withdraws the consent to the password's rhythm, and erases the credentials' models and records, in one.
    async fn withdraw_password_consent(&self, account: AccountId, at: Timestamp, events: &[Event]) -> Result<()>;
    /// Erases all models and records of an account.
    async fn erase_behaviour(&self, account: AccountId, events: &[Event]) -> Result<()>;
    /// Keeps a record, if the consent that it takes is in force; false if it isn't.
    async fn keep_record(&self, record: &StoredRecord) -> Result<bool>;
    /// Sets the label of a session's records taken at `since` or later.
    async fn label_records(&self, session: &SessionId, since: Timestamp, label: Label) -> Result<()>;
    /// All records of an account, of whatever plugin and whosever rhythm, oldest first, for the export.
    async fn records_of(&self, account: AccountId, limit: u32) -> Result<Vec<StoredRecord>>;
    /// How many records of an account wait to be learned.
    async fn count_unsettled(&self, account: AccountId, plugin: &PluginId) -> Result<u64>;
    /// Records that may be learned, oldest first: those taken by `until`, and those that a step-up stands behind, whenever they
    /// were taken.
    async fn due_records(&self, whose: &Whose, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<StoredRecord>>;
    /// Who has records that may be learned (see [`BehaviourStore::due_records`]; where there is no enrolled model yet, any may), the
    /// most recently active first.
    async fn due_to_train(&self, plugin: &PluginId, until: Timestamp, limit: u32) -> Result<Vec<Whose>>;
    /// Stores a model and deletes the records that it settles, both or neither, if consent is still in force; false if it isn't.
    /// `replaces` is the `trained_at_ms` of the model that was extended. [`StoreError::Stale`] if it is another now, or one of the
    /// records is gone: what was erased or disputed meanwhile must not come back in a model. Counts as a use of the model.
    async fn put_model(&self, model: &StoredModel, replaces: Option<i64>, settled: &[RecordId]) -> Result<bool>;
    /// Deletes records without a new model.
    async fn settle_records(&self, settled: &[RecordId]) -> Result<()>;
    /// When a model was trained, and whether it is enrolled: of one that is parsed already, no more is needed.
    async fn model_version(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<(i64, bool)>>;
    /// A model.
    async fn model(&self, whose: &Whose, plugin: &PluginId) -> Result<Option<StoredModel>>;
    /// How many accounts have an enrolled model that was trained at `since_ms` or later.
    async fn count_models(&self, plugin: &PluginId, since_ms: i64) -> Result<u64>;
    /// The models of an account's credentials, by credential, for the export.
    async fn credential_models(&self, account: AccountId) -> Result<Vec<StoredModel>>;
    /// Deletes at most `most` records taken before `before`; returns how many. If they are fewer, nothing is left.
    async fn purge_records(&self, before: Timestamp, most: u32) -> Result<u64>;
    /// Deletes at most `most` models last used before `before`; returns how many. If they are fewer, nothing is left.
    async fn purge_models(&self, before: Timestamp, most: u32) -> Result<u64>;
}

/// Backgrounds: what scorers know of people in general.
#[async_trait]
pub trait BackgroundStore: Send + Sync {
    /// Accounts with an enrolled model, by id. All of them consent: withdrawing erases the model.
    async fn enrolled_accounts(&self, plugin: &PluginId) -> Result<Vec<AccountId>>;
    /// Says whether the background is to be made: there never was one, it is stale, or it was made before `before_ms`.
    async fn due_background(&self, plugin: &PluginId, before_ms: i64) -> Result<Option<DueBackground>>;
    /// Stores the background that was made at `at_ms`, or notes that there is none; false, and nothing is stored, if `revision` is
    /// no longer the present one: an account was erased meanwhile, and something of it may be in there.
    async fn put_background(&self, plugin: &PluginId, made: Option<&StoredBackground>, at_ms: i64, revision: i64)
    -> Result<bool>;
    /// When the background was made, if there is one.
    async fn background_made_at(&self, plugin: &PluginId) -> Result<Option<i64>>;
    /// The background.
    async fn background(&self, plugin: &PluginId) -> Result<Option<StoredBackground>>;
}

/// A signing key as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredKey {
    /// Its id.
    pub kid: Kid,
    /// Algorithm.
    pub alg: Alg,
    /// The private key (PKCS#8), sealed.
    pub private: Sealed,
    /// The public JWK.
    pub public: serde_json::Value,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// It signs from then on until a newer one of its algorithm does. Later than `created_at`, so that every node has published it.
    pub signs_from: Timestamp,
    /// Published until then; `None` while it is the newest.
    pub retire_at: Option<Timestamp>,
}

/// What waits in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events not yet expanded into deliveries.
    pub events: u64,
    /// Deliveries that have neither arrived nor been given up.
    pub deliveries: u64,
    /// Deliveries that were given up, as long as they are kept.
    pub dead_letters: u64,
    /// When the oldest event happened that isn't expanded, or that an open delivery tells of; in milliseconds since the epoch.
    pub oldest_at_ms: Option<i64>,
}

/// Readiness, keys, leases, settings, and events that are noted, shipped and purged.
#[async_trait]
pub trait OperationStore: Send + Sync {
    /// The backend answers.
    async fn ping(&self) -> Result<()>;
    /// The schema is what this version of Gait needs, or a newer one's; else [`StoreError::Damaged`].
    async fn check_schema(&self) -> Result<()>;
    /// All keys, newest first.
    async fn keys(&self) -> Result<Vec<StoredKey>>;
    /// Adds a key and retires the newest one of its algorithm at `retire_at`, both or neither. With `only_first`, does nothing and
    /// returns false if there is a key of the algorithm (two nodes starting at once make one).
    async fn add_key(&self, key: &StoredKey, retire_at: Timestamp, only_first: bool) -> Result<bool>;
    /// Deletes keys whose `retire_at` has passed.
    async fn purge_keys(&self, now: Timestamp) -> Result<u64>;
    /// Takes or renews the lease `name` for `holder` until `now + ttl_s`; false while another holds it.
    async fn lease(&self, name: &str, holder: &str, now: Timestamp, ttl_s: u32) -> Result<bool>;
    /// Gives the lease `name` back, if `holder` has it.
    async fn release(&self, name: &str, holder: &str) -> Result<()>;
    /// A value of the deployment (for example the check value of the master key), if it was set.
    async fn setting(&self, name: &str) -> Result<Option<String>>;
    /// Sets a value once: returns what is stored after the call, by this call or an earlier one.
    async fn set_once(&self, name: &str, value: &str) -> Result<String>;
    /// Writes an event that goes with no other change.
    async fn note(&self, event: &Event) -> Result<()>;
    /// Events that were not yet shipped to where they are searched, oldest first.
    async fn unshipped_events(&self, limit: u32) -> Result<Vec<Event>>;
    /// They were.
    async fn events_shipped(&self, events: &[EventId]) -> Result<()>;
    /// Events about an account, newest first, for its export and for operators.
    async fn events_of(&self, account: AccountId, limit: u32) -> Result<Vec<Event>>;
    /// Deletes at most `most` events of before `before` that were expanded and that no delivery tells of; returns how many. If they
    /// are fewer, nothing is left.
    async fn purge_events(&self, before: Timestamp, most: u32) -> Result<u64>;
}

/// The durable store.
pub trait Store:
    AccountStore
    + SessionStore
    + GrantStore
    + ClientStore
    + ApprovalStore
    + BehaviourStore
    + BackgroundStore
    + OutboxStore
    + MailStore
    + OperationStore
{
}
impl<T> Store for T where
    T: AccountStore
        + SessionStore
        + GrantStore
        + ClientStore
        + ApprovalStore
        + BehaviourStore
        + BackgroundStore
        + OutboxStore
        + MailStore
        + OperationStore
{
}

/// The ephemeral store: it may die, and nothing may fail open for it. Keys are typed by their prefix (`flow:`, `code:`, …), so one
/// kind never stands for another.
#[async_trait]
pub trait Ephemeral: Send + Sync {
    /// The backend answers.
    async fn ping(&self) -> Result<()>;
    /// Sets `key` for `ttl_s` seconds.
    async fn put(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<()>;
    /// Sets `key` unless it is there; true if this call set it. Replay caches.
    async fn put_new(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<bool>;
    /// Reads `key`.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;
    /// Reads and removes `key`: exactly one caller gets it.
    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>>;
    /// Sets `key` to `new` if it still is `old`; true if this call did.
    async fn swap(&self, key: &str, old: &[u8], new: &[u8], ttl_s: u32) -> Result<bool>;
    /// Adds `number` to the count of the window that is open for `key`, or opens one of `window_s` seconds; returns the count after
    /// it.
    async fn add(&self, key: &str, number: u64, window_s: u32) -> Result<u64>;
    /// Counts one; see [`Ephemeral::add`].
    async fn count(&self, key: &str, window_s: u32) -> Result<u64> {
        self.add(key, 1, window_s).await
    }
    /// Takes one back from the window that is open for `key`, if there is one; the window closes when it would have.
    async fn uncount(&self, key: &str) -> Result<()>;
}
