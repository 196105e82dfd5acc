//! The key ring.

use super::jws::{PrivateKey, PublicKey, Typ, named_kid};
use crate::client::Alg;
use crate::error::{Error, Result};
use crate::ids::Kid;
use crate::policy::Lifetimes;
use crate::ports::{Changed, Clock, Ports};
use crate::seal::MasterKey;
use crate::store::{Store, StoredKey};
use crate::{Idp, Setup};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gait_sdk::Timestamp;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

/// All algorithms that we sign with; each has a key of its own.
pub const ALGS: [Alg; 3] = [Alg::RS256, Alg::ES256, Alg::EdDSA];

/// Purpose that private keys are sealed for; the owner is the key's id.
const PURPOSE: &str = "signing-key";
/// Name of the setting that tells whether the master key is the store's.
const CHECK: &str = "master-key-check";
/// Longest life in seconds of what is signed besides ID and access tokens: logout tokens and event tokens on their way.
const OTHER_LIFE: u32 = 600;
/// Seconds between two looks of a node at the ring: so long may another one not know of a new key.
pub const ROUND_S: u32 = 60;
/// Seconds for which a new key is published before it signs: every node has read the ring by then, and apps that look at it now and then
/// have seen it.
const LEAD_S: i64 = 2 * ROUND_S as i64;

/// From when on new keys sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// When every node has published them.
    Announced,
    /// Now, because the old ones are no longer to be trusted. For up to a minute, another node may not know the new ones.
    AtOnce,
}

/// The signing keys of this node's memory, as the store has them.
pub struct KeyRing {
    clock: Arc<dyn Clock>,
    keys: RwLock<Arc<Keys>>,
}

/// A key that signs from a moment on.
struct Signing {
    from: Timestamp,
    kid: Kid,
    key: PrivateKey,
}

/// One state of the ring.
struct Keys {
    /// The newest come first.
    signing: BTreeMap<Alg, Vec<Signing>>,
    published: HashMap<Kid, PublicKey>,
    /// The JWK set as it is answered.
    jwks: Arc<str>,
}

impl KeyRing {
    /// Opens the ring: checks the master key, and makes the first keys if there are none.
    ///
    /// # Errors
    /// The store is away, or the master key is another than the store's.
    pub async fn open(setup: &Setup) -> Result<Self> {
        let (store, master) = (setup.store.as_ref(), &setup.master);
        check_master(store, master).await?;
        let stored = store.keys().await?;
        for alg in ALGS {
            if !stored.iter().any(|key| key.alg == alg) {
                let key = new_key(alg, setup.ports.now(), master, &setup.ports)?;
                store.add_key(&key, setup.ports.now(), true).await?;
            }
        }
        let keys = read(store, master, setup.ports.now()).await?;
        Ok(Self {
            clock: setup.ports.clock.clone(),
            keys: RwLock::new(Arc::new(keys)),
        })
    }

    /// Signs `claims` with the key of `alg`.
    ///
    /// # Errors
    /// The cryptographic library refuses, which it does for broken keys only.
    pub(crate) fn sign(&self, alg: Alg, typ: Typ, claims: &Value) -> Result<String> {
        let keys = self.now();
        let signing = keys
            .signs(alg, self.clock.now())
            .ok_or_else(|| Error::Inconsistent(format!("no {alg:?} key signs")))?;
        signing.key.sign(&signing.kid, typ, claims)
    }

    /// The claims of a JWT that we signed as a `typ`, whether or not it has expired. `None` for anything else.
    pub(crate) fn verify(&self, issuer: &str, typ: Typ, jws: &str) -> Option<Value> {
        let kid = Kid(named_kid(jws)??);
        let keys = self.now();
        let claims = keys.published.get(&kid)?.verify(typ, jws)?;
        (claims["iss"] == issuer).then_some(claims)
    }

    fn now(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

impl Keys {
    /// The key that signs at a moment: the newest whose turn has come. Before the first one should, it does: two clocks may differ.
    fn signs(&self, alg: Alg, now: Timestamp) -> Option<&Signing> {
        let keys = self.signing.get(&alg)?;
        keys.iter().find(|key| key.from <= now).or(keys.last())
    }
}

/// Refuses a master key that isn't the one the store was begun with, before anything is sealed with it.
async fn check_master(store: &dyn Store, master: &MasterKey) -> Result<()> {
    let own = URL_SAFE_NO_PAD.encode(master.mac(CHECK, b"gait"));
    match store.set_once(CHECK, &own).await? == own {
        true => Ok(()),
        false => Err(Error::Inconsistent(
            "the master key is another than the one that this database was begun with".to_owned(),
        )),
    }
}

/// Reads the ring without touching it: whether this master key opens every key that isn't retired.
///
/// # Errors
/// The store is away, or a key can't be opened.
pub async fn check(store: &dyn Store, master: &MasterKey, now: Timestamp) -> Result<()> {
    read(store, master, now).await.map(drop)
}

fn new_key(alg: Alg, signs_from: Timestamp, master: &MasterKey, ports: &Ports) -> Result<StoredKey> {
    let pkcs8 = PrivateKey::generate(alg)?;
    let (kid, public) = PrivateKey::parse(alg, &pkcs8)?.public();
    Ok(StoredKey {
        private: master.seal(PURPOSE, kid.as_str(), &pkcs8, ports.entropy.as_ref())?,
        kid,
        alg,
        public,
        created_at: ports.now(),
        signs_from,
        retire_at: None,
    })
}

/// Reads the ring from the store. All keys that live are published, and sign when it is their turn.
async fn read(store: &dyn Store, master: &MasterKey, now: Timestamp) -> Result<Keys> {
    let mut keys = Keys {
        signing: BTreeMap::new(),
        published: HashMap::new(),
        jwks: Arc::default(),
    };
    let mut members = Vec::new();
    let mut ring = store.keys().await?;
    // The newest come first; of those that were made in the same second, the one whose turn comes later, or that no other has replaced.
    ring.sort_by_key(|key| Reverse((key.created_at, key.signs_from, key.retire_at.is_none())));
    for stored in ring {
        if stored.retire_at.is_some_and(|at| at <= now) {
            continue;
        }
        let pkcs8 = master.open(PURPOSE, stored.kid.as_str(), &stored.private)?;
        keys.signing.entry(stored.alg).or_default().push(Signing {
            from: stored.signs_from,
            kid: stored.kid.clone(),
            key: PrivateKey::parse(stored.alg, &pkcs8)?,
        });
        let public = PublicKey::parse(stored.alg, &stored.public)?;
        keys.published.insert(stored.kid, public);
        members.push(stored.public);
    }
    keys.jwks = json!({ "keys": members }).to_string().into();
    Ok(keys)
}

/// Seconds from a rotation until nothing that an old key signed counts any more.
fn longest_life(lifetimes: &Lifetimes) -> i64 {
    i64::from(lifetimes.id_token.max(lifetimes.access_jwt).max(OTHER_LIFE)) + i64::from(ROUND_S)
}

impl Idp {
    /// The published keys (RFC 7517 §5), as JSON that was written once.
    pub fn jwks(&self) -> Arc<str> {
        self.keys.now().jwks.clone()
    }

    /// Whether this node has a signing key of every algorithm.
    pub fn signs(&self) -> bool {
        let keys = self.keys.now();
        ALGS.iter().all(|alg| keys.signing.contains_key(alg))
    }

    /// Makes and publishes new signing keys; the old ones stay published until their tokens are dead.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn rotate_keys(&self, rotation: Rotation) -> Result<()> {
        let lead_s = if rotation == Rotation::Announced { LEAD_S } else { 0 };
        let signs_from = self.ports.now().plus(lead_s);
        let retire_at = signs_from.plus(longest_life(&self.policy.lifetimes));
        for alg in ALGS {
            let key = new_key(alg, signs_from, &self.master, &self.ports)?;
            self.store.add_key(&key, retire_at, false).await?;
        }
        self.ports.herald.tell(Changed::Keys).await;
        self.refresh_keys().await
    }

    /// Reads anew, or forgets, what another node has changed.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn heed(&self, changed: &Changed) -> Result<()> {
        match changed {
            Changed::Keys => self.refresh_keys().await,
            Changed::Account(account) => {
                self.models.forget(*account);
                Ok(())
            }
            Changed::Anything => {
                self.models.forget_all();
                self.refresh_keys().await
            }
        }
    }

    /// Reads the key ring again, and deletes keys whose tokens are dead. Every node does so at least every minute.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn refresh_keys(&self) -> Result<()> {
        let now = self.ports.now();
        self.store.purge_keys(now).await?;
        let keys = read(self.store.as_ref(), &self.master, now).await?;
        self.keys.replace(keys);
        Ok(())
    }
}
