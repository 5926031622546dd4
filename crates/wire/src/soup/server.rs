//! One connection, from the server's side: who is there, and whether it still is. What it gets is the publisher's affair.

use super::packet::{self, LOGIN_BYTES, Login, Packet};
use super::{GONE_AFTER, HEARTBEAT_AFTER, LOGIN_WITHIN};
use bytes::{Buf, BytesMut};
use std::time::Duration;

/// What a client asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// To be let in: [`Server::accepted`] has to follow, or the connection is closed.
    Login(Login),
    /// To leave.
    Logout,
}

/// Why a connection has to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerClose {
    /// What came is not of this protocol, or not at this place.
    Malformed,
    /// No login for [`LOGIN_WITHIN`].
    NoLogin,
    /// Nothing has come for [`GONE_AFTER`].
    Silent,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nobody has logged in since then.
    Waiting(Duration),
    Judging,
    Streaming,
}

/// One connection.
#[derive(Debug)]
pub struct Server {
    stage: Stage,
    held: BytesMut,
    heard: Duration,
    sent: Duration,
}

impl Server {
    /// A connection that has just been made.
    pub fn new(now: Duration) -> Server {
        Server { stage: Stage::Waiting(now), held: BytesMut::new(), heard: now, sent: now }
    }

    /// Takes bytes that have arrived, and gives the next request that they hold. Ask again, with no bytes, until there is
    /// none.
    ///
    /// # Errors
    /// [`ServerClose`] if the connection has to be closed.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) -> Result<Option<Request>, ServerClose> {
        if !bytes.is_empty() {
            self.heard = now;
            self.held.extend_from_slice(bytes);
        }
        loop {
            if self.stage != Stage::Streaming && self.is_no_login() {
                return Err(ServerClose::Malformed);
            }
            let (request, length) = match packet::split(&self.held) {
                Ok(None) => return Ok(None),
                Err(packet::ZeroLength) => return Err(ServerClose::Malformed),
                Ok(Some((packet, length))) => (request(packet, self.stage)?, length),
            };
            self.held.advance(length);
            if let Some(request) = request {
                if let Request::Login(_) = request {
                    self.stage = Stage::Judging;
                }
                return Ok(Some(request));
            }
        }
    }

    /// Whether the beginning of the first packet shows that it is no login: nothing is held for whoever sends no such thing.
    fn is_no_login(&self) -> bool {
        let expected = [0, u8::try_from(LOGIN_BYTES).unwrap_or(u8::MAX), b'L'];
        self.held.iter().zip(expected).any(|(&found, expected)| found != expected)
    }

    /// The login has been accepted.
    pub fn accepted(&mut self) {
        self.stage = Stage::Streaming;
    }

    /// Something has been sent.
    pub fn sent(&mut self, now: Duration) {
        self.sent = now;
    }

    /// Lets time pass: appends a heartbeat to `output` if one is due.
    ///
    /// # Errors
    /// [`ServerClose`] if the client is gone, or has never said who it is.
    pub fn tick(&mut self, now: Duration, output: &mut Vec<u8>) -> Result<(), ServerClose> {
        match self.stage {
            Stage::Waiting(since) if LOGIN_WITHIN <= now.saturating_sub(since) => Err(ServerClose::NoLogin),
            Stage::Waiting(_) | Stage::Judging => Ok(()),
            Stage::Streaming if GONE_AFTER <= now.saturating_sub(self.heard) => Err(ServerClose::Silent),
            Stage::Streaming => {
                if HEARTBEAT_AFTER <= now.saturating_sub(self.sent) {
                    packet::put_server_heartbeat(output);
                    self.sent = now;
                }
                Ok(())
            }
        }
    }
}

/// What a packet asks; nothing for those that a client may send at any time.
fn request(packet: Packet<'_>, stage: Stage) -> Result<Option<Request>, ServerClose> {
    match (packet, stage) {
        (Packet::Login(login), Stage::Waiting(_)) => Ok(Some(Request::Login(login))),
        (Packet::Logout, Stage::Streaming) => Ok(Some(Request::Logout)),
        (Packet::Heartbeat | Packet::Debug(_) | Packet::Unsequenced(_), Stage::Streaming) => Ok(None),
        _ => Err(ServerClose::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soup::packet::{put_client_heartbeat, put_login, put_logout};

    fn login() -> (Login, Vec<u8>) {
        let login = Login { user: b"u".to_vec(), password: b"p".to_vec(), session: None, sequence: 1 };
        let mut bytes = Vec::new();
        put_login(&mut bytes, &login);
        (login, bytes)
    }

    #[test]
    fn every_cut_of_what_a_client_sends_asks_the_same() {
        let (login, mut bytes) = login();
        put_client_heartbeat(&mut bytes);
        bytes.extend_from_slice(b"\x00\x03+hi\x00\x02Ux");
        put_logout(&mut bytes);
        for cut in 0..=bytes.len() {
            let mut server = Server::new(Duration::ZERO);
            let mut asked = Vec::new();
            for piece in [&bytes[..cut], &bytes[cut..]] {
                let mut next = server.receive(Duration::ZERO, piece).unwrap();
                while let Some(request) = next {
                    server.accepted();
                    asked.push(request);
                    next = server.receive(Duration::ZERO, &[]).unwrap();
                }
            }
            assert_eq!(asked, [Request::Login(login.clone()), Request::Logout], "{cut}");
        }
    }

    #[test]
    fn a_first_packet_that_is_no_login_closes_the_connection() {
        let (_, good) = login();
        let mut long = good.clone();
        long[1] += 1;
        for bad in [&b"\x00\x01R"[..], b"\x00\x00", b"GET / HTTP/1.1\r\n", b"\xff\xffS", &long, b"\x00\x2fS"] {
            let mut server = Server::new(Duration::ZERO);
            assert_eq!(server.receive(Duration::ZERO, bad), Err(ServerClose::Malformed), "{}", bad.escape_ascii());
        }
        for later in [&b"\x00\x00"[..], b"\x00\x01?", b"\x00\x01H\x00\x01Z", &good] {
            let mut server = Server::new(Duration::ZERO);
            assert!(matches!(server.receive(Duration::ZERO, &good), Ok(Some(Request::Login(_)))));
            server.accepted();
            assert_eq!(server.receive(Duration::ZERO, later), Err(ServerClose::Malformed), "{}", later.escape_ascii());
        }
    }

    #[test]
    fn whoever_does_not_log_in_or_falls_silent_is_closed() {
        let (second, mut output) = (Duration::from_secs(1), Vec::new());
        let mut server = Server::new(Duration::ZERO);
        server.receive(second * 29, &[0]).unwrap();
        assert_eq!(server.tick(second * 29, &mut output), Ok(()));
        assert_eq!(server.tick(second * 30, &mut output), Err(ServerClose::NoLogin));
        let mut server = Server::new(Duration::ZERO);
        server.receive(second, &login().1).unwrap();
        server.accepted();
        server.sent(second);
        assert_eq!((server.tick(second, &mut output), output.len()), (Ok(()), 0));
        assert_eq!((server.tick(second * 2, &mut output), output.as_slice()), (Ok(()), &b"\x00\x01H"[..]));
        assert_eq!(server.tick(second * 15, &mut output), Ok(()));
        assert_eq!(server.tick(second * 16, &mut output), Err(ServerClose::Silent));
    }
}
