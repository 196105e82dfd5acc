//! The app over HTTP, against a fake issuer: signing in, being told of risk and revocation, and what must not work.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fake_issuer;

use fake_issuer::{CLIENT, FakeIssuer, now, sign};
use relying_party::Config;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

/// A browser with cookies, in front of the app.
struct Browser {
    http: reqwest::Client,
    app: String,
    cookies: HashMap<String, String>,
    issuer: FakeIssuer,
}

impl Browser {
    async fn new() -> Self {
        let issuer = fake_issuer::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = format!("http://{}", listener.local_addr().unwrap());
        let config = Config {
            issuer: issuer.url.clone(),
            public_url: app.clone(),
            ..Config::demo()
        };
        tokio::spawn(relying_party::serve(listener, config));
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            app,
            cookies: HashMap::new(),
            issuer,
        }
    }

    /// The same app, another browser.
    fn other(&self) -> Self {
        Self {
            http: self.http.clone(),
            app: self.app.clone(),
            cookies: HashMap::new(),
            issuer: self.issuer.clone(),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(COOKIE, jar.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    async fn get(&mut self, path: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.app));
        self.send(request).await
    }

    async fn page(&mut self) -> String {
        self.get("/").await.text().await.unwrap()
    }

    /// Presses a button, as the page's script does.
    async fn press(&mut self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let page = self.page().await;
        let csrf = page
            .split(r#"data-csrf=""#)
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or("none")
            .to_owned();
        let mut form = vec![("csrf", csrf.as_str())];
        form.extend_from_slice(fields);
        let request = self
            .http
            .post(format!("{}{path}", self.app))
            .header("accept", "application/json")
            .form(&form);
        let response = self.send(request).await;
        (response.status(), response.json().await.unwrap_or_default())
    }

    /// Goes to the issuer; returns the parameters that it was sent there with.
    async fn leave(&mut self, path: &str) -> HashMap<String, String> {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let url = Url::parse(response.headers()[LOCATION].to_str().unwrap()).unwrap();
        let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut script = self.issuer.script.lock().unwrap();
        script.nonce = sent["nonce"].clone();
        script.code_challenge = sent["code_challenge"].clone();
        sent
    }

    async fn come_back(&mut self, state: &str, code: &str) -> Response {
        let path = format!("/callback?code={code}&state={state}&iss={}", self.issuer.url);
        self.get(&path).await
    }

    async fn sign_in(&mut self) {
        let sent = self.leave("/login").await;
        assert_eq!(
            self.come_back(&sent["state"], "good-code").await.status(),
            StatusCode::SEE_OTHER
        );
    }

    async fn call_back(&self, event: &str, jti: &str, payload: Value) -> StatusCode {
        let claims = json!({
            "iss": self.issuer.url, "aud": CLIENT, "jti": jti, "iat": now(), "txn": "t1",
            "sub_id": { "format": "complex", "user": { "format": "iss_sub", "iss": self.issuer.url, "sub": "alice" },
                        "session": { "format": "opaque", "id": "s1" } },
            "events": { format!("https://schemas.openid.net/secevent/caep/event-type/{event}"): payload },
        });
        let request = self.http.post(format!("{}/continuous-callback", self.app));
        let request = request
            .header("content-type", "application/secevent+jwt")
            .body(sign("secevent+jwt", &claims));
        request.send().await.unwrap().status()
    }

    async fn told(&mut self) -> Value {
        self.get("/events.json").await.json().await.unwrap()
    }
}

#[tokio::test]
async fn a_person_signs_in_and_sees_what_was_said_of_them() {
    let mut browser = Browser::new().await;
    let home = browser.get("/").await;
    let policy = home.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains(&browser.issuer.url) && !policy.contains("unsafe"));
    let sent = browser.leave("/login").await;
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["scope"], "openid profile email offline_access continuous_auth");
    assert_eq!(sent["redirect_uri"], format!("{}/callback", browser.app));
    assert!(!sent.contains_key("max_age"));
    assert_eq!(
        browser.come_back(&sent["state"], "good-code").await.status(),
        StatusCode::SEE_OTHER
    );
    let page = browser.page().await;
    for shown in [
        "urn:x:1fa",
        ">pwd<",
        "s1",
        "openid email continuous_auth",
        "Alice",
        r#"data-watched="true""#,
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("at-1") && !page.contains("rt-1"), "tokens stay on the server");
}

#[tokio::test]
async fn an_answer_is_taken_once_and_only_in_the_browser_that_asked() {
    let mut browser = Browser::new().await;
    let sent = browser.leave("/login").await;
    let mut victim = browser.other();
    assert_eq!(
        victim.come_back(&sent["state"], "good-code").await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        browser.come_back("another-state", "good-code").await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        browser.come_back(&sent["state"], "good-code").await.status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        browser.come_back(&sent["state"], "good-code").await.status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let mut browser = Browser::new().await;
    for iss in ["&iss=http://evil.example", ""] {
        let sent = browser.leave("/login").await;
        let path = format!("/callback?code=good-code&state={}{iss}", sent["state"]);
        assert_eq!(browser.get(&path).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn id_tokens_that_cannot_be_believed_sign_nobody_in() {
    for wrong in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "another-app" }),
        json!({ "iss": "http://evil.example" }),
        json!({ "exp": now() - 3600 }),
        json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
    ] {
        let mut browser = Browser::new().await;
        browser.issuer.script.lock().unwrap().id_token = wrong.clone();
        let sent = browser.leave("/login").await;
        assert_eq!(
            browser.come_back(&sent["state"], "good-code").await.status(),
            StatusCode::BAD_GATEWAY,
            "{wrong}"
        );
        assert!(browser.page().await.contains("id=\"sign-in\""), "{wrong}");
    }
}

#[tokio::test]
async fn words_of_the_issuer_are_shown_as_text() {
    let mut browser = Browser::new().await;
    let sent = browser.leave("/login").await;
    let path = format!(
        "/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={}&iss={}",
        sent["state"], browser.issuer.url
    );
    let page = browser.get(&path).await.text().await.unwrap();
    assert!(page.contains("access_denied") && !page.contains("<script>alert"));
}

#[tokio::test]
async fn a_risk_callback_demands_a_step_up_once_and_a_low_one_lifts_it() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    let high = json!({ "current_level": "HIGH", "previous_level": "LOW", "event_timestamp": now() });
    for _ in 0..2 {
        assert_eq!(
            browser.call_back("risk-level-change", "j1", high.clone()).await,
            StatusCode::ACCEPTED
        );
    }
    let told = browser.told().await;
    assert_eq!(told["state"], "step_up");
    assert_eq!(
        told["callbacks"].as_array().unwrap().len(),
        1,
        "a repeated token has no effect"
    );
    assert_eq!(told["callbacks"][0]["event"], "risk-level-change");

    // What comes late, but tells of something earlier, changes nothing.
    let stale = json!({ "current_level": "LOW", "event_timestamp": now() - 600 });
    browser.call_back("risk-level-change", "j2", stale).await;
    assert_eq!(browser.told().await["state"], "step_up");
    browser
        .call_back(
            "risk-level-change",
            "j3",
            json!({ "current_level": "LOW", "event_timestamp": now() + 1 }),
        )
        .await;
    assert_eq!(browser.told().await["state"], "signed_in");
    assert_eq!(
        browser.other().told().await["callbacks"],
        json!([]),
        "other people see nothing of it"
    );
}

#[tokio::test]
async fn a_revocation_ends_the_session_for_good() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    assert_eq!(
        browser
            .call_back("session-revoked", "j1", json!({ "event_timestamp": now() }))
            .await,
        StatusCode::ACCEPTED
    );
    assert_eq!(browser.told().await["state"], "ended");
    browser
        .call_back(
            "risk-level-change",
            "j2",
            json!({ "current_level": "LOW", "event_timestamp": now() + 5 }),
        )
        .await;
    assert_eq!(browser.told().await["state"], "ended");
    assert_eq!(
        browser.press("/watch-token", &[]).await,
        (StatusCode::CONFLICT, json!({ "error": "session_ended" }))
    );
    let (_, outcome) = browser.press("/refresh", &[]).await;
    assert_eq!(outcome["ok"], false);
    assert_eq!(browser.issuer.script.lock().unwrap().refreshed, 0);
}

#[tokio::test]
async fn a_back_channel_logout_ends_the_session() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    let claims = json!({
        "iss": browser.issuer.url, "aud": CLIENT, "jti": "l1", "iat": now(), "exp": now() + 60, "sid": "s1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let post = |token: String| {
        browser
            .http
            .post(format!("{}/backchannel-logout", browser.app))
            .form(&[("logout_token", token)])
            .send()
    };
    assert_eq!(post("nonsense".into()).await.unwrap().status(), StatusCode::BAD_REQUEST);
    let answer = post(sign("logout+jwt", &claims)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(browser.told().await["state"], "ended");
}

#[tokio::test]
async fn a_bad_callback_is_told_why() {
    let browser = Browser::new().await;
    let post = |mime: &str, body: &str| {
        let request = browser.http.post(format!("{}/continuous-callback", browser.app));
        request.header("content-type", mime.to_owned()).body(body.to_owned()).send()
    };
    for (mime, body) in [
        ("application/json", "{}"),
        ("application/secevent+jwt", "nonsense"),
        ("application/secevent+jwt", ""),
    ] {
        let answer = post(mime, body).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert_eq!(answer.json::<Value>().await.unwrap()["err"], "invalid_request");
    }
    let huge = "a".repeat(200 * 1024);
    assert_eq!(
        post("application/secevent+jwt", &huge).await.unwrap().status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn the_api_challenges_and_the_app_asks_for_exactly_that() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    browser.issuer.script.lock().unwrap().introspection = json!({ "active": true, "scope": "openid", "sub": "alice" });
    let (_, outcome) = browser.press("/call-api", &[]).await;
    assert_eq!(outcome["ok"], true, "{outcome}");

    browser.issuer.script.lock().unwrap().introspection = json!({
        "active": true, "scope": "openid", "auth_time": 1, "step_up_required": true, "required_acr_values": "phr", "reauth_after": 2,
    });
    let (_, outcome) = browser.press("/call-api", &[]).await;
    assert!(
        outcome["lines"][0]
            .as_str()
            .unwrap()
            .contains("insufficient_user_authentication"),
        "{outcome}"
    );
    assert_eq!(browser.told().await["state"], "step_up");
    let sent = browser.leave("/login?step_up=1").await;
    assert_eq!((sent["acr_values"].as_str(), sent["max_age"].as_str()), ("phr", "60"));
    assert!(sent.contains_key("id_token_hint"));

    // A sign-in of yesterday doesn't answer it; one of now does.
    browser.issuer.script.lock().unwrap().id_token = json!({ "auth_time": now() - 86_400 });
    assert_eq!(
        browser.come_back(&sent["state"], "good-code").await.status(),
        StatusCode::BAD_GATEWAY
    );
    browser.issuer.script.lock().unwrap().id_token = json!({ "acr": "phr" });
    let sent = browser.leave("/login?step_up=1").await;
    assert_eq!(
        browser.come_back(&sent["state"], "good-code").await.status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(browser.told().await["state"], "signed_in");

    browser.issuer.script.lock().unwrap().introspection = json!({ "active": false });
    let (_, outcome) = browser.press("/call-api", &[]).await;
    assert!(outcome["lines"][0].as_str().unwrap().contains("invalid_token"), "{outcome}");
}

#[tokio::test]
async fn the_api_asks_for_a_token() {
    let mut browser = Browser::new().await;
    let answer = browser.get("/api/note").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn the_watch_token_comes_through_the_server_and_dead_access_tokens_are_renewed_first() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    browser.issuer.script.lock().unwrap().watch = Some((401, json!({ "error": "invalid_token" })));
    let (status, answer) = browser.press("/watch-token", &[]).await;
    assert_eq!((status, answer["watch_token"].as_str()), (StatusCode::OK, Some("gait_wt_1")));
    {
        let script = browser.issuer.script.lock().unwrap();
        assert_eq!(script.refreshed, 1);
        assert_eq!(script.watch_requests[1].0, "Bearer at-r1");
        assert_eq!(script.watch_requests[0].1, json!({ "origin": browser.app }));
    }
}

#[tokio::test]
async fn a_withdrawn_consent_or_an_ended_session_is_passed_on() {
    for (status, error, state) in [(403, "consent_required", "signed_in"), (409, "session_ended", "ended")] {
        let mut browser = Browser::new().await;
        browser.sign_in().await;
        browser.issuer.script.lock().unwrap().watch = Some((status, json!({ "error": error })));
        let (answered, answer) = browser.press("/watch-token", &[]).await;
        assert_eq!((answered.as_u16(), &answer), (status, &json!({ "error": error })));
        assert_eq!(browser.told().await["state"], state);
    }
}

#[tokio::test]
async fn a_refused_refresh_is_shown_and_keeps_the_session() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    let refusal = json!({ "error": "invalid_grant", "error_description": "re-authentication required" });
    browser.issuer.script.lock().unwrap().refresh_error = Some(refusal);
    let (_, outcome) = browser.press("/refresh", &[]).await;
    assert_eq!(
        outcome,
        json!({ "ok": false, "title": "Gait refused: invalid_grant", "lines": ["re-authentication required"] })
    );
    assert_eq!(browser.told().await["state"], "signed_in");
}

#[tokio::test]
async fn a_report_reaches_gait() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    let (_, outcome) = browser.press("/signal", &[("kind", "risk")]).await;
    assert_eq!(outcome["ok"], true, "{outcome}");
    assert_eq!(browser.issuer.script.lock().unwrap().signals.len(), 1);
}

#[tokio::test]
async fn buttons_work_only_on_the_own_page() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    for path in ["/call-api", "/refresh", "/watch-token", "/logout"] {
        let request = browser
            .http
            .post(format!("{}{path}", browser.app))
            .form(&[("csrf", "guessed")]);
        assert_eq!(browser.send(request).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(
        browser.press("/signal", &[("kind", "risk"), ("csrf", "x")]).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let (status, _) = browser.other().press("/call-api", &[]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_out_goes_by_gait_and_back() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    let page = browser.page().await;
    let csrf = page
        .split(r#"data-csrf=""#)
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let request = browser.http.post(format!("{}/logout", browser.app)).form(&[("csrf", csrf)]);
    let response = browser.send(request).await;
    let url = Url::parse(response.headers()[LOCATION].to_str().unwrap()).unwrap();
    let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(url.path(), "/end_session");
    assert_eq!(sent["post_logout_redirect_uri"], format!("{}/", browser.app));
    assert!(sent["id_token_hint"].split('.').count() == 3);
    assert!(
        !browser.page().await.contains("You are signed out."),
        "only Gait's answer says so"
    );
    let home = browser.get(&format!("/?state={}", sent["state"])).await.text().await.unwrap();
    assert!(home.contains("You are signed out."));
}

#[tokio::test]
async fn an_issuer_that_is_down_is_no_crash() {
    let config = Config {
        issuer: "http://127.0.0.1:1".into(),
        ..Config::demo()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(relying_party::serve(listener, config));
    let issuer = fake_issuer::start().await;
    let mut browser = Browser {
        app,
        ..Browser {
            issuer,
            ..Browser::new().await
        }
    };
    assert_eq!(browser.get("/").await.status(), StatusCode::OK);
    assert_eq!(browser.get("/login").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        browser.call_back("session-revoked", "j1", json!({})).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
}
