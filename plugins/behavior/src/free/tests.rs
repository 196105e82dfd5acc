//! What must hold of the channel.

use super::*;
use crate::sequential::Cusum;
use proptest::prelude::*;
use std::sync::Arc;

/// A seeded generator of normal deviates: enough for made-up people.
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// How somebody types: medians in milliseconds.
#[derive(Clone, Copy)]
struct Hand {
    hold: f64,
    digraph: f64,
}

impl Hand {
    /// So many keys: a hold and a digraph each, of a few keys in turn where `known`.
    fn types(self, keys: usize, known: bool, dice: &mut Dice) -> Vec<Timing> {
        let one = |i: usize| {
            let (key, next) = if known {
                ((i % 30) as u8 + 1, (i % 29) as u8 + 1)
            } else {
                (0, 0)
            };
            let hold = self.hold * (0.25 * dice.normal()).exp() * (1.0 + 0.01 * f64::from(key));
            let digraph = self.digraph * (0.4 * dice.normal()).exp();
            [
                Timing {
                    key,
                    ..Timing::hold(hold)
                },
                Timing {
                    key,
                    next,
                    ..Timing::digraph(digraph)
                },
            ]
        };
        (0..keys).flat_map(one).collect()
    }
}

const OWNER: Hand = Hand {
    hold: 80.0,
    digraph: 160.0,
};

/// The i-th of some people: slow and fast ones.
fn person(i: u64) -> Hand {
    Hand {
        hold: 65.0 + 7.0 * (i % 10) as f64,
        digraph: 120.0 + 22.0 * ((i * 7) % 13) as f64,
    }
}

fn account(tag: u64, hand: Hand, known: bool) -> Account {
    let mut account = Account::new(tag);
    account.learn(&hand.types(2000, known, &mut Dice(tag)));
    account
}

fn people(known: bool) -> Vec<Account> {
    (0..40).map(|i| account(1000 + i, person(i), known)).collect()
}

fn crowd(accounts: &[Account]) -> Arc<Crowd> {
    Arc::new(Crowd::new(&background(accounts)))
}

fn background(accounts: &[Account]) -> Background {
    Background::of(&accounts.iter().collect::<Vec<_>>()).unwrap()
}

/// Mean evidence of a timing, in a session of its own.
fn evidence(table: &Table, timings: &[Timing]) -> f64 {
    let mut memory = Memory::default();
    timings.iter().map(|timing| table.llr(&mut memory, timing)).sum::<f64>() / timings.len() as f64
}

#[test]
fn the_owner_is_believed_and_others_are_not() {
    for known in [false, true] {
        let table = Table::new(&account(1, OWNER, known), &crowd(&people(known))).unwrap();
        assert!(evidence(&table, &OWNER.types(500, known, &mut Dice(5))) > 0.05);
        for i in [3, 9, 17] {
            assert!(evidence(&table, &person(i).types(500, known, &mut Dice(6))) < -0.2, "{i}");
        }
    }
}

#[test]
fn nothing_is_said_before_there_is_enough() {
    let crowd = crowd(&people(false));
    let mut account = Account::new(1);
    assert!(Table::new(&account, &crowd).is_none());
    account.learn(&OWNER.types(99, false, &mut Dice(1)));
    assert!(Table::new(&account, &crowd).is_none());
    account.learn(&OWNER.types(1, false, &mut Dice(1)));
    assert!(Table::new(&account, &crowd).is_some());
}

#[test]
fn average_timing_is_no_key_to_anybodys_account() {
    let crowds = [crowd(&people(false)), Arc::new(Crowd::new(&Background::neutral()))];
    let mut dice = Dice(11);
    // An impostor who types as people do on average, and one who types each key as somebody else does.
    let mean = Hand {
        hold: 100.0,
        digraph: 240.0,
    };
    let average = mean.types(1000, false, &mut dice);
    let mixed: Vec<_> = (0..1000)
        .flat_map(|i| person(i * 17 % 40).types(1, false, &mut dice))
        .collect();
    for crowd in &crowds {
        let table = Table::new(&account(1, OWNER, false), crowd).unwrap();
        assert!(evidence(&table, &average) < 0.0);
        assert!(evidence(&table, &mixed) < 0.0);
    }
}

#[test]
fn a_takeover_is_noticed_within_a_minute_of_typing_and_the_owner_is_left_in_peace() {
    let table = Table::new(&account(1, OWNER, false), &crowd(&people(false))).unwrap();
    let (mut memory, mut cusum) = (Memory::default(), Cusum::default());
    let threshold = threshold(false, 8.0);
    let mut alarm = |key: &[Timing]| {
        let llr = key.iter().map(|timing| table.llr(&mut memory, timing)).sum();
        cusum.step(llr, threshold);
        cusum.is_due()
    };
    assert!(!OWNER.types(3000, false, &mut Dice(21)).chunks(2).any(&mut alarm));
    let caught = person(9).types(200, false, &mut Dice(22)).chunks(2).position(&mut alarm);
    assert!(caught.is_some_and(|keys| keys < 100), "{caught:?}");
}

#[test]
fn what_a_step_up_has_proven_is_no_longer_strange() {
    for known in [false, true] {
        let (crowd, tired) = (
            crowd(&people(known)),
            Hand {
                hold: 120.0,
                digraph: 330.0,
            },
        );
        let mut account = account(1, OWNER, known);
        let before = Table::new(&account, &crowd).unwrap();
        account.absorb(&tired.types(300, known, &mut Dice(31)));
        let after = Table::new(&account, &crowd).unwrap();
        let session = tired.types(500, known, &mut Dice(32));
        assert!(evidence(&before, &session) < -0.3);
        assert!(evidence(&after, &session) > -0.05);
        // And the owner's ordinary typing is still known.
        assert!(evidence(&after, &OWNER.types(500, known, &mut Dice(33))) > 0.0);
    }
}

#[test]
fn an_erased_account_leaves_nothing_in_a_rebuilt_background() {
    let mut all = people(true);
    let odd = Hand {
        hold: 300.0,
        digraph: 900.0,
    };
    all.push(account(7, odd, true));
    let with = background(&all);
    all.retain(|account| account.tag() != 7);
    let without = background(&all);
    assert_eq!(without, background(&people(true)));
    assert_ne!(postcard::to_stdvec(&with).unwrap(), postcard::to_stdvec(&without).unwrap());
}

#[test]
fn a_background_of_a_few_would_point_at_them() {
    let few = people(false);
    assert!(Background::of(&few.iter().take(7).collect::<Vec<_>>()).is_none());
    // Nor does a digraph that only a few have typed stand in it.
    let mut all = people(true);
    let mut rare = Dice(41);
    for account in all.iter_mut().take(7) {
        let digraph = |_| Timing {
            key: 200,
            next: 201,
            ..Timing::digraph(100.0 + rare.uniform())
        };
        account.learn(&(0..500).map(digraph).collect::<Vec<_>>());
    }
    assert!(
        background(&all)
            .members()
            .iter()
            .all(|member| !member.context.keyed.contains_key(&u16::from_be_bytes([200, 201])))
    );
}

#[test]
fn an_account_in_the_background_is_not_compared_with_itself() {
    let mut all = people(false);
    let owner = account(1, OWNER, false);
    let apart = Table::new(&owner, &crowd(&all)).unwrap();
    all.push(owner.clone());
    let among = Table::new(&owner, &crowd(&all)).unwrap();
    let session = OWNER.types(500, false, &mut Dice(51));
    assert!((evidence(&apart, &session) - evidence(&among, &session)).abs() < 0.02);
}

#[test]
fn only_counts_are_kept_and_never_an_order() {
    let typed = OWNER.types(400, true, &mut Dice(61));
    let mut backwards = typed.clone();
    backwards.reverse();
    let (mut one, mut other) = (Account::new(1), Account::new(1));
    one.learn(&typed);
    other.learn(&backwards);
    assert_eq!(postcard::to_stdvec(&one).unwrap(), postcard::to_stdvec(&other).unwrap());
}

#[test]
fn old_habits_fade() {
    let crowd = crowd(&people(false));
    let mut account = account(1, OWNER, false);
    let new = Hand {
        hold: 110.0,
        digraph: 250.0,
    };
    (0..30).for_each(|day| account.learn(&new.types(1000, false, &mut Dice(day))));
    let table = Table::new(&account, &crowd).unwrap();
    assert!(evidence(&table, &new.types(500, false, &mut Dice(71))) > 0.0);
    assert!(evidence(&table, &OWNER.types(500, false, &mut Dice(72))) < -0.1);
    assert!(account.timings() < 33_000.0);
}

#[test]
fn accounts_and_memories_stay_small() {
    for (known, bytes) in [(false, 2048), (true, 40 * 1024)] {
        let mut dice = Dice(81);
        let mut account = Account::new(u64::MAX);
        // As many different keys as a keyboard has, over months.
        for day in 0..40_u64 {
            let hand = person(day);
            let mut typed = hand.types(2000, known, &mut dice);
            for timing in typed.iter_mut().filter(|timing| timing.key != 0) {
                timing.key = (dice.uniform() * 100.0) as u8 + 1;
                timing.next = if timing.kind == Kind::Hold {
                    0
                } else {
                    (dice.uniform() * 100.0) as u8 + 1
                };
            }
            if day % 5 == 4 {
                account.absorb(&typed[..600])
            } else {
                account.learn(&typed)
            }
        }
        let size = postcard::to_stdvec(&account).unwrap().len();
        assert!(size <= bytes, "{size}");
        assert_eq!(account.fault(), None);
    }
    let many: Vec<_> = (0..200).map(|i| account(i, person(i), false)).collect();
    let (table, mut memory) = (Table::new(&many[0], &crowd(&many)).unwrap(), Memory::default());
    OWNER
        .types(10, false, &mut Dice(82))
        .iter()
        .for_each(|timing| assert!(table.llr(&mut memory, timing).is_finite()));
    assert!(postcard::to_stdvec(&memory).unwrap().len() <= 512);
    assert_eq!(memory.fault(), None);
}

#[test]
fn a_memory_of_another_crowd_begins_anew() {
    let (large, small) = (crowd(&people(false)), crowd(&people(false)[..20]));
    let owner = account(1, OWNER, false);
    let (before, after) = (Table::new(&owner, &large).unwrap(), Table::new(&owner, &small).unwrap());
    let (mut kept, mut fresh) = (Memory::default(), Memory::default());
    before.llr(&mut kept, &Timing::hold(80.0));
    assert_eq!(
        after.llr(&mut kept, &Timing::hold(90.0)),
        after.llr(&mut fresh, &Timing::hold(90.0))
    );
    assert_eq!(kept, fresh);
}

#[test]
fn the_neutral_background_is_sound_and_enough_to_begin_with() {
    let neutral = Background::neutral();
    assert_eq!(neutral.fault(), None);
    let table = Table::new(&account(1, OWNER, true), &Arc::new(Crowd::new(&neutral))).unwrap();
    assert!(evidence(&table, &OWNER.types(500, true, &mut Dice(91))) > 0.05);
    assert!(evidence(&table, &person(9).types(500, true, &mut Dice(92))) < -0.2);
    let mut memory = Memory::default();
    for ms in (0..3000).map(f64::from) {
        assert!(table.llr(&mut memory, &Timing::hold(ms)).abs() <= CLIP);
        assert!(table.llr(&mut memory, &Timing::digraph(ms)).abs() <= CLIP);
    }
    assert_eq!(memory.fault(), None);
}

fn any_timing() -> impl Strategy<Value = Timing> {
    (
        any::<bool>(),
        any::<u8>(),
        any::<u8>(),
        prop_oneof![any::<f64>(), 0.0..4000.0],
    )
        .prop_map(|(hold, key, next, ms)| Timing {
            kind: if hold { Kind::Hold } else { Kind::Digraph },
            key,
            next,
            ms,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_timing_makes_anything_but_a_bounded_number(
        learned in prop::collection::vec(any_timing(), 0..800),
        typed in prop::collection::vec(any_timing(), 1..100),
        weights in prop::collection::vec(any::<f32>(), 0..100),
    ) {
        let mut account = Account::new(1);
        account.learn(&learned);
        account.absorb(&learned);
        prop_assert_eq!(account.fault(), None);
        let crowd = Arc::new(Crowd::new(&Background::neutral()));
        if let Some(table) = Table::new(&account, &crowd) {
            let bytes = postcard::to_stdvec(&(weights.clone(), weights)).unwrap();
            let mut memory: Memory = postcard::from_bytes(&bytes).unwrap();
            for timing in &typed {
                let llr = table.llr(&mut memory, timing);
                prop_assert!(llr.abs() <= CLIP, "{}", llr);
            }
        }
    }

    #[test]
    fn doctored_bytes_are_refused_or_harmless(
        at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>(), trim in any::<bool>(),
    ) {
        let mut bytes = postcard::to_stdvec(&account(1, OWNER, true)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if trim {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(doctored) = postcard::from_bytes::<Account>(&bytes) && doctored.fault().is_none() {
            let crowd = Arc::new(Crowd::new(&Background::neutral()));
            if let Some(table) = Table::new(&doctored, &crowd) {
                prop_assert!(evidence(&table, &OWNER.types(50, true, &mut Dice(2))).abs() <= CLIP);
            }
        }
    }

    #[test]
    fn a_crowd_of_doctored_members_is_refused_or_harmless(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = postcard::to_stdvec(&Background::neutral()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(doctored) = postcard::from_bytes::<Background>(&bytes) && doctored.fault().is_none() {
            let table = Table::new(&account(1, OWNER, false), &Arc::new(Crowd::new(&doctored))).unwrap();
            prop_assert!(evidence(&table, &OWNER.types(50, false, &mut Dice(2))).abs() <= CLIP);
        }
    }
}
