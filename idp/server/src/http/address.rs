//! The visitor's address: established here, once, for logs, limits, trust and the scorer alike (ASVS 5.0 15.3.4).

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;

/// Most hops that are believed.
const MAX_HOPS: usize = 20;

/// The visitor's address, canonical (IPv4-mapped IPv6 becomes IPv4).
///
/// The socket's peer, unless it is in `trusted`: then `X-Forwarded-For` is walked from the right, trusted hops are skipped, and the
/// first other one is the visitor. Anything that doesn't parse, and more than 20 hops, is `None`: unknown, never trusted. No other
/// header is read.
pub fn visitor(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    if !is_proxy(peer, trusted) {
        return Some(peer);
    }
    let mut hops = Vec::new();
    for line in headers.get_all("x-forwarded-for") {
        hops.extend(line.to_str().ok()?.split(',').map(str::trim));
    }
    if hops.len() > MAX_HOPS {
        return None;
    }
    for hop in hops.iter().rev() {
        let address = hop.parse::<IpAddr>().ok()?.to_canonical();
        if !is_proxy(address, trusted) {
            return Some(address);
        }
    }
    // No header, or trusted hops only: the proxy itself speaks.
    Some(peer)
}

/// Whether it is the address of a proxy that is believed.
pub fn is_proxy(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn seen(peer: &str, forwarded: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        for ignored in ["x-real-ip", "true-client-ip", "cf-connecting-ip", "forwarded"] {
            headers.append(ignored, "203.0.113.99".parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        visitor(peer.parse().unwrap(), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn a_stranger_can_not_choose_its_address() {
        assert_eq!(seen("198.51.100.7", &["203.0.113.5"]).as_deref(), Some("198.51.100.7"));
    }

    #[test]
    fn behind_a_trusted_proxy_the_rightmost_untrusted_hop_counts() {
        assert_eq!(seen(PROXY, &["203.0.113.5"]).as_deref(), Some("203.0.113.5"));
        assert_eq!(
            seen(PROXY, &["192.0.2.1, 203.0.113.5, 10.9.9.9"]).as_deref(),
            Some("203.0.113.5")
        );
        assert_eq!(seen(PROXY, &["192.0.2.1", "203.0.113.5"]).as_deref(), Some("203.0.113.5"));
        assert_eq!(seen(PROXY, &["::ffff:203.0.113.5"]).as_deref(), Some("203.0.113.5"));
        assert_eq!(
            seen(&format!("::ffff:{PROXY}"), &["2001:db8::1"]).as_deref(),
            Some("2001:db8::1")
        );
    }

    #[test]
    fn what_does_not_parse_is_unknown() {
        for garbage in ["a", "", "unknown", "1.2.3.4:99999", "[::1]", "1.2.3.4.5", "203.0.113.5,"] {
            assert_eq!(seen(PROXY, &[garbage]), None, "{garbage:?}");
        }
        let long = vec!["10.0.0.2"; 2000].join(",");
        assert_eq!(seen(PROXY, &[&long]), None);
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", axum::http::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert_eq!(
            visitor(PROXY.parse().unwrap(), &headers, &["10.0.0.0/8".parse().unwrap()]),
            None
        );
    }
}
