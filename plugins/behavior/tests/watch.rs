//! What the default model promises to the person, and to whoever sits down at the person's desk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::people::{Person, enrolled, model_of, public, shipped, work};
use common::{Chance, Desk};
use futures_util::FutureExt;
use gait_behavior::reason;
use gait_sdk::{Alarm, Batch, Channel, Evidence, IpEvidence, Label, MAX_STATE_BYTES, Pointer, Scored, Scorer, State};

fn codes(scored: &Scored) -> Vec<&str> {
    scored.assessment.reasons.iter().map(|code| code.0.as_str()).collect()
}

/// Batches until an alarm of at least this level.
fn caught(desk: &mut Desk, wanted: Alarm, mut batch: impl FnMut(u64) -> Batch) -> Option<u64> {
    (1..=120).find(|seq| desk.play(&batch(1000 + seq)).assessment.alarm >= wanted)
}

#[test]
fn the_owner_works_for_hours_and_the_impostor_not_for_a_minute() {
    for seed in 1..6 {
        let mut chance = Chance(seed);
        let (alice, mallory) = (Person::alice(), Person::mallory());
        let mut desk = enrolled(&alice, 150, &mut chance);
        let alarms = (0..1000)
            .filter(|seq| desk.play(&alice.works(*seq, &mut chance)).assessment.alarm > Alarm::None)
            .count();
        assert_eq!(alarms, 0, "seed {seed}: the owner was disturbed");
        let soft = caught(&mut desk, Alarm::Soft, |seq| mallory.works(seq, &mut chance)).unwrap();
        let hard = caught(&mut desk, Alarm::Hard, |seq| mallory.works(seq, &mut chance)).unwrap();
        println!("seed {seed}: stepped up at batch {soft}, ended {hard} batches later");
        assert!(soft <= 6 && hard <= 6, "seed {seed}: {soft}, then {hard}");
    }
}

#[test]
fn an_impostor_who_only_types_or_only_points_is_caught_and_told_by_it() {
    let (alice, mallory) = (Person::alice(), Person::mallory());
    for seed in 1..4 {
        let mut chance = Chance(seed);
        let mut desk = enrolled(&alice, 150, &mut chance);
        assert!(caught(&mut desk, Alarm::Soft, |seq| mallory.types(15, seq, &mut chance)).unwrap() <= 12);
        let scored = desk.play(&mallory.types(40, 5000, &mut chance));
        assert!(codes(&scored).contains(&reason::TYPING_STRONGLY), "{:?}", codes(&scored));
        desk.state = State::default();
        assert!(caught(&mut desk, Alarm::Soft, |seq| mallory.points(3, seq, &mut chance)).unwrap() <= 12);
        let scored = desk.play(&mallory.points(9, 6000, &mut chance));
        assert!(codes(&scored).contains(&reason::POINTING_STRONGLY), "{:?}", codes(&scored));
    }
}

#[test]
fn a_strange_address_is_evidence_too_and_a_known_one_saves_nobody() {
    let mut chance = Chance(7);
    let mut desk = enrolled(&Person::alice(), 150, &mut chance);
    let batches: Vec<_> = (0..40).map(|seq| Person::mallory().types(4, seq, &mut chance)).collect();
    let mut until = |score: f64| {
        desk.context.ip_evidence = Some(IpEvidence { score });
        desk.state = State::default();
        let caught = batches
            .iter()
            .position(|batch| desk.play(batch).assessment.alarm == Alarm::Soft)
            .unwrap();
        (caught, desk.play(&batches[39]))
    };
    let (known, told) = until(1.0);
    assert!(!codes(&told).contains(&reason::ADDRESS));
    let (strange, told) = until(0.0);
    assert!(strange <= known, "{strange} from a strange address, {known} from a known one");
    assert!(codes(&told).contains(&reason::ADDRESS));
}

#[test]
fn missing_data_is_never_an_anomaly() {
    let mut chance = Chance(3);
    let alice = Person::alice();
    let mut desk = enrolled(&alice, 150, &mut chance);
    let typed = alice.types(20, 1, &mut chance);
    let nothing = Batch {
        metrics: gait_sdk::Metrics::default(),
        digraph_ms: vec![],
        ..typed.clone()
    };
    let coarse = Batch {
        clock_ms: 100.0,
        ..Person::mallory().types(60, 2, &mut chance)
    };
    for (batch, code) in [(nothing, reason::FEW_DATA), (coarse, reason::COARSE_CLOCK)] {
        let before = desk.state.clone();
        let scored = desk.play(&batch);
        assert_eq!(
            (scored.assessment.evidence, scored.assessment.alarm),
            (Evidence::Insufficient, Alarm::None)
        );
        assert_eq!(codes(&scored), [code]);
        assert_eq!(scored.state, before);
        assert!(scored.record.is_none());
    }
}

#[test]
fn a_finger_is_not_held_against_a_mouse() {
    let mut chance = Chance(4);
    let mut desk = enrolled(&Person::alice(), 150, &mut chance);
    for seq in 0..60 {
        let batch = Batch {
            pointer: Pointer::Touch,
            ..Person::mallory().works(seq, &mut chance)
        };
        let scored = desk.play(&batch);
        assert_eq!(
            (scored.assessment.evidence, scored.assessment.alarm),
            (Evidence::Insufficient, Alarm::None)
        );
        assert!(scored.record.is_some(), "the finger is to be learned as well");
    }
}

#[test]
fn a_recorded_minute_does_not_pass_twice() {
    let mut chance = Chance(5);
    let alice = Person::alice();
    let mut desk = enrolled(&alice, 150, &mut chance);
    let recorded: Vec<_> = (0..12).map(|seq| alice.types(30, seq, &mut chance)).collect();
    for batch in &recorded {
        assert_eq!(desk.play(batch).assessment.alarm, Alarm::None);
    }
    let before = desk.state.clone();
    let shaken = |ms: &f64, chance: &mut Chance| (ms + 10.0 * chance.uniform() - 5.0).max(1.0);
    for jitter in [false, true] {
        let mut again = Batch {
            seq: 100,
            ..recorded[3].clone()
        };
        if jitter {
            again.metrics.hold_ms = again.metrics.hold_ms.iter().map(|ms| shaken(ms, &mut chance)).collect();
            again.digraph_ms = again.digraph_ms.iter().map(|ms| shaken(ms, &mut chance)).collect();
        }
        desk.state = before.clone();
        let scored = desk.play(&again);
        assert_eq!(scored.assessment.alarm, Alarm::Soft, "jitter {jitter}");
        assert_eq!(codes(&scored)[0], reason::REPLAYED);
        assert!(scored.record.is_none(), "a recording must not be learned");
        assert_eq!(desk.play(&again).assessment.alarm, Alarm::Hard);
    }
}

#[test]
fn yesterdays_recording_is_known_too() {
    let mut chance = Chance(6);
    let alice = Person::alice();
    let mut desk = enrolled(&alice, 100, &mut chance);
    for recorded in [alice.types(30, 1, &mut chance), alice.points(4, 2, &mut chance)] {
        desk.state = State::default();
        let record = desk.play(&recorded).record.unwrap();
        desk.learn(vec![record], Label::Proven);
        desk.state = State::default();
        let scored = desk.play(&Batch { seq: 9, ..recorded });
        assert_eq!((scored.assessment.alarm, codes(&scored)[0]), (Alarm::Soft, reason::REPLAYED));
    }
}

#[test]
fn a_metronome_is_no_person() {
    let mut chance = Chance(8);
    let mut desk = enrolled(&Person::alice(), 100, &mut chance);
    let mut batch = Person::alice().types(30, 1, &mut chance);
    batch.metrics.hold_ms = vec![88.0; 30];
    batch.digraph_ms = (0..29).map(|i| 165.0 + f64::from(i % 2)).collect();
    let scored = desk.play(&batch);
    assert_eq!((scored.assessment.alarm, codes(&scored)[0]), (Alarm::Soft, reason::TOO_EVEN));
}

#[test]
fn only_what_is_proven_or_like_the_owner_is_learned_and_never_what_is_disputed() {
    let mut chance = Chance(9);
    let (alice, mallory) = (Person::alice(), Person::mallory());
    let mut fresh = Desk::with(shipped());
    let record = fresh.play(&alice.works(1, &mut chance)).record.unwrap();
    for label in [Label::Unproven, Label::Disputed] {
        let learned = fresh.learn(vec![record.clone()], label);
        assert!(learned.model.is_none() && learned.settled.len() == 1, "{label:?}");
    }
    assert!(fresh.learn(vec![record], Label::Proven).model.is_some());

    let mut desk = enrolled(&alice, 150, &mut chance);
    let before = desk.samples();
    let own = desk.play(&alice.works(1, &mut chance)).record.unwrap();
    desk.learn(vec![own], Label::Unproven);
    assert!(desk.samples() > before, "what is like the owner is learned");
    let before = desk.samples();
    desk.state = State::default();
    let strange = desk.play(&mallory.works(2, &mut chance)).record.unwrap();
    assert!(
        desk.learn(vec![strange.clone()], Label::Unproven).model.is_none(),
        "what isn't is not"
    );
    desk.learn(vec![strange], Label::SteppedUp);
    assert!(desk.samples() > before, "but for a step-up");
}

/// Thirty sessions by somebody who comes as near to the owner as goes unnoticed, and a little further each time.
#[test]
fn a_template_is_not_dragged_away_step_by_step() {
    let mut chance = Chance(10);
    let (alice, mallory) = (Person::alice(), Person::mallory());
    let mut desk = enrolled(&alice, 150, &mut chance);
    for step in 0..30 {
        let share = f64::from(step) / 30.0;
        let between = Person {
            hold: alice.hold + share * (mallory.hold - alice.hold),
            digraph: alice.digraph + share * (mallory.digraph - alice.digraph),
            ..alice.clone()
        };
        desk.state = State::default();
        let records = (0..10)
            .filter_map(|seq| desk.play(&between.types(15, seq, &mut chance)).record)
            .collect();
        desk.learn(records, Label::Unproven);
    }
    desk.state = State::default();
    let alarms = (0..300)
        .filter(|seq| desk.play(&alice.works(*seq, &mut chance)).assessment.alarm > Alarm::None)
        .count();
    assert_eq!(alarms, 0, "the owner is still at home");
    desk.state = State::default();
    let soft = caught(&mut desk, Alarm::Soft, |seq| mallory.types(15, seq, &mut chance)).unwrap();
    assert!(soft <= 15, "the impostor is still a stranger: {soft}");
}

#[test]
fn the_sign_in_text_speaks_from_the_sixth_time_on() {
    let mut chance = Chance(11);
    let (alice, mallory) = (Person::alice(), Person::mallory());
    let mut desk = Desk::with(shipped());
    for seq in 0..5 {
        let scored = desk.play(&alice.signs_in(9, seq, &mut chance));
        assert_eq!(scored.assessment.evidence, Evidence::Insufficient);
        desk.learn(vec![scored.record.unwrap()], Label::Proven);
    }
    assert!(desk.model.as_ref().unwrap().enrolled, "near-horizon use");
    let fitness = |desk: &mut Desk, person: &Person, chance: &mut Chance| {
        let scored = desk.play(&person.signs_in(9, 50, chance));
        (scored.assessment.fitness.unwrap(), scored.assessment.reasons[0].0.clone())
    };
    let (own, code) = fitness(&mut desk, &alice, &mut chance);
    assert!(own > 0.5 && code == reason::TEXT_FITS, "{own} {code}");
    let (strange, code) = fitness(&mut desk, &mallory, &mut chance);
    assert!(strange < 0.2 && code != reason::TEXT_FITS, "{strange} {code}");
    let other_length = desk.play(&alice.signs_in(12, 60, &mut chance));
    assert_eq!(
        other_length.assessment.evidence,
        Evidence::Insufficient,
        "a text that was never typed"
    );
    let password = Batch {
        channel: Channel::Password,
        ..alice.signs_in(9, 61, &mut chance)
    };
    assert!(
        desk.play(&password).assessment.fitness.is_some(),
        "the model that is given judges"
    );
}

#[test]
fn a_state_stays_small_however_long_the_session() {
    let mut chance = Chance(12);
    let alice = Person::alice();
    let mut desk = enrolled(&alice, 100, &mut chance);
    let most = (0..400)
        .map(|seq| desk.play(&alice.works(seq, &mut chance)).state.0.len())
        .max()
        .unwrap();
    println!("largest state: {most} bytes of {MAX_STATE_BYTES}");
    assert!(most <= MAX_STATE_BYTES);
}

#[test]
fn a_model_stays_small_and_can_be_told_to_its_person() {
    let mut chance = Chance(13);
    let alice = Person::alice();
    let mut desk = enrolled(&alice, 100, &mut chance);
    for _ in 0..10 {
        work(&mut desk, &alice, 200, &mut chance);
    }
    let model = desk.model.as_ref().unwrap();
    println!("a model of {} events: {} bytes", model.samples, model.bytes.len());
    assert!(model.bytes.len() <= 100_000);
    let told = desk.scorer.describe(model).unwrap();
    assert!(
        told["keyboard_and_mouse"]["pointer_actions"].as_u64().unwrap() > 100,
        "{told}"
    );
}

#[test]
fn a_background_needs_some_people_and_forgets_who_left() {
    let mut chance = Chance(14);
    let models: Vec<_> = (0..9)
        .map(|i| model_of(&Person::anybody(&mut chance), i, &mut chance))
        .collect();
    let gathered = |models: &[_]| shipped().background(models).now_or_never().unwrap().unwrap();
    assert!(gathered(&models[..7]).is_none(), "seven people are too easily told apart");
    let (all, without) = (gathered(&models).unwrap(), gathered(&models[..8]).unwrap());
    assert_eq!((all.accounts, without.accounts), (9, 8));
    let again = gathered(&models[..8]).unwrap();
    assert_eq!(without, again, "made of the models alone, and the same each time");
    assert_ne!(public().checksum, all.checksum);
}

/// Somebody sat down at the desk for a moment; the owner came back and passed the step-up.
#[test]
fn a_step_up_that_the_owner_passed_does_not_let_the_stranger_in() {
    for seed in 1..4 {
        let mut chance = Chance(seed);
        let (alice, mallory) = (Person::alice(), Person::mallory());
        let mut desk = enrolled(&alice, 150, &mut chance);
        let mut records: Vec<_> = (0..10)
            .map(|seq| desk.play(&alice.works(seq, &mut chance)).record.unwrap())
            .collect();
        let scored = desk.play(&mallory.works(20, &mut chance));
        assert_eq!(scored.assessment.alarm, Alarm::Soft);
        records.extend(scored.record);
        desk.learn(records, Label::SteppedUp);
        desk.state = State::default();
        let soft = caught(&mut desk, Alarm::Soft, |seq| mallory.works(seq, &mut chance)).unwrap();
        let hard = caught(&mut desk, Alarm::Hard, |seq| mallory.works(seq, &mut chance)).unwrap();
        println!("seed {seed}: again stepped up at batch {soft}, ended {hard} batches later");
        assert!(soft <= 6 && hard <= 12, "seed {seed}: {soft}, then {hard}");
    }
}
