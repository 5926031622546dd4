//! One connection, from the client's side.

use super::packet::{self, Login, Packet, Rejection};
use super::{GONE_AFTER, HEARTBEAT_AFTER};
use crate::SessionId;
use bytes::{Buf, BytesMut};
use std::time::Duration;

/// What a client asks for when it logs in.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// User, password, session and first message.
    pub login: Login,
    /// Go on with what the server has, where that begins after the first message wanted.
    pub accept_gap: bool,
}

/// What a connection says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// The server has let us in.
    Accepted(SessionId),
    /// Messages from `first` on are missing, `count` of them: the server begins later.
    Gap {
        /// The first of them.
        first: u64,
        /// How many.
        count: u64,
    },
    /// The next message.
    Message {
        /// Its number.
        sequence: u64,
        /// Its bytes.
        bytes: &'a [u8],
    },
}

/// Why a connection has to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// The login was rejected.
    Rejected(Rejection),
    /// The session has ended; `next` is the number after its last message.
    Ended {
        /// The number.
        next: u64,
    },
    /// The server begins after the message wanted.
    Ahead {
        /// The first number that it has.
        found: u64,
    },
    /// The server is in another session than the one wanted.
    OtherSession(SessionId),
    /// What came is not of this protocol; what came before it counts.
    Malformed,
    /// Nothing has come for [`GONE_AFTER`].
    Silent,
    /// The other side has closed it, or the network has.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    LoginSent,
    /// The number of the next message.
    Streaming(u64),
    Closed,
}

/// One connection. Bytes that have arrived go in by [`Client::receive`], whatever their cut; what is to be sent gathers
/// in [`Client::output`].
#[derive(Debug)]
pub struct Client {
    wanted: Wanted,
    stage: Stage,
    held: BytesMut,
    output: Vec<u8>,
    heard: Duration,
    sent: Duration,
}

impl Client {
    /// A connection that has just been made. The login is the first output. Times are those of any steady clock.
    pub fn new(wanted: Wanted, now: Duration) -> Client {
        let mut output = Vec::new();
        packet::put_login(&mut output, &wanted.login);
        Client { wanted, stage: Stage::LoginSent, held: BytesMut::new(), output, heard: now, sent: now }
    }

    /// Takes bytes that have arrived, and tells `on` what they say, in order.
    ///
    /// # Errors
    /// [`Close`] if the connection has to be closed; what was told before it counts. `on`'s error is passed on.
    pub fn receive<E>(
        &mut self,
        now: Duration,
        bytes: &[u8],
        mut on: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Result<(), Close>, E> {
        self.heard = now;
        if self.held.is_empty() {
            let (used, closed) = self.packets(bytes, &mut on)?;
            self.held.extend_from_slice(&bytes[used..]);
            return Ok(closed);
        }
        self.held.extend_from_slice(bytes);
        let held = self.held.split();
        let (used, closed) = self.packets(&held, &mut on)?;
        self.held = held;
        self.held.advance(used);
        Ok(closed)
    }

    /// Reads whole packets; says how many bytes they were.
    fn packets<E>(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(usize, Result<(), Close>), E> {
        let mut used = 0;
        loop {
            if self.stage == Stage::Closed {
                return Ok((used, Err(Close::Lost)));
            }
            let (packet, length) = match packet::split(&bytes[used..]) {
                Ok(Some(whole)) => whole,
                Ok(None) => return Ok((used, Ok(()))),
                Err(packet::ZeroLength) => {
                    self.stage = Stage::Closed;
                    return Ok((used, Err(Close::Malformed)));
                }
            };
            used += length;
            if let Err(close) = self.packet(packet, on)? {
                self.stage = Stage::Closed;
                return Ok((used, Err(close)));
            }
        }
    }

    #[inline]
    fn packet<E>(
        &mut self,
        packet: Packet<'_>,
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Result<(), Close>, E> {
        match (packet, self.stage) {
            (Packet::Sequenced(bytes), Stage::Streaming(sequence)) => {
                let Some(next) = sequence.checked_add(1) else { return Ok(Err(Close::Malformed)) };
                self.stage = Stage::Streaming(next);
                // A server that begins before what is wanted repeats what has been taken.
                if self.wanted.login.sequence <= sequence {
                    on(Event::Message { sequence, bytes })?;
                }
                Ok(Ok(()))
            }
            (Packet::Accepted { session, next }, Stage::LoginSent) => self.accepted(session, next, on),
            (Packet::Rejected(why), Stage::LoginSent) => Ok(Err(Close::Rejected(why))),
            (Packet::End, Stage::Streaming(next)) => {
                Ok(Err(Close::Ended { next: next.max(self.wanted.login.sequence) }))
            }
            (Packet::Heartbeat | Packet::Debug(_) | Packet::Unsequenced(_) | Packet::Unknown(_), _) => Ok(Ok(())),
            _ => Ok(Err(Close::Malformed)),
        }
    }

    fn accepted<E>(
        &mut self,
        session: SessionId,
        next: u64,
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Result<(), Close>, E> {
        if self.wanted.login.session.is_some_and(|wanted| wanted != session) {
            return Ok(Err(Close::OtherSession(session)));
        }
        let wanted = self.wanted.login.sequence;
        let missing = next.saturating_sub(wanted);
        if 0 < missing && !self.wanted.accept_gap {
            return Ok(Err(Close::Ahead { found: next }));
        }
        self.stage = Stage::Streaming(next);
        on(Event::Accepted(session))?;
        if 0 < missing {
            on(Event::Gap { first: wanted, count: missing })?;
        }
        Ok(Ok(()))
    }

    /// Lets time pass: a heartbeat may be due.
    ///
    /// # Errors
    /// [`Close::Silent`] if nothing has come for too long, also while a login is not answered or a packet not whole.
    pub fn tick(&mut self, now: Duration) -> Result<(), Close> {
        if GONE_AFTER <= now.saturating_sub(self.heard) {
            return Err(Close::Silent);
        }
        if HEARTBEAT_AFTER <= now.saturating_sub(self.sent) {
            packet::put_client_heartbeat(&mut self.output);
        }
        Ok(())
    }

    /// Takes note that nothing is read for now, because what was read before has not been taken yet: the silence is ours.
    pub fn busy(&mut self, now: Duration) {
        self.heard = now;
    }

    /// When [`Client::tick`] has something to do next.
    pub fn deadline(&self) -> Duration {
        (self.sent + HEARTBEAT_AFTER).min(self.heard + GONE_AFTER)
    }

    /// Takes leave: the logout is the last output.
    pub fn log_out(&mut self) {
        packet::put_logout(&mut self.output);
    }

    /// What is to be sent now; nothing of it is handed out again.
    pub fn output(&mut self, now: Duration) -> Vec<u8> {
        if !self.output.is_empty() {
            self.sent = now;
        }
        std::mem::take(&mut self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soup::{put_accepted, put_end, put_rejected, put_sequenced};

    const SECOND: Duration = Duration::from_secs(1);

    fn session() -> SessionId {
        SessionId::new(b"S1").unwrap()
    }

    fn client(sequence: u64, accept_gap: bool) -> Client {
        let login = Login { user: Vec::new(), password: Vec::new(), session: Some(session()), sequence };
        Client::new(Wanted { login, accept_gap }, Duration::ZERO)
    }

    /// What `pieces` say, one after the other.
    fn told(client: &mut Client, pieces: &[&[u8]]) -> (Vec<String>, Option<Close>) {
        let mut told = Vec::new();
        for piece in pieces {
            let result = client.receive(Duration::ZERO, piece, |event| {
                told.push(match event {
                    Event::Accepted(session) => format!("in {session}"),
                    Event::Gap { first, count } => format!("gap {first}+{count}"),
                    Event::Message { sequence, bytes } => format!("{sequence} {}", bytes.escape_ascii()),
                });
                Ok::<(), ()>(())
            });
            if let Err(close) = result.unwrap() {
                return (told, Some(close));
            }
        }
        (told, None)
    }

    fn stream(next: u64, messages: &[&str], end: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_accepted(&mut bytes, session(), next);
        messages.iter().for_each(|message| put_sequenced(&mut bytes, message.as_bytes()));
        if end {
            put_end(&mut bytes);
        }
        bytes
    }

    #[test]
    fn every_cut_of_a_stream_says_the_same() {
        let mut bytes = stream(3, &["three", "", "five"], false);
        bytes.extend_from_slice(b"\x00\x01H\x00\x04+hi!\x00\x03Uxx\x00\x02?y");
        put_sequenced(&mut bytes, b"six");
        put_end(&mut bytes);
        let expected = ["in S1", "3 three", "4 ", "5 five", "6 six"].map(str::to_owned).to_vec();
        for cut in 0..=bytes.len() {
            let (told, close) = told(&mut client(3, false), &[&bytes[..cut], &bytes[cut..]]);
            assert_eq!((told, close), (expected.clone(), Some(Close::Ended { next: 7 })), "{cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(told(&mut client(3, false), &single), (expected, Some(Close::Ended { next: 7 })));
    }

    #[test]
    fn a_server_that_begins_earlier_repeats_nothing_and_one_that_begins_later_leaves_a_gap() {
        let bytes = stream(1, &["a", "b", "c"], true);
        assert_eq!(told(&mut client(3, false), &[&bytes]).0, ["in S1", "3 c"]);
        let bytes = stream(5, &["e"], false);
        assert_eq!(told(&mut client(3, false), &[&bytes]), (Vec::new(), Some(Close::Ahead { found: 5 })));
        assert_eq!(told(&mut client(3, true), &[&bytes]).0, ["in S1", "gap 3+2", "5 e"]);
        assert_eq!(told(&mut client(5, true), &[&bytes]).0, ["in S1", "5 e"]);
    }

    #[test]
    fn an_end_before_what_is_had_does_not_take_anything_back() {
        let bytes = stream(1, &["a"], true);
        assert_eq!(told(&mut client(3, false), &[&bytes]).1, Some(Close::Ended { next: 3 }));
    }

    #[test]
    fn another_session_is_never_mixed_in() {
        let mut bytes = Vec::new();
        put_accepted(&mut bytes, SessionId::new(b"S2").unwrap(), 1);
        put_sequenced(&mut bytes, b"foreign");
        let expected = Some(Close::OtherSession(SessionId::new(b"S2").unwrap()));
        assert_eq!(told(&mut client(1, true), &[&bytes]), (Vec::new(), expected));
    }

    #[test]
    fn what_comes_before_a_packet_of_length_0_counts_and_nothing_after_it() {
        let mut bytes = stream(1, &["a"], false);
        bytes.extend_from_slice(&[0, 0]);
        put_sequenced(&mut bytes, b"b");
        let (told, close) = told(&mut client(1, false), &[&bytes]);
        assert_eq!((told, close), (vec!["in S1".to_owned(), "1 a".to_owned()], Some(Close::Malformed)));
    }

    #[test]
    fn messages_before_the_acceptance_and_a_second_acceptance_are_not_of_this_protocol() {
        let mut bytes = Vec::new();
        put_sequenced(&mut bytes, b"early");
        assert_eq!(told(&mut client(1, false), &[&bytes]), (Vec::new(), Some(Close::Malformed)));
        let twice = [stream(1, &[], false), stream(1, &["a"], false)].concat();
        assert_eq!(told(&mut client(1, false), &[&twice]).1, Some(Close::Malformed));
        let mut rejected = Vec::new();
        put_rejected(&mut rejected, Rejection::NoSession);
        assert_eq!(told(&mut client(1, false), &[&rejected]).1, Some(Close::Rejected(Rejection::NoSession)));
    }

    #[test]
    fn a_heartbeat_follows_a_second_of_silence_and_15_seconds_end_it() {
        let mut client = client(1, false);
        assert_eq!(client.output(Duration::ZERO).len(), 49);
        assert_eq!(client.deadline(), SECOND);
        client.tick(SECOND - Duration::from_millis(1)).unwrap();
        assert!(client.output(SECOND).is_empty());
        client.tick(SECOND).unwrap();
        assert_eq!(client.output(SECOND), [0, 1, b'R']);
        client.tick(SECOND).unwrap();
        assert!(client.output(SECOND).is_empty());
        client.tick(GONE_AFTER - Duration::from_millis(1)).unwrap();
        assert_eq!(client.tick(GONE_AFTER), Err(Close::Silent));
    }

    #[test]
    fn a_packet_that_stops_in_its_middle_keeps_its_beginning() {
        let bytes = stream(1, &["whole"], false);
        let (start, rest) = bytes.split_at(bytes.len() - 2);
        let mut client = client(1, false);
        assert_eq!(told(&mut client, &[start]).0, ["in S1"]);
        client.tick(SECOND).unwrap();
        client.tick(SECOND * 14).unwrap();
        assert_eq!(told(&mut client, &[rest]).0, ["1 whole"]);
    }
}
