//! A node reads what one of a later version has kept, as happens while an upgrade rolls: the person begins again, and nothing fails.

use super::assurance::redeem;
use super::browser::{Browser, fields};
use super::stage::{Stage, policy, registry};
use crate::protocol::error;
use gait_core::ephemeral::InProcess;
use gait_core::flow::FlowError;
use gait_core::recovery::RecoveryOutcome;
use gait_core::store::Ephemeral;
use gait_core::token::secret::{Secret, SecretKind};
use serde_json::{Value, json};
use std::sync::Arc;

async fn stage() -> (Stage, Arc<InProcess>) {
    let mut kept = None;
    let stage = Stage::on(policy(), registry(), |clock| {
        let store = Arc::new(InProcess::new(clock, 100_000));
        kept = Some(store.clone());
        store
    })
    .await;
    (stage, kept.unwrap())
}

/// A node of a later version keeps something in words of its own.
async fn rewrite(kept: &InProcess, key: &str, member: &str) {
    let mut value: Value = serde_json::from_slice(&kept.get(key).await.unwrap().unwrap()).unwrap();
    assert_ne!(value[member].take(), Value::Null);
    value[member] = json!({ "of_tomorrow": true });
    kept.put(key, value.to_string().as_bytes(), 60).await.unwrap();
}

fn key(kind: &str, secret: SecretKind, token: &str) -> String {
    format!("{kind}:{}", Secret::parse(secret, token).unwrap().hash().to_text())
}

#[tokio::test]
async fn a_sign_in_that_stands_where_this_node_cannot_follow_is_begun_again() {
    let (stage, kept) = stage().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let csrf = browser.prompt(&stage, &flow).await.csrf;
    let answer = fields(&[("code", &stage.mailed_code("alice")), ("csrf", &csrf)]);
    rewrite(&kept, &format!("flow:{flow}"), "stage").await;
    let shown = stage.idp.prompt(&flow, &browser.caller(Some(&flow))).await;
    assert!(matches!(shown, Err(FlowError::Gone)), "{shown:?}");
    let answered = browser.post(&stage, &flow, &answer).await;
    assert!(matches!(answered, Err(FlowError::Gone)), "{answered:?}");
    assert!(stage.sessions(stage.alice).await.is_empty());
    browser.sign_in(&stage, "app", "alice").await;
}

#[tokio::test]
async fn a_recovery_link_that_this_node_cannot_read_is_as_good_as_expired() {
    let (stage, kept) = stage().await;
    let caller = Browser::new().caller(None);
    stage.idp.begin_recovery("alice", &caller).await.unwrap();
    let token = stage.mailed_token("alice", "recovery");
    rewrite(&kept, &key("recovery", SecretKind::Recovery, &token), "account").await;
    assert!(stage.idp.recovery_form(&token, &caller).await.unwrap().is_none());
    let new = fields(&[("new_password", "brand-new")]);
    let answered = stage.idp.finish_recovery(&token, &new, &caller).await.unwrap();
    assert_eq!(answered, RecoveryOutcome::Gone);
}

#[tokio::test]
async fn a_code_that_this_node_cannot_read_is_an_unknown_one() {
    let (stage, kept) = stage().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let end = browser.responded(&stage, "app", &[]).await;
    let code = end.param("code").unwrap();
    rewrite(&kept, &key("code", SecretKind::Code, &code), "grant").await;
    assert_eq!(error(redeem(&stage, &end).await), "invalid_grant");
}
