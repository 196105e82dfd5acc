//! How clients prove themselves, and what garbage gets.

use super::*;
use gait_core::error::Error;

fn machine() -> Vec<(&'static str, &'static str)> {
    vec![("grant_type", "client_credentials")]
}

fn with_header(header: &str, params: &[(&str, &str)]) -> ClientRequest {
    ClientRequest {
        authorization: Some(header.to_owned()),
        ..form(params)
    }
}

#[tokio::test]
async fn basic_credentials_are_percent_encoded_first() {
    let world = World::new().await;
    let (id, secret) = ("https://odd.example/a:b c", "säcret & more = 100 % + a colon: fine, 32+");
    let mut odd = client(id, ClientAuth::ClientSecretBasic);
    odd.secret = Some(Hash::of(secret.as_bytes()));
    world.store.put_client(&odd).await.unwrap();
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    assert!(
        world
            .idp
            .token(&basic(&encode(id), &encode(secret), &machine()))
            .await
            .is_ok()
    );
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    assert!(
        world
            .idp
            .token(&basic(&percent(id), &percent(secret), &machine()))
            .await
            .is_ok()
    );
    assert_eq!(
        error(world.idp.token(&basic(&percent(id), "wrong", &machine())).await),
        "invalid_client"
    );
}

#[tokio::test]
async fn a_client_proves_itself_in_its_registered_way_and_no_other() {
    let world = World::new().await;
    world
        .store
        .put_client(&client("poster", ClientAuth::ClientSecretPost))
        .await
        .unwrap();
    let posted = |id: &'static str| {
        let mut params = machine();
        params.extend([("client_id", id), ("client_secret", SECRET)]);
        form(&params)
    };
    assert!(world.idp.token(&posted("poster")).await.is_ok());
    assert!(world.idp.token(&basic("app", SECRET, &machine())).await.is_ok());
    let mut named = machine();
    named.push(("client_id", "app"));
    assert!(
        world.idp.token(&basic("app", SECRET, &named)).await.is_ok(),
        "client_id besides Basic"
    );
    for (request, why) in [
        (posted("app"), "post instead of basic"),
        (basic("poster", SECRET, &machine()), "basic instead of post"),
        (form(&named), "nothing instead of basic"),
        (posted("spa"), "a secret of a public client"),
        (basic("spa", "", &machine()), "an empty secret of a public client"),
        (basic("nobody", SECRET, &machine()), "an unknown client"),
        (basic("app", "wrong", &machine()), "a wrong secret"),
        (basic("app", "", &machine()), "no secret"),
        (form(&machine()), "no client at all"),
    ] {
        assert_eq!(error(world.idp.token(&request).await), "invalid_client", "{why}");
    }
}

#[tokio::test]
async fn two_ways_at_once_are_an_invalid_request() {
    let world = World::new().await;
    let mut posted = machine();
    posted.push(("client_secret", SECRET));
    assert_eq!(
        error(world.idp.token(&basic("app", SECRET, &posted)).await),
        "invalid_request"
    );
    let mut asserted = machine();
    asserted.push(("client_assertion", "a.b.c"));
    assert_eq!(
        error(world.idp.token(&basic("app", SECRET, &asserted)).await),
        "invalid_request"
    );
    let mut other = machine();
    other.push(("client_id", "other"));
    assert_eq!(error(world.idp.token(&basic("app", SECRET, &other)).await), "invalid_request");
}

#[tokio::test]
async fn only_a_failed_basic_authentication_is_answered_with_a_basic_challenge() {
    let world = World::new().await;
    let flag = |result: Result<Value, OAuthError>| match result {
        Err(OAuthError::Refused {
            error: "invalid_client",
            basic,
            ..
        }) => basic,
        other => panic!("{other:?}"),
    };
    assert!(flag(world.idp.token(&basic("app", "wrong", &machine())).await));
    assert!(flag(world.idp.token(&with_header("Bearer x", &machine())).await));
    let mut posted = machine();
    posted.extend([("client_id", "app"), ("client_secret", "wrong")]);
    assert!(!flag(world.idp.token(&form(&posted)).await));
}

#[tokio::test]
async fn garbage_is_refused_with_an_error_of_the_protocol() {
    let world = World::new().await;
    let long = "x".repeat(100_000);
    for header in [
        "",
        " ",
        "Basic",
        "Basic ",
        "Basic *",
        "Basic YXBw",
        "Basic YXBwOg",
        "Basic //8=",
        "basic",
        "Digest x",
        "\u{0}",
        &long,
    ] {
        let refused = error(world.idp.token(&with_header(header, &machine())).await);
        assert_eq!(refused, "invalid_client", "{header:.40?}");
    }
    for params in [
        vec![],
        vec![("grant_type", "")],
        vec![("grant_type", "password"), ("username", "alice"), ("password", "x")],
        vec![("grant_type", "implicit")],
        vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code")],
        vec![("grant_type", "authorization_code")],
        vec![("grant_type", "authorization_code"), ("code", "\u{1f600}")],
        vec![("grant_type", "refresh_token")],
        vec![("grant_type", "refresh_token"), ("refresh_token", "gait_rt_äöü")],
        vec![("grant_type", "client_credentials"), ("grant_type", "client_credentials")],
        vec![("grant_type", "client_credentials"), ("scope", "notes"), ("scope", "notes")],
        vec![("grant_type", &long)],
        vec![("grant_type", "client_credentials"), (&long, "x")],
        vec![("x", "y"); 100],
    ] {
        let refused = error(world.token("app", &params).await);
        let known = ["invalid_request", "invalid_grant", "unsupported_grant_type"];
        assert!(known.contains(&refused), "{refused}: {:.80}", format!("{params:?}"));
    }
}

#[tokio::test]
async fn a_client_may_use_its_own_grants_only() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[]).await;
    let code = world.code("app", &[]).await;
    world.change_client("app", |client| client.grant_types.clear()).await;
    assert_eq!(error(world.token("app", &machine()).await), "unauthorized_client");
    assert_eq!(error(world.redeem("app", &code).await), "unauthorized_client");
    assert_eq!(
        error(world.refresh("app", text(&tokens, "refresh_token")).await),
        "unauthorized_client"
    );
    let no_refresh = [GrantType::AuthorizationCode].into();
    world.change_client("app", |client| client.grant_types = no_refresh).await;
    assert_eq!(world.redeem("app", &code).await.unwrap().get("refresh_token"), None);
}

#[tokio::test]
async fn guessing_a_secret_is_slowed_down_for_the_guesser_alone() {
    let world = World::new().await;
    for _ in 0..20 {
        assert_eq!(
            error(world.idp.token(&basic("app", "guess", &machine())).await),
            "invalid_client"
        );
    }
    let stopped = world.idp.token(&basic("app", SECRET, &machine())).await;
    assert!(matches!(stopped, Err(OAuthError::Core(Error::TooMany(60)))), "{stopped:?}");
    let elsewhere = ClientRequest {
        address: "198.51.100.1".parse().ok(),
        ..basic("app", SECRET, &machine())
    };
    assert!(
        world.idp.token(&elsewhere).await.is_ok(),
        "the client itself, from its own address"
    );
    assert!(
        world.idp.token(&basic("other", SECRET, &machine())).await.is_ok(),
        "another client there"
    );
    world.advance(61);
    assert!(world.idp.token(&basic("app", SECRET, &machine())).await.is_ok());
}

#[tokio::test]
async fn only_registered_origins_may_call() {
    let world = World::new().await;
    for (origin, allowed) in [
        ("https://spa.example", true),
        ("https://spa.example/", false),
        ("https://SPA.example", false),
        ("http://spa.example", false),
        ("https://spa.example.evil.example", false),
        ("https://evil.example", false),
        ("null", false),
        ("*", false),
        ("", false),
    ] {
        assert_eq!(world.idp.allows_origin(origin).await.unwrap(), allowed, "{origin}");
    }
}
