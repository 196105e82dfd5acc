//! Callbacks that don't arrive, and what an operator does about them.

use crate::harness::{ALICE, App, Provider, Visitor, claims};

const APPS: &str = r#"
[[client]]
id = "picky"
secret = "picky-secret-that-is-long-enough-for-it"
redirect_uris = ["https://picky.example/cb"]
backchannel_logout_uri = "RECEIVER/picky/logout"
trusted = true

[[client]]
id = "hangs"
secret = "hangs-secret-that-is-long-enough-for-it"
redirect_uris = ["https://hangs.example/cb"]
backchannel_logout_uri = "RECEIVER/hangs/logout"
trusted = true
"#;

fn app(provider: &Provider, id: &str) -> App {
    let secret = format!("{id}-secret-that-is-long-enough-for-it");
    App::basic(provider, id, &secret, &format!("https://{id}.example/cb"))
}

/// Signs in to `apps` and out again.
async fn comes_and_goes(visitor: &mut Visitor, apps: &[App]) {
    let mut hint = String::new();
    for app in apps {
        hint = app.sign_in(visitor, ALICE).await.id;
    }
    visitor.open(&format!("/end_session?id_token_hint={hint}")).await.page();
}

/// Waits until the command prints a line with `words`; returns it.
async fn printed(provider: &Provider, arguments: &[&str], words: &str) -> String {
    for _ in 0..50 {
        let (ok, printed) = provider.gait(arguments).await;
        assert!(ok, "{printed}");
        if let Some(line) = printed.lines().find(|line| line.contains(words)) {
            return line.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("gait {arguments:?} never prints {words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_callback_that_is_just_being_sent_when_the_server_ends_comes_once() {
    let mut provider = Provider::with(APPS).await;
    let mut visitor = provider.visitor();
    provider.receiver.is_slow(true);
    comes_and_goes(&mut visitor, &[App::web(&provider)]).await;
    provider.receiver.wait("web", "logout", 1).await;
    provider.ask_to_leave();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    provider.receiver.is_slow(false);
    provider.restart().await;
    comes_and_goes(&mut visitor, &[App::web(&provider)]).await;
    provider.receiver.wait("web", "logout", 2).await;
    provider.clock.advance(31);
    comes_and_goes(&mut visitor, &[App::web(&provider)]).await;
    assert_eq!(provider.receiver.wait("web", "logout", 3).await.len(), 3);
}

#[tokio::test]
async fn an_app_that_never_answers_delays_no_other() {
    let provider = Provider::with(APPS).await;
    let mut visitor = provider.visitor();
    let (hangs, web) = (app(&provider, "hangs"), App::web(&provider));
    // Its answer takes as long as we wait for it, and in that time three others have come and gone.
    for told in 1..=3 {
        comes_and_goes(&mut visitor, &[hangs.clone(), web.clone()]).await;
        provider.receiver.wait("web", "logout", told).await;
    }
    let line = printed(&provider, &["outbox", "list"], "\tno answer in time").await;
    assert!(line.contains("\twaits\thangs\tbackchannel_logout\tsession_ended\t"), "{line}");
}

#[tokio::test]
async fn what_an_app_refuses_is_a_dead_letter_that_an_operator_sees_and_replays() {
    let provider = Provider::with(APPS).await;
    let mut visitor = provider.visitor();
    provider.receiver.is_picky(true);
    comes_and_goes(&mut visitor, &[app(&provider, "picky")]).await;
    let token = provider.receiver.wait("picky", "logout", 1).await.remove(0);

    let line = printed(&provider, &["outbox", "list", "--dead"], "picky").await;
    let columns: Vec<_> = line.split('\t').collect();
    let [id, state, client, channel, event, _age, attempts, error] = columns[..] else {
        panic!("{line}")
    };
    assert_eq!((state, client, channel), ("dead", "picky", "backchannel_logout"));
    assert_eq!((event, attempts), ("session_ended", "1"));
    assert_eq!(error, "status 400: invalid_request what is …", "without the token");
    assert_eq!(id, claims(&token)["jti"]);
    let (_, doctor) = provider.gait(&["doctor"]).await;
    assert!(
        doctor.contains("1 dead letters") && doctor.contains("gait outbox replay"),
        "{doctor}"
    );

    provider.receiver.is_picky(false);
    assert_eq!(
        provider.gait(&["outbox", "replay", id]).await,
        (true, "1 to be tried again\n".to_owned())
    );
    let again = provider.receiver.wait("picky", "logout", 2).await.remove(1);
    assert_eq!(
        claims(&again)["jti"],
        claims(&token)["jti"],
        "the same jti, so that who had it knows"
    );
    for _ in 0..50 {
        if provider.gait(&["outbox", "list"]).await.1.is_empty() {
            break;
        }
    }
    assert_eq!(provider.gait(&["outbox", "list"]).await, (true, String::new()));
    let (ok, words) = provider.gait(&["outbox", "replay", id]).await;
    assert!(!ok && words.contains("neither given up nor set aside"), "{words}");
    let (ok, words) = provider.gait(&["outbox", "drop", id]).await;
    assert!(
        !ok && words.contains("there is no open delivery"),
        "what arrived is no operator's: {words}"
    );
}

#[tokio::test]
async fn an_operator_drops_one_and_replays_all_of_a_client() {
    let provider = Provider::with(APPS).await;
    let mut visitor = provider.visitor();
    provider.receiver.is_picky(true);
    for told in 1..=3 {
        comes_and_goes(&mut visitor, &[app(&provider, "picky")]).await;
        provider.receiver.wait("picky", "logout", told).await;
    }
    let ids: Vec<_> = provider
        .receiver
        .received("picky", "logout")
        .iter()
        .map(|token| claims(token)["jti"].clone())
        .collect();
    let first = ids[0].as_str().expect("an id").to_owned();
    printed(&provider, &["outbox", "list", "--dead"], ids[2].as_str().expect("an id")).await;
    assert_eq!(provider.gait(&["outbox", "drop", &first]).await, (true, String::new()));
    provider.receiver.is_picky(false);
    assert_eq!(
        provider.gait(&["outbox", "replay", "--client", "web"]).await,
        (true, "0 to be tried again\n".to_owned())
    );
    assert_eq!(
        provider.gait(&["outbox", "replay", "--client", "picky"]).await,
        (true, "2 to be tried again\n".to_owned())
    );
    let told = provider.receiver.wait("picky", "logout", 5).await;
    let again: Vec<_> = told[3..].iter().map(|token| claims(token)["jti"].clone()).collect();
    assert_eq!(again, ids[1..], "in order");
    let (ok, words) = provider.gait(&["outbox", "replay"]).await;
    assert!(!ok && words.contains("--all"), "nothing is replayed by mistake: {words}");
}
