//! OAuth 2.0 and OpenID Connect, told from the outside: what a client sends, and what it gets.

mod assertions;
mod authorization;
mod clients;
mod keys;
mod logout;
mod machine;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gait_core::account::{Account, Identifier, Mode};
use gait_core::authorization::{AuthorizationResponse, Authorized};
use gait_core::client::{AccessTokenFormat, Alg, Client, ClientAuth, GrantType, SubjectType};
use gait_core::ephemeral::InProcess;
use gait_core::event::What;
use gait_core::ids::{AccountId, ClientId, SessionId};
use gait_core::policy::{AcrRule, Lifetimes, Plan, Policy, Row, WatchPolicy};
use gait_core::registry::Registry;
use gait_core::seal::MasterKey;
use gait_core::session::{EndReason, Place, Proof, RiskLevel, Session, StepUp};
use gait_core::store::{AccountStore, ClientStore, OperationStore, SessionStore, StoredKey, Which};
use gait_core::testing::{KnownAnswer, MemoryStore, TestPorts, ports};
use gait_core::token::secret::{Hash, Secret, SecretKind};
use gait_core::token::{ClientRequest, OAuthError};
use gait_core::visit::Caller;
use gait_core::{Idp, Setup};
use gait_sdk::{Alarm, PluginId, Visitor};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OnceCell;

pub const ISSUER: &str = "https://id.example";
pub const SECRET: &str = "a-secret-of-more-than-thirty-two-characters";
/// RFC 7636, Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const ACR: &str = "urn:test:acr:1fa";

const SCOPES: [&str; 8] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
    "continuous_auth",
    "notes",
];

/// RSA keys take long to make, so all stories begin with the same ones.
static KEYS: OnceCell<Vec<StoredKey>> = OnceCell::const_new();

/// A provider, its world, and Alice who is signed in with one browser.
pub struct World {
    pub idp: Idp,
    pub ports: TestPorts,
    pub store: Arc<MemoryStore>,
    pub alice: AccountId,
    pub cookie: Secret,
    pub sid: SessionId,
}

pub type Pairs = Vec<(String, String)>;

pub fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub fn client(id: &str, auth: ClientAuth) -> Client {
    Client {
        id: ClientId::from(id),
        name: format!("The {id}"),
        secret: matches!(auth, ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost).then(|| Hash::of(SECRET.as_bytes())),
        auth,
        jwks: None,
        redirect_uris: vec![callback(id)],
        post_logout_redirect_uris: vec![format!("https://{id}.example/bye")],
        origins: vec![format!("https://{id}.example")],
        grant_types: [
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
        ]
        .into(),
        scopes: SCOPES.into_iter().map(str::to_owned).collect(),
        id_token_alg: Alg::RS256,
        access_token: AccessTokenFormat::Opaque,
        subject_type: SubjectType::Public,
        sector_identifier: None,
        backchannel_logout_uri: None,
        continuous_auth_callback_uri: None,
        plan: None,
        theme: None,
        trusted: true,
        native: false,
        audience: vec![ClientId::from("api"), ClientId::from("plain-api")],
        introspects: false,
        step_up_aware: false,
        legacy_assertion_audience: false,
    }
}

pub fn callback(id: &str) -> String {
    format!("https://{id}.example/cb")
}

fn policy() -> Policy {
    let plan = Plan(vec![Row(vec![PluginId::from("known")])]);
    Policy {
        plan: plan.clone(),
        step_up: plan.clone(),
        acrs: vec![AcrRule {
            acr: ACR.to_owned(),
            plan,
        }],
        recovery: None,
        lifetimes: Lifetimes::default(),
        watch: WatchPolicy::default(),
        fresh_s: 300,
    }
}

fn alice(ports: &TestPorts) -> Account {
    let now = ports.clock.now();
    let claims = json!({
        "name": "Alice Example",
        "phone_number": "+49 30 1234",
        "address": { "country": "DE" },
        "shoe_size": 38,
    });
    Account {
        id: AccountId(ports.ports().uuid()),
        username: Identifier::parse("alice").unwrap(),
        email: Identifier::parse("alice@example.com"),
        email_verified: true,
        claims: claims.as_object().cloned().unwrap_or_else(Map::new),
        mode: Mode::Train,
        disabled_at: None,
        created_at: now,
        updated_at: now,
        credential_changed_at: None,
        revoked_before: None,
    }
}

fn master() -> MasterKey {
    MasterKey::new([7; 32])
}

pub fn setup(ports: &TestPorts, store: &Arc<MemoryStore>, master: MasterKey) -> Setup {
    Setup {
        issuer: ISSUER.to_owned(),
        policy: policy(),
        store: store.clone(),
        ephemeral: Arc::new(InProcess::new(ports.clock.clone(), 10_000)),
        ports: ports.ports(),
        master,
        registry: Registry::default().with(Arc::new(KnownAnswer::new("known", &["otp"], "42"))),
        senders: Vec::new(),
    }
}

impl World {
    pub async fn new() -> Self {
        let ports = ports();
        let store = Arc::new(MemoryStore::new());
        for key in KEYS.get_or_init(|| first_keys(&ports)).await {
            store.add_key(key, ports.clock.now(), true).await.unwrap();
        }
        let idp = Idp::start(setup(&ports, &store, master())).await.unwrap();
        let alice = alice(&ports);
        store.add_account(&alice, &[]).await.unwrap();
        for client in clients() {
            store.put_client(&client).await.unwrap();
        }
        let sid = SessionId::from("sid-of-alice");
        let cookie = Secret::new(SecretKind::Session, &ports.ports());
        let world = Self {
            idp,
            ports,
            store,
            alice: alice.id,
            cookie,
            sid,
        };
        world.sign_in(&world.sid, &world.cookie).await;
        world
    }

    /// Begins a session of Alice's.
    pub async fn sign_in(&self, sid: &SessionId, cookie: &Secret) {
        let now = self.ports.clock.now();
        let session = Session {
            id: sid.clone(),
            account: self.alice,
            proofs: vec![Proof {
                plugin: PluginId::from("known"),
                amr: vec!["otp".into()],
                at: now,
                waiver: false,
            }],
            created_at: now,
            last_seen_at: now,
            place: Place::default(),
            level: RiskLevel::Low,
            step_up: None,
            ended: None,
            sequence: 0,
        };
        self.store.begin_session(&session, &cookie.hash(), &[]).await.unwrap();
    }

    /// The process dies and another one takes over: what was ephemeral is gone.
    pub async fn restart(&mut self) {
        self.idp = Idp::start(setup(&self.ports, &self.store, master())).await.unwrap();
    }

    pub fn advance(&self, seconds: i64) {
        self.ports.clock.advance(seconds);
    }

    pub fn caller(&self) -> Caller {
        Caller {
            session: Some(self.cookie.clone()),
            ..stranger()
        }
    }

    pub async fn change_client(&self, id: &str, change: impl FnOnce(&mut Client)) {
        let mut client = self.store.client(&ClientId::from(id)).await.unwrap().unwrap();
        change(&mut client);
        self.store.put_client(&client).await.unwrap();
    }

    pub async fn authorize(&self, params: &[(String, String)]) -> Authorized {
        self.idp.authorize(params, &self.caller()).await.unwrap()
    }

    /// A code for `client`, with PKCE; `extra` replaces or adds parameters.
    pub async fn code(&self, client: &str, extra: &[(&str, &str)]) -> String {
        let response = responded(self.authorize(&request(client, extra)).await);
        param(&response, "code").unwrap_or_else(|| panic!("no code: {response:?}"))
    }

    /// Presents a form as a client that authenticates by HTTP Basic.
    pub async fn token(&self, client: &str, form: &[(&str, &str)]) -> Result<Value, OAuthError> {
        self.idp.token(&basic(client, SECRET, form)).await
    }

    pub async fn redeem(&self, client: &str, code: &str) -> Result<Value, OAuthError> {
        let callback = callback(client);
        let form = redemption(code, &callback);
        self.token(client, &form).await
    }

    /// Signs in at `client` and redeems the code.
    pub async fn tokens(&self, client: &str, extra: &[(&str, &str)]) -> Value {
        let code = self.code(client, extra).await;
        self.redeem(client, &code).await.unwrap()
    }

    pub async fn refresh(&self, client: &str, refresh_token: &str) -> Result<Value, OAuthError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token(client, &form).await
    }

    pub async fn introspect(&self, caller: &str, token: &str) -> Value {
        let request = basic(caller, SECRET, &[("token", token)]);
        self.idp.introspect(&request).await.unwrap()
    }

    pub async fn is_active(&self, token: &str) -> bool {
        self.introspect("api", token).await["active"] == true
    }

    pub async fn demand_step_up(&self) {
        let session = self.store.session(&self.sid).await.unwrap().unwrap();
        let step_up = StepUp {
            since: self.ports.clock.now(),
            alarm: Alarm::Soft,
            reasons: Vec::new(),
            failures: 0,
        };
        let level = RiskLevel::Medium;
        let set = self.store.set_risk(&self.sid, session.sequence, level, Some(&step_up), &[]);
        set.await.unwrap();
    }

    pub async fn clear_step_up(&self) {
        let session = self.store.session(&self.sid).await.unwrap().unwrap();
        let set = self.store.set_risk(&self.sid, session.sequence, RiskLevel::Low, None, &[]);
        set.await.unwrap();
    }

    pub async fn end(&self, which: Which, reason: EndReason) {
        let now = self.ports.clock.now();
        self.store.end_sessions(&which, now, reason, &|_| Vec::new()).await.unwrap();
    }

    /// What happened, oldest first.
    pub async fn events(&self) -> Vec<What> {
        let mut events = self.store.events_of(self.alice, 1000).await.unwrap();
        events.reverse();
        events.into_iter().map(|event| event.what).collect()
    }

    pub async fn saw_replay(&self, kind: &str) -> bool {
        let what = What::ReplayDetected { kind: kind.to_owned() };
        self.events().await.contains(&what)
    }

    /// The claims of a JWT that is signed by a published key under `alg`.
    pub fn verified(&self, jwt: &str, alg: jsonwebtoken::Algorithm) -> (jsonwebtoken::Header, Value) {
        let header = jsonwebtoken::decode_header(jwt).unwrap();
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(self.idp.jwks()).unwrap();
        let jwk = set.find(header.kid.as_deref().unwrap()).expect("a published kid");
        let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
        let mut rules = jsonwebtoken::Validation::new(alg);
        rules.validate_exp = false;
        rules.validate_aud = false;
        let data = jsonwebtoken::decode::<Value>(jwt, &key, &rules).unwrap();
        (data.header, data.claims)
    }
}

async fn first_keys(ports: &TestPorts) -> Vec<StoredKey> {
    let store = Arc::new(MemoryStore::new());
    Idp::start(setup(ports, &store, master())).await.unwrap();
    store.keys().await.unwrap()
}

fn clients() -> Vec<Client> {
    let confidential = |id| client(id, ClientAuth::ClientSecretBasic);
    let mut native = client("native", ClientAuth::None);
    native.native = true;
    native.redirect_uris = vec![
        "http://127.0.0.1/cb".to_owned(),
        "http://[::1]:8000/cb?x=1".to_owned(),
        "com.example.native:/cb".to_owned(),
    ];
    let mut api = confidential("api");
    (api.introspects, api.step_up_aware) = (true, true);
    let mut plain_api = confidential("plain-api");
    plain_api.introspects = true;
    vec![
        confidential("app"),
        confidential("other"),
        client("spa", ClientAuth::None),
        native,
        api,
        plain_api,
        confidential("stranger"),
    ]
}

/// A browser that nobody is signed in with.
pub fn stranger() -> Caller {
    Caller {
        visitor: Visitor {
            address: Some("192.0.2.7".parse().unwrap()),
            user_agent: "test".to_owned(),
            device: None,
        },
        session: None,
        flow: None,
        marker: false,
        locale: "en".to_owned(),
        request_id: "request-1".to_owned(),
    }
}

/// A good authorization request of `client`; an `extra` of the same name replaces a parameter, an empty one takes it away.
pub fn request(client: &str, extra: &[(&str, &str)]) -> Pairs {
    let callback = match client {
        "native" => "http://127.0.0.1/cb".to_owned(),
        _ => callback(client),
    };
    let mut params = BTreeMap::from([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", callback.as_str()),
        ("scope", "openid"),
        ("state", "st"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    params.extend(extra.iter().copied());
    params.retain(|_, value| !value.is_empty());
    pairs(&params.into_iter().collect::<Vec<_>>())
}

pub fn redemption<'a>(code: &'a str, callback: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", callback),
        ("code_verifier", VERIFIER),
    ]
}

pub fn form(params: &[(&str, &str)]) -> ClientRequest {
    ClientRequest {
        params: pairs(params),
        authorization: None,
        address: Some("192.0.2.9".to_owned()),
        request_id: "request-2".to_owned(),
    }
}

pub fn basic(client: &str, secret: &str, params: &[(&str, &str)]) -> ClientRequest {
    ClientRequest {
        authorization: Some(format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))),
        ..form(params)
    }
}

#[track_caller]
pub fn responded(authorized: Authorized) -> AuthorizationResponse {
    match authorized {
        Authorized::Respond(response, _) => response,
        other => panic!("no response, but {other:?}"),
    }
}

pub fn param(response: &AuthorizationResponse, name: &str) -> Option<String> {
    let found = response.params.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone())
}

/// The OAuth error code of a refused call.
#[track_caller]
pub fn error(result: Result<Value, OAuthError>) -> &'static str {
    match result {
        Err(OAuthError::Refused { error, .. }) => error,
        other => panic!("not refused, but {other:?}"),
    }
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The payload of a JWT, unverified.
pub fn payload(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
