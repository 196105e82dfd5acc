//! Which addresses stand for one household or office, and which for nobody in particular.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Shared by everybody behind a router, a proxy or a carrier: trusted only if the configuration says so.
const PRIVATE: [IpNet; 10] = [
    v4([10, 0, 0, 0], 8),                  // RFC 1918
    v4([172, 16, 0, 0], 12),               // RFC 1918
    v4([192, 168, 0, 0], 16),              // RFC 1918
    v4([100, 64, 0, 0], 10),               // carrier-grade NAT, RFC 6598
    v4([169, 254, 0, 0], 16),              // link-local, RFC 3927
    v4([127, 0, 0, 0], 8),                 // loopback
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128),     // loopback
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),  // unique local, RFC 4193
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), // link-local
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), // site-local, RFC 3879
];

/// No visitor's own: unspecified, multicast, reserved, and translated addresses, where one /64 is the whole of IPv4.
const NOBODYS: [IpNet; 8] = [
    v4([0, 0, 0, 0], 8),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), // NAT64, RFC 6052
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), // NAT64, RFC 8215
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32),    // Teredo, RFC 4380
];

/// Whether trust in this address can mean anything.
pub(crate) fn may_be_trusted(address: IpAddr, allow_private: bool) -> bool {
    let address = address.to_canonical();
    let within = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&address));
    !within(&NOBODYS) && (allow_private || !within(&PRIVATE))
}

const fn v4(octets: [u8; 4], length: u8) -> IpNet {
    let [a, b, c, d] = octets;
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(segments: [u16; 8], length: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = segments;
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn judged(address: &str, allow_private: bool) -> bool {
        may_be_trusted(address.parse().unwrap(), allow_private)
    }

    #[test]
    fn public_addresses_may_be_trusted() {
        for address in [
            "203.0.113.7",
            "8.8.8.8",
            "::ffff:203.0.113.7",
            "2001:db8::1",
            "2a02:810d::1",
            "172.32.0.1",
            "100.128.0.1",
        ] {
            assert!(judged(address, false), "{address}");
        }
    }

    #[test]
    fn shared_addresses_only_where_the_configuration_says_so() {
        let shared = [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fdff::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
        ];
        for address in shared {
            assert!(!judged(address, false), "{address}");
            assert!(judged(address, true), "{address}");
        }
    }

    #[test]
    fn nobodys_addresses_never() {
        let nobodys = [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "ff02::1",
            "64:ff9b::1.2.3.4",
            "64:ff9b:1::1",
            "2001:0:1::1",
        ];
        for address in nobodys {
            assert!(!judged(address, true), "{address}");
        }
    }
}
