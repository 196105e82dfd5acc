//! The watch has doubts: what the person sees, and what an impostor can't do.

use super::browser::{Browser, Where};
use super::stage::Stage;
use gait_core::event::What;
use gait_core::flow::{FlowError, Why};
use gait_core::session::{EndReason, RiskLevel};
use gait_core::store::SessionStore;

/// Alice is signed in, and her session is in doubt.
async fn doubted() -> (Stage, Browser, gait_core::ids::SessionId) {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let sid = stage.only_session(stage.alice).await.id;
    stage.advance(60);
    stage.demand_step_up(&sid).await;
    (stage, browser, sid)
}

#[tokio::test]
async fn a_step_up_says_why_and_clears_the_doubt() {
    let (stage, mut browser, sid) = doubted().await;
    let before = browser.session.clone().unwrap();
    let flow = browser.asked(&stage, "app", &[]).await;
    let prompt = browser.prompt(&stage, &flow).await;
    let reasons = vec!["typing_rhythm_differs".to_owned()];
    assert_eq!(
        (prompt.why, prompt.account.as_deref()),
        (Why::StepUp { reasons }, Some("alice"))
    );
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());

    let session = stage.store.session(&sid).await.unwrap().unwrap();
    assert!(session.step_up.is_none() && session.ended.is_none());
    assert_eq!(session.level, RiskLevel::Low);
    assert_ne!(browser.session.clone().unwrap().hash(), before.hash());
    let mut thief = browser.clone();
    thief.session = Some(before);
    assert!(
        thief
            .responded(&stage, "app", &[("prompt", "none")])
            .await
            .is_error("login_required"),
        "the old cookie is dead"
    );
    let events = stage.events(stage.alice).await;
    let expected = |what: &What| {
        matches!(
            what,
            What::SessionStrengthened {
                previous_level: RiskLevel::Medium,
                ..
            }
        )
    };
    assert!(events.iter().any(expected), "{events:?}");
}

#[tokio::test]
async fn no_request_goes_around_a_pending_step_up() {
    for extra in [
        &[][..],
        &[("prompt", "select_account")],
        &[("prompt", "login")],
        &[("prompt", "consent")],
        &[("max_age", "3600")],
    ] {
        let (stage, mut browser, _) = doubted().await;
        let flow = browser.asked(&stage, "app", extra).await;
        assert!(
            matches!(browser.prompt(&stage, &flow).await.why, Why::StepUp { .. }),
            "{extra:?}"
        );
        assert!(matches!(
            browser.try_answer(&stage, &flow, &[("account", "other")]).await,
            Err(FlowError::Bad(_))
        ));
    }
    let (stage, mut browser, _) = doubted().await;
    assert!(
        browser
            .responded(&stage, "app", &[("prompt", "none")])
            .await
            .is_error("login_required")
    );
    let flow = browser.page_flow(&stage, false, None).await;
    assert!(matches!(browser.prompt(&stage, &flow).await.why, Why::StepUp { .. }));
}

#[tokio::test]
async fn three_wrong_answers_end_the_session() {
    let (stage, mut browser, sid) = doubted().await;
    let flow = browser.asked(&stage, "app", &[]).await;
    for _ in 0..2 {
        assert!(matches!(
            browser.answer(&stage, &flow, &[("code", "wrong")]).await,
            Where::Again
        ));
    }
    assert!(
        browser
            .answer(&stage, &flow, &[("code", "wrong")])
            .await
            .is_error("access_denied")
    );
    let ended = stage.store.session(&sid).await.unwrap().unwrap().ended.unwrap();
    assert_eq!(ended.reason, EndReason::StepUpFailed);
    assert!(browser.session.is_none());
    let failures = stage.events(stage.alice).await;
    let failures: Vec<_> = failures
        .iter()
        .filter(|what| matches!(what, What::StepUpFailed { .. }))
        .collect();
    assert_eq!(failures.len(), 3);
}

#[tokio::test]
async fn failures_count_for_the_session_not_for_the_tab() {
    let (stage, mut browser, sid) = doubted().await;
    for _ in 0..3 {
        let flow = browser.asked(&stage, "app", &[]).await;
        let _ = browser.answer(&stage, &flow, &[("code", "wrong")]).await;
    }
    assert!(stage.store.session(&sid).await.unwrap().unwrap().ended.is_some());
}

#[tokio::test]
async fn sending_again_and_broken_mail_are_no_failures() {
    let (stage, mut browser, sid) = doubted().await;
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.answer(&stage, &flow, &[("action", "resend")]).await;
    stage.ports.mailbox.close(true);
    for _ in 0..3 {
        browser.answer(&stage, &flow, &[("action", "resend")]).await;
    }
    let session = stage.store.session(&sid).await.unwrap().unwrap();
    assert_eq!(session.step_up.unwrap().failures, 0);
}

#[tokio::test]
async fn whoever_reports_the_session_ends_it() {
    let (stage, mut browser, sid) = doubted().await;
    let flow = browser.asked(&stage, "app", &[]).await;
    assert!(
        browser
            .answer(&stage, &flow, &[("report", "yes")])
            .await
            .is_error("access_denied")
    );
    let ended = stage.store.session(&sid).await.unwrap().unwrap().ended.unwrap();
    assert_eq!(ended.reason, EndReason::Disowned);
    assert!(
        stage
            .events(stage.alice)
            .await
            .contains(&What::FeedbackGiven { was_me: false })
    );
    assert!(
        browser
            .responded(&stage, "app", &[("prompt", "none")])
            .await
            .is_error("login_required")
    );
}

#[tokio::test]
async fn reporting_is_for_step_ups_only() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let flow = browser.asked(&stage, "app", &[("max_age", "0")]).await;
    assert!(matches!(
        browser.try_answer(&stage, &flow, &[("report", "yes")]).await,
        Err(FlowError::Bad(_))
    ));
    assert_eq!(stage.sessions(stage.alice).await.len(), 1);
}

#[tokio::test]
async fn a_proof_from_before_the_demand_is_none() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let sid = stage.only_session(stage.alice).await.id;
    stage.advance(600);
    // A re-authentication that is half done when the watch speaks up.
    let flow = browser.asked(&stage, "app", &[("max_age", "60")]).await;
    browser.answer(&stage, &flow, &[("password", "pw-alice")]).await;
    let code = stage.mailed_code("alice");
    stage.advance(5);
    stage.demand_step_up(&sid).await;
    stage.advance(1);
    assert!(
        browser.answer(&stage, &flow, &[("code", &code)]).await.is_code(),
        "the code was given after the demand"
    );

    let flow = browser.asked(&stage, "app", &[("max_age", "0")]).await;
    browser.answer(&stage, &flow, &[("password", "pw-alice")]).await;
    browser.otp(&stage, &flow, "alice").await;
    stage.advance(10);
    stage.demand_step_up(&sid).await;
    let flow = browser.asked(&stage, "app", &[]).await;
    assert!(matches!(browser.prompt(&stage, &flow).await.why, Why::StepUp { .. }));
}

#[tokio::test]
async fn an_app_that_may_watch_without_consent_gets_a_fresh_proof_from_time_to_time() {
    let stage = Stage::new().await;
    let scope = ("scope", "openid continuous_auth");
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[scope]).await;
    browser.password(&stage, &flow, "alice").await;
    browser.otp(&stage, &flow, "alice").await;
    assert!(
        browser.answer(&stage, &flow, &[]).await.is_code(),
        "watching was declined, the sign-in works"
    );
    for _ in 0..3 {
        stage.advance(1200);
        assert!(browser.responded(&stage, "app", &[]).await.is_code());
    }
    assert!(browser.responded(&stage, "app", &[scope]).await.is_code());
    stage.advance(1);
    assert!(
        browser.responded(&stage, "app", &[]).await.is_code(),
        "an app that doesn't watch asks for nothing"
    );
    let flow = browser.asked(&stage, "app", &[scope]).await;
    assert_eq!(browser.prompt(&stage, &flow).await.why, Why::Reauthenticate);
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());
}
