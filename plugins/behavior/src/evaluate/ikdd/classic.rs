//! The classic model on free text: the means of a window's holds and flights, and its rate.

use super::logs::Volunteer;
use crate::classic::Config;
use crate::classic::features::Features;
use crate::classic::template::Template;
use crate::free::{Kind, Timing};
use gait_sdk::{Batch, Channel, Metrics, Pointer};

/// A template of the windows of an account's enrolment, of `events` timings each; `None` if they are too few for one.
pub(super) fn enrolled(volunteer: &Volunteer, events: usize) -> Option<Template> {
    train(&vectors(volunteer, events))
}

/// The windows of an account's enrolment. They overlap by half, as a template wants more of the longest ones than there are.
pub(super) fn vectors(volunteer: &Volunteer, events: usize) -> Vec<Features> {
    let windows = volunteer
        .enrolment()
        .iter()
        .flat_map(|log| log.windows(events).step_by((events / 2).max(1)));
    windows.map(features).collect()
}

/// A template of these vectors.
pub(super) fn train(vectors: &[Features]) -> Option<Template> {
    Template::train(vectors, &Config::default().training()).ok()
}

/// What the classic model sees of a window. Without the order of events, only the mean of the flights can be known: the mean
/// digraph less the mean hold.
pub(super) fn features(window: &[Timing]) -> Features {
    let of = |kind: Kind| {
        window
            .iter()
            .filter(move |timing| timing.kind == kind)
            .map(|timing| timing.ms)
    };
    let mean = |kind: Kind| of(kind).sum::<f64>() / (of(kind).count() as f64).max(1.0);
    let (hold, digraph) = (mean(Kind::Hold), mean(Kind::Digraph));
    let batch = Batch {
        seq: 1,
        channel: Channel::Session,
        span_ms: 0.0,
        clock_ms: 1.0,
        pointer: Pointer::Mouse,
        metrics: Metrics {
            hold_ms: of(Kind::Hold).collect(),
            flight_ms: vec![digraph - hold],
            keypress_rate: vec![1000.0 / digraph],
            ..Metrics::default()
        },
        digraph_ms: Vec::new(),
        keys: Vec::new(),
        path: Vec::new(),
    };
    Features::of(&batch, &Config::default())
}
