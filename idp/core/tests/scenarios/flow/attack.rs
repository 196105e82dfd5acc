//! What an attacker tries: skipped steps, guesses, races, other people's pages.

use super::browser::{Browser, Where, enrol_key, fields};
use super::factors::{Broken, Fault};
use super::stage::{Stage, plan, policy, registry};
use gait_core::flow::{Ask, FlowError};
use gait_core::policy::Policy;
use gait_core::ports::MailTrouble;
use gait_core::store::AccountStore;
use std::sync::Arc;

#[tokio::test]
async fn a_flow_belongs_to_the_browser_that_began_it() {
    let stage = Stage::new().await;
    let (mut attacker, mut victim) = (Browser::new(), Browser::new());
    let flow = attacker.asked(&stage, "app", &[]).await;
    let own = victim.asked(&stage, "app", &[]).await;
    assert!(matches!(
        stage.idp.prompt(&flow, &victim.caller(None)).await,
        Err(FlowError::Gone)
    ));
    assert!(matches!(
        stage.idp.prompt(&flow, &victim.caller(Some(&own))).await,
        Err(FlowError::Gone)
    ));
    assert!(matches!(
        stage.idp.prompt(&"nonsense".into(), &victim.caller(Some(&own))).await,
        Err(FlowError::Gone)
    ));
}

#[tokio::test]
async fn an_answer_needs_the_csrf_of_this_very_step() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let first = browser.prompt(&stage, &flow).await.csrf;
    let right = [("identifier", "alice"), ("password", "pw-alice")];
    assert!(matches!(
        browser.post(&stage, &flow, &fields(&right)).await,
        Err(FlowError::OutOfDate)
    ));
    let other = browser.asked(&stage, "app", &[]).await;
    let foreign = browser.prompt(&stage, &other).await.csrf;
    let with = |csrf: &str| fields(&[right[0], right[1], ("csrf", csrf)]);
    assert!(matches!(
        browser.post(&stage, &flow, &with(&foreign)).await,
        Err(FlowError::OutOfDate)
    ));
    assert!(browser.post(&stage, &flow, &with(&first)).await.is_ok());
    assert!(
        matches!(browser.post(&stage, &flow, &with(&first)).await, Err(FlowError::OutOfDate)),
        "an old page can't answer"
    );
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
}

#[tokio::test]
async fn looking_at_a_page_changes_nothing() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let mails = stage.ports.mailbox.all().len();
    let first = browser.prompt(&stage, &flow).await;
    for _ in 0..5 {
        assert_eq!(browser.prompt(&stage, &flow).await, first);
    }
    assert_eq!(stage.ports.mailbox.all().len(), mails);
}

#[tokio::test]
async fn an_empty_or_foreign_answer_skips_nothing() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let long = "x".repeat(65);
    let hostile: [&[(&str, &str)]; 10] = [
        &[],
        &[("identifier", "alice")],
        &[("code", "123456")],
        &[("identifier", "alice"), ("code", "123456")],
        &[("continue", "yes")],
        &[("consent", "allow")],
        &[("account", "continue")],
        &[("watch", "yes")],
        &[("other", "otp")],
        &[("identifier", "alice"), ("password", &long)],
    ];
    for answer in hostile {
        assert!(
            matches!(browser.try_answer(&stage, &flow, answer).await, Err(FlowError::Bad(_))),
            "{answer:?}"
        );
        assert!(matches!(browser.prompt(&stage, &flow).await.ask, Ask::SignIn { .. }));
    }
    browser.password(&stage, &flow, "alice").await;
    let at_the_code: [&[(&str, &str)]; 4] = [
        &[],
        &[("continue", "yes")],
        &[("password", "pw-alice")],
        &[("consent", "allow")],
    ];
    for answer in at_the_code {
        assert!(
            matches!(browser.try_answer(&stage, &flow, answer).await, Err(FlowError::Bad(_))),
            "{answer:?}"
        );
    }
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
    assert!(
        browser.otp(&stage, &flow, "alice").await.is_code(),
        "and the flow is as it was"
    );
}

#[tokio::test]
async fn an_enormous_answer_is_refused_before_anybody_hashes_it() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let huge = "x".repeat(1_000_000);
    let many: Vec<(String, String)> = (0..100).map(|i| (format!("f{i}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for answer in [
        &[("identifier", "alice"), ("password", huge.as_str())][..],
        &[("identifier", huge.as_str())],
        &many,
    ] {
        assert!(matches!(
            browser.try_answer(&stage, &flow, answer).await,
            Err(FlowError::Bad(_))
        ));
    }
}

#[tokio::test]
async fn the_flows_secret_changes_with_each_accepted_proof() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let thief = browser.clone();
    browser.password(&stage, &flow, "alice").await;
    assert!(matches!(
        stage.idp.prompt(&flow, &thief.caller(Some(&flow))).await,
        Err(FlowError::Gone)
    ));
}

#[tokio::test]
async fn nobody_can_tell_who_has_an_account() {
    let stage = Stage::new().await;
    let disabled = stage.bob;
    stage
        .store
        .set_disabled(disabled, Some(stage.ports.clock.now()), &[])
        .await
        .unwrap();
    let mut seen = Vec::new();
    for name in ["alice", "nobody", "bob", "nobody@example.com", "alice@example.com"] {
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        browser
            .answer(&stage, &flow, &[("identifier", name), ("password", "nonsense")])
            .await;
        let prompt = browser.prompt(&stage, &flow).await;
        let Ask::SignIn {
            identifier,
            form,
            collect,
            collect_password,
        } = prompt.ask
        else {
            panic!()
        };
        assert_eq!(identifier, name);
        seen.push((
            form,
            (collect, collect_password),
            prompt.error,
            prompt.others,
            prompt.account,
            prompt.why,
        ));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_disabled_account_cant_sign_in_even_with_everything_right() {
    let stage = Stage::new().await;
    let mut halfway = Browser::new();
    let begun = halfway.asked(&stage, "app", &[]).await;
    halfway.password(&stage, &begun, "alice").await;
    stage
        .store
        .set_disabled(stage.alice, Some(stage.ports.clock.now()), &[])
        .await
        .unwrap();
    let code = stage.mailed_code("alice");
    let end = halfway.try_answer(&stage, &begun, &[("code", &code)]).await;
    assert!(!end.is_ok_and(|end| end.is_code()));

    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    assert!(matches!(browser.password(&stage, &flow, "alice").await, Where::Again));
    assert!(matches!(browser.prompt(&stage, &flow).await.ask, Ask::SignIn { .. }));
    assert!(stage.sessions(stage.alice).await.is_empty());
}

#[tokio::test]
async fn another_name_wipes_what_was_proven() {
    let policy = Policy {
        plan: plan(&[&["otp"], &["password"]]),
        ..policy()
    };
    let stage = Stage::with(policy, registry()).await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.answer(&stage, &flow, &[("identifier", "bob")]).await;
    browser.otp(&stage, &flow, "bob").await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "password");
    browser.answer(&stage, &flow, &[("account", "other")]).await;
    browser.answer(&stage, &flow, &[("identifier", "alice")]).await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp", "bob's code is not alice's");
    assert!(matches!(browser.otp(&stage, &flow, "alice").await, Where::Again));
    assert!(matches!(
        browser.answer(&stage, &flow, &[("password", "pw-bob")]).await,
        Where::Again
    ));
    assert!(browser.answer(&stage, &flow, &[("password", "pw-alice")]).await.is_code());
}

#[tokio::test]
async fn a_code_for_one_person_or_flow_is_worth_nothing_in_another() {
    let stage = Stage::new().await;
    let (mut alices, mut bobs, mut again) = (Browser::new(), Browser::new(), Browser::new());
    let (one, two, three) = (
        alices.asked(&stage, "app", &[]).await,
        bobs.asked(&stage, "app", &[]).await,
        again.asked(&stage, "app", &[]).await,
    );
    alices.password(&stage, &one, "alice").await;
    let code = stage.mailed_code("alice");
    bobs.password(&stage, &two, "bob").await;
    assert!(matches!(bobs.answer(&stage, &two, &[("code", &code)]).await, Where::Again));
    again.password(&stage, &three, "alice").await;
    assert!(matches!(again.answer(&stage, &three, &[("code", &code)]).await, Where::Again));
    assert!(alices.answer(&stage, &one, &[("code", &code)]).await.is_code());
}

#[tokio::test]
async fn guesses_are_counted_whatever_the_name_looks_like_and_wherever_they_come_from() {
    let stage = Stage::new().await;
    for guess in 0..10 {
        let mut browser = Browser::at(&format!("198.51.100.{guess}"));
        let flow = browser.asked(&stage, "app", &[]).await;
        let name = ["alice", "ALICE", " alice", "alice@example.com", "Ａlice"][guess % 5];
        browser
            .answer(&stage, &flow, &[("identifier", name), ("password", "nonsense")])
            .await;
        assert_eq!(browser.prompt(&stage, &flow).await.error.unwrap().key, "test-wrong");
    }
    let mut browser = Browser::at("198.51.100.200");
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let prompt = browser.prompt(&stage, &flow).await;
    assert_eq!(
        prompt.error.unwrap().key,
        "too-many-tries",
        "even the right one is not looked at"
    );
    stage.advance(901);
    browser.password(&stage, &flow, "alice").await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
}

#[tokio::test]
async fn names_of_nobody_are_counted_alike() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    for _ in 0..11 {
        browser
            .answer(&stage, &flow, &[("identifier", "nobody"), ("password", "nonsense")])
            .await;
    }
    assert_eq!(browser.prompt(&stage, &flow).await.error.unwrap().key, "too-many-tries");
}

#[tokio::test]
async fn strangers_cant_use_up_the_owners_tries() {
    let stage = Stage::new().await;
    let mut owner = Browser::new();
    owner.sign_in(&stage, "app", "alice").await;
    owner.session = None;
    for guess in 0..20 {
        let mut stranger = Browser::at(&format!("198.51.100.{guess}"));
        let flow = stranger.asked(&stage, "app", &[]).await;
        stranger
            .answer(&stage, &flow, &[("identifier", "alice"), ("password", "nonsense")])
            .await;
    }
    let flow = owner.asked(&stage, "app", &[]).await;
    owner.password(&stage, &flow, "alice").await;
    assert_eq!(owner.factor(&stage, &flow).await.0, "otp");
}

#[tokio::test]
async fn one_address_can_only_try_so_much() {
    let stage = Stage::new().await;
    let mut last = String::new();
    for guess in 0..101 {
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        let name = format!("nobody-{guess}");
        browser
            .answer(&stage, &flow, &[("identifier", &name), ("password", "x")])
            .await;
        last = browser.prompt(&stage, &flow).await.error.unwrap().key;
    }
    assert_eq!(last, "too-many-tries");
}

#[tokio::test]
async fn five_wrong_codes_kill_a_code_and_a_new_one_is_mailed() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let first = stage.mailed_code("alice");
    for _ in 0..5 {
        browser.answer(&stage, &flow, &[("code", "wrong")]).await;
    }
    let (_, form) = browser.factor(&stage, &flow).await;
    assert!(form.nodes.is_empty(), "there is nothing to type any more");
    browser.answer(&stage, &flow, &[("code", &first)]).await;
    let second = stage.mailed_code("alice");
    assert_ne!(first, second);
    assert!(matches!(
        browser.answer(&stage, &flow, &[("code", &first)]).await,
        Where::Again
    ));
    assert!(browser.answer(&stage, &flow, &[("code", &second)]).await.is_code());
}

#[tokio::test]
async fn a_page_that_is_reloaded_says_how_long_is_left_to_wait() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    assert_eq!(browser.wait_s(&stage, &flow).await, 30);
    stage.advance(12);
    assert_eq!(browser.wait_s(&stage, &flow).await, 18);
    browser.answer(&stage, &flow, &[("code", "wrong")]).await;
    assert_eq!(browser.wait_s(&stage, &flow).await, 18, "a wrong code is no new mail");
    stage.advance(-60);
    assert_eq!(
        browser.wait_s(&stage, &flow).await,
        30,
        "a clock that is set back makes it no longer"
    );
    stage.advance(500);
    assert_eq!(browser.wait_s(&stage, &flow).await, 0);
    browser.answer(&stage, &flow, &[("action", "resend")]).await;
    assert_eq!(browser.wait_s(&stage, &flow).await, 30, "and again with each mail");
}

#[tokio::test]
async fn mails_are_limited_and_the_page_says_so() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    for _ in 0..4 {
        browser.answer(&stage, &flow, &[("action", "resend")]).await;
        assert!(browser.prompt(&stage, &flow).await.error.is_none());
    }
    browser.answer(&stage, &flow, &[("action", "resend")]).await;
    assert_eq!(browser.prompt(&stage, &flow).await.error.unwrap().key, "too-many-mails");
    assert_eq!(stage.ports.mailbox.to("alice@example.com").len(), 5);
    assert!(
        browser.otp(&stage, &flow, "alice").await.is_code(),
        "the last code that was sent still counts"
    );
}

#[tokio::test]
async fn who_waits_for_a_mail_reads_what_is_wrong_with_it() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let mailbox = &stage.ports.mailbox;
    assert!(browser.prompt(&stage, &flow).await.notice.is_none());
    for (trouble, key) in [
        (MailTrouble::Delayed, "mail-delayed"),
        (MailTrouble::Service, "mail-delayed"),
        (MailTrouble::Refused, "mail-refused"),
    ] {
        mailbox.trouble(Some(trouble), false);
        let prompt = browser.prompt(&stage, &flow).await;
        assert_eq!(prompt.notice.unwrap().key, key);
        assert!(prompt.error.is_none(), "nobody did anything wrong");
    }
    mailbox.trouble(None, false);
    assert!(browser.otp(&stage, &flow, "alice").await.is_code(), "the mail came after all");
}

#[tokio::test]
async fn what_is_wrong_with_a_mail_does_not_tell_who_has_an_account() {
    let policy = Policy {
        plan: plan(&[&["otp"]]),
        ..policy()
    };
    let stage = Stage::with(policy, registry()).await;
    for (trouble, is_out) in [
        (None, false),
        (Some(MailTrouble::Refused), false),
        (Some(MailTrouble::Delayed), false),
        (Some(MailTrouble::Service), true),
    ] {
        stage.ports.mailbox.trouble(trouble, is_out);
        let mut notices = Vec::new();
        for name in ["alice", "nobody"] {
            let mut browser = Browser::new();
            let flow = browser.asked(&stage, "app", &[]).await;
            let posted = stage.ports.mailbox.posted();
            browser.answer(&stage, &flow, &[("identifier", name)]).await;
            assert_eq!(stage.ports.mailbox.posted(), posted + 1, "one mail each, to nobody as well");
            notices.push(browser.prompt(&stage, &flow).await.notice);
        }
        assert_eq!(notices[0], notices[1], "{trouble:?}");
        assert_eq!(notices[0].is_some(), is_out);
    }
}

#[tokio::test]
async fn when_no_mail_can_be_sent_the_step_fails_and_another_way_is_open() {
    let stage = Stage::new().await;
    stage.ports.mailbox.close(true);
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    assert_eq!(browser.factor(&stage, &flow).await.0, "backup");
    assert!(browser.answer(&stage, &flow, &[("backup", "bk-alice")]).await.is_code());
}

#[tokio::test]
async fn a_backup_code_is_spent_by_one_of_two_flows() {
    let stage = Arc::new(Stage::new().await);
    let mut browsers = Vec::new();
    for _ in 0..4 {
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        browser.password(&stage, &flow, "alice").await;
        browser.answer(&stage, &flow, &[("other", "backup")]).await;
        browsers.push((browser, flow));
    }
    let mut tries = Vec::new();
    for (mut browser, flow) in browsers {
        let stage = stage.clone();
        tries.push(tokio::spawn(async move {
            browser.answer(&stage, &flow, &[("backup", "bk-alice")]).await.is_code()
        }));
    }
    let mut codes = 0;
    for one in tries {
        codes += usize::from(one.await.unwrap());
    }
    assert_eq!(codes, 1);
}

#[tokio::test]
async fn of_many_answers_at_once_one_gets_the_code() {
    let stage = Arc::new(Stage::new().await);
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let csrf = browser.prompt(&stage, &flow).await.csrf;
    let answer = fields(&[("csrf", &csrf), ("code", &stage.mailed_code("alice"))]);
    let mut tries = Vec::new();
    for _ in 0..50 {
        let (stage, mut browser, flow, answer) = (stage.clone(), browser.clone(), flow.clone(), answer.clone());
        tries.push(tokio::spawn(async move {
            browser.post(&stage, &flow, &answer).await.is_ok_and(|end| end.is_code())
        }));
    }
    let mut codes = 0;
    for one in tries {
        codes += usize::from(one.await.unwrap());
    }
    assert_eq!(codes, 1);
    assert_eq!(stage.sessions(stage.alice).await.len(), 1);
}

#[tokio::test]
async fn whatever_a_broken_factor_does_its_row_stays_open() {
    for fault in [Fault::Error, Fault::ForeignAmr, Fault::BadEffect] {
        let policy = Policy {
            plan: plan(&[&["password"], &["broken"]]),
            ..policy()
        };
        let stage = Stage::with(policy, registry().with(Arc::new(Broken::new(fault)))).await;
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        browser.password(&stage, &flow, "alice").await;
        assert!(matches!(browser.answer(&stage, &flow, &[("any", "x")]).await, Where::Again));
        assert!(browser.prompt(&stage, &flow).await.error.is_some());
        assert!(stage.sessions(stage.alice).await.is_empty());
    }
}

#[tokio::test]
async fn a_pass_for_nobody_is_a_failure() {
    let policy = Policy {
        plan: plan(&[&["broken"]]),
        step_up: plan(&[&["broken"]]),
        ..policy()
    };
    let stage = Stage::with(policy, registry().with(Arc::new(Broken::new(Fault::PassesAnybody)))).await;
    for name in ["nobody", "", "\u{0}"] {
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        assert!(matches!(
            browser.answer(&stage, &flow, &[("identifier", name), ("any", "x")]).await,
            Where::Again
        ));
        assert!(matches!(browser.prompt(&stage, &flow).await.ask, Ask::SignIn { .. }));
    }
}

#[tokio::test]
async fn a_policy_that_grows_stricter_counts_for_flows_that_were_begun() {
    let stage = Stage::new().await;
    stage
        .change_client("app", |client| client.plan = Some(plan(&[&["password"]])))
        .await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    stage
        .change_client("app", |client| client.plan = Some(plan(&[&["password"], &["otp"]])))
        .await;
    assert!(matches!(browser.password(&stage, &flow, "alice").await, Where::Again));
    assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
}

#[tokio::test]
async fn a_flow_ends_in_time_and_a_proof_before_that() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    stage.advance(601);
    let code = stage.mailed_code("alice");
    assert!(matches!(
        browser.answer(&stage, &flow, &[("code", &code)]).await,
        Where::Again
    ));
    assert_eq!(
        browser.factor(&stage, &flow).await.0,
        "password",
        "the password was too long ago"
    );
    stage.advance(1800);
    assert!(matches!(browser.try_answer(&stage, &flow, &[]).await, Err(FlowError::Gone)));
}

#[tokio::test]
async fn a_flow_that_builds_on_a_session_dies_with_it() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let flow = browser.asked(&stage, "app", &[("max_age", "0")]).await;
    let mut shared = browser.clone();
    shared.session = None;
    shared.sign_in(&stage, "app", "bob").await;
    let answer = shared.try_answer(&stage, &flow, &[("password", "pw-alice")]).await;
    assert!(
        matches!(answer, Err(FlowError::Gone)),
        "B signed in, A's tab is worth nothing"
    );
}

#[tokio::test]
async fn nothing_that_was_begun_before_everything_was_revoked_counts() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    stage.advance(1);
    use gait_core::session::EndReason;
    use gait_core::store::{SessionStore, Which};
    let (which, now) = (Which::AllOf(stage.alice), stage.ports.clock.now());
    stage
        .store
        .end_sessions(&which, now, EndReason::AccountChanged, &|_| Vec::new())
        .await
        .unwrap();
    let code = stage.mailed_code("alice");
    assert!(matches!(
        browser.try_answer(&stage, &flow, &[("code", &code)]).await,
        Err(FlowError::Gone)
    ));
}

#[tokio::test]
async fn a_public_id_is_no_cookie() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let sid = stage.only_session(stage.alice).await.id;
    let mut thief = Browser::new();
    thief.session = Some(gait_core::token::secret::Secret::wrap(sid.to_string()));
    assert!(
        thief
            .responded(&stage, "app", &[("prompt", "none")])
            .await
            .is_error("login_required")
    );
}

#[tokio::test]
async fn one_persons_key_doesnt_step_another_up() {
    let stage = Stage::new().await;
    let bob = enrol_key(&stage, "bob", "signed-by-bob").await;
    enrol_key(&stage, "alice", "signed-by-alice").await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    let flow = browser.asked(&stage, "app", &[("max_age", "0")]).await;
    browser.answer(&stage, &flow, &[("other", "key")]).await;
    let end = browser
        .answer(&stage, &flow, &[("handle", &bob), ("sign", "signed-by-bob")])
        .await;
    assert!(matches!(end, Where::Again));
    assert_eq!(browser.prompt(&stage, &flow).await.account.as_deref(), Some("alice"));
}
