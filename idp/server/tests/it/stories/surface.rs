//! The surface: headers, CORS, documents, methods.

use crate::harness::app::read;
use crate::harness::{ALICE, App, Provider};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn every_page_is_closed_to_frames_scripts_and_caches() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let mut pages = vec![visitor.ask(&app.request()).await.page()];
    pages.push(
        visitor
            .submit(&pages[0].clone(), &[("identifier", "alice"), ("password", ALICE.password)])
            .await
            .page(),
    );
    app.sign_in(&mut visitor, ALICE).await;
    for path in [
        "/account",
        "/recovery",
        "/end_session",
        "/authorize",
        "/nowhere",
        "/approve/x",
        "/recovery/x",
        "/flow/x",
        "/apidocs/",
    ] {
        pages.push(visitor.get(path).await);
    }
    for page in pages {
        let policy = page
            .header("content-security-policy")
            .unwrap_or_else(|| panic!("{}", page.url));
        assert!(
            policy.contains("default-src 'none'")
                && policy.contains("frame-ancestors 'none'")
                && policy.contains("base-uri 'none'"),
            "{} {policy}",
            page.url
        );
        assert!(!policy.contains("unsafe-eval"), "{policy}");
        if page.url.path() != "/apidocs/" {
            assert!(!policy.contains("unsafe-inline"), "{} {policy}", page.url);
            assert_eq!(page.header("cache-control"), Some("no-store"), "{}", page.url);
            assert!(
                !page.body.contains("<style") && !page.body.contains(" style=") && !page.body.contains(" onclick="),
                "{}",
                page.url
            );
            assert!(
                page.body.contains("<html lang=\"") && page.select("title").is_some_and(|title| !title.is_empty()),
                "{}",
                page.url
            );
            assert!(page.body.matches("<h1").count() == 1, "{}", page.url);
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), Some(value), "{}", page.url);
        }
        assert!(
            page.header("x-request-id").is_some() && page.header("referrer-policy").is_some(),
            "{}",
            page.url
        );
        assert!(page.header("server").is_none());
    }
}

#[tokio::test]
async fn an_error_page_names_the_request_and_echoes_nothing_dangerous() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let evil = "%22%3E%3Csvg%20onload%3Dalert(1)%3E";
    for path in [
        format!("/authorize?client_id={evil}"),
        format!("/end_session?client_id={evil}"),
        format!("/{evil}"),
        format!("/account?notice={evil}"),
        format!("/authorize?client_id=web&redirect_uri={evil}"),
    ] {
        let page = visitor.get(&path).await;
        assert!(!page.body.contains("<svg onload"), "{path}");
        if page.status >= 400 {
            assert!(page.body.contains(page.header("x-request-id").unwrap()), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_not_done_is_405() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    for path in [
        "/nowhere",
        "/admin",
        "//account",
        "/%61ccount",
        "/account;x",
        "/account/",
        "/static/../Cargo.toml",
        "/static/..%2f..%2fCargo.toml",
        "/static/default/../../../etc/passwd",
        "/dev/mail",
        "/.git/config",
    ] {
        let answer = read(provider.http.get(format!("{}{path}", provider.issuer)).send().await.unwrap()).await;
        assert!(matches!(answer.status, 404 | 400), "{path} {}", answer.status);
        assert!(!answer.text.contains("[workspace]") && !answer.text.contains("root:"));
    }
    for (method, path) in [
        (Method::GET, "/token"),
        (Method::GET, "/revoke"),
        (Method::GET, "/introspect"),
        (Method::DELETE, "/account"),
        (Method::PUT, "/authorize"),
        (Method::POST, "/jwks.json"),
        (Method::GET, "/continuous/samples"),
        (Method::GET, "/continuous/signals"),
    ] {
        assert_eq!(visitor.send(method.clone(), path, None).await.status, 405, "{method} {path}");
    }
}

#[tokio::test]
async fn discovery_tells_the_truth_at_both_addresses() {
    let provider = Provider::start().await;
    let document = provider.get_json("/.well-known/openid-configuration").await;
    assert_eq!(document, provider.get_json("/.well-known/oauth-authorization-server").await);
    assert_eq!(document["issuer"], provider.issuer);
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["response_types_supported"], json!(["code"]));
    for (name, url) in document
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
    {
        let answer = provider.http.get(url.as_str().unwrap()).send().await.unwrap();
        assert_ne!(answer.status(), 404, "{name}");
    }
    let keys = provider.get_json("/jwks.json").await;
    let algorithms: BTreeSet<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["alg"].as_str().unwrap())
        .collect();
    assert_eq!(algorithms, ["ES256", "EdDSA", "RS256"].into());
    for key in keys["keys"].as_array().unwrap() {
        for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(secret).is_none(), "a private part is published");
        }
    }
}

#[tokio::test]
async fn registered_origins_may_call_and_others_may_not() {
    let provider = Provider::start().await;
    let cors = |method: Method, path: &'static str, origin: &'static str| {
        let request = provider.http.request(method, provider.url(path)).header("origin", origin);
        let request = request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization");
        async move { read(request.send().await.unwrap()).await }
    };
    for path in ["/token", "/userinfo", "/revoke", "/continuous/token", "/continuous/samples"] {
        for method in [Method::OPTIONS, Method::POST] {
            let ours = cors(method.clone(), path, "https://spa.example").await;
            assert_eq!(
                ours.header("access-control-allow-origin"),
                "https://spa.example",
                "{method} {path}"
            );
            assert_eq!(ours.header("access-control-allow-credentials"), "", "never with cookies");
            for origin in [
                "https://evil.example",
                "https://spa.example.evil.example",
                "http://spa.example",
                "null",
            ] {
                let theirs = cors(method.clone(), path, origin).await;
                assert_eq!(theirs.header("access-control-allow-origin"), "", "{method} {path} {origin}");
            }
        }
    }
    for path in ["/account", "/introspect", "/authorize", "/mode", "/flow/x"] {
        let answer = cors(Method::GET, path, "https://spa.example").await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    for path in ["/.well-known/openid-configuration", "/jwks.json"] {
        assert_eq!(
            cors(Method::GET, path, "https://evil.example")
                .await
                .header("access-control-allow-origin"),
            "*"
        );
    }
}

#[tokio::test]
async fn the_api_document_lists_every_json_route() {
    let provider = Provider::start().await;
    let document: Value = provider.get_json("/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let listed: BTreeSet<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let routes = [
        "/.well-known/openid-configuration",
        "/jwks.json",
        "/token",
        "/userinfo",
        "/introspect",
        "/revoke",
        "/continuous/token",
        "/continuous/samples",
        "/continuous/signals",
        "/mode",
        "/healthz",
        "/readyz",
    ];
    for route in routes {
        assert!(listed.contains(route), "{route}");
    }
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|responses| !responses.is_empty()),
                "{method} {path}"
            );
            assert!(
                operation["description"].is_string() || operation["summary"].is_string(),
                "{method} {path}"
            );
        }
    }
    let ui = provider.visitor().get("/apidocs/").await;
    assert_eq!(ui.status, 200);
    assert!(
        !ui.body.contains("//cdn") && !ui.body.contains("https://unpkg"),
        "from embedded assets"
    );
}

#[tokio::test]
async fn it_is_alive_and_ready_and_serves_the_collector_to_anybody() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    assert_eq!(visitor.get("/healthz").await.status, 200);
    assert_eq!(visitor.get("/readyz").await.json()["ready"], true);
    let script = visitor.get("/static/gait.js").await;
    assert_eq!(
        (script.status, script.header("access-control-allow-origin")),
        (200, Some("*"))
    );
    assert!(script.header("content-type").unwrap().starts_with("text/javascript"));
    let etag = script.header("etag").unwrap().to_owned();
    visitor.headers.push(("if-none-match", etag));
    assert_eq!(visitor.get("/static/gait.js").await.status, 304);
}

#[tokio::test]
async fn the_language_follows_the_person() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor
        .headers
        .push(("accept-language", "de-AT,de;q=0.9,en;q=0.5".to_owned()));
    let page = visitor.get("/recovery").await;
    assert!(page.body.contains("lang=\"de\""));
    assert_eq!(page.header("content-language"), Some("de"));
    let page = visitor.open("/account?lang=en").await.page();
    assert!(
        page.body.contains("lang=\"en\""),
        "a choice counts more than the browser's wish"
    );
    assert!(
        visitor.get("/recovery").await.body.contains("lang=\"en\""),
        "and is remembered"
    );
    visitor.headers[0].1 = "tlh, *;q=0, ;;;".to_owned();
    visitor.cookies.clear();
    assert!(
        visitor.get("/recovery").await.body.contains("lang=\"en\""),
        "unknown wishes get English"
    );
}

#[tokio::test]
async fn the_language_can_be_switched_on_every_page_and_nobody_is_led_away_by_it() {
    let provider = Provider::start().await;
    for path in [
        "/recovery",
        "/recovery/sent",
        "/approve/done",
        "/end_session",
        "/flow/x",
        "/nowhere",
    ] {
        let mut visitor = provider.visitor();
        let switched = visitor.get(&format!("{path}?lang=de")).await;
        assert_eq!((switched.status, switched.location()), (303, Some(path)), "{path}");
        let page = visitor.get(path).await;
        assert_eq!(page.header("content-language"), Some("de"), "{path}");
    }
    let app = App::web(&provider);
    let mut visitor = provider.visitor();
    let sign_in = visitor.ask(&app.request().with("lang", "de")).await.page();
    assert!(sign_in.form().has("identifier"), "an app's own `lang` is none of ours");
}
