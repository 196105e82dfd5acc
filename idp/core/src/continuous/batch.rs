//! The wire form of a batch, read strictly.

use super::WatchError;
use gait_sdk::{Batch, Channel, Metrics, Pointer};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Largest body in bytes, checked before anything is parsed.
const MAX_BODY: usize = 16 * 1024;
/// Most measurements in one list.
const MAX_LIST: usize = 500;
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
    #[serde(rename = "v")]
    _v: u64,
    seq: u64,
    span_ms: f64,
    clock_ms: f64,
    pointer: Pointer,
    #[serde(deserialize_with = "named_lists")]
    metrics: Metrics,
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
    let version: Versioned = serde_json::from_slice(body).map_err(|_| bad("the body is no JSON object with a version v"))?;
    if version.v != VERSION {
        return Ok(None);
    }
    let wire: Wire = serde_json::from_slice(body).map_err(|_| bad("the body is no batch of version 1"))?;
    check(&wire)?;
    Ok(Some(Batch {
        seq: wire.seq,
        channel: Channel::Session,
        span_ms: wire.span_ms,
        clock_ms: wire.clock_ms,
        pointer: wire.pointer,
        metrics: wire.metrics,
        digraph_ms: Vec::new(),
        keys: Vec::new(),
        path: Vec::new(),
    }))
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
    }
}
