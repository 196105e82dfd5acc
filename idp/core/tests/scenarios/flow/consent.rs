//! What an app may know, and whether it may watch.

use super::browser::{Browser, Where};
use super::stage::Stage;
use gait_core::account::Mode;
use gait_core::flow::{Ask, BEHAVIOUR_TEXT_VERSION, FlowError};
use gait_core::store::{AccountStore, BehaviourStore};

#[tokio::test]
async fn a_strangers_app_asks_once() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let scope = [("scope", "openid profile")];
    assert!(
        browser
            .responded(&stage, "third", &[scope[0], ("prompt", "none")])
            .await
            .is_error("consent_required")
    );
    let flow = browser.asked(&stage, "third", &scope).await;
    let Ask::Consent { scopes } = browser.prompt(&stage, &flow).await.ask else {
        panic!()
    };
    assert_eq!(scopes, ["profile"]);
    assert!(matches!(
        browser.try_answer(&stage, &flow, &[("consent", "maybe")]).await,
        Err(FlowError::Bad(_))
    ));
    assert!(browser.answer(&stage, &flow, &[("consent", "allow")]).await.is_code());

    assert!(browser.responded(&stage, "third", &scope).await.is_code());
    let more = browser.asked(&stage, "third", &[("scope", "openid profile email")]).await;
    assert!(
        browser
            .answer(&stage, &more, &[("consent", "deny")])
            .await
            .is_error("access_denied")
    );
    assert!(
        browser
            .responded(&stage, "third", &[("scope", "openid profile email"), ("prompt", "none")])
            .await
            .is_error("consent_required")
    );
    assert!(
        browser.responded(&stage, "third", &scope).await.is_code(),
        "a denial takes nothing back"
    );
}

#[tokio::test]
async fn consent_is_asked_for_again_where_the_app_says_so_or_cant_be_told_apart() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    for (client, extra) in [("app", &[("prompt", "consent")][..]), ("native", &[]), ("native", &[])] {
        let flow = browser.asked(&stage, client, extra).await;
        assert!(matches!(browser.prompt(&stage, &flow).await.ask, Ask::Consent { .. }));
        assert!(browser.answer(&stage, &flow, &[("consent", "allow")]).await.is_code());
    }
}

#[tokio::test]
async fn being_watched_is_asked_for_apart_and_unticked() {
    let stage = Stage::new().await;
    let scope = ("scope", "openid continuous_auth");
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "third", &[scope]).await;
    browser.password(&stage, &flow, "alice").await;
    browser.otp(&stage, &flow, "alice").await;
    let Ask::Consent { scopes } = browser.prompt(&stage, &flow).await.ask else {
        panic!()
    };
    assert!(scopes.is_empty(), "watching is none of the scopes that are allowed here");
    browser.answer(&stage, &flow, &[("consent", "allow")]).await;
    let Ask::BehaviourConsent { text_version } = browser.prompt(&stage, &flow).await.ask else {
        panic!()
    };
    assert_eq!(text_version, BEHAVIOUR_TEXT_VERSION);
    assert!(browser.answer(&stage, &flow, &[("watch", "yes")]).await.is_code());
    assert!(browser.marker);
    let consent = stage.store.behaviour_consent(stage.alice).await.unwrap().unwrap();
    assert_eq!(consent.text_version, BEHAVIOUR_TEXT_VERSION);
    assert!(browser.responded(&stage, "third", &[scope]).await.is_code());
}

#[tokio::test]
async fn a_no_is_a_no_at_the_next_sign_in_too() {
    let stage = Stage::new().await;
    let scope = ("scope", "openid continuous_auth");
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let flow = browser.asked(&stage, "app", &[scope]).await;
    assert!(browser.answer(&stage, &flow, &[]).await.is_code());
    assert!(!browser.marker && stage.store.behaviour_consent(stage.alice).await.unwrap().is_none());
    assert!(browser.responded(&stage, "app", &[scope]).await.is_code());
    assert!(
        browser.responded(&stage, "app", &[scope, ("prompt", "none")]).await.is_code(),
        "and never an error"
    );
    let mut elsewhere = Browser::at("192.0.2.77");
    let flow = elsewhere.asked(&stage, "app", &[scope]).await;
    elsewhere.password(&stage, &flow, "alice").await;
    assert!(
        elsewhere.otp(&stage, &flow, "alice").await.is_code(),
        "nobody is asked again and again"
    );
}

#[tokio::test]
async fn an_account_that_is_disabled_while_it_is_asked_gets_no_code() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let flow = browser.asked(&stage, "third", &[]).await;
    stage
        .store
        .set_disabled(stage.alice, Some(stage.ports.clock.now()), &[])
        .await
        .unwrap();
    let answer = browser.try_answer(&stage, &flow, &[("consent", "allow")]).await;
    assert!(matches!(answer, Err(FlowError::Gone)));
}

#[tokio::test]
async fn a_doubt_that_arises_while_consent_is_asked_for_comes_first() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let flow = browser.asked(&stage, "third", &[]).await;
    stage.advance(5);
    stage.demand_step_up(&stage.only_session(stage.alice).await.id).await;
    assert!(matches!(
        browser.answer(&stage, &flow, &[("consent", "allow")]).await,
        Where::Again
    ));
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());
    assert!(stage.only_session(stage.alice).await.step_up.is_none());
}

mod rhythm {
    use super::*;

    /// A batch whose fitness, by the stage's scorer, is `percent`.
    fn batch(percent: u32) -> String {
        format!(r#"{{"v":1,"seq":1,"span_ms":{percent},"clock_ms":1,"pointer":"none","metrics":{{"hold_ms":[90]}}}}"#)
    }

    /// Alice is in mode auth, enrolled, and has consented; her browser holds the marker.
    async fn watched() -> (Stage, Browser) {
        let stage = Stage::new().await;
        stage.consent(stage.alice).await;
        stage.learn(stage.alice).await;
        stage.store.set_mode(stage.alice, Mode::Auth, &[]).await.unwrap();
        let mut browser = Browser::new();
        browser.marker = true;
        (stage, browser)
    }

    async fn sign_in(stage: &Stage, browser: &mut Browser, behaviour: &str) -> Where {
        let flow = browser.asked(stage, "app", &[]).await;
        let Ask::SignIn { collect, .. } = browser.prompt(stage, &flow).await.ask else {
            panic!()
        };
        assert_eq!(collect, browser.marker);
        let answer = [("identifier", "alice"), ("password", "pw-alice"), ("behavior", behaviour)];
        browser.answer(stage, &flow, &answer).await
    }

    #[tokio::test]
    async fn a_familiar_rhythm_may_spare_the_code() {
        let (stage, mut browser) = watched().await;
        assert!(sign_in(&stage, &mut browser, &batch(100)).await.is_code());
        let session = stage.only_session(stage.alice).await;
        let waived = session
            .proofs
            .iter()
            .find(|proof| proof.plugin.as_str() == "behavior")
            .unwrap();
        assert!(waived.waiver && waived.amr.is_empty());
    }

    #[tokio::test]
    async fn a_middling_a_missing_or_a_garbled_one_changes_nothing() {
        for behaviour in [batch(50), String::new(), "nonsense".to_owned(), "{}".to_owned()] {
            let (stage, mut browser) = watched().await;
            assert!(
                matches!(sign_in(&stage, &mut browser, &behaviour).await, Where::Again),
                "{behaviour}"
            );
        }
    }

    #[tokio::test]
    async fn a_browser_without_the_marker_is_not_measured() {
        let (stage, mut browser) = watched().await;
        browser.marker = false;
        assert!(matches!(sign_in(&stage, &mut browser, &batch(100)).await, Where::Again));
    }

    #[tokio::test]
    async fn a_strange_one_takes_trust_in_the_place_away() {
        let (stage, mut browser) = watched().await;
        browser.sign_in(&stage, "app", "alice").await;
        browser.session = None;
        browser.sign_in(&stage, "app", "alice").await;
        let token = stage.mailed_token("alice", "ip-approval");
        let yes = super::super::browser::fields(&[("answer", "yes")]);
        stage.idp.answer_approval(&token, &yes, &browser.caller(None)).await.unwrap();
        browser.session = None;
        assert!(matches!(sign_in(&stage, &mut browser, &batch(0)).await, Where::Again));
        browser.session = None;
        assert!(
            sign_in(&stage, &mut browser, &batch(50)).await.is_code(),
            "in between, the place is trusted"
        );
    }

    #[tokio::test]
    async fn where_a_level_is_asked_for_a_rhythm_counts_nothing() {
        let (stage, mut browser) = watched().await;
        let flow = browser.asked(&stage, "app", &[("max_age", "600")]).await;
        let batch = batch(100);
        let answer = [
            ("identifier", "alice"),
            ("password", "pw-alice"),
            ("behavior", batch.as_str()),
        ];
        assert!(matches!(browser.answer(&stage, &flow, &answer).await, Where::Again));
    }
}
