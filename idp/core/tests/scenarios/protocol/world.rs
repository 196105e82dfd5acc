//! The world that the stories play in: a provider, its clients, and Alice who is signed in.

use super::*;
use gait_core::account::{Account, Identifier, Mode};
use gait_core::ephemeral::InProcess;
use gait_core::ids::AccountId;
use gait_core::policy::{AcrRule, Lifetimes, Limits, MailLimits, Plan, Policy, Row, WatchPolicy};
use gait_core::registry::Registry;
use gait_core::session::{Place, Proof, RiskLevel, Session, StepUp};
use gait_core::store::StoredKey;
use gait_core::testing::{KnownAnswer, MemoryStore, TestPorts, ports};
use gait_sdk::{Alarm, PluginId};
use serde_json::Map;
use tokio::sync::OnceCell;

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
        mails: MailLimits::default(),
        limits: Limits::default(),
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

pub fn master() -> MasterKey {
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
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&self.idp.jwks()).unwrap();
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
    let mut strange_api = confidential("strange-api");
    (strange_api.introspects, strange_api.step_up_aware) = (true, true);
    vec![
        confidential("app"),
        confidential("other"),
        client("spa", ClientAuth::None),
        native,
        api,
        plain_api,
        strange_api,
        confidential("stranger"),
    ]
}
