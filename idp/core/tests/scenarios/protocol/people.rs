//! What is told about people: UserInfo and subjects.

use super::*;
use gait_core::token::BearerError;

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
