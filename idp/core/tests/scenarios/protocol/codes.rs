//! Codes: what they are bound to, how long they live, and who wins.

use super::*;
use jsonwebtoken::Algorithm;

#[tokio::test]
async fn an_id_token_says_who_signed_in_when_and_how_under_each_algorithm() {
    let world = World::new().await;
    for (alg, expected) in [
        (Alg::RS256, Algorithm::RS256),
        (Alg::ES256, Algorithm::ES256),
        (Alg::EdDSA, Algorithm::EdDSA),
    ] {
        world.change_client("app", |client| client.id_token_alg = alg).await;
        let tokens = world.tokens("app", &[("nonce", "n-42")]).await;
        let (header, claims) = world.verified(text(&tokens, "id_token"), expected);
        let now = world.ports.clock.now().0;
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["sub"], world.alice.to_string());
        assert_eq!(claims["aud"], "app");
        assert_eq!(claims["azp"], "app");
        assert_eq!(claims["nonce"], "n-42");
        assert_eq!(claims["sid"], world.sid.as_str());
        assert_eq!((&claims["iat"], &claims["auth_time"]), (&json!(now), &json!(now)));
        assert_eq!(claims["exp"], now + 3600);
        assert_eq!(claims["amr"], json!(["otp"]));
        assert!(claims["at_hash"].is_string());
        assert_eq!(claims.get("email"), None, "claims of scopes come from UserInfo");
    }
}

#[tokio::test]
async fn a_code_needs_its_verifier_client_and_redirect_uri() {
    let world = World::new().await;
    let callback_app = callback("app");
    let wrong = "x".repeat(43);
    let code = world.code("app", &[]).await;
    let good = redemption(&code, &callback_app);
    let with = |name: &str, value: Option<&'static str>| {
        let mut form: Vec<_> = good.iter().copied().filter(|(known, _)| *known != name).collect();
        form.extend(value.map(|value| ("redirect_uri", value)));
        form
    };
    let mut other_verifier = with("code_verifier", None);
    other_verifier.push(("code_verifier", &wrong));
    assert_eq!(
        error(world.token("app", &with("code_verifier", None)).await),
        "invalid_grant",
        "no verifier"
    );
    assert_eq!(
        error(world.token("app", &other_verifier).await),
        "invalid_grant",
        "another verifier"
    );
    let elsewhere = with("redirect_uri", Some("https://app.example/cb2"));
    assert_eq!(
        error(world.token("app", &elsewhere).await),
        "invalid_grant",
        "another redirect_uri"
    );
    assert_eq!(error(world.token("other", &good).await), "invalid_grant", "another client");
    assert_eq!(error(world.token("app", &with("code", None)).await), "invalid_request");
    assert!(world.token("app", &good).await.is_ok(), "none of that spent the code");
}

#[tokio::test]
async fn a_verifier_for_a_code_without_a_challenge_is_a_downgrade() {
    let world = World::new().await;
    let code = world
        .code("app", &[("code_challenge", ""), ("code_challenge_method", "")])
        .await;
    assert_eq!(error(world.redeem("app", &code).await), "invalid_grant");
    let callback = callback("app");
    let bare = [("grant_type", "authorization_code"), ("code", &code)];
    assert_eq!(
        error(world.token("app", &bare).await),
        "invalid_grant",
        "without PKCE the redirect URI is required"
    );
    let form = [bare[0], bare[1], ("redirect_uri", &callback)];
    assert!(world.token("app", &form).await.is_ok());
}

#[tokio::test]
async fn a_code_lives_a_minute() {
    let world = World::new().await;
    let code = world.code("app", &[]).await;
    world.advance(60);
    assert_eq!(error(world.redeem("app", &code).await), "invalid_grant");
    let code = world.code("app", &[]).await;
    world.advance(59);
    assert!(world.redeem("app", &code).await.is_ok());
}

#[tokio::test]
async fn a_second_use_of_a_code_revokes_what_the_first_one_got_at_once_and_later() {
    for later in [0, 1, 30, 120] {
        let world = World::new().await;
        let code = world.code("app", &[]).await;
        let tokens = world.redeem("app", &code).await.unwrap();
        world.advance(later);
        assert!(world.is_active(text(&tokens, "access_token")).await);
        assert_eq!(error(world.redeem("app", &code).await), "invalid_grant");
        assert!(!world.is_active(text(&tokens, "access_token")).await, "after {later} s");
        assert_eq!(
            error(world.refresh("app", text(&tokens, "refresh_token")).await),
            "invalid_grant"
        );
        assert!(world.saw_replay("code").await);
    }
}

#[tokio::test]
async fn who_only_saw_a_code_can_neither_use_it_nor_sign_its_owner_out() {
    let world = World::new().await;
    let code = world.code("app", &[]).await;
    let tokens = world.redeem("app", &code).await.unwrap();
    let (callback_app, callback_other) = (callback("app"), callback("other"));
    let mut no_verifier = redemption(&code, &callback_app);
    no_verifier.pop();
    assert_eq!(error(world.token("app", &no_verifier).await), "invalid_grant");
    assert_eq!(
        error(world.token("other", &redemption(&code, &callback_app)).await),
        "invalid_grant"
    );
    assert_eq!(
        error(world.token("other", &redemption(&code, &callback_other)).await),
        "invalid_grant"
    );
    assert!(world.is_active(text(&tokens, "access_token")).await);
    assert!(!world.saw_replay("code").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_redemptions_at_once_one_wins() {
    let world = Arc::new(World::new().await);
    let code = world.code("app", &[]).await;
    let tries = (0..50).map(|_| {
        let (world, code) = (world.clone(), code.clone());
        tokio::spawn(async move { world.redeem("app", &code).await })
    });
    let mut won = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        won.extend(attempt.await.unwrap().ok());
    }
    assert_eq!(won.len(), 1);
    assert!(
        !world.is_active(text(&won[0], "access_token")).await,
        "the others were replays"
    );
}

#[tokio::test]
async fn offline_access_needs_a_question_or_the_operators_word() {
    let world = World::new().await;
    let asked: gait_core::grant::Scopes = ["openid".to_owned(), "offline_access".to_owned()].into();
    let now = world.ports.clock.now();
    let app = ClientId::from("app");
    let vouched = world.tokens("app", &[("scope", "openid offline_access")]).await;
    assert_eq!(text(&vouched, "scope"), "offline_access openid");
    world.change_client("app", |client| client.trusted = false).await;
    world.store.put_consent(world.alice, &app, &asked, now).await.unwrap();
    let silent = world.tokens("app", &[("scope", "openid offline_access")]).await;
    assert_eq!(text(&silent, "scope"), "openid", "OIDC Core §11: not without prompt=consent");
}
