//! Approvals.

use super::given::*;
use gait_core::account::Account;
use gait_core::store::{CredentialChange, EffectBatch, StoreError, StoredApproval};
use gait_sdk::{Form, Memo, Text, Visitor};
use serde_json::json;

contract!(
    an_approval_is_read_as_it_was_written,
    an_approval_is_kept_with_its_batch_or_not_at_all,
    wrong_codes_are_counted,
    the_session_is_named_in_the_approvals_of_its_flow,
    of_many_who_answer_one_wins,
    an_answer_that_cannot_be_carried_out_was_not_given,
    an_approval_that_has_died_is_not_answered,
);

fn approval(of: &Account, name: &str, flow: &str) -> StoredApproval {
    StoredApproval {
        hash: hash(name),
        account: of.id,
        plugin: "ip-trust".into(),
        flow: flow.into(),
        session: None,
        form: Form {
            title: Text::new("trust-title", "Was this you?").with("where", "Reykjavík"),
            nodes: vec![],
            submit: None,
        },
        memo: Memo(json!({"prefix": "192.0.2.7/32"})),
        asked_at: NOW,
        visitor: Visitor {
            address: Some("2001:db8::7".parse().unwrap()),
            user_agent: "Firefox".to_owned(),
            device: Some("device".to_owned()),
        },
        browser: hash("browser"),
        code: hash("code"),
        expires_at: NOW.plus(600),
        attempts: 0,
        answered_at: None,
    }
}

async fn ask(store: &TheStore, asked: &StoredApproval) -> Result<(), StoreError> {
    let batch = EffectBatch {
        approvals: vec![asked.clone()],
        ..EffectBatch::default()
    };
    store.carry_out(asked.account, NOW, &batch).await
}

async fn an_approval_is_read_as_it_was_written(store: TheStore) {
    let alice = add(&store, "alice").await;
    let asked = approval(&alice, "link", "flow");
    ask(&store, &asked).await.unwrap();
    assert_eq!(store.approval(&hash("link")).await.unwrap(), Some(asked));
    assert_eq!(store.approval(&hash("other")).await.unwrap(), None);
}

async fn an_approval_is_kept_with_its_batch_or_not_at_all(store: TheStore) {
    let alice = add(&store, "alice").await;
    let asked = approval(&alice, "link", "flow");
    ask(&store, &asked).await.unwrap();
    let mut other = approval(&alice, "other", "flow");
    let batch = EffectBatch {
        approvals: vec![other.clone(), asked.clone()],
        ..EffectBatch::default()
    };
    let refused = store.carry_out(alice.id, NOW, &batch).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    assert_eq!(store.approval(&other.hash).await.unwrap(), None);
    other.code = hash("another code");
    ask(&store, &other).await.unwrap();
}

async fn wrong_codes_are_counted(store: TheStore) {
    let alice = add(&store, "alice").await;
    ask(&store, &approval(&alice, "link", "flow")).await.unwrap();
    let mut counts = at_once(|_| {
        let store = store.clone();
        async move { store.fail_approval(&hash("link")).await.unwrap() }
    })
    .await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<u32>>());
    assert_eq!(store.approval(&hash("link")).await.unwrap().unwrap().attempts, 50);
    let nothing = store.fail_approval(&hash("nothing")).await;
    assert!(matches!(nothing, Err(StoreError::Stale(_))), "{nothing:?}");
}

async fn the_session_is_named_in_the_approvals_of_its_flow(store: TheStore) {
    let alice = add(&store, "alice").await;
    for (name, flow) in [("a", "mine"), ("b", "mine"), ("c", "another")] {
        ask(&store, &approval(&alice, name, flow)).await.unwrap();
    }
    store.bind_approvals(&"mine".into(), &"sid".into()).await.unwrap();
    for (name, session) in [("a", Some("sid".into())), ("b", Some("sid".into())), ("c", None)] {
        assert_eq!(store.approval(&hash(name)).await.unwrap().unwrap().session, session, "{name}");
    }
}

async fn of_many_who_answer_one_wins(store: TheStore) {
    let alice = add(&store, "alice").await;
    ask(&store, &approval(&alice, "link", "flow")).await.unwrap();
    let answers = at_once(|number| {
        let store = store.clone();
        let batch = EffectBatch {
            credentials: vec![CredentialChange::Add(credential(
                &alice,
                "ip-trust",
                &format!("place {number}"),
            ))],
            events: vec![event(&alice, &format!("answered {number}"))],
            ..EffectBatch::default()
        };
        async move { store.answer_approval(&hash("link"), NOW.plus(1), &batch).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    let kept = store.credentials(alice.id, None).await.unwrap();
    let winner = answers.iter().position(|won| *won).unwrap();
    assert_eq!(kept, [credential(&alice, "ip-trust", &format!("place {winner}"))]);
    assert_eq!(told(&store, &alice).await, [format!("answered {winner}")]);
    assert_eq!(
        store.approval(&hash("link")).await.unwrap().unwrap().answered_at,
        Some(NOW.plus(1))
    );
}

async fn an_answer_that_cannot_be_carried_out_was_not_given(store: TheStore) {
    let alice = add(&store, "alice").await;
    ask(&store, &approval(&alice, "link", "flow")).await.unwrap();
    let stale = EffectBatch {
        credentials: vec![CredentialChange::Replace {
            credential: credential(&alice, "ip-trust", "gone"),
        }],
        events: vec![event(&alice, "never")],
        ..EffectBatch::default()
    };
    let refused = store.answer_approval(&hash("link"), NOW, &stale).await;
    assert!(matches!(refused, Err(StoreError::Stale(_))), "{refused:?}");
    assert_eq!(store.approval(&hash("link")).await.unwrap().unwrap().answered_at, None);
    assert_eq!(told(&store, &alice).await, Vec::<String>::new());
    assert!(
        store
            .answer_approval(&hash("link"), NOW, &EffectBatch::default())
            .await
            .unwrap()
    );
}

async fn an_approval_that_has_died_is_not_answered(store: TheStore) {
    let alice = add(&store, "alice").await;
    ask(&store, &approval(&alice, "link", "flow")).await.unwrap();
    let batch = EffectBatch::default();
    assert!(!store.answer_approval(&hash("link"), NOW.plus(600), &batch).await.unwrap());
    assert!(!store.answer_approval(&hash("nothing"), NOW, &batch).await.unwrap());
    assert!(store.answer_approval(&hash("link"), NOW.plus(599), &batch).await.unwrap());
    store.purge(NOW.plus(601), MOST).await.unwrap();
    assert_eq!(
        store.approval(&hash("link")).await.unwrap(),
        None,
        "addresses aren't kept for ever"
    );
}
