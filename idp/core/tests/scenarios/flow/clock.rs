//! The clock is stepped, forward and back (see `protocol::clock`) while people sign in.

use super::approval;
use super::browser::{Browser, Where, fields};
use super::stage::Stage;
use gait_core::approval::ApprovalOutcome;

/// Seconds by which it is put forward or back, one after the other; in the end it is right again.
const STEPS: [i64; 6] = [-1, 1, -3600, 7200, -7200, 3600];

#[tokio::test]
async fn a_mailed_code_signs_in_once_whatever_the_clock_says() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let csrf = stage.idp.prompt(&flow, &browser.caller(Some(&flow))).await.unwrap().csrf;
    let code = stage.mailed_code("alice");
    let answer = fields(&[("code", &code), ("csrf", &csrf)]);
    let before = browser.clone();
    assert!(browser.post(&stage, &flow, &answer).await.unwrap().is_code());
    for step in STEPS {
        stage.advance(step);
        let again = before.clone().post(&stage, &flow, &answer).await;
        assert!(!matches!(again, Ok(Where::Client(_) | Where::Page(_))), "{step}: {again:?}");
    }
    assert_eq!(stage.sessions(stage.alice).await.len(), 1);
}

#[tokio::test]
async fn an_approval_is_answered_once_whatever_the_clock_says() {
    let (stage, browser, token, _) = approval::asked().await;
    let yes = fields(&[("answer", "yes")]);
    let answer = async || stage.idp.answer_approval(&token, &yes, &browser.caller(None)).await.unwrap();
    assert_eq!(answer().await, ApprovalOutcome::Confirmed);
    for step in STEPS {
        stage.advance(step);
        assert_eq!(answer().await, ApprovalOutcome::Gone, "{step}");
    }
}

#[tokio::test]
async fn a_guesser_gains_no_try_by_a_clock_that_goes_back() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let guess = [("identifier", "alice"), ("password", "a guess")];
    for _ in 0..10 {
        browser.answer(&stage, &flow, &guess).await;
    }
    for _ in 0..5 {
        stage.advance(-60);
        let (flow, right) = (browser.asked(&stage, "app", &[]).await, "pw-alice");
        browser
            .answer(&stage, &flow, &[("identifier", "alice"), ("password", right)])
            .await;
        assert!(
            stage.ports.mailbox.last("alice@example.com", "otp").is_none(),
            "the password was looked at"
        );
    }
}
