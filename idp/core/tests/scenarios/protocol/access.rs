//! Access tokens: what they are good for, and where.

use super::*;
use gait_core::token::BearerError;
use jsonwebtoken::Algorithm;

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
    for (caller, token) in [
        ("other", access),
        ("stranger", access),
        ("strange-api", access),
        ("api", refresh),
        ("other", refresh),
    ] {
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
