//! Redirect URIs are compared to the letter: a corpus of what went wrong elsewhere.

use crate::harness::{App, Provider, Request, Visitor};

/// Lookalikes of `https://web.example/cb`.
const LOOKALIKES: [&str; 56] = [
    "",
    "https://web.example",
    "https://web.example/",
    "https://web.example/cb/",
    "https://web.example/cb/x",
    "https://web.example/cbx",
    "https://web.example/CB",
    "https://WEB.example/cb",
    "HTTPS://web.example/cb",
    "http://web.example/cb",
    "https://web.example:443/cb",
    "https://web.example:8443/cb",
    "https://web.example./cb",
    "https://web.example.evil.example/cb",
    "https://evil.example/cb",
    "https://evilweb.example/cb",
    "https://xweb.example/cb",
    "https://web.example@evil.example/cb",
    "https://evil.example@web.example/cb",
    "https://web.example:pass@evil.example/cb",
    "https://web.example%40evil.example/cb",
    "https://evil.example#https://web.example/cb",
    "https://evil.example?https://web.example/cb",
    "https://evil.example\\@web.example/cb",
    "https://evil.example\\.web.example/cb",
    "//web.example/cb",
    "//evil.example/cb",
    "/cb",
    "\\\\evil.example\\cb",
    "https:/web.example/cb",
    "https:web.example/cb",
    "https:///web.example/cb",
    "https://web.example//cb",
    "https://web.example/./cb",
    "https://web.example/x/../cb",
    "https://web.example/cb/../x",
    "https://web.example/cb/..;/x",
    "https://web.example/cb%2f..%2fx",
    "https://web.example/cb%252e%252e",
    "https://web.example/%63b",
    "https://web.example/cb;x",
    "https://web.example/cb?",
    "https://web.example/cb?x=1",
    "https://web.example/cb?tenant=2",
    "https://web.example/cb?tenant=1&x=1",
    "https://web.example/cb#",
    "https://web.example/cb#fragment",
    "https://web.example/cb\t",
    " https://web.example/cb",
    "https://web.example/cb ",
    "https://web.example/cb\n",
    "https://web.example/cb\r\nLocation: https://evil.example",
    "https://web.example/cb\0",
    "https://web\u{2024}example/cb",
    "javascript:alert(1)//https://web.example/cb",
    "data:text/html,https://web.example/cb",
];

/// Not the loopback addresses that a native app registered.
const NOT_LOOPBACK: [&str; 20] = [
    "http://localhost/cb",
    "http://localhost:80@evil.example/cb",
    "http://127.0.0.1:80@evil.example/cb",
    "http://127.0.0.1@evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1:x/cb",
    "http://127.0.0.1:99999/cb",
    "http://127.0.0.1:-1/cb",
    "http://127.0.0.1:80:80/cb",
    "http://127.0.0.1:80evil.example/cb",
    "http://127.0.0.2/cb",
    "http://127.1/cb",
    "http://0x7f.1/cb",
    "http://2130706433/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://[::1%25lo]/cb",
    "https://127.0.0.1/cb",
    "http://127.0.0.1:49152/other",
    "http://127.0.0.1:49152/cb?x=1",
    "com.example.pocket:/other",
];

async fn is_refused(visitor: &mut Visitor, request: &Request) {
    for mode in ["query", "form_post", "fragment", "form_post.jwt", "jwt"] {
        let answer = visitor.get(&request.clone().with("response_mode", mode).url()).await;
        let uri = request.get("redirect_uri");
        assert_eq!((answer.status, answer.location()), (400, None), "{uri:?} in mode {mode}");
        assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{uri:?}");
        assert!(answer.header("refresh").is_none() && answer.forms().is_empty(), "{uri:?}");
    }
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_registered_to_the_letter_gets_an_error_page_and_no_redirect() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let web = App::web(&provider).request();
    for uri in LOOKALIKES {
        is_refused(&mut visitor, &web.clone().with("redirect_uri", uri)).await;
    }
    is_refused(&mut visitor, &web.clone().without("redirect_uri")).await;
    is_refused(&mut visitor, &web.clone().also("redirect_uri", "https://web.example/cb")).await;
    is_refused(&mut visitor, &web.clone().also("redirect_uri", "https://evil.example/")).await;
    is_refused(&mut visitor, &web.clone().with("redirect_uri", "https://post.example/cb")).await;
    is_refused(&mut visitor, &web.clone().with("client_id", "nobody")).await;
    is_refused(&mut visitor, &web.clone().without("client_id")).await;
    is_refused(&mut visitor, &web.clone().also("client_id", "web")).await;
}

#[tokio::test]
async fn only_the_port_of_a_registered_loopback_address_may_differ() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let native = App::native(&provider).request();
    for uri in NOT_LOOPBACK {
        is_refused(&mut visitor, &native.clone().with("redirect_uri", uri)).await;
    }
    for uri in [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]:8123/cb",
        "com.example.pocket:/cb",
    ] {
        let page = visitor.ask(&native.clone().with("redirect_uri", uri)).await.page();
        assert_eq!(page.status, 200, "{uri}");
    }
}

#[tokio::test]
async fn a_dot_is_a_dot() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let request = App::basic(&provider, "dotted", "", "https://a.b.example/cb").request();
    for uri in [
        "https://aXb.example/cb",
        "https://a.bXexample/cb",
        "https://a-b.example/cb",
        "https://a.b.example/.*",
    ] {
        is_refused(&mut visitor, &request.clone().with("redirect_uri", uri)).await;
    }
}

#[tokio::test]
async fn a_registered_query_stays_and_the_answer_is_added() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let request = App::web(&provider)
        .request()
        .with("redirect_uri", "https://web.example/cb?tenant=1")
        .with("prompt", "none");
    let left = visitor.ask(&request).await.left();
    assert!(
        left.as_str()
            .starts_with("https://web.example/cb?tenant=1&error=login_required"),
        "{left}"
    );
}

#[tokio::test]
async fn after_a_logout_the_same_holds() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    for uri in LOOKALIKES.into_iter().filter(|uri| !uri.is_empty()).chain([
        "https://web.example/bye/",
        "https://web.example/bye?x",
        "https://web.example/byebye",
    ]) {
        let query: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
        let answer = visitor
            .get(&format!("/end_session?client_id=web&post_logout_redirect_uri={query}"))
            .await;
        assert_eq!((answer.status, answer.location()), (400, None), "{uri:?}");
    }
    let alone = visitor
        .get("/end_session?post_logout_redirect_uri=https://web.example/bye")
        .await;
    assert_eq!((alone.status, alone.location()), (400, None), "nobody says whose it is");
}
