//! The clock is stepped, forward and back: by an operator, or by what sets it. Here the port is stepped under one node; the process's own
//! clock can't be without stepping everybody's on the machine, and what a wrong clock does is decided by nothing but what the port says.

use super::*;

/// Seconds by which a clock is put forward or back, one after the other; in the end it is right again.
const STEPS: [i64; 8] = [-1, 1, -3600, 7200, -3600, 30 * 86_400, -60 * 86_400, 30 * 86_400];

#[tokio::test]
async fn what_was_spent_or_revoked_stays_so_whatever_the_clock_says() {
    let world = World::new().await;
    let code = world.code("app", &[]).await;
    let first = world.redeem("app", &code).await.unwrap();
    let rotated = world.tokens("app", &[]).await;
    let renewed = world.refresh("app", text(&rotated, "refresh_token")).await.unwrap();
    let revoked = world.tokens("app", &[]).await;
    let request = basic("app", SECRET, &[("token", text(&revoked, "refresh_token"))]);
    world.idp.revoke(&request).await.unwrap();
    for step in STEPS {
        world.advance(step);
        assert!(!world.is_active(text(&revoked, "access_token")).await, "{step}");
        for (what, spent) in [("revoked", &revoked), ("rotated", &rotated)] {
            let again = world.refresh("app", text(spent, "refresh_token")).await;
            assert_eq!(error(again), "invalid_grant", "{what} {step}");
        }
        assert_eq!(error(world.redeem("app", &code).await), "invalid_grant", "{step}");
    }
    for dead in [&first, &renewed] {
        assert!(
            !world.is_active(text(dead, "access_token")).await,
            "the replays ended their families"
        );
    }
}

#[tokio::test]
async fn a_revocation_counts_at_once_although_the_clock_is_before_what_it_takes_back() {
    let world = World::new().await;
    let (one, whole) = (world.tokens("app", &[]).await, world.tokens("app", &[]).await);
    let session = world.tokens("app", &[]).await;
    world.advance(-3600);
    for token in [text(&one, "access_token"), text(&whole, "refresh_token")] {
        world.idp.revoke(&basic("app", SECRET, &[("token", token)])).await.unwrap();
    }
    let dead = [&one, &whole].map(|tokens| text(tokens, "access_token"));
    for step in STEPS {
        for token in dead {
            assert!(!world.is_active(token).await, "{step}");
        }
        world.advance(step);
    }
    world.end(Which::AllOf(world.alice), EndReason::AccountChanged).await;
    world.advance(3600);
    assert!(!world.is_active(text(&session, "access_token")).await);
    assert_eq!(
        error(world.refresh("app", text(&session, "refresh_token")).await),
        "invalid_grant"
    );
}

#[tokio::test]
async fn tokens_that_live_go_on_once_the_clock_is_right_again() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[("scope", "openid offline_access notes")]).await;
    for step in STEPS {
        world.advance(step);
    }
    assert!(world.is_active(text(&tokens, "access_token")).await);
    assert!(world.refresh("app", text(&tokens, "refresh_token")).await.is_ok());
}
