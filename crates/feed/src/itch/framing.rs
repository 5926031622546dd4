//! How messages stand in a stream: each after its length, or in SoupBinTCP packets.
//!
//! Both begin every frame with a length of two bytes, so that the frames can be cut without knowing which it is. The
//! first frame tells: a type that is known and has the length of that type is decisive, because no SoupBinTCP packet
//! has, as a whole, the length of the message type that its letter would be.

use super::layout::{LENGTH_BYTES, length as message_length};
use crate::Malformed;

/// How many bytes are needed to tell the framing: the length, and the letter of a packet and of a message.
pub(super) const DETECTION_BYTES: usize = 4;

/// How messages are set apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// Two bytes of length, big-endian, before each message: the exchange's file form. A length of zero marks the end
    /// of the session.
    LengthPrefixed,
    /// SoupBinTCP packets: two bytes of length, big-endian, a letter, and the packet's contents. Data packets, sequenced
    /// (`S`) or not (`U`), carry one message each.
    SoupBinTcp,
}

/// What a frame holds.
pub(super) enum Packet<'a> {
    /// A message, one byte at least.
    Message(&'a [u8]),
    /// Something of the protocol's own.
    Control,
    /// The mark of the end of the session in the exchange's file form.
    EndOfSession,
}

impl Framing {
    /// The framing of a stream that begins with `first_bytes`, of which the first [`DETECTION_BYTES`] are looked at.
    /// Where nothing speaks for SoupBinTCP it is the file form: what is wrong is then said of the first message.
    pub(super) fn detect(first_bytes: &[u8]) -> Framing {
        if begins_with_message(first_bytes) {
            return Framing::LengthPrefixed;
        }
        match first_bytes {
            // A packet of data with a message of an unknown type; in the file form a locate would follow the letter.
            [_, _, b'S' | b'U', kind, ..] if kind.is_ascii_alphabetic() => Framing::SoupBinTcp,
            _ if begins_with_packet(first_bytes) => Framing::SoupBinTcp,
            _ => Framing::LengthPrefixed,
        }
    }

    /// Bytes of a frame before its message.
    pub(super) fn header_bytes(self) -> usize {
        match self {
            Framing::LengthPrefixed => LENGTH_BYTES,
            Framing::SoupBinTcp => LENGTH_BYTES + 1,
        }
    }

    /// What a frame holds whose bytes after the length are `payload`.
    #[inline]
    pub(super) fn unpack(self, payload: &[u8]) -> Result<Packet<'_>, Malformed> {
        match self {
            Framing::LengthPrefixed if payload.is_empty() => Ok(Packet::EndOfSession),
            Framing::LengthPrefixed => Ok(Packet::Message(payload)),
            Framing::SoupBinTcp => match payload {
                [b'S' | b'U', message @ ..] if !message.is_empty() => Ok(Packet::Message(message)),
                [letter, ..] if is_control(*letter, payload.len()) => Ok(Packet::Control),
                _ => Err(bad_packet(payload)),
            },
        }
    }
}

/// Whether `first_bytes`, the beginning of a decompressed stream, are ITCH 5.0 in either framing. The first frame's
/// length and letters decide, 4 bytes; no text passes.
pub fn looks_like_itch(first_bytes: &[u8]) -> bool {
    // A session without any message.
    first_bytes == [0, 0] || begins_with_message(first_bytes) || begins_with_packet(first_bytes)
}

/// Whether the first frame is a message of a known type and of its length.
fn begins_with_message(first_bytes: &[u8]) -> bool {
    matches!(first_bytes, [high, low, kind, ..] if message_length(*kind) == Some(length(*high, *low)))
}

/// Whether the first frame is a SoupBinTCP packet: of data with a known message, or of the protocol's own.
fn begins_with_packet(first_bytes: &[u8]) -> bool {
    match first_bytes {
        [high, low, b'S' | b'U', kind, ..] => message_length(*kind).is_some_and(|of| of + 1 == length(*high, *low)),
        // Two characters of text are a length of at least 0x2020.
        [high, low, letter, ..] => length(*high, *low) < 0x2020 && is_control(*letter, length(*high, *low)),
        _ => false,
    }
}

fn length(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high, low]))
}

/// Whether a packet of the protocol's own with this letter has this length, its letter included.
fn is_control(letter: u8, length: usize) -> bool {
    match letter {
        // A text for people.
        b'+' => true,
        // Heartbeats of server and client, end of session, logout request.
        b'H' | b'R' | b'Z' | b'O' => length == 1,
        // Login rejected: a reason. Accepted: session and sequence number.
        b'J' => length == 2,
        b'A' => length == 31,
        // Login: user, password, session and sequence number; version 4 adds a timeout.
        b'L' => length == 47 || length == 52,
        _ => false,
    }
}

#[cold]
fn bad_packet(payload: &[u8]) -> Malformed {
    let mut malformed = Malformed::field(
        "packet",
        payload,
        "a SoupBinTCP packet: S or U with a message, or +, A, J, H, Z, R, L, O of its length",
    );
    malformed.found = format!("{} of length {}", malformed.found, payload.len());
    malformed
}
