//! Addresses of feeds: `soup://HOST:PORT`, `mold://GROUP:PORT?request=HOST:PORT[&b=GROUP:PORT][&interface=ADDR]`,
//! `nats://HOST[:PORT]/STREAM`, `-`.

use crate::bad_usage;
use crate::folder::session_name;
use anyhow::Result;
use quoteclock_model::Shard;
use quoteclock_wire::SessionId;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

/// Where messages come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Feed {
    /// A SoupBinTCP server.
    Soup(String),
    /// MoldUDP64 datagrams.
    Mold(MoldAddress),
    /// A stream that a NATS server keeps.
    Nats(StreamAddress),
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
    /// Into a stream that a NATS server keeps.
    Nats(StreamAddress),
}

/// A stream, and the server that keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamAddress {
    /// `HOST:PORT`.
    pub server: String,
    /// Letters, digits, `-` and `_`.
    pub stream: String,
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

/// The longest name of a stream.
const STREAM_BYTES_MAX: usize = 128;

const EXPECTED: &str = "soup://HOST:PORT, mold://GROUP:PORT?request=HOST:PORT[&b=GROUP:PORT][&interface=ADDR], \
    nats://HOST[:PORT]/STREAM, or -";

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
        if let Some(address) = text.strip_prefix("nats://") {
            return Ok(Feed::Nats(StreamAddress::parse(address)?));
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
            Feed::Nats(address) => address.name(),
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
        if let Some(address) = text.strip_prefix("nats://") {
            return Ok(Publication::Nats(StreamAddress::parse(address)?));
        }
        let rest = text.strip_prefix("mold://");
        let expected = "soup://ADDR:PORT, mold://GROUP:PORT?request=ADDR:PORT or nats://HOST[:PORT]/STREAM";
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
            Publication::Nats(address) => resolve(&address.server).is_ok_and(|address| !address.ip().is_loopback()),
        }
    }
}

impl StreamAddress {
    fn parse(rest: &str) -> Result<StreamAddress> {
        let wrong = || {
            bad_usage(format!("stream {rest:?}, expected HOST[:PORT]/STREAM, the stream of letters, digits, - and _"))
        };
        let (host, stream) = rest.split_once('/').ok_or_else(wrong)?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=STREAM_BYTES_MAX).contains(&stream.len()) || !stream.bytes().all(legal) {
            return Err(wrong());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        let server = if has_port { host.to_owned() } else { format!("{host}:{}", quoteclock_stream::PORT) };
        check_host_and_port(&server)?;
        Ok(StreamAddress { server, stream: stream.to_owned() })
    }

    /// As it is typed.
    pub fn name(&self) -> String {
        format!("nats://{}/{}", self.server, self.stream)
    }

    /// The name that a journal of a shard carries: `nats://HOST:PORT/STREAM?shard=0/4`.
    pub(crate) fn name_of(&self, shard: Option<Shard>) -> String {
        self.name() + &shard.map_or_else(String::new, |shard| format!("{OF_SHARD}{shard}"))
    }

    /// The subject of a session's shard, or of any session's: one for each, so that whoever follows a shard gets no other.
    pub(crate) fn subject(&self, session: Option<SessionId>, shard: Shard) -> String {
        let session = session.map_or("*".to_owned(), |session| session_name(Some(session)));
        format!("{}.{session}.{}.{}", self.stream, shard.count(), shard.index())
    }
}

/// Before the shard in a journal's name of its feed.
const OF_SHARD: &str = "?shard=";

/// A journal's name of its feed without the shard.
pub(crate) fn without_shard(feed: &str) -> &str {
    feed.split(OF_SHARD).next().unwrap_or(feed)
}

/// What a journal's name of its feed says of the stream and the shard, whichever host the server had then.
pub(crate) fn stream_and_shard(feed: &str) -> Option<&str> {
    feed.strip_prefix("nats://")?.split_once('/').map(|(_, rest)| rest)
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
        let stream = Feed::parse("nats://example.invalid/QC").unwrap();
        assert_eq!(stream.name(), "nats://example.invalid:4222/QC");
        let Feed::Nats(address) = stream else { panic!("a stream") };
        let (shard, session) = ("1/4".parse().unwrap(), SessionId::new(b"A b").unwrap());
        assert_eq!(address.subject(Some(session), shard), "QC.A_20b.4.1");
        assert_eq!(address.subject(None, Shard::WHOLE), "QC.*.1.0");
        let name = address.name_of(Some(shard));
        assert_eq!(
            (without_shard(&name), stream_and_shard(&name)),
            ("nats://example.invalid:4222/QC", Some("QC?shard=1/4"))
        );
        assert_eq!(stream_and_shard(&address.name()), Some("QC"));
        assert_eq!(Feed::parse("nats://[::1]/a").unwrap().name(), "nats://[::1]:4222/a");
        for bad in [
            "",
            "nats://example.invalid",
            "nats://example.invalid/",
            "nats://example.invalid/a.b",
            "nats://example.invalid/a/b",
            "nats://u@example.invalid/a",
            "nats:///a",
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
            ("nats://127.0.0.1/QC", false),
            ("nats://192.0.2.1:4222/QC", true),
        ] {
            assert_eq!(Publication::parse(address).unwrap().is_beyond_loopback(), beyond, "{address}");
        }
    }
}
