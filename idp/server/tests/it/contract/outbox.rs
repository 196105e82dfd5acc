//! Events and their deliveries.

use super::given::*;
use gait_core::account::Account;
use gait_core::event::{Channel, Delivery, Event, What};
use gait_core::ids::{DeliveryId, EventId};
use gait_core::store::Backlog;
use gait_sdk::Timestamp;

contract!(
    an_event_is_read_as_it_was_written,
    events_are_expanded_in_order_and_once,
    of_many_who_expand_an_event_one_does,
    a_delivery_is_claimed_by_one,
    a_claim_that_was_lost_comes_again,
    a_receiver_gets_its_deliveries_in_order,
    a_failed_delivery_waits_and_holds_later_ones_back,
    a_dead_letter_lets_the_next_one_pass,
    a_delivery_to_a_client_that_is_gone_holds_nothing_up,
    a_claim_is_bounded_and_takes_the_most_overdue_first,
    old_events_go_once_they_are_told,
    what_waits_is_counted_and_is_as_old_as_its_event,
);

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
    assert_eq!(store.unexpanded_events(9).await.unwrap(), [written, nobodys]);
}

/// Writes an event and expands it to deliveries named `<name> <client>`.
async fn tell(store: &TheStore, about: &Account, name: &str, clients: &[&str]) -> Event {
    let told = event(about, name);
    store.note(&told).await.unwrap();
    let deliveries: Vec<_> = clients
        .iter()
        .map(|client| delivery(&told, client, &format!("{name} {client}")))
        .collect();
    assert!(store.expand_event(told.id, &deliveries).await.unwrap());
    told
}

async fn clients(store: &TheStore) -> Account {
    for id in ["app", "shop"] {
        store.put_client(&client(id)).await.unwrap();
    }
    add(store, "alice").await
}

async fn claim(store: &TheStore, at: Timestamp) -> Vec<Delivery> {
    store.claim_deliveries(at, 30, 9).await.unwrap()
}

fn id(name: &str) -> DeliveryId {
    DeliveryId(uuid(name))
}

fn ids(deliveries: &[Delivery]) -> Vec<DeliveryId> {
    deliveries.iter().map(|delivery| delivery.id).collect()
}

async fn events_are_expanded_in_order_and_once(store: TheStore) {
    let alice = clients(&store).await;
    let events: Vec<_> = ["c", "a", "b"].iter().map(|name| event(&alice, name)).collect();
    for event in &events {
        store.note(event).await.unwrap();
    }
    assert_eq!(store.unexpanded_events(2).await.unwrap(), events[..2]);
    let due = delivery(&events[0], "app", "d");
    assert!(store.expand_event(events[0].id, std::slice::from_ref(&due)).await.unwrap());
    assert!(
        !store
            .expand_event(events[0].id, &[delivery(&events[0], "app", "e")])
            .await
            .unwrap()
    );
    assert!(!store.expand_event(event(&alice, "nothing").id, &[]).await.unwrap());
    assert_eq!(store.unexpanded_events(9).await.unwrap(), events[1..]);
    assert_eq!(claim(&store, NOW).await, [due]);
    assert_eq!(
        store.events_of(alice.id, 2).await.unwrap(),
        [events[2].clone(), events[1].clone()]
    );
}

async fn of_many_who_expand_an_event_one_does(store: TheStore) {
    let alice = clients(&store).await;
    let told = event(&alice, "told");
    store.note(&told).await.unwrap();
    let answers = at_once(|number| {
        let (store, due) = (store.clone(), delivery(&told, "app", &format!("d {number}")));
        async move { store.expand_event(due.event.id, &[due]).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    let winner = answers.iter().position(|won| *won).unwrap();
    assert_eq!(ids(&claim(&store, NOW).await), [id(&format!("d {winner}"))]);
}

async fn a_delivery_is_claimed_by_one(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["app", "shop"]).await;
    let answers = at_once(|_| {
        let store = store.clone();
        async move { claim(&store, NOW).await }
    })
    .await;
    let mut claimed: Vec<_> = answers.iter().flat_map(|deliveries| ids(deliveries)).collect();
    claimed.sort();
    let mut expected = vec![id("told app"), id("told shop")];
    expected.sort();
    assert_eq!(claimed, expected);
}

async fn a_claim_that_was_lost_comes_again(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["app"]).await;
    assert_eq!(ids(&claim(&store, NOW).await), [id("told app")]);
    assert_eq!(claim(&store, NOW.plus(29)).await, []);
    assert_eq!(ids(&claim(&store, NOW.plus(30)).await), [id("told app")]);
    store.delivered(id("told app"), NOW.plus(31)).await.unwrap();
    store.delivered(id("told app"), NOW.plus(31)).await.unwrap();
    store.delivery_failed(id("told app"), Some(NOW), "late").await.unwrap();
    assert_eq!(claim(&store, NOW.plus(999)).await, []);
}

async fn a_receiver_gets_its_deliveries_in_order(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "z first", &["app"]).await;
    let second = tell(&store, &alice, "a second", &[]).await;
    let third = event(&alice, "third");
    store.note(&third).await.unwrap();
    let logout = Delivery {
        channel: Channel::BackchannelLogout,
        ..delivery(&third, "app", "logout")
    };
    let in_order = [
        delivery(&second, "app", "second"),
        delivery(&third, "app", "third"),
        logout,
        delivery(&third, "shop", "shop's"),
    ];
    assert!(store.expand_event(third.id, &in_order).await.unwrap());
    let mut first = ids(&claim(&store, NOW).await);
    first.sort();
    let mut heads = vec![id("z first app"), id("logout"), id("shop's")];
    heads.sort();
    assert_eq!(first, heads, "one for each receiver: client and channel");
    assert_eq!(claim(&store, NOW).await, [], "nothing overtakes what is under way");
    store.delivered(id("z first app"), NOW).await.unwrap();
    assert_eq!(ids(&claim(&store, NOW).await), [id("second")]);
    store.delivered(id("second"), NOW).await.unwrap();
    assert_eq!(ids(&claim(&store, NOW).await), [id("third")]);
}

async fn a_failed_delivery_waits_and_holds_later_ones_back(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "first", &["app"]).await;
    tell(&store, &alice, "second", &["app", "shop"]).await;
    claim(&store, NOW).await;
    store
        .delivery_failed(id("first app"), Some(NOW.plus(60)), "503")
        .await
        .unwrap();
    assert_eq!(claim(&store, NOW.plus(29)).await, []);
    assert_eq!(
        ids(&claim(&store, NOW.plus(59)).await),
        [id("second shop")],
        "only the other receiver's"
    );
    let again = claim(&store, NOW.plus(60)).await;
    assert_eq!(ids(&again), [id("first app")]);
    assert_eq!((again[0].attempts, again[0].next_at), (1, NOW.plus(60)));
}

async fn a_dead_letter_lets_the_next_one_pass(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "first", &["app"]).await;
    tell(&store, &alice, "second", &["app"]).await;
    claim(&store, NOW).await;
    store.delivery_failed(id("first app"), None, "410").await.unwrap();
    assert_eq!(ids(&claim(&store, NOW).await), [id("second app")]);
    store.delivered(id("second app"), NOW).await.unwrap();
    assert_eq!(claim(&store, NOW.plus(9999)).await, []);
    assert_eq!(store.purge(NOW.plus(1)).await.unwrap(), 2);
}

async fn a_delivery_to_a_client_that_is_gone_holds_nothing_up(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["gone", "app"]).await;
    tell(&store, &alice, "next", &["shop"]).await;
    store.remove_client(&"shop".into(), NOW).await.unwrap();
    assert_eq!(ids(&claim(&store, NOW).await), [id("told app")]);
}

async fn a_claim_is_bounded_and_takes_the_most_overdue_first(store: TheStore) {
    let alice = clients(&store).await;
    let told = event(&alice, "told");
    store.note(&told).await.unwrap();
    let late = Delivery {
        next_at: NOW.plus(5),
        ..delivery(&told, "app", "late")
    };
    let early = Delivery {
        next_at: NOW.plus(1),
        ..delivery(&told, "shop", "early")
    };
    store.expand_event(told.id, &[late, early]).await.unwrap();
    assert_eq!(store.claim_deliveries(NOW, 30, 9).await.unwrap(), []);
    assert_eq!(ids(&store.claim_deliveries(NOW.plus(5), 30, 1).await.unwrap()), [id("early")]);
    assert_eq!(ids(&store.claim_deliveries(NOW.plus(5), 30, 1).await.unwrap()), [id("late")]);
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
    store.expand_event(told.id, &[]).await.unwrap();
    store
        .expand_event(waits.id, &[delivery(&waits, "app", "late")])
        .await
        .unwrap();
    store.expand_event(young.id, &[]).await.unwrap();
    assert_eq!(store.purge_events(Timestamp(200)).await.unwrap(), 1);
    let left: Vec<_> = store
        .events_of(alice.id, 9)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.txn)
        .collect();
    assert_eq!(left, ["young", "waits", "untold"]);
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
    assert!(store.expand_event(old.id, &deliveries).await.unwrap());
    let open = Backlog {
        events: 1,
        deliveries: 2,
        ..waiting
    };
    assert_eq!(store.backlog().await.unwrap(), open);
    store.delivered(id("one"), Timestamp(2000)).await.unwrap();
    store.delivery_failed(id("two"), None, "refused").await.unwrap();
    let closed = Backlog {
        deliveries: 0,
        dead_letters: 1,
        oldest_at_ms: Some(event(&alice, "new").at_ms),
        ..open
    };
    assert_eq!(store.backlog().await.unwrap(), closed);
}
