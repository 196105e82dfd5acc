//! What the scorer promises to the person, and to whoever sits down at the person's desk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Chance, Desk, Rhythm, batch, pointing_of, typing_of};
use gait_behavior::classic::Config;
use gait_behavior::reason;
use gait_sdk::{Alarm, Evidence, Label, Metrics, Pointer, Record, Scored, Scorer, State, Timestamp};

const SEEDS: std::ops::Range<u64> = 1..21;
const BATCHES: u64 = 200;

fn owner() -> Rhythm {
    Rhythm::named("alice")
}

fn impostor() -> Rhythm {
    Rhythm::named("attacker")
}

fn codes(scored: &Scored) -> Vec<&str> {
    scored.assessment.reasons.iter().map(|code| code.0.as_str()).collect()
}

fn count(alarms: &[Alarm], wanted: Alarm) -> usize {
    alarms.iter().filter(|alarm| **alarm == wanted).count()
}

/// The batch, counted from 1, at which an alarm of at least this level stands for the first time.
fn first(alarms: &[Alarm], wanted: Alarm) -> usize {
    alarms.iter().position(|alarm| *alarm >= wanted).map_or(usize::MAX, |i| i + 1)
}

fn alarms(desk: &mut Desk, rhythm: &Rhythm, chance: &mut Chance, batches: u64) -> Vec<Alarm> {
    (0..batches)
        .map(|seq| desk.play(&rhythm.batch(chance, seq)).assessment.alarm)
        .collect()
}

#[test]
fn genuine_rhythm_is_kept() {
    let mut most = 0;
    let mut total = 0;
    for (samples, seed) in SEEDS.flat_map(|seed| [(100, seed), (300, seed)]) {
        let mut chance = Chance(seed);
        let mut desk = Desk::of(&owner(), samples, &mut chance);
        let alarms = alarms(&mut desk, &owner(), &mut chance, BATCHES);
        assert_eq!(count(&alarms, Alarm::Hard), 0, "seed {seed}, enrolled with {samples}");
        let soft = count(&alarms, Alarm::Soft);
        assert!(soft <= 10, "seed {seed}, enrolled with {samples}: {soft} stepped up");
        (most, total) = (most.max(soft), total + soft);
    }
    println!(
        "of {BATCHES} genuine batches stepped up: at most {most}, {} on average",
        total as f64 / 40.0
    );
}

#[test]
fn an_impostor_is_stepped_up_then_revoked() {
    for seed in SEEDS {
        let mut chance = Chance(seed);
        let mut desk = Desk::of(&owner(), 100, &mut chance);
        alarms(&mut desk, &owner(), &mut chance, 20);
        desk.state = State::default();
        let alarms = alarms(&mut desk, &impostor(), &mut chance, 10);
        let (soft, hard) = (first(&alarms, Alarm::Soft), first(&alarms, Alarm::Hard));
        assert!(soft <= 3 && hard <= 8, "seed {seed}: step-up at {soft}, revocation at {hard}");
    }
}

#[test]
fn an_impostor_who_is_half_way_to_the_owner_is_still_stepped_up() {
    let half = owner().towards(&impostor(), 0.5);
    let mut latest = 0;
    for seed in SEEDS {
        let mut chance = Chance(seed);
        let mut desk = Desk::of(&owner(), 300, &mut chance);
        latest = latest.max(first(&alarms(&mut desk, &half, &mut chance, 30), Alarm::Soft));
    }
    println!("half-way impostor stepped up at batch {latest} at the latest");
    assert!(latest <= 10, "{latest}");
}

#[test]
fn an_impostor_who_only_types_or_only_points_is_stepped_up_too() {
    for (part, code) in [(typing_of as fn(_) -> _, reason::TYPING), (pointing_of, reason::POINTING)] {
        for seed in SEEDS {
            let mut chance = Chance(seed);
            let mut desk = Desk::of(&owner(), 100, &mut chance);
            let scored: Vec<_> = (0..10)
                .map(|seq| desk.play(&part(impostor().batch(&mut chance, seq))))
                .collect();
            let alarms: Vec<_> = scored.iter().map(|scored| scored.assessment.alarm).collect();
            assert!(first(&alarms, Alarm::Soft) <= 5, "seed {seed}, {code}: {alarms:?}");
            let blamed = scored.iter().find(|scored| scored.assessment.alarm == Alarm::Soft).unwrap();
            assert_eq!(codes(blamed), [code]);
        }
    }
}

#[test]
fn an_owner_who_types_and_points_by_turns_is_kept() {
    let (mut whole, mut refused) = (0, 0);
    for seed in SEEDS {
        let mut chance = Chance(seed);
        let mut mixed = |seq| {
            let batch = owner().batch(&mut chance, seq);
            match chance.next() % 3 {
                0 => typing_of(batch),
                1 => pointing_of(batch),
                _ => batch,
            }
        };
        let mut desk = Desk::new(Config::default());
        let records = (0..150).map(|seq| desk.play(&mixed(seq)).record.unwrap()).collect();
        desk.learn(records, Label::Proven);
        let mut alarms = Vec::new();
        for seq in 0..BATCHES {
            let batch = mixed(seq);
            let scored = desk.play(&batch);
            if batch.metrics.lists().iter().all(|list| !list.is_empty()) {
                (whole, refused) = (whole + 1, refused + codes(&scored).len().min(1));
            }
            alarms.push(scored.assessment.alarm);
        }
        let (soft, hard) = (count(&alarms, Alarm::Soft), count(&alarms, Alarm::Hard));
        assert!(soft <= 10 && hard == 0, "seed {seed}: {soft} stepped up, {hard} revoked");
    }
    println!("full batches among partial ones: {refused} of {whole} refused");
    // A template of partial batches must not take a full one for a stranger's.
    assert!(refused * 100 <= whole * 8, "{refused} of {whole} full batches refused");
}

#[test]
fn somebody_who_only_typed_so_far_may_move_the_mouse() {
    let mut chance = Chance(5);
    let mut desk = Desk::new(Config::default());
    let records = (0..100)
        .map(|seq| desk.play(&typing_of(owner().batch(&mut chance, seq))).record.unwrap())
        .collect();
    desk.learn(records, Label::Proven);
    let scored = desk.play(&pointing_of(owner().batch(&mut chance, 0)));
    assert_eq!(
        (scored.assessment.evidence, scored.assessment.alarm),
        (Evidence::Insufficient, Alarm::None)
    );
    assert_eq!(codes(&scored), [reason::FEW_DATA]);
    assert!(scored.record.is_some(), "the mouse is to be learned as well");
}

#[test]
fn a_batch_without_data_is_not_stored() {
    let mut desk = Desk::new(Config::default());
    let nothing = batch(1, Metrics::default());
    let one_click = batch(
        2,
        Metrics {
            dwell_ms: vec![90.0],
            ..Metrics::default()
        },
    );
    let nonsense = batch(
        3,
        Metrics {
            hold_ms: vec![f64::NAN; 30],
            flight_ms: vec![1e9; 30],
            ..Metrics::default()
        },
    );
    for batch in [nothing, one_click, nonsense] {
        let scored = desk.play(&batch);
        assert_eq!(scored.record, None);
        assert_eq!(scored.assessment.evidence, Evidence::Insufficient);
        assert_eq!(codes(&scored), [reason::FEW_DATA]);
    }
}

#[test]
fn missing_data_raises_no_alarm_and_forgives_nothing() {
    let mut chance = Chance(3);
    let mut desk = Desk::of(&owner(), 100, &mut chance);
    assert_eq!(alarms(&mut desk, &impostor(), &mut chance, 3)[2], Alarm::Soft);
    let before = desk.state.clone();
    let mut finger = owner().batch(&mut chance, 0);
    finger.pointer = Pointer::Touch;
    let mut tor = typing_of(owner().batch(&mut chance, 0));
    tor.clock_ms = 100.0;
    for (batch, code) in [
        (batch(4, Metrics::default()), reason::FEW_DATA),
        (finger, reason::TOUCH),
        (tor, reason::COARSE_CLOCK),
    ] {
        let scored = desk.play(&batch);
        assert_eq!((scored.assessment.alarm, scored.assessment.fitness), (Alarm::None, None));
        assert_eq!((codes(&scored), &scored.state), (vec![code], &before));
        assert_eq!(scored.record, None);
    }
    assert_eq!(desk.play(&impostor().batch(&mut chance, 9)).assessment.alarm, Alarm::Soft);
}

#[test]
fn an_account_without_a_template_is_only_watched_and_collected() {
    let mut chance = Chance(1);
    // Never enrolled, or everything was erased: there is no model.
    let mut desk = Desk::new(Config::default());
    for seq in 0..BATCHES {
        let scored = desk.play(&impostor().batch(&mut chance, seq));
        assert_eq!(
            (scored.assessment.evidence, scored.assessment.alarm),
            (Evidence::Insufficient, Alarm::None)
        );
        assert_eq!(codes(&scored), [reason::NOT_ENROLLED]);
        assert!(scored.record.is_some());
    }
    // Not enough yet: there is a model, but no template in it.
    let records = (0..99)
        .map(|seq| desk.play(&owner().batch(&mut chance, seq)).record.unwrap())
        .collect();
    desk.learn(records, Label::Proven);
    assert_eq!(
        desk.model.as_ref().map(|model| (model.samples, model.enrolled)),
        Some((99, false))
    );
    assert_eq!(codes(&desk.play(&owner().batch(&mut chance, 0))), [reason::NOT_ENROLLED]);
}

#[test]
fn adding_samples_extends_the_earlier_data() {
    let mut chance = Chance(1);
    let mut desk = Desk::of(&owner(), 60, &mut chance);
    assert_eq!((desk.samples(), desk.model.as_ref().unwrap().enrolled), (60, false));
    let mut collector = Desk::new(Config::default());
    let more = (0..40)
        .map(|seq| collector.play(&owner().batch(&mut chance, seq)).record.unwrap())
        .collect();
    let learned = desk.learn(more, Label::SteppedUp);
    assert_eq!((desk.samples(), desk.model.as_ref().unwrap().enrolled), (100, true));
    assert_eq!(learned.settled.len(), 40);
}

#[test]
fn only_the_newest_thousand_are_kept() {
    let mut chance = Chance(1);
    let mut desk = Desk::new(Config {
        max_samples: 120,
        ..Config::default()
    });
    let mut hold = |from: i64, middle: f64| -> Vec<Record> {
        let mut collector = Desk::new(Config::default());
        let record = |i: i64| {
            let mut batch = owner().batch(&mut chance, 0);
            batch.metrics.hold_ms = vec![middle + (i % 5) as f64; 10];
            Record {
                at: Timestamp(from + i),
                ..collector.play(&batch).record.unwrap()
            }
        };
        (0..100).map(record).collect()
    };
    let (older, mut newer) = (hold(0, 50.0), hold(1000, 150.0));
    // The order in which the host hands them over does not matter, their time does.
    newer.reverse();
    newer.extend(older);
    desk.learn(newer, Label::Proven);
    assert_eq!(desk.samples(), 120);
    let summary = desk.scorer.describe(desk.model.as_ref().unwrap()).unwrap();
    let mean = summary["features"][0]["mean"].as_f64().unwrap();
    assert!((mean - (152.0 * 100.0 + 52.0 * 20.0) / 120.0).abs() < 1e-9, "{mean}");
}

#[test]
fn a_disputed_record_is_never_learned_and_nor_is_an_unproven_one() {
    let mut chance = Chance(1);
    let mut desk = Desk::of(&owner(), 100, &mut chance);
    let before = desk.model.clone();
    for label in [Label::Disputed, Label::Unproven] {
        let records: Vec<_> = (0..50)
            .filter_map(|seq| desk.play(&owner().batch(&mut chance, seq)).record)
            .collect();
        let count = records.len();
        let learned = desk.learn(records, label);
        assert_eq!((learned.model, learned.settled.len()), (None, count), "{label:?}");
    }
    assert_eq!(desk.model, before);
}

#[test]
fn a_record_that_is_not_ours_is_settled_and_ignored() {
    let mut chance = Chance(1);
    let mut desk = Desk::of(&owner(), 60, &mut chance);
    let strange = [
        serde_json::json!(null),
        serde_json::json!({"v": 2, "vectors": [[1, 1, 1, 1, 1, 1, 1, 1]]}),
        serde_json::json!({"v": 1, "vectors": [[1, 2, 3]]}),
        serde_json::json!({"v": 1, "vectors": [[1e99, null, null, null, null, null, null, null]]}),
        serde_json::json!({"v": 1, "vectors": [[null, null, null, null, null, null, null, null]]}),
    ];
    let records = strange
        .map(|payload| Record {
            id: None,
            at: Timestamp(0),
            payload,
        })
        .to_vec();
    let learned = desk.learn(records, Label::Proven);
    assert_eq!((learned.model, learned.settled.len()), (None, 5));
}

#[test]
fn an_impostor_does_not_become_the_owner() {
    for seed in SEEDS {
        let mut chance = Chance(seed);
        let mut desk = Desk::of(&owner(), 100, &mut chance);
        let mut stolen = Vec::new();
        // One batch in each of many sessions, followed by the returning owner's: below every alarm.
        for seq in 0..100 {
            desk.state = State::default();
            let impostors = desk.play(&impostor().batch(&mut chance, seq));
            assert_eq!(impostors.record, None, "seed {seed}");
            stolen.extend(desk.play(&owner().batch(&mut chance, seq)).record);
        }
        desk.learn(stolen, Label::Proven);
        desk.state = State::default();
        let alarms = alarms(&mut desk, &impostor(), &mut chance, 10);
        assert!(
            first(&alarms, Alarm::Soft) <= 3 && first(&alarms, Alarm::Hard) <= 8,
            "seed {seed}: {alarms:?}"
        );
    }
}

#[test]
fn the_template_does_not_shrink_over_the_months() {
    let mut chance = Chance(1);
    let mut desk = Desk::of(&owner(), 100, &mut chance);
    let mut refused = Vec::new();
    // The training set is renewed four times over, with nothing but what the template let through.
    for _ in 0..4 {
        let mut scored = Vec::new();
        for _ in 0..5 {
            let from = scored.len();
            scored.extend((0..BATCHES).map(|seq| desk.play(&owner().batch(&mut chance, seq))));
            desk.learn(
                scored[from..].iter().filter_map(|scored| scored.record.clone()).collect(),
                Label::Proven,
            );
        }
        refused.push(scored.iter().filter(|scored| !codes(scored).is_empty()).count());
    }
    println!("refused of each thousand genuine batches: {refused:?}");
    assert!(refused.iter().all(|count| *count <= 90), "{refused:?}");
}

#[test]
fn the_same_records_make_the_same_model() {
    let make = || Desk::of(&owner(), 120, &mut Chance(9)).model;
    assert_eq!(make(), make());
}

#[test]
fn evidence_is_positive_for_the_owner_and_negative_for_the_impostor() {
    let mut chance = Chance(2);
    let mut desk = Desk::of(&owner(), 300, &mut chance);
    let mut mean = |rhythm: &Rhythm| -> f64 {
        let nats = |seq| match desk.play(&rhythm.batch(&mut chance, seq)).assessment.evidence {
            Evidence::Llr(nats) => nats,
            Evidence::Insufficient => panic!("enough data"),
        };
        (0..50).map(nats).sum::<f64>() / 50.0
    };
    assert!(mean(&owner()) > 1.0);
    assert!(mean(&impostor()) < -2.5);
}

#[test]
fn the_export_is_a_summary_that_a_person_can_read() {
    let mut chance = Chance(1);
    let desk = Desk::of(&owner(), 100, &mut chance);
    let summary = desk.scorer.describe(desk.model.as_ref().unwrap()).unwrap();
    assert_eq!((&summary["samples"], &summary["enrolled"]), (&100.into(), &true.into()));
    let hold = &summary["features"][0];
    assert_eq!((hold["name"].as_str(), hold["unit"].as_str()), (Some("hold_ms"), Some("ms")));
    assert!((hold["mean"].as_f64().unwrap() - 92.0).abs() < 3.0 && hold["sd"].as_f64().unwrap() > 1.0);
    assert_eq!(summary["features"].as_array().unwrap().len(), 8);
}

#[test]
fn what_is_kept_of_a_batch_are_its_means() {
    let mut desk = Desk::new(Config::default());
    let metrics = Metrics {
        hold_ms: vec![90.0, 92.0, 94.0, 96.0, 98.0],
        flight_ms: vec![100.0, 120.0],
        ..Metrics::default()
    };
    let record = desk.play(&batch(1, metrics)).record.unwrap();
    let kept = serde_json::json!({"v": 1, "vectors": [[94.0, 110.0, null, null, null, null, null, null]]});
    assert_eq!((record.id, record.payload), (None, kept));
}
