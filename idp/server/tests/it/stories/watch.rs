//! The watch: consent, learning, an impostor, a step-up, the end.

use crate::harness::collector::{ORIGIN, enrolled, rhythm, watch_token};
use crate::harness::{ALICE, App, BOB, Callback, Collector, Landed, Provider, Tokens, Visitor};
use relying_party::{Event, Expected, Set, verify_set};
use serde_json::{Value, json};

on_both!(an_impostor_is_asked_for_a_proof_and_after_the_next_alarm_everything_is_dead);

/// The verified events that the watched app was told, oldest first.
async fn told(provider: &Provider, count: usize) -> Vec<Set> {
    let tokens = provider.receiver.wait("watched", "set", count).await;
    let keys = provider.keys().await;
    let expected = Expected {
        issuer: &provider.issuer,
        audience: "watched",
        keys: &keys,
        now: provider.clock.now(),
    };
    tokens.iter().map(|token| verify_set(token, &expected).unwrap()).collect()
}

/// Proves herself by a new authorization request, as the app would ask for it.
async fn step_up(provider: &Provider, visitor: &mut Visitor, tokens: &Tokens) -> Tokens {
    let app = App::watched(provider);
    let request = app.request().with("id_token_hint", &tokens.id);
    let page = visitor.ask(&request).await.page();
    assert!(page.form().has_button("report"), "the page offers to report: {}", page.text());
    let callback = Callback::of(visitor.walk(Landed::Page(page), ALICE).await.left());
    app.redeem(callback.code(), &request).await.tokens()
}

async fn an_impostor_is_asked_for_a_proof_and_after_the_next_alarm_everything_is_dead(provider: Provider) {
    let (app, api, strict) = (App::watched(&provider), App::api(&provider), App::strict_api(&provider));
    let mut visitor = provider.visitor();
    let (tokens, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    let attacker = rhythm("attacker");

    // The impostor types: a step-up is demanded.
    collector.play_until(&attacker, "step_up", 30).await;
    let refused = app.refresh(&tokens.refresh).await;
    assert_eq!((refused.status, refused.error()), (400, "invalid_grant"));
    let challenged = app.userinfo(&tokens.access).await;
    assert_eq!(challenged.status, 401);
    let challenge = challenged.header("www-authenticate");
    assert!(
        challenge.contains(r#"error="insufficient_user_authentication""#) && challenge.contains("max_age="),
        "{challenge}"
    );
    assert!(!challenge.contains(r#"max_age="0""#), "that would go round in circles");
    assert_eq!(strict.introspect(&tokens.access).await, json!({"active": false}));
    let seen = api.introspect(&tokens.access).await;
    assert_eq!((&seen["active"], &seen["step_up_required"]), (&json!(true), &json!(true)));
    assert!(seen["reauth_after"].as_i64().unwrap() > seen["auth_time"].as_i64().unwrap());
    let events = told(&provider, 1).await;
    assert!(
        matches!(&events[0].event, Event::RiskLevelChange { current_level, .. } if current_level == "MEDIUM"),
        "{events:?}"
    );
    assert_eq!(events[0].subject.as_ref().unwrap().sid, Some(tokens.sid()));
    assert_eq!(
        app.silently(&mut visitor).await.error(),
        "login_required",
        "nothing silent while in doubt"
    );

    // Alice proves that it is she: the family resumes.
    let cookie = visitor.cookies["__Host-gait-session"].clone();
    provider.clock.advance(2);
    let newer = step_up(&provider, &mut visitor, &tokens).await;
    assert_eq!(newer.sid(), tokens.sid(), "the session is the same");
    assert_ne!(visitor.cookies["__Host-gait-session"], cookie, "its secret is not");
    assert!(newer.claims()["auth_time"].as_i64() > tokens.claims()["auth_time"].as_i64());
    assert_eq!(api.introspect(&tokens.access).await.get("step_up_required"), None);
    assert!(api.is_active(&newer.access).await);
    let resumed = app.refresh(&tokens.refresh).await.tokens();
    for claim in ["acr", "auth_time", "sid"] {
        assert_eq!(
            resumed.claims()[claim],
            tokens.claims()[claim],
            "{claim}: as it was issued with"
        );
    }
    let calm = collector.play(&rhythm("alice")).await;
    assert_eq!(calm.body["state"], "ok");

    // The impostor is back, and goes on: it is over.
    collector.play_until(&attacker, "ended", 60).await;
    for token in [&tokens.access, &resumed.access, &newer.access] {
        assert!(!api.is_active(token).await && !strict.is_active(token).await);
        assert_eq!(app.userinfo(token).await.status, 401);
    }
    for token in [&resumed.refresh, &newer.refresh] {
        assert_eq!(app.refresh(token).await.error(), "invalid_grant");
    }
    assert_eq!(app.silently(&mut visitor).await.error(), "login_required");
    assert!(
        visitor.ask(&app.request()).await.page().form().has("identifier"),
        "the old cookie signs nobody in"
    );
    let answer = watch_token(&provider, &resumed.access, ORIGIN).await;
    assert!(
        matches!(
            (answer.status, answer.error()),
            (409, "session_ended") | (401, "invalid_token")
        ),
        "{}",
        answer.text
    );
    provider.receiver.wait("watched", "logout", 1).await;
    let sets = provider.receiver.received("watched", "set").len();
    let events = told(&provider, sets.max(4)).await;
    let ended = events
        .iter()
        .filter(|set| matches!(set.event, Event::SessionRevoked { .. }))
        .count();
    let calmed = events
        .iter()
        .any(|set| matches!(&set.event, Event::RiskLevelChange { current_level, .. } if current_level == "LOW"));
    assert!(ended == 1 && calmed, "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unanswered_step_up_ends_the_session_after_ten_minutes() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let (tokens, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    collector.play_until(&rhythm("attacker"), "step_up", 30).await;
    for _ in 0..2 {
        provider.clock.advance(290);
        assert_eq!(collector.idle().await.body["state"], "step_up");
        provider.idp.expire_step_ups().await.unwrap();
    }
    provider.clock.advance(25);
    provider.idp.expire_step_ups().await.unwrap();
    assert_eq!(collector.idle().await.body["state"], "ended");
    assert_eq!(
        App::watched(&provider).refresh(&tokens.refresh).await.error(),
        "invalid_grant"
    );
    provider.receiver.wait("watched", "logout", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_failed_step_ups_end_the_session() {
    let provider = Provider::start().await;
    let app = App::watched(&provider);
    let mut visitor = provider.visitor();
    let (tokens, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    collector.play_until(&rhythm("attacker"), "step_up", 30).await;
    provider.clock.advance(1000 - 700);
    let mut page = visitor.ask(&app.request()).await.page();
    let right = visitor.mailed_code(&page, ALICE).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        let landed = visitor.submit(&page, &[("code", wrong)]).await;
        match landed {
            Landed::Page(next) => page = next,
            Landed::Left(_) => break,
        }
    }
    assert!(!App::api(&provider).is_active(&tokens.access).await);
    assert_eq!(app.silently(&mut visitor).await.error(), "login_required");
    provider.receiver.wait("watched", "logout", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reports_the_step_up_ends_the_session() {
    let provider = Provider::start().await;
    let app = App::watched(&provider);
    let mut visitor = provider.visitor();
    let (tokens, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    collector.play_until(&rhythm("attacker"), "step_up", 30).await;
    let page = visitor.ask(&app.request()).await.page();
    let _ = visitor.submit(&page, &[("report", "yes")]).await;
    assert!(!App::api(&provider).is_active(&tokens.access).await);
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_impostor_can_not_switch_the_watch_off() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let (_, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    // Long after the sign-in: to switch it off wants a proof.
    provider.clock.advance(200);
    let mode: Value = visitor.get("/mode").await.json();
    let csrf = mode["csrf"].as_str().unwrap().to_owned();
    let off = visitor.post("/mode", &[("mode", "train"), ("csrf", &csrf)]).await;
    assert_eq!(off.status, 401, "{}", off.body);
    for change in ["withdraw_consent", "erase"] {
        let answer = visitor.change(&[("change", change)]).await;
        assert_ne!(answer.location(), Some("/account?notice=withdrawn"));
        assert_ne!(answer.location(), Some("/account?notice=erased"));
    }
    collector.play_until(&rhythm("attacker"), "step_up", 30).await;
    let off = visitor.post("/mode", &[("mode", "train"), ("csrf", &csrf)]).await;
    assert_eq!(off.status, 401);
    for change in ["withdraw_consent", "erase"] {
        let refused = visitor.post("/account", &[("change", change), ("csrf", &csrf)]).await;
        assert!(
            visitor.follow(refused).await.page().form().has_button("report"),
            "the proof comes first"
        );
    }
    assert_eq!(visitor.get("/mode").await.json()["mode"], "auth");
}

#[tokio::test]
async fn without_consent_there_is_no_watch_and_the_sign_in_works() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::watched(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    assert!(
        !tokens.body["scope"].as_str().unwrap().contains("continuous_auth"),
        "the scope is narrowed silently"
    );
    assert_eq!(watch_token(&provider, &tokens.access, ORIGIN).await.status, 403);
    assert!(!visitor.cookies.contains_key("__Host-gait-watch"));
}

#[tokio::test]
async fn consent_is_given_unticked_apart_and_withdrawn_at_once() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::watched(&provider), provider.visitor());
    let page = visitor.ask(&app.request()).await.page();
    let page = visitor
        .submit(&page, &[("identifier", "alice"), ("password", ALICE.password)])
        .await
        .page();
    let code = visitor.mailed_code(&page, ALICE).await;
    let page = visitor.submit(&page, &[("code", &code)]).await.page();
    assert!(page.form().has("watch"), "{}", page.text());
    assert!(!page.body.contains("checked"), "unticked");
    visitor.submit(&page, &[("watch", "yes")]).await.left();
    assert!(visitor.cookies.contains_key("__Host-gait-watch"));
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    assert!(tokens.body["scope"].as_str().unwrap().contains("continuous_auth"));
    let mut collector = Collector::start(&provider, &tokens).await;
    for _ in 0..5 {
        collector.play(&rhythm("alice")).await;
    }

    visitor.change(&[("change", "withdraw_consent")]).await;
    assert_eq!(
        watch_token(&provider, &tokens.access, ORIGIN).await.error(),
        "consent_required"
    );
    let answer = collector.play(&rhythm("alice")).await;
    assert_eq!(
        (answer.status, &answer.body["state"]),
        (200, &json!("ok")),
        "what is dropped looks as what is scored"
    );
    assert!(!visitor.cookies.contains_key("__Host-gait-watch"));
    let page = visitor.get("/account").await;
    assert!(page.form_with("change", "give_consent").is_some());
    let held = visitor.change_at("/account/export", &[]).await.json();
    assert!(!held.to_string().contains("hold"), "nothing of the rhythm is held: {held}");
}

#[tokio::test]
async fn an_answer_tells_nothing_of_what_became_of_a_batch() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    let tokens = App::watched(&provider).sign_in(&mut visitor, BOB).await;
    let mut collector = Collector::start(&provider, &tokens).await;
    let plain = collector.play(&rhythm("alice")).await.body;
    let batches = [
        json!({"v": 1, "seq": 50, "span_ms": 5000.0, "clock_ms": 0.1, "pointer": "none", "metrics": {}}),
        json!({"v": 1, "seq": 50, "span_ms": 5000.0, "clock_ms": 0.1, "pointer": "none", "metrics": {}}),
        json!({"v": 1, "seq": 3, "span_ms": 5000.0, "clock_ms": 0.1, "pointer": "none", "metrics": {}}),
        json!({"v": 1, "seq": 51, "span_ms": 5000.0, "clock_ms": 100.0, "pointer": "touch", "metrics": {"hold_ms": [90.0, 91.0]}}),
        json!({"v": 2, "anything": "else"}),
    ];
    for batch in batches {
        let answer = collector.post(batch.to_string(), ORIGIN).await;
        assert_eq!((answer.status, &answer.body), (200, &plain), "{batch}");
    }
    let impostor = collector.play(&rhythm("attacker")).await.body;
    assert_eq!(impostor, plain, "in mode train nothing shows");
    let names: Vec<_> = plain.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["keys", "next_s", "state"]);
}

#[tokio::test]
async fn a_watch_token_is_good_for_its_own_page_and_for_nothing_but_samples() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    let (app, mut bobs) = (App::watched(&provider), provider.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    for origin in [
        "https://evil.example",
        "https://work.example/",
        "https://WORK.example",
        "null",
        "",
    ] {
        let answer = watch_token(&provider, &tokens.access, origin).await;
        assert_eq!((answer.status, answer.error()), (403, "invalid_origin"), "{origin:?}");
    }
    let mut collector = Collector::start(&provider, &tokens).await;
    let batch = collector.batch(&rhythm("alice")).to_string();
    assert_eq!(
        collector.post(batch.clone(), "https://evil.example").await.error(),
        "invalid_origin"
    );
    assert_eq!(app.userinfo(&collector.token).await.status, 401);
    assert_eq!(app.refresh(&collector.token).await.error(), "invalid_grant");
    assert!(!app.is_active(&collector.token).await);
    for token in [tokens.access.clone(), tokens.id.clone(), "nonsense".to_owned(), String::new()] {
        let own = std::mem::replace(&mut collector.token, token);
        assert_eq!(collector.post(batch.clone(), ORIGIN).await.status, 401);
        collector.token = own;
    }
    let unscoped = App::web(&provider).sign_in(&mut bobs, BOB).await;
    assert_eq!(watch_token(&provider, &unscoped.access, ORIGIN).await.status, 403);

    provider.clock.advance(400);
    let renewed = collector.play(&rhythm("alice")).await;
    assert!(renewed.body["watch_token"].is_string(), "renewed in good time");
    provider.clock.advance(601);
    assert_eq!(collector.play(&rhythm("alice")).await.status, 401);
    visitor
        .open(&format!("/end_session?id_token_hint={}", tokens.id))
        .await
        .page();
    let over = watch_token(&provider, &tokens.access, ORIGIN).await;
    assert!(matches!(over.status, 401 | 409), "{}", over.text);
}

#[tokio::test]
async fn after_a_sign_out_the_collector_is_told_that_it_is_over() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    let tokens = App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    let mut collector = Collector::start(&provider, &tokens).await;
    visitor
        .open(&format!("/end_session?id_token_hint={}", tokens.id))
        .await
        .page();
    assert_eq!(collector.play(&rhythm("alice")).await.body["state"], "ended");
    assert_eq!(watch_token(&provider, &tokens.access, ORIGIN).await.status, 409);
}

#[tokio::test]
async fn mode_auth_is_offered_to_the_enrolled_only() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    let mode: Value = visitor.get("/mode").await.json();
    assert_eq!((&mode["mode"], &mode["enrolled"]), (&json!("train"), &json!(false)));
    let csrf = mode["csrf"].as_str().unwrap();
    assert_eq!(visitor.post("/mode", &[("mode", "auth"), ("csrf", csrf)]).await.status, 400);
    assert_eq!(visitor.post("/mode", &[("mode", "off"), ("csrf", csrf)]).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_observes_writes_down_and_does_nothing() {
    let provider = Provider::with("[policy.watch]\nmode = \"observe\"").await;
    let mut visitor = provider.visitor();
    let (tokens, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    for _ in 0..15 {
        assert_eq!(collector.play(&rhythm("attacker")).await.body["state"], "ok");
    }
    assert!(App::strict_api(&provider).is_active(&tokens.access).await);
    let account = provider.account(ALICE).await;
    let events = provider.idp.store().events_of(account.id, 500).await.unwrap();
    let withheld = events
        .iter()
        .any(|event| matches!(event.what, gait_core::event::What::DecisionWithheld { .. }));
    assert!(withheld);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_genuine_batches_are_hardly_ever_questioned() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let (mut tokens, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    let (own, mut questioned) = (rhythm("alice"), 0);
    for _ in 0..200 {
        let answer = collector.play(&own).await;
        assert_ne!(answer.body["state"], "ended", "never revoked");
        if answer.body["state"] == "step_up" {
            questioned += 1;
            provider.clock.advance(200);
            tokens = step_up(&provider, &mut visitor, &tokens).await;
        }
    }
    assert!(questioned <= 10, "{questioned} of 200");
}

#[tokio::test]
async fn without_consent_the_person_is_asked_again_from_time_to_time() {
    let provider = Provider::with("[policy.watch]\nreauth_without_consent_s = 600").await;
    let (watched, web) = (App::watched(&provider), App::web(&provider));
    let mut visitor = provider.visitor();
    watched.sign_in(&mut visitor, ALICE).await;
    provider.clock.advance(500);
    assert!(web.silently(&mut visitor).await.params.contains_key("code"));
    provider.clock.advance(200);
    assert!(
        web.silently(&mut visitor).await.params.contains_key("code"),
        "another app has nothing to do with it"
    );
    assert_eq!(watched.silently(&mut visitor).await.error(), "login_required");
    let asked = visitor.ask(&watched.request()).await.page();
    assert!(asked.form().has("password") || asked.form().has("code"), "{}", asked.text());
}

/// Signs in anew at a trusted address, with what the sign-in page measured; true if the code was asked for all the same.
async fn asks_for_the_code(provider: &Provider, visitor: &mut Visitor, behavior: Option<&Value>) -> bool {
    provider.clock.advance(400);
    visitor.cookies.remove("__Host-gait-session");
    let page = visitor.ask(&App::web(provider).request()).await.page();
    assert!(page.body.contains("name=\"behavior\""), "this browser holds the marker");
    let behavior = behavior.map(Value::to_string).unwrap_or_default();
    let answer = [
        ("identifier", "alice"),
        ("password", ALICE.password),
        ("behavior", behavior.as_str()),
    ];
    matches!(visitor.submit(&page, &answer).await, Landed::Page(page) if page.form().has("code"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strange_rhythm_at_the_sign_in_takes_the_trusted_address_s_ease_away() {
    let provider = Provider::with("[plugins.ip-trust]\nask_after = 1").await;
    let mut visitor = provider.visitor();
    let (_, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    let link = provider.mailed_link(ALICE.email, "/approve/").await;
    let page = visitor.get(&link).await;
    visitor.submit(&page, &[("answer", "yes")]).await.page();

    assert!(
        !asks_for_the_code(&provider, &mut visitor, None).await,
        "without a measurement nothing changes"
    );
    let unreadable = json!({"v": 1});
    assert!(
        !asks_for_the_code(&provider, &mut visitor, Some(&unreadable)).await,
        "nor with one that can't be read"
    );
    let own = collector.batch(&rhythm("alice"));
    assert!(
        !asks_for_the_code(&provider, &mut visitor, Some(&own)).await,
        "her own rhythm"
    );
    let strange = collector.batch(&rhythm("attacker"));
    assert!(
        asks_for_the_code(&provider, &mut visitor, Some(&strange)).await,
        "somebody else's"
    );
}
