//! Counts the open connections of each peer.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// Bits of an IPv6 address that identify a network. A host may use every address of its network.
const NETWORK_BITS: u128 = !(u64::MAX as u128);

/// The number of open connections of each peer. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// An open connection of a peer. Counts until it is dropped.
pub(super) struct PeerConnection {
    peers: Peers,
    peer: IpAddr,
}

impl Peers {
    /// Adds a connection from an address. Returns `None` if its peer has `max` connections.
    pub(super) fn add(&self, address: IpAddr, max: usize) -> Option<PeerConnection> {
        let peer = peer(address);
        let mut connections = self.0.lock();
        let count = connections.entry(peer).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(PeerConnection {
            peers: self.clone(),
            peer,
        })
    }
}

impl Drop for PeerConnection {
    fn drop(&mut self) {
        let mut connections = self.peers.0.lock();
        if let Some(count) = connections.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.peer);
            }
        }
    }
}

/// Returns the address that stands for all addresses of a peer.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & NETWORK_BITS).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_share_that_it_gets_back() {
        let peers = Peers::default();
        let add = |address: &str| peers.add(address.parse().unwrap(), 2);
        let open = [add("10.0.0.1"), add("::ffff:10.0.0.1")];
        assert!(open.iter().all(Option::is_some));
        assert!(add("10.0.0.1").is_none());
        assert!(add("10.0.0.2").is_some());
        drop(open);
        assert!(add("10.0.0.1").is_some());
        assert!(
            peers.0.lock().is_empty(),
            "closed connections leave no trace"
        );
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_are_one_peer() {
        let peers = Peers::default();
        let add = |address: &str| peers.add(address.parse().unwrap(), 1);
        let open = add("2001:db8::1");
        assert!(add("2001:db8::ffff:1").is_none());
        assert!(add("2001:db8:0:1::1").is_some());
        drop(open);
    }
}
