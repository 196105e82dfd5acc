//! Mail over SMTP, on good days and bad ones.

use crate::harness::{ALICE, App, BOB, MailServer, Page, Person, Provider, Visitor, ZOE};
use crate::operate::server::Server;
use std::collections::BTreeSet;
use std::time::Duration;

const LATE: &str = "We couldn’t send the mail so far";
const REFUSED: &str = "the mail server of your address doesn’t take it";

/// To the page that asks for the mailed code.
async fn asked(provider: &Provider, visitor: &mut Visitor, person: Person) -> Page {
    let page = visitor.ask(&App::web(provider).request()).await.page();
    let fields = [("identifier", person.username), ("password", person.password)];
    let page = visitor.submit(&page, &fields).await.page();
    assert!(page.form().has("code"), "{}", page.text());
    page
}

/// Asks for a new password.
async fn forgot(visitor: &mut Visitor, identifier: &str) -> Page {
    let page = visitor.get("/recovery").await;
    visitor.submit(&page, &[("identifier", identifier)]).await.page()
}

/// Loads a page again until it says this, or doesn't.
async fn reads(visitor: &mut Visitor, page: &Page, words: &str, is_there: bool) -> Page {
    for _ in 0..200 {
        let page = visitor.get(page.url.as_str()).await;
        if page.text().contains(words) == is_there {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} never changes to {is_there}: {words}", page.url);
}

/// Waits until so many mails have come.
async fn come(server: &MailServer, count: usize) -> usize {
    for _ in 0..400 {
        if server.arrived().len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    server.arrived().len()
}

#[tokio::test]
async fn people_sign_in_by_mails_that_come_on_one_connection() {
    let server = MailServer::start().await;
    let provider = Provider::mailing(&server, &server.config()).await;
    for person in [ALICE, BOB, ZOE] {
        App::web(&provider).sign_in(&mut provider.visitor(), person).await;
    }
    let arrived = server.arrived();
    let to: Vec<_> = arrived.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, [ALICE.email, BOB.email, ZOE.email]);
    assert!(
        arrived
            .iter()
            .all(|mail| mail.connection == 1 && mail.from == "no-reply@id.example")
    );
    let header = |raw: &str, name: &str| raw.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
    for mail in &arrived {
        assert_eq!(header(&mail.raw, "From: ").as_deref(), Some("Gait <no-reply@id.example>"));
        assert_eq!(header(&mail.raw, "Auto-Submitted: ").as_deref(), Some("auto-generated"));
        assert!(header(&mail.raw, "Date: ").is_some());
    }
    let ids: BTreeSet<_> = arrived.iter().map(|mail| header(&mail.raw, "Message-ID: ")).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mail_that_is_just_being_sent_when_the_server_ends_comes_once() {
    let server = MailServer::start().await;
    let mut provider = Provider::mailing(&server, &server.config()).await;
    server.is_slow(true);
    asked(&provider, &mut provider.visitor(), ALICE).await;
    assert_eq!(come(&server, 1).await, 1);
    provider.ask_to_leave();
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.is_slow(false);
    provider.restart().await;
    provider.clock.advance(61);
    App::web(&provider).sign_in(&mut provider.visitor(), BOB).await;
    let to: Vec<_> = server.arrived().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [ALICE.email, BOB.email]);
}

#[tokio::test]
async fn a_mail_that_is_put_off_comes_later_and_the_page_says_so() {
    let server = MailServer::start().await;
    let provider = Provider::mailing(&server, &server.config()).await;
    server.replies(ALICE.email, "451 4.7.1 greylisted, try again", 1);
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    reads(&mut visitor, &page, LATE, true).await;
    App::web(&provider).sign_in(&mut provider.visitor(), BOB).await;
    provider.clock.advance(10);
    let code = visitor.mailed_code(&page, ALICE).await;
    reads(&mut visitor, &page, LATE, false).await;
    visitor.submit(&page, &[("code", &code)]).await.left();
}

#[tokio::test]
async fn a_mail_that_is_refused_is_told_to_whoever_knew_the_password_and_can_be_sent_again() {
    let server = MailServer::start().await;
    let provider = Provider::mailing(&server, &server.config()).await;
    server.replies(ALICE.email, "550 5.1.1 <alice@example.test> unknown", 1);
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    let page = reads(&mut visitor, &page, REFUSED, true).await;
    assert!(page.form().has_button("action"), "the button that sends it again");
    provider.clock.advance(31);
    let page = visitor.submit(&page, &[("action", "resend")]).await.page();
    assert!(!page.text().contains(REFUSED), "{}", page.text());
    let code = visitor.mailed_code(&page, ALICE).await;
    visitor.submit(&page, &[("code", &code)]).await.left();
}

#[tokio::test]
async fn that_one_address_is_refused_tells_a_stranger_nothing() {
    let server = MailServer::start().await;
    let provider = Provider::mailing(&server, &server.config()).await;
    server.replies(ALICE.email, "550 5.1.1 unknown", 1);
    let (mut known, mut unknown) = (provider.visitor(), provider.visitor());
    let page = forgot(&mut known, "alice").await;
    // Mails go in the order in which they were asked for: once Bob's is there, what became of Alice's is known.
    forgot(&mut provider.visitor(), "bob").await;
    assert_eq!(come(&server, 1).await, 1);
    let nobodys = forgot(&mut unknown, "nobody").await;
    let again = known.get(page.url.as_str()).await;
    assert_eq!(again.without_tokens(), nobodys.without_tokens());
    assert!(!again.text().contains("send the mail"), "{}", again.text());
}

#[tokio::test]
async fn when_no_mail_can_be_sent_everybody_reads_so_whoever_asks_first() {
    for (first, second) in [("alice", "nobody"), ("nobody", "alice")] {
        let server = MailServer::start().await;
        let provider = Provider::mailing(&server, &server.config()).await;
        server.down().await;
        let mut visitor = provider.visitor();
        let page = forgot(&mut visitor, first).await;
        reads(&mut visitor, &page, LATE, true).await;
        let other = forgot(&mut provider.visitor(), second).await;
        assert!(other.text().contains(LATE), "{second} after {first}: {}", other.text());
        server.up().await;
        provider.clock.advance(120);
        provider.mailed_link(ALICE.email, "/recovery/").await;
        reads(&mut visitor, &page, LATE, false).await;
        assert_eq!(server.arrived().len(), 1, "nobody gets nothing");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_or_says_nothing_gets_each_mail_in_the_end() {
    let server = MailServer::start().await;
    let provider = Provider::mailing(&server, &server.config()).await;
    server.hangs_up(1);
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    reads(&mut visitor, &page, LATE, true).await;
    server.is_silent(true);
    provider.clock.advance(10);
    let before = server.connections();
    for _ in 0..200 {
        if server.connections() > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let other = forgot(&mut provider.visitor(), "bob").await;
    assert!(other.text().contains(LATE), "{}", other.text());
    server.is_silent(false);
    for _ in 0..40 {
        provider.clock.advance(5);
        tokio::time::sleep(Duration::from_millis(100)).await;
        if server.arrived().len() >= 2 {
            break;
        }
    }
    let to: BTreeSet<_> = server.arrived().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, BTreeSet::from([ALICE.email.to_owned(), BOB.email.to_owned()]));
    let code = visitor.mailed_code(&page, ALICE).await;
    visitor.submit(&page, &[("code", &code)]).await.left();
}

#[tokio::test]
async fn a_code_that_is_dead_is_not_sent_any_more() {
    let server = MailServer::start().await;
    let provider = Provider::mailing(&server, &server.config()).await;
    server.down().await;
    let mut visitor = provider.visitor();
    let page = asked(&provider, &mut visitor, ALICE).await;
    reads(&mut visitor, &page, LATE, true).await;
    provider.clock.advance(601);
    server.up().await;
    forgot(&mut provider.visitor(), "bob").await;
    assert_eq!(come(&server, 1).await, 1);
    let to: Vec<_> = server.arrived().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [BOB.email]);
}

#[tokio::test]
async fn no_more_mails_leave_in_a_minute_than_the_operator_allows() {
    let server = MailServer::start().await;
    let provider = Provider::mailing(&server, &format!("{}per_minute = 2\n", server.config())).await;
    // The next minute begins when the story says so.
    provider.clock.advance(60 - provider.clock.now().rem_euclid(60));
    for name in ["alice", "bob", "Zoë"] {
        forgot(&mut provider.visitor(), name).await;
    }
    assert_eq!(come(&server, 2).await, 2);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(server.arrived().len(), 2);
    provider.clock.advance(60);
    assert_eq!(come(&server, 3).await, 3);
}

#[tokio::test]
async fn nobodys_mailbox_is_flooded_by_many_ways_at_once() {
    let server = MailServer::start().await;
    let limits = "[policy.mails]\nper_mailbox = 3\n";
    let provider = Provider::mailing(&server, &format!("{}{limits}", server.config())).await;
    for _ in 0..2 {
        forgot(&mut provider.visitor(), "alice").await;
    }
    asked(&provider, &mut provider.visitor(), ALICE).await;
    let mut visitor = provider.visitor();
    let page = visitor.ask(&App::web(&provider).request()).await.page();
    let fields = [("identifier", ALICE.username), ("password", ALICE.password)];
    let page = visitor.submit(&page, &fields).await.page();
    assert!(page.text().contains("Too many mails"), "{}", page.text());
    assert_eq!(come(&server, 3).await, 3);
}

#[tokio::test]
async fn a_mail_survives_kill_9() {
    let mails = MailServer::start().await;
    mails.down().await;
    let mut server = Server::configured(|base| {
        let (before, after) = base.split_once("[smtp]").expect("its section");
        let (_, after) = after.split_once("[[client]]").expect("the next");
        format!("{before}{}\n[[client]]{after}", mails.config())
    });
    server.serve().await;
    let mut visitor = server.visitor();
    let page = forgot(&mut visitor, "alice").await;
    assert_eq!(page.status, 200);
    server.signal("KILL");
    server.serve().await;
    mails.up().await;
    // A minute if it was killed in the middle of a try.
    for _ in 0..3000 {
        if !mails.arrived().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let mail = mails.mails(ALICE.email).pop().expect("a mail");
    let start = format!("{}/recovery/", server.issuer);
    let link = mail
        .text
        .split_whitespace()
        .find(|word| word.starts_with(&start))
        .expect("a link");
    // Whether it was the ephemeral half that died or not, the mail names a page of ours.
    assert!([200, 404, 410].contains(&visitor.get(link).await.status));
    let file = std::fs::read(server.path("data/gait.db")).expect("the database");
    let token = link.rsplit('/').next().expect("a token").as_bytes().to_vec();
    assert!(
        !file.windows(token.len()).any(|part| part == token),
        "no link lies in the database"
    );
}
