//! What operators and jobs do to deliveries, whoever they are for.

use super::*;

contract!(
    operators_see_what_has_not_arrived,
    what_is_replayed_is_as_good_as_new,
    what_is_dropped_is_gone,
    a_long_line_is_given_up_replayed_and_purged_a_few_at_a_time,
);

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
