//! How many connections each address has.

use gait_sdk::network_of;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by network.
type Counts = Arc<Mutex<HashMap<IpNet, usize>>>;

/// Connections by network, up to a number each.
pub(super) struct Crowd {
    most: usize,
    proxies: Arc<[IpNet]>,
    by_network: Counts,
}

/// A connection's place in the crowd; given back when it is dropped. Proxies need none.
pub(super) struct Place(Option<(IpNet, Counts)>);

impl Crowd {
    /// At most `most` of each network, but any number of `proxies`.
    pub(super) fn new(most: usize, proxies: Arc<[IpNet]>) -> Self {
        Self {
            most,
            proxies,
            by_network: Arc::default(),
        }
    }

    /// A place for a connection of `peer`, if there is one left.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let network = network_of(peer).filter(|_| !self.proxies.iter().any(|net| net.contains(&peer)));
        let Some(network) = network else {
            return Some(Place(None));
        };
        let mut crowd = self.by_network.lock().unwrap_or_else(PoisonError::into_inner);
        let count = crowd.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place(Some((network, self.by_network.clone()))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((network, crowd)) = &self.0 else { return };
        let mut crowd = crowd.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = crowd.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                crowd.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_counted_by_network_and_given_back() {
        let crowd = Crowd::new(1, Arc::default());
        let place = crowd.admit(ip("2001:db8::1")).unwrap();
        assert!(crowd.admit(ip("2001:db8::2")).is_none(), "the same network");
        let _other = crowd.admit(ip("2001:db8:0:1::1")).unwrap();
        drop(place);
        assert!(crowd.admit(ip("2001:db8::2")).is_some());
        assert_eq!(crowd.by_network.lock().unwrap().len(), 1, "nothing is kept of who has left");
    }

    #[test]
    fn a_proxy_stands_for_many() {
        let crowd = Crowd::new(1, vec!["10.0.0.0/8".parse().unwrap()].into());
        let places: Vec<_> = (0..5).map(|_| crowd.admit(ip("::ffff:10.1.2.3"))).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
