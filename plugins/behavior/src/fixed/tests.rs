//! What must hold of a template, whoever types.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Attack, Judgement, LEAST, Sample, Template};
use proptest::prelude::*;

/// Random numbers that are the same every time.
struct Chance(u64);

impl Chance {
    /// 0..1.
    fn even(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal, with a standard deviation of 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

/// Somebody's hand: a hold and a time to the next keydown for every key, in milliseconds.
#[derive(Clone)]
struct Hand {
    hold: Vec<f64>,
    down: Vec<f64>,
    chance: Chance,
}

impl Clone for Chance {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl Hand {
    /// A person, told apart by a number: as different from the next one as people are.
    fn of(person: u64, keys: usize) -> Self {
        let mut chance = Chance(person.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        (0..8).for_each(|_| _ = chance.even());
        let (hold_level, down_level) = (4.5 + 0.25 * chance.normal(), 5.3 + 0.3 * chance.normal());
        Self {
            hold: (0..keys).map(|_| (hold_level + 0.2 * chance.normal()).exp()).collect(),
            down: (1..keys).map(|_| (down_level + 0.4 * chance.normal()).exp()).collect(),
            chance,
        }
    }

    fn types(&mut self) -> Sample {
        let tempo = 0.06 * self.chance.normal();
        let chance = &mut self.chance;
        let mut vary = |time: &f64, spread: f64| (time * (tempo + spread * chance.normal()).exp()).round().max(1.0);
        let hold: Vec<f64> = self.hold.iter().map(|time| vary(time, 0.12)).collect();
        let down: Vec<f64> = self.down.iter().map(|time| vary(time, 0.15)).collect();
        Sample::new(&hold, &down).unwrap()
    }

    /// A template that has learned so many of the hand's samples, all proven.
    fn enrolled(&mut self, samples: usize) -> Template {
        let mut template = Template::new(self.hold.len());
        for _ in 0..samples {
            template.learn(&self.types(), true);
        }
        template
    }
}

fn judge(template: &Template, sample: &Sample) -> Judgement {
    template.judge(sample).unwrap()
}

fn mean_llr(template: &Template, hand: &mut Hand) -> f64 {
    (0..40).map(|_| judge(template, &hand.types()).llr).sum::<f64>() / 40.0
}

/// Somewhere between two hands; 0 is the first.
fn between(one: &Hand, other: &Hand, share: f64) -> Hand {
    let mix = |a: &[f64], b: &[f64]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a.ln() * (1.0 - share) + b.ln() * share).exp())
            .collect()
    };
    Hand {
        hold: mix(&one.hold, &other.hold),
        down: mix(&one.down, &other.down),
        chance: other.chance.clone(),
    }
}

fn shifted(sample: &Sample, mut by: impl FnMut() -> f64) -> Sample {
    let mut shift = |times: &[f64]| -> Vec<f64> { times.iter().map(|time| (time + by()).max(1.0)).collect() };
    Sample::new(&shift(sample.hold_ms()), &shift(sample.down_ms())).unwrap()
}

#[test]
fn four_samples_are_too_few_and_another_text_is_no_evidence() {
    let mut owner = Hand::of(1, 11);
    let mut template = owner.enrolled(LEAST - 1);
    assert_eq!(template.judge(&owner.types()), None);
    template.learn(&owner.types(), true);
    assert!(template.judge(&owner.types()).is_some());
    assert_eq!(template.judge(&Hand::of(1, 10).types()), None);
    assert!(!template.learn(&Hand::of(1, 10).types(), true));
    assert_eq!(template.samples(), LEAST);
}

#[test]
fn the_owner_is_told_from_strangers_from_five_samples_on() {
    for (samples, people) in [(5, 0..12), (20, 20..32), (60, 40..52)] {
        let mut right = 0;
        for person in people.clone() {
            let mut owner = Hand::of(person, 11);
            let template = owner.enrolled(samples);
            right += usize::from(mean_llr(&template, &mut owner) > 0.5);
            right += usize::from(mean_llr(&template, &mut Hand::of(person + 1_000, 11)) < -0.5);
        }
        assert!(right >= 23, "{samples} samples: {right} of 24");
    }
}

#[test]
fn short_and_long_texts_are_judged_too() {
    for keys in [5, 8, 20, 64] {
        let mut owner = Hand::of(7, keys);
        let template = owner.enrolled(40);
        let (own, other) = (mean_llr(&template, &mut owner), mean_llr(&template, &mut Hand::of(8, keys)));
        assert!(own > 0.5 && other < -0.5, "{keys} keys: {own} {other}");
    }
}

#[test]
fn an_unproven_stranger_is_never_learned_however_long_he_practises() {
    let mut owner = Hand::of(3, 11);
    let mut template = owner.enrolled(30);
    let mut impostor = Hand::of(4, 11);
    for _ in 0..500 {
        assert!(!template.learn(&impostor.types(), false));
    }
    assert!(mean_llr(&template, &mut owner) > 2.0);
    assert!(mean_llr(&template, &mut impostor) < -2.0);
}

#[test]
fn a_patient_impostor_can_not_drag_the_template_to_himself() {
    for pair in 0..4 {
        let mut owner = Hand::of(100 + pair, 11);
        let impostor = Hand::of(200 + pair, 11);
        let mut template = owner.enrolled(40);
        let mut furthest = 0.0;
        // Thirty sessions of ten samples, each as far from the owner as is still learned.
        for _ in 0..300 {
            let steps = (0..=20).rev().map(|step| f64::from(step) / 20.0);
            for share in steps {
                let mut hand = between(&owner, &impostor, share);
                hand.chance = owner.chance.clone();
                let sample = hand.types();
                owner.chance.even();
                if template.learn(&sample, false) {
                    furthest = share.max(furthest);
                    break;
                }
            }
        }
        assert!(furthest <= 0.5, "pair {pair}: a sample {furthest} of the way was learned");
        let (own, other) = (mean_llr(&template, &mut owner), mean_llr(&template, &mut impostor.clone()));
        assert!(
            own > 0.0 && other < -3.0,
            "pair {pair}: {own} for the owner, {other} for the impostor"
        );
    }
}

#[test]
fn a_replay_is_an_attack_exact_or_off_by_five_milliseconds_long_after() {
    let mut owner = Hand::of(5, 11);
    let mut template = owner.enrolled(20);
    let captured: Vec<Sample> = (0..10).map(|_| owner.types()).collect();
    for sample in &captured[..5] {
        template.learn(sample, true);
    }
    for sample in &captured[5..] {
        template.remember(sample);
    }
    for _ in 0..250 {
        template.learn(&owner.types(), true);
    }
    let mut chance = Chance(9);
    for sample in &captured {
        assert_eq!(judge(&template, sample).attack, Some(Attack::Replay));
        assert!(!judge(&template, sample).inside);
        for _ in 0..20 {
            let off = shifted(sample, || 10.0 * chance.even() - 5.0);
            assert_eq!(judge(&template, &off).attack, Some(Attack::Replay));
        }
    }
    let flagged = (0..300).filter(|_| judge(&template, &owner.types()).attack.is_some()).count();
    assert!(flagged <= 1, "{flagged} of the owner's 300");
}

#[test]
fn attempts_do_not_push_learned_samples_out_of_the_memory() {
    let mut owner = Hand::of(6, 11);
    let captured = owner.types();
    let mut template = owner.enrolled(10);
    template.learn(&captured, true);
    let mut impostor = Hand::of(60, 11);
    for _ in 0..1_000 {
        template.remember(&impostor.types());
    }
    assert_eq!(judge(&template, &captured).attack, Some(Attack::Replay));
}

#[test]
fn timings_of_a_metronome_are_an_attack() {
    let mut owner = Hand::of(11, 11);
    let template = owner.enrolled(30);
    let holds: Vec<f64> = owner.types().hold_ms().to_vec();
    let downs: Vec<f64> = owner.types().down_ms().to_vec();
    for (hold, down) in [
        (vec![90.0; 11], vec![150.0; 10]),
        (vec![90.0; 11], downs),
        (holds, vec![150.0; 10]),
    ] {
        let sample = Sample::new(&hold, &down).unwrap();
        assert_eq!(judge(&template, &sample).attack, Some(Attack::Regular));
    }
}

#[test]
fn four_keys_may_happen_to_be_even_in_one_way() {
    let template = Hand::of(12, 4).enrolled(10);
    let sample = Sample::new(&[90.0, 91.0, 90.0, 91.0], &[150.0, 250.0, 120.0]).unwrap();
    assert_ne!(judge(&template, &sample).attack, Some(Attack::Regular));
    let sample = Sample::new(&[90.0, 90.0, 90.0, 90.0], &[150.0, 150.0, 150.0]).unwrap();
    assert_eq!(judge(&template, &sample).attack, Some(Attack::Regular));
}

#[test]
fn timings_of_people_on_average_are_not_the_owner() {
    let (mut accepted, mut all) = (0, 0);
    for person in 300..312 {
        let template = Hand::of(person, 11).enrolled(60);
        let mut chance = Chance(person);
        for _ in 0..20 {
            let mut vary =
                |time: f64, count: usize| -> Vec<f64> { (0..count).map(|_| time * (1.0 + 0.15 * chance.normal())).collect() };
            let judgement = judge(&template, &Sample::new(&vary(90.0, 11), &vary(200.0, 10)).unwrap());
            accepted += usize::from(judgement.attack.is_none() && judgement.llr > 0.0);
            all += 1;
        }
    }
    assert!(accepted * 20 <= all, "{accepted} of {all}");
}

#[test]
fn a_template_comes_back_from_storage_as_it_was_and_is_small() {
    for (keys, most) in [(11, 20_000), (64, 40_000)] {
        let mut owner = Hand::of(13, keys);
        let mut template = owner.enrolled(350);
        (0..200).for_each(|_| template.remember(&owner.types()));
        let bytes = postcard::to_allocvec(&template).unwrap();
        assert!(bytes.len() < most, "{keys} keys: {} bytes", bytes.len());
        let back: Template = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back, template);
        assert_eq!(back.fault(), None);
        let sample = owner.types();
        assert_eq!(back.judge(&sample), template.judge(&sample));
    }
}

#[test]
fn a_doctored_template_is_refused() {
    let good = serde_json::to_value(Hand::of(14, 5).enrolled(6)).unwrap();
    let fault = |path: &str, value: serde_json::Value| {
        let mut doctored = good.clone();
        *doctored.pointer_mut(path).unwrap() = value;
        serde_json::from_value::<Template>(doctored).unwrap().fault()
    };
    assert!(fault("/keys", 0.into()).is_some());
    assert!(fault("/keys", 6.into()).is_some());
    assert!(fault("/keys", u32::MAX.into()).is_some());
    assert!(fault("/kept/0", serde_json::json!([1, 2])).is_some());
    assert!(fault("/kept/0/0", 0.into()).is_some());
    assert!(fault("/kept", serde_json::json!(vec![vec![400; 9]; 61])).is_some());
    assert!(fault("/anchor/usual", (-1.0).into()).is_some());
    assert!(fault("/anchor/centre/0", 1e30.into()).is_some());
    assert!(fault("/memory/learned/0", serde_json::json!([])).is_some());
}

#[test]
fn what_no_hand_types_is_no_sample() {
    let holds = [90.0; 4];
    assert!(Sample::new(&holds, &[100.0; 3]).is_some());
    assert!(Sample::new(&holds, &[100.0; 4]).is_none());
    assert!(Sample::new(&holds[..3], &[100.0; 2]).is_none());
    assert!(Sample::new(&[90.0; 65], &[100.0; 64]).is_none());
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
        assert!(Sample::new(&[90.0, wrong, 90.0, 90.0], &[100.0; 3]).is_none());
        assert!(Sample::new(&holds, &[100.0, wrong, 100.0]).is_none());
    }
    assert!(Sample::new(&[90.0, 0.0, 90.0, 90.0], &[100.0; 3]).is_none());
    let read =
        |hold: &str| serde_json::from_str::<Sample>(&format!(r#"{{"hold_ms":[90,{hold},90,90],"down_ms":[100,100,100]}}"#));
    assert!(read("90").is_ok());
    assert!(read("-1").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_numbers_are_judged_without_a_nan(
        rows in prop::collection::vec(prop::collection::vec(prop_oneof![0.001..5_000.0f64, Just(0.001), Just(5_000.0)], 15), 6..80),
        pause in prop_oneof![Just(0.0), Just(60_000.0)],
    ) {
        let mut template = Template::new(8);
        for (i, row) in rows.iter().enumerate() {
            let mut down = row[8..].to_vec();
            down[0] = pause;
            let sample = Sample::new(&row[..8], &down).unwrap();
            if let Some(judgement) = template.judge(&sample) {
                prop_assert!(judgement.score.is_finite());
                prop_assert!(judgement.llr.abs() <= 5.0);
            }
            template.learn(&sample, i % 3 != 0 || i < 5);
        }
        prop_assert_eq!(template.fault(), None);
    }

    #[test]
    fn any_bytes_are_refused_or_judged(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(mut template) = postcard::from_bytes::<Template>(&bytes) {
            let sample = Hand::of(1, template.keys().clamp(4, 64)).types();
            if template.fault().is_none() {
                if let Some(judgement) = template.judge(&sample) {
                    prop_assert!(judgement.score.is_finite());
                }
                template.learn(&sample, true);
                prop_assert_eq!(template.fault(), None);
            }
        }
    }

    #[test]
    fn timings_that_are_nothing_like_the_owners_are_never_the_owners(
        person in 0..1_000u64,
        factors in prop::collection::vec(prop_oneof![0.05..0.35f64, 3.0..12.0f64], 21),
    ) {
        let mut owner = Hand::of(person, 11);
        let template = owner.enrolled(40);
        let sample = owner.types();
        let scale = |times: &[f64], by: &[f64]| -> Vec<f64> { times.iter().zip(by).map(|(time, by)| (time * by).clamp(1.0, 4_900.0)).collect() };
        let strange = Sample::new(&scale(sample.hold_ms(), &factors[..11]), &scale(sample.down_ms(), &factors[11..])).unwrap();
        let judged = judge(&template, &strange);
        prop_assert!(judged.llr < -2.0, "{judged:?}");
    }
}
