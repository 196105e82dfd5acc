//! Refreshing: rotation, replays, scopes, age.

use super::*;

const OFFLINE: (&str, &str) = ("scope", "openid offline_access notes");

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_refreshes_at_once_one_wins() {
    let world = Arc::new(World::new().await);
    let tokens = world.tokens("app", &[]).await;
    let tries = (0..50).map(|_| {
        let (world, token) = (world.clone(), text(&tokens, "refresh_token").to_owned());
        tokio::spawn(async move { world.refresh("app", &token).await })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        won += usize::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_refresh_rotates_and_changes_nothing_that_was_proven() {
    let world = World::new().await;
    let first = world.tokens("app", &[("nonce", "n-1")]).await;
    world.advance(100);
    let second = world.refresh("app", text(&first, "refresh_token")).await.unwrap();
    let (old, new) = (payload(text(&first, "id_token")), payload(text(&second, "id_token")));
    for same in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert_eq!(new.get("nonce"), None, "OIDC Core §12.2");
    assert_eq!(new["iat"], world.ports.clock.now().0);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
}

#[tokio::test]
async fn a_spent_refresh_token_kills_its_family_even_after_a_restart() {
    for restart in [false, true] {
        let mut world = World::new().await;
        let first = world.tokens("app", &[]).await;
        let second = world.refresh("app", text(&first, "refresh_token")).await.unwrap();
        if restart {
            world.restart().await;
        }
        assert_eq!(
            error(world.refresh("app", text(&first, "refresh_token")).await),
            "invalid_grant"
        );
        assert_eq!(
            error(world.refresh("app", text(&second, "refresh_token")).await),
            "invalid_grant",
            "its successor died too"
        );
        assert!(!world.is_active(text(&second, "access_token")).await);
        assert!(world.saw_replay("refresh_token").await);
    }
}

#[tokio::test]
async fn another_client_can_neither_use_nor_kill_a_refresh_token() {
    let world = World::new().await;
    let first = world.tokens("app", &[]).await;
    let second = world.refresh("app", text(&first, "refresh_token")).await.unwrap();
    for stolen in [&first, &second] {
        assert_eq!(
            error(world.refresh("other", text(stolen, "refresh_token")).await),
            "invalid_grant"
        );
    }
    assert!(world.is_active(text(&second, "access_token")).await);
    assert!(world.refresh("app", text(&second, "refresh_token")).await.is_ok());
}

#[tokio::test]
async fn a_scope_may_be_narrowed_never_widened() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[("scope", "openid profile notes")]).await;
    let refresh = |token: String, scope: &'static str| {
        let world = &world;
        async move {
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
                ("scope", scope),
            ];
            world.token("app", &form).await
        }
    };
    let token = text(&tokens, "refresh_token").to_owned();
    for wide in ["openid email", "openid profile notes email", "admin", " "] {
        assert_eq!(error(refresh(token.clone(), wide).await), "invalid_scope", "{wide:?}");
    }
    let narrow = refresh(token, "notes").await.unwrap();
    assert_eq!(text(&narrow, "scope"), "notes");
    assert_eq!(narrow.get("id_token"), None, "no openid, no ID token");
    let again = refresh(text(&narrow, "refresh_token").to_owned(), "openid profile").await;
    assert_eq!(
        text(&again.unwrap(), "scope"),
        "openid profile",
        "the family keeps what was granted"
    );
}

#[tokio::test]
async fn a_refresh_token_dies_unused_and_its_family_of_age() {
    let world = World::new().await;
    let day = 86_400;
    let idle = world.tokens("app", &[OFFLINE]).await;
    let mut used = world.tokens("app", &[OFFLINE]).await;
    for _ in 0..8 {
        world.advance(10 * day);
        used = world.refresh("app", text(&used, "refresh_token")).await.unwrap();
    }
    assert_eq!(
        error(world.refresh("app", text(&idle, "refresh_token")).await),
        "invalid_grant",
        "idle"
    );
    world.advance(10 * day);
    assert_eq!(
        error(world.refresh("app", text(&used, "refresh_token")).await),
        "invalid_grant",
        "90 days after the grant"
    );
}

#[tokio::test]
async fn a_public_client_refreshes_and_revokes_by_its_name_alone() {
    let world = World::new().await;
    let code = world.code("spa", &[]).await;
    let callback = callback("spa");
    let mut redeem = redemption(&code, &callback);
    redeem.push(("client_id", "spa"));
    let tokens = world.idp.token(&form(&redeem)).await.unwrap();
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "spa"),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    let tokens = world.idp.token(&form(&refresh)).await.unwrap();
    assert_eq!(
        error(world.idp.token(&form(&refresh)).await),
        "invalid_grant",
        "rotated for public clients above all"
    );
    assert!(!world.is_active(text(&tokens, "access_token")).await);
    world
        .idp
        .revoke(&form(&[("client_id", "spa"), ("token", text(&tokens, "refresh_token"))]))
        .await
        .unwrap();
}
