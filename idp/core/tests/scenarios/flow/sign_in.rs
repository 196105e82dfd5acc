//! Signing in.

use super::browser::{Browser, Where, enrol_key};
use super::stage::{Stage, plan, policy, registry};
use gait_core::event::What;
use gait_core::flow::{Ask, FlowError, Why};

#[tokio::test]
async fn a_password_and_a_mailed_code_sign_a_person_in() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[("login_hint", "alice@example.com")]).await;

    let prompt = browser.prompt(&stage, &flow).await;
    let Ask::SignIn {
        identifier,
        form,
        collect,
        collect_password,
    } = &prompt.ask
    else {
        panic!("{prompt:?}")
    };
    assert_eq!(identifier, "alice@example.com");
    assert_eq!(form.nodes.len(), 1, "identifier and password are on one page");
    assert!(
        !collect && !collect_password,
        "nothing is measured without the marker of a consent"
    );
    assert_eq!((&prompt.why, prompt.client.unwrap().id.as_str()), (&Why::SignIn, "app"));

    assert!(matches!(browser.password(&stage, &flow, "alice").await, Where::Again));
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
    assert!(stage.sessions(stage.alice).await.is_empty(), "half a sign-in is none");
    let end = browser.otp(&stage, &flow, "alice").await;

    assert!(end.is_code());
    assert_eq!(end.param("state").as_deref(), Some("s"));
    let session = stage.only_session(stage.alice).await;
    let plugins: Vec<_> = session.proofs.iter().map(|proof| proof.plugin.as_str()).collect();
    assert_eq!(plugins, ["otp", "password"]);
    assert!(browser.session.is_some() && browser.device.is_some() && browser.flows.is_empty());
}

#[tokio::test]
async fn whoever_is_signed_in_is_asked_nothing_by_the_next_app() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    assert!(browser.responded(&stage, "app", &[("prompt", "none")]).await.is_code());
    assert!(browser.responded(&stage, "app", &[]).await.is_code());
    assert_eq!(stage.sessions(stage.alice).await.len(), 1);
}

#[tokio::test]
async fn a_name_is_the_same_name_however_it_is_typed() {
    for typed in ["alice", " ALICE ", "Alice@Example.COM", "ａｌｉｃｅ"] {
        let stage = Stage::new().await;
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        let answer = [("identifier", typed), ("password", "pw-alice")];
        browser.answer(&stage, &flow, &answer).await;
        assert!(browser.otp(&stage, &flow, "alice").await.is_code(), "{typed}");
    }
}

#[tokio::test]
async fn a_wrong_password_can_be_corrected() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser
        .answer(&stage, &flow, &[("identifier", "alice"), ("password", "nonsense")])
        .await;
    let prompt = browser.prompt(&stage, &flow).await;
    assert_eq!(prompt.error.unwrap().key, "test-wrong");
    assert!(matches!(prompt.ask, Ask::SignIn { identifier, .. } if identifier == "alice"));
    browser.password(&stage, &flow, "alice").await;
    assert!(browser.prompt(&stage, &flow).await.error.is_none());
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());
}

#[tokio::test]
async fn whoever_mistyped_the_name_may_begin_again() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "bob").await;
    browser.answer(&stage, &flow, &[("account", "other")]).await;
    assert!(matches!(browser.prompt(&stage, &flow).await.ask, Ask::SignIn { .. }));
    browser.password(&stage, &flow, "alice").await;
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());
    assert!(stage.sessions(stage.bob).await.is_empty());
}

#[tokio::test]
async fn other_ways_of_the_row_are_offered_and_only_those() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let ways = browser.prompt(&stage, &flow).await.others;
    let ids: Vec<_> = ways.iter().map(|way| way.plugin.as_str()).collect();
    assert_eq!(ids, ["backup"], "alice has no key, and trust in a place asks nothing");

    for other in ["password", "key", "place", "nonsense", ""] {
        let refused = browser.try_answer(&stage, &flow, &[("other", other)]).await;
        assert!(matches!(refused, Err(FlowError::Bad(_))), "{other}");
    }
    browser.answer(&stage, &flow, &[("other", "backup")]).await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "backup");
    assert!(browser.answer(&stage, &flow, &[("backup", "bk-alice")]).await.is_code());
}

#[tokio::test]
async fn a_key_that_says_whose_it_is_needs_no_name() {
    let stage = Stage::new().await;
    let handle = enrol_key(&stage, "alice", "signed").await;
    let mut other = Browser::new();
    let flow = other.asked(&stage, "app", &[]).await;
    other.answer(&stage, &flow, &[("other", "key")]).await;
    let answer = [("identifier", ""), ("handle", handle.as_str()), ("sign", "signed")];
    assert!(
        other.answer(&stage, &flow, &answer).await.is_code(),
        "one key satisfies both rows"
    );
}

#[tokio::test]
async fn a_forged_handle_or_another_persons_signature_signs_nobody_in() {
    let stage = Stage::new().await;
    let alice = enrol_key(&stage, "alice", "signed").await;
    let bob = enrol_key(&stage, "bob", "signed-by-bob").await;
    let mut forged = alice.clone();
    forged.replace_range(3..4, if forged[3..4] == *"A" { "B" } else { "A" });
    for (handle, sign) in [
        (alice.as_str(), "signed-by-bob"),
        (&forged, "signed"),
        (&bob, "signed"),
        ("", "signed"),
        ("%%", ""),
    ] {
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        browser.answer(&stage, &flow, &[("other", "key")]).await;
        let answer = [("identifier", ""), ("handle", handle), ("sign", sign)];
        assert!(
            matches!(browser.answer(&stage, &flow, &answer).await, Where::Again),
            "{handle} {sign}"
        );
        assert!(matches!(browser.prompt(&stage, &flow).await.ask, Ask::SignIn { .. }));
    }
    assert_eq!(
        stage.sessions(stage.alice).await.len(),
        1,
        "the one in which she set up her key"
    );
}

#[tokio::test]
async fn where_the_first_factor_needs_a_name_the_name_is_asked_for_first() {
    let policy = gait_core::policy::Policy {
        plan: plan(&[&["otp"]]),
        ..policy()
    };
    let stage = Stage::with(policy, registry()).await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let Ask::SignIn { form, .. } = browser.prompt(&stage, &flow).await.ask else {
        panic!()
    };
    assert!(form.nodes.is_empty() && form.submit.is_some());
    assert!(stage.ports.mailbox.all().is_empty());
    browser.answer(&stage, &flow, &[("identifier", "alice")]).await;
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());
}

#[tokio::test]
async fn a_stricter_app_asks_only_for_what_is_missing() {
    let stage = Stage::new().await;
    let easy = |client: &mut gait_core::client::Client| client.plan = Some(plan(&[&["password"]]));
    stage.change_client("third", easy).await;
    stage.change_client("third", |client| client.trusted = true).await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "third", &[]).await;
    assert!(browser.password(&stage, &flow, "alice").await.is_code());
    let (before, sid) = (browser.session.clone().unwrap(), stage.only_session(stage.alice).await.id);

    let flow = browser.asked(&stage, "app", &[]).await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());
    assert_eq!(stage.only_session(stage.alice).await.id, sid, "the session stays");
    assert_ne!(browser.session.unwrap().hash(), before.hash(), "its cookie does not");
}

#[tokio::test]
async fn choosing_the_account_keeps_the_session_or_takes_another() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let flow = browser.asked(&stage, "app", &[("prompt", "select_account")]).await;
    assert!(matches!(browser.prompt(&stage, &flow).await.ask, Ask::SelectAccount { current } if current == "alice"));
    assert!(browser.answer(&stage, &flow, &[("account", "continue")]).await.is_code());

    let flow = browser.asked(&stage, "app", &[("prompt", "select_account")]).await;
    browser.answer(&stage, &flow, &[("account", "other")]).await;
    browser.password(&stage, &flow, "bob").await;
    assert!(browser.otp(&stage, &flow, "bob").await.is_code());
    assert!(stage.sessions(stage.alice).await.is_empty(), "one browser, one session");
    assert_eq!(stage.sessions(stage.bob).await.len(), 1);
}

#[tokio::test]
async fn cancelling_goes_back_to_the_app_and_leaves_the_session_alone() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let before = browser.session.clone().unwrap();
    let flow = browser.asked(&stage, "app", &[("prompt", "login")]).await;
    assert!(
        browser
            .answer(&stage, &flow, &[("cancel", "yes")])
            .await
            .is_error("access_denied")
    );
    assert_eq!(browser.session.clone().unwrap().hash(), before.hash());
    assert!(browser.responded(&stage, "app", &[("prompt", "none")]).await.is_code());
    assert!(matches!(browser.try_answer(&stage, &flow, &[]).await, Err(FlowError::Gone)));
}

#[tokio::test]
async fn a_sign_in_for_a_page_of_ours_ends_there() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.page_flow(&stage, false, None).await;
    browser.password(&stage, &flow, "alice").await;
    assert!(matches!(browser.otp(&stage, &flow, "alice").await, Where::Page(path) if path == "/account"));
    let who = stage.idp.signed_in(&browser.caller(None)).await.unwrap().unwrap();
    assert_eq!(who.account.id, stage.alice);
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    for _ in 0..13 {
        stage.advance(3500);
        let _ = stage.idp.signed_in(&browser.caller(None)).await.unwrap();
    }
    assert!(
        browser
            .responded(&stage, "app", &[("prompt", "none")])
            .await
            .is_error("login_required"),
        "after twelve hours"
    );

    browser.sign_in(&stage, "app", "alice").await;
    stage.advance(3600);
    assert!(
        browser
            .responded(&stage, "app", &[("prompt", "none")])
            .await
            .is_error("login_required"),
        "after an hour unused"
    );
}

#[tokio::test]
async fn what_happened_is_an_event() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser
        .answer(&stage, &flow, &[("identifier", "alice"), ("password", "x")])
        .await;
    browser.password(&stage, &flow, "alice").await;
    browser.otp(&stage, &flow, "alice").await;
    let events = stage.events(stage.alice).await;
    let failed =
        |what: &What| matches!(what, What::StepFailed { plugin, why } if plugin.as_str() == "password" && why == "wrong");
    assert!(failed(&events[0]), "{events:?}");
    assert!(
        matches!(&events[1], What::SessionBegun { plugins } if plugins.len() == 2),
        "{events:?}"
    );
    assert!(stage.ports.bell.rung() > 0);
}
