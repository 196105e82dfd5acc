//! What tests start from.

use gait_core::account::{Account, BehaviourConsent, Identifier, Mode, StoredCredential};
use gait_core::client::Client;
use gait_core::event::{Channel, Delivery, DeliveryState, Event, What};
use gait_core::grant::{Grant, Token, TokenKind};
use gait_core::ids::{AccountId, DeliveryId, EventId, GrantId, SessionId};
use gait_core::session::{Place, Proof, RiskLevel, Session};
use gait_core::store::{EndEvents, Result, Store};
use gait_core::token::secret::Hash;
use gait_sdk::{Alarm, Amr, Credential, Timestamp};
use serde_json::json;
use std::future::Future;
use std::sync::Arc;
use uuid::Uuid;

pub type TheStore = Arc<dyn Store>;

/// The time at which everything begins.
pub const NOW: Timestamp = Timestamp(1_893_456_000);
/// More than there is.
pub const MOST: u32 = 1000;
/// No event for an ended session.
pub const SILENTLY: EndEvents<'static> = &|_| Vec::new();

pub fn hash(text: &str) -> Hash {
    Hash::of(text.as_bytes())
}

/// The same id for the same name.
pub fn uuid(name: &str) -> Uuid {
    Uuid::from_slice(&hash(name).0[..16]).unwrap()
}

pub fn identifier(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

pub fn account(name: &str) -> Account {
    Account {
        id: AccountId(uuid(name)),
        username: identifier(name),
        email: None,
        email_verified: false,
        claims: serde_json::Map::new(),
        mode: Mode::Train,
        disabled_at: None,
        created_at: NOW,
        updated_at: NOW,
        credential_changed_at: None,
        revoked_before: None,
    }
}

pub fn credential(of: &Account, plugin: &str, id: &str) -> StoredCredential {
    StoredCredential {
        account: of.id,
        plugin: plugin.into(),
        credential: Credential {
            id: id.into(),
            label: "My key".to_owned(),
            payload: json!({"secret": id}),
            version: 1,
            created_at: NOW,
        },
        last_used_at: None,
    }
}

pub fn client(id: &str) -> Client {
    serde_json::from_value(json!({
        "id": id, "name": id, "secret": hash(id), "auth": "client_secret_basic", "jwks": null,
        "redirect_uris": ["https://app.example/callback"], "post_logout_redirect_uris": [], "origins": ["https://app.example"],
        "grant_types": ["authorization_code", "refresh_token"], "scopes": ["openid", "offline_access"],
        "id_token_alg": "ES256", "access_token": "opaque", "subject_type": "pairwise", "sector_identifier": null,
        "backchannel_logout_uri": "https://app.example/logout", "continuous_auth_callback_uri": null,
        "plan": [["password", "passkey"], ["email-otp"]], "theme": null, "trusted": false, "native": false,
        "audience": ["api"], "introspects": false, "step_up_aware": true, "legacy_assertions": false
    }))
    .unwrap()
}

pub fn session(of: &Account, id: &str) -> Session {
    Session {
        id: SessionId::from(id),
        account: of.id,
        proofs: vec![Proof {
            plugin: "password".into(),
            amr: vec![Amr::from("pwd")],
            at: NOW,
            waiver: false,
        }],
        created_at: NOW,
        last_seen_at: NOW,
        place: Place {
            address: "192.0.2.7".to_owned(),
            user_agent: "Firefox “nightly”".to_owned(),
            device: None,
        },
        level: RiskLevel::Low,
        step_up: None,
        ended: None,
        sequence: 1,
    }
}

pub fn step_up(since: Timestamp) -> gait_core::session::StepUp {
    gait_core::session::StepUp {
        since,
        alarm: Alarm::Soft,
        reasons: vec!["typing_rhythm_differs".to_owned()],
        failures: 0,
    }
}

pub fn grant(of: &Session, client: &str, name: &str) -> Grant {
    Grant {
        id: GrantId(uuid(name)),
        account: of.account,
        client: client.into(),
        session: of.id.clone(),
        scopes: ["openid".to_owned()].into(),
        claims: None,
        nonce: None,
        acr: Some("mfa".to_owned()),
        amr: vec![Amr::from("pwd"), Amr::from("otp")],
        auth_time: NOW,
        created_at: NOW,
        revoked_at: None,
    }
}

pub fn offline(mut grant: Grant) -> Grant {
    grant.scopes.insert("offline_access".to_owned());
    grant
}

pub fn token(of: &Grant, kind: TokenKind, text: &str) -> Token {
    Token {
        hash: hash(text),
        kind,
        grant: Some(of.id),
        client: of.client.clone(),
        scopes: of.scopes.clone(),
        audience: vec!["api".into()],
        issued_at: NOW,
        expires_at: NOW.plus(600),
        spent_at: None,
    }
}

pub fn refresh(of: &Grant, text: &str) -> Token {
    token(of, TokenKind::Refresh, text)
}

pub fn event(about: &Account, name: &str) -> Event {
    Event {
        id: EventId(uuid(name)),
        at_ms: NOW.0 * 1000,
        what: What::Recovered,
        account: Some(about.id),
        session: None,
        client: None,
        address: Some("192.0.2.7".to_owned()),
        txn: name.to_owned(),
    }
}

pub fn delivery(event: &Event, client: &str, name: &str) -> Delivery {
    Delivery {
        id: DeliveryId(uuid(name)),
        client: client.into(),
        channel: Channel::Callback,
        event: event.clone(),
        state: DeliveryState::Queued,
        since: NOW,
        attempts: 0,
        refusals: 0,
        last_error: None,
    }
}

pub fn consent(of: &Account) -> BehaviourConsent {
    BehaviourConsent {
        account: of.id,
        purpose: "continuous_auth".to_owned(),
        text_version: "1".to_owned(),
        at: NOW,
        withdrawn_at: None,
    }
}

/// Adds an account without anything.
pub async fn add(store: &TheStore, name: &str) -> Account {
    let account = account(name);
    store.add_account(&account, &[]).await.unwrap();
    account
}

/// Begins a session; the cookie's secret is its id.
pub async fn begin(store: &TheStore, of: &Account, id: &str) -> Session {
    let session = session(of, id);
    store.begin_session(&session, &hash(id), &[]).await.unwrap();
    session
}

/// Redeems a code for `grant`: its tokens are `<name> access` and `<name> refresh`.
pub async fn issue(store: &TheStore, grant: &Grant, name: &str) {
    let tokens = [
        token(grant, TokenKind::Access, &format!("{name} access")),
        refresh(grant, &format!("{name} refresh")),
    ];
    let redeemed = store.redeem_code(&hash(name), grant, &tokens, None).await.unwrap();
    assert_eq!(redeemed, gait_core::store::Redeemed::First, "{name}");
}

/// Alice, who is signed in at a client by two grants: `online`, and `offline` with `offline_access`.
pub struct SignedIn {
    pub alice: Account,
    pub session: Session,
    pub online: Grant,
    pub offline: Grant,
}

pub async fn signed_in(store: &TheStore) -> SignedIn {
    store.put_client(&client("app")).await.unwrap();
    let alice = add(store, "alice").await;
    let session = begin(store, &alice, "sid").await;
    let online = grant(&session, "app", "online");
    let offline = offline(grant(&session, "app", "offline"));
    issue(store, &online, "online").await;
    issue(store, &offline, "offline").await;
    SignedIn {
        alice,
        session,
        online,
        offline,
    }
}

/// True if the tokens that [`issue`] made for `name` are unspent and their grant isn't revoked: both, or neither.
pub async fn lives(store: &TheStore, name: &str) -> bool {
    let access = store.standing(&hash(&format!("{name} access"))).await.unwrap().unwrap();
    let refresh = store.standing(&hash(&format!("{name} refresh"))).await.unwrap().unwrap();
    let lives = access.grant.unwrap().revoked_at.is_none();
    assert_eq!(access.token.spent_at.is_none(), lives, "{name}: access token");
    assert_eq!(refresh.token.spent_at.is_none(), lives, "{name}: refresh token");
    lives
}

/// Calls 50 times at once, with the number of the call.
pub async fn at_once<T, F>(call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let calls: Vec<_> = (0..50).map(|number| tokio::spawn(call(number))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers
}

/// How many of the answers are this one.
pub fn count<T: PartialEq>(answers: &[T], wanted: &T) -> usize {
    answers.iter().filter(|answer| *answer == wanted).count()
}

/// What calls answer that meet `most` rows each, up to the first one that meets fewer.
pub async fn batches(most: u64, mut call: impl AsyncFnMut() -> Result<u64>) -> Vec<u64> {
    let mut met = Vec::new();
    while met.last().is_none_or(|last| *last == most) {
        met.push(call().await.unwrap());
    }
    met
}

/// The transactions (`txn`) of the events about an account, newest first.
pub async fn told(store: &TheStore, about: &Account) -> Vec<String> {
    let events = store.events_of(about.id, 100).await.unwrap();
    events.into_iter().map(|event| event.txn).collect()
}
