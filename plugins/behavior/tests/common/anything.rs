//! Batches that no browser sends.

use gait_sdk::{Batch, Channel, KeyTiming, Metrics, Motion, Point, Pointer};
use proptest::prelude::*;

/// Ordinary and extraordinary measurements.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        0.0..2000.0,
        -10.0..10.0,
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MAX),
        Just(0.0)
    ]
}

fn list() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        4 => prop::collection::vec(value(), 0..30),
        1 => (value(), 4000usize..20_000).prop_map(|(value, n)| vec![value; n]),
    ]
}

pub fn any_batch() -> impl Strategy<Value = Batch> {
    let pointer = prop_oneof![1 => Just(Pointer::None), 4 => Just(Pointer::Mouse), 1 => Just(Pointer::Touch)];
    let channel = prop_oneof![1 => Just(Channel::SignIn), 1 => Just(Channel::Password), 4 => Just(Channel::Session)];
    let clock = prop_oneof![Just(0.1), value()];
    let lists = (list(), list(), list(), list(), list(), list(), list(), list());
    (any::<u64>(), channel, value(), clock, pointer, lists, (keys(), path())).prop_map(
        |(seq, channel, span_ms, clock_ms, pointer, lists, keys)| Batch {
            seq,
            channel,
            span_ms,
            clock_ms,
            pointer,
            metrics: Metrics {
                hold_ms: lists.0,
                flight_ms: lists.1.clone(),
                mouse_velocity: lists.2,
                click_frequency: lists.3,
                dwell_ms: lists.4,
                scroll_distance: lists.5,
                keypress_rate: lists.6,
                cursor_variation: lists.7,
            },
            digraph_ms: lists.1,
            keys: keys.0,
            path: keys.1,
        },
    )
}

fn keys() -> impl Strategy<Value = Vec<KeyTiming>> {
    let timing = (any::<u8>(), any::<u8>(), value());
    prop::collection::vec(
        timing.prop_map(|(key, next, ms)| KeyTiming {
            key,
            next,
            ms: ms as f32,
        }),
        0..40,
    )
}

fn path() -> impl Strategy<Value = Vec<Point>> {
    let what = prop_oneof![Just(Motion::Move), Just(Motion::Down), Just(Motion::Drag), Just(Motion::Up)];
    let number = || prop_oneof![4 => 0.0..30.0, 1 => value()];
    let point = (number(), number(), number(), what);
    let point = point.prop_map(|(dt, dx, dy, what)| Point {
        dt_ms: dt as f32,
        dx: dx as f32,
        dy: dy as f32,
        what,
    });
    prop::collection::vec(point, 0..120)
}
