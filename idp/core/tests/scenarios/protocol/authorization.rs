//! The authorization endpoint: what is checked, in which order, and where errors go.

use super::*;
use gait_core::authorization::ResponseMode;

/// The error that came back to the client's redirect URI, with `state` and `iss`.
#[track_caller]
fn sent_back(authorized: Authorized) -> String {
    let response = responded(authorized);
    assert_eq!(param(&response, "iss").as_deref(), Some(ISSUER), "RFC 9207");
    assert_eq!(param(&response, "code"), None);
    param(&response, "error").unwrap_or_else(|| panic!("no error: {response:?}"))
}

fn is_page(authorized: &Authorized) -> bool {
    matches!(authorized, Authorized::Refused(_))
}

#[tokio::test]
async fn a_good_request_gets_code_state_and_issuer() {
    let world = World::new().await;
    for (mode, expected) in [
        ("", ResponseMode::Query),
        ("query", ResponseMode::Query),
        ("form_post", ResponseMode::FormPost),
    ] {
        let response = responded(
            world
                .authorize(&request("app", &[("response_mode", mode), ("state", "a b&c=ü")]))
                .await,
        );
        assert_eq!(response.mode, expected);
        assert_eq!(response.redirect_uri, callback("app"));
        assert_eq!(param(&response, "state").as_deref(), Some("a b&c=ü"), "unchanged");
        assert_eq!(param(&response, "iss").as_deref(), Some(ISSUER));
        assert!(param(&response, "code").is_some_and(|code| code.starts_with("gait_ac_")));
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored_and_empty_ones_count_as_omitted() {
    let world = World::new().await;
    let mut params = request("app", &[("display", "popup"), ("claims_locales", "de"), ("nonsense", "1")]);
    params.extend(pairs(&[
        ("response_mode", ""),
        ("request", ""),
        ("max_age", ""),
        ("prompt", ""),
    ]));
    assert!(param(&responded(world.authorize(&params).await), "code").is_some());
}

#[tokio::test]
async fn nothing_is_sent_to_a_redirect_uri_that_is_not_registered_to_the_letter() {
    let world = World::new().await;
    let corpus = [
        "https://app.example/cb/",
        "https://app.example/cb/../x",
        "https://app.example/cb/%2e%2e/x",
        "https://app.example/cb%252e%252e",
        "https://app.example/cb/..;/x",
        "https://app.example//cb",
        "https://app.example/./cb",
        "https://app.example/cb?x=1",
        "https://app.example/cb?",
        "https://app.example/cb#f",
        "https://app.example/cb#",
        "https://app.example/cb;x",
        "https://app.example/cb%00",
        "https://app.example/cb\0",
        "https://app.example/CB",
        "https://app.example/c%62",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example./cb",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "http://app.example/cb",
        "//app.example/cb",
        "/cb",
        "cb",
        "https:app.example/cb",
        "https:/app.example/cb",
        "https:///app.example/cb",
        "https:\\\\app.example\\cb",
        "https://app.example\\cb",
        "https://app.example/\\evil.example",
        "https://app.example@evil.example/cb",
        "https://evil.example@app.example/cb",
        "https://u:p@app.example/cb",
        "https://evil.example/https://app.example/cb",
        "https://app.example.evil.example/cb",
        "https://appXexample/cb",
        "https://xapp.example/cb",
        "https://app.example/cbx",
        "https://app.example/cb/evil",
        "https://app.example/cb ",
        " https://app.example/cb",
        "https://app.example/cb\t",
        "https://app.example/\tcb",
        "https://app.example/cb\n",
        "https://app.example/cb\r\nLocation: https://evil.example",
        "https://app.example/*",
        "https://*.example/cb",
        "https://app.example/cb,https://evil.example",
        "https://app.example/cb%20",
        "https://аpp.example/cb",
        "javascript:alert(1)//https://app.example/cb",
        "data:text/html,https://app.example/cb",
        "https://app.example/cb\u{202e}",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "https://spa.example/cb",
        "https://",
    ];
    for uri in corpus {
        for mode in ["", "query", "form_post", "fragment", "form_post.jwt", "query.jwt", "jwt"] {
            let authorized = world
                .authorize(&request("app", &[("redirect_uri", uri), ("response_mode", mode)]))
                .await;
            assert!(is_page(&authorized), "{uri:?} with mode {mode:?}: {authorized:?}");
        }
    }
    assert!(
        is_page(&world.authorize(&request("app", &[("redirect_uri", "")])).await),
        "absent"
    );
}

#[tokio::test]
async fn a_dot_in_a_registered_uri_is_a_dot() {
    let world = World::new().await;
    world
        .change_client("app", |client| client.redirect_uris = vec!["https://a.b.c/cb".to_owned()])
        .await;
    for uri in ["https://aXb.c/cb", "https://a.bXc/cb", "https://a.b.c/cbb"] {
        assert!(
            is_page(&world.authorize(&request("app", &[("redirect_uri", uri)])).await),
            "{uri}"
        );
    }
    assert!(!is_page(
        &world
            .authorize(&request("app", &[("redirect_uri", "https://a.b.c/cb")]))
            .await
    ));
}

#[tokio::test]
async fn a_scheme_that_runs_is_refused_even_if_somebody_registered_it() {
    let world = World::new().await;
    for uri in [
        "javascript:alert(1)",
        "JavaScript://app.example/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:https://app.example/1",
        "file:///etc/passwd",
        "about:blank",
        "intent://x#Intent;end",
        "view-source:https://app.example",
        "https://app.example/cb#fragment",
        "https://user@app.example/cb",
    ] {
        world
            .change_client("app", |client| client.redirect_uris = vec![uri.to_owned()])
            .await;
        assert!(
            is_page(&world.authorize(&request("app", &[("redirect_uri", uri)])).await),
            "{uri}"
        );
    }
}

#[tokio::test]
async fn a_native_app_may_listen_on_any_port_of_the_loopback_addresses() {
    let world = World::new().await;
    for (uri, good) in [
        ("http://127.0.0.1/cb", true),
        ("http://127.0.0.1:1/cb", true),
        ("http://127.0.0.1:65535/cb", true),
        ("http://[::1]/cb?x=1", true),
        ("http://[::1]:9000/cb?x=1", true),
        ("com.example.native:/cb", true),
        ("http://127.0.0.1:65536/cb", false),
        ("http://127.0.0.1:-1/cb", false),
        ("http://127.0.0.1:/cb", false),
        ("http://127.0.0.1:80@evil.example/cb", false),
        ("http://127.0.0.1@evil.example/cb", false),
        ("http://127.0.0.1:80#@evil.example/cb", false),
        ("http://127.0.0.1.evil.example/cb", false),
        ("http://127.0.0.1:80.evil.example/cb", false),
        ("http://localhost/cb", false),
        ("http://localhost:80@evil.example/cb", false),
        ("http://0x7f.1/cb", false),
        ("http://127.1/cb", false),
        ("http://2130706433/cb", false),
        ("http://[::ffff:127.0.0.1]/cb?x=1", false),
        ("http://[0:0:0:0:0:0:0:1]/cb?x=1", false),
        ("http://[::1]:9000/cb", false),
        ("http://127.0.0.1:8000/cb?x=1", false),
        ("http://127.0.0.1:8000/other", false),
        ("https://127.0.0.1:8000/cb", false),
        ("com.example.native:/cb:80", false),
    ] {
        let authorized = world.authorize(&request("native", &[("redirect_uri", uri)])).await;
        assert_eq!(!is_page(&authorized), good, "{uri}: {authorized:?}");
    }
    world
        .change_client("app", |client| client.redirect_uris = vec!["http://127.0.0.1/cb".to_owned()])
        .await;
    let elsewhere = request("app", &[("redirect_uri", "http://127.0.0.1:1234/cb")]);
    assert!(is_page(&world.authorize(&elsewhere).await), "not a native app");
}

#[tokio::test]
async fn an_unknown_client_gets_a_page() {
    let world = World::new().await;
    for id in ["nobody", "APP", "app ", "app\0", "' OR 1=1 --", "", &"x".repeat(9000)] {
        let authorized = world.authorize(&request("app", &[("client_id", id)])).await;
        assert!(is_page(&authorized), "{id:?}: {authorized:?}");
    }
}

#[tokio::test]
async fn every_repeated_parameter_is_refused() {
    let world = World::new().await;
    let good = request("app", &[("prompt", "login"), ("response_mode", "query"), ("unknown", "1")]);
    for (name, value) in &good {
        for second in [value.as_str(), "https://evil.example/", ""] {
            let mut params = good.clone();
            params.push((name.clone(), second.to_owned()));
            let authorized = world.authorize(&params).await;
            match name.as_str() {
                "client_id" | "redirect_uri" => assert!(is_page(&authorized), "{name}"),
                _ => assert_eq!(sent_back(authorized), "invalid_request", "{name}"),
            }
        }
    }
}

#[tokio::test]
async fn an_oversized_request_gets_a_page_and_no_answer_elsewhere() {
    let world = World::new().await;
    let mut many = request("app", &[]);
    many.extend((0..100).map(|number| (format!("p{number}"), "x".to_owned())));
    assert!(is_page(&world.authorize(&many).await));
    assert!(is_page(
        &world.authorize(&request("app", &[("state", &"x".repeat(9000))])).await
    ));
    let mut name = request("app", &[]);
    name.push(("n".repeat(5000), "x".to_owned()));
    assert!(is_page(&world.authorize(&name).await));
}

#[tokio::test]
async fn each_rule_has_its_error() {
    let world = World::new().await;
    let deep = format!("{}1{}", "{\"userinfo\":".repeat(400), "}".repeat(400));
    for (change, expected) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", "code id_token"), "unsupported_response_type"),
        (("response_type", "id_token"), "unsupported_response_type"),
        (("response_type", "CODE"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("response_mode", "jwt"), "invalid_request"),
        (("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        (("request_uri", "https://app.example/request"), "request_uri_not_supported"),
        (
            ("request_uri", "urn:ietf:params:oauth:request_uri:x"),
            "request_uri_not_supported",
        ),
        (("registration", "{}"), "registration_not_supported"),
        (("scope", ""), "invalid_scope"),
        (("scope", "unheard-of"), "invalid_scope"),
        (("prompt", "none login"), "invalid_request"),
        (("prompt", "create"), "invalid_request"),
        (("max_age", "-1"), "invalid_request"),
        (("max_age", "1.5"), "invalid_request"),
        (("max_age", "soon"), "invalid_request"),
        (("max_age", "99999999999999999999"), "invalid_request"),
        (("claims", "not json"), "invalid_request"),
        (("claims", "[]"), "invalid_request"),
        (("claims", r#"{"id_token":[]}"#), "invalid_request"),
        (("claims", r#"{"id_token":{"sub":{"values":["a","b"]}}}"#), "invalid_request"),
        (("claims", &deep), "invalid_request"),
        (("acr_values", &"a ".repeat(100)), "invalid_request"),
        (("id_token_hint", "garbage"), "invalid_request"),
        (("id_token_hint", "a.b.c"), "invalid_request"),
    ] {
        let authorized = world.authorize(&request("app", &[change])).await;
        assert_eq!(sent_back(authorized), expected, "{change:?}");
    }
    world
        .change_client("app", |client| client.grant_types = [GrantType::ClientCredentials].into())
        .await;
    assert_eq!(sent_back(world.authorize(&request("app", &[])).await), "unauthorized_client");
}

#[tokio::test]
async fn an_error_carries_the_state_and_uses_the_mode_that_was_asked_for() {
    let world = World::new().await;
    let request = request("app", &[("response_mode", "form_post"), ("response_type", "token")]);
    let response = responded(world.authorize(&request).await);
    assert_eq!(response.mode, ResponseMode::FormPost);
    assert_eq!(param(&response, "state").as_deref(), Some("st"));
    let described = param(&response, "error_description").unwrap();
    assert!(
        described
            .bytes()
            .all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
        "RFC 6749 §4.1.2.1"
    );
}

#[tokio::test]
async fn pkce_is_required_and_plain_is_refused() {
    let world = World::new().await;
    for client in ["app", "spa"] {
        for change in [
            vec![("code_challenge_method", "plain"), ("code_challenge", VERIFIER)],
            vec![("code_challenge_method", "")],
            vec![("code_challenge", "")],
            vec![("code_challenge", "too-short")],
            vec![("code_challenge", &VERIFIER[1..])],
            vec![("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")],
            vec![("code_challenge_method", "s256")],
        ] {
            let authorized = world.authorize(&request(client, &change)).await;
            assert_eq!(sent_back(authorized), "invalid_request", "{client}: {change:?}");
        }
    }
}

#[tokio::test]
async fn only_a_confidential_client_of_openid_connect_may_send_a_nonce_instead_of_a_challenge() {
    let world = World::new().await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    assert!(param(&responded(world.authorize(&request("app", &without)).await), "code").is_some());
    let refused = [
        ("spa", without.to_vec()),
        ("app", [&without[..], &[("nonce", "")]].concat()),
        ("app", [&without[..], &[("scope", "notes")]].concat()),
    ];
    for (client, change) in refused {
        let authorized = world.authorize(&request(client, &change)).await;
        assert_eq!(sent_back(authorized), "invalid_request", "{client}: {change:?}");
    }
}

#[tokio::test]
async fn scopes_that_the_client_may_not_use_are_left_out_and_the_client_is_told() {
    let world = World::new().await;
    let tokens = world.tokens("app", &[("scope", "openid unheard-of  notes admin")]).await;
    assert_eq!(text(&tokens, "scope"), "notes openid");
}

#[tokio::test]
async fn a_hint_is_an_id_token_of_ours_for_this_client_however_old() {
    let world = World::new().await;
    world
        .change_client("other", |client| client.access_token = AccessTokenFormat::Jwt)
        .await;
    let mine = world.tokens("app", &[]).await;
    let others = world.tokens("other", &[]).await;
    world.advance(3 * 3600);
    let cookie = Secret::new(SecretKind::Session, &world.ports.ports());
    world.sign_in(&SessionId::from("later"), &cookie).await;
    let caller = Caller {
        session: Some(cookie),
        ..stranger()
    };
    let hinted = |hint: &str| request("app", &[("id_token_hint", hint), ("prompt", "none")]);
    let answer = world.idp.authorize(&hinted(text(&mine, "id_token")), &caller).await.unwrap();
    assert!(param(&responded(answer), "code").is_some(), "expired, and still a hint");
    let forged = text(&mine, "id_token").replace('.', ".e");
    for hint in [
        text(&others, "id_token"),
        text(&others, "access_token"),
        text(&mine, "access_token"),
        &forged,
    ] {
        assert_eq!(sent_back(world.authorize(&hinted(hint)).await), "invalid_request", "{hint}");
    }
}
