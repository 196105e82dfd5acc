//! The samples of a sign-in: what they say of the visitor, and keeping them once the sign-in is complete.

use super::TypedPassword;
use crate::Idp;
use crate::account::{Account, Mode};
use crate::error::Result;
use crate::ids::SessionId;
use crate::policy::{Plan, Watch};
use crate::store::Whose;
use crate::trust::{SignInTrust, composite, judge, together};
use gait_sdk::{Batch, Channel, Context, Scored, Scorer, State};
use serde::{Deserialize, Serialize};

/// What a sign-in page measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Typed {
    /// How the identifier was typed.
    pub identifier: Option<Batch>,
    /// How the password was typed, once it was right.
    pub password: Option<TypedPassword>,
}

impl Typed {
    /// True if nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.identifier.is_none() && self.password.is_none()
    }
}

impl Idp {
    /// Judges what a sign-in page measured for a consenting account in mode `auth` where the deployment enforces; neutral otherwise.
    ///
    /// # Errors
    /// A backend is away.
    pub(crate) async fn signin_trust(&self, account: &Account, typed: &Typed, cx: &Context) -> Result<SignInTrust> {
        let policy = &self.policy.watch;
        let judges = policy.mode == Watch::Enforce && account.mode == Mode::Auth && !typed.is_empty();
        let Some(scorer) = self.registry.scorer().filter(|_| judges) else {
            return Ok(SignInTrust::Neutral);
        };
        let cx = self.scorer_view(&scorer.manifest().id, account, cx).await?;
        let mut fitness = None;
        for (whose, batch) in self.measured(account, typed).await? {
            let scored = self.score_typed(scorer.as_ref(), &whose, batch, &cx, true).await?;
            fitness = together(fitness, scored.and_then(|scored| scored.assessment.fitness));
        }
        let ip_score = cx.ip_evidence.map(|evidence| evidence.score);
        Ok(judge(composite(fitness, ip_score, policy), policy))
    }

    /// Keeps what a completed sign-in measured for learning, as far as its account has consented.
    ///
    /// # Errors
    /// A backend is away.
    pub(crate) async fn keep_typed(
        &self,
        account: &Account,
        (session, plan): (&SessionId, &Plan),
        typed: &Typed,
        cx: &Context,
    ) -> Result<()> {
        let Some(scorer) = self.registry.scorer().filter(|_| self.policy.watch.mode != Watch::Off) else {
            return Ok(());
        };
        let Some(session) = self.store.session(session).await? else {
            return Ok(());
        };
        let cx = self.scorer_view(&scorer.manifest().id, account, cx).await?;
        let label = self.label_of(&session, plan);
        for (whose, batch) in self.measured(account, typed).await? {
            let scored = self.score_typed(scorer.as_ref(), &whose, batch, &cx, false).await?;
            if let Some(record) = scored.and_then(|scored| scored.record) {
                self.keep_record(&whose, &session.id, label, &record).await?;
            }
        }
        Ok(())
    }

    /// The measurements that the account has consented to, each with whose rhythm it is.
    async fn measured<'a>(&self, account: &Account, typed: &'a Typed) -> Result<Vec<(Whose, &'a Batch)>> {
        let mut measured = Vec::new();
        if self.store.behaviour_consent(account.id).await?.is_none() {
            return Ok(measured);
        }
        let identifier = typed.identifier.iter().filter(|batch| batch.channel == Channel::SignIn);
        measured.extend(identifier.map(|batch| (account.id.into(), batch)));
        if let Some(password) = &typed.password
            && let Some(whose) = self.whose_password(account, password).await?
        {
            measured.push((whose, &password.batch));
        }
        Ok(measured)
    }

    /// Has the scorer judge one measurement by the model that it belongs to; with `enrolled`, only if that one is enrolled.
    async fn score_typed(
        &self,
        scorer: &dyn Scorer,
        whose: &Whose,
        batch: &Batch,
        cx: &Context,
        enrolled: bool,
    ) -> Result<Option<Scored>> {
        let plugin = &scorer.manifest().id;
        let known = self.known_background(plugin).await?;
        let model = self.prepared(scorer, whose, &known).await?;
        if enrolled && !model.as_ref().is_some_and(|model| model.enrolled) {
            return Ok(None);
        }
        let model = model.as_ref().map(|model| &model.parsed);
        match scorer.score(cx, model, State::default(), batch).await {
            Ok(scored) => Ok(Some(scored)),
            Err(error) => {
                tracing::warn!(%plugin, %error, "a sign-in's sample could not be scored");
                Ok(None)
            }
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::Setup;
    use crate::account::{BehaviourConsent, Identifier};
    use crate::ephemeral::InProcess;
    use crate::ids::AccountId;
    use crate::policy::{Lifetimes, Limits, MailLimits, Policy, Row, WatchPolicy};
    use crate::registry::Registry;
    use crate::seal::{MasterKey, Sealed};
    use crate::session::{Place, Proof, RiskLevel, Session};
    use crate::store::StoredModel;
    use crate::testing::{KnownAnswer, MemoryStore, TestPorts, ports};
    use crate::token::secret::Hash;
    use async_trait::async_trait;
    use gait_sdk::{
        Alarm, Assessment, Background, Evidence, IpEvidence, Label, Labelled, Learned, Metrics, ModelBlob, PluginError, PluginId,
        Pointer, Prepared, Purpose, Record, ScorerManifest, Text,
    };
    use std::sync::{Arc, Mutex};

    /// A scorer that finds everything exactly as fit as it is told.
    struct Fixed {
        manifest: ScorerManifest,
        fitness: Mutex<Option<f64>>,
    }

    #[async_trait]
    impl Scorer for Fixed {
        fn manifest(&self) -> &ScorerManifest {
            &self.manifest
        }
        fn prepare(&self, _: &ModelBlob, _: Option<&Background>) -> Result<Prepared, PluginError> {
            Ok(Arc::new(()))
        }
        async fn score(&self, cx: &Context, _: Option<&Prepared>, state: State, _: &Batch) -> Result<Scored, PluginError> {
            assert!(state.0.is_empty() && cx.credentials.is_empty());
            Ok(Scored {
                state,
                assessment: Assessment {
                    evidence: Evidence::Insufficient,
                    fitness: *self.fitness.lock().unwrap(),
                    alarm: Alarm::Hard,
                    reasons: vec![],
                },
                record: Some(Record {
                    id: None,
                    at: cx.now,
                    payload: serde_json::json!({"kept": true}),
                }),
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
            Ok(Learned {
                model: None,
                settled: vec![],
            })
        }
        fn describe(&self, _: &ModelBlob) -> Result<serde_json::Value, PluginError> {
            Ok(serde_json::Value::Null)
        }
    }

    struct Stage {
        idp: Idp,
        ports: TestPorts,
        scorer: Arc<Fixed>,
        account: Account,
        cx: Context,
    }

    /// An account in mode `auth` that has consented and is enrolled, at a deployment in mode `watch`.
    async fn stage(watch: Watch) -> Stage {
        let ports = ports();
        let scorer = Arc::new(Fixed {
            manifest: ScorerManifest {
                id: PluginId::from("fixed"),
                label: Text::new("behavior-label", "Fixed"),
                enrol_samples: 1,
            },
            fitness: Mutex::new(Some(1.0)),
        });
        let plan = Plan(vec![Row(vec![PluginId::from("password")])]);
        let policy = Policy {
            plan: plan.clone(),
            step_up: plan,
            acrs: vec![],
            recovery: None,
            lifetimes: Lifetimes::default(),
            watch: WatchPolicy {
                mode: watch,
                ..WatchPolicy::default()
            },
            mails: MailLimits::default(),
            limits: Limits::default(),
            fresh_s: 300,
        };
        let setup = Setup {
            issuer: "https://gait.example".to_owned(),
            policy,
            store: Arc::new(MemoryStore::new()),
            ephemeral: Arc::new(InProcess::new(ports.clock.clone(), 100)),
            ports: ports.ports(),
            master: MasterKey::new([1; 32]),
            registry: Registry::default()
                .with(Arc::new(KnownAnswer::new("password", &["pwd"], "x")))
                .with_scorer(scorer.clone()),
            senders: vec![],
        };
        let idp = Idp::start(setup).await.unwrap();
        let account = alice(&idp, &ports).await;
        let mut cx = idp.scorer_context(&PluginId::from("password"), &account, &Place::default(), None);
        cx.purpose = Purpose::SignIn;
        cx.ip_evidence = Some(IpEvidence { score: 1.0 });
        Stage {
            idp,
            ports,
            scorer,
            account,
            cx,
        }
    }

    async fn alice(idp: &Idp, ports: &TestPorts) -> Account {
        let now = ports.clock.now();
        let account = Account {
            id: AccountId(ports.ports().uuid()),
            username: Identifier::parse("alice").unwrap(),
            email: None,
            email_verified: false,
            claims: serde_json::Map::new(),
            mode: Mode::Auth,
            disabled_at: None,
            created_at: now,
            updated_at: now,
            credential_changed_at: None,
            revoked_before: None,
        };
        idp.store.add_account(&account, &[]).await.unwrap();
        let consent = BehaviourConsent {
            account: account.id,
            purpose: "continuous_auth".to_owned(),
            text_version: "1".to_owned(),
            at: now,
            withdrawn_at: None,
        };
        idp.store.give_consent(&consent, &[]).await.unwrap();
        assert!(idp.store.put_model(&model(idp, &account, true), None, &[]).await.unwrap());
        account
    }

    fn model(idp: &Idp, account: &Account, enrolled: bool) -> StoredModel {
        let blob = ModelBlob {
            version: 1,
            checksum: [0; 32],
            bytes: vec![],
            samples: 1,
            enrolled,
        };
        let plain = serde_json::to_vec(&blob).unwrap();
        StoredModel {
            whose: account.id.into(),
            plugin: PluginId::from("fixed"),
            blob: idp
                .master
                .seal("model", &account.id.to_string(), &plain, idp.ports.entropy.as_ref())
                .unwrap(),
            samples: 1,
            enrolled,
            trained_at_ms: 1,
        }
    }

    fn sample(channel: Channel) -> Batch {
        Batch {
            seq: 1,
            channel,
            span_ms: 1000.0,
            clock_ms: 1.0,
            pointer: Pointer::None,
            metrics: Metrics::default(),
            digraph_ms: Vec::new(),
            keys: Vec::new(),
            path: Vec::new(),
        }
    }

    fn typed(channel: Channel) -> Typed {
        Typed {
            identifier: Some(sample(channel)),
            password: None,
        }
    }

    impl Stage {
        async fn trust(&self) -> SignInTrust {
            let typed = typed(Channel::SignIn);
            self.idp.signin_trust(&self.account, &typed, &self.cx).await.unwrap()
        }
    }

    #[tokio::test]
    async fn a_fit_sample_waives_and_an_unfit_one_removes_waivers() {
        let stage = stage(Watch::Enforce).await;
        assert_eq!(stage.trust().await, SignInTrust::Waives);
        for (fitness, trust) in [
            (Some(0.0), SignInTrust::RemovesWaivers), // the trusted address alone doesn't save it
            (Some(0.5), SignInTrust::Neutral),
            (None, SignInTrust::Neutral),
            (Some(f64::NAN), SignInTrust::Neutral),
        ] {
            *stage.scorer.fitness.lock().unwrap() = fitness;
            assert_eq!(stage.trust().await, trust, "{fitness:?}");
        }
        *stage.scorer.fitness.lock().unwrap() = Some(0.1);
        let mut unknown = stage.cx.clone();
        unknown.ip_evidence = None;
        let typed = typed(Channel::SignIn);
        let trust = stage.idp.signin_trust(&stage.account, &typed, &unknown).await.unwrap();
        assert_eq!(trust, SignInTrust::RemovesWaivers);
    }

    #[tokio::test]
    async fn a_sample_says_nothing_without_mode_auth_enforcement_consent_and_enrolment() {
        for watch in [Watch::Off, Watch::Observe] {
            assert_eq!(stage(watch).await.trust().await, SignInTrust::Neutral);
        }
        let mut train = stage(Watch::Enforce).await;
        train.account.mode = Mode::Train;
        assert_eq!(train.trust().await, SignInTrust::Neutral);

        let stage = stage(Watch::Enforce).await;
        let nothing = Typed::default();
        let none = stage.idp.signin_trust(&stage.account, &nothing, &stage.cx).await.unwrap();
        let session = typed(Channel::Session);
        let other = stage.idp.signin_trust(&stage.account, &session, &stage.cx).await.unwrap();
        assert_eq!((none, other), (SignInTrust::Neutral, SignInTrust::Neutral));

        let newer = StoredModel {
            trained_at_ms: 2,
            ..model(&stage.idp, &stage.account, false)
        };
        stage.idp.store.put_model(&newer, Some(1), &[]).await.unwrap();
        assert_eq!(stage.trust().await, SignInTrust::Neutral, "not enrolled");
        let damaged = StoredModel {
            trained_at_ms: 3,
            enrolled: true,
            blob: Sealed(vec![0; 40]),
            ..newer
        };
        stage.idp.store.put_model(&damaged, Some(2), &[]).await.unwrap();
        assert_eq!(stage.trust().await, SignInTrust::Neutral, "a model that can't be read");

        let now = stage.ports.clock.now();
        stage.idp.store.withdraw_consent(stage.account.id, now, &[]).await.unwrap();
        assert_eq!(stage.trust().await, SignInTrust::Neutral, "no consent");
    }

    #[tokio::test]
    async fn a_completed_sign_ins_sample_is_kept_with_consent_only() {
        let stage = stage(Watch::Enforce).await;
        let now = stage.ports.clock.now();
        let proof = |waiver| Proof {
            plugin: PluginId::from("password"),
            amr: vec![],
            at: now,
            waiver,
        };
        let mut session = Session {
            id: SessionId::from("proven"),
            account: stage.account.id,
            proofs: vec![proof(false)],
            created_at: now,
            last_seen_at: now,
            place: Place::default(),
            level: RiskLevel::Low,
            step_up: None,
            ended: None,
            sequence: 0,
        };
        stage.idp.store.begin_session(&session, &Hash::of(b"1"), &[]).await.unwrap();
        session.id = SessionId::from("waived");
        session.proofs = vec![proof(true)];
        stage.idp.store.begin_session(&session, &Hash::of(b"2"), &[]).await.unwrap();
        let plan = stage.idp.policy.plan.clone();
        let keep = async |id: &str| {
            let id = SessionId::from(id);
            let typed = typed(Channel::SignIn);
            let kept = stage.idp.keep_typed(&stage.account, (&id, &plan), &typed, &stage.cx);
            kept.await.unwrap();
        };
        for id in ["proven", "waived", "unknown"] {
            keep(id).await;
        }
        let kept = || stage.idp.store.records_of(stage.account.id, 10);
        let labels: Vec<_> = kept().await.unwrap().into_iter().map(|record| record.label).collect();
        assert_eq!(labels, [Label::Proven, Label::Unproven]);
        stage.idp.store.withdraw_consent(stage.account.id, now, &[]).await.unwrap();
        keep("proven").await;
        assert!(kept().await.unwrap().is_empty());
    }
}
