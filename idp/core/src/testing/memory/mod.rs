//! The durable store in memory: plain maps behind one lock. It shows what the contract means, and is what a story runs on.

mod account;
mod approval;
mod background;
mod behaviour;
mod client;
mod grant;
mod mail;
mod operation;
mod outbox;
mod session;

use crate::account::{Account, BehaviourConsent, StoredCredential};
use crate::client::Client;
use crate::event::{Delivery, Event, Receiver};
use crate::grant::{Grant, Scopes, Token};
use crate::ids::{AccountId, ClientId, GrantId, SessionId};
use crate::session::Session;
use crate::store::{Result, StoredApproval, StoredKey, StoredModel, StoredRecord, Whose};
use crate::token::secret::Hash;
use background::KeptBackground;
use gait_sdk::{PluginId, Timestamp};
use mail::KeptMail;
use outbox::KeptReceiver;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The durable store in memory; empty at first.
#[derive(Default)]
pub struct MemoryStore(Mutex<State>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, or leaves it as it was if `change` fails.
    fn transact<T>(&self, change: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        let mut next = state.clone();
        let result = change(&mut next)?;
        *state = next;
        Ok(result)
    }
}

#[derive(Clone, Default)]
struct State {
    accounts: BTreeMap<AccountId, Account>,
    credentials: Vec<StoredCredential>,
    attempts: HashMap<String, Window>,
    sessions: BTreeMap<SessionId, KeptSession>,
    grants: BTreeMap<GrantId, Grant>,
    tokens: HashMap<Hash, Token>,
    spent_codes: HashMap<Hash, SpentCode>,
    consents: HashMap<(AccountId, ClientId), Scopes>,
    clients: BTreeMap<ClientId, Client>,
    approvals: HashMap<Hash, StoredApproval>,
    behaviour_consents: Vec<BehaviourConsent>,
    records: Vec<StoredRecord>,
    models: HashMap<(Whose, PluginId), KeptModel>,
    backgrounds: HashMap<PluginId, KeptBackground>,
    keys: Vec<StoredKey>,
    leases: HashMap<String, Lease>,
    settings: HashMap<String, String>,
    events: Vec<KeptEvent>,
    deliveries: Vec<Delivery>,
    mails: Vec<KeptMail>,
    receivers: BTreeMap<Receiver, KeptReceiver>,
}

#[derive(Clone)]
struct Window {
    closes_at: Timestamp,
    count: u64,
}

#[derive(Clone)]
struct KeptSession {
    session: Session,
    secret: Hash,
}

#[derive(Clone)]
struct KeptModel {
    model: StoredModel,
    used_at: Timestamp,
}

#[derive(Clone)]
struct SpentCode {
    grant: GrantId,
    at: Timestamp,
}

#[derive(Clone)]
struct Lease {
    holder: String,
    until: Timestamp,
}

#[derive(Clone)]
struct KeptEvent {
    event: Event,
    expanded: bool,
    shipped: bool,
}

/// Room for what is deleted or changed in one call.
struct Room(u32);

impl Room {
    /// Whether one more goes, if it may.
    fn takes(&mut self, may_go: bool) -> bool {
        let goes = may_go && self.0 > 0;
        self.0 -= u32::from(goes);
        goes
    }
}

impl State {
    fn note(&mut self, events: &[Event]) {
        let kept = events.iter().map(|event| KeptEvent {
            event: event.clone(),
            expanded: false,
            shipped: false,
        });
        self.events.extend(kept);
    }
}
