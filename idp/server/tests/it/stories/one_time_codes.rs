//! The mailed code: for one sign-in in one browser, for ten minutes, for five tries.

use crate::harness::{ALICE, App, BOB, Landed, Page, Person, Provider, Visitor};

/// To the page that asks for the code.
async fn asked(provider: &Provider, visitor: &mut Visitor, person: Person) -> Page {
    let page = visitor.ask(&App::web(provider).request()).await.page();
    let page = visitor
        .submit(&page, &[("identifier", person.username), ("password", person.password)])
        .await
        .page();
    assert!(page.form().has("code"), "{}", page.text());
    page
}

fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

#[tokio::test]
async fn five_wrong_codes_kill_the_right_one() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let mut page = asked(&provider, &mut visitor, ALICE).await;
    let right = visitor.mailed_code(&page, ALICE).await;
    for nth in 0..5 {
        // From another address each time: the tries count all the same.
        visitor.forwarded = Some(format!("198.51.100.{nth}"));
        page = visitor.submit(&page, &[("code", &wrong(&right))]).await.page();
    }
    let landed = visitor.submit(&page, &[("code", &right)]).await;
    assert!(matches!(&landed, Landed::Page(_)), "the right code came too late");
}

#[tokio::test]
async fn a_new_code_can_be_asked_for_and_the_old_one_is_dead() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    let old = visitor.mailed_code(&page, ALICE).await;
    provider.clock.advance(31);
    let page = visitor.submit(&page, &[("action", "resend")]).await.page();
    let new = visitor.mailed_code(&page, ALICE).await;
    let refused = visitor.submit(&page, &[("code", &old)]).await.page();
    assert_ne!(old, new, "one in a million");
    visitor.submit(&refused, &[("code", &new)]).await.left();
}

#[tokio::test]
async fn a_reloaded_page_goes_on_counting_down_to_a_new_code() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    assert!(page.body.contains("data-wait="), "{}", page.text());
    provider.clock.advance(3);
    let reloaded = visitor.get(page.url.as_str()).await;
    let left = ["1", "2"].map(|left| format!("data-wait=\"{left}\""));
    assert!(left.iter().any(|left| reloaded.body.contains(left)), "{}", reloaded.body);
    provider.clock.advance(3);
    let reloaded = visitor.get(page.url.as_str()).await;
    assert!(reloaded.form().has("code") && !reloaded.body.contains("data-wait"));
}

#[tokio::test]
async fn a_code_counts_for_ten_minutes() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    let code = visitor.mailed_code(&page, ALICE).await;
    provider.clock.advance(601);
    assert!(matches!(visitor.submit(&page, &[("code", &code)]).await, Landed::Page(_)));
}

#[tokio::test]
async fn a_code_counts_for_its_own_sign_in_only() {
    let provider = Provider::start().await;
    let (mut one, mut other, mut of_bob) = (provider.visitor(), provider.visitor(), provider.visitor());
    let first = asked(&provider, &mut one, ALICE).await;
    let code = one.mailed_code(&first, ALICE).await;
    let second = asked(&provider, &mut other, ALICE).await;
    assert!(
        matches!(other.submit(&second, &[("code", &code)]).await, Landed::Page(_)),
        "another sign-in of hers"
    );
    let third = asked(&provider, &mut of_bob, BOB).await;
    assert!(
        matches!(of_bob.submit(&third, &[("code", &code)]).await, Landed::Page(_)),
        "another person's"
    );
    let stolen = other.submit_once(&first, &[("code", &code)]).await;
    assert_eq!((stolen.status, stolen.location()), (410, None), "another browser");
    one.submit(&first, &[("code", &code)]).await.left();
}

#[tokio::test]
async fn spaces_dashes_and_wide_digits_are_what_people_type() {
    let provider = Provider::start().await;
    let typed = [
        |code: &str| format!("{} {}", &code[..3], &code[3..]),
        |code: &str| format!(" {}-{} ", &code[..3], &code[3..]),
        |code: &str| {
            code.chars()
                .map(|digit| char::from_u32(u32::from(digit) - 0x30 + 0xff10).unwrap())
                .collect()
        },
    ];
    for type_it in typed {
        let mut visitor = provider.visitor();
        let page = asked(&provider, &mut visitor, ALICE).await;
        let code = visitor.mailed_code(&page, ALICE).await;
        visitor.submit(&page, &[("code", &type_it(&code))]).await.left();
    }
}

#[tokio::test]
async fn the_code_is_in_the_mail_and_nowhere_else() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    let code = visitor.mailed_code(&page, ALICE).await;
    let again = visitor.get(page.url.as_str()).await;
    let after = visitor.submit(&page, &[("code", &wrong(&code))]).await.page();
    for page in [&page, &again, &after] {
        assert!(!page.body.contains(&code));
        assert!(!format!("{:?}", page.headers).contains(&code));
        assert!(!page.body.contains(ALICE.email), "the address is masked");
    }
    assert!(visitor.cookies.values().all(|cookie| !cookie.contains(&code)));
}

#[tokio::test]
async fn mails_to_one_account_are_limited() {
    let provider = Provider::start().await;
    for nth in 0..8 {
        let mut visitor = provider.visitor();
        let page = visitor.ask(&App::web(&provider).request()).await.page();
        let landed = visitor
            .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
            .await;
        assert_eq!(landed.page().status, 200, "sign-in {nth} is told, not broken");
    }
    assert_eq!(provider.catcher.mails(Some(ALICE.email)).len(), 5);
}

#[tokio::test]
async fn failures_of_one_account_are_counted_over_all_its_sign_ins() {
    let provider = Provider::start().await;
    let mut tried = 0;
    // Five sign-ins at most get a mail; each allows five tries by itself.
    for _ in 0..4 {
        let mut visitor = provider.visitor();
        let mut page = asked(&provider, &mut visitor, ALICE).await;
        let right = visitor.mailed_code(&page, ALICE).await;
        for _ in 0..4 {
            page = visitor.submit(&page, &[("code", &wrong(&right))]).await.page();
            tried += 1;
        }
        if tried >= 12 {
            assert!(
                matches!(visitor.submit(&page, &[("code", &right)]).await, Landed::Page(_)),
                "after {tried} failures even the right one"
            );
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_right_answers_at_once_one_signs_in() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    let code = visitor.mailed_code(&page, ALICE).await;
    let answers = (0..20).map(|_| {
        let (mut visitor, page, code) = (visitor.clone(), page.clone(), code.clone());
        tokio::spawn(async move { visitor.submit_once(&page, &[("code", &code)]).await })
    });
    let answers = futures_util::future::join_all(answers).await;
    let pages: Vec<_> = answers.into_iter().map(|page| page.unwrap()).collect();
    let led_to = |start: &str| {
        pages
            .iter()
            .filter(|page| page.location().is_some_and(|to| to.starts_with(start)))
            .count()
    };
    assert_eq!(led_to("https://web.example/cb?code="), 1);
    assert!(
        pages.iter().all(|page| matches!(page.status, 303 | 410)),
        "the others are told to look again, or that it is over"
    );
}
