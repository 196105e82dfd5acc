//! A forgotten password.

use super::browser::{Browser, Where, fields};
use super::stage::Stage;
use gait_core::event::What;
use gait_core::recovery::RecoveryOutcome;
use gait_core::store::AccountStore;

async fn mailed(stage: &Stage) -> String {
    stage.idp.begin_recovery("alice", &Browser::new().caller(None)).await.unwrap();
    stage.mailed_token("alice", "recovery")
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_and_begins_none() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    stage.advance(5);
    let token = mailed(&stage).await;
    assert!(
        stage
            .idp
            .recovery_form(&token, &browser.caller(None))
            .await
            .unwrap()
            .is_some()
    );
    let caller = browser.caller(None);
    let short = stage
        .idp
        .finish_recovery(&token, &fields(&[("new_password", "abc")]), &caller)
        .await
        .unwrap();
    assert!(matches!(short, RecoveryOutcome::Again(_, text) if text.key == "test-short"));
    let new = fields(&[("new_password", "brand-new")]);
    assert_eq!(
        stage.idp.finish_recovery(&token, &new, &caller).await.unwrap(),
        RecoveryOutcome::Done
    );

    assert!(stage.sessions(stage.alice).await.is_empty());
    assert!(stage.idp.signed_in(&caller).await.unwrap().is_none());
    let held = stage.store.credentials(stage.alice, None).await.unwrap();
    assert!(held.iter().all(|held| held.plugin.as_str() != "place"), "trust is forgotten");
    let events = stage.events(stage.alice).await;
    assert!(events.contains(&What::Recovered));
    assert!(
        events
            .iter()
            .any(|what| matches!(what, What::CredentialChanged { change, .. } if change == "update"))
    );
    assert!(stage.ports.mailbox.last("alice@example.com", "password-changed").is_some());

    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    assert!(matches!(browser.password(&stage, &flow, "alice").await, Where::Again));
    browser
        .answer(&stage, &flow, &[("identifier", "alice"), ("password", "brand-new")])
        .await;
    assert_eq!(
        browser.factor(&stage, &flow).await.0,
        "otp",
        "the other factor is still demanded"
    );
}

#[tokio::test]
async fn whoever_was_locked_out_is_let_in_with_the_new_password() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    for _ in 0..11 {
        let guess = [("identifier", "alice"), ("password", "nonsense")];
        browser.answer(&stage, &flow, &guess).await;
    }
    let token = mailed(&stage).await;
    let new = fields(&[("new_password", "brand-new")]);
    stage.idp.finish_recovery(&token, &new, &browser.caller(None)).await.unwrap();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser
        .answer(&stage, &flow, &[("identifier", "alice"), ("password", "brand-new")])
        .await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
}

#[tokio::test]
async fn a_link_is_good_once_and_for_ten_minutes() {
    let stage = Stage::new().await;
    let caller = Browser::new().caller(None);
    let (first, second) = (mailed(&stage).await, mailed(&stage).await);
    let new = fields(&[("new_password", "brand-new")]);
    stage.advance(1);
    assert_eq!(
        stage.idp.finish_recovery(&first, &new, &caller).await.unwrap(),
        RecoveryOutcome::Done
    );
    for token in [&first, &second] {
        assert_eq!(
            stage.idp.finish_recovery(token, &new, &caller).await.unwrap(),
            RecoveryOutcome::Gone,
            "an older link dies too"
        );
    }
    stage.advance(901);
    let late = mailed(&stage).await;
    stage.advance(600);
    assert!(stage.idp.recovery_form(&late, &caller).await.unwrap().is_none());
    assert_eq!(
        stage.idp.finish_recovery(&late, &new, &caller).await.unwrap(),
        RecoveryOutcome::Gone
    );
}

#[tokio::test]
async fn looking_at_the_link_spends_nothing() {
    let stage = Stage::new().await;
    let caller = Browser::new().caller(None);
    let token = mailed(&stage).await;
    for _ in 0..50 {
        assert!(stage.idp.recovery_form(&token, &caller).await.unwrap().is_some());
    }
    let new = fields(&[("new_password", "brand-new")]);
    assert_eq!(
        stage.idp.finish_recovery(&token, &new, &caller).await.unwrap(),
        RecoveryOutcome::Done
    );
}

#[tokio::test]
async fn nobody_gets_no_mail_and_the_same_answer() {
    let stage = Stage::new().await;
    stage
        .store
        .set_disabled(stage.bob, Some(stage.ports.clock.now()), &[])
        .await
        .unwrap();
    for name in ["nobody", "bob", "", "\u{0}", "nobody@example.com"] {
        stage.idp.begin_recovery(name, &Browser::new().caller(None)).await.unwrap();
    }
    assert!(stage.ports.mailbox.all().is_empty());
}

#[tokio::test]
async fn recovery_mails_are_limited() {
    let stage = Stage::new().await;
    for name in ["alice", "ALICE", "alice@example.com", "alice", "alice", "alice", "alice"] {
        stage.idp.begin_recovery(name, &Browser::new().caller(None)).await.unwrap();
    }
    assert_eq!(stage.ports.mailbox.all().len(), 5);
}

#[tokio::test]
async fn a_link_of_one_kind_opens_no_door_of_another() {
    let stage = Stage::new().await;
    let caller = Browser::new().caller(None);
    let token = mailed(&stage).await;
    assert!(stage.idp.approval(&token, &caller).await.unwrap().is_none());
    for wrong in ["", "nonsense", "gait_rc_x"] {
        assert!(stage.idp.recovery_form(wrong, &caller).await.unwrap().is_none());
    }
}
