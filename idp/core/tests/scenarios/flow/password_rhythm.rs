//! The password's rhythm: measured only where the person has agreed, kept with the credential, and gone with it.

use super::browser::{Browser, Where};
use super::stage::{Stage, policy, registry};
use async_trait::async_trait;
use gait_core::account::Mode;
use gait_core::account_page::{Change, ChangeError};
use gait_core::flow::{Ask, BEHAVIOUR_TEXT_VERSION, PASSWORD_TEXT_VERSION};
use gait_core::policy::Policy;
use gait_core::store::{AccountStore, BehaviourStore, StoredRecord, Whose};
use gait_sdk::{
    Alarm, Assessment, Background, Batch, Channel, Context, CredentialId, Evidence, Labelled, Learned, ModelBlob, PluginError,
    PluginId, Prepared, Record, Scored, Scorer, ScorerManifest, State, Text,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A scorer whose fitness is what the batch says in `span_ms`, in percent; one record is enough to enrol.
struct Keys {
    manifest: ScorerManifest,
    /// What it was asked to judge: where it was taken, and by how many samples it is known.
    scored: Mutex<Vec<(Batch, Option<u32>)>>,
}

#[async_trait]
impl Scorer for Keys {
    fn manifest(&self) -> &ScorerManifest {
        &self.manifest
    }
    fn prepare(&self, model: &ModelBlob, background: Option<&Background>) -> Result<Prepared, PluginError> {
        assert_eq!(background, None);
        Ok(Arc::new(model.samples))
    }
    async fn score(&self, cx: &Context, model: Option<&Prepared>, state: State, batch: &Batch) -> Result<Scored, PluginError> {
        let known = model.map(|model| *model.downcast_ref::<u32>().unwrap());
        self.scored.lock().unwrap().push((batch.clone(), known));
        let assessment = Assessment {
            evidence: Evidence::Insufficient,
            fitness: Some(batch.span_ms / 100.0),
            alarm: Alarm::None,
            reasons: Vec::new(),
        };
        let record = Record {
            id: None,
            at: cx.now,
            payload: json!({ "channel": batch.channel, "span": batch.span_ms }),
        };
        Ok(Scored {
            state,
            assessment,
            record: Some(record),
        })
    }
    async fn learn(
        &self,
        _: &Context,
        model: Option<&ModelBlob>,
        _: Option<&Background>,
        records: &[Labelled],
    ) -> Result<Learned, PluginError> {
        let channels: Vec<_> = records.iter().map(|given| given.record.payload["channel"].clone()).collect();
        assert!(
            channels.windows(2).all(|two| two[0] == two[1]),
            "each rhythm is learned apart: {channels:?}"
        );
        let samples = model.map_or(0, |model| model.samples) + u32::try_from(records.len()).unwrap();
        Ok(Learned {
            model: Some(ModelBlob {
                version: 1,
                checksum: [0; 32],
                bytes: vec![],
                samples,
                enrolled: true,
            }),
            settled: records.iter().filter_map(|given| given.record.id.clone()).collect(),
        })
    }
    async fn background(&self, _: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        Ok(None)
    }
    fn describe(&self, model: &ModelBlob) -> Result<Value, PluginError> {
        Ok(json!({ "learned": model.samples }))
    }
}

fn offered() -> Policy {
    let mut policy = policy();
    policy.watch.password_rhythm = true;
    policy.watch.quarantine_h = 0;
    policy
}

async fn staged(policy: Policy) -> (Stage, Arc<Keys>) {
    let scorer = Arc::new(Keys {
        manifest: ScorerManifest {
            id: PluginId::from("behavior"),
            label: Text::new("test-rhythm", "Rhythm"),
            enrol_samples: 1,
        },
        scored: Mutex::default(),
    });
    (Stage::with(policy, registry().with_scorer(scorer.clone())).await, scorer)
}

/// Alice, signed in in a browser, with both consents.
async fn agreed() -> (Stage, Arc<Keys>, Browser) {
    let (stage, scorer) = staged(offered()).await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    for change in [give(), give_password()] {
        changes(&stage, &mut browser, change).await.unwrap();
    }
    (stage, scorer, browser)
}

fn give() -> Change {
    Change::GiveConsent {
        text_version: BEHAVIOUR_TEXT_VERSION.to_owned(),
    }
}

fn give_password() -> Change {
    Change::GivePasswordConsent {
        text_version: PASSWORD_TEXT_VERSION.to_owned(),
    }
}

async fn changes(stage: &Stage, browser: &mut Browser, change: Change) -> Result<(), ChangeError> {
    let who = stage.idp.signed_in(&browser.caller(None)).await.unwrap().unwrap();
    let cookies = stage.idp.change(&change, &who.csrf, &browser.caller(None)).await?;
    browser.take(cookies);
    Ok(())
}

/// A batch that is as fit as that, in percent.
fn batch(fitness: u32) -> String {
    json!({"v": 1, "seq": 1, "span_ms": fitness, "clock_ms": 0.1, "pointer": "none", "metrics": {"hold_ms": [91.5, 88.25]}})
        .to_string()
}

/// Signs alice in anew in this browser, the rhythm of her password being as fit as that.
async fn types_password(stage: &Stage, browser: &mut Browser, fitness: u32) {
    browser.session = None;
    let flow = browser.asked(stage, "app", &[]).await;
    let rhythm = batch(fitness);
    let answer = [
        ("identifier", "alice"),
        ("password", "pw-alice"),
        ("behavior_password", &rhythm),
    ];
    browser.answer(stage, &flow, &answer).await;
    browser.finish(stage, &flow, "alice").await;
}

fn password_of_alice(stage: &Stage) -> Whose {
    Whose {
        account: stage.alice,
        credential: Some(CredentialId::new(format!("password-of-{}", stage.alice))),
    }
}

async fn records(stage: &Stage) -> Vec<StoredRecord> {
    stage.store.records_of(stage.alice, 10).await.unwrap()
}

async fn has_model(stage: &Stage) -> bool {
    let model = stage
        .store
        .model(&password_of_alice(stage), &PluginId::from("behavior"))
        .await;
    model.unwrap().is_some()
}

/// Whether this browser's sign-in page measures while the password is typed.
async fn measures(stage: &Stage, browser: &Browser) -> bool {
    let mut fresh = browser.clone();
    fresh.session = None;
    let flow = fresh.asked(stage, "app", &[]).await;
    match fresh.prompt(stage, &flow).await.ask {
        Ask::SignIn { collect_password, .. } => collect_password,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_is_offered_only_where_the_deployment_says_so() {
    let (stage, _) = staged(policy()).await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    changes(&stage, &mut browser, give()).await.unwrap();
    let refused = changes(&stage, &mut browser, give_password()).await;
    assert!(matches!(refused, Err(ChangeError::Refused(_))), "{refused:?}");
    let who = stage.idp.signed_in(&browser.caller(None)).await.unwrap().unwrap();
    assert_eq!(stage.idp.account_page(&who).await.unwrap().behaviour.password, None);
    // A cookie from another time.
    browser.password_marker = true;
    assert!(!measures(&stage, &browser).await);
}

#[tokio::test]
async fn the_second_consent_is_apart_needs_the_first_and_reaches_one_browser() {
    let (stage, _) = staged(offered()).await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let early = changes(&stage, &mut browser, give_password()).await;
    assert!(matches!(early, Err(ChangeError::Refused(_))), "{early:?}");
    changes(&stage, &mut browser, give()).await.unwrap();
    assert!(browser.marker && !browser.password_marker);
    assert!(!measures(&stage, &browser).await, "the first is not the second");
    let other_text = Change::GivePasswordConsent {
        text_version: "1999-01".to_owned(),
    };
    let outdated = changes(&stage, &mut browser, other_text).await;
    assert!(matches!(outdated, Err(ChangeError::OutOfDate)));
    changes(&stage, &mut browser, give_password()).await.unwrap();
    assert!(measures(&stage, &browser).await);
    assert!(!measures(&stage, &Browser::new()).await, "not in any other browser");
    let consents = stage.store.behaviour_consents(stage.alice).await.unwrap();
    let purposes: Vec<_> = consents.iter().map(|consent| consent.purpose.as_str()).collect();
    assert_eq!(purposes, ["continuous_auth", "password_rhythm"]);
}

#[tokio::test]
async fn the_right_passwords_rhythm_is_kept_with_the_credential_and_learned_apart() {
    let (stage, scorer, mut browser) = agreed().await;
    types_password(&stage, &mut browser, 90).await;
    let kept = records(&stage).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].whose, password_of_alice(&stage));
    stage.idp.learn_due().await.unwrap();
    assert!(has_model(&stage).await && records(&stage).await.is_empty());
    types_password(&stage, &mut browser, 90).await;
    let scored = scorer.scored.lock().unwrap().clone();
    let (last, known) = scored.last().unwrap();
    assert_eq!((last.channel, *known), (Channel::Password, Some(1)));
    assert!(last.keys.is_empty() && last.path.is_empty());
    let own = stage
        .store
        .model(&stage.alice.into(), &PluginId::from("behavior"))
        .await
        .unwrap();
    assert_eq!(own, None, "nothing of it is learned for the account");
}

#[tokio::test]
async fn nothing_is_read_without_the_cookie_the_consent_and_the_right_password() {
    let (stage, scorer, mut browser) = agreed().await;
    let mut elsewhere = Browser::new();
    types_password(&stage, &mut elsewhere, 90).await;
    assert!(scorer.scored.lock().unwrap().is_empty(), "no cookie");

    browser.session = None;
    let flow = browser.asked(&stage, "app", &[]).await;
    let rhythm = batch(90);
    let wrong = [
        ("identifier", "alice"),
        ("password", "wrong"),
        ("behavior_password", rhythm.as_str()),
    ];
    assert!(matches!(browser.answer(&stage, &flow, &wrong).await, Where::Again));
    let right = [("identifier", "alice"), ("password", "pw-alice")];
    browser.answer(&stage, &flow, &right).await;
    browser.finish(&stage, &flow, "alice").await;
    assert!(records(&stage).await.is_empty(), "the rhythm of a wrong password is nobody's");

    // Bob signs in in her browser: nothing is kept of him, and his passwords are not measured from then on.
    browser.session = None;
    let flow = browser.asked(&stage, "app", &[]).await;
    let bobs = [
        ("identifier", "bob"),
        ("password", "pw-bob"),
        ("behavior_password", rhythm.as_str()),
    ];
    browser.answer(&stage, &flow, &bobs).await;
    browser.finish(&stage, &flow, "bob").await;
    assert!(stage.store.records_of(stage.bob, 9).await.unwrap().is_empty());
    assert!(scorer.scored.lock().unwrap().is_empty());
    assert!(!browser.password_marker);
}

#[tokio::test]
async fn what_is_sent_for_a_rhythm_and_is_none_changes_nothing() {
    let (stage, _, mut browser) = agreed().await;
    for nonsense in ["", "null", "{", "[1,2]", r#"{"v":9}"#] {
        browser.session = None;
        let flow = browser.asked(&stage, "app", &[]).await;
        let answer = [
            ("identifier", "alice"),
            ("password", "pw-alice"),
            ("behavior_password", nonsense),
        ];
        browser.answer(&stage, &flow, &answer).await;
        browser.finish(&stage, &flow, "alice").await;
    }
    assert!(records(&stage).await.is_empty());
    let flow = {
        browser.session = None;
        browser.asked(&stage, "app", &[]).await
    };
    let huge = "x".repeat(9000);
    let answer = [
        ("identifier", "alice"),
        ("password", "pw-alice"),
        ("behavior_password", huge.as_str()),
    ];
    assert!(browser.try_answer(&stage, &flow, &answer).await.is_err());
}

#[tokio::test]
async fn it_speaks_for_and_against_the_owner_together_with_the_identifiers() {
    for (password, identifier, code_is_asked) in [
        (Some(99), None, false),
        (Some(30), None, true),
        (Some(80), Some(80), false), // neither would do alone
        (Some(30), Some(80), true),
        (None, Some(80), true),
    ] {
        let mut policy = offered();
        policy.watch.waive_from = Some(0.9);
        (policy.watch.weight_behaviour, policy.watch.weight_ip) = (1.0, 0.0);
        let (stage, _) = staged(policy).await;
        let mut browser = Browser::new();
        browser.sign_in(&stage, "app", "alice").await;
        for change in [give(), give_password()] {
            changes(&stage, &mut browser, change).await.unwrap();
        }
        stage.learn(stage.alice).await;
        types_password(&stage, &mut browser, 90).await;
        stage.idp.learn_due().await.unwrap();
        stage.store.set_mode(stage.alice, Mode::Auth, &[]).await.unwrap();

        browser.session = None;
        let flow = browser.asked(&stage, "app", &[]).await;
        let (typed_password, typed_name) = (password.map(batch), identifier.map(batch));
        let mut answer = vec![("identifier", "alice"), ("password", "pw-alice")];
        answer.extend(typed_password.as_deref().map(|rhythm| ("behavior_password", rhythm)));
        answer.extend(typed_name.as_deref().map(|rhythm| ("behavior", rhythm)));
        let end = browser.answer(&stage, &flow, &answer).await;
        assert_eq!(!end.is_code(), code_is_asked, "{password:?} {identifier:?}");
    }
}

#[tokio::test]
async fn a_changed_password_is_another_rhythm() {
    let (stage, _, mut browser) = agreed().await;
    types_password(&stage, &mut browser, 90).await;
    stage.idp.learn_due().await.unwrap();
    types_password(&stage, &mut browser, 90).await;
    assert!(has_model(&stage).await && records(&stage).await.len() == 1);
    let flow = browser.page_flow(&stage, false, Some("password")).await;
    let end = browser.answer(&stage, &flow, &[("new_password", "brand-new")]).await;
    assert!(matches!(end, Where::Page(_)));
    assert!(!has_model(&stage).await && records(&stage).await.is_empty());
    assert!(
        stage.store.password_consent(stage.alice).await.unwrap().is_some(),
        "the consent stays"
    );
}

#[tokio::test]
async fn turning_it_off_takes_a_fresh_proof_and_erases_it() {
    let (stage, _, mut browser) = agreed().await;
    types_password(&stage, &mut browser, 90).await;
    stage.idp.learn_due().await.unwrap();
    stage.advance(301);
    let tired = changes(&stage, &mut browser, Change::WithdrawPasswordConsent).await;
    assert!(matches!(tired, Err(ChangeError::NeedsProof)), "{tired:?}");
    let flow = browser.page_flow(&stage, true, None).await;
    browser.otp(&stage, &flow, "alice").await;
    changes(&stage, &mut browser, Change::WithdrawPasswordConsent).await.unwrap();
    assert!(!has_model(&stage).await && !browser.password_marker && browser.marker);
    assert!(stage.store.behaviour_consent(stage.alice).await.unwrap().is_some());

    changes(&stage, &mut browser, give_password()).await.unwrap();
    types_password(&stage, &mut browser, 90).await;
    changes(&stage, &mut browser, Change::WithdrawConsent).await.unwrap();
    assert!(records(&stage).await.is_empty() && !browser.password_marker && !browser.marker);
    assert!(stage.store.password_consent(stage.alice).await.unwrap().is_none());
}

#[tokio::test]
async fn the_export_holds_both_consents_the_models_and_what_waits() {
    let (stage, _, mut browser) = agreed().await;
    types_password(&stage, &mut browser, 90).await;
    stage.idp.learn_due().await.unwrap();
    types_password(&stage, &mut browser, 75).await;
    let who = stage.idp.signed_in(&browser.caller(None)).await.unwrap().unwrap();
    let export = stage.idp.export(&who.csrf, &browser.caller(None)).await.unwrap();
    let behaviour = &export["behaviour"];
    assert_eq!(behaviour["consents"].as_array().unwrap().len(), 2);
    assert_eq!(behaviour["password_models"][0]["summary"]["learned"], 1);
    assert_eq!(behaviour["records"][0]["measured"]["span"], 75.0);
    let page = stage.idp.account_page(&who).await.unwrap().behaviour.password.unwrap();
    assert_eq!((page.samples, page.consent.is_some()), (1, true));
    changes(&stage, &mut browser, Change::EraseBehaviour).await.unwrap();
    assert!(!has_model(&stage).await && records(&stage).await.is_empty());
}
