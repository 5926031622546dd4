//! Addresses of feeds: `soup://HOST:PORT`, `mold://GROUP:PORT?request=HOST:PORT[&b=GROUP:PORT][&interface=ADDR]`, `-`.

use crate::bad_usage;
use anyhow::Result;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

/// Where messages come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Feed {
    /// A SoupBinTCP server.
    Soup(String),
    /// MoldUDP64 datagrams.
    Mold(MoldAddress),
    /// Standard input.
    Pipe,
}

/// Where messages are published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Publication {
    /// To SoupBinTCP clients that connect here.
    Soup(SocketAddr),
    /// As MoldUDP64 datagrams.
    Mold(MoldAddress),
}

/// Where MoldUDP64 datagrams go, and where requests do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoldAddress {
    /// The group, or the address of the one receiver.
    pub group: SocketAddr,
    /// The request server.
    pub request: SocketAddr,
    /// A second line with the same messages.
    pub line_b: Option<SocketAddr>,
    /// The interface on which groups are joined, or sent to.
    pub interface: Ipv4Addr,
}

const EXPECTED: &str = "soup://HOST:PORT, mold://GROUP:PORT?request=HOST:PORT[&b=GROUP:PORT][&interface=ADDR], or -";

impl Feed {
    /// The feed that `text` names.
    ///
    /// # Errors
    /// [`crate::BadUsage`] if it names none.
    pub fn parse(text: &str) -> Result<Feed> {
        if text == "-" {
            return Ok(Feed::Pipe);
        }
        if let Some(address) = text.strip_prefix("soup://") {
            check_host_and_port(address)?;
            return Ok(Feed::Soup(address.to_owned()));
        }
        let rest = text.strip_prefix("mold://");
        let rest = rest.ok_or_else(|| bad_usage(format!("feed {text:?} is not known, expected {EXPECTED}")))?;
        Ok(Feed::Mold(MoldAddress::parse(rest)?))
    }

    /// The address without user, as the days that it brings carry it.
    pub fn name(&self) -> String {
        match self {
            Feed::Soup(address) => format!("soup://{address}"),
            Feed::Mold(MoldAddress { group, request, .. }) => format!("mold://{group}?request={request}"),
            Feed::Pipe => "-".to_owned(),
        }
    }
}

impl Publication {
    /// The publication that `text` names.
    ///
    /// # Errors
    /// [`crate::BadUsage`] if it names none.
    pub fn parse(text: &str) -> Result<Publication> {
        if let Some(address) = text.strip_prefix("soup://") {
            return Ok(Publication::Soup(resolve(address)?));
        }
        let rest = text.strip_prefix("mold://");
        let expected = "soup://ADDR:PORT or mold://GROUP:PORT?request=ADDR:PORT";
        let rest = rest.ok_or_else(|| bad_usage(format!("--listen {text:?} is not known, expected {expected}")))?;
        Ok(Publication::Mold(MoldAddress::parse(rest)?))
    }

    /// Whether whoever is not on this machine can be reached.
    pub(crate) fn is_beyond_loopback(&self) -> bool {
        match self {
            Publication::Soup(address) => !address.ip().is_loopback(),
            Publication::Mold(MoldAddress { group, request, .. }) => {
                let to_others = !group.ip().is_loopback() && !group.ip().is_multicast();
                to_others || !request.ip().is_loopback()
            }
        }
    }
}

impl MoldAddress {
    fn parse(rest: &str) -> Result<MoldAddress> {
        let (group, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut request, mut line_b, mut interface) = (None, None, Ipv4Addr::UNSPECIFIED);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("request", address)) => request = Some(resolve(address)?),
                Some(("b", address)) => line_b = Some(resolve(address)?),
                Some(("interface", address)) => {
                    let wrong = |_| bad_usage(format!("interface {address:?}, expected an IPv4 address"));
                    interface = address.parse().map_err(wrong)?;
                }
                _ => return Err(bad_usage(format!("{pair:?} is not known, expected {EXPECTED}"))),
            }
        }
        let request = request.ok_or_else(|| bad_usage(format!("no request=, expected {EXPECTED}")))?;
        let group = resolve(group)?;
        for address in [Some(group), line_b].into_iter().flatten() {
            if matches!(address.ip(), IpAddr::V6(ip) if ip.is_multicast()) {
                return Err(bad_usage(format!("{address}: a group of IPv6, expected one of IPv4")));
            }
        }
        Ok(MoldAddress { group, request, line_b, interface })
    }
}

fn check_host_and_port(address: &str) -> Result<()> {
    let parts = address.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains(['/', '@', ' ', '?']));
    match parts.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(()),
        None => Err(bad_usage(format!("address {address:?}, expected HOST:PORT"))),
    }
}

/// The first address of a host and port.
pub(crate) fn resolve(address: &str) -> Result<SocketAddr> {
    check_host_and_port(address)?;
    let found = address.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| bad_usage(format!("address {address:?} cannot be found, expected HOST:PORT")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_what_their_addresses_say() {
        assert_eq!(Feed::parse("-").unwrap(), Feed::Pipe);
        assert_eq!(Feed::parse("soup://example.invalid:9000").unwrap().name(), "soup://example.invalid:9000");
        let mold = "mold://239.1.2.3:9001?request=127.0.0.1:9002&b=239.1.2.4:9001&interface=127.0.0.1";
        let Feed::Mold(address) = Feed::parse(mold).unwrap() else { panic!("{mold}") };
        assert_eq!(address.line_b, Some("239.1.2.4:9001".parse().unwrap()));
        assert_eq!(Feed::Mold(address).name(), "mold://239.1.2.3:9001?request=127.0.0.1:9002");
        for bad in [
            "",
            "http://x:1",
            "soup://",
            "soup://x",
            "soup://x:99999",
            "soup://u@x:1",
            "mold://127.0.0.1:1",
            "mold://127.0.0.1:1?request=",
            "mold://127.0.0.1:1?request=127.0.0.1:2&c=1",
            "mold://127.0.0.1:1?interface=x",
        ] {
            assert!(Feed::parse(bad).unwrap_err().is::<crate::BadUsage>(), "{bad:?}");
        }
    }

    #[test]
    fn a_group_does_not_leave_the_machine_by_itself_and_other_addresses_do() {
        for (address, beyond) in [
            ("soup://127.0.0.1:0", false),
            ("soup://0.0.0.0:0", true),
            ("mold://127.0.0.1:1?request=127.0.0.1:0", false),
            ("mold://239.1.2.3:1?request=127.0.0.1:0", false),
            ("mold://239.1.2.3:1?request=0.0.0.0:0", true),
            ("mold://192.0.2.1:1?request=127.0.0.1:0", true),
        ] {
            assert_eq!(Publication::parse(address).unwrap().is_beyond_loopback(), beyond, "{address}");
        }
    }
}
