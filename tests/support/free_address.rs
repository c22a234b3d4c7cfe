//! Addresses for servers that need one before they start.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// Returns a local address that nobody listens on. Nobody else gets it: this process hands out each port once, other
/// processes start at other ports, and the system gives connections and port 0 higher ones. So a server can be stopped and
/// started again at its address.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;
    static HANDED_OUT: AtomicU16 = AtomicU16::new(0);
    let start = process::id().wrapping_mul(97) as u16;
    loop {
        let offset = start.wrapping_add(HANDED_OUT.fetch_add(1, Ordering::Relaxed));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + offset % COUNT));
        match TcpListener::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
}
