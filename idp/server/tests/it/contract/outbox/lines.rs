//! The lines of deliveries, one for each receiver.

use super::*;

contract!(
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
);

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
