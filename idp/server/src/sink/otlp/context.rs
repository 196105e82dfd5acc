//! Traces and spans by their ids (W3C Trace Context, <https://www.w3.org/TR/trace-context/>).

use axum::http::HeaderMap;
use uuid::Uuid;

/// Bits of a request's id (a UUID version 7) that are random: its last ones.
const RANDOM_BITS: u32 = 62;

/// A span of somebody else, who called us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    trace: [u8; 16],
    span: [u8; 8],
    /// Whether its trace is recorded.
    pub is_sampled: bool,
}

/// Where a span stands. No further randomness is needed: a request's id is the id of the trace that begins with it, and its random half
/// the id of the span; so a trace is found by what the log calls the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The trace.
    pub trace: [u8; 16],
    /// The span.
    pub span: [u8; 8],
    /// The span above it.
    pub parent: Option<[u8; 8]>,
}

impl Context {
    /// A trace of its own for this share of requests (0.0 to 1.0).
    pub(super) fn new(id: Uuid, ratio: f64) -> Option<Self> {
        let (_, random) = id.as_u64_pair();
        let drawn = random & ((1 << RANDOM_BITS) - 1);
        // Both are far from a float's limits, and a share needs no exactness.
        let is_drawn = (drawn as f64) < ratio * (1_u64 << RANDOM_BITS) as f64;
        is_drawn.then(|| Self {
            trace: id.into_bytes(),
            span: random.to_be_bytes(),
            parent: None,
        })
    }

    pub(super) fn below(id: Uuid, parent: &Parent) -> Self {
        Self {
            trace: parent.trace,
            span: id.as_u64_pair().1.to_be_bytes(),
            parent: Some(parent.span),
        }
    }
}

impl Parent {
    /// What the header `traceparent` says. What isn't by the letter of the specification says nothing.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all("traceparent").iter();
        let (line, None) = (lines.next()?, lines.next()) else {
            return None;
        };
        Self::parse(line.as_bytes())
    }

    /// §3.2: `version "-" trace-id "-" parent-id "-" flags`; a later version may add to it.
    fn parse(line: &[u8]) -> Option<Self> {
        let (known, further) = line.split_at_checked(55)?;
        let [version] = bytes(&known[..2])?;
        let fits = match version {
            0 => further.is_empty(),
            0xff => false,
            _ => further.is_empty() || further[0] == b'-',
        };
        let (trace, span) = (bytes(&known[3..35])?, bytes(&known[36..52])?);
        let [flags] = bytes(&known[53..])?;
        let are_apart = [2, 35, 52].iter().all(|&at| known[at] == b'-');
        (fits && are_apart && trace != [0; 16] && span != [0; 8]).then_some(Self {
            trace,
            span,
            is_sampled: flags & 1 == 1,
        })
    }
}

/// Lower-case hexadecimal digits.
fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn read(lines: &[&str]) -> Option<Parent> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("traceparent", line.parse().unwrap());
        }
        Parent::read(&headers)
    }

    #[test]
    fn a_parent_is_read_by_the_letter() {
        let parent = read(&[&format!("00-{TRACE}-{SPAN}-01")]).unwrap();
        assert_eq!(parent.trace[..2], [0x4b, 0xf9]);
        assert_eq!(parent.span, [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert!(parent.is_sampled);
        assert!(!read(&[&format!("00-{TRACE}-{SPAN}-02")]).unwrap().is_sampled);
        assert!(read(&[&format!("01-{TRACE}-{SPAN}-01-what-is-new")]).is_some());
    }

    #[test]
    fn what_is_no_parent_says_nothing() {
        let zeros = "0".repeat(32);
        for bad in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("01-{TRACE}-{SPAN}-01more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{}z-{SPAN}-01", &TRACE[1..]),
        ] {
            assert_eq!(read(&[&bad]), None, "{bad}");
        }
        let good = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(read(&[&good, &good]), None, "which of them?");
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn the_share_is_drawn_from_the_ids() {
        let ids = |n: u64| Uuid::from_u64_pair(0x0190_0000_0000_7000, 1 << 63 | n << 52);
        let drawn = |ratio| (0..1024).filter(|&n| Context::new(ids(n), ratio).is_some()).count();
        assert_eq!([drawn(0.0), drawn(0.25), drawn(1.0)], [0, 256, 1024]);
        let context = Context::new(ids(1), 1.0).unwrap();
        assert_eq!(Uuid::from_bytes(context.trace), ids(1));
    }
}
