//! Where what stands in an ITCH 5.0 stream: lengths of frames and messages, places of fields.

/// Bytes of a frame's length, big-endian, which counts the bytes after it.
pub(super) const LENGTH_BYTES: usize = 2;

/// The length in bytes of a message of type `kind`; `None` if ITCH 5.0 has no such type.
#[inline]
pub(super) const fn length(kind: u8) -> Option<usize> {
    Some(match kind {
        b'S' | b'W' => 12,
        b'D' | b'B' => 19,
        b'Y' | b'N' => 20,
        b'h' => 21,
        b'X' => 23,
        b'H' => 25,
        b'L' => 26,
        b'K' => 28,
        b'E' => 31,
        b'V' | b'J' | b'U' => 35,
        b'A' | b'C' => 36,
        b'R' => 39,
        b'F' | b'Q' => 40,
        b'P' => 44,
        b'O' => 48,
        b'I' => 50,
        _ => return None,
    })
}

/// Places of fields in a message. All types begin alike: type, locate, tracking number, and a time of 6 bytes; those
/// about one order go on with its number.
pub(super) mod at {
    pub const LOCATE: usize = 1;
    pub const TRACKING: usize = 3;
    pub const TIME: usize = 5;
    pub const ORDER: usize = 11;
    pub const SYSTEM_EVENT: usize = 11;
    pub const DIRECTORY_STOCK: usize = 11;
    pub const STATE_STOCK: usize = 11;
    pub const STATE: usize = 19;
    pub const SIDE: usize = 19;
    pub const SHARES: usize = 20;
    pub const STOCK: usize = 24;
    pub const PRICE: usize = 32;
    pub const ATTRIBUTION: usize = 36;
    pub const TRADE_MATCH: usize = 36;
    pub const EXECUTED_SHARES: usize = 19;
    pub const EXECUTED_MATCH: usize = 23;
    pub const PRINTABLE: usize = 31;
    pub const EXECUTED_PRICE: usize = 32;
    pub const CANCELLED_SHARES: usize = 19;
    pub const ORDER_NEW: usize = 19;
    pub const SHARES_NEW: usize = 27;
    pub const PRICE_NEW: usize = 31;
    pub const CROSS_SHARES: usize = 11;
    pub const CROSS_STOCK: usize = 19;
    pub const CROSS_PRICE: usize = 27;
    pub const CROSS_MATCH: usize = 31;
    pub const CROSS_KIND: usize = 39;
}
