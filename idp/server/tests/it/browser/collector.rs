//! The collector in a real browser: it measures what was done, the server takes what it sends, and the page stays quick.

use super::chrome::{self, Chrome};
use super::hand::{Hand, open_note};
use super::relying_party::{sign_in, start};
use crate::harness::collector::ORIGIN;
use crate::harness::{ALICE, App, BOB, Collector, ZOE};
use serde_json::{Value, json};
use std::time::Duration;

/// Keeps a copy of what the collector sends, and of how it is answered.
const TAP: &str = r#"
window.sent = [];
const original = window.fetch;
window.fetch = async (url, init) => {
  const answer = await original(url, init);
  if (String(url).endsWith("/continuous/samples")) window.sent.push({ body: init.body, status: answer.status });
  return answer;
};"#;

/// The batches so far.
async fn sent(chrome: &Chrome) -> Vec<Value> {
    let sent = chrome.ask("return window.sent").await;
    let read = |one: &Value| {
        let body = one["body"].as_str().unwrap();
        assert_eq!(one["status"], 200, "{body}");
        assert!(body.len() <= 15_872, "{} bytes", body.len());
        serde_json::from_str(body).unwrap()
    };
    sent.as_array().unwrap().iter().map(read).collect()
}

fn numbers(batches: &[Value], pointer: &str) -> Vec<f64> {
    let lists = batches.iter().filter_map(|batch| batch.pointer(pointer)?.as_array());
    lists.flatten().map(|number| number.as_f64().unwrap()).collect()
}

fn median_error(played: &[f64], measured: &[f64]) -> f64 {
    assert_eq!(played.len(), measured.len(), "{played:?}\n{measured:?}");
    let mut errors: Vec<_> = played
        .iter()
        .zip(measured)
        .map(|(played, measured)| (played - measured).abs())
        .collect();
    errors.sort_by(f64::total_cmp);
    errors[errors.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rhythm_that_is_played_as_real_input_is_measured_as_it_was_played() {
    let (provider, notebook) = start().await;
    chrome::story(&provider, async |chrome| {
        chrome.run_first(TAP).await;
        sign_in(&provider, &notebook, chrome, BOB).await;
        open_note(chrome).await;
        let mut hand = Hand::of(chrome, "alice", 3);
        for _ in 0..2 {
            hand.types(30).await;
            hand.rests(2100.0);
            hand.points(5).await;
            hand.rests(2100.0);
        }
        let played = &hand.played;
        let mut batches = Vec::new();
        for _ in 0..100 {
            batches = sent(chrome).await;
            if numbers(&batches, "/metrics/hold_ms").len() >= played.keys && numbers(&batches, "/metrics/dwell_ms").len() >= 8 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let errors = [
            median_error(&played.hold_ms, &numbers(&batches, "/metrics/hold_ms")),
            median_error(&played.digraph_ms, &numbers(&batches, "/digraph_ms")),
            median_error(&played.dwell_ms, &numbers(&batches, "/metrics/dwell_ms")),
        ];
        println!("median errors of holds, digraphs and dwells: {errors:.2?} ms");
        assert!(errors.iter().all(|&error| error <= 12.0), "{errors:?}");

        let paths = batches.iter().filter_map(|batch| batch.get("path")?.as_array());
        let points: Vec<_> = paths.flatten().cloned().collect();
        let clicks = points.iter().filter(|point| point[3] == 3).count();
        assert!(clicks >= 4, "of 8 clicks {clicks} were the end of a stroke");
        let steps: Vec<_> = points.iter().filter(|point| point[0] != 0 && point[3] == 0).collect();
        assert!(steps.len() > 100 && steps.iter().all(|step| step[0].as_f64().unwrap() >= 8.0));
        let text = serde_json::to_string(&batches).unwrap();
        assert!(
            !text.contains("keys") && !text.contains("Key"),
            "nobody agreed to key identities"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_key_identities_were_agreed_to_they_come_from_the_second_batch_on() {
    let (provider, notebook) = super::relying_party::start_with("\n[policy.watch]\nkey_identity = true\n").await;
    chrome::story(&provider, async |chrome| {
        chrome.run_first(TAP).await;
        sign_in(&provider, &notebook, chrome, BOB).await;
        open_note(chrome).await;
        let mut hand = Hand::of(chrome, "alice", 4);
        let answered = hand.works_until("#watch-state[data-state=ok]", Duration::from_secs(60)).await;
        assert!(answered, "no batch was answered");
        let mut batches = Vec::new();
        for _ in 0..20 {
            hand.types(10).await;
            batches = sent(chrome).await;
            if batches.len() >= 3 {
                break;
            }
        }
        assert!(batches[0].get("keys").is_none(), "before the first answer nobody has agreed");
        let keys: Vec<_> = batches
            .iter()
            .filter_map(|batch| batch.get("keys")?.as_array())
            .flatten()
            .collect();
        assert!(
            keys.iter().any(|key| key[1] == 0) && keys.iter().any(|key| key[1] != 0),
            "{keys:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_takes_what_the_sign_in_page_measured() {
    let (provider, notebook) = start().await;
    chrome::story(&provider, async |chrome| {
        sign_in(&provider, &notebook, chrome, ALICE).await;
        chrome.page.delete_cookie("__Host-gait-session").await.unwrap();
        chrome.goto(&provider.url("/end_session")).await;
        if chrome.has("form[action='/end_session/confirm']").await {
            chrome.click("form[action='/end_session/confirm'] button.primary").await;
            chrome.find(".emblem").await;
        }
        chrome.goto(&provider.url("/account")).await;
        chrome.find("input[name=behavior]").await;
        // After the page's own script, which loads later than this runs.
        let keep = "document.forms[0].addEventListener('submit', (event) =>
            queueMicrotask(() => sessionStorage.setItem('measured', event.target.elements.behavior.value)));";
        chrome.ask(keep).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        chrome.sign_in(&provider, ALICE).await;
        chrome.arrive(&provider.url("/account")).await;
        let measured = chrome.ask("return sessionStorage.getItem('measured')").await;
        let measured = measured.as_str().expect("a measurement");
        let batch: Value = serde_json::from_str(measured).unwrap();
        assert_eq!(batch["metrics"]["hold_ms"].as_array().unwrap().len(), ALICE.username.len());
        assert_eq!(batch["digraph_ms"].as_array().unwrap().len(), ALICE.username.len() - 1);

        let mut visitor = provider.visitor();
        visitor.agrees = true;
        let tokens = App::watched(&provider).sign_in(&mut visitor, ZOE).await;
        let answer = Collector::start(&provider, &tokens)
            .await
            .post(measured.to_owned(), ORIGIN)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    })
    .await;
}

/// Notes who listens how, who reads layout, and how long events take.
const SPY: &str = r#"
window.spied = { listeners: [], layouts: 0, events: [], long: 0 };
const isOurs = () => new Error().stack.includes("/static/gait");
const listen = EventTarget.prototype.addEventListener;
EventTarget.prototype.addEventListener = function (type, listener, options) {
  if (isOurs()) window.spied.listeners.push({ type, passive: options?.passive === true });
  return listen.call(this, type, listener, options);
};
const note = () => isOurs() && (window.spied.layouts += 1);
for (const [owner, names] of [
  [HTMLElement.prototype, ["offsetWidth", "offsetHeight", "offsetTop", "offsetLeft", "innerText"]],
  [Element.prototype, ["clientWidth", "clientHeight", "scrollTop", "scrollLeft", "scrollHeight", "scrollWidth"]],
]) for (const name of names) {
  const { get, set, ...rest } = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { ...rest, set, get() { note(); return get.call(this); } });
}
for (const [owner, name] of [[Element.prototype, "getBoundingClientRect"], [window, "getComputedStyle"]]) {
  const original = owner[name];
  owner[name] = function (...args) { note(); return original.apply(this, args); };
}
new PerformanceObserver((list) => {
  for (const e of list.getEntries()) window.spied.events.push([e.name, e.duration, e.processingEnd - e.processingStart, e.interactionId]);
}).observe({ type: "event", durationThreshold: 16 });
new PerformanceObserver((list) => (window.spied.long += list.getEntries().length)).observe({ type: "longtask" });
"#;

/// Keys, moves and clicks as fast as the browser takes them.
async fn storm(chrome: &Chrome) -> Value {
    open_note(chrome).await;
    chrome
        .ask("window.spied.layouts = 0; window.spied.events = []; window.spied.long = 0")
        .await;
    for i in 0..120_i32 {
        let letter = char::from(b'a' + u8::try_from(i % 26).unwrap());
        let key =
            json!({ "type": "keyDown", "key": letter, "text": letter, "code": format!("Key{}", letter.to_ascii_uppercase()) });
        let mut up = key.clone();
        up["type"] = json!("keyUp");
        let at = |kind: &str, step: i32| {
            json!({ "type": kind, "x": 100 + (i * 7 + step * 3) % 700, "y": 100 + i * 3, "button": "left", "clickCount": 1,
                "buttons": i32::from(kind == "mousePressed") })
        };
        let mut events = vec![("Input.dispatchKeyEvent", key), ("Input.dispatchKeyEvent", up)];
        for step in 0..2 {
            let mut moved = at("mouseMoved", step);
            moved["button"] = json!("none");
            events.push(("Input.dispatchMouseEvent", moved));
        }
        if i % 8 == 0 {
            events.push(("Input.dispatchMouseEvent", at("mousePressed", 1)));
            events.push(("Input.dispatchMouseEvent", at("mouseReleased", 1)));
        }
        for (command, params) in events {
            chrome.cdp(&json!({ "cmd": command, "params": params })).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    chrome.ask("return window.spied").await
}

fn p98(events: &[Value], column: usize) -> f64 {
    let mut values: Vec<_> = events.iter().map(|event| event[column].as_f64().unwrap()).collect();
    values.sort_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) * 98 / 100)
        .copied()
        .unwrap_or_default()
}

fn print_figures(what: &str, spied: &Value) {
    let events = spied["events"].as_array().unwrap();
    let interactions: Vec<_> = events.iter().filter(|event| event[3] != 0).cloned().collect();
    println!(
        "{what}: of all events those of 16 ms and more: {} (p98 of their processing {:.1} ms), interactions among them: {} \
         (p98 of their duration {:.0} ms), long tasks: {}",
        events.len(),
        p98(events, 2),
        interactions.len(),
        p98(&interactions, 1),
        spied["long"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collector_holds_no_input_up() {
    let (provider, notebook) = start().await;
    chrome::story(&provider, async |chrome| {
        chrome.run_first(SPY).await;
        sign_in(&provider, &notebook, chrome, BOB).await;
        chrome.find("#play-alice:enabled").await;
        let with = storm(chrome).await;
        print_figures("with the collector", &with);
        let listeners = with["listeners"].as_array().unwrap();
        let frequent = |listener: &&Value| {
            let of_input = ["key", "pointer", "wheel", "touch", "scroll", "input", "focus"];
            of_input
                .iter()
                .any(|kind| listener["type"].as_str().unwrap().starts_with(kind))
        };
        let frequent: Vec<_> = listeners.iter().filter(frequent).collect();
        assert!(frequent.len() >= 10, "{listeners:?}");
        assert!(frequent.iter().all(|listener| listener["passive"] == true), "{frequent:?}");
        assert_eq!(with["layouts"], 0, "reading layout makes the page wait for it");

        chrome.cdp(&json!({ "cmd": "Network.enable", "params": {} })).await;
        chrome
            .cdp(&json!({ "cmd": "Network.setBlockedURLs", "params": { "urls": ["*/static/gait*"] } }))
            .await;
        chrome.goto(&notebook.url).await;
        chrome.find("#watch-state[data-state=unwatched]").await;
        let without = storm(chrome).await;
        print_figures("without it", &without);
        assert_eq!(without["listeners"], json!([]));
    })
    .await;
}
