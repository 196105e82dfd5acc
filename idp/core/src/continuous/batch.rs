//! The wire form of a batch, read strictly.

use super::WatchError;
use gait_sdk::{Batch, Channel, KeyTiming, Metrics, Motion, Point, Pointer};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Largest body in bytes, checked before anything is parsed.
const MAX_BODY: usize = 16 * 1024;
/// Most measurements in one list, digraphs included.
const MAX_LIST: usize = 500;
/// Most timings of known keys.
const MAX_KEYS: usize = 1000;
/// Most points of the pointer's path.
const MAX_POINTS: usize = 1500;
/// Longest time between two keys or two points of a path, in milliseconds.
const MAX_STEP_MS: f64 = 60_000.0;
/// Largest step of the pointer in one direction, in CSS pixels.
const MAX_STEP_PX: f32 = 20_000.0;
/// Longest span of a batch and coarsest clock, in milliseconds: an hour.
const MAX_MS: f64 = 3_600_000.0;
/// Largest sequence number: what a browser's number can count to (2^53 − 1).
const MAX_SEQ: u64 = (1 << 53) - 1;
/// The version that this provider reads.
const VERSION: u64 = 1;

/// Only the version: a later one may look different in all the rest.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u64,
    seq: u64,
    span_ms: f64,
    clock_ms: f64,
    pointer: Pointer,
    #[serde(deserialize_with = "named_lists")]
    metrics: Metrics,
    #[serde(default)]
    digraph_ms: Vec<f64>,
    #[serde(default)]
    keys: Vec<WireKey>,
    #[serde(default)]
    path: Vec<WirePoint>,
}

/// `[key, next, ms]`.
#[derive(Deserialize)]
struct WireKey(u8, u8, f32);

/// `[dt_ms, dx, dy, what]`, where `what` is 0 for a move, 1 for a button that goes down, 2 for a drag, 3 for a button let go.
#[derive(Deserialize)]
struct WirePoint(f32, f32, f32, u8);

impl WireKey {
    fn read(&self) -> Result<KeyTiming, WatchError> {
        let Self(key, next, ms) = *self;
        if key == 0 {
            return Err(bad("a key's number is out of range"));
        }
        if !is_step(f64::from(ms)) {
            return Err(bad("a key's time is out of range"));
        }
        Ok(KeyTiming { key, next, ms })
    }
}

impl WirePoint {
    fn read(&self) -> Result<Point, WatchError> {
        let Self(dt_ms, dx, dy, what) = *self;
        let what = match what {
            0 => Motion::Move,
            1 => Motion::Down,
            2 => Motion::Drag,
            3 => Motion::Up,
            _ => return Err(bad("a point of the path is neither a move, down, drag nor up")),
        };
        // False for NaN as well.
        let is_near = |step: f32| step.abs() <= MAX_STEP_PX;
        if !is_step(f64::from(dt_ms)) || !is_near(dx) || !is_near(dy) {
            return Err(bad("a step of the path is out of range"));
        }
        Ok(Point { dt_ms, dx, dy, what })
    }
}

fn is_step(ms: f64) -> bool {
    (0.0..=MAX_STEP_MS).contains(&ms)
}

/// Metrics by their names: serde would also take a list for a struct.
fn named_lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metrics, D::Error> {
    struct Named;
    impl<'de> Visitor<'de> for Named {
        type Value = Metrics;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("an object of lists")
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Metrics, A::Error> {
            Metrics::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_map(Named)
}

/// Reads a request's body; `None` if it is of a version that is not known here, which is fine and ignored.
///
/// # Errors
/// [`WatchError::Bad`] for anything else that isn't a batch.
pub(crate) fn parse(body: &[u8]) -> Result<Option<Batch>, WatchError> {
    if body.len() > MAX_BODY {
        return Err(bad("the body is larger than 16 KiB"));
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body is no JSON object"));
    }
    let wire = match serde_json::from_slice::<Wire>(body) {
        Ok(wire) if wire.v == VERSION => wire,
        Ok(_) => return Ok(None),
        Err(_) => return later(body),
    };
    check(&wire)?;
    Ok(Some(Batch {
        seq: wire.seq,
        channel: Channel::Session,
        span_ms: wire.span_ms,
        clock_ms: wire.clock_ms,
        pointer: wire.pointer,
        digraph_ms: wire.digraph_ms,
        keys: wire.keys.iter().map(WireKey::read).collect::<Result<_, _>>()?,
        path: wire.path.iter().map(WirePoint::read).collect::<Result<_, _>>()?,
        metrics: wire.metrics,
    }))
}

/// What is no batch of this version may be one of a later.
fn later(body: &[u8]) -> Result<Option<Batch>, WatchError> {
    let version: Versioned = serde_json::from_slice(body).map_err(|_| bad("the body is no JSON object with a version v"))?;
    match version.v {
        VERSION => Err(bad("the body is no batch of version 1")),
        _ => Ok(None),
    }
}

fn check(wire: &Wire) -> Result<(), WatchError> {
    if wire.seq > MAX_SEQ {
        return Err(bad("seq is out of range"));
    }
    if ![wire.span_ms, wire.clock_ms].iter().all(|ms| (0.0..=MAX_MS).contains(ms)) {
        return Err(bad("span_ms or clock_ms is out of range"));
    }
    for list in wire.metrics.lists() {
        if list.len() > MAX_LIST {
            return Err(bad("a list has more than 500 numbers"));
        }
        if !list.iter().all(|value| value.is_finite()) {
            return Err(bad("a number isn't finite"));
        }
    }
    if wire.digraph_ms.len() > MAX_LIST {
        return Err(bad("digraph_ms has more than 500 numbers"));
    }
    if !wire.digraph_ms.iter().all(|&ms| is_step(ms)) {
        return Err(bad("digraph_ms is out of range"));
    }
    if wire.keys.len() > MAX_KEYS {
        return Err(bad("keys has more than 1000 timings"));
    }
    if wire.path.len() > MAX_POINTS {
        return Err(bad("path has more than 1500 points"));
    }
    Ok(())
}

fn bad(why: &str) -> WatchError {
    WatchError::Bad(why.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"v":1,"seq":7,"span_ms":5000,"clock_ms":0.1,"pointer":"mouse","metrics":{"hold_ms":[90.5,-3]}}"#;

    #[test]
    fn a_batch_is_read_as_it_is() {
        let batch = parse(GOOD.as_bytes()).unwrap().unwrap();
        assert_eq!(
            (batch.seq, batch.pointer, batch.channel),
            (7, Pointer::Mouse, Channel::Session)
        );
        assert_eq!(batch.metrics.hold_ms, [90.5, -3.0]);
        assert!(batch.metrics.flight_ms.is_empty());
    }

    /// A batch with all there may be.
    fn rich(digraphs: &str, keys: &str, path: &str) -> String {
        GOOD.replace(
            "\"metrics\"",
            &format!("\"digraph_ms\":{digraphs},\"keys\":{keys},\"path\":{path},\"metrics\""),
        )
    }

    #[test]
    fn digraphs_keys_and_a_path_are_read_as_they_are() {
        let body = rich(
            "[180.25,0,60000]",
            "[[1,0,90.5],[255,255,60000]]",
            "[[0,0,0,0],[8.1,-3.5,20000,1],[9,1,1,2],[60000,-20000,0,3]]",
        );
        let batch = parse(body.as_bytes()).unwrap().unwrap();
        assert_eq!(batch.digraph_ms, [180.25, 0.0, 60_000.0]);
        let keys: Vec<_> = batch.keys.iter().map(|key| (key.key, key.next, key.ms)).collect();
        assert_eq!(keys, [(1, 0, 90.5), (255, 255, 60_000.0)]);
        let motions: Vec<_> = batch.path.iter().map(|point| point.what).collect();
        assert_eq!(motions, [Motion::Move, Motion::Down, Motion::Drag, Motion::Up]);
        assert_eq!(
            (batch.path[1].dt_ms, batch.path[1].dx, batch.path[1].dy),
            (8.1, -3.5, 20_000.0)
        );
    }

    #[test]
    fn digraphs_keys_and_paths_out_of_range_are_refused() {
        let none = "[]";
        let many = |one: &str, n: usize| format!("[{}]", vec![one; n].join(","));
        let bodies = [
            rich("null", none, none),
            rich("{}", none, none),
            rich("[-0.001]", none, none),
            rich("[60000.1]", none, none),
            rich("[1e999]", none, none),
            rich("[\"1\"]", none, none),
            rich(&many("1", MAX_LIST + 1), none, none),
            rich(none, "[[0,1,90]]", none),
            rich(none, "[[256,1,90]]", none),
            rich(none, "[[1,-1,90]]", none),
            rich(none, "[[1,2.5,90]]", none),
            rich(none, "[[1,2,-1]]", none),
            rich(none, "[[1,2,1e39]]", none),
            rich(none, "[[1,2,null]]", none),
            rich(none, "[[1,2]]", none),
            rich(none, "[[1,2,90,4]]", none),
            rich(none, "[[\"KeyA\",0,90]]", none),
            rich(none, &many("[1,2,9]", MAX_KEYS + 1), none),
            rich(none, none, "[[0,0,0,4]]"),
            rich(none, none, "[[0,0,0,-1]]"),
            rich(none, none, "[[-0.1,0,0,0]]"),
            rich(none, none, "[[60000.5,0,0,0]]"),
            rich(none, none, "[[1,20000.5,0,0]]"),
            rich(none, none, "[[1,0,-20001,0]]"),
            rich(none, none, "[[1,1e39,0,0]]"),
            rich(none, none, "[[1,0,0]]"),
            rich(none, none, "[[1,0,0,0,0]]"),
            rich(none, none, "[1,0,0,0]"),
            rich(none, none, "[{\"dt_ms\":1,\"dx\":0,\"dy\":0,\"what\":\"up\"}]"),
            rich(none, none, &many("[1,0,0,0]", MAX_POINTS + 1)),
        ];
        for body in bodies {
            assert!(
                matches!(parse(body.as_bytes()), Err(WatchError::Bad(_))),
                "accepted: {body:.160}"
            );
        }
        for body in [
            rich(&many("1", MAX_LIST), none, none),
            rich(none, &many("[1,2,9]", MAX_KEYS), none),
            rich(none, none, &many("[1,0,0,0]", MAX_POINTS)),
        ] {
            assert!(parse(body.as_bytes()).is_ok(), "refused: {body:.160}");
        }
    }

    #[test]
    fn a_later_version_is_ignored_whatever_else_it_holds() {
        assert!(parse(br#"{"v":2,"rhythm":"waltz"}"#).unwrap().is_none());
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        let long = format!("[{}1]", "1,".repeat(MAX_LIST));
        let corpus = [
            String::new(),
            "null".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            r#"{"v":"1"}"#.to_owned(),
            r#"{"v":1}"#.to_owned(),
            GOOD.replace("\"seq\":7", "\"seq\":-1"),
            GOOD.replace("\"seq\":7", "\"seq\":7.5"),
            GOOD.replace("\"seq\":7", "\"seq\":18446744073709551615"),
            GOOD.replace("5000", "-1"),
            GOOD.replace("5000", "1e300"),
            GOOD.replace("90.5", "1e999"),
            GOOD.replace("90.5", "null"),
            GOOD.replace("90.5", "NaN"),
            GOOD.replace("[90.5,-3]", &long),
            GOOD.replace("hold_ms", "keys_typed"),
            GOOD.replace("\"mouse\"", "\"foot\""),
            GOOD.replace("\"v\":1", "\"v\":1,\"sid\":\"other\""),
            GOOD.replace("\"v\":1", "\"v\":1,\"seq\":8"),
            format!("{GOOD}{}", " ".repeat(MAX_BODY)),
        ];
        for body in corpus {
            assert!(
                matches!(parse(body.as_bytes()), Err(WatchError::Bad(_))),
                "accepted: {body:.80}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&body);
        }

        #[test]
        fn whatever_numbers_stand_in_its_lists_a_batch_that_is_taken_is_in_range(
            digraphs in proptest::collection::vec(-1e5..1e5_f64, 0..8),
            keys in proptest::collection::vec((0..300_u32, 0..300_u32, -10.0..1e5_f64), 0..4),
            path in proptest::collection::vec((-10.0..1e5_f64, -3e4..3e4_f64, -3e4..3e4_f64, 0..5_u8), 0..4),
        ) {
            let [digraph_text, key_text, path_text] =
                [serde_json::to_string(&digraphs), serde_json::to_string(&keys), serde_json::to_string(&path)];
            let body = rich(&digraph_text.unwrap(), &key_text.unwrap(), &path_text.unwrap());
            let fits = |ms: f64| (0.0..=MAX_STEP_MS).contains(&ms);
            let good = digraphs.iter().all(|&ms| fits(ms))
                && keys.iter().all(|&(key, next, ms)| (1..=255).contains(&key) && next <= 255 && fits(ms))
                && path.iter().all(|&(dt, dx, dy, what)| {
                    fits(dt) && dx.abs() <= 20_000.0 && dy.abs() <= 20_000.0 && what <= 3
                });
            match parse(body.as_bytes()) {
                Ok(batch) => {
                    let batch = batch.unwrap();
                    prop_assert!(good, "taken: {body}");
                    prop_assert_eq!(batch.digraph_ms, digraphs);
                    prop_assert_eq!((batch.keys.len(), batch.path.len()), (keys.len(), path.len()));
                }
                Err(error) => prop_assert!(!good && matches!(error, WatchError::Bad(_)), "refused: {body}"),
            }
        }
    }
}
