//! Events and their deliveries.

mod commands;
mod lines;

use super::given::*;
use gait_core::account::Account;
use gait_core::event::{Channel, Delivery, DeliveryState, Event, Receiver, What};
use gait_core::ids::{DeliveryId, EventId};
use gait_core::store::{Backlog, DeliveryFilter, EXPANDED, Pause};
use gait_sdk::Timestamp;
use serde_json::json;

contract!(
    an_event_is_read_as_it_was_written,
    events_are_expanded_in_order_and_once,
    an_event_of_tomorrow_is_passed_over_and_kept_as_it_was_written,
    what_was_expanded_before_stays_as_it_was_when_others_are,
    of_many_who_expand_an_event_one_does,
    events_are_shipped_in_order_and_once,
    what_waits_is_counted_and_is_as_old_as_its_event,
    old_events_go_once_they_are_told,
);

/// Writes an event and expands it to deliveries named `<name> <client>`.
async fn tell(store: &TheStore, about: &Account, name: &str, clients: &[&str]) -> Event {
    let told = event(about, name);
    store.note(&told).await.unwrap();
    let deliveries: Vec<_> = clients
        .iter()
        .map(|client| delivery(&told, client, &format!("{name} {client}")))
        .collect();
    assert!(expand(store, told.id, &deliveries).await);
    told
}

/// Expands one event; false if it was before.
async fn expand(store: &TheStore, event: EventId, deliveries: &[Delivery]) -> bool {
    let ours = store.expand_events(&[(event, deliveries.to_vec())]).await.unwrap();
    ours == [event]
}

async fn clients(store: &TheStore) -> Account {
    for id in ["app", "shop"] {
        store.put_client(&client(id)).await.unwrap();
    }
    add(store, "alice").await
}

fn receiver(client: &str, channel: Channel) -> Receiver {
    Receiver {
        client: client.into(),
        channel,
    }
}

fn callback(client: &str) -> Receiver {
    receiver(client, Channel::Callback)
}

async fn due(store: &TheStore, at: Timestamp) -> Vec<Receiver> {
    store.due_receivers(at, 99).await.unwrap()
}

/// Claims for 30 seconds, as `name`.
async fn claim(store: &TheStore, receiver: &Receiver, name: &str, at: Timestamp) -> Option<u32> {
    store.claim_receiver(receiver, uuid(name), at, at.plus(30)).await.unwrap()
}

async fn next(store: &TheStore, client: &str, at: Timestamp) -> Option<DeliveryId> {
    let next = store.next_delivery(&callback(client), at).await.unwrap();
    next.map(|delivery| delivery.id)
}

/// What became of the next delivery to a client.
async fn tried(store: &TheStore, client: &str, state: DeliveryState, pause: Option<Pause>) -> Delivery {
    claim(store, &callback(client), "worker", NOW).await;
    let mut delivery = store.next_delivery(&callback(client), NOW).await.unwrap().unwrap();
    delivery.state = state;
    delivery.attempts += 1;
    store.put_try(&delivery, uuid("worker"), pause).await.unwrap();
    store.release_receiver(&callback(client), uuid("worker")).await.unwrap();
    delivery
}

fn id(name: &str) -> DeliveryId {
    DeliveryId(uuid(name))
}

async fn listed(store: &TheStore, which: &DeliveryFilter) -> Vec<DeliveryId> {
    let deliveries = store.deliveries(which, 99).await.unwrap();
    deliveries.iter().map(|delivery| delivery.id).collect()
}

async fn an_event_is_read_as_it_was_written(store: TheStore) {
    let alice = add(&store, "alice").await;
    let mut written = event(&alice, "ended");
    written.what = What::SessionEnded {
        reason: gait_core::session::EndReason::Anomaly,
        reasons: vec!["typing_rhythm_differs".to_owned()],
    };
    written.session = Some("sid".into());
    written.client = Some("app".into());
    let nobodys = Event {
        account: None,
        ..event(&alice, "nobody's")
    };
    store.note(&written).await.unwrap();
    store.note(&nobodys).await.unwrap();
    assert_eq!(store.events_of(alice.id, 9).await.unwrap(), [written.clone()]);
    assert_eq!(store.unexpanded_events(None, 9).await.unwrap(), [written, nobodys]);
}

async fn events_are_expanded_in_order_and_once(store: TheStore) {
    let alice = clients(&store).await;
    let events: Vec<_> = ["c", "a", "b"].iter().map(|name| event(&alice, name)).collect();
    for event in &events {
        store.note(event).await.unwrap();
    }
    assert_eq!(store.unexpanded_events(None, 2).await.unwrap(), events[..2]);
    let due = delivery(&events[0], "app", "d");
    assert!(expand(&store, events[0].id, std::slice::from_ref(&due)).await);
    assert!(!expand(&store, events[0].id, &[delivery(&events[0], "app", "e")]).await);
    assert!(!expand(&store, event(&alice, "nothing").id, &[]).await);
    assert_eq!(store.unexpanded_events(None, 9).await.unwrap(), events[1..]);
    assert_eq!(store.next_delivery(&callback("app"), NOW).await.unwrap(), Some(due));
    assert_eq!(
        store.events_of(alice.id, 2).await.unwrap(),
        [events[2].clone(), events[1].clone()]
    );
}

async fn an_event_of_tomorrow_is_passed_over_and_kept_as_it_was_written(store: TheStore) {
    let alice = clients(&store).await;
    // Of an unknown kind, and of a known one in unknown words.
    let written = [
        json!({"event": "fortune_told", "plugin": "crystal-ball", "stars": 5}),
        json!({"event": "session_ended", "reason": "bad_fortune", "reasons": []}),
    ];
    let of_tomorrow = |name: &str, what: &serde_json::Value| Event {
        what: serde_json::from_value(what.clone()).unwrap(),
        ..event(&alice, name)
    };
    let [first, second] = [of_tomorrow("first", &written[0]), of_tomorrow("second", &written[1])];
    let known = event(&alice, "known");
    for event in [&first, &second, &known] {
        store.note(event).await.unwrap();
    }
    assert_eq!(store.unexpanded_events(Some(first.id), 1).await.unwrap(), [second.clone()]);
    assert_eq!(store.unexpanded_events(Some(second.id), 9).await.unwrap(), [known.clone()]);
    assert!(expand(&store, known.id, &[delivery(&known, "app", "told")]).await);
    assert_eq!(next(&store, "app", NOW).await, Some(id("told")));
    assert_eq!(store.backlog().await.unwrap().events, 2);

    // A newer node tells of one of them.
    assert!(expand(&store, first.id, &[delivery(&first, "shop", "of tomorrow")]).await);
    let told = store.next_delivery(&callback("shop"), NOW).await.unwrap().unwrap();
    let left = store.unexpanded_events(None, 9).await.unwrap();
    let read = [&told.event, &left[0]].map(|event| serde_json::to_value(&event.what).unwrap());
    assert_eq!(read, written);
    let all = [first, second, known];
    assert_eq!(store.unshipped_events(9).await.unwrap(), all);
    assert_eq!(store.events_of(alice.id, 9).await.unwrap().len(), all.len());
}

async fn what_was_expanded_before_stays_as_it_was_when_others_are(store: TheStore) {
    let alice = clients(&store).await;
    let first = tell(&store, &alice, "first", &["app"]).await;
    let rest: Vec<_> = (1..EXPANDED).map(|number| event(&alice, &format!("{number}"))).collect();
    let mut asked = vec![(first.id, vec![delivery(&first, "app", "twice")])];
    for event in &rest {
        store.note(event).await.unwrap();
        asked.push((event.id, Vec::new()));
    }
    asked[5].1 = vec![delivery(&rest[4], "shop", "told"), delivery(&rest[4], "gone", "nobody")];
    let mut ours = store.expand_events(&asked).await.unwrap();
    let mut expected: Vec<_> = rest.iter().map(|event| event.id).collect();
    ours.sort();
    expected.sort();
    assert_eq!(ours, expected);
    assert_eq!(
        listed(&store, &DeliveryFilter::default()).await,
        [id("first app"), id("told")]
    );
    assert_eq!(store.unexpanded_events(None, 9).await.unwrap(), []);
    assert_eq!(store.expand_events(&[]).await.unwrap(), []);
}

async fn of_many_who_expand_an_event_one_does(store: TheStore) {
    let alice = clients(&store).await;
    let told = event(&alice, "told");
    store.note(&told).await.unwrap();
    let answers = at_once(|number| {
        let (store, due) = (store.clone(), delivery(&told, "app", &format!("d {number}")));
        async move { expand(&store, due.event.id, &[due]).await }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    let winner = answers.iter().position(|won| *won).unwrap();
    assert_eq!(listed(&store, &DeliveryFilter::default()).await, [id(&format!("d {winner}"))]);
}

async fn events_are_shipped_in_order_and_once(store: TheStore) {
    let alice = clients(&store).await;
    let events: Vec<Event> = ["one", "two", "three"].map(|name| event(&alice, name)).into();
    for event in &events {
        store.note(event).await.unwrap();
    }
    // Shipping and telling clients know nothing of each other.
    assert!(expand(&store, events[0].id, &[]).await);
    assert_eq!(store.unshipped_events(2).await.unwrap(), events[..2]);
    let unknown = EventId(uuid("unknown"));
    store.events_shipped(&[events[0].id, events[2].id, unknown]).await.unwrap();
    assert_eq!(store.unshipped_events(9).await.unwrap(), events[1..2]);
    store.events_shipped(&[events[1].id]).await.unwrap();
    assert_eq!(store.unshipped_events(9).await.unwrap(), []);
    assert_eq!(store.events_of(alice.id, 9).await.unwrap().len(), 3);
    store.check_schema().await.unwrap();
}

async fn what_waits_is_counted_and_is_as_old_as_its_event(store: TheStore) {
    let alice = clients(&store).await;
    assert_eq!(store.backlog().await.unwrap(), Backlog::default());
    let old = Event {
        at_ms: 1000,
        ..event(&alice, "old")
    };
    store.note(&old).await.unwrap();
    store.note(&event(&alice, "new")).await.unwrap();
    let waiting = Backlog {
        events: 2,
        oldest_at_ms: Some(1000),
        ..Backlog::default()
    };
    assert_eq!(store.backlog().await.unwrap(), waiting);
    let deliveries = [delivery(&old, "app", "one"), delivery(&old, "shop", "two")];
    assert!(expand(&store, old.id, &deliveries).await);
    let open = Backlog {
        events: 1,
        deliveries: 2,
        ..waiting
    };
    assert_eq!(store.backlog().await.unwrap(), open);
    tried(&store, "app", DeliveryState::Arrived(NOW), None).await;
    tried(&store, "shop", DeliveryState::Dead(NOW), None).await;
    let closed = Backlog {
        deliveries: 0,
        dead_letters: 1,
        oldest_at_ms: Some(event(&alice, "new").at_ms),
        ..open
    };
    assert_eq!(store.backlog().await.unwrap(), closed);
}

async fn old_events_go_once_they_are_told(store: TheStore) {
    let alice = clients(&store).await;
    let at = |seconds: i64, name: &str| Event {
        id: EventId(uuid::Builder::from_unix_timestamp_millis(seconds.unsigned_abs() * 1000, &[7; 10]).into_uuid()),
        at_ms: seconds * 1000,
        ..event(&alice, name)
    };
    let (told, untold, waits, young) = (at(100, "told"), at(101, "untold"), at(102, "waits"), at(200, "young"));
    for event in [&told, &untold, &waits, &young] {
        store.note(event).await.unwrap();
    }
    expand(&store, told.id, &[]).await;
    expand(&store, waits.id, &[delivery(&waits, "app", "late")]).await;
    expand(&store, young.id, &[]).await;
    assert_eq!(store.purge_events(Timestamp(200), MOST).await.unwrap(), 1);
    let left: Vec<_> = store
        .events_of(alice.id, 9)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.txn)
        .collect();
    assert_eq!(left, ["young", "waits", "untold"]);
}
