//! The hosted pages: with and without scripts, by keyboard alone, and for everybody.

use super::chrome::{self, Chrome};
use crate::harness::app::Proof;
use crate::harness::{ALICE, App, Person, Provider};
use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::{any, get};
use fantoccini::key::Key;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The page is usable by everybody, narrow and wide.
async fn is_open_to_all(chrome: &Chrome) {
    for width in [1000, 320] {
        chrome.set_width(Some(width)).await;
        let barriers = chrome.barriers().await;
        assert!(barriers.is_empty(), "{} at {width} px: {barriers:#?}", chrome.path().await);
    }
    chrome.set_width(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_signs_in_with_password_and_mailed_code_and_no_page_is_in_anybody_s_way() {
    let provider = Provider::start().await;
    chrome::story(&provider, async |chrome| {
        chrome.goto(&provider.url("/recovery")).await;
        is_open_to_all(chrome).await;
        chrome.goto(&provider.url("/account")).await;
        is_open_to_all(chrome).await;
        chrome
            .give_password(Person {
                password: "not hers",
                ..ALICE
            })
            .await;
        chrome.find("[role=alert]").await;
        is_open_to_all(chrome).await;
        chrome.give_password(ALICE).await;
        let code = chrome.mailed_code(&provider, ALICE).await;
        is_open_to_all(chrome).await;
        chrome.fill("input[name=code]", &code).await;
        chrome.click("form button.primary").await;
        chrome.arrive(&provider.url("/account")).await;
        assert!(chrome.text("h1").await.contains("Alice Adler"));
        is_open_to_all(chrome).await;
        chrome.click("a[href='/end_session']").await;
        chrome.find("form[action='/end_session/confirm']").await;
        is_open_to_all(chrome).await;
        chrome.click("form button.primary").await;
        chrome.find(".emblem").await;
        is_open_to_all(chrome).await;
        chrome.goto(&provider.url("/nowhere")).await;
        is_open_to_all(chrome).await;
    })
    .await;
}

/// An app on this machine, whose callback sends people on to another origin, as apps behind a `www` do.
async fn app_that_sends_on() -> (u16, JoinSet<()>) {
    let (callback, home) = (listener().await, listener().await);
    let port = callback.local_addr().unwrap().port();
    let onward = format!("http://localhost:{}/home", home.local_addr().unwrap().port());
    let sends_on = any(async move || Redirect::to(&onward));
    let at_home = Router::new().route("/home", get(async || Html("<p id=home>Welcome</p>")));
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(callback, Router::new().fallback(sends_on)).await.unwrap() });
    serving.spawn(async move { axum::serve(home, at_home).await.unwrap() });
    (port, serving)
}

async fn listener() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_gets_people_at_whatever_port_it_listens_and_sends_them_on_to_wherever_it_likes() {
    let (port, _serving) = app_that_sends_on().await;
    let callback = format!("http://127.0.0.1:{port}/cb");
    let provider = Provider::with(&format!(
        r#"
[[client]]
id = "loopback"
name = "Loopback"
native = true
auth = "none"
redirect_uris = ["http://127.0.0.1/cb"]
post_logout_redirect_uris = ["{callback}"]
"#
    ))
    .await;
    let app = App::new(&provider, "loopback", Proof::None, &callback);
    for mode in ["query", "form_post"] {
        chrome::story(&provider, async |chrome| {
            chrome.goto(&app.request().with("response_mode", mode).url()).await;
            chrome.sign_in(&provider, ALICE).await;
            chrome.click("button[name=consent][value=allow]").await;
            chrome.find("#home").await;
            let out = format!("/end_session?client_id=loopback&post_logout_redirect_uri={callback}");
            chrome.goto(&provider.url(&out)).await;
            chrome.click("form[action='/end_session/confirm'] button.primary").await;
            chrome.find("#home").await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_without_scripts() {
    let provider = Provider::start().await;
    chrome::story_without_scripts(&provider, async |chrome| {
        chrome.goto("data:text/html,<noscript><p id=off>off</p></noscript>").await;
        chrome.find("#off").await;
        chrome.goto(&provider.url("/account")).await;
        chrome.sign_in(&provider, ALICE).await;
        chrome.arrive(&provider.url("/account")).await;
        assert!(chrome.text("h1").await.contains("Alice Adler"));
        chrome.click("a[href='/end_session']").await;
        chrome.click("form[action='/end_session/confirm'] button.primary").await;
        chrome.goto(&provider.url("/account")).await;
        chrome.find("input[name=identifier]").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_alone_is_enough() {
    let provider = Provider::start().await;
    chrome::story(&provider, async |chrome| {
        chrome.goto(&provider.url("/account")).await;
        chrome.find("input[name=identifier]:focus").await;
        chrome.type_keys(ALICE.username).await;
        chrome.type_keys(&char::from(Key::Tab).to_string()).await;
        chrome.find("input[name=password]:focus").await;
        chrome.type_keys(ALICE.password).await;
        chrome.type_keys(&char::from(Key::Enter).to_string()).await;
        chrome.find("input[name=code]:focus").await;
        let code = chrome.mailed_code(&provider, ALICE).await;
        chrome.type_keys(&code).await;
        chrome.type_keys(&char::from(Key::Enter).to_string()).await;
        chrome.arrive(&provider.url("/account")).await;
        chrome.type_keys(&char::from(Key::Tab).to_string()).await;
        chrome.find("a.skip:focus").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_can_be_typed_at_once() {
    let provider = Provider::start().await;
    chrome::story(&provider, async |chrome| {
        chrome.goto(&provider.url("/recovery")).await;
        chrome.fill("input[name=identifier]", ALICE.username).await;
        chrome.click("form button.primary").await;
        let link = provider.mailed_link(ALICE.email, "/recovery/").await;
        chrome.goto(&link).await;
        chrome.find(".reveal").await;
        chrome.find("input[name=new_password]:focus").await;
        is_open_to_all(chrome).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_approved_in_another_browser_with_the_code_of_the_first_tab() {
    let provider = Provider::with("[plugins.ip-trust]\nallow_private = true").await;
    chrome::story(&provider, async |laptop| {
        sign_in_anew(&provider, laptop).await;
        laptop.arrive(&provider.url("/account")).await;
        sign_in_anew(&provider, laptop).await;
        let code = laptop.text("output").await;
        is_open_to_all(laptop).await;
        let link = provider.mailed_link(ALICE.email, "/approve/").await;
        chrome::beside(&provider, async |phone| {
            phone.goto(&link).await;
            is_open_to_all(phone).await;
            phone.fill("input[name=code]", &code).await;
            phone.click("button[name=answer][value=yes]").await;
            phone.find(".emblem").await;
            assert!(!phone.has("button[name=answer]").await);
        })
        .await;
        laptop.click("button[name=continue]").await;
        laptop.arrive(&provider.url("/account")).await;

        sign_out(&provider, laptop).await;
        laptop.goto(&provider.url("/account")).await;
        laptop.give_password(ALICE).await;
        laptop.arrive(&provider.url("/account")).await;
        assert!(laptop.text("h1").await.contains("Alice Adler"), "the password was enough");
    })
    .await;
}

async fn sign_out(provider: &Provider, chrome: &Chrome) {
    chrome.goto(&provider.url("/end_session")).await;
    if chrome.has("form[action='/end_session/confirm']").await {
        chrome.click("form[action='/end_session/confirm'] button.primary").await;
        chrome.find(".emblem").await;
    }
}

async fn sign_in_anew(provider: &Provider, chrome: &Chrome) {
    sign_out(provider, chrome).await;
    chrome.goto(&provider.url("/account")).await;
    chrome.sign_in(provider, ALICE).await;
}
