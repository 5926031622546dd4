//! MoldUDP64 1.00: numbered messages in datagrams that may be lost, doubled or out of order.
//!
//! A datagram is a session, the number of its first message, a count, and that many blocks of length and bytes. Count 0
//! is a heartbeat, 0xFFFF the end of the session; both name the next number expected. A request is the same twenty bytes.
//! [`Assembler`] puts messages in order and says what to ask for again; [`put_datagram`] and `answer` are the other side.

mod assembler;

pub use assembler::{Assembler, Told};

use crate::SessionId;

/// Bytes before the blocks.
pub const HEAD_BYTES: usize = 20;
/// Bytes of a block's length.
const LENGTH_BYTES: usize = 2;
/// The count that ends the session.
pub const END_OF_SESSION: u16 = 0xffff;
/// Most messages in one datagram.
const COUNT_MAX: u16 = END_OF_SESSION - 1;
/// What a datagram holds at most, where a message is not longer by itself: an Ethernet frame's worth.
pub const DATAGRAM_BYTES: usize = 1400;
/// The longest message that a datagram carries.
pub const MESSAGE_BYTES_MAX: usize = 65_507 - HEAD_BYTES - LENGTH_BYTES;

/// A datagram, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    /// The session.
    pub session: SessionId,
    /// The number of the first message, or the next one expected.
    pub sequence: u64,
    /// What it holds.
    pub contents: Contents<'a>,
}

/// What a datagram holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents<'a> {
    /// So many blocks.
    Messages(u16, &'a [u8]),
    /// No message; the number is the next one expected.
    Heartbeat,
    /// No message will follow; the number is that after the last.
    End,
}

impl Datagram<'_> {
    /// What `bytes` say; `None` if they are no datagram of this protocol: cut off, with a block beyond its end, with
    /// bytes left over, or with numbers that go beyond the last.
    pub fn read(bytes: &[u8]) -> Option<Datagram<'_>> {
        let (session, sequence, count, blocks) = head(bytes)?;
        let contents = match count {
            0 if blocks.is_empty() => Contents::Heartbeat,
            END_OF_SESSION if blocks.is_empty() => Contents::End,
            0 | END_OF_SESSION => return None,
            count => {
                sequence.checked_add(u64::from(count))?;
                let mut rest = blocks;
                for _ in 0..count {
                    (_, rest) = block(rest)?;
                }
                if !rest.is_empty() {
                    return None;
                }
                Contents::Messages(count, blocks)
            }
        };
        Some(Datagram { session, sequence, contents })
    }
}

/// A request for messages sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// The session.
    pub session: SessionId,
    /// The first message wanted.
    pub first: u64,
    /// How many: never 0, never [`END_OF_SESSION`].
    pub count: u16,
}

impl Request {
    /// Its bytes.
    pub fn write(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..10].copy_from_slice(&self.session.field());
        bytes[10..18].copy_from_slice(&self.first.to_be_bytes());
        bytes[18..].copy_from_slice(&self.count.to_be_bytes());
        bytes
    }

    /// What `bytes` ask for; `None` if they are no request.
    pub fn read(bytes: &[u8]) -> Option<Request> {
        let (session, first, count, rest) = head(bytes)?;
        let legal = rest.is_empty() && 0 < first && count != 0 && count != END_OF_SESSION;
        legal.then_some(Request { session, first, count })
    }
}

fn head(bytes: &[u8]) -> Option<(SessionId, u64, u16, &[u8])> {
    let (session, rest) = bytes.split_first_chunk::<{ SessionId::BYTES }>()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    Some((SessionId::new(session)?, u64::from_be_bytes(*sequence), u16::from_be_bytes(*count), rest))
}

/// The first block's message, and what follows it.
#[inline]
pub fn block(blocks: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = blocks.split_first_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Writes a datagram with the messages from `first` on that `message` gives, as many as fit, at most `count`; says how
/// many those are. The first is always in it.
pub fn put_datagram<'a>(
    to: &mut Vec<u8>,
    session: SessionId,
    first: u64,
    count: u64,
    message: impl FnMut(u64) -> Option<&'a [u8]>,
) -> u16 {
    put_batch(to, session, first, (count, DATAGRAM_BYTES), message)
}

/// The same of at most `bytes_max`, where no datagram is its carrier.
pub fn put_batch<'a>(
    to: &mut Vec<u8>,
    session: SessionId,
    first: u64,
    (count, bytes_max): (u64, usize),
    mut message: impl FnMut(u64) -> Option<&'a [u8]>,
) -> u16 {
    to.clear();
    to.extend_from_slice(&Request { session, first, count: 0 }.write());
    let mut written = 0;
    while written < COUNT_MAX && u64::from(written) < count {
        let Some(bytes) = message(first + u64::from(written)) else { break };
        let Ok(length) = u16::try_from(bytes.len()) else { break };
        if 0 < written && bytes_max < to.len() + LENGTH_BYTES + bytes.len() {
            break;
        }
        to.extend_from_slice(&length.to_be_bytes());
        to.extend_from_slice(bytes);
        written += 1;
    }
    to[18..HEAD_BYTES].copy_from_slice(&written.to_be_bytes());
    written
}

/// Writes a heartbeat, or with `end` the end of the session; `next` is the next number expected.
pub fn put_sign(to: &mut Vec<u8>, session: SessionId, next: u64, end: bool) {
    to.clear();
    let count = if end { END_OF_SESSION } else { 0 };
    to.extend_from_slice(&Request { session, first: next, count }.write());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionId {
        SessionId::new(b"S1").unwrap()
    }

    #[test]
    fn a_datagram_is_read_as_it_was_written() {
        let messages: [&[u8]; 3] = [b"one", b"", b"three"];
        let mut bytes = Vec::new();
        let given = |number: u64| messages.get(usize::try_from(number).unwrap() - 5).copied();
        assert_eq!(put_datagram(&mut bytes, session(), 5, 9, given), 3);
        let expected = b"S1        \0\0\0\0\0\0\0\x05\0\x03\0\x03one\0\0\0\x05three";
        assert_eq!(bytes, expected);
        let datagram = Datagram::read(&bytes).unwrap();
        assert_eq!((datagram.session, datagram.sequence), (session(), 5));
        assert_eq!(datagram.contents, Contents::Messages(3, &expected[20..]));
        for cut in 0..bytes.len() {
            assert_eq!(Datagram::read(&bytes[..cut]), None, "{cut}");
        }
        bytes.push(0);
        assert_eq!(Datagram::read(&bytes), None);
    }

    #[test]
    fn signs_hold_no_messages() {
        let mut bytes = Vec::new();
        put_sign(&mut bytes, session(), 9, false);
        assert_eq!(Datagram::read(&bytes).unwrap().contents, Contents::Heartbeat);
        put_sign(&mut bytes, session(), 9, true);
        assert_eq!(Datagram::read(&bytes).unwrap().contents, Contents::End);
        bytes.extend_from_slice(&[0, 0]);
        assert_eq!(Datagram::read(&bytes), None);
    }

    #[test]
    fn a_datagram_takes_no_more_than_a_frame_unless_one_message_is_longer() {
        let (long, short) = (vec![1; 3000], vec![2; 690]);
        let mut bytes = Vec::new();
        assert_eq!(
            put_datagram(&mut bytes, session(), 1, 9, |number| [&long, &short]
                .get(usize::try_from(number).unwrap() - 1)
                .map(|bytes| bytes.as_slice())),
            1
        );
        assert_eq!(put_datagram(&mut bytes, session(), 1, 9, |_| Some(&short[..688])), 2);
        assert_eq!(bytes.len(), DATAGRAM_BYTES);
        assert_eq!(put_datagram(&mut bytes, session(), 1, 9, |_| Some(&short)), 1);
        assert_eq!(put_datagram(&mut bytes, session(), 1, 1, |_| Some(b"x")), 1);
    }

    #[test]
    fn requests_ask_for_something() {
        let request = Request { session: session(), first: 7, count: 300 };
        assert_eq!(Request::read(&request.write()), Some(request));
        for (first, count) in [(0, 1), (1, 0), (1, END_OF_SESSION)] {
            assert_eq!(Request::read(&Request { session: session(), first, count }.write()), None);
        }
        assert_eq!(Request::read(&[&request.write()[..], &[0]].concat()), None);
    }

    #[test]
    fn numbers_beyond_the_last_are_refused() {
        let mut bytes = Vec::new();
        put_datagram(&mut bytes, session(), u64::MAX - 1, 2, |_| Some(b"x"));
        assert_eq!(Datagram::read(&bytes), None);
    }
}
