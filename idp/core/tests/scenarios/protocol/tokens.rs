//! Codes and tokens: issued, spent, rotated, revoked, and what becomes of them when their session does.

use super::*;
use gait_core::token::BearerError;
use jsonwebtoken::Algorithm;

const OFFLINE: (&str, &str) = ("scope", "openid offline_access notes");

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
async fn without_offline_access_nothing_outlives_the_session() {
    let world = World::new().await;
    let mut tokens = world.tokens("app", &[]).await;
    let offline = world.tokens("app", &[OFFLINE]).await;
    for _ in 0..11 {
        world.advance(3600);
        tokens = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap();
    }
    world.advance(3590);
    tokens = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap();
    assert_eq!(tokens["expires_in"], 10, "the session ends of age in ten seconds");
    world.advance(10);
    assert_eq!(
        error(world.refresh("app", text(&tokens, "refresh_token")).await),
        "invalid_grant"
    );
    assert!(world.refresh("app", text(&offline, "refresh_token")).await.is_ok());
}

#[tokio::test]
async fn signing_out_kills_what_is_not_offline_and_a_security_end_kills_all() {
    for (reason, survives) in [
        (EndReason::SignedOut, true),
        (EndReason::Replaced, true),
        (EndReason::EndedByOwner, false),
        (EndReason::Disowned, false),
        (EndReason::Anomaly, false),
        (EndReason::StepUpFailed, false),
    ] {
        let world = World::new().await;
        let bound = world.tokens("app", &[]).await;
        let offline = world.tokens("app", &[OFFLINE]).await;
        world.end(Which::One(world.sid.clone()), reason).await;
        assert!(!world.is_active(text(&bound, "access_token")).await, "{reason:?}");
        assert_eq!(
            error(world.refresh("app", text(&bound, "refresh_token")).await),
            "invalid_grant"
        );
        assert_eq!(world.is_active(text(&offline, "access_token")).await, survives, "{reason:?}");
        assert_eq!(
            world.refresh("app", text(&offline, "refresh_token")).await.is_ok(),
            survives,
            "{reason:?}"
        );
    }
}

#[tokio::test]
async fn signing_out_is_no_way_around_a_step_up() {
    let world = World::new().await;
    let offline = world.tokens("app", &[OFFLINE]).await;
    world.demand_step_up().await;
    world.end(Which::One(world.sid.clone()), EndReason::SignedOut).await;
    assert!(!world.is_active(text(&offline, "access_token")).await);
    assert_eq!(
        error(world.refresh("app", text(&offline, "refresh_token")).await),
        "invalid_grant"
    );
}

#[tokio::test]
async fn after_all_sessions_were_ended_no_older_token_counts() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[OFFLINE]).await;
    let code = world.code("app", &[]).await;
    world.advance(1);
    world.end(Which::AllOf(world.alice), EndReason::AccountChanged).await;
    assert!(!world.is_active(text(&tokens, "access_token")).await);
    assert_eq!(
        error(world.refresh("app", text(&tokens, "refresh_token")).await),
        "invalid_grant"
    );
    assert_eq!(error(world.redeem("app", &code).await), "invalid_grant", "a code in flight");
}

#[tokio::test]
async fn a_disabled_account_gets_and_keeps_nothing() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[OFFLINE]).await;
    let code = world.code("app", &[]).await;
    let now = world.ports.clock.now();
    world.store.set_disabled(world.alice, Some(now), &[]).await.unwrap();
    assert_eq!(error(world.redeem("app", &code).await), "invalid_grant");
    assert_eq!(
        error(world.refresh("app", text(&tokens, "refresh_token")).await),
        "invalid_grant"
    );
    assert!(!world.is_active(text(&tokens, "access_token")).await);
    let answer = world.idp.userinfo(text(&tokens, "access_token")).await;
    assert!(matches!(answer, Err(BearerError::InvalidToken)), "{answer:?}");
}

#[tokio::test]
async fn while_a_step_up_is_pending_the_family_waits_and_then_goes_on_as_it_was() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[]).await;
    let code = world.code("app", &[]).await;
    let access = text(&tokens, "access_token");
    world.demand_step_up().await;
    world.advance(30);

    let refused = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap_err();
    let OAuthError::Refused {
        error: code_word,
        description,
        ..
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (code_word, description.as_str()),
        ("invalid_grant", "re-authentication required")
    );
    assert_eq!(
        error(world.redeem("app", &code).await),
        "invalid_grant",
        "no new tokens either"
    );
    assert_eq!(world.introspect("plain-api", access).await, json!({ "active": false }));
    assert_eq!(world.introspect("app", access).await, json!({ "active": false }));
    let aware = world.introspect("api", access).await;
    assert_eq!((&aware["active"], &aware["step_up_required"]), (&json!(true), &json!(true)));
    assert_eq!(aware["reauth_after"], world.ports.clock.now().0 - 30);
    assert_eq!(
        aware["auth_time"],
        payload(text(&tokens, "id_token"))["auth_time"],
        "history stays what it was"
    );
    let challenge = world.idp.userinfo(access).await.unwrap_err();
    assert!(matches!(challenge, BearerError::StepUp { max_age: 60, .. }), "{challenge:?}");
    assert!(challenge.challenge().unwrap().contains("insufficient_user_authentication"));

    world.clear_step_up().await;
    assert!(world.is_active(access).await);
    let next = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap();
    let (old, new) = (payload(text(&tokens, "id_token")), payload(text(&next, "id_token")));
    assert_eq!((&old["auth_time"], &old["acr"]), (&new["auth_time"], &new["acr"]));
    assert!(!world.saw_replay("refresh_token").await);
}

#[tokio::test]
async fn each_kind_of_token_is_good_for_one_thing() {
    let world = World::new().await;
    world
        .change_client("other", |client| client.access_token = AccessTokenFormat::Jwt)
        .await;
    let code = world.code("app", &[]).await;
    let opaque = world.tokens("app", &[]).await;
    let jwt = world.tokens("other", &[]).await;
    let jti = payload(text(&jwt, "access_token"))["jti"].as_str().unwrap().to_owned();
    let kinds = [
        code.as_str(),
        text(&opaque, "refresh_token"),
        text(&opaque, "id_token"),
        text(&jwt, "id_token"),
        world.cookie.expose(),
        world.sid.as_str(),
        &jti,
        "st",
        "",
        "x",
        "gait_at_",
        "a.b.c",
        "..",
        "eyJhbGciOiJub25lIn0.e30.",
    ];
    for not_access in kinds {
        assert!(world.idp.userinfo(not_access).await.is_err(), "{not_access}");
        if !not_access.is_empty() {
            assert!(!world.is_active(not_access).await, "{not_access}");
        }
    }
    for not_refresh in [
        &code,
        text(&opaque, "access_token"),
        text(&jwt, "access_token"),
        text(&opaque, "id_token"),
        world.cookie.expose(),
    ] {
        assert_eq!(
            error(world.refresh("app", not_refresh).await),
            "invalid_grant",
            "{not_refresh}"
        );
    }
    for not_code in [
        text(&opaque, "access_token"),
        text(&opaque, "refresh_token"),
        text(&opaque, "id_token"),
        world.cookie.expose(),
        "x",
    ] {
        assert_eq!(error(world.redeem("app", not_code).await), "invalid_grant", "{not_code}");
    }
    assert!(world.redeem("app", &code).await.is_ok(), "the code is unspent");
    assert!(world.is_active(text(&opaque, "access_token")).await);
}

#[tokio::test]
async fn public_identifiers_are_worth_nothing_as_a_cookie() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[]).await;
    for identifier in [
        world.sid.as_str(),
        "st",
        text(&tokens, "access_token"),
        text(&tokens, "id_token"),
    ] {
        let caller = Caller {
            session: Some(Secret::wrap(identifier.to_owned())),
            ..stranger()
        };
        let answer = world
            .idp
            .authorize(&request("app", &[("prompt", "none")]), &caller)
            .await
            .unwrap();
        assert_eq!(
            param(&responded(answer), "error").as_deref(),
            Some("login_required"),
            "{identifier}"
        );
    }
}

#[tokio::test]
async fn a_jwt_access_token_is_short_typed_and_dead_when_revoked() {
    let world = World::new().await;
    world
        .change_client("app", |client| client.access_token = AccessTokenFormat::Jwt)
        .await;
    let tokens = world.tokens("app", &[("scope", "openid notes")]).await;
    let access = text(&tokens, "access_token");
    let (header, claims) = world.verified(access, Algorithm::ES256);
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(claims["aud"], json!(["api", "plain-api"]));
    assert_eq!(
        (&claims["client_id"], &claims["scope"]),
        (&json!("app"), &json!("notes openid"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(world.idp.userinfo(access).await.unwrap()["sub"], claims["sub"]);
    assert!(world.is_active(access).await);

    world.idp.revoke(&basic("app", SECRET, &[("token", access)])).await.unwrap();
    assert!(!world.is_active(access).await);
    assert!(matches!(world.idp.userinfo(access).await, Err(BearerError::InvalidToken)));
    let next = world.refresh("app", text(&tokens, "refresh_token")).await.unwrap();
    assert!(
        world.is_active(text(&next, "access_token")).await,
        "only that one was revoked"
    );
    world.advance(300);
    assert!(!world.is_active(text(&next, "access_token")).await);
}

#[tokio::test]
async fn a_forged_jwt_is_no_access_token() {
    let world = World::new().await;
    world
        .change_client("app", |client| client.access_token = AccessTokenFormat::Jwt)
        .await;
    let tokens = world.tokens("app", &[]).await;
    let good = text(&tokens, "access_token");
    let [header, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("{good}")
    };
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let kid = jsonwebtoken::decode_header(good).unwrap().kid.unwrap();
    let mut claims = payload(good);
    claims["sub"] = json!("somebody-else");
    let es256 = |extra: Value| {
        let mut header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        encode(header)
    };
    for forged in [
        format!("{header}.{}.{signature}", encode(claims)),
        format!("{}.{body}.", encode(json!({ "alg": "none", "typ": "at+jwt", "kid": kid }))),
        format!(
            "{}.{body}.{signature}",
            encode(json!({ "alg": "None", "typ": "at+jwt", "kid": kid }))
        ),
        format!(
            "{}.{body}.{signature}",
            encode(json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }))
        ),
        format!(
            "{}.{body}.{signature}",
            encode(json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid }))
        ),
        format!("{}.{body}.{signature}", es256(json!({ "kid": "../../etc/passwd" }))),
        format!("{}.{body}.{signature}", es256(json!({ "kid": "' OR '1'='1" }))),
        format!("{}.{body}.{signature}", es256(json!({ "crit": ["exp"] }))),
        format!("{}.{body}.{signature}", es256(json!({ "jku": "https://evil.example/jwks" }))),
        format!("{}.{body}.{signature}", es256(json!({ "typ": "JWT" }))),
        format!("{header}.{body}"),
        format!("{header}.{body}.{signature}.{signature}"),
        format!("{header}.{body}.{}", "A".repeat(86)),
        format!("{header}.{body}.{signature}A"),
    ] {
        assert!(!world.is_active(&forged).await, "{forged}");
        assert!(world.idp.userinfo(&forged).await.is_err(), "{forged}");
    }
    assert!(world.is_active(good).await);
}

#[tokio::test]
async fn userinfo_gives_the_claims_of_the_scopes_and_those_asked_for_by_name() {
    let world = World::new().await;
    let sub = world.alice.to_string();
    let userinfo = |extra: Vec<(&'static str, &'static str)>| {
        let world = &world;
        async move {
            let tokens = world.tokens("app", &extra).await;
            (
                world.idp.userinfo(text(&tokens, "access_token")).await.unwrap(),
                payload(text(&tokens, "id_token")),
            )
        }
    };
    let (bare, _) = userinfo(vec![]).await;
    assert_eq!(bare, json!({ "sub": sub }));
    let (all, _) = userinfo(vec![("scope", "openid profile email phone address")]).await;
    assert_eq!(
        all,
        json!({
            "sub": sub, "name": "Alice Example", "preferred_username": "alice", "updated_at": 1_893_456_000,
            "email": "alice@example.com", "email_verified": true, "phone_number": "+49 30 1234", "address": { "country": "DE" },
        }),
        "and nothing of what no standard scope covers"
    );
    let by_name = r#"{"userinfo":{"name":{"essential":true},"shoe_size":null},"id_token":{"email":null}}"#;
    let (named, id_token) = userinfo(vec![("claims", by_name)]).await;
    assert_eq!(named, json!({ "sub": sub, "name": "Alice Example" }));
    assert_eq!(id_token["email"], "alice@example.com");

    world
        .change_client("app", |client| client.scopes = ["openid".to_owned()].into())
        .await;
    let (refused, id_token) = userinfo(vec![("claims", by_name)]).await;
    assert_eq!(
        (refused, id_token.get("email")),
        (json!({ "sub": sub }), None),
        "no way around the registered scopes"
    );
}

#[tokio::test]
async fn userinfo_needs_a_person_and_the_scope_openid() {
    let world = World::new().await;
    let without = world.tokens("app", &[("scope", "notes")]).await;
    assert_eq!(without.get("id_token"), None);
    let machine = world.token("app", &[("grant_type", "client_credentials")]).await.unwrap();
    for tokens in [without, machine] {
        let answer = world.idp.userinfo(text(&tokens, "access_token")).await;
        assert!(matches!(answer, Err(BearerError::InsufficientScope("openid"))), "{answer:?}");
    }
    assert!(matches!(world.idp.userinfo("").await, Err(BearerError::Missing)));
}

#[tokio::test]
async fn a_pairwise_client_knows_people_by_a_name_of_its_sector() {
    let world = World::new().await;
    let pairwise = |client: &mut Client| client.subject_type = SubjectType::Pairwise;
    for id in ["app", "other", "stranger"] {
        world.change_client(id, pairwise).await;
    }
    for id in ["other", "stranger"] {
        world
            .change_client(id, |client| client.sector_identifier = Some("shared.example".to_owned()))
            .await;
    }
    let mut subjects = Vec::new();
    for id in ["app", "other", "stranger", "app"] {
        let tokens = world.tokens(id, &[]).await;
        let sub = text(&payload(text(&tokens, "id_token")), "sub").to_owned();
        assert_eq!(world.idp.userinfo(text(&tokens, "access_token")).await.unwrap()["sub"], sub);
        assert_eq!(world.introspect("api", text(&tokens, "access_token")).await["sub"], sub);
        subjects.push(sub);
    }
    assert_eq!(subjects[0], subjects[3], "stable");
    assert_eq!(subjects[1], subjects[2], "one sector");
    assert_ne!(subjects[0], subjects[1]);
    assert!(!subjects.contains(&world.alice.to_string()));
}

#[tokio::test]
async fn a_client_alone_gets_its_own_scopes_and_no_refresh_token() {
    let world = World::new().await;
    let ask = |scope: &'static str| {
        let world = &world;
        async move {
            world
                .token("app", &[("grant_type", "client_credentials"), ("scope", scope)])
                .await
        }
    };
    let tokens = ask("").await.unwrap();
    assert_eq!(
        (text(&tokens, "scope"), tokens.get("refresh_token"), tokens.get("id_token")),
        ("notes", None, None)
    );
    let seen = world.introspect("api", text(&tokens, "access_token")).await;
    assert_eq!(
        (&seen["active"], &seen["sub"], &seen["client_id"]),
        (&json!(true), &json!("app"), &json!("app"))
    );
    for wide in ["admin", "notes admin", "openid", "offline_access", "continuous_auth"] {
        assert_eq!(error(ask(wide).await), "invalid_scope", "{wide}");
    }
    let public = form(&[("grant_type", "client_credentials"), ("client_id", "spa")]);
    assert_eq!(error(world.idp.token(&public).await), "unauthorized_client");
}

#[tokio::test]
async fn introspection_tells_only_those_that_a_token_is_meant_for() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[("scope", "openid notes")]).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let seen = world.introspect("api", access).await;
    assert_eq!(seen["active"], true);
    assert_eq!(seen["sub"], world.alice.to_string());
    assert_eq!(
        (&seen["scope"], &seen["token_type"]),
        (&json!("notes openid"), &json!("Bearer"))
    );
    assert_eq!((&seen["client_id"], &seen["iss"]), (&json!("app"), &json!(ISSUER)));
    assert_eq!(seen["aud"], json!(["api", "plain-api"]));
    assert_eq!(seen["exp"].as_i64().unwrap() - seen["iat"].as_i64().unwrap(), 600);
    assert!(seen["auth_time"].is_i64() && seen["acr"].is_string() && seen["amr"].is_array());
    assert_eq!(world.introspect("app", refresh).await["active"], true, "its own");
    for (caller, token) in [("other", access), ("stranger", access), ("api", refresh), ("other", refresh)] {
        assert_eq!(world.introspect(caller, token).await, json!({ "active": false }), "{caller}");
    }
    let public = form(&[("client_id", "spa"), ("token", access)]);
    assert_eq!(error(world.idp.introspect(&public).await), "invalid_client");
    let hinted = basic("api", SECRET, &[("token", access), ("token_type_hint", "refresh_token")]);
    assert_eq!(
        world.idp.introspect(&hinted).await.unwrap()["active"],
        true,
        "a wrong hint doesn't matter"
    );
    world.advance(600);
    assert_eq!(world.introspect("api", access).await, json!({ "active": false }), "expired");
}

#[tokio::test]
async fn revocation_is_for_ones_own_tokens_and_never_tells() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[]).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    for unknown in ["garbage", "gait_rt_x", "a.b.c", &"x".repeat(8000)] {
        world.idp.revoke(&basic("app", SECRET, &[("token", unknown)])).await.unwrap();
    }
    for foreign in [access, refresh] {
        world
            .idp
            .revoke(&basic("other", SECRET, &[("token", foreign)]))
            .await
            .unwrap();
    }
    assert!(world.is_active(access).await, "another client revokes nothing");
    world
        .idp
        .revoke(&basic(
            "app",
            SECRET,
            &[("token", refresh), ("token_type_hint", "access_token")],
        ))
        .await
        .unwrap();
    assert!(!world.is_active(access).await, "a refresh token takes its family with it");
    assert_eq!(error(world.refresh("app", refresh).await), "invalid_grant");
    world.idp.revoke(&basic("app", SECRET, &[("token", refresh)])).await.unwrap();
    assert_eq!(
        world
            .events()
            .await
            .iter()
            .filter(|what| **what == What::GrantRevoked)
            .count(),
        1
    );
    assert!(world.idp.revoke(&basic("app", SECRET, &[])).await.is_err(), "no token");
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
