//! The key ring and the discovery document.

use super::*;
use gait_core::ports::Changed;
use gait_core::token::keys::Rotation;
use jsonwebtoken::Algorithm;
use std::collections::BTreeSet;

fn published(world: &World) -> Vec<Value> {
    let jwks: Value = serde_json::from_str(&world.idp.jwks()).unwrap();
    jwks["keys"].as_array().unwrap().clone()
}

fn kids(world: &World) -> BTreeSet<String> {
    let keys = published(world);
    keys.iter().map(|key| text(key, "kid").to_owned()).collect()
}

#[tokio::test]
async fn the_published_keys_are_public_and_complete() {
    let world = World::new().await;
    let keys = &published(&world);
    let algs: BTreeSet<_> = keys.iter().map(|key| text(key, "alg")).collect();
    assert_eq!(algs, BTreeSet::from(["ES256", "EdDSA", "RS256"]));
    for key in keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key.get(private), None, "{private}");
        }
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).unwrap();
        let thumbprint = jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
        assert_eq!(text(key, "kid"), thumbprint, "RFC 7638");
    }
    let rsa = keys.iter().find(|key| key["kty"] == "RSA").unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(text(rsa, "n")).unwrap().len(), 256, "2048 bits");
}

#[tokio::test]
async fn private_keys_are_stored_sealed() {
    let world = World::new().await;
    for key in world.store.keys().await.unwrap() {
        let open = MasterKey::new([8; 32]).open("signing-key", key.kid.as_str(), &key.private);
        assert!(open.is_err(), "another master key");
        assert!(
            master().open("signing-key", "another-kid", &key.private).is_err(),
            "another owner"
        );
        assert!(master().open("signing-key", key.kid.as_str(), &key.private).is_ok());
    }
}

#[tokio::test]
async fn another_master_key_is_refused_at_start_in_plain_words() {
    let world = World::new().await;
    let refused = Idp::start(setup(&world.ports, &world.store, MasterKey::new([8; 32]))).await;
    let why = refused.err().expect("refused").to_string();
    assert!(why.contains("master key"), "{why}");
}

#[tokio::test]
async fn a_restart_keeps_the_keys() {
    let mut world = World::new().await;
    let before = kids(&world);
    world.restart().await;
    assert_eq!(kids(&world), before);
}

#[tokio::test]
async fn rotated_keys_stay_published_until_their_tokens_are_dead() {
    let world = World::new().await;
    world
        .change_client("app", |client| client.access_token = AccessTokenFormat::Jwt)
        .await;
    let old = world.tokens("app", &[]).await;
    let before = kids(&world);
    world.idp.rotate_keys(Rotation::AtOnce).await.unwrap();
    let after = kids(&world);
    assert_eq!((after.len(), after.is_superset(&before)), (6, true));

    let new = world.tokens("app", &[]).await;
    for name in ["id_token", "access_token"] {
        let kid = |tokens: &Value| jsonwebtoken::decode_header(text(tokens, name)).unwrap().kid.unwrap();
        assert!(before.contains(&kid(&old)) && !before.contains(&kid(&new)), "{name}");
    }
    world.verified(text(&old, "id_token"), Algorithm::RS256);
    assert!(world.is_active(text(&old, "access_token")).await, "old tokens live on");

    world.advance(3600 + 59);
    world.idp.refresh_keys().await.unwrap();
    assert!(kids(&world).is_superset(&before), "an ID token may still be looked at");
    world.advance(1);
    world.idp.refresh_keys().await.unwrap();
    assert!(kids(&world).is_disjoint(&before));
    assert_eq!(world.store.keys().await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_was_signed_under_another_issuer_does_not_count() {
    let world = World::new().await;
    world
        .change_client("app", |client| client.access_token = AccessTokenFormat::Jwt)
        .await;
    let tokens = world.tokens("app", &[]).await;
    let moved = Setup {
        issuer: "https://moved.example".to_owned(),
        ..setup(&world.ports, &world.store, master())
    };
    let moved = Idp::start(moved).await.unwrap();
    let request = basic("api", SECRET, &[("token", text(&tokens, "access_token"))]);
    assert_eq!(moved.introspect(&request).await.unwrap(), json!({ "active": false }));
    assert!(world.is_active(text(&tokens, "access_token")).await);
}

#[tokio::test]
async fn another_node_learns_of_a_rotation_at_once_or_within_its_next_round() {
    let world = World::new().await;
    let other = Idp::start(setup(&world.ports, &world.store, master())).await.unwrap();
    for changed in [Changed::Keys, Changed::Anything] {
        world.idp.rotate_keys(Rotation::Announced).await.unwrap();
        assert_eq!(world.ports.told.all().last(), Some(&Changed::Keys));
        assert_ne!(other.jwks(), world.idp.jwks());
        other.heed(&changed).await.unwrap();
        assert_eq!(other.jwks(), world.idp.jwks());
    }
    world.idp.rotate_keys(Rotation::Announced).await.unwrap();
    other.refresh_keys().await.unwrap();
    assert_eq!(other.jwks(), world.idp.jwks());
}

/// The key that signed the app's ID token.
async fn signer(world: &World) -> String {
    let tokens = world.tokens("app", &[]).await;
    let header = jsonwebtoken::decode_header(text(&tokens, "id_token")).unwrap();
    header.kid.unwrap()
}

#[tokio::test]
async fn a_new_key_is_published_by_every_node_before_it_signs() {
    let world = World::new().await;
    let first = signer(&world).await;
    world.idp.rotate_keys(Rotation::Announced).await.unwrap();
    let published = kids(&world);
    assert_eq!((published.len(), signer(&world).await), (6, first.clone()));
    world.advance(119);
    assert_eq!(signer(&world).await, first);
    world.advance(1);
    let second = signer(&world).await;
    assert!(
        second != first && published.contains(&second),
        "nobody needs to read anything then"
    );
    world.advance(3600 + 59);
    world.idp.refresh_keys().await.unwrap();
    assert!(kids(&world).contains(&first), "until what it signed last is dead");
    world.advance(1);
    world.idp.refresh_keys().await.unwrap();
    assert!(!kids(&world).contains(&first));
}

#[tokio::test]
async fn of_two_rotations_in_a_row_each_key_signs_in_its_turn() {
    let world = World::new().await;
    world.idp.rotate_keys(Rotation::Announced).await.unwrap();
    world.advance(60);
    let first = signer(&world).await;
    world.idp.rotate_keys(Rotation::Announced).await.unwrap();
    assert_eq!(signer(&world).await, first);
    world.advance(60);
    let second = signer(&world).await;
    world.advance(60);
    let third = signer(&world).await;
    assert!(first != second && second != third && first != third);
    world.idp.rotate_keys(Rotation::AtOnce).await.unwrap();
    assert_ne!(signer(&world).await, third, "the emergency doesn't wait");
}

#[tokio::test]
async fn discovery_announces_what_works_under_the_configured_issuer() {
    let world = World::new().await;
    let metadata = world.idp.metadata();
    assert_eq!(metadata["issuer"], ISSUER);
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "introspection_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
    ] {
        assert!(text(&metadata, endpoint).starts_with("https://id.example/"), "{endpoint}");
    }
    assert_eq!(
        metadata["request_uri_parameter_supported"], false,
        "it would count as true if left out"
    );
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["acr_values_supported"], json!([ACR]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    let algs = metadata["id_token_signing_alg_values_supported"].as_array().unwrap();
    assert!(algs.contains(&json!("RS256")), "OIDC Discovery §3");
    for absent in [
        "registration_endpoint",
        "dpop_signing_alg_values_supported",
        "pushed_authorization_request_endpoint",
    ] {
        assert_eq!(metadata.get(absent), None, "{absent}");
    }
    assert!(!metadata.to_string().contains("\"none\",\"HS256\""));
}
