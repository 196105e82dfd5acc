//! Who is unknown sees what everybody sees.

use crate::harness::{App, Page, Person, Provider};

/// The page after a try, without what is this visitor's own.
async fn tried(provider: &Provider, person: Person) -> (Page, String) {
    let mut visitor = provider.visitor();
    let page = visitor.ask(&App::web(provider).request()).await.page();
    let page = visitor
        .submit(&page, &[("identifier", person.username), ("password", person.password)])
        .await
        .page();
    let text = page.without_tokens().replace(person.username, "NAME");
    (page, text)
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let provider = Provider::start().await;
    let wrong = |username| Person {
        username,
        password: "not the password",
        email: "",
    };
    let (known, of_known) = tried(&provider, wrong("alice")).await;
    let (unknown, of_unknown) = tried(&provider, wrong("blice")).await;
    assert_eq!(of_known, of_unknown);
    assert_eq!(known.status, unknown.status);
    let names = |page: &Page| page.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));
    assert!(provider.catcher.mails(None).is_empty(), "and nobody got a mail");
}

#[tokio::test]
async fn odd_names_are_unknown_and_nothing_more() {
    let provider = Provider::start().await;
    for username in [
        "' or 1=1 --",
        "alice\u{0}",
        "a\r\nSet-Cookie: x=y",
        "\u{1b}[31mred",
        "%00",
        "../../etc/passwd",
        "alice ' ",
        "{{7*7}}",
        "<script>alert(1)</script>",
    ] {
        let (page, _) = tried(
            &provider,
            Person {
                username,
                password: "not the password",
                email: "",
            },
        )
        .await;
        assert!(page.status < 500, "{username:?}");
        assert!(
            !page.body.contains("<script>alert") && !page.body.contains("49\""),
            "{username:?}"
        );
    }
}

#[tokio::test]
async fn strangers_can_not_use_up_the_tries_of_a_known_browser() {
    let provider = Provider::start().await;
    let (app, mut owner) = (App::web(&provider), provider.visitor());
    app.sign_in(&mut owner, crate::harness::ALICE).await;
    for _ in 0..3 {
        let mut attacker = provider.visitor();
        let mut page = attacker.ask(&app.request()).await.page();
        for _ in 0..6 {
            page = attacker
                .submit(&page, &[("identifier", "alice"), ("password", "a guess of somebody")])
                .await
                .page();
        }
    }
    let mut locked_out = provider.visitor();
    let page = locked_out.ask(&app.request()).await.page();
    let page = locked_out
        .submit(
            &page,
            &[("identifier", "alice"), ("password", crate::harness::ALICE.password)],
        )
        .await
        .page();
    assert!(
        !page.form().has("code"),
        "after that many guesses nobody new gets in, not even with the right password"
    );
    owner.cookies.remove("__Host-gait-session");
    app.sign_in(&mut owner, crate::harness::ALICE).await;
}
