//! A DNS resolver that checks the addresses of a name. The connection is made to the addresses that were checked,
//! so a name that resolves differently the second time gains nothing.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{UrlHosts, error::AddressRefused, rules};

/// The resolver of the system, with the rules of an account.
pub(super) struct Resolver(pub(super) UrlHosts);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = self.0.clone();
        Box::pin(async move {
            // `reqwest` replaces port 0 with that of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
            rules::check_addresses(&hosts, name.as_str(), &addresses).map_err(AddressRefused)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
