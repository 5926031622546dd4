//! MoldUDP64: datagrams to a group or to one receiver, and answers to requests.

use super::Session;
use crate::address::MoldAddress;
use crate::clock;
use crate::spool::SpoolReader;
use anyhow::{Context, Result};
use quoteclock_wire::SessionId;
use quoteclock_wire::mold::{DATAGRAM_BYTES, HEAD_BYTES, Request, put_datagram, put_sign};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// How often the next number, or the end, is told when nothing else is.
const SIGN_EVERY: Duration = Duration::from_secs(1);
/// Datagrams that are sent without a pause: what a receiver's usual buffer holds.
const BURST: u32 = 64;

pub(super) struct Sockets {
    send: UdpSocket,
    request: UdpSocket,
    lines: Vec<SocketAddr>,
}

impl Sockets {
    /// Binds both. Groups stay on this machine unless `beyond`: nobody can be asked who he is.
    pub(super) async fn bind(address: &MoldAddress, beyond: bool) -> Result<Sockets> {
        let any = match address.group.ip() {
            IpAddr::V4(ip) if ip.is_multicast() => IpAddr::V4(address.interface),
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        };
        let send = UdpSocket::bind(SocketAddr::new(any, 0)).await.context("opening a socket to send from")?;
        send.set_multicast_ttl_v4(if beyond { 1 } else { 0 }).context("limiting how far datagrams go")?;
        send.set_multicast_loop_v4(true).context("sending datagrams to this machine")?;
        if address.interface != Ipv4Addr::UNSPECIFIED {
            let interface = socket2::SockRef::from(&send).set_multicast_if_v4(&address.interface);
            interface.with_context(|| format!("sending through {}", address.interface))?;
        }
        let request = UdpSocket::bind(address.request).await;
        let request = request.with_context(|| format!("listening for requests at {}", address.request))?;
        let lines = [Some(address.group), address.line_b].into_iter().flatten().collect();
        Ok(Sockets { send, request, lines })
    }

    pub(super) fn request_address(&self) -> Result<SocketAddr> {
        Ok(self.request.local_addr()?)
    }

    async fn send(&self, datagram: &[u8]) {
        for line in &self.lines {
            // Nobody there, or no room: datagrams may be lost, and are asked for again.
            if let Err(error) = self.send.send_to(datagram, line).await {
                tracing::debug!(%error, "sending a datagram");
            }
        }
    }
}

pub(super) async fn serve(sockets: Sockets, session: Arc<Session>, shutdown: impl Future<Output = ()>) -> Result<()> {
    session.start();
    let mut shutdown = pin!(shutdown);
    tokio::select! {
        () = &mut shutdown => Ok(()),
        result = send_all(&sockets, &session) => result,
        result = answer_all(&sockets, &session) => result,
    }
}

/// Sends every message when it is due, and then the end of the session for as long as anybody may want it.
async fn send_all(sockets: &Sockets, session: &Session) -> Result<()> {
    let mut reader = session.reader(1);
    let (mut datagram, mut burst) = (Vec::new(), 0);
    let mut signed = clock::now();
    loop {
        let now = clock::now();
        let first = reader.number();
        let (count, wait) = gather(&mut reader, session, session.name, now, &mut datagram)?;
        if 0 < count {
            sockets.send(&datagram).await;
            signed = now;
            burst += 1;
            if burst == BURST {
                burst = 0;
                // A receiver that has no way to slow us down gets time to breathe.
                sleep(Duration::from_millis(1)).await;
            }
            continue;
        }
        if SIGN_EVERY <= now.saturating_sub(signed) || wait.is_none() {
            put_sign(&mut datagram, session.name, first, wait.is_none());
            sockets.send(&datagram).await;
            signed = now;
        }
        match wait {
            Some(due) => sleep(due.saturating_sub(now).min(SIGN_EVERY)).await,
            None => sleep(SIGN_EVERY).await,
        }
    }
}

/// Fills a datagram with what is due; says how many messages those are, and when the next is due, if there is one.
fn gather(
    reader: &mut SpoolReader,
    session: &Session,
    name: SessionId,
    now: Duration,
    datagram: &mut Vec<u8>,
) -> Result<(u16, Option<Duration>)> {
    let first = reader.number();
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let (mut bytes, mut wait) = (HEAD_BYTES, None);
    while let Some(message) = reader.peek()? {
        let due = session.due(message.time).unwrap_or(now);
        bytes += 2 + message.bytes.len();
        if now < due || (!messages.is_empty() && DATAGRAM_BYTES < bytes) {
            wait = Some(due);
            break;
        }
        messages.push(message.bytes.to_vec());
        reader.advance();
    }
    if messages.is_empty() {
        return Ok((0, wait));
    }
    let nth = |number: u64| messages.get(usize::try_from(number - first).ok()?).map(Vec::as_slice);
    let count = put_datagram(datagram, name, first, messages.len() as u64, nth);
    Ok((count, wait))
}

/// Answers requests, each with one datagram from the first message wanted on.
async fn answer_all(sockets: &Sockets, session: &Session) -> Result<()> {
    let mut reader = session.reader(1);
    let (mut bytes, mut datagram) = ([0; 64], Vec::new());
    loop {
        let (length, from) = match sockets.request.recv_from(&mut bytes).await {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "receiving a request");
                continue;
            }
        };
        let Some(request) = Request::read(&bytes[..length]).filter(|request| request.session == session.name) else {
            continue;
        };
        if reader.number() != request.first {
            reader = session.reader(request.first);
        }
        let end = request.first.saturating_add(u64::from(request.count));
        let now = clock::now();
        let mut messages: Vec<Vec<u8>> = Vec::new();
        let mut size = HEAD_BYTES;
        while reader.number() < end
            && let Some(message) = reader.peek()?
        {
            size += 2 + message.bytes.len();
            let is_due = session.due(message.time).is_some_and(|due| due <= now);
            if !is_due || (!messages.is_empty() && DATAGRAM_BYTES < size) {
                break;
            }
            messages.push(message.bytes.to_vec());
            reader.advance();
        }
        if messages.is_empty() {
            continue;
        }
        let nth = |number: u64| messages.get(usize::try_from(number - request.first).ok()?).map(Vec::as_slice);
        put_datagram(&mut datagram, session.name, request.first, messages.len() as u64, nth);
        if let Err(error) = sockets.request.send_to(&datagram, from).await {
            tracing::debug!(%error, "answering a request");
        }
    }
}
