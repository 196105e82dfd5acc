//! How clients prove themselves, and how others fail to.

use crate::harness::app::{Answer, Proof, sign};
use crate::harness::config::{ODD_ID, ODD_SECRET};
use crate::harness::{ALICE, App, Provider};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn post(provider: &Provider, authorization: Option<String>, params: &[(&str, &str)]) -> Answer {
    let mut request = provider.http.post(provider.url("/token")).form(params);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    crate::harness::app::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn each_registered_way_works_and_no_other() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let odd = App::basic(&provider, ODD_ID, ODD_SECRET, "https://odd.example/cb");
    for app in [
        App::web(&provider),
        App::posting(&provider),
        App::native(&provider),
        App::pkjwt(&provider),
        odd,
    ] {
        let tokens = app.sign_in(&mut visitor, ALICE).await;
        app.refresh(&tokens.refresh).await.tokens();
    }
    let secret = "web-secret-that-is-long-enough-for-this";
    let wrong_ways = [
        App::new(&provider, "web", Proof::Post(secret.to_owned()), ""),
        App::new(&provider, "web", Proof::None, ""),
        App::new(&provider, "web", Proof::Key, ""),
        App::basic(&provider, "post", "post-secret-that-is-long-enough-for-this", ""),
        App::basic(&provider, "pkjwt", secret, ""),
        App::new(&provider, "pkjwt", Proof::None, ""),
        App::basic(&provider, "native", "", ""),
        App::basic(&provider, "nobody", secret, ""),
        App::basic(&provider, "web", "web-secret-that-is-long-enough-for-thiS", ""),
        App::basic(&provider, "web", "", ""),
    ];
    for app in wrong_ways {
        let answer = app.refresh("x").await;
        assert_eq!(
            (answer.status, answer.error()),
            (401, "invalid_client"),
            "{} {:?}",
            app.id,
            app.proof
        );
        let asks = answer.header("www-authenticate").starts_with("Basic");
        assert_eq!(asks, matches!(app.proof, Proof::Basic(_)), "{} {:?}", app.id, app.proof);
    }
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_look_the_same() {
    let provider = Provider::start().await;
    let unknown = App::basic(&provider, "nobody", "no-secret-that-is-known-to-anybody", "")
        .refresh("x")
        .await;
    let wrong = App::basic(&provider, "web", "no-secret-that-is-known-to-anybody", "")
        .refresh("x")
        .await;
    assert_eq!((unknown.status, unknown.text), (wrong.status, wrong.text));
}

#[tokio::test]
async fn two_ways_at_once_are_refused() {
    let provider = Provider::start().await;
    let basic = format!("Basic {}", STANDARD.encode("web:web-secret-that-is-long-enough-for-this"));
    let both = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_secret", "web-secret-that-is-long-enough-for-this"),
    ];
    assert_eq!(post(&provider, Some(basic.clone()), &both).await.error(), "invalid_request");
    let other = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", "post")];
    assert_eq!(post(&provider, Some(basic), &other).await.error(), "invalid_request");
}

#[tokio::test]
async fn garbage_in_the_header_is_an_unproven_client() {
    let provider = Provider::start().await;
    let garbage = [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ==",
        "Basic Og==",
        "Basic /////w==",
        "Bearer YTpi",
        "Digest x",
        "Basic OnNlY3JldA==",
    ];
    for header in garbage {
        let answer = post(&provider, Some(header.to_owned()), &[("grant_type", "client_credentials")]).await;
        assert_eq!((answer.status, answer.error()), (401, "invalid_client"), "{header:?}");
    }
    let huge = format!("Basic {}", "A".repeat(7000));
    assert_eq!(post(&provider, Some(huge), &[]).await.status, 401);
}

async fn asserted(provider: &Provider, assertion: &str) -> Answer {
    let params = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion),
    ];
    post(provider, None, &params).await
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let provider = Provider::start().await;
    let app = App::pkjwt(&provider);
    let assertion = app.assertion(provider.clock.now(), json!({}));
    assert_eq!(
        asserted(&provider, &assertion).await.error(),
        "invalid_grant",
        "the client is proven, the token isn't"
    );
    assert_eq!(
        asserted(&provider, &assertion).await.error(),
        "invalid_client",
        "a replay proves nothing"
    );
}

#[tokio::test]
async fn an_assertion_of_before_a_restart_proves_nothing() {
    let mut provider = Provider::start().await;
    let assertion = App::pkjwt(&provider).assertion(provider.clock.now(), json!({}));
    asserted(&provider, &assertion).await;
    provider.clock.advance(2);
    provider.restart().await;
    assert_eq!(asserted(&provider, &assertion).await.error(), "invalid_client");
}

#[tokio::test]
async fn an_assertion_must_be_for_us_by_the_client_and_of_now() {
    let provider = Provider::start().await;
    let (app, now) = (App::pkjwt(&provider), provider.clock.now());
    let wrong: [Value; 14] = [
        json!({"aud": "https://other.example"}),
        json!({"aud": format!("{}/token", provider.issuer)}),
        json!({"aud": [provider.issuer, "https://other.example"]}),
        json!({"aud": null}),
        json!({"iss": "web"}),
        json!({"sub": "web"}),
        json!({"iss": null}),
        json!({"exp": null}),
        json!({"exp": now - 60}),
        json!({"exp": now + 3600}),
        json!({"exp": "soon"}),
        json!({"nbf": now + 600}),
        json!({"jti": null}),
        json!({"jti": "j".repeat(5000)}),
    ];
    for changes in wrong {
        let answer = asserted(&provider, &app.assertion(now, changes.clone())).await;
        assert_eq!((answer.status, answer.error()), (401, "invalid_client"), "{changes}");
        provider.clock.advance(0);
    }
}

#[tokio::test]
async fn only_the_client_s_registered_key_signs_for_it() {
    let provider = Provider::start().await;
    let now = provider.clock.now();
    let claims = json!({"iss": "pkjwt", "sub": "pkjwt", "aud": provider.issuer, "iat": now, "exp": now + 60, "jti": "one"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let good = sign(&Header::new(Algorithm::ES256), &claims);
    let signature = good.rsplit('.').next().unwrap();
    let public = relying_party::DEMO_SIGNAL_JWKS;
    let hs256 = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(public.as_bytes()),
    )
    .unwrap();
    let own_key: Value = serde_json::from_str(public).unwrap();
    let mut embedded = Header::new(Algorithm::HS256);
    embedded.kid = own_key["keys"][0]["kid"].as_str().map(str::to_owned);
    let named = jsonwebtoken::encode(&embedded, &claims, &EncodingKey::from_secret(b"k")).unwrap();
    let mut elsewhere = Header::new(Algorithm::ES256);
    elsewhere.kid = Some("../../../../dev/null".to_owned());
    let forged = [
        format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims)),
        format!("{}.{}.", part(&json!({"alg": "None"})), part(&claims)),
        format!("{}.{}.{signature}", part(&json!({"alg": "none"})), part(&claims)),
        format!(
            "{}.{}.{signature}",
            part(&json!({"alg": "ES256", "crit": ["x"], "x": 1})),
            part(&claims)
        ),
        format!("{}.{}", part(&json!({"alg": "ES256"})), part(&claims)),
        format!("{good}x"),
        format!("{good}.{signature}"),
        hs256,
        named,
        sign(&elsewhere, &claims),
        String::new(),
        "....".to_owned(),
        "e30.e30.e30".to_owned(),
    ];
    for assertion in forged {
        let answer = asserted(&provider, &assertion).await;
        assert!(matches!(answer.status, 400 | 401), "{} {assertion}", answer.status);
        assert_eq!(answer.error(), "invalid_client", "{assertion}");
    }
    assert_eq!(
        asserted(&provider, &good).await.error(),
        "invalid_grant",
        "the right one still counts"
    );
}

#[tokio::test]
async fn guessing_a_secret_ends_with_a_pause() {
    let provider = Provider::start().await;
    let guess = App::basic(&provider, "web", "a-guess-that-is-as-long-as-a-secret-is", "");
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(guess.refresh("x").await);
    }
    let last = statuses.last().unwrap();
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").parse::<u32>().is_ok());
    provider.clock.advance(61);
    assert_eq!(
        App::web(&provider).refresh("x").await.error(),
        "invalid_grant",
        "the owner is let in again"
    );
}
