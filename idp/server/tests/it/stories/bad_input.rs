//! Bad input: whatever comes, the answer is the specification's error or a page with a request id, never a failure of ours.

use crate::harness::app::{PARAMETERS, read};
use crate::harness::collector::ORIGIN;
use crate::harness::{ALICE, App, Collector, Provider};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

const PATHS: [&str; 17] = [
    "/authorize",
    "/token",
    "/userinfo",
    "/introspect",
    "/revoke",
    "/end_session",
    "/end_session/confirm",
    "/continuous/token",
    "/continuous/samples",
    "/continuous/signals",
    "/mode",
    "/account",
    "/account/export",
    "/recovery",
    "/recovery/x",
    "/approve/x",
    "/flow/x",
];

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let form = "application/x-www-form-urlencoded";
    vec![
        ("", Vec::new()),
        (form, Vec::new()),
        (form, b"&&&===&%&%zz=%f0%28%8c%28".to_vec()),
        (form, vec![0xff; 300]),
        (form, b"a=1&a=2&client_id=web&client_id=post&code=x&token=x&token=y".to_vec()),
        (
            form,
            b"client_id=web&redirect_uri=https%3A%2F%2Fweb.example%2Fcb&response_type=code&scope=openid&nonce=%00".to_vec(),
        ),
        (form, format!("client_id={}", "x".repeat(60_000)).into_bytes()),
        (form, format!("x={}", "y".repeat(2_000_000)).into_bytes()),
        (form, "a=b&".repeat(10_000).into_bytes()),
        (form, (0..90).map(|nth| format!("p{nth}=v&")).collect::<String>().into_bytes()),
        ("application/json", b"{".to_vec()),
        ("application/json", b"null".to_vec()),
        ("application/json", b"{\"origin\": 7}".to_vec()),
        ("application/json", "[".repeat(10_000).into_bytes()),
        (
            "application/json",
            format!("{{\"v\":1,\"metrics\":{}1{}}}", "[".repeat(5000), "]".repeat(5000)).into_bytes(),
        ),
        ("application/secevent+jwt", b"a.b.c".to_vec()),
        ("application/secevent+jwt", vec![b'.'; 60_000]),
        ("text/plain; charset=utf-16", "\u{feff}hello".bytes().collect()),
        ("multipart/form-data; boundary=", b"--\r\n\r\n".to_vec()),
    ]
}

#[tokio::test]
async fn no_body_on_any_route_is_our_failure() {
    let provider = Provider::start().await;
    for path in PATHS {
        for method in [Method::GET, Method::POST, Method::HEAD] {
            for (kind, body) in bodies() {
                for authorization in [None, Some("Bearer x"), Some("Basic x"), Some("\u{7f}")] {
                    let mut request = provider.http.request(method.clone(), provider.url(path));
                    if !kind.is_empty() {
                        request = request.header("content-type", kind);
                    }
                    let value = authorization.and_then(|value| reqwest::header::HeaderValue::from_str(value).ok());
                    if let Some(value) = value {
                        request = request.header("authorization", value);
                    }
                    // The server may hang up on two megabytes before they are sent: that is an answer too.
                    let Ok(answer) = request.body(body.clone()).send().await else {
                        assert!(body.len() > 60_000, "{method} {path} {kind}");
                        continue;
                    };
                    let status = answer.status().as_u16();
                    assert!(
                        status < 500,
                        "{method} {path} {kind} {} → {status}",
                        String::from_utf8_lossy(&body[..body.len().min(80)])
                    );
                }
            }
        }
    }
    assert_eq!(provider.get_json("/readyz").await["ready"], true);
}

#[tokio::test]
async fn odd_headers_are_nobody_s_identity() {
    let provider = Provider::start().await;
    let cookies = [
        "__Host-gait-session=",
        "__Host-gait-session=x; __Host-gait-session=y",
        "=;=;;;",
        "__Host-gait-session=%00%ff",
        "__Host-gait-device=../../x; __Host-gait-watch=1; __Host-gait-lang=\"><script>",
        "a",
        ";",
        "__Host-gait-flow-=x",
    ];
    for cookie in cookies {
        for path in ["/account", "/authorize", "/flow/x", "/mode", "/recovery"] {
            let answer = provider
                .http
                .get(provider.url(path))
                .header("cookie", cookie)
                .send()
                .await
                .unwrap();
            assert!(answer.status().as_u16() < 500, "{cookie} {path}");
            assert!(!answer.text().await.unwrap().contains("<script>"), "{cookie} {path}");
        }
        let mode = provider
            .http
            .get(provider.url("/mode"))
            .header("cookie", cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(mode.status(), 401);
    }
    let twice = provider
        .http
        .post(provider.url("/token"))
        .header("authorization", "Basic YTpi")
        .header("authorization", "Basic YTpj");
    assert_eq!(twice.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn every_parameter_that_comes_twice_is_refused() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    for (name, value) in app.request().params {
        let answer = visitor.get(&app.request().also(&name, &value).url()).await;
        let redirected = answer.location().is_some_and(|to| to.contains("error=invalid_request"));
        assert!(answer.status == 400 || redirected, "{name} {}", answer.status);
    }
    let params = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    for (name, value) in params {
        let answer = app.post("/token", &[&params[..], &[(name, value)]].concat()).await;
        assert_eq!(answer.error(), "invalid_request", "{name}");
    }
}

#[tokio::test]
async fn a_batch_that_breaks_the_format_is_refused_whole() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    let tokens = App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    let collector = Collector::start(&provider, &tokens).await;
    let good = json!({"v": 1, "seq": 1, "span_ms": 5000.0, "clock_ms": 0.1, "pointer": "mouse", "metrics": {"hold_ms": [90.0]}});
    let with = |name: &str, value: Value| {
        let mut batch = good.clone();
        batch[name] = value;
        batch.to_string()
    };
    let bad = [
        with("seq", json!(-1)),
        with("seq", json!(1.5)),
        with("seq", json!(u64::MAX)),
        with("span_ms", json!(-1)),
        with("span_ms", json!(1e300)),
        with("span_ms", json!("5000")),
        with("clock_ms", json!(-0.1)),
        with("pointer", json!("paw")),
        with("metrics", json!([])),
        with("metrics", json!({"secret_ms": [1.0]})),
        with("metrics", json!({"hold_ms": vec![1.0; 501]})),
        with("metrics", json!({"hold_ms": [null]})),
        with("metrics", json!({"hold_ms": ["90"]})),
        with("key", json!("a")),
        good.to_string().replace("90.0", "1e999"),
        good.to_string().replace("90.0", "NaN"),
        good.to_string().replace("\"seq\":1", "\"seq\":1,\"seq\":2"),
        "{}".to_owned(),
        "[]".to_owned(),
        String::new(),
    ];
    for body in bad {
        let answer = collector.post(body.clone(), ORIGIN).await;
        assert_eq!((answer.status, answer.error()), (400, "invalid_request"), "{body}");
    }
    let big = with("metrics", json!({"hold_ms": vec![1.234_567_890_123; 5000]}));
    assert!(matches!(collector.post(big, ORIGIN).await.status, 400 | 413));
    assert_eq!(collector.post(good.to_string(), ORIGIN).await.status, 200);
}

/// Runs cases against one provider on a runtime of its own.
fn fuzz<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, case: impl Fn(&Runtime, &Provider, T)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let provider = runtime.block_on(Provider::start());
    let mut runner = TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |value| {
        case(&runtime, &provider, value);
        Ok(())
    });
    outcome.unwrap();
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
}

/// Mostly right names with mostly wrong values.
fn params(names: &'static [&'static str], values: &'static [&'static str]) -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![9 => proptest::sample::select(names).prop_map(str::to_owned), 1 => ".{0,12}"];
    let value = prop_oneof![3 => proptest::sample::select(values).prop_map(str::to_owned), 2 => ".{0,40}"];
    proptest::collection::vec((name, value), 0..12)
}

#[test]
fn any_authorization_request_is_a_page_or_a_redirect_to_the_registered_client() {
    const VALUES: [&str; 18] = [
        "web",
        "native",
        "https://web.example/cb",
        "http://127.0.0.1:1/cb",
        "code",
        "openid",
        "openid offline_access",
        "S256",
        "plain",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "none",
        "login",
        "0",
        "{}",
        "{\"id_token\":{\"acr\":null}}",
        "form_post",
        "query",
        "de en",
    ];
    fuzz(params(&PARAMETERS, &VALUES), |runtime, provider, params| {
        let mut url = url::Url::parse(&provider.url("/authorize")).unwrap();
        url.query_pairs_mut().extend_pairs(&params);
        let answer = runtime.block_on(async { provider.http.get(url).send().await.unwrap() });
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        match location {
            Some(to) => {
                let expected = ["/flow/", "https://web.example/cb?", "http://127.0.0.1:1/cb?"];
                assert!(
                    status == 303 && expected.iter().any(|start| to.starts_with(start)),
                    "{status} {to}"
                );
            }
            None => assert!(matches!(status, 200 | 400), "{status}"),
        }
    });
}

#[test]
fn any_token_request_is_a_client_error() {
    const NAMES: [&str; 11] = [
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "scope",
        "token",
    ];
    const VALUES: [&str; 12] = [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "web",
        "post",
        "native",
        "pkjwt",
        "post-secret-that-is-long-enough-for-this",
        "https://post.example/cb",
        "e30.e30.",
        "openid",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ];
    fuzz(params(&NAMES, &VALUES), |runtime, provider, params| {
        for path in ["/token", "/introspect", "/revoke"] {
            let answer = runtime
                .block_on(async { read(provider.http.post(provider.url(path)).form(&params).send().await.unwrap()).await });
            assert!(matches!(answer.status, 200 | 400 | 401 | 429), "{path} {}", answer.status);
            assert!(path != "/token" || answer.status != 200, "nothing of this is worth a token");
            assert!(
                answer.status == 200 || answer.body["error"].is_string(),
                "{path} {}",
                answer.text
            );
        }
    });
}

#[test]
fn any_batch_is_taken_or_refused() {
    let number = prop_oneof![
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        ".{0,3}".prop_map(Value::from)
    ];
    let list = proptest::collection::vec(number.clone(), 0..8);
    let name = prop_oneof![
        proptest::sample::select(&["hold_ms", "flight_ms", "mouse_velocity", "dwell_ms", "cursor_variation"][..])
            .prop_map(str::to_owned),
        ".{0,5}"
    ];
    let metrics = proptest::collection::btree_map(name, list, 0..6);
    let strategy = (
        number.clone(),
        number.clone(),
        number,
        metrics,
        proptest::sample::select(&["mouse", "touch", "none", "x"][..]),
    );
    let begun = std::sync::OnceLock::new();
    fuzz(
        strategy,
        |runtime, provider, (seq, span, clock, metrics, pointer): (Value, Value, Value, BTreeMap<String, Vec<Value>>, &str)| {
            let collector = begun.get_or_init(|| {
                runtime.block_on(async {
                    let mut visitor = provider.visitor();
                    visitor.agrees = true;
                    let tokens = App::watched(provider).sign_in(&mut visitor, ALICE).await;
                    Collector::start(provider, &tokens).await
                })
            });
            let batch = json!({"v": 1, "seq": seq, "span_ms": span, "clock_ms": clock, "pointer": pointer, "metrics": metrics});
            provider.clock.advance(1);
            let status = runtime.block_on(collector.post(batch.to_string(), ORIGIN)).status;
            assert!(matches!(status, 200 | 400), "{status} {batch}");
        },
    );
}
