//! The caller's address behind trusted proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::network::Networks;

/// The one field in which trusted proxies name their caller. Every other field of this kind is ignored, since a proxy
/// that sets one field passes on whatever its callers wrote into the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressHeader {
    /// A list of hops, to which each proxy appends the address that it got the request from.
    #[default]
    XForwardedFor,
    /// One address, which the proxy nearest to callers sets.
    XRealIp,
}

impl AddressHeader {
    /// Returns the name of the field, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::XRealIp => "x-real-ip",
        }
    }

    /// Returns the caller's address: the peer itself or, if the peer is a trusted proxy that sent the field, the
    /// address in `values`, without its port. Of a list this is the rightmost hop that is not a trusted proxy (RFC 9700
    /// §4.13).
    ///
    /// `None` if the field cannot be read; the caller is then unknown. It cannot be read if the address is malformed or
    /// empty, if a field of one address is repeated or has a list, or if any value has bytes other than printable
    /// ASCII: proxies change or drop such values, each in its own way.
    pub fn caller<'v>(
        self,
        peer: IpAddr,
        trusted_proxies: &Networks,
        values: impl Iterator<Item = &'v [u8]>,
    ) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if !trusted_proxies.contain(peer) {
            return Some(peer);
        }
        let mut values: Vec<&str> = values.map(printable).collect::<Option<_>>()?;
        match (self, values.as_slice()) {
            (_, []) => Some(peer),
            (Self::XRealIp, [one]) => address(one),
            (Self::XRealIp, _) => None,
            (Self::XForwardedFor, _) => {
                values.reverse();
                rightmost_untrusted(trusted_proxies, values.into_iter().flat_map(|value| value.rsplit(',')))
            }
        }
    }
}

impl FromStr for AddressHeader {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::XForwardedFor, Self::XRealIp]
            .into_iter()
            .find(|header| header.as_str().eq_ignore_ascii_case(text))
            .ok_or("must be x-forwarded-for or x-real-ip")
    }
}

/// Where every hop is a trusted proxy, the request began at the last one.
fn rightmost_untrusted<'v>(trusted_proxies: &Networks, hops: impl Iterator<Item = &'v str>) -> Option<IpAddr> {
    let mut found = None;
    for hop in hops {
        let hop = address(hop)?;
        found = Some(hop);
        if !trusted_proxies.contain(hop) {
            break;
        }
    }
    found
}

fn printable(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')))
}

/// Reads one hop: an address, with a port or without. A v6 address may be in brackets, and must be with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches([' ', '\t']);
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|hop| hop.ip());
    hop.parse::<IpAddr>().ok().or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The address that a request from `peer` has with these values of the field in use.
    fn caller(header: AddressHeader, peer: &str, values: &[&[u8]]) -> String {
        let proxies = Networks::parse(["10.0.0.0/8", "2001:db8:ffff::/48"]).unwrap();
        let found = header.caller(peer.parse().unwrap(), &proxies, values.iter().copied());
        found.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_caller() {
        let rows: &[(&str, &[&str], &str)] = &[
            // Who is no trusted proxy says nothing of others.
            ("198.51.100.1", &["203.0.113.9"], "198.51.100.1"),
            ("198.51.100.1", &["junk"], "198.51.100.1"),
            ("198.51.100.1", &[], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            // A repeated field is one list, in the order of its lines.
            ("10.0.0.1", &["1.2.3.4", "203.0.113.9, 10.0.0.7"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "10.0.0.7", "10.0.0.8"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.4"], "198.51.100.4"),
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["10.0.0.3", "10.0.0.2"], "10.0.0.3"),
            // The proxy itself asks.
            ("10.0.0.1", &[], "10.0.0.1"),
            // What a caller wrote to the left of its own address is not read.
            ("10.0.0.1", &["junk, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[",,203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["", "203.0.113.9"], "203.0.113.9"),
            // What cannot be read is unknown, never the next hop to the left.
            ("10.0.0.1", &["203.0.113.9, junk"], "unknown"),
            ("10.0.0.1", &["203.0.113.9", "junk"], "unknown"),
            ("10.0.0.1", &["203.0.113.9,"], "unknown"),
            ("10.0.0.1", &["203.0.113.9", ""], "unknown"),
            ("10.0.0.1", &["203.0.113.9,,10.0.0.7"], "unknown"),
            ("10.0.0.1", &["junk, 10.0.0.7"], "unknown"),
            ("10.0.0.1", &[""], "unknown"),
            ("10.0.0.1", &[" "], "unknown"),
            ("10.0.0.1", &[","], "unknown"),
            ("10.0.0.1", &["unknown"], "unknown"),
            ("10.0.0.1", &["for=203.0.113.9"], "unknown"),
            ("10.0.0.1", &["\"203.0.113.9\""], "unknown"),
            ("10.0.0.1", &["203.0.113.9 198.51.100.4"], "unknown"),
            ("10.0.0.1", &["203.0.113.9;198.51.100.4"], "unknown"),
        ];
        for (peer, values, expected) in rows {
            let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
            assert_eq!(caller(AddressHeader::XForwardedFor, peer, &values), *expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn a_hop_is_an_address_with_a_port_or_without() {
        for (hop, expected) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            (" \t203.0.113.9 ", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
            ("203.0.113.9:", "unknown"),
            ("203.0.113.9:99999", "unknown"),
            ("203.0.113.9:http", "unknown"),
            ("203.0.113.009", "unknown"),
            ("203.0.113", "unknown"),
            ("0xcb007109", "unknown"),
            ("[203.0.113.9]", "unknown"),
            ("[2001:db8::1", "unknown"),
            ("2001:db8::1]", "unknown"),
            ("[2001:db8::1]443", "unknown"),
            ("[2001:db8::1]:", "unknown"),
            ("[[2001:db8::1]]", "unknown"),
            ("fe80::1%eth0", "unknown"),
            ("203.0.113.9/32", "unknown"),
            ("localhost", "unknown"),
        ] {
            for header in [AddressHeader::XForwardedFor, AddressHeader::XRealIp] {
                assert_eq!(caller(header, "10.0.0.1", &[hop.as_bytes()]), expected, "{header:?} {hop}");
            }
        }
    }

    /// Wherever the byte is: a proxy that drops or rewrites such a field changes which hop is the rightmost.
    #[test]
    fn a_value_that_is_not_printable_ascii_makes_the_caller_unknown() {
        let rows: &[&[&[u8]]] = &[
            &[b"203.0.113.9\xff"],
            &[b"\xff203.0.113.9"],
            &[b"\xff, 203.0.113.9"],
            &[b"\xff", b"203.0.113.9"],
            &[b"203.0.113.9", b"\xff"],
            &["ü, 203.0.113.9".as_bytes()],
            &["203.0.113.\u{0669}".as_bytes()],
            &["203.0.113.9\u{a0}".as_bytes()],
            &[b"203.0.113.9\0"],
            &[b"203.0.113.9\x0b"],
            &[b"203.0.113.9\x7f"],
        ];
        for values in rows {
            for header in [AddressHeader::XForwardedFor, AddressHeader::XRealIp] {
                assert_eq!(caller(header, "10.0.0.1", values), "unknown", "{header:?} {values:?}");
            }
            assert_eq!(caller(AddressHeader::XForwardedFor, "198.51.100.1", values), "198.51.100.1", "{values:?}");
        }
    }

    #[test]
    fn a_field_of_one_address_has_one_address_once() {
        let rows: &[(&[&[u8]], &str)] = &[
            (&[b"203.0.113.9"], "203.0.113.9"),
            (&[b"10.0.0.2"], "10.0.0.2"),
            (&[], "10.0.0.1"),
            (&[b""], "unknown"),
            (&[b"203.0.113.9, 198.51.100.4"], "unknown"),
            (&[b"203.0.113.9,"], "unknown"),
            (&[b"203.0.113.9", b"203.0.113.9"], "unknown"),
            (&[b"203.0.113.9", b""], "unknown"),
        ];
        for (values, expected) in rows {
            assert_eq!(caller(AddressHeader::XRealIp, "10.0.0.1", values), *expected, "{values:?}");
        }
        assert_eq!(caller(AddressHeader::XRealIp, "198.51.100.1", &[b"203.0.113.9"]), "198.51.100.1");
    }

    #[test]
    fn the_field_is_named_in_any_case() {
        for (text, expected) in [
            ("x-forwarded-for", Some(AddressHeader::XForwardedFor)),
            ("X-Real-IP", Some(AddressHeader::XRealIp)),
            ("forwarded", None),
            ("x_real_ip", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<AddressHeader>().ok(), expected, "{text}");
        }
    }

    fn any_values() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..3)
    }

    proptest! {
        #[test]
        fn any_value_gives_an_address_or_none(values in any_values()) {
            let everyone = Networks::parse(["0.0.0.0/0", "::/0"]).unwrap();
            for header in [AddressHeader::XForwardedFor, AddressHeader::XRealIp] {
                header.caller("10.0.0.1".parse().unwrap(), &everyone, values.iter().map(Vec::as_slice));
            }
        }
    }
}
