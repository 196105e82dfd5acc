//! Other sites, other browsers, old pages: nothing moves.

use crate::harness::{ALICE, App, Landed, Provider};

#[tokio::test]
async fn another_site_can_not_answer_for_the_person() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = visitor.ask(&App::web(&provider).request()).await.page();
    let answer = [("identifier", "alice"), ("password", ALICE.password)];
    let foreign = [
        vec![("origin", "https://evil.example".to_owned())],
        vec![("origin", "null".to_owned())],
        vec![("origin", "http://localhost".to_owned())],
        vec![("origin", format!("{}.evil.example", provider.issuer))],
    ];
    for headers in foreign {
        visitor.headers = headers.clone();
        let refused = visitor.submit_once(&page, &answer).await;
        assert_eq!((refused.status, refused.location()), (403, None), "{headers:?}");
    }
    visitor.headers.clear();
    assert!(
        visitor.submit(&page, &answer).await.page().form().has("code"),
        "the person goes on where they were"
    );
}

#[tokio::test]
async fn a_missing_or_old_token_changes_nothing() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let first = visitor.ask(&App::web(&provider).request()).await.page();
    let url = first.url.as_str();
    for csrf in [None, Some(""), Some("nonsense")] {
        let mut fields = vec![("identifier", "alice"), ("password", ALICE.password)];
        fields.extend(csrf.map(|csrf| ("csrf", csrf)));
        let answer = visitor.post(url, &fields).await;
        let shown = visitor.follow(answer).await.page();
        assert!(shown.form().has("identifier"), "{csrf:?}");
    }
    let second = visitor
        .submit(&first, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    let code = visitor.mailed_code(&second, ALICE).await;
    let old = visitor.submit(&first, &[("code", &code)]).await.page();
    assert!(old.form().has("code"), "the page of the step before answers nothing");
    visitor.submit(&old, &[("code", &code)]).await.left();
}

#[tokio::test]
async fn looking_changes_nothing() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = visitor.ask(&App::web(&provider).request()).await.page();
    let csrf = page.form().hidden("csrf").unwrap().to_owned();
    for query in [
        "",
        "?cancel=yes",
        &format!("?csrf={csrf}&identifier=alice&password=quiet+harbour+lantern"),
        &format!("?csrf={csrf}&cancel=yes"),
    ] {
        let shown = visitor.get(&format!("{}{query}", page.url)).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.form().hidden("csrf"), Some(csrf.as_str()), "the same step: {query}");
    }
    let head = visitor.send(reqwest::Method::HEAD, page.url.as_str(), None).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for method in [reqwest::Method::PUT, reqwest::Method::DELETE, reqwest::Method::PATCH] {
        assert_eq!(visitor.send(method, page.url.as_str(), None).await.status, 405);
    }
}

#[tokio::test]
async fn a_sign_in_that_somebody_else_began_can_not_be_gone_on_with() {
    let provider = Provider::start().await;
    let (mut attacker, mut victim) = (provider.visitor(), provider.visitor());
    let page = attacker.ask(&App::web(&provider).request()).await.page();
    let shown = victim.get(page.url.as_str()).await;
    assert_eq!(shown.status, 410);
    let answered = victim
        .submit_once(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await;
    assert_eq!((answered.status, answered.location()), (410, None));
    // With a cookie of a flow of her own under that name: still another browser's.
    let own = victim.ask(&App::web(&provider).request()).await.page();
    let id = |page: &crate::harness::Page| page.url.path().rsplit('/').next().unwrap().to_owned();
    let secret = victim.cookies[&format!("__Host-gait-flow-{}", id(&own))].clone();
    victim.cookies.insert(format!("__Host-gait-flow-{}", id(&page)), secret);
    assert_eq!(victim.get(page.url.as_str()).await.status, 410);
}

#[tokio::test]
async fn nothing_short_of_the_plan_signs_anybody_in() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = visitor.ask(&App::web(&provider).request()).await.page();
    let short: [&[(&str, &str)]; 8] = [
        &[],
        &[("identifier", "alice")],
        &[("password", ALICE.password)],
        &[("code", "123456")],
        &[("consent", "allow")],
        &[("continue", "yes")],
        &[("account", "continue")],
        &[("watch", "yes")],
    ];
    let mut current = page;
    for fields in short {
        let landed = visitor.submit(&current, fields).await;
        let Landed::Page(shown) = landed else {
            panic!("{fields:?} got past")
        };
        assert!(shown.status < 500, "{fields:?}");
        current = visitor.get(current.url.as_str()).await;
        assert!(current.form().has("identifier"), "{fields:?} moved the flow on");
    }
    // After the password the other step's answers do no more.
    current = visitor
        .submit(&current, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    for fields in short {
        if fields.iter().any(|(name, _)| *name == "code") {
            continue;
        }
        assert!(
            matches!(visitor.submit(&current, fields).await, Landed::Page(_)),
            "{fields:?} got past"
        );
        current = visitor.get(current.url.as_str()).await;
        assert!(current.form().has("code"), "{fields:?}");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_no_form() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = visitor.ask(&App::web(&provider).request()).await.page();
    let body = serde_json::json!({"identifier": "alice", "password": ALICE.password}).to_string();
    let cookies: Vec<_> = visitor
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let request = provider
            .http
            .post(page.url.clone())
            .header("cookie", cookies.join("; "))
            .header("content-type", kind);
        assert_eq!(request.body(body.clone()).send().await.unwrap().status(), 400, "{kind}");
    }
}
