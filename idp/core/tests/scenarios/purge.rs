//! However much there is, one call gets through it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::Stage;
use gait_core::grant::{Token, TokenKind};
use gait_core::token::secret::Hash;

const MANY: u64 = 2500;

#[tokio::test]
async fn all_that_died_long_ago_is_deleted_in_one_round() {
    let stage = Stage::new().await;
    for number in 0..MANY {
        let name = format!("attempt {number}");
        stage.store().count_attempt(&name, stage.ports.clock.now(), 60).await.unwrap();
    }
    stage.ports.clock.advance(60 + 30 * 86_400);
    assert_eq!(stage.idp.purge().await.unwrap(), 0);
    stage.ports.clock.advance(1);
    assert_eq!(stage.idp.purge().await.unwrap(), MANY);
}

#[tokio::test]
async fn a_client_is_removed_with_all_its_tokens() {
    let stage = Stage::new().await;
    let now = stage.ports.clock.now();
    let token = |number: u64| Token {
        hash: Hash::of(format!("token {number}").as_bytes()),
        kind: TokenKind::Access,
        grant: None,
        client: "shop".into(),
        scopes: [].into(),
        audience: Vec::new(),
        issued_at: now,
        expires_at: now.plus(600),
        spent_at: None,
    };
    for number in 0..MANY {
        stage.store().add_tokens(&[token(number)]).await.unwrap();
    }
    assert!(stage.idp.remove_client(&"shop".into()).await.unwrap());
    assert!(stage.store().client(&"shop".into()).await.unwrap().is_none());
    let last = stage.store().standing(&token(MANY - 1).hash).await.unwrap();
    assert!(last.is_none());
    assert!(!stage.idp.remove_client(&"shop".into()).await.unwrap());
}
