//! Access tokens: for whom, how long, and what they open.

use crate::harness::app::read;
use crate::harness::{ALICE, App, Provider, claims, verified};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

#[tokio::test]
async fn a_service_gets_a_token_for_itself_and_for_nobody_else() {
    let provider = Provider::start().await;
    let service = App::basic(&provider, "service", "service-secret-that-is-long-enough-for-it", "");
    let grant = ("grant_type", "client_credentials");
    let answer = service.post("/token", &[grant, ("scope", "notes:read")]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.tokens();
    assert_eq!((tokens.refresh.as_str(), tokens.id.as_str()), ("", ""));
    assert_eq!(tokens.body["scope"], "notes:read");
    let seen = App::api(&provider).introspect(&tokens.access).await;
    assert_eq!(
        (&seen["active"], &seen["client_id"], &seen["sub"]),
        (&json!(true), &json!("service"), &json!("service"))
    );
    assert_eq!(service.userinfo(&tokens.access).await.status, 403);

    assert_eq!(
        service.post("/token", &[grant, ("scope", "notes:delete")]).await.error(),
        "invalid_scope"
    );
    assert_eq!(
        service.post("/token", &[grant, ("scope", "openid")]).await.error(),
        "invalid_scope"
    );
    assert_eq!(
        App::web(&provider).post("/token", &[grant]).await.error(),
        "unauthorized_client"
    );
    assert_eq!(
        App::native(&provider).post("/token", &[grant]).await.error(),
        "unauthorized_client"
    );
    let other = [
        ("grant_type", "password"),
        ("username", "alice"),
        ("password", ALICE.password),
    ];
    assert_eq!(
        App::web(&provider).post("/token", &other).await.error(),
        "unsupported_grant_type"
    );
}

#[tokio::test]
async fn a_jwt_access_token_is_short_lived_and_typed() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::pkjwt(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let header = jsonwebtoken::decode_header(&tokens.access).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let access = verified(&provider.keys().await, &tokens.access, "api", Algorithm::ES256);
    let id = tokens.claims();
    for claim in ["iss", "sub", "auth_time", "acr", "amr"] {
        assert_eq!(access[claim], id[claim], "{claim}");
    }
    assert_eq!(access["client_id"], "pkjwt");
    assert!(access["jti"].is_string());
    assert!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap() <= 300);
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    assert_eq!(app.userinfo(&tokens.id).await.status, 401, "an ID token is no access token");
    assert!(App::api(&provider).is_active(&tokens.access).await);

    assert_eq!(app.post("/revoke", &[("token", &tokens.access)]).await.status, 200);
    assert!(
        !App::api(&provider).is_active(&tokens.access).await,
        "taken back before its time"
    );
    assert_eq!(app.userinfo(&tokens.access).await.status, 401);
}

#[tokio::test]
async fn userinfo_tells_what_the_scopes_allow_by_every_way_of_asking() {
    let provider = Provider::start().await;
    let (mut app, mut visitor) = (App::web(&provider), provider.visitor());
    app.scope = "openid profile email address phone".to_owned();
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let url = provider.url("/userinfo");
    let got = read(provider.http.get(&url).bearer_auth(&tokens.access).send().await.unwrap()).await;
    let posted = read(provider.http.post(&url).bearer_auth(&tokens.access).send().await.unwrap()).await;
    let in_body = read(
        provider
            .http
            .post(&url)
            .form(&[("access_token", &tokens.access)])
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((got.status, posted.status, in_body.status), (200, 200, 200));
    assert!(got.body == posted.body && got.body == in_body.body);
    assert_eq!(got.body["sub"], tokens.claims()["sub"]);
    assert_eq!(
        (&got.body["name"], &got.body["email"], &got.body["email_verified"]),
        (&json!("Alice Adler"), &json!(ALICE.email), &json!(true))
    );
    assert_eq!(got.body["address"]["locality"], "Berlin");
    assert_eq!(got.body["phone_number"], "+49 30 1234567");

    app.scope = "openid".to_owned();
    let bare = app.sign_in(&mut visitor, ALICE).await;
    let told = app.userinfo(&bare.access).await.body;
    assert_eq!(told.as_object().unwrap().keys().collect::<Vec<_>>(), ["sub"]);
}

#[tokio::test]
async fn userinfo_refuses_as_rfc_6750_says() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let url = provider.url("/userinfo");
    let none = read(provider.http.get(&url).send().await.unwrap()).await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer"));
    let bad = app.userinfo("nonsense").await;
    assert_eq!(bad.status, 401);
    assert!(bad.header("www-authenticate").contains("error=\"invalid_token\""));
    let both = provider
        .http
        .post(&url)
        .bearer_auth(&tokens.access)
        .form(&[("access_token", &tokens.access)]);
    assert_eq!(read(both.send().await.unwrap()).await.status, 400);
    let in_query = format!("{url}?access_token={}", tokens.access);
    assert_eq!(
        provider.http.get(in_query).send().await.unwrap().status(),
        401,
        "never in an address"
    );
    provider.clock.advance(601);
    assert_eq!(app.userinfo(&tokens.access).await.status, 401, "old");
}

#[tokio::test]
async fn introspection_answers_those_whom_a_token_concerns() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    for reader in [App::api(&provider), App::strict_api(&provider), app.clone()] {
        let seen = reader.introspect(&tokens.access).await;
        assert_eq!(seen["active"], true, "{}", reader.id);
        assert_eq!(seen["client_id"], "web");
        assert_eq!(seen["sub"], tokens.claims()["sub"]);
        assert_eq!(
            (&seen["acr"], &seen["auth_time"]),
            (&tokens.claims()["acr"], &tokens.claims()["auth_time"])
        );
    }
    let inactive = json!({"active": false});
    assert_eq!(
        App::posting(&provider).introspect(&tokens.access).await,
        inactive,
        "not theirs"
    );
    assert_eq!(
        App::api(&provider).introspect(&tokens.refresh).await,
        inactive,
        "no access token"
    );
    assert_eq!(app.introspect("nonsense").await, inactive);
    assert!(app.is_active(&tokens.refresh).await);
    assert_eq!(
        App::native(&provider)
            .post("/introspect", &[("token", &tokens.access)])
            .await
            .error(),
        "invalid_client"
    );
    assert_eq!(app.post("/introspect", &[]).await.error(), "invalid_request");
    let nobody = provider
        .http
        .post(provider.url("/introspect"))
        .form(&[("token", &tokens.access)])
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.status(), 401);
}

#[tokio::test]
async fn revocation_takes_an_access_token_alone_and_a_refresh_token_with_its_family() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let stranger = App::posting(&provider).post("/revoke", &[("token", &tokens.refresh)]).await;
    assert_eq!(stranger.status, 200, "nothing is told");
    assert!(app.is_active(&tokens.access).await, "and nothing happens");

    assert_eq!(
        app.post("/revoke", &[("token", &tokens.access), ("token_type_hint", "refresh_token")])
            .await
            .status,
        200
    );
    assert!(!app.is_active(&tokens.access).await);
    let renewed = app.refresh(&tokens.refresh).await.tokens();
    assert_eq!(app.post("/revoke", &[("token", &renewed.refresh)]).await.status, 200);
    assert!(!app.is_active(&renewed.access).await);
    assert_eq!(app.refresh(&renewed.refresh).await.error(), "invalid_grant");
    assert_eq!(app.post("/revoke", &[("token", "nonsense")]).await.status, 200);
    assert_eq!(
        App::native(&provider).post("/revoke", &[("token", "nonsense")]).await.status,
        200,
        "public clients too"
    );
}

#[tokio::test]
async fn a_pairwise_subject_differs_between_clients_and_stays_the_same_for_one() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let one = App::basic(
        &provider,
        "pair-one",
        "pair-one-secret-that-is-long-enough-for",
        "https://one.pair.example/cb",
    );
    let two = App::basic(
        &provider,
        "pair-two",
        "pair-two-secret-that-is-long-enough-for",
        "https://two.pair.example/cb",
    );
    let first = one.sign_in(&mut visitor, ALICE).await;
    let subject = first.claims()["sub"].clone();
    assert_ne!(subject, two.sign_in(&mut visitor, ALICE).await.claims()["sub"]);
    assert_ne!(
        subject,
        App::web(&provider).sign_in(&mut visitor, ALICE).await.claims()["sub"]
    );
    assert_eq!(subject, one.userinfo(&first.access).await.body["sub"]);
    assert_eq!(subject, one.introspect(&first.access).await["sub"]);
    assert_eq!(subject, one.sign_in(&mut visitor, ALICE).await.claims()["sub"]);
    assert!(
        !subject
            .as_str()
            .unwrap()
            .contains(&provider.account(ALICE).await.id.to_string())
    );
}

#[tokio::test]
async fn the_claims_parameter_asks_for_claims_by_name() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let wanted = json!({"id_token": {"email": null, "address": {"essential": true}}, "userinfo": {"phone_number": null}});
    let request = app.request().with("claims", &wanted.to_string());
    let tokens = app.sign_in_with(&mut visitor, ALICE, &request).await;
    let id = claims(&tokens.id);
    assert_eq!((&id["email"], &id["address"]["country"]), (&json!(ALICE.email), &json!("DE")));
    assert_eq!(id["name"], Value::Null, "what wasn't asked for stays out of the ID token");
    assert_eq!(app.userinfo(&tokens.access).await.body["phone_number"], "+49 30 1234567");
}
