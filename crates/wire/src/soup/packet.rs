//! Packets: bytes to their meaning and back.

use crate::session::{SessionId, trim};
use thiserror::Error;

/// Bytes of a packet's length.
const LENGTH_BYTES: usize = 2;
const USER_BYTES: usize = 6;
const PASSWORD_BYTES: usize = 10;
const SEQUENCE_BYTES: usize = 20;
/// A login with its letter.
pub(crate) const LOGIN_BYTES: usize = 1 + USER_BYTES + PASSWORD_BYTES + SessionId::BYTES + SEQUENCE_BYTES;
const ACCEPTED_BYTES: usize = 1 + SessionId::BYTES + SEQUENCE_BYTES;

/// The longest message that a packet carries: its length counts the letter, too.
pub const fn message_bytes_max() -> usize {
    u16::MAX as usize - 1
}

/// A packet of length 0: it has no letter, so nothing after it can be understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a packet of length 0, expected at least a type")]
pub struct ZeroLength;

/// A request to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user, without padding.
    pub user: Vec<u8>,
    /// The password, without padding.
    pub password: Vec<u8>,
    /// The session; `None` for the current one.
    pub session: Option<SessionId>,
    /// The first message wanted; 0 for the next one to be published.
    pub sequence: u64,
}

/// A password is in no log.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Login { session, sequence, .. } = self;
        f.debug_struct("Login").field("session", session).field("sequence", sequence).finish_non_exhaustive()
    }
}

/// Why a login is rejected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// User and password are not known.
    NotAuthorised,
    /// The session, or the number in it, is not there.
    NoSession,
    /// Another letter.
    Other(u8),
}

impl Rejection {
    fn letter(self) -> u8 {
        match self {
            Rejection::NotAuthorised => b'A',
            Rejection::NoSession => b'S',
            Rejection::Other(letter) => letter,
        }
    }
}

/// A packet, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Packet<'a> {
    /// Text for people.
    Debug(&'a [u8]),
    /// From the client: a request to be let in.
    Login(Login),
    /// From the server: let in, and the number of the first message that will come.
    Accepted {
        /// The session.
        session: SessionId,
        /// The number.
        next: u64,
    },
    /// From the server: not let in.
    Rejected(Rejection),
    /// From the server: the next message.
    Sequenced(&'a [u8]),
    /// A message without a number.
    Unsequenced(&'a [u8]),
    /// From either side: still here.
    Heartbeat,
    /// From the client: about to leave.
    Logout,
    /// From the server: no message will follow.
    End,
    /// A known letter with contents that it cannot have.
    Malformed(u8),
    /// Another letter.
    Unknown(u8),
}

/// The first packet of `bytes` and its length with everything; `None` while it is not whole.
///
/// # Errors
/// [`ZeroLength`].
pub fn split(bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>, ZeroLength> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 {
        return Err(ZeroLength);
    }
    let Some(packet) = rest.get(..length) else { return Ok(None) };
    let Some((&letter, contents)) = packet.split_first() else { return Err(ZeroLength) };
    Ok(Some((read(letter, contents), LENGTH_BYTES + length)))
}

fn read(letter: u8, contents: &[u8]) -> Packet<'_> {
    let alone = |packet| if contents.is_empty() { packet } else { Packet::Malformed(letter) };
    match letter {
        b'S' => Packet::Sequenced(contents),
        b'U' => Packet::Unsequenced(contents),
        b'+' => Packet::Debug(contents),
        b'H' | b'R' => alone(Packet::Heartbeat),
        b'O' => alone(Packet::Logout),
        b'Z' => alone(Packet::End),
        b'J' => match contents {
            [b'A'] => Packet::Rejected(Rejection::NotAuthorised),
            [b'S'] => Packet::Rejected(Rejection::NoSession),
            [other] => Packet::Rejected(Rejection::Other(*other)),
            _ => Packet::Malformed(letter),
        },
        b'A' => read_accepted(contents).unwrap_or(Packet::Malformed(letter)),
        b'L' => read_login(contents).map_or(Packet::Malformed(letter), Packet::Login),
        other => Packet::Unknown(other),
    }
}

fn read_accepted(contents: &[u8]) -> Option<Packet<'_>> {
    if contents.len() + 1 != ACCEPTED_BYTES {
        return None;
    }
    let (session, next) = contents.split_at(SessionId::BYTES);
    let next = number(next).filter(|&next| 0 < next)?;
    Some(Packet::Accepted { session: SessionId::new(session)?, next })
}

fn read_login(contents: &[u8]) -> Option<Login> {
    if contents.len() + 1 != LOGIN_BYTES {
        return None;
    }
    let (user, rest) = contents.split_at(USER_BYTES);
    let (password, rest) = rest.split_at(PASSWORD_BYTES);
    let (session, sequence) = rest.split_at(SessionId::BYTES);
    let session = match trim(session) {
        [] => None,
        name => Some(SessionId::new(name)?),
    };
    let sequence = number(sequence)?;
    Some(Login { user: trim(user).to_vec(), password: trim(password).to_vec(), session, sequence })
}

/// The number that a field holds, padded on whichever side; an empty one is 0.
fn number(field: &[u8]) -> Option<u64> {
    let digits = trim(field);
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

fn put(to: &mut Vec<u8>, letter: u8, parts: &[&[u8]]) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let length = u16::try_from(length).expect("whoever sends a message has asked for its limit");
    to.extend_from_slice(&length.to_be_bytes());
    to.push(letter);
    parts.iter().for_each(|part| to.extend_from_slice(part));
}

/// Appends a sequenced message.
///
/// # Panics
/// If it is longer than [`message_bytes_max`].
pub fn put_sequenced(to: &mut Vec<u8>, message: &[u8]) {
    put(to, b'S', &[message]);
}

/// Appends an acceptance.
///
/// # Panics
/// Never: it is short.
pub fn put_accepted(to: &mut Vec<u8>, session: SessionId, next: u64) {
    put(to, b'A', &[&session.field(), &right(next)]);
}

/// Appends a rejection.
///
/// # Panics
/// Never: it is short.
pub fn put_rejected(to: &mut Vec<u8>, why: Rejection) {
    put(to, b'J', &[&[why.letter()]]);
}

/// Appends the end of the session.
///
/// # Panics
/// Never: it is short.
pub fn put_end(to: &mut Vec<u8>) {
    put(to, b'Z', &[]);
}

pub(crate) fn put_server_heartbeat(to: &mut Vec<u8>) {
    put(to, b'H', &[]);
}

pub(crate) fn put_client_heartbeat(to: &mut Vec<u8>) {
    put(to, b'R', &[]);
}

pub(crate) fn put_logout(to: &mut Vec<u8>) {
    put(to, b'O', &[]);
}

pub(crate) fn put_login(to: &mut Vec<u8>, login: &Login) {
    let session = login.session.map_or([b' '; SessionId::BYTES], |session| session.field());
    let (user, password) = (left::<USER_BYTES>(&login.user), left::<PASSWORD_BYTES>(&login.password));
    put(to, b'L', &[&user, &password, &session, &right(login.sequence)]);
}

/// `text` at the left of its field; what does not fit has been refused where it was typed.
fn left<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut field = [b' '; N];
    for (place, &byte) in field.iter_mut().zip(text) {
        *place = byte;
    }
    field
}

/// `number` at the right of its field.
fn right(number: u64) -> [u8; SEQUENCE_BYTES] {
    let mut field = [b' '; SEQUENCE_BYTES];
    let digits = number.to_string();
    field[SEQUENCE_BYTES - digits.len()..].copy_from_slice(digits.as_bytes());
    field
}

impl Login {
    /// Whether user and password fit their fields: visible ASCII, at most 6 and 10 characters.
    pub fn fits(user: &[u8], password: &[u8]) -> bool {
        let is_text = |text: &[u8]| text.iter().all(u8::is_ascii_graphic);
        user.len() <= USER_BYTES && password.len() <= PASSWORD_BYTES && is_text(user) && is_text(password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(bytes: &[u8]) -> Packet<'_> {
        let (packet, length) = split(bytes).unwrap().unwrap();
        assert_eq!(length, bytes.len());
        packet
    }

    fn framed(contents: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(contents.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(contents);
        bytes
    }

    #[test]
    fn a_login_has_47_bytes_and_is_read_with_padding_on_either_side() {
        let login =
            Login { user: b"ab".to_vec(), password: b"secret".to_vec(), session: SessionId::new(b"S1"), sequence: 17 };
        let mut bytes = Vec::new();
        put_login(&mut bytes, &login);
        assert_eq!(bytes.len(), 2 + 47);
        assert_eq!(bytes, framed(b"Lab    secret    S1                          17"));
        assert_eq!(packet(&bytes), Packet::Login(login.clone()));
        let padded_otherwise = framed(b"L    ab    secret        S117                  ");
        assert_eq!(packet(&padded_otherwise), Packet::Login(login));
    }

    #[test]
    fn a_blank_session_is_the_current_one_and_a_blank_number_is_0() {
        let bytes = framed(&[b"L".as_slice(), &[b' '; 46]].concat());
        let expected = Login { user: Vec::new(), password: Vec::new(), session: None, sequence: 0 };
        assert_eq!(packet(&bytes), Packet::Login(expected));
    }

    #[test]
    fn an_acceptance_is_read_with_padding_on_either_side() {
        let expected = Packet::Accepted { session: SessionId::new(b"S1").unwrap(), next: 7 };
        let mut written = Vec::new();
        put_accepted(&mut written, SessionId::new(b"S1").unwrap(), 7);
        for contents in [&written[2..], b"A        S1                   7", b"AS1        7                   "] {
            assert_eq!(packet(&framed(contents)), expected);
        }
        for bad in [
            &b"AS1                           0"[..],
            b"AS1                          -1",
            b"A                             1",
            b"AS1        99999999999999999999",
            b"AS1        1",
        ] {
            assert_eq!(packet(&framed(bad)), Packet::Malformed(b'A'), "{}", bad.escape_ascii());
        }
        let largest = framed(b"AS1        18446744073709551615");
        assert_eq!(packet(&largest), Packet::Accepted { session: SessionId::new(b"S1").unwrap(), next: u64::MAX });
    }

    #[test]
    fn a_packet_of_length_0_is_an_error_and_one_that_is_not_whole_is_not() {
        assert_eq!(split(&[0, 0, 0, 1, b'H']), Err(ZeroLength));
        assert_eq!(split(&[0, 1]), Ok(None));
        assert_eq!(split(&[0]), Ok(None));
        assert_eq!(split(&[0, 1, b'H']), Ok(Some((Packet::Heartbeat, 3))));
        assert_eq!(split(&[0, 1, b'S']), Ok(Some((Packet::Sequenced(&[]), 3))));
        assert_eq!(packet(&framed(b"Hx")), Packet::Malformed(b'H'));
        assert_eq!(packet(&framed(b"?x")), Packet::Unknown(b'?'));
    }

    #[test]
    fn the_longest_message_fits() {
        let mut bytes = Vec::new();
        put_sequenced(&mut bytes, &vec![7; message_bytes_max()]);
        assert_eq!(bytes[..3], [0xff, 0xff, b'S']);
        assert_eq!(packet(&bytes), Packet::Sequenced(&vec![7; message_bytes_max()]));
    }
}
