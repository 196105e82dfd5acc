//! What must hold of the channel as a whole.

use super::neutral::actions_of_nobody;
use super::*;
use gait_sdk::{Motion, Point};
use proptest::prelude::*;

fn account(tag: u64, actions: &[Features]) -> Account {
    let mut account = Account::new(tag);
    account.learn(actions);
    account
}

/// Accounts of invented people, 25 movements each.
fn accounts() -> Vec<Account> {
    let nobody = actions_of_nobody();
    nobody
        .chunks(100)
        .zip(1..)
        .map(|(actions, tag)| account(tag, actions))
        .collect()
}

fn stroke(points: usize) -> Vec<Point> {
    let what = |i: usize| if i + 1 == points { Motion::Up } else { Motion::Move };
    let point = |i: usize| Point {
        dt_ms: if i == 0 { 0.0 } else { 16.0 },
        dx: if i == 0 { 0.0 } else { 3.0 },
        dy: if i == 0 { 0.0 } else { 1.0 },
        what: what(i),
    };
    (0..points).map(point).collect()
}

#[test]
fn strokes_are_split_where_the_collector_ends_them() {
    let two = [stroke(10), stroke(12)].concat();
    assert_eq!(actions(&two).len(), 2);
    assert_eq!(actions(&two)[0].kind(), Kind::PointClick);
    assert!(actions(&stroke(3)).is_empty());
    let mut rested = stroke(20);
    rested[10].dt_ms = REST_MS + 1.0;
    assert_eq!(
        actions(&rested).iter().map(Action::kind).collect::<Vec<_>>(),
        [Kind::Move, Kind::PointClick]
    );
    assert_eq!(actions(&stroke(LONGEST * 2)).len(), 2);
}

#[test]
fn training_is_the_same_every_time_and_tells_people_apart() {
    let accounts = accounts();
    let background = Background::of(&accounts.iter().collect::<Vec<_>>());
    let model = Model::train(&accounts[3], &background).unwrap();
    assert_eq!(model, Model::train(&accounts[3], &background).unwrap());
    let mean = |account: &Account| {
        let mut memory = Memory::default();
        let mut llr = |action| model.llr(&background, &mut memory, action);
        account.actions().map(&mut llr).sum::<f64>() / account.len() as f64
    };
    assert!(mean(&accounts[3]) > 0.0 && mean(&accounts[7]) < 0.0);
    assert_eq!((model.fault(), background.fault()), (None, None));
}

#[test]
fn too_few_actions_make_no_model() {
    let accounts = accounts();
    let background = Background::of(&accounts.iter().collect::<Vec<_>>());
    let few: Vec<Features> = accounts[0].actions().take(29).copied().collect();
    assert!(Model::train(&account(99, &few), &background).is_none());
    assert!(Model::train(&accounts[0], &Background::of(&[])).is_none());
    assert!(Model::train(&accounts[0], &Background::of(&[&accounts[0]])).is_none());
}

#[test]
fn the_own_share_is_left_out_of_the_background() {
    let accounts = accounts();
    let background = Background::of(&accounts.iter().collect::<Vec<_>>());
    let own = accounts[2].len();
    assert_eq!(background.others(999).len() - background.others(accounts[2].tag()).len(), own);
}

#[test]
fn an_owner_is_not_taken_for_its_own_share_of_the_background() {
    let accounts = accounts();
    let others: Vec<&Account> = accounts.iter().filter(|account| account.tag() != accounts[2].tag()).collect();
    let all = Background::of(&accounts.iter().collect::<Vec<_>>());
    let model = Model::train(&accounts[2], &all).unwrap();
    let mean = |background: &Background| {
        let mut memory = Memory::default();
        let mut llr = |action| model.llr(background, &mut memory, action);
        accounts[2].actions().map(&mut llr).sum::<f64>() / accounts[2].len() as f64
    };
    assert!((mean(&all) - mean(&Background::of(&others))).abs() < 0.2);
}

#[test]
fn an_erased_account_leaves_nothing_in_the_next_background() {
    let mut accounts = accounts();
    let mut erased = Account::new(0xdead_beef);
    erased.learn(&[Features::pack(&[31; MEASURES]); 60]);
    let kept = Background::of(&accounts.iter().collect::<Vec<_>>());
    accounts.push(erased);
    let with = Background::of(&accounts.iter().collect::<Vec<_>>());
    assert_ne!(with, kept);
    accounts.pop();
    assert_eq!(Background::of(&accounts.iter().collect::<Vec<_>>()), kept);
}

#[test]
fn sizes_are_bounded() {
    let many: Vec<Account> = (0..200).map(|tag| account(tag, &actions_of_nobody())).collect();
    let background = Background::of(&many.iter().collect::<Vec<_>>());
    let model = Model::train(&many[0], &background).unwrap();
    assert_eq!((background.accounts(), background.fault()), (64, None));
    assert!(postcard::to_allocvec(&background).unwrap().len() <= 380_000);
    let neutral = Background::neutral();
    assert_eq!((neutral.accounts(), neutral.fault()), (0, None));
    assert!(postcard::to_allocvec(&neutral).unwrap().len() <= 100_000);
    let bytes = postcard::to_allocvec(&model).unwrap();
    assert!(bytes.len() <= 7_000, "{}", bytes.len());
    assert_eq!(postcard::from_bytes::<Model>(&bytes).unwrap(), model);
}

#[test]
fn the_neutral_background_is_always_the_same_and_says_little() {
    let neutral = Background::neutral();
    assert_eq!(neutral, Background::neutral());
    let accounts = accounts();
    let model = Model::train(&accounts[1], &neutral).unwrap();
    let mut memory = Memory::default();
    let mut llr = |action| model.llr(&neutral, &mut memory, action);
    assert!(actions_of_nobody().iter().all(|action| llr(action).abs() <= 0.65));
}

#[test]
fn longer_hours_take_more_suspicion() {
    assert!(threshold(1.0) < threshold(8.0) && threshold(8.0) < threshold(24.0));
    assert!(threshold(f64::NAN) > 0.0 && threshold(-1.0) > 0.0);
}

fn motion() -> impl Strategy<Value = Motion> {
    prop_oneof![Just(Motion::Move), Just(Motion::Down), Just(Motion::Drag), Just(Motion::Up)]
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -50.0f32..50.0,
        1 => any::<f32>(),
        1 => prop_oneof![Just(0.0), Just(f32::NAN), Just(f32::INFINITY), Just(f32::MIN_POSITIVE), Just(20_000.0)],
    ]
}

fn point() -> impl Strategy<Value = Point> {
    (number(), number(), number(), motion()).prop_map(|(dt_ms, dx, dy, what)| Point { dt_ms, dx, dy, what })
}

proptest! {
    #[test]
    fn whatever_a_browser_sends_is_measured_or_left_out(points in prop::collection::vec(point(), 0..200)) {
        for action in actions(&points) {
            prop_assert!(action.points().len() >= 4 && action.points().len() <= LONGEST);
            let codes = action.features().codes();
            prop_assert!(codes.iter().all(|code| *code < 32));
        }
    }

    #[test]
    fn any_stored_bytes_are_judged_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(account) = postcard::from_bytes::<Account>(&bytes) {
            prop_assert!(account.fault().is_some() || account.len() < 100);
        }
        if let Ok(model) = postcard::from_bytes::<Model>(&bytes) {
            prop_assert!(model.fault().is_some());
        }
        if let Ok(background) = postcard::from_bytes::<Background>(&bytes) {
            prop_assert!(background.fault().is_some());
        }
    }
}
