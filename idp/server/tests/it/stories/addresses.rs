//! Trust in addresses: earned, approved by mail, waiving the code, and never by accident.

use crate::harness::{ALICE, App, Callback, Landed, Page, Provider, Visitor};
use reqwest::Method;
use serde_json::json;

/// The sign-in at which the owner is asked.
const ASKED_AT: usize = 2;

/// Signs in often enough to be asked; returns the code that the tab showed and the link that was mailed.
async fn earn(provider: &Provider, visitor: &mut Visitor) -> (String, String) {
    for _ in 0..ASKED_AT {
        visitor.shown = None;
        visitor.cookies.remove("__Host-gait-session");
        App::web(provider).sign_in(visitor, ALICE).await;
    }
    let code = visitor.shown.clone().expect("the tab shows a code");
    (code, provider.mailed_link(ALICE.email, "/approve/").await)
}

/// Signs in anew with the password; returns where that led.
async fn with_password(provider: &Provider, visitor: &mut Visitor) -> (crate::harness::Request, Landed) {
    visitor.cookies.remove("__Host-gait-session");
    let request = App::web(provider).request();
    let page = visitor.ask(&request).await.page();
    let landed = visitor
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await;
    (request, landed)
}

async fn still_asks(provider: &Provider, visitor: &mut Visitor) -> Page {
    let (_, landed) = with_password(provider, visitor).await;
    let page = landed.page();
    assert!(page.form().has("code"), "{}", page.text());
    page
}

#[tokio::test]
async fn an_approved_address_and_browser_need_no_code_and_claim_no_second_factor() {
    let provider = Provider::start().await;
    let (mut laptop, mut phone) = (provider.visitor(), provider.visitor());
    let (code, link) = earn(&provider, &mut laptop).await;
    still_asks(&provider, &mut laptop).await;

    let page = phone.get(&link).await;
    assert_eq!(page.status, 200);
    assert!(page.form().has("code"), "from another browser the code is needed");
    assert!(page.body.contains(laptop.forwarded.as_deref().unwrap()), "it says where");
    assert!(!page.body.contains(&code));
    let refused = phone.submit_once(&page, &[("answer", "yes"), ("code", "000000")]).await;
    assert!(refused.form().has("code"), "a wrong code asks again");
    let done = phone.submit(&page, &[("answer", "yes"), ("code", &code)]).await.page();
    assert_eq!(done.status, 200);
    assert_eq!(
        phone.submit_once(&page, &[("answer", "yes"), ("code", &code)]).await.status,
        410,
        "a link is answered once"
    );

    provider.clock.advance(60);
    let (request, landed) = with_password(&provider, &mut laptop).await;
    let callback = Callback::of(landed.left());
    let claims = App::web(&provider).redeem(callback.code(), &request).await.tokens().claims();
    assert_eq!(claims["amr"], json!(["pwd", "rba"]));
    assert_eq!(claims["acr"], "urn:gait:acr:1fa", "a waiver is no factor");
}

#[tokio::test]
async fn trust_is_in_the_address_and_the_browser_together() {
    let provider = Provider::start().await;
    let (mut laptop, mut phone) = (provider.visitor(), provider.visitor());
    let (_, link) = earn(&provider, &mut laptop).await;
    let page = laptop.get(&link).await;
    assert!(!page.form().has("code"), "the sign-in's own browser needs no code");
    laptop.submit_once(&page, &[("answer", "yes")]).await;
    provider.clock.advance(1000);

    let mut elsewhere = laptop.clone();
    elsewhere.forwarded = Some("192.0.2.77".to_owned());
    still_asks(&provider, &mut elsewhere).await;
    phone.forwarded = laptop.forwarded.clone();
    still_asks(&provider, &mut phone).await;
    provider.clock.advance(1000);
    for wish in [("acr_values", "urn:gait:acr:2fa"), ("max_age", "0"), ("prompt", "login")] {
        provider.clock.advance(400);
        let mut asking = laptop.clone();
        asking.cookies.remove("__Host-gait-session");
        let page = asking.ask(&App::web(&provider).request().with(wish.0, wish.1)).await.page();
        let page = asking
            .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
            .await
            .page();
        assert!(page.form().has("code"), "{wish:?} wants a factor");
    }
    provider.clock.advance(31 * 86_400);
    still_asks(&provider, &mut laptop).await;
}

#[tokio::test]
async fn mail_scanners_and_wrong_codes_approve_nothing() {
    let provider = Provider::start().await;
    let (mut laptop, mut scanner) = (provider.visitor(), provider.visitor());
    let (code, link) = earn(&provider, &mut laptop).await;
    for method in [Method::HEAD, Method::GET, Method::GET] {
        assert_eq!(scanner.send(method, &link, None).await.status, 200);
    }
    // One that submits every form it finds.
    let page = scanner.get(&link).await;
    scanner.submit_once(&page, &[]).await;
    scanner.submit_once(&page, &[("answer", "yes")]).await;
    still_asks(&provider, &mut laptop).await;
    for _ in 0..3 {
        scanner.submit_once(&page, &[("answer", "yes"), ("code", "111111")]).await;
    }
    let late = scanner.submit_once(&page, &[("answer", "yes"), ("code", &code)]).await;
    assert_eq!(late.status, 410, "after three wrong codes the question is over");
    provider.clock.advance(1000);
    still_asks(&provider, &mut laptop).await;
}

#[tokio::test]
async fn not_me_ends_the_session_at_once_and_offers_to_end_all() {
    let provider = Provider::start().await;
    let app = App::web(&provider);
    let (mut other, mut laptop, mut phone) = (provider.visitor(), provider.visitor(), provider.visitor());
    let elsewhere = app.sign_in(&mut other, ALICE).await;
    laptop.cookies.remove("__Host-gait-session");
    app.sign_in(&mut laptop, ALICE).await;
    laptop.cookies.remove("__Host-gait-session");
    let tokens = app.sign_in(&mut laptop, ALICE).await;
    let link = provider.mailed_link(ALICE.email, "/approve/").await;

    let page = phone.get(&link).await;
    let page = phone.submit(&page, &[("answer", "no")]).await.page();
    assert_eq!(page.status, 200);
    assert!(!app.is_active(&tokens.access).await);
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant", "offline or not");
    assert_eq!(app.silently(&mut laptop).await.error(), "login_required");
    assert!(app.is_active(&elsewhere.access).await, "the others live");

    assert!(page.form().has_button("all"));
    assert_eq!(phone.submit(&page, &[("all", "end")]).await.page().status, 200);
    assert!(!app.is_active(&elsewhere.access).await);
    assert_eq!(app.silently(&mut other).await.error(), "login_required");
}

#[tokio::test]
async fn an_approval_can_be_answered_for_ten_minutes() {
    let provider = Provider::start().await;
    let mut laptop = provider.visitor();
    let (_, link) = earn(&provider, &mut laptop).await;
    provider.clock.advance(601);
    assert_eq!(laptop.get(&link).await.status, 410);
    assert_eq!(laptop.get("/approve/nonsense").await.status, 410);
}

#[tokio::test]
async fn a_header_from_somebody_who_is_no_proxy_is_not_believed() {
    let provider = Provider::with("trusted_proxies = []").await;
    let mut visitor = provider.visitor();
    for _ in 0..4 {
        visitor.cookies.remove("__Host-gait-session");
        App::web(&provider).sign_in(&mut visitor, ALICE).await;
    }
    let subjects: Vec<_> = provider
        .catcher
        .mails(Some(ALICE.email))
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert!(
        subjects.iter().all(|subject| subject.contains("code")),
        "loopback is trusted by nobody: {subjects:?}"
    );
    let page = visitor.get("/account").await;
    assert!(!page.body.contains("203.0.113."), "the address of the session is the peer's");
    assert!(page.body.contains("127.0.0.1"));
}

#[tokio::test]
async fn garbage_in_the_proxy_s_header_never_skips_the_code() {
    let provider = Provider::start().await;
    let mut laptop = provider.visitor();
    let (_, link) = earn(&provider, &mut laptop).await;
    let page = laptop.get(&link).await;
    laptop.submit_once(&page, &[("answer", "yes")]).await;
    let trusted = laptop.forwarded.clone().unwrap();
    let long = vec![trusted.as_str(); 2000].join(",");
    let garbage = [
        "a",
        "",
        "unknown",
        "1.2.3.4:99999",
        "[::1]",
        "127.0.0.1",
        "localhost",
        "0",
        "0.0.0.0",
        "::",
        "203.0.113.1.evil.example",
        &format!("{trusted}:80"),
        &format!("{trusted},"),
        &format!("{trusted}, x"),
        &format!("{trusted}/32"),
        &format!("\"{trusted}\""),
        &format!("{trusted}, 198.51.100.1"),
        &long,
    ];
    for forwarded in garbage {
        provider.clock.advance(1000);
        let mut visitor = laptop.clone();
        visitor.forwarded = Some(forwarded.to_owned());
        still_asks(&provider, &mut visitor).await;
    }
    for header in [
        "x-real-ip",
        "forwarded",
        "true-client-ip",
        "cf-connecting-ip",
        "x-client-ip",
        "x-original-forwarded-for",
    ] {
        provider.clock.advance(1000);
        let mut visitor = laptop.clone();
        visitor.forwarded = Some("198.51.100.99".to_owned());
        visitor.headers.push((
            header,
            if header == "forwarded" {
                format!("for={trusted}")
            } else {
                trusted.clone()
            },
        ));
        still_asks(&provider, &mut visitor).await;
    }
    let (_, landed) = with_password(&provider, &mut laptop).await;
    landed.left();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_answers_at_once_one_counts() {
    let provider = Provider::start().await;
    let mut laptop = provider.visitor();
    let (_, link) = earn(&provider, &mut laptop).await;
    let page = laptop.get(&link).await;
    let answers = (0..20).map(|nth| {
        let (mut laptop, page) = (laptop.clone(), page.clone());
        let answer = if nth % 2 == 0 { "yes" } else { "no" };
        tokio::spawn(async move { laptop.submit_once(&page, &[("answer", answer)]).await.status })
    });
    let answers = futures_util::future::join_all(answers).await;
    let statuses: Vec<_> = answers.into_iter().map(|status| status.unwrap()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 303 | 410)), "{statuses:?}");
}
