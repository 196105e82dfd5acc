//! The background: made of people who consent, kept up to date, and free of whoever was erased.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{Actor, Stage};
use gait_core::store::StoredBackground;
use gait_sdk::{Background, PluginId};

fn plugin() -> PluginId {
    PluginId::from("rhythm")
}

fn background(byte: u8) -> Background {
    Background {
        version: 1,
        checksum: [0; 32],
        bytes: vec![byte; 3],
        accounts: 2,
    }
}

/// A stage with that many people who are enrolled; the scorer makes a background of them.
async fn people(count: usize) -> (Stage, Vec<Actor>) {
    let stage = Stage::new().await;
    let mut people = Vec::new();
    for number in 0..count {
        let mut actor = stage.watched(&format!("person-{number}")).await;
        for _ in 0..3 {
            stage.types(&mut actor).await.unwrap();
        }
        people.push(actor);
    }
    assert_eq!(stage.idp.learn_due().await.unwrap(), count);
    stage.scorer.script.lock().unwrap().makes = Some(background(1));
    (stage, people)
}

/// The same person in a new session: the one before is long over.
async fn again(stage: &Stage, actor: &Actor) -> Actor {
    let session = stage.session(actor.account).await;
    stage.at(actor.account, session, "shop").await
}

async fn stored(stage: &Stage) -> Option<StoredBackground> {
    stage.store().background(&plugin()).await.unwrap()
}

/// Of how many models each background so far was made.
fn asked(stage: &Stage) -> Vec<usize> {
    let script = stage.scorer.script.lock().unwrap();
    script.backgrounds.iter().map(Vec::len).collect()
}

fn prepared(stage: &Stage) -> (usize, Option<Background>) {
    let script = stage.scorer.script.lock().unwrap();
    (script.prepared, script.prepared_with.clone())
}

#[tokio::test]
async fn it_is_made_once_a_day_and_kept_sealed() {
    let (stage, _) = people(2).await;
    assert!(stage.idp.make_background().await.unwrap());
    assert!(!stage.idp.make_background().await.unwrap(), "not due");
    stage.ports.clock.advance(86_400);
    assert!(!stage.idp.make_background().await.unwrap());
    stage.ports.clock.advance(1);
    assert!(stage.idp.make_background().await.unwrap());
    assert_eq!(asked(&stage), [2, 2]);
    let stored = stored(&stage).await.unwrap();
    assert_eq!(stored.accounts, 2);
    let words = b"checksum";
    assert!(!stored.blob.0.windows(words.len()).any(|part| part == words), "sealed");
}

#[tokio::test]
async fn models_are_judged_and_learned_against_it_and_parsed_once_for_each() {
    let (stage, people) = people(2).await;
    let mut alice = again(&stage, &people[0]).await;
    stage.types(&mut alice).await.unwrap();
    assert_eq!(prepared(&stage), (1, None), "none is there yet");
    stage.idp.make_background().await.unwrap();
    for _ in 0..3 {
        stage.types(&mut alice).await.unwrap();
    }
    assert_eq!(prepared(&stage), (2, Some(background(1))), "parsed anew, once");
    stage.scorer.script.lock().unwrap().makes = Some(background(2));
    stage.ports.clock.advance(86_401);
    stage.idp.make_background().await.unwrap();
    let mut alice = again(&stage, &alice).await;
    stage.types(&mut alice).await.unwrap();
    assert_eq!(prepared(&stage), (3, Some(background(2))));
    stage.idp.learn_due().await.unwrap();
    let learned_with = stage.scorer.script.lock().unwrap().learned_with.clone();
    assert_eq!(learned_with, Some(background(2)));
}

#[tokio::test]
async fn two_that_are_made_in_one_moment_are_two() {
    let (stage, mut people) = people(2).await;
    stage.idp.make_background().await.unwrap();
    stage.types(&mut people[0]).await.unwrap();
    stage.store().erase_behaviour(people[1].account, &[]).await.unwrap();
    stage.scorer.script.lock().unwrap().makes = Some(background(2));
    assert!(stage.idp.make_background().await.unwrap());
    stage.types(&mut people[0]).await.unwrap();
    assert_eq!(prepared(&stage), (2, Some(background(2))));
}

#[tokio::test]
async fn whoever_was_erased_is_out_of_it_in_the_next_round() {
    let (stage, people) = people(3).await;
    stage.idp.make_background().await.unwrap();
    let now = stage.ports.clock.now();
    stage.store().withdraw_consent(people[0].account, now, &[]).await.unwrap();
    assert!(stage.idp.make_background().await.unwrap(), "stale");
    stage.store().erase_behaviour(people[1].account, &[]).await.unwrap();
    assert!(stage.idp.make_background().await.unwrap());
    assert_eq!(asked(&stage), [3, 2, 1]);
    stage.store().erase_behaviour(people[2].account, &[]).await.unwrap();
    assert!(stage.idp.make_background().await.unwrap());
    assert_eq!(asked(&stage), [3, 2, 1], "of nobody, nothing is made");
    assert_eq!(stored(&stage).await, None);
}

#[tokio::test]
async fn an_erasure_while_it_is_made_is_not_missed() {
    let (stage, people) = people(2).await;
    let (store, alice) = (stage.store().clone(), people[0].account);
    stage.scorer.script.lock().unwrap().meanwhile = Some(Box::new(move || {
        Box::pin(async move { store.erase_behaviour(alice, &[]).await.unwrap() })
    }));
    assert!(
        !stage.idp.make_background().await.unwrap(),
        "what was made of her is thrown away"
    );
    assert_eq!(stored(&stage).await, None);
    assert!(stage.idp.make_background().await.unwrap());
    assert_eq!(asked(&stage), [2, 1]);
}

#[tokio::test]
async fn a_scorer_that_fails_keeps_the_old_one_unless_somebody_was_erased() {
    let (stage, people) = people(2).await;
    stage.idp.make_background().await.unwrap();
    stage.scorer.script.lock().unwrap().fails = true;
    stage.ports.clock.advance(86_401);
    assert!(stage.idp.make_background().await.is_err());
    assert!(stored(&stage).await.is_some(), "old, but nothing is wrong with it");
    stage.store().erase_behaviour(people[0].account, &[]).await.unwrap();
    assert!(stage.idp.make_background().await.is_err());
    assert_eq!(stored(&stage).await, None);
    stage.scorer.script.lock().unwrap().fails = false;
    assert!(stage.idp.make_background().await.unwrap(), "it is tried again");
    assert!(stored(&stage).await.is_some());
}

#[tokio::test]
async fn a_scorer_that_wants_none_has_none() {
    let (stage, people) = people(2).await;
    stage.idp.make_background().await.unwrap();
    stage.scorer.script.lock().unwrap().makes = None;
    stage.ports.clock.advance(86_401);
    assert!(stage.idp.make_background().await.unwrap());
    assert_eq!(stored(&stage).await, None);
    let mut alice = again(&stage, &people[0]).await;
    stage.types(&mut alice).await.unwrap();
    assert_eq!(prepared(&stage), (1, None));
}

#[tokio::test]
async fn of_many_it_is_made_of_sixty_four() {
    let (stage, _) = people(70).await;
    stage.idp.make_background().await.unwrap();
    assert_eq!(asked(&stage), [64]);
}

#[tokio::test]
async fn one_that_cannot_be_read_is_as_good_as_none() {
    let (stage, mut people) = people(1).await;
    stage.idp.make_background().await.unwrap();
    let damaged = StoredBackground {
        blob: gait_core::seal::Sealed(vec![0; 40]),
        made_at_ms: i64::MAX - 1,
        ..stored(&stage).await.unwrap()
    };
    let (store, plugin) = (stage.store(), plugin());
    let due = store.due_background(&plugin, i64::MAX).await.unwrap().unwrap();
    let put = store.put_background(&plugin, Some(&damaged), damaged.made_at_ms, due.revision);
    assert!(put.await.unwrap());
    assert!(stage.types(&mut people[0]).await.is_ok());
    assert_eq!(prepared(&stage), (1, None));
}
