use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Suffixes of names that only a private network resolves: of Kubernetes services, of clouds, and of this machine.
const PRIVATE_SUFFIXES: [&str; 3] = [".svc", ".svc.cluster.local", ".internal"];

/// The networks that requests to a host cross, as far as its name or address says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Network {
    /// The host is this machine.
    Loopback,
    /// The host has a private address, or a name that only a private network resolves.
    Private,
    /// The host may be on the internet.
    Public,
}

/// Returns the networks that requests to a URL cross unencrypted, or `None` if they are encrypted.
pub fn unencrypted(url: &Url) -> Option<Network> {
    match url.scheme() {
        "http" => Some(network(url.host_str().unwrap_or_default())),
        _ => None,
    }
}

fn network(host: &str) -> Network {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>() {
        return match address.to_canonical() {
            IpAddr::V4(v4) => network_v4(v4),
            IpAddr::V6(v6) => network_v6(v6),
        };
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if name == "localhost" || name.ends_with(".localhost") {
        return Network::Loopback;
    }
    let is_private = PRIVATE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    // A name without a dot is completed by the search domains of this machine.
    match is_private || !name.contains('.') {
        true => Network::Private,
        false => Network::Public,
    }
}

fn network_v4(address: Ipv4Addr) -> Network {
    // Shared addresses, which clouds and VPNs use internally, are not public either.
    let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
    if address.is_loopback() || address.is_unspecified() {
        Network::Loopback
    } else if address.is_private() || address.is_link_local() || is_shared {
        Network::Private
    } else {
        Network::Public
    }
}

fn network_v6(address: Ipv6Addr) -> Network {
    if address.is_loopback() || address.is_unspecified() {
        Network::Loopback
    } else if address.is_unique_local() || address.is_unicast_link_local() {
        Network::Private
    } else {
        Network::Public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_says_which_networks_a_request_crosses() {
        for (network, hosts) in [
            (
                Network::Loopback,
                "localhost LOCALHOST. api.localhost 127.0.0.1 127.8.9.1 0x7f.1 2130706433 [::1] [::ffff:127.0.0.1] \
                 0.0.0.0 [::]",
            ),
            (
                Network::Private,
                "gateway gateway.videos.svc gateway.videos.svc.cluster.local. GATEWAY.internal 10.0.0.7 172.16.0.1 \
                 172.31.255.255 192.168.1.1 169.254.1.1 100.64.0.1 [fd00::1] [fe80::1] [::ffff:10.0.0.7]",
            ),
            (
                Network::Public,
                "ark.ap-southeast.bytepluses.com gateway.example svc.example internal.example localhost.example \
                 127.0.0.1.example notsvc.com evil-internal.com cluster.local 1.1.1.1 172.32.0.1 100.128.0.1 11.0.0.1 \
                 [2606:4700::1111] [::ffff:1.1.1.1] [64:ff9b::7f00:1]",
            ),
        ] {
            for host in hosts.split(' ') {
                let url = format!("http://{host}:8080/api/v3").parse().unwrap();
                assert_eq!(unencrypted(&url), Some(network), "{host}");
                let url = format!("https://{host}/api/v3").parse().unwrap();
                assert_eq!(unencrypted(&url), None, "{host}");
            }
        }
    }
}
