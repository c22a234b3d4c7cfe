//! Resolves names and checks what comes out: the connection is made to these very addresses, so a
//! name that changes its answer gains nothing.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{UrlHosts, error::Refusal, rules};

/// The system's resolver under the rules of an account.
pub(super) struct Resolver(pub(super) UrlHosts);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = self.0.clone();
        Box::pin(async move {
            // Port 0 stands for the URL's own.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
            rules::check_addresses(&hosts, name.as_str(), &addresses).map_err(Refusal)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
