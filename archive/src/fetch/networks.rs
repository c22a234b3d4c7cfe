use std::{fmt, net::IpAddr};

use ipnet::IpNet;

use super::address;

/// Networks whose addresses count as public, because a proxy or VPN of the machine resolves names to them. Empty by
/// default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Parses a list of networks such as `198.18.0.0/15`, or of single addresses.
    ///
    /// # Errors
    ///
    /// Returns an error if the list is empty or contains something else. It completes "`allowed_networks` …".
    pub fn parse<T: AsRef<str>>(networks: &[T]) -> Result<Self, String> {
        let parse = |text: &str| -> Option<IpNet> {
            let network = text.parse::<IpNet>().ok();
            network.or_else(|| Some(text.parse::<IpAddr>().ok()?.into()))
        };
        let mut parsed = Vec::new();
        for text in networks.iter().map(T::as_ref) {
            let network = parse(text.trim());
            let network = network.ok_or_else(|| {
                format!("contains {text:?}, which is not a network; use networks such as `198.18.0.0/15`")
            })?;
            parsed.push(network.trunc());
        }
        match parsed.is_empty() {
            true => {
                Err("is empty; add a network such as `198.18.0.0/15`, or remove the setting".into())
            }
            false => Ok(Self(parsed)),
        }
    }

    /// Returns whether an address is in one of the networks. An IPv4 address that is embedded in an IPv6 address
    /// counts as itself.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let embedded = address::embedded_v4(address).map(IpAddr::V4);
        let is_in = |address: &IpAddr| self.0.iter().any(|network| network.contains(address));
        is_in(&address) || embedded.as_ref().is_some_and(is_in)
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&networks.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses() {
        let networks = Networks::parse(&["198.18.0.7/15", "10.1.2.3", "fd00::/8"]).unwrap();
        assert_eq!(networks.to_string(), "198.18.0.0/15, 10.1.2.3/32, fd00::/8");
        for (address, is_in) in [
            ("198.18.0.7", true),
            ("198.19.255.255", true),
            ("::ffff:198.18.0.7", true),
            ("64:ff9b::198.18.0.7", true),
            ("198.20.0.0", false),
            ("10.1.2.3", true),
            ("10.1.2.4", false),
            ("fd12::1", true),
            ("fe80::1", false),
        ] {
            let found = networks.contain(address.parse().unwrap());
            assert_eq!(found, is_in, "{address}");
        }
        for invalid in [&["198.18.0.0/33"][..], &["clash"], &[""], &[]] {
            assert!(Networks::parse(invalid).is_err(), "{invalid:?}");
        }
    }
}
