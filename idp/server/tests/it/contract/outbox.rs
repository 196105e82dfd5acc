//! Events and their deliveries.

use super::given::*;
use gait_core::account::Account;
use gait_core::event::{Channel, Delivery, DeliveryState, Event, Receiver, What};
use gait_core::ids::{DeliveryId, EventId};
use gait_core::store::{Backlog, DeliveryFilter, EXPANDED, Pause};
use gait_sdk::Timestamp;

contract!(
    an_event_is_read_as_it_was_written,
    events_are_expanded_in_order_and_once,
    what_was_expanded_before_stays_as_it_was_when_others_are,
    of_many_who_expand_an_event_one_does,
    a_receiver_is_claimed_by_one,
    a_claim_that_was_lost_comes_again,
    a_receiver_gets_its_deliveries_in_order,
    a_delivery_is_read_as_it_was_after_a_try,
    a_paused_receiver_waits_with_everything_and_alone,
    only_who_holds_a_receiver_pauses_it,
    what_is_set_aside_lets_others_pass_and_comes_when_it_is_due,
    what_has_arrived_is_over,
    a_dead_letter_lets_the_next_one_pass,
    what_waits_too_long_for_a_receiver_is_given_up_together,
    a_session_is_told_of_once_everything_was_tried,
    a_delivery_to_a_client_that_is_gone_holds_nothing_up,
    as_many_receivers_as_are_asked_for_the_most_overdue_first,
    operators_see_what_has_not_arrived,
    what_is_replayed_is_as_good_as_new,
    what_is_dropped_is_gone,
    old_events_go_once_they_are_told,
    a_long_line_is_given_up_replayed_and_purged_a_few_at_a_time,
    what_waits_is_counted_and_is_as_old_as_its_event,
    events_are_shipped_in_order_and_once,
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

async fn events_are_expanded_in_order_and_once(store: TheStore) {
    let alice = clients(&store).await;
    let events: Vec<_> = ["c", "a", "b"].iter().map(|name| event(&alice, name)).collect();
    for event in &events {
        store.note(event).await.unwrap();
    }
    assert_eq!(store.unexpanded_events(2).await.unwrap(), events[..2]);
    let due = delivery(&events[0], "app", "d");
    assert!(expand(&store, events[0].id, std::slice::from_ref(&due)).await);
    assert!(!expand(&store, events[0].id, &[delivery(&events[0], "app", "e")]).await);
    assert!(!expand(&store, event(&alice, "nothing").id, &[]).await);
    assert_eq!(store.unexpanded_events(9).await.unwrap(), events[1..]);
    assert_eq!(store.next_delivery(&callback("app"), NOW).await.unwrap(), Some(due));
    assert_eq!(
        store.events_of(alice.id, 2).await.unwrap(),
        [events[2].clone(), events[1].clone()]
    );
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
    assert_eq!(store.unexpanded_events(9).await.unwrap(), []);
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

async fn a_receiver_is_claimed_by_one(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["app", "shop"]).await;
    let answers = at_once(|number| {
        let store = store.clone();
        async move { claim(&store, &callback("app"), &format!("worker {number}"), NOW).await }
    })
    .await;
    assert_eq!(count(&answers, &Some(0)), 1);
    assert_eq!(count(&answers, &None), 49);
    assert_eq!(due(&store, NOW).await, [callback("shop")], "what is claimed is nobody else's");
    let winner = answers.iter().position(Option::is_some).unwrap();
    assert_eq!(
        claim(&store, &callback("app"), &format!("worker {winner}"), NOW).await,
        Some(0),
        "it may prolong its claim"
    );
}

async fn a_claim_that_was_lost_comes_again(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["app"]).await;
    assert_eq!(claim(&store, &callback("app"), "crashed", NOW).await, Some(0));
    assert_eq!(claim(&store, &callback("app"), "next", NOW.plus(29)).await, None);
    assert_eq!(due(&store, NOW.plus(29)).await, []);
    assert_eq!(due(&store, NOW.plus(30)).await, [callback("app")]);
    assert_eq!(claim(&store, &callback("app"), "next", NOW.plus(30)).await, Some(0));
    assert_eq!(claim(&store, &callback("app"), "crashed", NOW.plus(31)).await, None);
    store.release_receiver(&callback("app"), uuid("crashed")).await.unwrap();
    assert_eq!(due(&store, NOW.plus(31)).await, [], "who has lost a claim can't give it up");
    store.release_receiver(&callback("app"), uuid("next")).await.unwrap();
    assert_eq!(due(&store, NOW.plus(31)).await, [callback("app")]);
    assert_eq!(claim(&store, &callback("nobody"), "next", NOW).await, None);
}

async fn a_receiver_gets_its_deliveries_in_order(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "z first", &["app"]).await;
    let second = event(&alice, "a second");
    store.note(&second).await.unwrap();
    let logout = Delivery {
        channel: Channel::BackchannelLogout,
        ..delivery(&second, "app", "logout")
    };
    let in_order = [
        delivery(&second, "app", "second"),
        delivery(&second, "app", "third"),
        logout.clone(),
        delivery(&second, "shop", "shop's"),
    ];
    assert!(expand(&store, second.id, &in_order).await);
    let to_logout = receiver("app", Channel::BackchannelLogout);
    assert_eq!(due(&store, NOW).await, [callback("app"), to_logout.clone(), callback("shop")]);
    for name in ["z first app", "second", "third"] {
        assert_eq!(next(&store, "app", NOW).await, Some(id(name)));
        tried(&store, "app", DeliveryState::Arrived(NOW), None).await;
    }
    assert_eq!(next(&store, "app", NOW).await, None);
    assert_eq!(
        store.next_delivery(&to_logout, NOW).await.unwrap(),
        Some(logout),
        "another channel is another line"
    );
    assert_eq!(due(&store, NOW).await, [to_logout, callback("shop")]);
}

async fn a_delivery_is_read_as_it_was_after_a_try(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["app"]).await;
    let mut delivery = store.next_delivery(&callback("app"), NOW).await.unwrap().unwrap();
    for state in [
        DeliveryState::Queued,
        DeliveryState::Aside(NOW.plus(60)),
        DeliveryState::Dead(NOW.plus(70)),
    ] {
        delivery.state = state;
        delivery.attempts += 2;
        delivery.refusals += 1;
        delivery.last_error = Some(format!("{state:?}"));
        store.put_try(&delivery, uuid("worker"), None).await.unwrap();
        assert_eq!(
            store.deliveries(&DeliveryFilter::default(), 9).await.unwrap(),
            [delivery.clone()]
        );
    }
    delivery.state = DeliveryState::Queued;
    store.put_try(&delivery, uuid("worker"), None).await.unwrap();
    assert_eq!(
        store.backlog().await.unwrap().dead_letters,
        1,
        "whoever comes late brings nothing back to life"
    );
}

async fn a_paused_receiver_waits_with_everything_and_alone(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "first", &["app"]).await;
    tell(&store, &alice, "second", &["app", "shop"]).await;
    let until = NOW.plus(60);
    tried(&store, "app", DeliveryState::Queued, Some(Pause { failures: 3, until })).await;
    assert_eq!(due(&store, NOW.plus(59)).await, [callback("shop")]);
    assert_eq!(claim(&store, &callback("app"), "worker", NOW.plus(59)).await, None);
    assert_eq!(due(&store, until).await, [callback("app"), callback("shop")]);
    assert_eq!(claim(&store, &callback("app"), "worker", until).await, Some(3));
    assert_eq!(next(&store, "app", until).await, Some(id("first app")), "it keeps its place");
}

async fn only_who_holds_a_receiver_pauses_it(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["app"]).await;
    claim(&store, &callback("app"), "holder", NOW).await;
    let delivery = store.next_delivery(&callback("app"), NOW).await.unwrap().unwrap();
    let pause = Pause {
        failures: 9,
        until: NOW.plus(999),
    };
    store.put_try(&delivery, uuid("late"), Some(pause)).await.unwrap();
    assert_eq!(claim(&store, &callback("app"), "holder", NOW).await, Some(0));
}

async fn what_is_set_aside_lets_others_pass_and_comes_when_it_is_due(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "poisoned", &["app"]).await;
    tell(&store, &alice, "good", &["app"]).await;
    tried(&store, "app", DeliveryState::Aside(NOW.plus(60)), None).await;
    assert_eq!(
        next(&store, "app", NOW.plus(99)).await,
        Some(id("good app")),
        "the line comes first"
    );
    tried(&store, "app", DeliveryState::Arrived(NOW), None).await;
    assert_eq!(due(&store, NOW.plus(59)).await, []);
    assert_eq!(next(&store, "app", NOW.plus(59)).await, None);
    assert_eq!(due(&store, NOW.plus(60)).await, [callback("app")]);
    assert_eq!(next(&store, "app", NOW.plus(60)).await, Some(id("poisoned app")));
}

async fn what_has_arrived_is_over(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["app"]).await;
    let arrived = tried(&store, "app", DeliveryState::Arrived(NOW), None).await;
    assert_eq!(due(&store, NOW.plus(9999)).await, []);
    let all = DeliveryFilter::default();
    assert_eq!(listed(&store, &all).await, []);
    assert_eq!(store.replay(&all, NOW, MOST).await.unwrap(), 0);
    assert!(!store.drop_delivery(arrived.id).await.unwrap());
    assert_eq!(store.purge(NOW, MOST).await.unwrap(), 0);
    assert_eq!(store.purge(NOW.plus(1), MOST).await.unwrap(), 1);
}

async fn a_dead_letter_lets_the_next_one_pass(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "first", &["app"]).await;
    tell(&store, &alice, "second", &["app"]).await;
    tried(&store, "app", DeliveryState::Dead(NOW), None).await;
    assert_eq!(next(&store, "app", NOW).await, Some(id("second app")));
    tried(&store, "app", DeliveryState::Arrived(NOW), None).await;
    assert_eq!(due(&store, NOW.plus(9999)).await, []);
    assert_eq!(store.purge(NOW.plus(1), MOST).await.unwrap(), 2);
    assert_eq!(store.backlog().await.unwrap().dead_letters, 0);
}

async fn what_waits_too_long_for_a_receiver_is_given_up_together(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "old", &["app", "shop"]).await;
    tell(&store, &alice, "aside", &["app"]).await;
    let told = event(&alice, "young");
    store.note(&told).await.unwrap();
    let young = Delivery {
        since: NOW.plus(50),
        ..delivery(&told, "app", "young")
    };
    assert!(expand(&store, told.id, &[young]).await);
    tried(&store, "app", DeliveryState::Aside(NOW), None).await;
    let later = NOW.plus(100);
    assert_eq!(store.give_up(&callback("app"), NOW, later, "away", MOST).await.unwrap(), 2);
    let dead = store
        .deliveries(
            &DeliveryFilter {
                dead: true,
                ..DeliveryFilter::default()
            },
            9,
        )
        .await
        .unwrap();
    let states: Vec<_> = dead
        .iter()
        .map(|one| (one.id, one.state, one.last_error.as_deref()))
        .collect();
    let is_dead = DeliveryState::Dead(later);
    assert_eq!(
        states,
        [
            (id("old app"), is_dead, Some("away")),
            (id("aside app"), is_dead, Some("away"))
        ]
    );
    assert_eq!(due(&store, later).await, [callback("shop"), callback("app")]);
    assert_eq!(next(&store, "app", later).await, Some(id("young")));
}

async fn a_session_is_told_of_once_everything_was_tried(store: TheStore) {
    let alice = clients(&store).await;
    let told = Event {
        session: Some("sid".into()),
        ..event(&alice, "told")
    };
    store.note(&told).await.unwrap();
    let deliveries = [delivery(&told, "app", "app's"), delivery(&told, "shop", "shop's")];
    expand(&store, told.id, &deliveries).await;
    assert!(!store.is_untold(&"another".into()).await.unwrap());
    assert!(store.is_untold(&"sid".into()).await.unwrap());
    tried(&store, "app", DeliveryState::Arrived(NOW), None).await;
    assert!(store.is_untold(&"sid".into()).await.unwrap());
    tried(&store, "shop", DeliveryState::Queued, None).await;
    assert!(!store.is_untold(&"sid".into()).await.unwrap(), "whether it arrived or not");
}

async fn a_delivery_to_a_client_that_is_gone_holds_nothing_up(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "told", &["gone", "app"]).await;
    tell(&store, &alice, "next", &["shop"]).await;
    claim(&store, &callback("shop"), "worker", NOW).await;
    store.remove_client(&"shop".into()).await.unwrap();
    assert_eq!(due(&store, NOW).await, [callback("app")]);
    assert_eq!(listed(&store, &DeliveryFilter::default()).await, [id("told app")]);
    assert_eq!(claim(&store, &callback("shop"), "worker", NOW).await, None);
}

async fn as_many_receivers_as_are_asked_for_the_most_overdue_first(store: TheStore) {
    let alice = clients(&store).await;
    let told = event(&alice, "told");
    store.note(&told).await.unwrap();
    let late = Delivery {
        since: NOW.plus(5),
        ..delivery(&told, "app", "late")
    };
    let early = Delivery {
        since: NOW.plus(1),
        ..delivery(&told, "shop", "early")
    };
    expand(&store, told.id, &[late, early]).await;
    let later = NOW.plus(5);
    assert_eq!(store.due_receivers(later, 1).await.unwrap(), [callback("shop")]);
    assert_eq!(
        store.due_receivers(later, 2).await.unwrap(),
        [callback("shop"), callback("app")]
    );
}

async fn operators_see_what_has_not_arrived(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "first", &["app", "shop"]).await;
    tell(&store, &alice, "second", &["app"]).await;
    tried(&store, "app", DeliveryState::Dead(NOW), None).await;
    let all = DeliveryFilter::default();
    assert_eq!(
        listed(&store, &all).await,
        [id("first app"), id("first shop"), id("second app")]
    );
    assert_eq!(store.deliveries(&all, 1).await.unwrap().len(), 1);
    let dead = DeliveryFilter {
        dead: true,
        ..all.clone()
    };
    assert_eq!(listed(&store, &dead).await, [id("first app")]);
    let of_app = DeliveryFilter {
        client: Some("app".into()),
        ..all.clone()
    };
    assert_eq!(listed(&store, &of_app).await, [id("first app"), id("second app")]);
    let one = DeliveryFilter {
        id: Some(id("second app")),
        ..all
    };
    assert_eq!(listed(&store, &one).await, [id("second app")]);
    assert_eq!(listed(&store, &DeliveryFilter { dead: true, ..one }).await, []);
}

async fn what_is_replayed_is_as_good_as_new(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "first", &["app", "shop"]).await;
    tell(&store, &alice, "second", &["app"]).await;
    for client in ["app", "shop"] {
        let pause = Pause {
            failures: 5,
            until: NOW.plus(999),
        };
        tried(&store, client, DeliveryState::Dead(NOW), Some(pause)).await;
    }
    let later = NOW.plus(500);
    let of_app = DeliveryFilter {
        client: Some("app".into()),
        ..DeliveryFilter::default()
    };
    assert_eq!(store.replay(&of_app, later, MOST).await.unwrap(), 1);
    assert_eq!(store.replay(&of_app, later, MOST).await.unwrap(), 0);
    assert_eq!(claim(&store, &callback("app"), "worker", later).await, Some(0), "at once");
    assert_eq!(claim(&store, &callback("shop"), "worker", later).await, None, "nobody else");
    let again = store.next_delivery(&callback("app"), later).await.unwrap().unwrap();
    assert_eq!(
        (again.id, again.state),
        (id("first app"), DeliveryState::Queued),
        "in its old place"
    );
    assert_eq!((again.since, again.attempts, again.refusals), (later, 1, 0));

    let shops = DeliveryFilter {
        id: Some(id("first shop")),
        ..DeliveryFilter::default()
    };
    assert_eq!(store.replay(&shops, later, MOST).await.unwrap(), 1);
    assert_eq!(claim(&store, &callback("shop"), "worker", later).await, Some(0));
    let mut aside = again;
    (aside.state, aside.refusals) = (DeliveryState::Aside(later.plus(999)), 3);
    store.put_try(&aside, uuid("worker"), None).await.unwrap();
    let dead = DeliveryFilter {
        dead: true,
        ..of_app.clone()
    };
    assert_eq!(store.replay(&dead, later, MOST).await.unwrap(), 0, "dead letters only");
    assert_eq!(store.replay(&of_app, later, MOST).await.unwrap(), 1, "and what was set aside");
}

async fn what_is_dropped_is_gone(store: TheStore) {
    let alice = clients(&store).await;
    tell(&store, &alice, "first", &["app"]).await;
    tell(&store, &alice, "second", &["app"]).await;
    tried(&store, "app", DeliveryState::Dead(NOW), None).await;
    for name in ["first app", "second app"] {
        assert!(store.drop_delivery(id(name)).await.unwrap());
        assert!(!store.drop_delivery(id(name)).await.unwrap());
    }
    assert_eq!(listed(&store, &DeliveryFilter::default()).await, []);
    assert_eq!(due(&store, NOW).await, []);
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

async fn a_long_line_is_given_up_replayed_and_purged_a_few_at_a_time(store: TheStore) {
    let alice = clients(&store).await;
    for name in ["one", "two", "three", "four", "five"] {
        tell(&store, &alice, name, &["app", "shop"]).await;
    }
    let (later, all) = (NOW.plus(100), DeliveryFilter::default());
    let app = callback("app");
    let given_up = batches(2, async || store.give_up(&app, NOW, later, "away", 2).await).await;
    assert_eq!(given_up, [2, 2, 1]);
    let waiting = Backlog {
        deliveries: 5,
        dead_letters: 5,
        oldest_at_ms: Some(NOW.0 * 1000),
        ..Backlog::default()
    };
    assert_eq!(store.backlog().await.unwrap(), waiting);
    assert_eq!(batches(3, async || store.replay(&all, later, 3).await).await, [3, 2]);
    assert_eq!(next(&store, "app", later).await, Some(id("one app")), "in its old place");
    store.give_up(&app, later, later, "away", MOST).await.unwrap();
    let gone = batches(4, async || store.purge(later.plus(1), 4).await).await;
    assert_eq!(gone, [4, 1]);
    store.give_up(&callback("shop"), later, later, "away", MOST).await.unwrap();
    store.purge(later.plus(1), MOST).await.unwrap();
    // The last moment that an event's id can tell.
    let end = Timestamp(281_474_976_710);
    let gone = batches(2, async || store.purge_events(end, 2).await).await;
    assert_eq!(gone, [2, 2, 1]);
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
