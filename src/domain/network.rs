//! Networks: allowlists, and the sources by which failures are counted.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Most entries of one allowlist.
const NETWORKS_MAX: usize = 100;

/// Networks, as addresses or CIDR blocks, v4 and v6. IPv4-mapped IPv6 addresses count as the IPv4 ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Parses each entry as an address or a CIDR block.
    ///
    /// # Errors
    /// An entry is malformed, or there are too many. The message ends a sentence that begins with the field's name.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let networks: Vec<IpNet> = entries.into_iter().map(parse_network).collect::<Result<_, _>>()?;
        if networks.len() > NETWORKS_MAX {
            return Err("must have at most 100 entries");
        }
        Ok(Self(networks))
    }

    /// Returns `true` if the list has no networks.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if `address` is in one of the networks.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Returns `true` if a credential with this allowlist may be used from `address`. An empty list admits every
    /// address; any other list refuses an unknown one.
    pub fn admit(&self, address: Option<IpAddr>) -> bool {
        self.is_empty() || address.is_some_and(|address| self.contain(address))
    }

    /// Returns the entries for display: single addresses have no prefix length.
    pub fn to_strings(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|network| {
                if network.prefix_len() == network.max_prefix_len() {
                    network.addr().to_string()
                } else {
                    network.to_string()
                }
            })
            .collect()
    }
}

fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    const WRONG: &str = "must be addresses or CIDR blocks such as 203.0.113.7 or 2001:db8::/32";
    let network = match IpAddr::from_str(text) {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => IpNet::from_str(text).map_err(|_| WRONG)?,
    };
    match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.addr().to_ipv4_mapped() {
            Some(v4) => IpNet::new(v4.into(), v6.prefix_len() - 96).map(|net| net.trunc()).map_err(|_| WRONG),
            None => Ok(network.trunc()),
        },
        _ => Ok(network.trunc()),
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_strings().join(","))
    }
}

/// Returns the source by which failed authentications are counted, and refusals of one client or key: a v4 address, or
/// the /64 of a v6 address, which one machine may have.
pub fn limited_source(address: IpAddr) -> IpAddr {
    with_segments(address, 4)
}

/// Returns the block by which all refusals are counted: a v4 address, or the /48 of a v6 address, which one site may
/// have.
pub fn limited_block(address: IpAddr) -> IpAddr {
    with_segments(address, 3)
}

/// Keeps the first segments of a v6 address.
fn with_segments(address: IpAddr, kept: usize) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments.iter_mut().skip(kept).for_each(|segment| *segment = 0);
            IpAddr::V6(segments.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(entries: &[&str]) -> Networks {
        Networks::parse(entries.iter().copied()).unwrap()
    }

    #[test]
    fn allowlists_take_addresses_and_blocks_of_both_families() {
        let list = networks(&["203.0.113.7", "10.1.0.0/16", "2001:db8::/32", "::ffff:192.0.2.0/120"]);
        for (address, expected) in [
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("::ffff:203.0.113.7", true),
            ("10.1.255.1", true),
            ("10.2.0.1", false),
            ("2001:db8::1", true),
            ("2001:db9::1", false),
            ("192.0.2.44", true),
        ] {
            assert_eq!(list.contain(address.parse().unwrap()), expected, "{address}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0", "localhost", "::/129", "10.0.0.1 "] {
            assert!(Networks::parse([wrong]).is_err(), "{wrong}");
        }
    }
}
