//! What is measured of people: told nowhere, kept shortly, and of passwords only with a consent of its own.

use crate::harness::collector::{ORIGIN, enrolled, rhythm};
use crate::harness::{ALICE, App, Landed, Page, Provider, Visitor, logs};
use gait_core::store::StoredRecord;
use serde_json::{Value, json};

const MARKER: &str = "__Host-gait-watch-password";

async fn records(provider: &Provider) -> Vec<StoredRecord> {
    let alice = provider.account(ALICE).await;
    provider.idp.store().records_of(alice.id, 500).await.unwrap()
}

/// Alice in a browser of hers, having agreed to be watched where passwords may be measured too.
async fn watched() -> (Provider, Visitor) {
    let provider = Provider::with("[policy.watch]\npassword_rhythm = true\nquarantine_h = 0").await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    (provider, visitor)
}

/// The sign-in page as this browser gets it when nobody is signed in.
async fn sign_in_page(provider: &Provider, visitor: &mut Visitor) -> Page {
    visitor.cookies.remove("__Host-gait-session");
    visitor.ask(&App::watched(provider).request()).await.page()
}

/// A rhythm of 21 keys in digits that stand nowhere else.
fn typed() -> String {
    let spread = |first: f64| (0..21).map(|nth| first + f64::from(nth) * 1.000_371).collect::<Vec<_>>();
    let metrics = json!({"hold_ms": spread(90.062_517), "flight_ms": spread(130.731_905)});
    json!({"v": 1, "seq": 1, "span_ms": 4100.5, "clock_ms": 0.1, "pointer": "none", "metrics": metrics}).to_string()
}

/// All numbers in a value that can't stand there by chance.
fn measurements(value: &Value) -> Vec<String> {
    match value {
        Value::Number(number) => Some(number.to_string())
            .filter(|digits| digits.len() >= 8)
            .into_iter()
            .collect(),
        Value::Array(values) => values.iter().flat_map(measurements).collect(),
        Value::Object(fields) => fields.values().flat_map(measurements).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_tells_no_measurement_to_logs_events_or_apps() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let (_, mut collector) = enrolled(&provider, &mut visitor, ALICE).await;
    let attacker = rhythm("attacker");
    let mut sent = Vec::new();
    for _ in 0..60 {
        provider.clock.advance(1);
        let batch = collector.batch(&attacker);
        sent.extend(measurements(&batch));
        let answer = collector.post(batch.to_string(), ORIGIN).await;
        if answer.body["state"] == "ended" {
            break;
        }
    }
    assert!(sent.len() > 100, "{}", sent.len());
    provider.receiver.wait("watched", "logout", 1).await;
    // Of the demand, and of the end.
    provider.receiver.wait("watched", "set", 2).await;
    let alice = provider.account(ALICE).await;
    let events = provider.idp.store().events_of(alice.id, 1000).await.unwrap();
    let events = serde_json::to_string(&events).unwrap();
    assert!(events.contains("session_ended") && events.contains("anomaly"), "{events}");
    let log = logs::text();
    let told = provider.receiver.received("watched", "set");
    let told: String = told.iter().filter_map(|token| claims_of(token)).collect();
    assert!(told.contains("session-revoked"), "{told}");
    for number in sent {
        for (place, text) in [("the log", &*log), ("an event", &events), ("a callback", &told)] {
            assert!(!text.contains(&number), "{number} is in {place}");
        }
    }
    // What was decided upon is not among the events either.
    for word in ["fitness", "llr", "evidence"] {
        assert!(!events.contains(word) && !told.contains(word), "{word}");
    }
}

fn claims_of(token: &str) -> Option<String> {
    use base64::Engine as _;
    let payload = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    String::from_utf8(bytes).ok()
}

#[tokio::test]
async fn the_passwords_rhythm_takes_a_second_consent_in_this_browser() {
    let (provider, mut visitor) = watched().await;
    let page = visitor.open("/account").await.page();
    let form = page.form_with("change", "give_password_consent").expect("it is offered");
    assert!(
        form.has("password_rhythm") && !page.body.contains("checked"),
        "apart, and unticked"
    );
    let version = form.hidden("text_version").unwrap().to_owned();
    let unticked = [("change", "give_password_consent"), ("text_version", version.as_str())];
    visitor.change(&unticked).await;
    assert!(!visitor.cookies.contains_key(MARKER), "unticked is no");
    let page = sign_in_page(&provider, &mut visitor).await;
    assert!(!page.body.contains("data-collect-password") && page.form().hidden("behavior_password").is_none());
    visitor.walk(Landed::Page(page), ALICE).await.left();

    let ticked = [&unticked[..], &[("password_rhythm", "yes")]].concat();
    let answer = visitor.change(&ticked).await;
    assert_eq!(answer.location(), Some("/account?notice=password-consented"));
    assert!(visitor.cookies.contains_key(MARKER));
    let page = sign_in_page(&provider, &mut visitor).await;
    assert!(page.body.contains("data-collect-password"));
    assert_eq!(page.form().hidden("behavior_password"), Some(""));
    let mut elsewhere = provider.visitor();
    let other = sign_in_page(&provider, &mut elsewhere).await;
    assert!(!other.body.contains("data-collect-password"), "another browser");

    // Sent with a wrong password, it is neither kept nor shown again.
    let typed = typed();
    let wrong = [
        ("identifier", "alice"),
        ("password", "wrong"),
        ("behavior_password", typed.as_str()),
    ];
    let page = visitor.submit(&page, &wrong).await.page();
    assert_eq!(page.form().hidden("behavior_password"), Some(""));
    assert!(!page.body.contains("hold_ms") && records(&provider).await.is_empty());

    let right = [
        ("identifier", "alice"),
        ("password", ALICE.password),
        ("behavior_password", typed.as_str()),
    ];
    let landed = visitor.submit(&page, &right).await;
    visitor.walk(landed, ALICE).await.left();
    let kept = records(&provider).await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].whose.credential.is_some(), "the credential's");
    assert!(!String::from_utf8_lossy(&kept[0].payload.0).contains("90.06"), "sealed");
    let export = visitor.change_at("/account/export", &[]).await.json();
    assert_eq!(
        export["behaviour"]["records"][0]["credential"],
        kept[0].whose.credential.as_ref().unwrap().as_str()
    );
    let numbers = measurements(&serde_json::from_str(&typed).unwrap());
    let log = logs::text();
    assert!(
        numbers.len() > 30 && numbers.iter().all(|number| !log.contains(number)),
        "never logged"
    );
}

#[tokio::test]
async fn the_passwords_rhythm_is_gone_when_it_is_turned_off_and_when_the_password_is_changed() {
    let (provider, mut visitor) = watched().await;
    for how in ["off", "changed", "withdrawn"] {
        let page = visitor.open("/account").await.page();
        if let Some(form) = page.form_with("change", "give_password_consent") {
            let version = form.hidden("text_version").unwrap().to_owned();
            let give = [
                ("change", "give_password_consent"),
                ("text_version", version.as_str()),
                ("password_rhythm", "yes"),
            ];
            visitor.change(&give).await;
        }
        let page = sign_in_page(&provider, &mut visitor).await;
        let typed = typed();
        let right = [
            ("identifier", "alice"),
            ("password", ALICE.password),
            ("behavior_password", typed.as_str()),
        ];
        let landed = visitor.submit(&page, &right).await;
        visitor.walk(landed, ALICE).await.left();
        assert_eq!(records(&provider).await.len(), 1, "{how}");
        match how {
            "off" => {
                let answer = visitor.change(&[("change", "withdraw_password_consent")]).await;
                assert_eq!(answer.location(), Some("/account?notice=password-withdrawn"));
                assert!(!visitor.cookies.contains_key(MARKER));
            }
            "changed" => {
                let answer = visitor.change(&[("change", "enrol"), ("plugin", "password")]).await;
                let page = visitor.follow(answer).await.page();
                let done = visitor.submit(&page, &[("new_password", ALICE.password)]).await.page();
                assert_eq!(done.url.path(), "/account");
            }
            _ => {
                visitor.change(&[("change", "withdraw_consent")]).await;
                assert!(!visitor.cookies.contains_key(MARKER));
            }
        }
        assert!(records(&provider).await.is_empty(), "{how}");
    }
    let page = visitor.open("/account").await.page();
    assert!(
        page.form_with("change", "give_password_consent").is_none(),
        "not without the first"
    );
}

#[tokio::test]
async fn where_the_deployment_does_not_offer_it_nothing_of_it_is_seen() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    visitor.agrees = true;
    App::watched(&provider).sign_in(&mut visitor, ALICE).await;
    let page = visitor.open("/account").await.page();
    assert!(page.form_with("change", "give_password_consent").is_none());
    visitor.cookies.insert(MARKER.to_owned(), "1".to_owned());
    let page = sign_in_page(&provider, &mut visitor).await;
    assert!(!page.body.contains("data-collect-password"));
    let typed = typed();
    let right = [
        ("identifier", "alice"),
        ("password", ALICE.password),
        ("behavior_password", typed.as_str()),
    ];
    let landed = visitor.submit(&page, &right).await;
    visitor.walk(landed, ALICE).await.left();
    assert!(records(&provider).await.is_empty());
}
