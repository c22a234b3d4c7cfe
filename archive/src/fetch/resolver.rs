//! A DNS resolver that checks the resolved addresses. The client connects to the checked addresses, which
//! prevents DNS rebinding.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{FetchRules, error::AddressRefused, rules};

/// The system's resolver, with an account's rules.
pub(super) struct Resolver(pub(super) FetchRules);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            // `reqwest` replaces port 0 with that of the URL.
            let resolved = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let resolved: Vec<SocketAddr> = resolved.collect();
            let addresses: Vec<IpAddr> = resolved.iter().map(SocketAddr::ip).collect();
            rules::check_resolved(&rules, name.as_str(), &addresses).map_err(AddressRefused)?;
            Ok(Box::new(resolved.into_iter()) as Addrs)
        })
    }
}
