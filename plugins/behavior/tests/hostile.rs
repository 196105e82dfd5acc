//! Whatever comes in, the scorer neither panics nor outgrows its bounds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::anything::any_batch;
use common::{Chance, Desk, Rhythm, classic, context};
use futures_util::FutureExt;
use gait_behavior::Behavior;
use gait_behavior::classic::Config;
use gait_sdk::{Alarm, Evidence, Label, MAX_STATE_BYTES, ModelBlob, PluginError, Record, Scorer, State, Timestamp};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// An enrolled account's model, made once.
fn blob() -> &'static ModelBlob {
    static BLOB: OnceLock<ModelBlob> = OnceLock::new();
    BLOB.get_or_init(|| Desk::of(&Rhythm::named("alice"), 100, &mut Chance(1)).model.unwrap())
}

fn scorer() -> Behavior {
    classic(Config::default())
}

fn refused(blob: &ModelBlob) -> bool {
    matches!(scorer().prepare(blob, None), Err(PluginError::Corrupt { .. }))
        && matches!(scorer().describe(blob), Err(PluginError::Corrupt { .. }))
        && matches!(
            scorer().learn(&context(), Some(blob), None, &[]).now_or_never(),
            Some(Err(PluginError::Corrupt { .. }))
        )
}

fn sealed(bytes: Vec<u8>) -> ModelBlob {
    ModelBlob {
        checksum: Sha256::digest(&bytes).into(),
        bytes,
        ..blob().clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn bytes_that_are_no_model_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(refused(&sealed(bytes)));
    }

    #[test]
    fn a_model_with_changed_bytes_is_refused_or_harmless(at in any::<prop::sample::Index>(), byte in any::<u8>(), batch in any_batch()) {
        let mut bytes = blob().bytes.clone();
        *at.get_mut(&mut bytes) = byte;
        // With the old checksum, nothing changed goes through.
        let torn = ModelBlob { bytes: bytes.clone(), ..blob().clone() };
        prop_assert!(torn == *blob() || refused(&torn));
        // With a right one, it is in range or refused; in range, it is harmless.
        if let Ok(prepared) = scorer().prepare(&sealed(bytes), None) {
            let scored = scorer().score(&context(), Some(&prepared), State::default(), &batch).now_or_never().unwrap().unwrap();
            prop_assert!(scored.assessment.fitness.is_none_or(|fitness| (0.0..=1.0).contains(&fitness)));
        }
    }

    #[test]
    fn a_truncated_model_is_refused(length in any::<prop::sample::Index>()) {
        prop_assert!(refused(&sealed(blob().bytes[..length.index(blob().bytes.len())].to_vec())));
    }

    #[test]
    fn any_session_stays_within_its_bounds(batches in prop::collection::vec(any_batch(), 1..12)) {
        let scorer = scorer();
        let prepared = scorer.prepare(blob(), None).unwrap();
        let mut state = State::default();
        for batch in &batches {
            let before = state.clone();
            let scored = scorer.score(&context(), Some(&prepared), state, batch).now_or_never().unwrap().unwrap();
            prop_assert!(scored.state.0.len() <= MAX_STATE_BYTES);
            match scored.assessment.evidence {
                Evidence::Llr(nats) => {
                    prop_assert!(nats.abs() <= 3.0);
                    prop_assert!(scored.assessment.fitness.is_some_and(|fitness| (0.0..=1.0).contains(&fitness)));
                }
                Evidence::Insufficient => {
                    prop_assert_eq!(scored.assessment.alarm, Alarm::None);
                    prop_assert_eq!(&scored.state, &before);
                }
            }
            prop_assert!(batch.metrics.is_empty() <= scored.record.is_none());
            state = scored.state;
        }
    }

    #[test]
    fn any_state_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        let batch = Rhythm::named("alice").batch(&mut Chance(4), 1);
        let prepared = scorer().prepare(blob(), None).unwrap();
        let scored = scorer().score(&context(), Some(&prepared), State(bytes), &batch).now_or_never().unwrap();
        let refused = matches!(scored, Err(PluginError::Corrupt { .. }));
        prop_assert!(refused);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn whatever_was_learned_opens_again(batches in prop::collection::vec(any_batch(), 1..150), repeats in 1usize..4) {
        let mut desk = Desk::new(Config { min_samples: 60, ..Config::default() });
        let records: Vec<Record> = batches.iter().filter_map(|batch| desk.play(batch).record).collect();
        let records: Vec<_> = records.iter().cycle().take(records.len() * repeats).cloned().collect();
        let labelled: Vec<_> = records.into_iter().map(|record| desk.labelled(record, Label::Proven)).collect();
        desk.learn_labelled(&labelled);
        if let Some(model) = &desk.model {
            prop_assert_eq!(model.samples as usize, labelled.len());
            prop_assert!(desk.scorer.describe(model).is_ok());
        }
    }
}

#[test]
fn a_person_who_never_varies_can_be_learned() {
    let mut chance = Chance(1);
    let batch = Rhythm::named("alice").batch(&mut chance, 1);
    let mut desk = Desk::new(Config::default());
    let record = desk.play(&batch).record.unwrap();
    desk.learn(
        vec![
            Record {
                at: Timestamp(1),
                ..record
            };
            100
        ],
        Label::Proven,
    );
    assert!(desk.model.as_ref().unwrap().enrolled);
    assert_eq!(desk.play(&batch).assessment.alarm, Alarm::None);
    assert!(desk.play(&batch).assessment.fitness.unwrap() > 0.0);
}
