//! Decides whether an IP address is public, according to the IANA registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const METADATA: &str = "a cloud metadata address";
const PRIVATE: &str = "a private address";
const DOCUMENTATION: &str = "a documentation address";
const BENCHMARKING: &str = "a benchmarking address";
const RESERVED: &str = "a reserved address";

/// Networks that are not public, with descriptions of their addresses. The first match counts.
#[rustfmt::skip]
const SPECIAL_V4: &[(Ipv4Net, &str)] = &[
    (v4([169, 254, 169, 254], 32), METADATA),
    // Azure's metadata address is inside a public network.
    (v4([168, 63, 129, 16], 32), METADATA),
    (v4([0, 0, 0, 0], 32), "the unspecified address"),
    (v4([0, 0, 0, 0], 8), RESERVED),
    (v4([10, 0, 0, 0], 8), PRIVATE),
    (v4([100, 64, 0, 0], 10), "a carrier-grade NAT address"),
    (v4([127, 0, 0, 0], 8), "a loopback address"),
    (v4([169, 254, 0, 0], 16), "a link-local address"),
    (v4([172, 16, 0, 0], 12), PRIVATE),
    (v4([192, 0, 0, 0], 24), RESERVED),
    (v4([192, 0, 2, 0], 24), DOCUMENTATION),
    (v4([192, 88, 99, 0], 24), "a 6to4 relay address"),
    (v4([192, 168, 0, 0], 16), PRIVATE),
    (v4([198, 18, 0, 0], 15), BENCHMARKING),
    (v4([198, 51, 100, 0], 24), DOCUMENTATION),
    (v4([203, 0, 113, 0], 24), DOCUMENTATION),
    (v4([224, 0, 0, 0], 4), "a multicast address"),
    (v4([240, 0, 0, 0], 4), RESERVED),
];

#[rustfmt::skip]
const SPECIAL_V6: &[(Ipv6Net, &str)] = &[
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), METADATA),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), METADATA),
    (v6([0; 8], 128), "the unspecified address"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "a loopback address"),
    (v6([0; 8], 96), "an IPv4-compatible address"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "a unique-local address"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "a link-local address"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "a site-local address"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "a multicast address"),
    // Tunnels that contain an IPv4 address. They are deprecated, and no video host uses them.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "a Teredo address"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "a 6to4 address"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), BENCHMARKING),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), RESERVED),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), DOCUMENTATION),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), DOCUMENTATION),
];

/// The global unicast network, from which IANA allocates public addresses.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// Prefixes of IPv6 addresses that embed an IPv4 address: IPv4-mapped, and NAT64 in IPv6-only networks.
const EMBEDDED_V4: [Ipv6Net; 2] = [
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),
];

const fn v4([a, b, c, d]: [u8; 4], prefix_len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_len)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix_len: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix_len)
}

/// Returns a description of an address that is not public, or `None` if it is public.
pub(super) fn why_not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => why_not_public_v4(address),
        IpAddr::V6(address) => why_not_public_v6(address),
    }
}

/// Parses the host of a URL as an IP address. Returns `None` if the host is a name.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    v6.unwrap_or(host).parse().ok()
}

fn why_not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let mut special = SPECIAL_V4.iter();
    let (_, description) = special.find(|(network, _)| network.contains(&address))?;
    Some(description)
}

/// Returns the IPv4 address that an IPv6 address embeds.
pub(super) fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V6(address) if EMBEDDED_V4.iter().any(|prefix| prefix.contains(&address)) => {
            Some(Ipv4Addr::from_bits(address.to_bits() as u32))
        }
        _ => None,
    }
}

/// Returns whether an address is that of a cloud's metadata service, which hands out credentials.
pub(super) fn is_metadata(address: IpAddr) -> bool {
    why_not_public(address) == Some(METADATA)
}

fn why_not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(address) = embedded_v4(address.into()) {
        return why_not_public_v4(address);
    }
    let mut special = SPECIAL_V6.iter();
    match special.find(|(network, _)| network.contains(&address)) {
        Some((_, description)) => Some(description),
        None if GLOBAL_UNICAST.contains(&address) => None,
        None => Some(RESERVED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_allowed() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700:4700::1111",
            "3ffe::1",
        ] {
            assert_eq!(why_not_public(public.parse().unwrap()), None, "{public}");
        }
    }

    #[test]
    fn special_purpose_addresses_are_not_public() {
        for (address, expected) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "reserved"),
            ("10.0.0.0", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "carrier"),
            ("100.100.100.200", "carrier"),
            ("100.127.255.255", "carrier"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.255", "loopback"),
            ("168.63.129.16", "metadata"),
            ("169.254.0.0", "link-local"),
            ("169.254.169.253", "link-local"),
            ("169.254.169.254", "metadata"),
            ("169.254.255.255", "link-local"),
            ("172.16.0.0", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.192", "reserved"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "6to4"),
            ("192.168.0.0", "private"),
            ("192.168.255.255", "private"),
            ("198.18.0.0", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("198.51.100.7", "documentation"),
            ("203.0.113.7", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.0", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::127.0.0.1", "compatible"),
            ("::8.8.8.8", "compatible"),
            ("::ffff:0.0.0.0", "unspecified"),
            ("::ffff:10.1.2.3", "private"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "metadata"),
            ("::ffff:0:127.0.0.1", "reserved"),
            ("64:ff9b::10.1.2.3", "private"),
            ("64:ff9b::169.254.169.254", "metadata"),
            ("64:ff9b:1::1", "reserved"),
            ("100::1", "reserved"),
            ("1fff::1", "reserved"),
            ("2001::1", "Teredo"),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
            ("2001:2::1", "benchmarking"),
            ("2001:10::1", "reserved"),
            ("2001:1ff::1", "reserved"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::", "6to4"),
            ("2002:a00:1::1", "6to4"),
            ("3fff::1", "documentation"),
            ("4000::1", "reserved"),
            ("5f00::1", "reserved"),
            ("fc00::1", "unique-local"),
            ("fd00:ec2::253", "unique-local"),
            ("fd00:ec2::254", "metadata"),
            ("fd20:ce::254", "metadata"),
            ("fdff::1", "unique-local"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            let found = why_not_public(address.parse().unwrap());
            assert!(
                found.is_some_and(|found| found.contains(expected)),
                "{address}: {found:?}"
            );
        }
    }

    #[test]
    fn a_host_is_an_address_or_a_name() {
        assert_eq!(literal("127.0.0.1"), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(literal("[::1]"), Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(literal("localhost"), None);
        assert_eq!(literal("1.example"), None);
    }
}
