//! Clients.

use super::given::*;
use gait_core::store::{DeliveryFilter, Rotated, StoreError};

contract!(
    a_client_is_read_as_it_was_written,
    rewriting_a_client_keeps_what_hangs_on_it,
    removing_a_client_removes_what_hangs_on_it,
    a_client_is_stripped_a_few_rows_at_a_time,
    no_token_is_stored_for_a_client_that_is_gone,
);

async fn a_client_is_read_as_it_was_written(store: TheStore) {
    for id in ["c", "a", "b"] {
        store.put_client(&client(id)).await.unwrap();
    }
    assert_eq!(store.client(&"b".into()).await.unwrap(), Some(client("b")));
    assert_eq!(store.client(&"B".into()).await.unwrap(), None);
    assert_eq!(store.clients().await.unwrap(), ["a", "b", "c"].map(client));
}

async fn rewriting_a_client_keeps_what_hangs_on_it(store: TheStore) {
    signed_in(&store).await;
    let mut app = client("app");
    app.name = "Renamed".to_owned();
    store.put_client(&app).await.unwrap();
    assert_eq!(store.client(&app.id).await.unwrap(), Some(app));
    assert!(lives(&store, "online").await);
}

async fn removing_a_client_removes_what_hangs_on_it(store: TheStore) {
    let given = signed_in(&store).await;
    let app = "app".into();
    store.put_consent(given.alice.id, &app, &[].into(), NOW).await.unwrap();
    assert!(store.remove_client(&app).await.unwrap());
    assert!(!store.remove_client(&app).await.unwrap());
    assert_eq!(store.client(&app).await.unwrap(), None);
    assert_eq!(store.consent(given.alice.id, &app).await.unwrap(), None);
    assert_eq!(store.standing(&hash("online access")).await.unwrap(), None);
    assert_eq!(store.grants_of(given.alice.id).await.unwrap(), []);
    let rotated = store.rotate_refresh(&hash("offline refresh"), NOW, &[]).await.unwrap();
    assert_eq!(rotated, Rotated::Dead);
    store.put_client(&client("app")).await.unwrap();
    assert_eq!(
        store.standing(&hash("online access")).await.unwrap(),
        None,
        "a new client of the name inherits nothing"
    );
}

async fn a_client_is_stripped_a_few_rows_at_a_time(store: TheStore) {
    let given = signed_in(&store).await;
    store.put_client(&client("other")).await.unwrap();
    issue(&store, &grant(&given.session, "other", "other"), "other").await;
    let (app, told) = ("app".into(), event(&given.alice, "told"));
    store.put_consent(given.alice.id, &app, &[].into(), NOW).await.unwrap();
    store.note(&told).await.unwrap();
    store
        .expand_events(&[(told.id, vec![delivery(&told, "app", "one")])])
        .await
        .unwrap();
    let gone = batches(3, async || store.strip_client(&app, 3).await).await;
    assert_eq!(gone, [3, 3, 2], "four tokens, two grants, a consent, a delivery");
    assert_eq!(store.standing(&hash("online access")).await.unwrap(), None);
    assert_eq!(store.deliveries(&DeliveryFilter::default(), 9).await.unwrap(), []);
    assert!(lives(&store, "other").await);
    assert!(store.remove_client(&app).await.unwrap());
}

async fn no_token_is_stored_for_a_client_that_is_gone(store: TheStore) {
    let alice = add(&store, "alice").await;
    let mut machine = refresh(&grant(&session(&alice, "sid"), "gone", "g"), "machine");
    machine.grant = None;
    let refused = store.add_tokens(&[machine]).await;
    assert!(matches!(refused, Err(StoreError::Stale(_))), "{refused:?}");
    assert_eq!(store.standing(&hash("machine")).await.unwrap(), None);
}
