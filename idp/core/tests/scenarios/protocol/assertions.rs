//! `private_key_jwt`: one assertion, one use, for us alone.

use super::*;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use std::net::Ipv6Addr;

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwks(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "k1", "use": "sig", "alg": "ES256" }] })
    }

    #[allow(clippy::disallowed_methods, reason = "a client has its own randomness")]
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k1", "typ": "client-authentication+jwt" })
}

/// Good claims, with a fresh `jti`; `null` in `change` takes one away.
fn claims(world: &World, change: Value) -> Value {
    let now = world.ports.clock.now().0;
    let jti = world.ports.ports().uuid().to_string();
    let mut claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti });
    let members = claims.as_object_mut().unwrap();
    members.extend(change.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    claims
}

async fn world() -> (World, Signer) {
    let world = World::new().await;
    let signer = Signer::new();
    let mut client = client("signer", ClientAuth::PrivateKeyJwt);
    client.jwks = Some(signer.jwks());
    world.store.put_client(&client).await.unwrap();
    (world, signer)
}

async fn present(world: &World, assertion: &str) -> Result<Value, OAuthError> {
    let params = [
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
    ];
    // Each from its own address: the limit of failures isn't what is tested here.
    let address = Ipv6Addr::from(world.ports.ports().random::<16>());
    let request = ClientRequest {
        address: Some(address.into()),
        ..form(&params)
    };
    world.idp.token(&request).await
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let (world, signer) = world().await;
    let assertion = signer.sign(&header(), &claims(&world, json!({})));
    assert!(present(&world, &assertion).await.is_ok());
    for later in [0, 30, 29] {
        world.advance(later);
        assert_eq!(error(present(&world, &assertion).await), "invalid_client", "replayed");
    }
    assert!(
        present(&world, &signer.sign(&header(), &claims(&world, json!({}))))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_clock_that_steps_past_an_assertion_s_end_and_back_does_not_make_it_new() {
    let (world, signer) = world().await;
    let assertion = signer.sign(&header(), &claims(&world, json!({})));
    assert!(present(&world, &assertion).await.is_ok());
    for step in [61, 300] {
        world.advance(step);
        // Others call meanwhile, so what has died is gone.
        let other = signer.sign(&header(), &claims(&world, json!({})));
        assert!(present(&world, &other).await.is_ok());
        world.advance(-step);
        assert_eq!(error(present(&world, &assertion).await), "invalid_client", "{step}");
    }
}

#[tokio::test]
async fn a_restart_does_not_make_an_assertion_new() {
    let (mut world, signer) = world().await;
    let with_iat = signer.sign(&header(), &claims(&world, json!({})));
    let without = signer.sign(&header(), &claims(&world, json!({ "iat": null })));
    world.advance(5);
    world.restart().await;
    assert_eq!(error(present(&world, &with_iat).await), "invalid_client");
    assert_eq!(error(present(&world, &without).await), "invalid_client");
    assert!(
        present(&world, &signer.sign(&header(), &claims(&world, json!({}))))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_assertion_is_for_us_by_the_client_and_short() {
    let (world, signer) = world().await;
    world.advance(1000);
    let now = world.ports.clock.now().0;
    let endpoint = format!("{ISSUER}/token");
    for (change, good) in [
        (json!({}), true),
        (json!({ "iat": null }), true),
        (json!({ "exp": now + 300 }), true),
        (json!({ "iat": now + 5, "nbf": now + 5 }), true),
        (json!({ "aud": endpoint }), false),
        (json!({ "aud": [ISSUER] }), false),
        (json!({ "aud": [ISSUER, "https://evil.example"] }), false),
        (json!({ "aud": format!("{ISSUER}/") }), false),
        (json!({ "aud": null }), false),
        (json!({ "iss": null }), false),
        (json!({ "iss": "app" }), false),
        (json!({ "sub": "app" }), false),
        (json!({ "exp": null }), false),
        (json!({ "exp": now }), false),
        (json!({ "exp": now - 1 }), false),
        (json!({ "exp": now + 311 }), false),
        (json!({ "exp": i64::MAX }), false),
        (json!({ "exp": "soon" }), false),
        (json!({ "iat": now + 60 }), false),
        (json!({ "nbf": now + 60 }), false),
        (json!({ "jti": null }), false),
        (json!({ "jti": "" }), false),
        (json!({ "jti": 7 }), false),
        (json!({ "jti": "x".repeat(300) }), false),
    ] {
        let assertion = signer.sign(&header(), &claims(&world, change.clone()));
        let answer = present(&world, &assertion).await;
        match good {
            true => assert!(answer.is_ok(), "{change}: {answer:?}"),
            false => assert!(
                matches!(
                    answer,
                    Err(OAuthError::Refused {
                        error: "invalid_client",
                        ..
                    })
                ),
                "{change}: {answer:?}"
            ),
        }
    }
}

#[tokio::test]
async fn the_old_audience_is_accepted_from_clients_that_are_registered_for_it() {
    let (world, signer) = world().await;
    world.change_client("signer", |client| client.legacy_assertions = true).await;
    let endpoint = format!("{ISSUER}/token");
    for audience in [json!(ISSUER), json!(endpoint), json!([endpoint])] {
        let assertion = signer.sign(&header(), &claims(&world, json!({ "aud": audience })));
        assert!(present(&world, &assertion).await.is_ok(), "{audience}");
    }
    let assertion = signer.sign(
        &header(),
        &claims(&world, json!({ "aud": [endpoint, "https://evil.example"] })),
    );
    assert_eq!(error(present(&world, &assertion).await), "invalid_client");
}

#[tokio::test]
async fn the_registered_key_decides_and_never_the_header() {
    let (world, signer) = world().await;
    let mallory = Signer::new();
    let good = claims(&world, json!({}));
    let with = |change: Value| {
        let mut header = header();
        let members = header.as_object_mut().unwrap();
        members.extend(change.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        header
    };
    let mut embedded = mallory.jwks()["keys"][0].clone();
    embedded["kid"] = json!("k1");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = |alg: &str| format!("{}.{}.", encode(&with(json!({ "alg": alg }))), encode(&good));
    let hs256 = |key: &[u8]| {
        let input = format!("{}.{}", encode(&with(json!({ "alg": "HS256" }))), encode(&good));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    for (forged, why) in [
        (unsigned("none"), "none"),
        (unsigned("None"), "None"),
        (unsigned("ES256"), "no signature"),
        (hs256(signer.0.public_key().as_ref()), "HS256 with the public key"),
        (hs256(signer.jwks().to_string().as_bytes()), "HS256 with the JWKS"),
        (mallory.sign(&header(), &good), "another key"),
        (mallory.sign(&with(json!({ "jwk": embedded })), &good), "an embedded key"),
        (
            mallory.sign(&with(json!({ "jku": "https://evil.example/jwks" })), &good),
            "an address of keys",
        ),
        (mallory.sign(&with(json!({ "kid": "k2" })), &good), "an unknown key id"),
        (mallory.sign(&with(json!({ "kid": null })), &good), "no key id"),
        (
            signer.sign(&with(json!({ "alg": "ES384" })), &good),
            "another algorithm of the family",
        ),
        (
            signer.sign(&with(json!({ "crit": ["x"], "x": 1 })), &good),
            "a critical header",
        ),
        (signer.sign(&with(json!({ "typ": "at+jwt" })), &good), "an access token"),
        (signer.sign(&with(json!({ "typ": "logout+jwt" })), &good), "a logout token"),
        ("a.b.c".to_owned(), "garbage"),
        ("x".repeat(8000), "long garbage"),
    ] {
        assert_eq!(error(present(&world, &forged).await), "invalid_client", "{why}");
    }
    assert!(
        present(&world, &signer.sign(&with(json!({ "kid": null, "typ": "JWT" })), &good))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_symmetric_key_in_the_registration_verifies_nothing() {
    let (world, _) = world().await;
    let secret = b"a-symmetric-key-that-has-no-place-here";
    let jwks = json!({ "keys": [{ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret), "kid": "k1", "alg": "HS256" }] });
    world.change_client("signer", |client| client.jwks = Some(jwks)).await;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!(
        "{}.{}",
        encode(&json!({ "alg": "HS256", "kid": "k1" })),
        encode(&claims(&world, json!({})))
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    let assertion = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
    assert_eq!(error(present(&world, &assertion).await), "invalid_client");
}
