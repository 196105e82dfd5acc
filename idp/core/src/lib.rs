//! The rules of Gait, without a wire.
//!
//! [`Idp`] is the facade: the few things that a provider can do. Its methods stand in the modules that are named after their
//! nouns; a wire calls them and decides nothing.

pub mod account;
pub mod account_page;
pub mod approval;
pub mod authorization;
pub mod client;
pub mod continuous;
pub mod delivery;
pub mod effects;
pub mod ephemeral;
pub mod error;
pub mod event;
pub mod flow;
pub mod grant;
pub mod ids;
pub mod learning;
pub mod logout;
mod mail;
pub mod measure;
pub mod operator;
mod params;
pub mod policy;
pub mod ports;
mod purge;
pub mod rates;
pub mod recovery;
pub mod registry;
mod replay;
pub mod seal;
pub mod session;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;
pub mod trust;
pub mod visit;

use error::Result;
use policy::Policy;
use ports::Ports;
use registry::Registry;
use seal::MasterKey;
use std::sync::Arc;
use store::{Ephemeral, Store};
use token::keys::KeyRing;

/// Everything that a provider is made of.
pub struct Setup {
    /// The issuer: an https URL (http on loopback), no query, no fragment, no trailing slash.
    pub issuer: String,
    /// Plans, levels, lifetimes.
    pub policy: Policy,
    /// Durable store.
    pub store: Arc<dyn Store>,
    /// Ephemeral store.
    pub ephemeral: Arc<dyn Ephemeral>,
    /// Time, randomness, mail.
    pub ports: Ports,
    /// The master key.
    pub master: MasterKey,
    /// Plugins.
    pub registry: Registry,
    /// Who may send signals.
    pub senders: Vec<continuous::Sender>,
}

/// An OpenID provider that keeps checking.
pub struct Idp {
    pub(crate) issuer: String,
    pub(crate) policy: Policy,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ephemeral: Arc<dyn Ephemeral>,
    pub(crate) ports: Ports,
    pub(crate) master: MasterKey,
    pub(crate) registry: Registry,
    pub(crate) senders: Vec<continuous::Sender>,
    pub(crate) keys: KeyRing,
    pub(crate) models: learning::Models,
    pub(crate) rooms: learning::Rooms,
    pub(crate) rates: rates::Rates,
}

impl Idp {
    /// Starts a provider: checks the master key against the store's check value, and makes the first signing keys.
    ///
    /// # Errors
    /// The store is away, the master key is another than the one that the store was begun with, or the policy names a plugin that
    /// isn't registered.
    pub async fn start(setup: Setup) -> Result<Self> {
        setup.registry.check(&setup.policy)?;
        let keys = KeyRing::open(&setup).await?;
        replay::note_birth(setup.ephemeral.as_ref(), &setup.ports).await;
        Ok(Self {
            issuer: setup.issuer,
            policy: setup.policy,
            store: setup.store,
            ephemeral: setup.ephemeral,
            ports: setup.ports,
            master: setup.master,
            registry: setup.registry,
            senders: setup.senders,
            keys,
            models: learning::Models::default(),
            rooms: learning::Rooms::default(),
            rates: rates::Rates::default(),
        })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The durable store, for the wires' own chores (CLI, seeding, readiness).
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The ephemeral store, for readiness.
    pub fn ephemeral(&self) -> &Arc<dyn Ephemeral> {
        &self.ephemeral
    }

    /// The ports.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The plugins.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}
