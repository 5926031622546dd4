//! A MoldUDP64 session from one or two lines of datagrams, and its request server.

use super::{FeedEnd, Intake, Stop};
use crate::address::MoldAddress;
use crate::clock;
use anyhow::{Context, Result};
use quoteclock_wire::SessionId;
use quoteclock_wire::mold::{Assembler, Request, Told};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::sleep_until;

/// What the system is asked to hold of datagrams that have not been read.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;
/// The longest datagram.
const DATAGRAM_BYTES_MAX: usize = 1 << 16;
/// Datagrams that are read before anything else is done.
const READ_AT_ONCE: usize = 256;
/// How often the engine is asked whether it has room again.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// A source that has not been heard of for so long is gone.
const GONE_AFTER: Duration = Duration::from_secs(60);

/// The sockets of a feed.
#[derive(Debug)]
pub(crate) struct Lines {
    a: UdpSocket,
    b: Option<UdpSocket>,
    request: UdpSocket,
    server: SocketAddr,
}

impl Lines {
    pub(crate) fn bind(address: &MoldAddress) -> Result<Lines> {
        let a = receiver(address.group, address.interface)?;
        let b = address.line_b.map(|line| receiver(line, address.interface)).transpose()?;
        let any = match address.request {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        };
        let request = socket(SocketAddr::new(any, 0)).context("opening a socket for requests")?;
        Ok(Lines { a, b, request, server: address.request })
    }

    /// Where datagrams are received.
    pub(crate) fn local_address(&self) -> Result<SocketAddr> {
        Ok(self.a.local_addr()?)
    }
}

/// A socket at the address of a group, or at one of our own.
fn receiver(address: SocketAddr, interface: Ipv4Addr) -> Result<UdpSocket> {
    let socket = socket(address).with_context(|| format!("listening at {address}"))?;
    if let IpAddr::V4(group) = address.ip()
        && group.is_multicast()
    {
        socket.join_multicast_v4(group, interface).with_context(|| format!("joining the group {group}"))?;
    }
    Ok(socket)
}

fn socket(address: SocketAddr) -> Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // As much as the system allows; it may be less.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    socket.set_reuse_address(address.ip().is_multicast())?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(UdpSocket::from_std(socket.into())?)
}

pub(super) async fn follow(lines: &Lines, intake: &mut Intake, once: bool, stop: &Stop) -> Result<FeedEnd> {
    let mut assembler = Assembler::new(intake.session(), intake.next());
    let mut bytes = vec![0; DATAGRAM_BYTES_MAX];
    let started = clock::now();
    let mut settled: Option<SessionId> = None;
    loop {
        let has_room = intake.pass_on()?;
        if assembler.is_done() && assembler.session().is_some() {
            intake.flush()?;
            return Ok(FeedEnd::Session);
        }
        let now = clock::now();
        let heard = assembler.heard().unwrap_or(started);
        if once && has_room && GONE_AFTER <= now.saturating_sub(heard) {
            return Ok(FeedEnd::SourceGone);
        }
        if has_room {
            let requests = step(&mut assembler, intake, &mut settled, |assembler, tell| assembler.tick(now, tell))?;
            ask(lines, &requests).await;
        }
        intake.flush()?;
        let wake = match assembler.deadline(now) {
            _ if !has_room => now + ASK_EVERY,
            Some(at) => at.max(now + ASK_EVERY),
            None => now + Duration::from_secs(1),
        };
        tokio::select! {
            ready = lines.a.readable(), if has_room => ready?,
            ready = readable(lines.b.as_ref()), if has_room => ready?,
            ready = lines.request.readable(), if has_room => ready?,
            () = sleep_until(clock::instant(wake)) => {}
            () = stop.woken() => {}
            () = stop.wait() => return Ok(FeedEnd::Stopped),
        }
        if has_room {
            read_all(lines, &mut assembler, intake, &mut settled, &mut bytes)?;
        }
    }
}

/// Waits for a socket, if there is one; for ever otherwise.
async fn readable(socket: Option<&UdpSocket>) -> std::io::Result<()> {
    match socket {
        Some(socket) => socket.readable().await,
        None => std::future::pending().await,
    }
}

/// Reads what has come, answers first: they fill what others wait for.
fn read_all(
    lines: &Lines,
    assembler: &mut Assembler,
    intake: &mut Intake,
    settled: &mut Option<SessionId>,
    bytes: &mut [u8],
) -> Result<()> {
    let sockets = [(Some(&lines.request), true), (Some(&lines.a), false), (lines.b.as_ref(), false)];
    for (socket, is_answer) in sockets {
        let Some(socket) = socket else { continue };
        for _ in 0..READ_AT_ONCE {
            // Whoever is not there any more is told as an error here: it counts as nothing received.
            let Ok((count, from)) = socket.try_recv_from(bytes) else { break };
            if is_answer && from != lines.server {
                continue;
            }
            intake.health.heard();
            let now = clock::now();
            let datagram = &bytes[..count];
            let ended =
                quoteclock_wire::mold::Datagram::read(datagram).is_some_and(|read| intake.has_ended(read.session));
            if !ended {
                step(assembler, intake, settled, |assembler, tell| assembler.receive(now, datagram, is_answer, tell))?;
            }
        }
    }
    Ok(())
}

/// Does one step of the assembler, and takes what it lets out.
fn step<T>(
    assembler: &mut Assembler,
    intake: &mut Intake,
    settled: &mut Option<SessionId>,
    step: impl FnOnce(&mut Assembler, &mut dyn FnMut(Told<'_>)) -> T,
) -> Result<T> {
    // The session has to be known before its first message is written down.
    let mut told: Vec<(u64, u64, Option<Vec<u8>>)> = Vec::new();
    let result = step(assembler, &mut |what| {
        told.push(match what {
            Told::Messages { first, count, blocks } => (first, count, Some(blocks.to_vec())),
            Told::Gap { first, count } => (first, count, None),
        });
    });
    if *settled != assembler.session()
        && let Some(session) = assembler.session()
    {
        *settled = Some(session);
        intake.found(session)?;
    }
    for (first, count, blocks) in told {
        match blocks {
            Some(blocks) => intake.blocks(count, &blocks)?,
            None => intake.gap(first, count)?,
        }
    }
    Ok(result)
}

async fn ask(lines: &Lines, requests: &[Request]) {
    for request in requests {
        if let Err(error) = lines.request.send_to(&request.write(), lines.server).await {
            tracing::debug!(%error, "asking for messages");
        }
    }
}
