//! Authorization requests: what is demanded of them, and how their answers travel.

use crate::harness::{ALICE, App, Callback, Landed, Provider};

#[tokio::test]
async fn form_post_sends_the_code_by_a_form_to_the_client_and_nobody_else() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request().with("response_mode", "form_post");
    let at = visitor.ask(&request).await;
    let page = visitor.walk(at, ALICE).await.page();
    let form = page.form();
    assert_eq!(form.action, "https://web.example/cb");
    assert_eq!(form.hidden("state"), Some(request.get("state")));
    assert_eq!(form.hidden("iss"), Some(provider.issuer.as_str()));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.ends_with("form-action 'self' https:") && !policy.contains("unsafe-inline"),
        "{policy}"
    );
    app.redeem(form.hidden("code").unwrap(), &request).await.tokens();
}

#[tokio::test]
async fn a_request_may_be_posted() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request();
    let fields: Vec<_> = request
        .params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    // From the client's own page, so with its origin.
    visitor.headers.push(("origin", "https://web.example".to_owned()));
    let answer = visitor.post("/authorize", &fields).await;
    visitor.headers.clear();
    let at = visitor.follow(answer).await;
    let callback = Callback::of(visitor.walk(at, ALICE).await.left());
    app.redeem(callback.code(), &request).await.tokens();
    let mixed = visitor.post("/authorize?client_id=web", &fields).await;
    assert_eq!((mixed.status, mixed.location()), (400, None), "query and body are not mixed");
}

#[tokio::test]
async fn mistakes_of_a_proven_client_come_back_to_it_with_state_and_issuer() {
    let provider = Provider::start().await;
    let (app, public) = (App::web(&provider), App::native(&provider));
    let mut visitor = provider.visitor();
    let good = app.request();
    let cases = [
        (good.clone().without("response_type"), "invalid_request"),
        (good.clone().with("response_type", "token"), "unsupported_response_type"),
        (
            good.clone().with("response_type", "code id_token"),
            "unsupported_response_type",
        ),
        (good.clone().with("response_mode", "fragment"), "invalid_request"),
        (good.clone().with("response_mode", "form_post.jwt"), "invalid_request"),
        (good.clone().with("scope", "nothing:known"), "invalid_scope"),
        (good.clone().without("scope"), "invalid_scope"),
        (
            good.clone().with("request", "eyJhbGciOiJub25lIn0.e30."),
            "request_not_supported",
        ),
        (
            good.clone().with("request_uri", "https://web.example/r"),
            "request_uri_not_supported",
        ),
        (good.clone().with("code_challenge_method", "plain"), "invalid_request"),
        (good.clone().with("code_challenge", "too-short"), "invalid_request"),
        (good.clone().without("code_challenge"), "invalid_request"),
        (
            public.request().without("code_challenge").without("code_challenge_method"),
            "invalid_request",
        ),
        (good.clone().with("max_age", "-1"), "invalid_request"),
        (good.clone().with("prompt", "nonsense"), "invalid_request"),
        (good.clone().with("claims", "[[[["), "invalid_request"),
        (good.clone().with("claims", &"[".repeat(3000)), "invalid_request"),
        (good.clone().with("id_token_hint", "a.b.c"), "invalid_request"),
        (good.clone().also("scope", "openid"), "invalid_request"),
        (good.clone().also("nonce", "two"), "invalid_request"),
    ];
    for (request, error) in cases {
        let callback = Callback::of(visitor.ask(&request).await.left());
        assert_eq!(callback.error(), error, "{}", callback.url);
        assert_eq!(callback.params["state"], request.get("state"));
        assert_eq!(callback.params["iss"], provider.issuer);
        assert!(!callback.params.contains_key("code"));
    }
    let twice = Callback::of(visitor.ask(&good.also("state", "two")).await.left());
    assert_eq!(twice.error(), "invalid_request");
    assert!(!twice.params.contains_key("state"), "a state that came twice is none");
}

#[tokio::test]
async fn what_is_not_known_in_a_request_is_ignored() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app
        .request()
        .with("display", "popup")
        .with("claims_locales", "de")
        .with("colour", "green");
    assert!(matches!(visitor.ask(&request).await, Landed::Page(page) if page.form().has("identifier")));
}

#[tokio::test]
async fn the_challenge_of_the_request_must_be_answered_at_the_token_endpoint() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request();
    let callback = Callback::of(visitor.sign_in(&request, ALICE).await);
    let base = [
        ("grant_type", "authorization_code"),
        ("code", callback.code()),
        ("redirect_uri", app.redirect_uri.as_str()),
    ];
    assert_eq!(app.post("/token", &base).await.error(), "invalid_grant", "no verifier");
    let other = "w".repeat(43);
    let wrong = [base.as_slice(), &[("code_verifier", other.as_str())]].concat();
    assert_eq!(app.post("/token", &wrong).await.error(), "invalid_grant", "another verifier");
    let plain = [base.as_slice(), &[("code_verifier", request.get("code_challenge"))]].concat();
    assert_eq!(
        app.post("/token", &plain).await.error(),
        "invalid_grant",
        "the challenge itself"
    );
    app.redeem(callback.code(), &request).await.tokens();
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_a_downgrade_and_refused() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    // A confidential client may send a nonce instead.
    let request = app.request().without("code_challenge").without("code_challenge_method");
    let callback = Callback::of(visitor.sign_in(&request, ALICE).await);
    let base = [
        ("grant_type", "authorization_code"),
        ("code", callback.code()),
        ("redirect_uri", app.redirect_uri.as_str()),
    ];
    let stripped = [base.as_slice(), &[("code_verifier", request.verifier.as_str())]].concat();
    assert_eq!(app.post("/token", &stripped).await.error(), "invalid_grant");
    app.redeem(callback.code(), &request).await.tokens();
}

#[tokio::test]
async fn a_request_s_parameters_can_not_be_changed_on_the_way() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::web(&provider), provider.visitor());
    let request = app.request();
    let page = visitor.ask(&request).await.page();
    let tampered = [
        ("identifier", "alice"),
        ("password", ALICE.password),
        ("redirect_uri", "https://evil.example/"),
        ("client_id", "post"),
        ("scope", "openid continuous_auth"),
        ("response_type", "token"),
        ("response_mode", "fragment"),
        ("state", "changed"),
    ];
    let at = visitor.submit(&page, &tampered).await;
    let callback = Callback::of(visitor.walk(at, ALICE).await.left());
    assert!(
        callback.url.as_str().starts_with("https://web.example/cb?"),
        "{}",
        callback.url
    );
    assert_eq!(callback.params["state"], request.get("state"));
    let tokens = app.redeem(callback.code(), &request).await.tokens();
    assert!(!tokens.body["scope"].as_str().unwrap().contains("continuous_auth"));
}
