//! Who takes part: the clients and accounts that every target knows.

use std::net::Ipv4Addr;

/// A client with opaque access tokens, all grants, and the right to introspect.
pub const CLIENT: &str = "bench";
/// The same, with ES256 JWT access tokens.
pub const JWT_CLIENT: &str = "bench-jwt";
/// The same as the first, whose sessions are watched. Only Gait knows it.
pub const WATCHED_CLIENT: &str = "bench-watched";
/// The secret of all of them.
pub const SECRET: &str = "bench-secret-0123456789abcdef0123456789";
/// The redirect URI of all of them. Nobody listens there.
pub const REDIRECT_URI: &str = "http://localhost:9/cb";
/// Where the watched client's pages live.
pub const ORIGIN: &str = "http://localhost:9";
/// The scope that the clients ask for in their own name.
pub const API_SCOPE: &str = "api";

/// Accounts that sign in.
pub const ACCOUNTS: u32 = 50;
/// Accounts whose rhythm is known. Only Gait has them.
pub const WATCHED_ACCOUNTS: u32 = 8;
/// The password of all of them.
pub const PASSWORD: &str = "Bench-passw0rd!";

/// Networks for benches of network devices (RFC 2544, 198.18.0.0/15): nobody's address, and none that is private.
const FIRST_ADDRESS: u32 = 0xC612_0000;
const ADDRESSES: u32 = 1 << 17;

/// The user name of an account that signs in.
pub fn username(number: u32) -> String {
    format!("user{}", number % ACCOUNTS)
}

/// The user name of an account whose rhythm is known.
pub fn watched_username(number: u32) -> String {
    format!("watched{}", number % WATCHED_ACCOUNTS)
}

/// Where a person is when they sign in for the `turn`th time: each time elsewhere, since limits count by address.
pub fn address(person: u32, turn: u32) -> Ipv4Addr {
    let number = person.wrapping_mul(4099).wrapping_add(turn) % ADDRESSES;
    Ipv4Addr::from(FIRST_ADDRESS + number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn people_are_spread_over_the_network_for_benches() {
        let all: BTreeSet<_> = (0..32)
            .flat_map(|person| (0..1000).map(move |turn| address(person, turn)))
            .collect();
        assert_eq!(all.len(), 32_000);
        assert!(
            all.iter()
                .all(|address| address.octets()[0] == 198 && matches!(address.octets()[1], 18 | 19))
        );
    }
}
