//! The account page: what the owner may do, and what an impostor in the owner's session may not.

use super::browser::{Browser, Where};
use super::stage::Stage;
use gait_core::account::Mode;
use gait_core::account_page::{Change, ChangeError, SignedIn};
use gait_core::event::What;
use gait_core::flow::{BEHAVIOUR_TEXT_VERSION, Why};
use gait_core::ids::{ClientId, SessionId};
use gait_core::store::{AccountStore, BehaviourStore};
use gait_core::visit::Cookie;

async fn alice() -> (Stage, Browser) {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    (stage, browser)
}

async fn who(stage: &Stage, browser: &Browser) -> SignedIn {
    stage.idp.signed_in(&browser.caller(None)).await.unwrap().unwrap()
}

async fn change(stage: &Stage, browser: &mut Browser, change: Change) -> Result<Vec<Cookie>, ChangeError> {
    let csrf = who(stage, browser).await.csrf;
    let cookies = stage.idp.change(&change, &csrf, &browser.caller(None)).await?;
    browser.take(cookies.clone());
    Ok(cookies)
}

/// Proves a factor anew from the account page.
async fn prove(stage: &Stage, browser: &mut Browser) {
    let flow = browser.page_flow(stage, true, None).await;
    assert_eq!(browser.prompt(stage, &flow).await.why, Why::Reauthenticate);
    assert!(matches!(browser.otp(stage, &flow, "alice").await, Where::Page(path) if path == "/account"));
}

fn weakening(stage: &Stage) -> Vec<Change> {
    let password = format!("password-of-{}", stage.alice);
    vec![
        Change::Forget(gait_sdk::CredentialId::new(password)),
        Change::Mode(Mode::Train),
        Change::WithdrawConsent,
        Change::EraseBehaviour,
    ]
}

#[tokio::test]
async fn what_weakens_protection_needs_a_proof_of_the_last_minutes() {
    let (stage, mut browser) = alice().await;
    stage.consent(stage.alice).await;
    stage.store.set_mode(stage.alice, Mode::Auth, &[]).await.unwrap();
    stage.advance(301);
    for weak in weakening(&stage) {
        assert!(
            matches!(change(&stage, &mut browser, weak.clone()).await, Err(ChangeError::NeedsProof)),
            "{weak:?}"
        );
    }
    let csrf = who(&stage, &browser).await.csrf;
    assert!(matches!(
        stage.idp.export(&csrf, &browser.caller(None)).await,
        Err(ChangeError::NeedsProof)
    ));
    prove(&stage, &mut browser).await;
    change(&stage, &mut browser, Change::Mode(Mode::Train)).await.unwrap();
    change(&stage, &mut browser, Change::WithdrawConsent).await.unwrap();
    assert!(stage.store.behaviour_consent(stage.alice).await.unwrap().is_none());
}

#[tokio::test]
async fn while_a_step_up_is_pending_nothing_is_changed() {
    let (stage, mut browser) = alice().await;
    stage.demand_step_up(&stage.only_session(stage.alice).await.id).await;
    let mut all = weakening(&stage);
    all.extend([
        Change::EndOthers,
        Change::Mode(Mode::Auth),
        Change::Disconnect(ClientId::from("app")),
    ]);
    for one in all {
        assert!(
            matches!(
                change(&stage, &mut browser, one.clone()).await,
                Err(ChangeError::StepUpPending)
            ),
            "{one:?}"
        );
    }
    stage.advance(1);
    let flow = browser.page_flow(&stage, true, None).await;
    assert!(matches!(browser.prompt(&stage, &flow).await.why, Why::StepUp { .. }));
    browser.otp(&stage, &flow, "alice").await;
    change(&stage, &mut browser, Change::EndOthers).await.unwrap();
}

#[tokio::test]
async fn a_change_needs_the_csrf_of_this_session() {
    let (stage, browser) = alice().await;
    let mut bob = Browser::new();
    bob.sign_in(&stage, "app", "bob").await;
    let foreign = who(&stage, &bob).await.csrf;
    for csrf in ["", "x", foreign.as_str()] {
        let refused = stage.idp.change(&Change::EndOthers, csrf, &browser.caller(None)).await;
        assert!(matches!(refused, Err(ChangeError::OutOfDate)));
    }
    let stranger = stage
        .idp
        .change(&Change::EndOthers, &foreign, &Browser::new().caller(None))
        .await;
    assert!(matches!(stranger, Err(ChangeError::SignedOut)));
}

#[tokio::test]
async fn the_owner_ends_sessions_and_nobody_elses() {
    let (stage, mut here) = alice().await;
    let mut there = Browser::at("192.0.2.1");
    there.sign_in(&stage, "app", "alice").await;
    let mut bob = Browser::at("192.0.2.2");
    bob.sign_in(&stage, "app", "bob").await;
    let bobs = stage.only_session(stage.bob).await.id;
    for id in [bobs, SessionId::from("nonsense")] {
        assert!(matches!(
            change(&stage, &mut here, Change::EndSession(id)).await,
            Err(ChangeError::NotFound)
        ));
    }
    let page = stage.idp.account_page(&who(&stage, &here).await).await.unwrap();
    assert_eq!(page.sessions.len(), 2);
    change(&stage, &mut here, Change::EndOthers).await.unwrap();
    assert!(stage.idp.signed_in(&there.caller(None)).await.unwrap().is_none());
    let own = who(&stage, &here).await.session.id;
    change(&stage, &mut here, Change::EndSession(own)).await.unwrap();
    assert!(here.session.is_none() && stage.sessions(stage.alice).await.is_empty());
    assert!(stage.idp.signed_in(&bob.caller(None)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_password_is_changed_after_a_fresh_proof_and_the_owner_is_told() {
    let (stage, mut browser) = alice().await;
    stage.advance(301);
    let flow = browser.page_flow(&stage, false, Some("password")).await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp", "first a proof");
    assert!(matches!(browser.otp(&stage, &flow, "alice").await, Where::Again));
    assert_eq!(browser.prompt(&stage, &flow).await.why, Why::Enrol);
    assert!(matches!(
        browser.answer(&stage, &flow, &[("new_password", "abc")]).await,
        Where::Again
    ));
    assert_eq!(browser.prompt(&stage, &flow).await.error.unwrap().key, "test-short");
    assert!(matches!(
        browser.answer(&stage, &flow, &[("new_password", "brand-new")]).await,
        Where::Page(_)
    ));

    assert_eq!(
        stage.account(stage.alice).await.credential_changed_at,
        Some(stage.ports.clock.now())
    );
    let mail = stage.ports.mailbox.last("alice@example.com", "credential-changed").unwrap();
    assert_eq!(
        (mail.args["plugin"].as_str(), mail.args["change"].as_str()),
        ("password", "update")
    );
    let mut other = Browser::new();
    let flow = other.asked(&stage, "app", &[]).await;
    let answer = [("identifier", "alice"), ("password", "brand-new")];
    other.answer(&stage, &flow, &answer).await;
    assert_eq!(other.factor(&stage, &flow).await.0, "otp");
}

#[tokio::test]
async fn a_fresh_session_need_not_prove_itself_again_to_set_something_up() {
    let (stage, mut browser) = alice().await;
    let flow = browser.page_flow(&stage, false, Some("key")).await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "key");
    for nothing_to_set_up in ["otp", "nonsense"] {
        let flow = browser.page_flow(&stage, false, Some(nothing_to_set_up)).await;
        let end = browser.answer(&stage, &flow, &[("account", "continue")]).await;
        assert!(matches!(end, Where::Page(_)), "there is nothing to set up");
    }
}

#[tokio::test]
async fn nobody_locks_themselves_out_by_removing_the_last_factor() {
    let (stage, mut browser) = alice().await;
    let password = gait_sdk::CredentialId::new(format!("password-of-{}", stage.alice));
    let backup = gait_sdk::CredentialId::new(format!("backup-of-{}", stage.alice));
    let page = stage.idp.account_page(&who(&stage, &browser).await).await.unwrap();
    let needed: Vec<_> = page.held.iter().filter(|held| held.needed).map(|held| &held.id).collect();
    assert_eq!(needed, [&password], "what would be refused isn't offered");
    assert!(matches!(
        change(&stage, &mut browser, Change::Forget(password)).await,
        Err(ChangeError::Refused(_))
    ));
    change(&stage, &mut browser, Change::Forget(backup.clone())).await.unwrap();
    assert!(matches!(
        change(&stage, &mut browser, Change::Forget(backup)).await,
        Err(ChangeError::NotFound)
    ));
    let bobs = gait_sdk::CredentialId::new(format!("password-of-{}", stage.bob));
    assert!(matches!(
        change(&stage, &mut browser, Change::Forget(bobs)).await,
        Err(ChangeError::NotFound)
    ));
    let told = |what: &What| matches!(what, What::CredentialChanged { plugin, change } if plugin.as_str() == "backup" && change == "delete");
    assert!(stage.events(stage.alice).await.iter().any(told));
}

#[tokio::test]
async fn mode_auth_takes_consent_and_enough_samples() {
    let (stage, mut browser) = alice().await;
    assert!(matches!(
        change(&stage, &mut browser, Change::Mode(Mode::Auth)).await,
        Err(ChangeError::Refused(_))
    ));
    let old = Change::GiveConsent {
        text_version: "1999-01".to_owned(),
    };
    assert!(
        matches!(change(&stage, &mut browser, old).await, Err(ChangeError::OutOfDate)),
        "another text than was shown"
    );
    let give = Change::GiveConsent {
        text_version: BEHAVIOUR_TEXT_VERSION.to_owned(),
    };
    change(&stage, &mut browser, give).await.unwrap();
    assert!(browser.marker);
    assert!(matches!(
        change(&stage, &mut browser, Change::Mode(Mode::Auth)).await,
        Err(ChangeError::Refused(_))
    ));
    stage.learn(stage.alice).await;
    change(&stage, &mut browser, Change::Mode(Mode::Auth)).await.unwrap();
    let view = stage.idp.account_page(&who(&stage, &browser).await).await.unwrap().behaviour;
    assert!(view.available && view.enrolled && view.mode == Mode::Auth);
    change(&stage, &mut browser, Change::EraseBehaviour).await.unwrap();
    let view = stage.idp.account_page(&who(&stage, &browser).await).await.unwrap().behaviour;
    assert!(!view.enrolled && view.samples == 0 && view.mode == Mode::Train);
}

#[tokio::test]
async fn an_app_is_disconnected_and_asks_again() {
    let (stage, mut browser) = alice().await;
    let flow = browser.asked(&stage, "third", &[]).await;
    browser.answer(&stage, &flow, &[("consent", "allow")]).await;
    assert!(matches!(
        change(&stage, &mut browser, Change::Disconnect(ClientId::from("native"))).await,
        Err(ChangeError::NotFound)
    ));
    change(&stage, &mut browser, Change::Disconnect(ClientId::from("third")))
        .await
        .unwrap();
    assert!(
        browser
            .responded(&stage, "third", &[("prompt", "none")])
            .await
            .is_error("consent_required")
    );
}

#[tokio::test]
async fn the_export_holds_what_is_held_and_no_secret() {
    let (stage, browser) = alice().await;
    stage.consent(stage.alice).await;
    stage.learn(stage.alice).await;
    let csrf = who(&stage, &browser).await.csrf;
    let export = stage.idp.export(&csrf, &browser.caller(None)).await.unwrap();
    assert_eq!(export["behaviour"]["model"]["summary"]["pace"], "steady");
    assert_eq!(export["account"]["username"], "alice");
    for part in ["credentials", "sessions", "apps", "events"] {
        assert!(export[part].is_array(), "{part}");
    }
    let text = export.to_string();
    for secret in ["pw-alice", "bk-alice", "bob", browser.session.as_ref().unwrap().expose()] {
        assert!(!text.contains(secret), "{secret}");
    }
}
