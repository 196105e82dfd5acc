//! What a flood must not do: stop others, fill the store, or hold a flow for ever.

use super::browser::{Browser, Where, fields};
use super::stage::{Stage, plan, policy, registry};
use gait_core::Idp;
use gait_core::authorization::Authorized;
use gait_core::error::Error;
use gait_core::flow::FlowError;
use gait_core::policy::Policy;
use gait_core::store::OutboxStore;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

async fn password_only() -> Stage {
    let policy = Policy {
        plan: plan(&[&["password"]]),
        ..policy()
    };
    Stage::with(policy, registry()).await
}

/// Begins work and breaks it off at its first wait, as a node that dies does.
fn break_off<T>(work: impl Future<Output = T>) {
    let mut work = pin!(work);
    let state = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(state.is_pending(), "it waits");
}

#[tokio::test]
async fn an_answer_that_broke_off_holds_its_flow_for_a_minute_and_no_longer() {
    let stage = password_only().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let csrf = browser.prompt(&stage, &flow).await.csrf;
    let hangs = fields(&[("identifier", "alice"), ("password", "hang"), ("csrf", &csrf)]);
    break_off(stage.idp.answer(&flow, &hangs, &browser.caller(Some(&flow))));
    let right = [("identifier", "alice"), ("password", "pw-alice")];
    assert!(matches!(
        browser.try_answer(&stage, &flow, &right).await,
        Err(FlowError::OutOfDate)
    ));
    stage.advance(60);
    assert!(browser.answer(&stage, &flow, &right).await.is_code());
}

async fn comes_again(idp: &Idp, browser: &Browser) -> Result<Authorized, Error> {
    let request = super::browser::request("app", &[]);
    idp.authorize(&request, &browser.caller(None)).await
}

#[tokio::test]
async fn an_address_that_begins_flows_without_end_has_to_wait_and_others_have_not() {
    let stage = Stage::new().await;
    let (flood, other) = (Browser::at("203.0.113.66"), Browser::at("203.0.113.7"));
    for _ in 0..1000 {
        assert!(matches!(comes_again(&stage.idp, &flood).await, Ok(Authorized::Ask(..))));
    }
    assert!(matches!(comes_again(&stage.idp, &flood).await, Err(Error::TooMany(_))));
    let page = stage.idp.begin_page_flow("/account", false, None, &flood.caller(None)).await;
    assert!(matches!(page, Err(Error::TooMany(_))), "the account page begins flows too");
    assert!(matches!(comes_again(&stage.idp, &other).await, Ok(Authorized::Ask(..))));
    stage.advance(900);
    assert!(matches!(comes_again(&stage.idp, &flood).await, Ok(Authorized::Ask(..))));
}

#[tokio::test]
async fn an_office_behind_one_address_can_sign_in() {
    let stage = password_only().await;
    for nth in 0..150 {
        let mut colleague = Browser::new();
        let flow = colleague.asked(&stage, "app", &[]).await;
        let end = colleague
            .password(&stage, &flow, if nth % 2 == 0 { "alice" } else { "bob" })
            .await;
        assert!(end.is_code(), "the {nth}th is refused: {end:?}");
    }
}

#[tokio::test]
async fn signing_in_oneself_buys_no_guesses_at_others() {
    let stage = password_only().await;
    let mut judged = 0;
    for nth in 0..130 {
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        browser.password(&stage, &flow, "bob").await;
        let flow = browser.asked(&stage, "app", &[("prompt", "login")]).await;
        let name = format!("victim-{nth}");
        let end = browser
            .answer(&stage, &flow, &[("identifier", &name), ("password", "summer")])
            .await;
        assert!(matches!(end, Where::Again));
        judged += usize::from(is_judged(&stage, &browser, &flow).await);
    }
    assert_eq!(judged, 100);
}

async fn is_judged(stage: &Stage, browser: &Browser, flow: &gait_core::ids::FlowId) -> bool {
    let error = browser.prompt(stage, flow).await.error.expect("it was wrong");
    error.key != "too-many-tries"
}

#[tokio::test]
async fn answers_that_nobody_looks_at_leave_nothing_behind() {
    let stage = password_only().await;
    let mut browser = Browser::new();
    let mut written = Vec::new();
    for nth in 0..120 {
        let flow = browser.asked(&stage, "app", &[]).await;
        let name = format!("nobody-{nth}");
        browser
            .answer(&stage, &flow, &[("identifier", &name), ("password", "summer")])
            .await;
        written.push(stage.store.unexpanded_events(None, 1000).await.unwrap().len());
    }
    assert_eq!(written[99], 100, "what was judged is told");
    assert_eq!(written[119], 100, "what was not isn't");
}

/// Anybody may ask for the mails of recovery, as often as there are addresses.
#[tokio::test]
async fn nobody_can_use_up_the_mails_that_the_owner_signs_in_with() {
    let stage = Stage::new().await;
    for nth in 0..20 {
        let stranger = Browser::at(&format!("198.51.100.{nth}"));
        stage.idp.begin_recovery("alice", &stranger.caller(None)).await.unwrap();
    }
    let mut owner = Browser::new();
    owner.sign_in(&stage, "app", "alice").await;
}

/// Who knows the password can ask for codes, until the account has had enough; the owner's own browser has mails of its own.
#[tokio::test]
async fn whoever_knows_the_password_can_not_lock_the_owners_browser_out() {
    let stage = Stage::new().await;
    let mut owner = Browser::new();
    owner.sign_in(&stage, "app", "alice").await;
    for nth in 0..10 {
        let mut thief = Browser::at(&format!("198.51.100.{nth}"));
        let flow = thief.asked(&stage, "app", &[]).await;
        thief.password(&stage, &flow, "alice").await;
    }
    owner.session = None;
    owner.sign_in(&stage, "app", "alice").await;
}
