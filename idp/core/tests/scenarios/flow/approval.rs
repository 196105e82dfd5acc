//! "Was this you?", asked by mail.

use super::browser::{Browser, Where, fields};
use super::stage::Stage;
use gait_core::approval::ApprovalOutcome;
use gait_core::event::What;
use gait_core::flow::Ask;
use gait_core::session::EndReason;
use gait_core::store::{AccountStore, SessionStore};
use gait_sdk::PluginId;

/// Alice's second sign-in, whose tab shows the code; with the mailed token.
pub async fn asked() -> (Stage, Browser, String, String) {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    browser.session = None;
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    browser.otp(&stage, &flow, "alice").await;
    let Ask::ApprovalSent { code } = browser.prompt(&stage, &flow).await.ask else {
        panic!()
    };
    assert!(browser.answer(&stage, &flow, &[("continue", "yes")]).await.is_code());
    let token = stage.mailed_token("alice", "ip-approval");
    (stage, browser, token, code)
}

async fn is_trusted(stage: &Stage, browser: &Browser) -> bool {
    let mut browser = browser.clone();
    browser.session = None;
    let flow = browser.asked(stage, "app", &[]).await;
    browser.password(stage, &flow, "alice").await.is_code()
}

#[tokio::test]
async fn the_mail_holds_the_link_and_not_the_code() {
    let (stage, _, _, code) = asked().await;
    let mail = stage.ports.mailbox.last("alice@example.com", "ip-approval").unwrap();
    assert!(mail.args.values().all(|value| !value.contains(&code)));
    for name in ["link", "when", "address", "browser", "account", "minutes", "client"] {
        assert!(mail.args.contains_key(name), "{name}");
    }
    assert_eq!(code.len(), 6);
}

#[tokio::test]
async fn looking_trusts_nobody_however_often_a_scanner_looks() {
    let (stage, browser, token, _) = asked().await;
    for caller in [Browser::at("192.0.2.99").caller(None), browser.caller(None)] {
        for _ in 0..5 {
            let page = stage.idp.approval(&token, &caller).await.unwrap().unwrap();
            assert_eq!((page.address.as_str(), page.user_agent.as_str()), ("203.0.113.7", "Test/1.0"));
        }
    }
    assert!(!is_trusted(&stage, &browser).await);
}

#[tokio::test]
async fn a_yes_in_the_same_browser_trusts_it() {
    let (stage, browser, token, _) = asked().await;
    assert!(
        !stage
            .idp
            .approval(&token, &browser.caller(None))
            .await
            .unwrap()
            .unwrap()
            .needs_code
    );
    let yes = fields(&[("answer", "yes")]);
    assert_eq!(
        stage.idp.answer_approval(&token, &yes, &browser.caller(None)).await.unwrap(),
        ApprovalOutcome::Confirmed
    );
    assert_eq!(
        stage.idp.answer_approval(&token, &yes, &browser.caller(None)).await.unwrap(),
        ApprovalOutcome::Gone,
        "once"
    );
    assert!(is_trusted(&stage, &browser).await);
    assert!(
        stage.account(stage.alice).await.credential_changed_at.is_none(),
        "trust is no credential"
    );
}

#[tokio::test]
async fn a_yes_elsewhere_needs_the_code_of_the_tab_and_trusts_the_sign_ins_browser() {
    let (stage, browser, token, code) = asked().await;
    let phone = Browser::at("192.0.2.99");
    assert!(
        stage
            .idp
            .approval(&token, &phone.caller(None))
            .await
            .unwrap()
            .unwrap()
            .needs_code
    );
    let robot = fields(&[("answer", "yes")]);
    let outcome = stage.idp.answer_approval(&token, &robot, &phone.caller(None)).await.unwrap();
    assert!(matches!(outcome, ApprovalOutcome::WrongCode(page) if page.tries_left == Some(2)));
    assert!(!is_trusted(&stage, &browser).await);
    let spaced = format!(" {} {}", &code[..3].to_lowercase(), &code[3..]);
    let yes = fields(&[("answer", "yes"), ("code", &spaced)]);
    assert_eq!(
        stage.idp.answer_approval(&token, &yes, &phone.caller(None)).await.unwrap(),
        ApprovalOutcome::Confirmed
    );
    assert!(is_trusted(&stage, &browser).await);
    assert!(!is_trusted(&stage, &phone).await);
}

#[tokio::test]
async fn three_wrong_codes_kill_the_link() {
    let (stage, browser, token, code) = asked().await;
    let phone = Browser::at("192.0.2.99");
    let guess = fields(&[("answer", "yes"), ("code", "AAAAAA")]);
    for _ in 0..2 {
        let outcome = stage.idp.answer_approval(&token, &guess, &phone.caller(None)).await.unwrap();
        assert!(matches!(outcome, ApprovalOutcome::WrongCode(_)));
    }
    assert_eq!(
        stage.idp.answer_approval(&token, &guess, &phone.caller(None)).await.unwrap(),
        ApprovalOutcome::Gone
    );
    let right = fields(&[("answer", "yes"), ("code", &code)]);
    assert_eq!(
        stage
            .idp
            .answer_approval(&token, &right, &browser.caller(None))
            .await
            .unwrap(),
        ApprovalOutcome::Gone
    );
    assert!(!is_trusted(&stage, &browser).await);
}

#[tokio::test]
async fn a_no_ends_that_session_and_offers_to_end_all() {
    let (stage, browser, token, _) = asked().await;
    let mut other = Browser::at("192.0.2.1");
    other.sign_in(&stage, "app", "alice").await;
    let phone = Browser::at("192.0.2.99");
    let (end, no) = (fields(&[("all", "end")]), fields(&[("answer", "no")]));
    assert_eq!(
        stage.idp.answer_approval(&token, &end, &phone.caller(None)).await.unwrap(),
        ApprovalOutcome::Gone,
        "not before a no"
    );
    assert_eq!(
        stage.idp.answer_approval(&token, &no, &phone.caller(None)).await.unwrap(),
        ApprovalOutcome::Disowned
    );
    assert!(
        stage.idp.is_disowned(&token).await.unwrap(),
        "the link still shows what can be done"
    );
    let ended = stage
        .store
        .session_by_secret(&browser.session.as_ref().unwrap().hash())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.ended.unwrap().reason, EndReason::Disowned);
    assert!(stage.idp.signed_in(&other.caller(None)).await.unwrap().is_some());
    let kept = stage
        .store
        .credentials(stage.alice, Some(&PluginId::from("place")))
        .await
        .unwrap();
    assert!(kept.is_empty(), "the place is forgotten");
    assert!(
        stage
            .events(stage.alice)
            .await
            .contains(&What::ApprovalAnswered { yes: false })
    );

    assert_eq!(
        stage.idp.answer_approval(&token, &end, &phone.caller(None)).await.unwrap(),
        ApprovalOutcome::AllEnded
    );
    assert!(stage.idp.signed_in(&other.caller(None)).await.unwrap().is_none());
    assert_eq!(
        stage.idp.answer_approval(&token, &end, &phone.caller(None)).await.unwrap(),
        ApprovalOutcome::Gone
    );
}

#[tokio::test]
async fn neither_yes_nor_no_is_neither() {
    let (stage, browser, token, _) = asked().await;
    for answer in [&[][..], &[("answer", "")], &[("answer", "YES")], &[("code", "x")]] {
        let outcome = stage
            .idp
            .answer_approval(&token, &fields(answer), &browser.caller(None))
            .await
            .unwrap();
        assert!(matches!(outcome, ApprovalOutcome::WrongCode(page) if page.tries_left.is_none()));
    }
    assert!(stage.idp.approval(&token, &browser.caller(None)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_link_dies_by_time_and_by_recovery() {
    let (stage, browser, token, _) = asked().await;
    stage.advance(1);
    stage.idp.begin_recovery("alice", &browser.caller(None)).await.unwrap();
    let recovery = stage.mailed_token("alice", "recovery");
    let new = fields(&[("new_password", "brand-new")]);
    stage
        .idp
        .finish_recovery(&recovery, &new, &browser.caller(None))
        .await
        .unwrap();
    assert!(stage.idp.approval(&token, &browser.caller(None)).await.unwrap().is_none());

    let (stage, browser, token, _) = asked().await;
    stage.advance(600);
    assert!(stage.idp.approval(&token, &browser.caller(None)).await.unwrap().is_none());
    let yes = fields(&[("answer", "yes")]);
    assert_eq!(
        stage.idp.answer_approval(&token, &yes, &browser.caller(None)).await.unwrap(),
        ApprovalOutcome::Gone
    );
}

#[tokio::test]
async fn nothing_but_an_approvals_secret_opens_one() {
    let (stage, browser, _, _) = asked().await;
    let session = browser.session.as_ref().unwrap().expose().to_owned();
    for token in ["", "x", "../..", session.as_str()] {
        assert!(stage.idp.approval(token, &browser.caller(None)).await.unwrap().is_none());
        let yes = fields(&[("answer", "yes")]);
        assert_eq!(
            stage.idp.answer_approval(token, &yes, &browser.caller(None)).await.unwrap(),
            ApprovalOutcome::Gone
        );
    }
}

#[tokio::test]
async fn a_sign_in_that_didnt_end_earns_no_trust() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    for _ in 0..3 {
        let flow = browser.asked(&stage, "app", &[]).await;
        assert!(matches!(browser.password(&stage, &flow, "alice").await, Where::Again));
        browser.answer(&stage, &flow, &[("cancel", "yes")]).await;
        stage.advance(901);
    }
    assert!(
        stage
            .store
            .credentials(stage.alice, Some(&PluginId::from("place")))
            .await
            .unwrap()
            .is_empty()
    );
}
