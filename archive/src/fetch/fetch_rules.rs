use seedance_archiver_http::Proxy;

use super::{Networks, UrlHosts};

/// From where an account downloads videos, and how.
#[derive(Clone, Debug)]
pub struct FetchRules {
    /// The hosts of URLs and redirects.
    pub hosts: UrlHosts,
    /// Networks whose addresses count as public.
    pub allowed_networks: Networks,
    /// The proxy, which resolves the names of hosts: their addresses are not checked. `None` to connect to the hosts.
    pub proxy: Option<Proxy>,
}

impl From<UrlHosts> for FetchRules {
    fn from(hosts: UrlHosts) -> Self {
        Self {
            hosts,
            allowed_networks: Networks::default(),
            proxy: None,
        }
    }
}
