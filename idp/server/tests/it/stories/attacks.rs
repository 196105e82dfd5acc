//! Attacks that once worked.

use crate::harness::{ALICE, App, Page, Provider, Visitor};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Sends the sign-in page's form, and hangs up before the answer.
async fn hangs_up(provider: &Provider, visitor: &Visitor, page: &Page, password: &str) {
    let form = page.form();
    let csrf = form.hidden("csrf").unwrap();
    let body = format!("identifier=alice&password={password}&csrf={csrf}");
    let cookies: Vec<_> = visitor
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\ncookie: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        page.url.path(),
        cookies.join("; "),
        body.len()
    );
    let port = provider.issuer.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_presses_twice_or_closes_the_tab_can_go_on() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let mut page = visitor.ask(&App::web(&provider).request()).await.page();
    for _ in 0..5 {
        hangs_up(&provider, &visitor, &page, "not+hers").await;
        page = provider_has_answered(&mut visitor, page).await;
    }
    let at = visitor
        .submit(&page, &[("identifier", ALICE.username), ("password", ALICE.password)])
        .await;
    assert!(
        !visitor
            .walk(at, ALICE)
            .await
            .left()
            .query_pairs()
            .any(|(name, _)| name == "error")
    );
}

/// The page once the answer that nobody waited for has counted.
async fn provider_has_answered(visitor: &mut Visitor, before: Page) -> Page {
    let old = before.form().hidden("csrf").unwrap().to_owned();
    for _ in 0..200 {
        let page = visitor.get(before.url.as_str()).await;
        if page.form().hidden("csrf") != Some(&old) {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the answer was dropped, and holds the flow")
}

#[tokio::test]
async fn nobody_chooses_the_id_of_a_request() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    for id in ["0", "another request's", &"Z".repeat(5000)] {
        visitor.headers = vec![("x-request-id", id.to_owned())];
        let page = visitor.get("/nowhere").await;
        let own = page.header("x-request-id").unwrap();
        assert_eq!(own.len(), 36, "a UUID of ours: {own}");
        assert!(!page.body.contains(id) || id == "0");
    }
}

#[tokio::test]
async fn one_address_can_not_stop_the_sign_in_of_others() {
    let provider = Provider::start().await;
    let (mut flood, mut other) = (provider.visitor(), provider.visitor());
    let url = App::web(&provider).request().url();
    for nth in 0..1000 {
        flood.cookies.clear();
        assert_eq!(flood.get(&url).await.status, 303, "{nth}");
    }
    let refused = flood.get(&url).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("900")));
    assert_eq!(flood.get("/account").await.status, 429);
    assert_eq!(other.get(&url).await.status, 303);
}

#[tokio::test]
async fn two_tokens_in_one_form_are_no_token() {
    let provider = Provider::start().await;
    let answer = provider
        .visitor()
        .post("/userinfo", &[("access_token", "a"), ("access_token", "b")])
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn odd_addresses_of_pages_lead_nowhere_and_break_nothing() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    for path in [
        "/flow/%0d%0aSet-Cookie:x",
        "/flow/%ff",
        "/flow/..%2f..%2fx",
        "//evil.example",
        "/flow//evil.example",
        "/account%00",
    ] {
        for query in ["", "?lang=de", "?lang=%0d%0aX"] {
            let url = format!("{}{path}{query}", provider.issuer);
            let page = visitor.get(&url).await;
            assert!(page.status < 500, "{path}{query}: {}", page.status);
            let leads_on = page.location().is_some_and(|to| !to.starts_with('/') || to.starts_with("//"));
            assert!(!leads_on, "{path}{query}: {:?}", page.location());
        }
    }
}
