//! A provider with two people and three apps.

use super::factors::{Backup, Key, Otp, Password, Place};
use gait_core::account::{Account, BehaviourConsent, Identifier, Mode, StoredCredential};
use gait_core::client::{Client, ClientAuth, GrantType};
use gait_core::ephemeral::InProcess;
use gait_core::event::What;
use gait_core::ids::{AccountId, ClientId, SessionId};
use gait_core::policy::{AcrRule, Lifetimes, Limits, MailLimits, Plan, Policy, Row, WatchPolicy};
use gait_core::ports::Clock;
use gait_core::registry::Registry;
use gait_core::seal::MasterKey;
use gait_core::session::{RiskLevel, Session, StepUp};
use gait_core::store::{
    AccountStore, BehaviourStore, ClientStore, Ephemeral, OperationStore, SessionStore, StoredKey, StoredModel,
};
use gait_core::testing::{MemoryStore, TestPorts, ports};
use gait_core::{Idp, Setup};
use gait_sdk::{
    Alarm, Assessment, Background, Batch, Context, Credential, CredentialId, Evidence, Labelled, Learned, ModelBlob, PluginError,
    PluginId, Prepared, Scored, Scorer, ScorerManifest, State, Text,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio::sync::OnceCell;

pub const ISSUER: &str = "https://id.example";
pub const ONE: &str = "urn:test:1fa";
pub const TWO: &str = "urn:test:2fa";
pub const PHR: &str = "phr";

/// Keys take long to make, so all stories begin with the same ones.
static KEYS: OnceCell<Vec<StoredKey>> = OnceCell::const_new();

/// A scorer that knows every account from the start; its fitness is what the batch says in `span_ms`, in percent.
struct Rhythm(ScorerManifest);

#[async_trait::async_trait]
impl Scorer for Rhythm {
    fn manifest(&self) -> &ScorerManifest {
        &self.0
    }
    fn prepare(&self, _: &ModelBlob, _: Option<&Background>) -> Result<Prepared, PluginError> {
        Ok(Arc::new(()))
    }
    async fn score(&self, _: &Context, _: Option<&Prepared>, state: State, batch: &Batch) -> Result<Scored, PluginError> {
        let assessment = Assessment {
            evidence: Evidence::Insufficient,
            fitness: Some(batch.span_ms / 100.0),
            alarm: Alarm::None,
            reasons: Vec::new(),
        };
        Ok(Scored {
            state,
            assessment,
            record: None,
        })
    }
    async fn background(&self, _: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        Ok(None)
    }
    async fn learn(
        &self,
        _: &Context,
        _: Option<&ModelBlob>,
        _: Option<&Background>,
        _: &[Labelled],
    ) -> Result<Learned, PluginError> {
        let (model, settled) = (None, Vec::new());
        Ok(Learned { model, settled })
    }
    fn describe(&self, _: &ModelBlob) -> Result<Value, PluginError> {
        Ok(json!({ "pace": "steady" }))
    }
}

pub struct Stage {
    pub idp: Idp,
    pub ports: TestPorts,
    pub store: Arc<MemoryStore>,
    pub alice: AccountId,
    pub bob: AccountId,
}

pub fn plan(rows: &[&[&str]]) -> Plan {
    let row = |ids: &&[&str]| Row(ids.iter().map(|&id| PluginId::from(id)).collect());
    Plan(rows.iter().map(row).collect())
}

pub fn policy() -> Policy {
    let rule = |acr: &str, rows: &[&[&str]]| AcrRule {
        acr: acr.to_owned(),
        plan: plan(rows),
    };
    Policy {
        plan: plan(&[&["password", "key"], &["place", "otp", "key", "backup"]]),
        step_up: plan(&[&["otp", "key", "password"]]),
        acrs: vec![
            rule(ONE, &[&["password", "key"]]),
            rule(TWO, &[&["password", "key"], &["otp", "key"]]),
            rule(PHR, &[&["key"]]),
        ],
        recovery: Some(PluginId::from("password")),
        lifetimes: Lifetimes::default(),
        watch: WatchPolicy::default(),
        mails: MailLimits::default(),
        limits: Limits::default(),
        fresh_s: 300,
    }
}

pub fn registry() -> Registry {
    let manifest = ScorerManifest {
        id: PluginId::from("behavior"),
        label: Text::new("test-rhythm", "Rhythm"),
        enrol_samples: 10,
    };
    Registry::default()
        .with(Arc::new(Password::new()))
        .with(Arc::new(Otp::new()))
        .with(Arc::new(Backup::new()))
        .with(Arc::new(Key::new()))
        .with(Arc::new(Place::new()))
        .with_scorer(Arc::new(Rhythm(manifest)))
}

fn client(id: &str) -> Client {
    let scopes = ["openid", "profile", "email", "offline_access", "continuous_auth"];
    Client {
        id: ClientId::from(id),
        name: format!("The {id}"),
        secret: None,
        auth: ClientAuth::None,
        jwks: None,
        redirect_uris: vec![format!("https://{id}.example/cb")],
        post_logout_redirect_uris: Vec::new(),
        origins: vec![format!("https://{id}.example")],
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        id_token_alg: Default::default(),
        access_token: Default::default(),
        subject_type: Default::default(),
        sector_identifier: None,
        backchannel_logout_uri: None,
        continuous_auth_callback_uri: None,
        plan: None,
        theme: None,
        trusted: id == "app",
        native: id == "native",
        audience: Vec::new(),
        introspects: false,
        step_up_aware: false,
        legacy_assertions: false,
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(policy(), registry()).await
    }

    pub async fn with(policy: Policy, registry: Registry) -> Self {
        Self::on(policy, registry, |clock| Arc::new(InProcess::new(clock, 100_000))).await
    }

    /// On an ephemeral store of the test's own.
    pub async fn on(policy: Policy, registry: Registry, ephemeral: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Ephemeral>) -> Self {
        let ports = ports();
        let store = Arc::new(MemoryStore::new());
        for key in KEYS.get_or_init(|| first_keys(&ports)).await {
            store.add_key(key, ports.clock.now(), true).await.unwrap();
        }
        let ephemeral = ephemeral(ports.clock.clone());
        let idp = start(&ports, &store, ephemeral, policy, registry).await;
        for id in ["app", "third", "native"] {
            store.put_client(&client(id)).await.unwrap();
        }
        let mut stage = Self {
            idp,
            ports,
            store,
            alice: AccountId(uuid::Uuid::nil()),
            bob: AccountId(uuid::Uuid::nil()),
        };
        stage.alice = stage.add_person("alice").await;
        stage.bob = stage.add_person("bob").await;
        stage
    }

    /// A person with the password `pw-NAME`, the mail address `NAME@example.com` and a backup code `bk-NAME`.
    async fn add_person(&self, name: &str) -> AccountId {
        let id = AccountId(self.ports.ports().uuid());
        let now = self.ports.clock.now();
        let account = Account {
            id,
            username: Identifier::parse(name).unwrap(),
            email: Identifier::parse(&format!("{name}@example.com")),
            email_verified: true,
            claims: Map::new(),
            mode: Mode::Train,
            disabled_at: None,
            created_at: now,
            updated_at: now,
            credential_changed_at: None,
            revoked_before: None,
        };
        let held = [("password", format!("pw-{name}")), ("backup", format!("bk-{name}"))];
        let credentials: Vec<_> = held
            .into_iter()
            .map(|(plugin, secret)| self.credential(id, plugin, &secret))
            .collect();
        self.store.add_account(&account, &credentials).await.unwrap();
        id
    }

    fn credential(&self, account: AccountId, plugin: &str, secret: &str) -> StoredCredential {
        StoredCredential {
            account,
            plugin: PluginId::from(plugin),
            credential: Credential {
                id: CredentialId::new(format!("{plugin}-of-{account}")),
                label: plugin.to_owned(),
                payload: json!(secret),
                version: 0,
                created_at: self.ports.clock.now(),
            },
            last_used_at: None,
        }
    }

    pub fn advance(&self, seconds: i64) {
        self.ports.clock.advance(seconds);
    }

    /// The code of the newest mail to a person.
    pub fn mailed_code(&self, name: &str) -> String {
        let mail = self
            .ports
            .mailbox
            .last(&format!("{name}@example.com"), "otp")
            .expect("a mail with a code");
        mail.args["code"].clone()
    }

    /// What stands behind the newest mail's link.
    pub fn mailed_token(&self, name: &str, template: &str) -> String {
        let mail = self
            .ports
            .mailbox
            .last(&format!("{name}@example.com"), template)
            .expect("a mail with a link");
        let link = &mail.args["link"];
        assert!(
            link.starts_with(ISSUER),
            "links name the issuer, whatever host was asked: {link}"
        );
        link.rsplit('/').next().unwrap().to_owned()
    }

    pub async fn account(&self, id: AccountId) -> Account {
        self.store.account(id).await.unwrap().unwrap()
    }

    pub async fn sessions(&self, account: AccountId) -> Vec<Session> {
        self.store.sessions_of(account).await.unwrap()
    }

    pub async fn only_session(&self, account: AccountId) -> Session {
        let sessions = self.sessions(account).await;
        assert_eq!(sessions.len(), 1);
        sessions.into_iter().next().unwrap()
    }

    pub async fn demand_step_up(&self, sid: &SessionId) {
        let session = self.store.session(sid).await.unwrap().unwrap();
        let step_up = StepUp {
            since: self.ports.clock.now(),
            alarm: Alarm::Soft,
            reasons: vec!["typing_rhythm_differs".to_owned()],
            failures: 0,
        };
        let level = RiskLevel::Medium;
        self.store
            .set_risk(sid, session.sequence, level, Some(&step_up), &[])
            .await
            .unwrap();
    }

    pub async fn consent(&self, account: AccountId) {
        let consent = BehaviourConsent {
            account,
            purpose: "continuous_auth".to_owned(),
            text_version: "2026-11".to_owned(),
            at: self.ports.clock.now(),
            withdrawn_at: None,
        };
        self.store.give_consent(&consent, &[]).await.unwrap();
    }

    /// Gives an account a model that is good enough.
    pub async fn learn(&self, account: AccountId) {
        let blob = ModelBlob {
            version: 1,
            checksum: [0; 32],
            bytes: Vec::new(),
            samples: 20,
            enrolled: true,
        };
        let plain = serde_json::to_vec(&blob).unwrap();
        let model = StoredModel {
            whose: account.into(),
            plugin: PluginId::from("behavior"),
            blob: master()
                .seal("model", &account.to_string(), &plain, self.ports.entropy.as_ref())
                .unwrap(),
            samples: 20,
            enrolled: true,
            trained_at_ms: 1,
        };
        assert!(self.store.put_model(&model, None, &[]).await.unwrap());
    }

    /// What happened to an account, oldest first.
    pub async fn events(&self, account: AccountId) -> Vec<What> {
        let mut events = self.store.events_of(account, 1000).await.unwrap();
        events.reverse();
        events.into_iter().map(|event| event.what).collect()
    }

    pub async fn change_client(&self, id: &str, change: impl FnOnce(&mut Client)) {
        let mut client = self.store.client(&ClientId::from(id)).await.unwrap().unwrap();
        change(&mut client);
        self.store.put_client(&client).await.unwrap();
    }
}

fn master() -> MasterKey {
    MasterKey::new([7; 32])
}

async fn start(
    ports: &TestPorts,
    store: &Arc<MemoryStore>,
    ephemeral: Arc<dyn Ephemeral>,
    policy: Policy,
    registry: Registry,
) -> Idp {
    let setup = Setup {
        issuer: ISSUER.to_owned(),
        policy,
        store: store.clone(),
        ephemeral,
        ports: ports.ports(),
        master: master(),
        registry,
        senders: Vec::new(),
    };
    Idp::start(setup).await.unwrap()
}

async fn first_keys(ports: &TestPorts) -> Vec<StoredKey> {
    let store = Arc::new(MemoryStore::new());
    let ephemeral = Arc::new(InProcess::new(ports.clock.clone(), 100_000));
    start(ports, &store, ephemeral, policy(), registry()).await;
    store.keys().await.unwrap()
}
