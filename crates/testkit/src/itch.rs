//! The records of a NASDAQ TotalView-ITCH 5.0 stream in the exchange's file form (REFERENCE section 2): what each says, and
//! which issues it names.
//!
//! A symbol that comes later in the stream names its locate from the beginning, so the stream is read twice: once for the
//! symbols, once for the records.

use std::collections::BTreeMap;

use crate::event::{Action, Condition, Phase, Scope, Side};
use crate::events::{Said, is_issue_code};

/// The types that say something, their lengths in bytes, and where they have a symbol.
const TYPES: [(u8, usize, Option<usize>); 12] = [
    (b'S', 12, None),
    (b'R', 39, Some(11)),
    (b'H', 25, Some(11)),
    (b'A', 36, Some(24)),
    (b'F', 40, Some(24)),
    (b'E', 31, None),
    (b'C', 36, None),
    (b'X', 23, None),
    (b'D', 19, None),
    (b'U', 35, None),
    (b'P', 44, Some(24)),
    (b'Q', 40, Some(19)),
];

/// The types that say nothing of orders and phases, and their lengths.
const OTHERS: [(u8, usize); 11] = [
    (b'Y', 20),
    (b'L', 26),
    (b'V', 35),
    (b'W', 12),
    (b'K', 28),
    (b'J', 35),
    (b'h', 21),
    (b'B', 19),
    (b'I', 50),
    (b'N', 20),
    (b'O', 48),
];

/// The symbols that a stream gives its locates, each the first one given and of no other locate.
type Symbols = BTreeMap<u64, String>;

/// One frame: where it begins, and its bytes after the length; fewer than that says in a stream that breaks off.
struct Frame<'a> {
    offset: u64,
    bytes: &'a [u8],
    whole: bool,
}

/// What the stream's records say. Times count from `midnight`.
pub(crate) fn read(stream: &[u8], midnight: i128) -> Vec<Said> {
    let frames = frames(stream);
    let mut symbols = Symbols::new();
    for frame in frames.iter().filter(|frame| frame.whole) {
        name(&mut symbols, frame.bytes);
    }
    let (mut so_far, mut ended) = (Symbols::new(), false);
    let mut said = Vec::new();
    for frame in &frames {
        if frame.whole && frame.bytes.is_empty() {
            ended = true;
            continue;
        }
        if std::mem::take(&mut ended) || !frame.whole {
            said.push(nothing(frame.offset));
            continue;
        }
        said.extend(message(frame, &so_far, &symbols, midnight));
        name(&mut so_far, frame.bytes);
    }
    said
}

fn frames(stream: &[u8]) -> Vec<Frame<'_>> {
    let (mut frames, mut at) = (Vec::new(), 0);
    while at < stream.len() {
        let length = stream.get(at..at + 2).map_or(0, |bytes| usize::from(bytes[0]) * 256 + usize::from(bytes[1]));
        let (start, end) = ((at + 2).min(stream.len()), at + 2 + length);
        let bytes = &stream[start..end.min(stream.len())];
        frames.push(Frame { offset: at as u64, bytes, whole: end <= stream.len() });
        at = end;
    }
    frames
}

/// The symbol's place, if the message is of a type that has one, and of its length.
fn symbol_at(message: &[u8]) -> Option<usize> {
    TYPES.iter().find(|(kind, length, _)| (*kind, *length) == (message[0], message.len()))?.2
}

/// The symbol of a message: eight bytes, filled up with spaces. `None` if they spell none.
fn symbol(message: &[u8], at: usize) -> Option<String> {
    let text = String::from_utf8(message[at..at + 8].to_vec()).ok()?;
    let code = text.trim_end_matches(' ');
    (is_issue_code(code) && !code.contains(',')).then(|| code.to_owned())
}

/// Takes note of the symbol that a message gives its locate, if it is the locate's first and no other locate's.
fn name(symbols: &mut Symbols, message: &[u8]) {
    let Some(symbol) = message.first().and_then(|_| symbol_at(message)).and_then(|at| symbol(message, at)) else {
        return;
    };
    let locate = number(message, 1, 2);
    if locate != 0 && !symbols.values().any(|known| *known == symbol) {
        symbols.entry(locate).or_insert(symbol);
    }
}

/// A record of which nothing can be read.
fn nothing(offset: u64) -> Said {
    Said { line: offset, time: None, seq: None, concerned: vec![Scope::Every], action: None }
}

/// What a message says; `None` if it says nothing of orders or phases.
fn message(frame: &Frame<'_>, so_far: &Symbols, symbols: &Symbols, midnight: i128) -> Option<Said> {
    let m = frame.bytes;
    let known = |(kind, length, _): &&(u8, usize, Option<usize>)| (*kind, *length) == (m[0], m.len());
    let Some((kind, _, symbol_at)) = TYPES.iter().find(known) else {
        let length =
            OTHERS.into_iter().chain(TYPES.iter().map(|(kind, length, _)| (*kind, *length))).find(|of| of.0 == m[0]);
        let passed_over = match length {
            Some((_, length)) => length == m.len(),
            None => m[0].is_ascii_alphabetic(),
        };
        return (!passed_over).then(|| nothing(frame.offset));
    };
    let time = Some(midnight + i128::from(number(m, 5, 6) / 1_000));
    let locate = number(m, 1, 2);
    let bad = |concerned| Some(Said { line: frame.offset, time, seq: None, concerned, action: None });
    let says = |scope: Scope, action| {
        let concerned = vec![scope.clone()];
        Some(Said { line: frame.offset, time, seq: None, concerned, action: Some((scope, action)) })
    };
    if *kind == b'S' {
        let phase = match m[11] {
            _ if locate != 0 => return bad(vec![Scope::Every]),
            b'Q' => Phase::Continuous,
            b'M' => Phase::Closed,
            _ => return None,
        };
        return says(Scope::Every, Action::Phase(phase));
    }
    // A locate that never gets a symbol names no issue, and neither does none.
    let of_locate = symbols.get(&locate).map_or(Scope::Every, |symbol| Scope::Issue(symbol.clone()));
    let issue = match symbol_at {
        Some(at) => match symbol(m, *at) {
            _ if locate == 0 => return bad(vec![Scope::Every]),
            None => return bad(vec![of_locate]),
            Some(symbol) => {
                let elsewhere = so_far.iter().any(|(other, known)| *other != locate && *known == symbol);
                if elsewhere || so_far.get(&locate).is_some_and(|known| *known != symbol) {
                    return bad(vec![of_locate, Scope::Issue(symbol)]);
                }
                symbol
            }
        },
        // Before its symbol a locate has no orders that could be named.
        None => match so_far.get(&locate) {
            Some(symbol) => symbol.clone(),
            None => return bad(vec![of_locate]),
        },
    };
    if *kind == b'R' || *kind == b'Q' && number(m, 11, 8) == 0 {
        return None;
    }
    match action(*kind, m) {
        Some(action) => says(Scope::Issue(issue), action),
        None => bad(vec![of_locate]),
    }
}

/// What a message of an issue does; `None` if a field that it uses is malformed.
fn action(kind: u8, m: &[u8]) -> Option<Action> {
    let order = number(m, 11, 8);
    let above_zero = |at, length| Some(i128::from(number(m, at, length))).filter(|number| 0 < *number);
    Some(match kind {
        b'A' | b'F' => {
            let server = if kind == b'F' { attribution(&m[36..40])? } else { String::new() };
            let side = match m[19] {
                b'B' => Side::Bid,
                b'S' => Side::Offer,
                _ => return None,
            };
            let (price, quantity) = (Some(above_zero(32, 4)?), above_zero(20, 4)?);
            Action::Add { order, server, side, price, quantity, condition: Condition::None }
        }
        b'E' => Action::Trade { orders: vec![order], quantity: above_zero(19, 4)? },
        b'C' if m[31] == b'Y' => {
            above_zero(32, 4)?;
            Action::Trade { orders: vec![order], quantity: above_zero(19, 4)? }
        }
        b'C' if m[31] != b'N' => return None,
        b'C' | b'X' => Action::Reduce { order, quantity: above_zero(19, 4)? },
        b'D' => Action::Cancel { order },
        b'U' => {
            let new_order = Some(number(m, 19, 8)).filter(|new_order| *new_order != order);
            let (price, quantity) = (Some(above_zero(31, 4)?), Some(above_zero(27, 4)?));
            Action::Replace { order, new_order: Some(new_order?), price, quantity }
        }
        b'P' => {
            above_zero(32, 4)?;
            Action::Trade { orders: Vec::new(), quantity: above_zero(20, 4)? }
        }
        b'Q' => {
            above_zero(27, 4)?;
            let quantity = above_zero(11, 8).filter(|quantity| *quantity <= 1_000_000_000_000)?;
            Action::Trade { orders: Vec::new(), quantity }
        }
        b'H' => Action::Phase(if m[19] == b'T' { Phase::Continuous } else { Phase::Halt }),
        _ => return None,
    })
}

/// A market participant: visible characters, filled up with spaces.
fn attribution(field: &[u8]) -> Option<String> {
    let text = String::from_utf8(field.to_vec()).ok()?;
    let name = text.trim_end_matches(' ');
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())).then(|| name.to_owned())
}

/// A big-endian number.
fn number(m: &[u8], at: usize, length: usize) -> u64 {
    m[at..at + length].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
