//! ITCH messages by hand, each behind its length.

/// Seconds.
const HOUR: u64 = 3_600;

/// A message of `kind` at a locate and a time in seconds, with these fields.
pub fn message(kind: u8, locate: u16, seconds: u64, length: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 2 + length];
    bytes[..2].copy_from_slice(&u16::try_from(length).expect("a short message").to_be_bytes());
    bytes[2] = kind;
    bytes[3..5].copy_from_slice(&locate.to_be_bytes());
    bytes[7..13].copy_from_slice(&(seconds * 1_000_000_000).to_be_bytes()[2..]);
    for (at, field) in fields {
        bytes[2 + at..2 + at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// V adds an order at eight o'clock.
pub fn add(locate: u16, symbol: &[u8; 8], order: u64, side: &[u8], price: u32) -> Vec<u8> {
    let (order, price, shares) = (order.to_be_bytes(), (price * 10_000).to_be_bytes(), 10_000_u32.to_be_bytes());
    let fields: [(usize, &[u8]); 6] =
        [(11, &order), (19, side), (20, &shares), (24, symbol), (32, &price), (36, b"V   ")];
    message(b'F', locate, 8 * HOUR, 40, &fields)
}

/// An order is deleted.
pub fn delete(locate: u16, seconds: u64, order: u64) -> Vec<u8> {
    message(b'D', locate, seconds, 19, &[(11, &order.to_be_bytes())])
}

/// A trading state of a symbol at a locate: `T` trades.
pub fn state(locate: u16, symbol: &[u8; 8], seconds: u64, state: &[u8]) -> Vec<u8> {
    message(b'H', locate, seconds, 25, &[(11, symbol), (19, state)])
}

/// Damages a stream in one place, and leaves its frames as they are.
pub fn damage(bytes: &mut Vec<u8>, kind: u8, anywhere: usize, value: u8) {
    let mut starts = vec![];
    let mut at = 0;
    while at + 2 < bytes.len() {
        starts.push(at);
        at += 2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    }
    let Some(&start) = starts.get(anywhere % starts.len().max(1)) else { return };
    let length = usize::from(u16::from_be_bytes([bytes[start], bytes[start + 1]]));
    let message = start + 2..start + 2 + length;
    match kind {
        // A locate near the others, or any.
        0 => bytes[message.start + 2] = value % 8,
        1 => bytes[message.start + 1 + usize::from(value % 2)] ^= 1 << (value % 8),
        // A time: its lowest bytes, or its highest, which take it out of the day.
        2 => bytes[message.start + 5 + usize::from(value % 6)] ^= 1 << (value % 8),
        // Another type, known or not.
        3 => bytes[message.start] = b"AFEXDUCPQHSRLVa0"[usize::from(value % 16)],
        // Any bit.
        4 | 5 => bytes[message.start + usize::from(value) % length] ^= 1 << (anywhere % 8),
        // Lost, twice there, or further back.
        6 => drop(bytes.drain(start..message.end)),
        7 => {
            let again = bytes[start..message.end].to_vec();
            bytes.splice(message.end..message.end, again);
        }
        _ => {
            let moved: Vec<u8> = bytes.drain(start..message.end).collect();
            let to = starts[usize::from(value) % starts.len()];
            let to = if to <= start { to } else { to.saturating_sub(moved.len()).max(start) };
            // Between two frames, wherever those begin now.
            let mut between = 0;
            while between < to {
                between += 2 + usize::from(u16::from_be_bytes([bytes[between], bytes[between + 1]]));
            }
            bytes.splice(between..between, moved);
        }
    }
}
