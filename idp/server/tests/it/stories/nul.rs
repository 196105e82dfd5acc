//! A NUL, which no text of any protocol here has, and which Postgres takes in none: it is refused, or unknown, and never our fault.

use crate::harness::app::{PARAMETERS, Proof, read, sign};
use crate::harness::{ALICE, App, Provider, unique};
use jsonwebtoken::{Algorithm, Header};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

on_both!(
    in_a_parameter_of_whatever_endpoint_it_is_refused,
    in_a_path_it_is_unknown,
    in_a_client_s_name_it_is_unknown,
    in_a_signed_text_it_is_unknown,
);

/// With a NUL at its end, in its middle, and nothing else.
fn spoiled(text: &str) -> [String; 3] {
    let (start, end) = text.split_at(text.len() / 2);
    [format!("{text}\0"), format!("{start}\0{end}"), "\0".to_owned()]
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

async fn in_a_parameter_of_whatever_endpoint_it_is_refused(provider: Provider) {
    let web = App::web(&provider);
    let mut good = web.request().params;
    for name in PARAMETERS {
        if !good.iter().any(|(given, _)| given == name) {
            good.push((name.to_owned(), "1".to_owned()));
        }
    }
    for nth in 0..good.len() {
        for value in spoiled(&good[nth].1) {
            let mut params = good.clone();
            params[nth].1 = value;
            let get = provider.http.get(provider.url("/authorize")).query(&params);
            assert_eq!(status(get).await, 400, "{params:?}");
            let post = provider.http.post(provider.url("/authorize")).form(&params);
            assert_eq!(status(post).await, 400, "{params:?}");
        }
    }
    let forms: [(&str, &[&str]); 6] = [
        (
            "/token",
            &[
                "grant_type",
                "code",
                "redirect_uri",
                "code_verifier",
                "refresh_token",
                "client_id",
                "client_secret",
                "scope",
            ],
        ),
        ("/introspect", &["token", "token_type_hint", "client_id", "client_secret"]),
        ("/revoke", &["token", "token_type_hint", "client_id", "client_secret"]),
        ("/userinfo", &["access_token"]),
        (
            "/end_session",
            &["id_token_hint", "client_id", "post_logout_redirect_uri", "state"],
        ),
        ("/recovery", &["identifier", "csrf"]),
    ];
    for (path, names) in forms {
        for name in names {
            for value in spoiled("value") {
                let form = [(*name, value.as_str()), ("grant_type_", "client_credentials")];
                let post = provider.http.post(provider.url(path)).form(&form);
                let status = status(post).await;
                assert!(matches!(status.as_u16(), 400 | 401), "{path} {name}: {status}");
            }
        }
    }
}

async fn in_a_path_it_is_unknown(provider: Provider) {
    for path in ["/flow/", "/approve/", "/recovery/", "/static/", "/"] {
        for value in ["%00", "a%00b", "gait_ap_%00"] {
            let status = status(provider.http.get(provider.url(&format!("{path}{value}")))).await;
            assert!(status.is_client_error(), "{path}{value}: {status}");
        }
    }
}

async fn in_a_client_s_name_it_is_unknown(provider: Provider) {
    let web = App::web(&provider);
    let key = App::pkjwt(&provider);
    for app in [&web, &key] {
        for id in spoiled(&app.id) {
            for path in ["/token", "/introspect", "/revoke"] {
                let mut app = app.clone();
                app.id.clone_from(&id);
                let params = [("grant_type", "client_credentials"), ("token", "x")];
                let answer = app.post(path, &params).await;
                assert_eq!((answer.status, answer.error()), (401, "invalid_client"), "{id:?} {path}");
            }
        }
    }
    let Proof::Basic(secret) = &web.proof else {
        panic!("a secret")
    };
    for secret in spoiled(secret) {
        let mut app = web.clone();
        app.proof = Proof::Basic(secret);
        assert_eq!(app.post("/token", &[("grant_type", "client_credentials")]).await.status, 401);
    }
}

async fn in_a_signed_text_it_is_unknown(provider: Provider) {
    let tokens = App::watched(&provider).sign_in(&mut provider.visitor(), ALICE).await;
    let jwks: Value = serde_json::from_str(relying_party::DEMO_SIGNAL_JWKS).unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("secevent+jwt".to_owned());
    header.kid = jwks["keys"][0]["kid"].as_str().map(str::to_owned);
    let now = provider.clock.now();
    for sid in spoiled(&tokens.sid()) {
        let set = json!({
            "iss": "https://work.example", "aud": provider.issuer, "iat": now, "jti": unique("set"),
            "sub_id": {"format": "complex", "session": {"format": "opaque", "id": sid}},
            "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": now}},
        });
        let post = provider.http.post(provider.url("/continuous/signals"));
        let post = post
            .bearer_auth("work-signal-secret-that-is-long-enough")
            .header("content-type", "application/secevent+jwt");
        let answer = read(post.body(sign(&header, &set)).send().await.unwrap()).await;
        assert!(
            matches!(answer.status, 202 | 400),
            "{sid:?} {} {}",
            answer.status,
            answer.text
        );
    }
    assert!(App::api(&provider).is_active(&tokens.access).await, "nothing of it was hers");
}
