//! Whatever comes in, the default model neither panics nor outgrows its bounds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::anything::any_batch;
use common::people::{Person, enrolled, public, shipped};
use common::{Chance, Desk, context};
use futures_util::FutureExt;
use gait_behavior::Behavior;
use gait_sdk::{
    Alarm, Background, Batch, Evidence, Label, MAX_STATE_BYTES, ModelBlob, PluginError, Prepared, Record, Scored, Scorer, State,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// An enrolled account's model, made once.
fn blob() -> &'static ModelBlob {
    static BLOB: OnceLock<ModelBlob> = OnceLock::new();
    BLOB.get_or_init(|| {
        let mut chance = Chance(1);
        let mut desk = enrolled(&Person::alice(), 60, &mut chance);
        for seq in 0..6 {
            let record = desk.play(&Person::alice().signs_in(9, seq, &mut chance)).record.unwrap();
            desk.learn(vec![record], Label::Proven);
        }
        desk.model.unwrap()
    })
}

fn scorer() -> &'static Behavior {
    static SCORER: OnceLock<Behavior> = OnceLock::new();
    SCORER.get_or_init(shipped)
}

fn ready() -> Prepared {
    scorer().prepare(blob(), Some(&public())).unwrap()
}

fn sealed(bytes: Vec<u8>) -> ModelBlob {
    ModelBlob {
        checksum: Sha256::digest(&bytes).into(),
        bytes,
        ..blob().clone()
    }
}

fn score(prepared: Option<&Prepared>, state: State, batch: &Batch) -> Result<Scored, PluginError> {
    scorer().score(&context(), prepared, state, batch).now_or_never().unwrap()
}

fn is_corrupt<T>(result: Result<T, PluginError>) -> bool {
    matches!(result, Err(PluginError::Corrupt { .. }))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn bytes_that_are_no_model_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let doctored = sealed(bytes);
        prop_assert!(is_corrupt(scorer().prepare(&doctored, None)));
        prop_assert!(is_corrupt(scorer().describe(&doctored)));
        let learned = scorer().learn(&context(), Some(&doctored), None, &[]).now_or_never().unwrap();
        prop_assert!(is_corrupt(learned));
    }

    #[test]
    fn a_model_with_changed_bytes_is_refused_or_harmless(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        batch in any_batch(),
    ) {
        let mut bytes = blob().bytes.clone();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        // With the old checksum, nothing changed goes through.
        let torn = ModelBlob { bytes: bytes.clone(), ..blob().clone() };
        prop_assert!(torn == *blob() || is_corrupt(scorer().prepare(&torn, None)));
        // With a right one, it is in range or refused; in range, it is harmless.
        if let Ok(prepared) = scorer().prepare(&sealed(bytes), None) {
            let scored = score(Some(&prepared), State::default(), &batch).unwrap();
            if let Evidence::Llr(nats) = scored.assessment.evidence {
                prop_assert!(nats.is_finite());
            }
        }
    }

    #[test]
    fn any_session_stays_within_its_bounds(batches in prop::collection::vec(any_batch(), 1..12), known in any::<bool>()) {
        let prepared = known.then(ready);
        let mut state = State::default();
        for batch in &batches {
            let scored = score(prepared.as_ref(), state, batch).unwrap();
            prop_assert!(scored.state.0.len() <= MAX_STATE_BYTES);
            match scored.assessment.evidence {
                Evidence::Llr(nats) => prop_assert!(nats.is_finite()),
                Evidence::Insufficient => prop_assert_eq!(scored.assessment.alarm, Alarm::None),
            }
            if let Some(record) = &scored.record {
                prop_assert!(serde_json::to_vec(&record.payload).unwrap().len() < 64 * 1024);
            }
            state = scored.state;
        }
    }

    #[test]
    fn any_state_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        let batch = Person::alice().works(1, &mut Chance(4));
        if let Ok(scored) = score(Some(&ready()), State(bytes), &batch) {
            prop_assert!(scored.state.0.len() <= MAX_STATE_BYTES);
        }
    }

    #[test]
    fn any_background_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), batch in any_batch()) {
        let mut bytes = public().bytes;
        *at.get_mut(&mut bytes) = byte;
        // A node that has not read the right one.
        let torn = Background { bytes: bytes.clone(), ..public() };
        prop_assert!(torn == public() || is_corrupt(shipped().prepare(blob(), Some(&torn))));
        let resealed = Background { checksum: Sha256::digest(&bytes).into(), ..torn };
        if let Ok(prepared) = scorer().prepare(blob(), Some(&resealed)) {
            let scored = score(Some(&prepared), State::default(), &batch).unwrap();
            if let Evidence::Llr(nats) = scored.assessment.evidence {
                prop_assert!(nats.is_finite());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn whatever_was_learned_opens_again(batches in prop::collection::vec(any_batch(), 1..60)) {
        let mut desk = Desk::with(shipped());
        let records: Vec<Record> = batches.iter().filter_map(|batch| desk.play(batch).record).collect();
        desk.learn(records, Label::Proven);
        if let Some(model) = &desk.model {
            prop_assert!(desk.scorer.describe(model).is_ok());
        }
    }
}

#[test]
fn a_model_of_the_other_kind_is_no_beginning_and_an_unknown_one_an_error() {
    let other = ModelBlob {
        version: 1,
        ..blob().clone()
    };
    let learned = scorer().learn(&context(), Some(&other), None, &[]).now_or_never().unwrap();
    assert!(learned.unwrap().model.is_none());
    let later = ModelBlob {
        version: 3,
        ..blob().clone()
    };
    assert!(is_corrupt(
        scorer().learn(&context(), Some(&later), None, &[]).now_or_never().unwrap()
    ));
    assert!(is_corrupt(scorer().prepare(&later, None)));
}
