//! What the stories of the watch are played on: one provider in memory, people who are signed in, apps that have them watched, and
//! a scorer with a script.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_scorer::Conductor;
use gait_core::account::{Account, BehaviourConsent, Identifier, Mode};
use gait_core::account_page::Change;
use gait_core::client::{AccessTokenFormat, Alg, Client, ClientAuth, GrantType, SubjectType};
use gait_core::continuous::{SampleAnswer, Sender, WatchError, WatchState};
use gait_core::ephemeral::InProcess;
use gait_core::event::{Event, What};
use gait_core::flow::Progress;
use gait_core::grant::{Grant, Token, TokenKind};
use gait_core::ids::{AccountId, ClientId, GrantId, SessionId};
use gait_core::policy::{AcrRule, Lifetimes, Limits, MailLimits, Plan, Policy, Row, WatchPolicy};
use gait_core::registry::Registry;
use gait_core::seal::MasterKey;
use gait_core::session::{Place, Proof, RiskLevel, Session};
use gait_core::store::{Redeemed, Store, Strengthened};
use gait_core::testing::{KnownAnswer, MemoryStore, TestPorts, ports};
use gait_core::token::ClientRequest;
use gait_core::token::secret::{Secret, SecretKind};
use gait_core::visit::{Caller, Cookie};
use gait_core::{Idp, Setup};
use gait_sdk::{Label, PluginId, Timestamp, Visitor};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

pub const ISSUER: &str = "https://gait.example";
pub const ORIGIN: &str = "https://app.example";

pub struct Stage {
    pub idp: Arc<Idp>,
    pub ports: TestPorts,
    pub scorer: Arc<Conductor>,
    ephemeral: Arc<InProcess>,
    /// The browsers' cookies.
    cookies: Mutex<HashMap<SessionId, Secret>>,
}

/// A person who is signed in at an app.
pub struct Actor {
    pub account: AccountId,
    pub session: SessionId,
    pub client: ClientId,
    pub grant: GrantId,
    pub access: String,
    pub refresh: String,
    pub watch: String,
    pub seq: u64,
}

pub fn watch_policy() -> WatchPolicy {
    WatchPolicy {
        decision_lag_ms: 0,
        ..WatchPolicy::default()
    }
}

fn policy(watch: WatchPolicy) -> Policy {
    let plan = Plan(vec![Row(vec![PluginId::from("password")])]);
    Policy {
        plan: plan.clone(),
        step_up: plan.clone(),
        acrs: vec![AcrRule {
            acr: "urn:example:1".to_owned(),
            plan,
        }],
        recovery: None,
        lifetimes: Lifetimes::default(),
        watch,
        mails: MailLimits::default(),
        limits: Limits::default(),
        fresh_s: 300,
    }
}

pub fn client(id: &str) -> Client {
    Client {
        id: ClientId::from(id),
        name: id.to_owned(),
        secret: None,
        auth: ClientAuth::None,
        jwks: None,
        redirect_uris: vec![format!("https://{id}.example/cb")],
        post_logout_redirect_uris: vec![],
        origins: vec![ORIGIN.to_owned()],
        grant_types: BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
        scopes: BTreeSet::from(["openid".to_owned(), "continuous_auth".to_owned(), "offline_access".to_owned()]),
        id_token_alg: Alg::ES256,
        access_token: AccessTokenFormat::Opaque,
        subject_type: SubjectType::Public,
        sector_identifier: None,
        backchannel_logout_uri: Some(format!("https://{id}.example/logout").parse().unwrap()),
        continuous_auth_callback_uri: Some(format!("https://{id}.example/events").parse().unwrap()),
        plan: None,
        theme: None,
        trusted: true,
        native: false,
        audience: vec![],
        introspects: false,
        step_up_aware: false,
        legacy_assertions: false,
    }
}

fn registry(scorer: &Arc<Conductor>) -> Registry {
    Registry::default()
        .with(Arc::new(KnownAnswer::new("password", &["pwd"], "open sesame")))
        .with_scorer(scorer.clone())
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(watch_policy(), vec![]).await
    }

    pub async fn with(watch: WatchPolicy, senders: Vec<Sender>) -> Self {
        let ports = ports();
        let scorer = Arc::new(Conductor::new());
        let ephemeral = Arc::new(InProcess::new(ports.clock.clone(), 10_000));
        let setup = Setup {
            issuer: ISSUER.to_owned(),
            policy: policy(watch),
            store: Arc::new(MemoryStore::new()),
            ephemeral: ephemeral.clone(),
            ports: ports.ports(),
            master: MasterKey::new([7; 32]),
            registry: registry(&scorer),
            senders,
        };
        let idp = Arc::new(Idp::start(setup).await.unwrap());
        for id in ["shop", "bank"] {
            idp.store().put_client(&client(id)).await.unwrap();
        }
        Self {
            idp,
            ports,
            scorer,
            ephemeral,
            cookies: Mutex::default(),
        }
    }

    /// Another node of the same deployment.
    pub async fn another_node(&self) -> Arc<Idp> {
        let setup = Setup {
            issuer: ISSUER.to_owned(),
            policy: self.idp.policy().clone(),
            store: self.store().clone(),
            ephemeral: self.ephemeral.clone(),
            ports: self.ports.ports(),
            master: MasterKey::new([7; 32]),
            registry: registry(&self.scorer),
            senders: vec![],
        };
        Arc::new(Idp::start(setup).await.unwrap())
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.idp.store()
    }

    pub async fn account(&self, name: &str, mode: Mode) -> AccountId {
        let id = AccountId(self.ports.ports().uuid());
        let now = self.ports.clock.now();
        let account = Account {
            id,
            username: Identifier::parse(name).unwrap(),
            email: None,
            email_verified: false,
            claims: serde_json::Map::new(),
            mode,
            disabled_at: None,
            created_at: now,
            updated_at: now,
            credential_changed_at: None,
            revoked_before: None,
        };
        self.store().add_account(&account, &[]).await.unwrap();
        if mode != Mode::Auth {
            self.store().set_mode(id, mode, &[]).await.unwrap();
        }
        id
    }

    pub async fn consent(&self, account: AccountId) {
        let consent = BehaviourConsent {
            account,
            purpose: "continuous_auth".to_owned(),
            text_version: "1".to_owned(),
            at: self.ports.clock.now(),
            withdrawn_at: None,
        };
        self.store().give_consent(&consent, &[]).await.unwrap();
    }

    pub async fn session(&self, account: AccountId) -> SessionId {
        self.session_with(account, vec![proof(self.ports.clock.now())]).await
    }

    pub async fn session_with(&self, account: AccountId, proofs: Vec<Proof>) -> SessionId {
        let now = self.ports.clock.now();
        let session = Session {
            id: SessionId(self.ports.ports().uuid().to_string()),
            account,
            proofs,
            created_at: now,
            last_seen_at: now,
            place: Place {
                address: "192.0.2.7".to_owned(),
                ..Place::default()
            },
            level: RiskLevel::Low,
            step_up: None,
            ended: None,
            sequence: 0,
        };
        let secret = Secret::new(SecretKind::Session, &self.ports.ports());
        self.store().begin_session(&session, &secret.hash(), &[]).await.unwrap();
        self.cookies.lock().unwrap().insert(session.id.clone(), secret);
        session.id
    }

    fn caller(&self, actor: &Actor, flow: Option<Secret>) -> Caller {
        Caller {
            visitor: Visitor {
                address: None,
                user_agent: String::new(),
                device: None,
            },
            session: self.cookies.lock().unwrap().get(&actor.session).cloned(),
            flow,
            marker: false,
            password_marker: false,
            locale: "en".to_owned(),
            request_id: "req-3".to_owned(),
        }
    }

    /// Passes the step-up that is pending, in the browser of the session.
    pub async fn passes_step_up(&self, actor: &Actor) {
        let caller = self.caller(actor, None);
        let begun = self.idp.begin_page_flow("/account", false, None, &caller).await.unwrap();
        let flow = begun.cookies.into_iter().find_map(|cookie| match cookie {
            Cookie::Flow(_, secret) => secret,
            _ => None,
        });
        let caller = self.caller(actor, flow);
        let csrf = self.idp.prompt(&begun.id, &caller).await.unwrap().csrf;
        let fields = [("csrf", csrf.as_str()), ("code", "open sesame")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let Progress::Page(_, cookies) = self.idp.answer(&begun.id, &fields, &caller).await.unwrap() else {
            panic!("the step-up goes on");
        };
        for cookie in cookies {
            if let Cookie::Session(Some(secret)) = cookie {
                self.cookies.lock().unwrap().insert(actor.session.clone(), secret);
            }
        }
    }

    /// Makes a change on the account page, in the browser of the session.
    pub async fn changes(&self, actor: &Actor, change: &Change) {
        let caller = self.caller(actor, None);
        let csrf = self.idp.signed_in(&caller).await.unwrap().unwrap().csrf;
        self.idp.change(change, &csrf, &caller).await.unwrap();
    }

    /// Gets a new watch token, if the app may have one now.
    pub async fn renews(&self, actor: &mut Actor) {
        if let Ok(watch) = self.idp.watch_token(&actor.access, ORIGIN, Some(ORIGIN)).await {
            actor.watch = watch.token.expose().to_owned();
        }
    }

    /// Tokens of a new grant: access and refresh.
    pub async fn grant(&self, account: AccountId, session: &SessionId, client: &str, scope: &str) -> (GrantId, String, String) {
        let ports = self.ports.ports();
        let now = self.ports.clock.now();
        let grant = Grant {
            id: GrantId(ports.uuid()),
            account,
            client: ClientId::from(client),
            session: session.clone(),
            scopes: scope.split(' ').map(str::to_owned).collect(),
            claims: None,
            nonce: None,
            acr: None,
            amr: vec!["pwd".into()],
            auth_time: now,
            created_at: now,
            revoked_at: None,
        };
        let token = |kind, secret: &Secret| Token {
            hash: secret.hash(),
            kind,
            grant: Some(grant.id),
            client: grant.client.clone(),
            scopes: grant.scopes.clone(),
            audience: vec![],
            issued_at: now,
            expires_at: now.plus(3600),
            spent_at: None,
        };
        let access = Secret::new(SecretKind::Access, &ports);
        let refresh = Secret::new(SecretKind::Refresh, &ports);
        let tokens = [token(TokenKind::Access, &access), token(TokenKind::Refresh, &refresh)];
        let code = Secret::new(SecretKind::Code, &ports).hash();
        let redeemed = self.store().redeem_code(&code, &grant, &tokens, None).await.unwrap();
        assert_eq!(redeemed, Redeemed::First);
        (grant.id, access.expose().to_owned(), refresh.expose().to_owned())
    }

    /// Signed in at `shop`, in mode `auth`, with consent, being watched.
    pub async fn watched(&self, name: &str) -> Actor {
        let account = self.account(name, Mode::Auth).await;
        self.consent(account).await;
        let session = self.session(account).await;
        self.at(account, session, "shop").await
    }

    pub async fn at(&self, account: AccountId, session: SessionId, client: &str) -> Actor {
        let scope = "openid continuous_auth offline_access";
        let (grant, access, refresh) = self.grant(account, &session, client, scope).await;
        let watch = self.idp.watch_token(&access, ORIGIN, Some(ORIGIN)).await.unwrap();
        Actor {
            account,
            session,
            client: ClientId::from(client),
            grant,
            access,
            refresh,
            watch: watch.token.expose().to_owned(),
            seq: 0,
        }
    }

    /// Sends the actor's next batch.
    pub async fn types(&self, actor: &mut Actor) -> Result<SampleAnswer, WatchError> {
        actor.seq += 1;
        self.sends(actor, &batch(actor.seq)).await
    }

    pub async fn sends(&self, actor: &Actor, body: &Value) -> Result<SampleAnswer, WatchError> {
        let body = body.to_string();
        self.idp.sample(&actor.watch, Some(ORIGIN), body.as_bytes(), "req-1").await
    }

    /// The state that the next batch is answered with.
    pub async fn state(&self, actor: &mut Actor) -> WatchState {
        self.types(actor).await.unwrap().state
    }

    pub async fn session_now(&self, actor: &Actor) -> Session {
        self.store().session(&actor.session).await.unwrap().unwrap()
    }

    /// What happened to an account, oldest first.
    pub async fn events(&self, actor: &Actor) -> Vec<Event> {
        let mut events = self.store().events_of(actor.account, 100).await.unwrap();
        events.reverse();
        events
    }

    pub async fn facts(&self, actor: &Actor) -> Vec<What> {
        self.events(actor).await.into_iter().map(|event| event.what).collect()
    }

    /// Passes a step-up, as the flow engine writes it down.
    pub async fn proves(&self, actor: &Actor) {
        self.ports.clock.advance(1);
        let session = self.session_now(actor).await;
        let secret = prove(self.store(), &session, self.ports.clock.now(), &self.ports).await;
        self.cookies.lock().unwrap().insert(actor.session.clone(), secret);
    }

    pub async fn refresh(&self, actor: &Actor) -> Result<Value, String> {
        let params = [
            ("grant_type", "refresh_token"),
            ("refresh_token", actor.refresh.as_str()),
            ("client_id", actor.client.as_str()),
        ];
        let request = ClientRequest {
            params: params
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            authorization: None,
            address: None,
            request_id: "req-2".to_owned(),
        };
        self.idp.token(&request).await.map_err(|error| error.to_string())
    }

    pub async fn labels(&self, actor: &Actor) -> Vec<Label> {
        let records = self.store().records_of(actor.account, 100).await.unwrap();
        records.into_iter().map(|record| record.label).collect()
    }
}

pub fn proof(at: Timestamp) -> Proof {
    Proof {
        plugin: PluginId::from("password"),
        amr: vec!["pwd".into()],
        at,
        waiver: false,
    }
}

pub async fn prove(store: &Arc<dyn Store>, session: &Session, at: Timestamp, ports: &TestPorts) -> Secret {
    let secret = Secret::new(SecretKind::Session, &ports.ports());
    let change = Strengthened {
        secret: secret.hash(),
        proofs: vec![proof(at)],
        level: RiskLevel::Low,
        step_up: None,
        place: session.place.clone(),
    };
    let what = What::SessionStrengthened {
        plugins: vec![PluginId::from("password")],
        previous_level: session.level,
    };
    let event = Event {
        id: gait_core::ids::EventId(ports.ports().uuid()),
        at_ms: at.0 * 1000,
        what,
        account: Some(session.account),
        session: Some(session.id.clone()),
        client: None,
        address: None,
        txn: "step-up".to_owned(),
    };
    store
        .strengthen_session(&session.id, session.sequence, at, &change, &[event])
        .await
        .unwrap();
    secret
}

pub fn batch(seq: u64) -> Value {
    json!({"v": 1, "seq": seq, "span_ms": 5000, "clock_ms": 0.1, "pointer": "mouse", "metrics": {"hold_ms": [90.0, 110.5]}})
}
