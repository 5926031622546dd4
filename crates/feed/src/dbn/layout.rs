//! Where things stand in a file: the head, the records and their fields, as the format's specification has them.
//!
//! All numbers are little-endian. A record tells its length in its first byte, in units of four bytes, and its type in the
//! second; each type has one length, or one for each version of the format.

/// Before the head: `DBN`, the version, and how many bytes of head follow.
pub(super) const PRELUDE_BYTES: usize = 8;
/// Before the fields of each record: length, type, publisher, instrument and the exchange's time.
pub(super) const HEADER_BYTES: usize = 16;
/// An order record.
pub(super) const MBO_BYTES: usize = 56;
/// The bytes behind each record that tell when it was sent, in a file that has them.
pub(super) const SENT_BYTES: usize = 8;

/// Types of records that are read, or passed over.
pub(super) mod kind {
    pub(crate) const MBO: u8 = 0xa0;
    pub(crate) const STATUS: u8 = 0x12;
    pub(crate) const DEFINITION: u8 = 0x13;
    pub(crate) const IMBALANCE: u8 = 0x14;
    pub(crate) const ERROR: u8 = 0x15;
    pub(crate) const SYMBOL_MAPPING: u8 = 0x16;
    pub(crate) const SYSTEM: u8 = 0x17;
    pub(crate) const STATISTICS: u8 = 0x18;
}

/// The lengths that a type of record has, by version; none for a type that is not read.
pub(super) fn lengths(kind: u8) -> &'static [usize] {
    match kind {
        kind::MBO => &[MBO_BYTES],
        kind::STATUS => &[40],
        kind::DEFINITION => &[360, 400, 520],
        kind::IMBALANCE => &[112],
        kind::ERROR | kind::SYSTEM => &[80, 320],
        kind::SYMBOL_MAPPING => &[80, 176],
        kind::STATISTICS => &[64, 80],
        _ => &[],
    }
}

/// What the bits of an order record's flags say.
pub(super) mod flag {
    pub(crate) const LAST: u8 = 0x80;
    pub(crate) const TOP_OF_BOOK: u8 = 0x40;
    pub(crate) const SNAPSHOT: u8 = 0x20;
    pub(crate) const LEVELS: u8 = 0x10;
    pub(crate) const MAYBE_BAD_BOOK: u8 = 0x04;
}

/// A price that is none.
pub(super) const PRICE_UNDEFINED: i64 = i64::MAX;
/// A time that is none.
pub(super) const TIME_UNDEFINED: u64 = u64::MAX;

/// The bytes at a place; zeros where there are none, which no caller asks for.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

/// A record with its header, as it stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Header<'r>(pub(super) &'r [u8]);

impl Header<'_> {
    pub(super) fn kind(self) -> u8 {
        self.0.get(1).copied().unwrap_or_default()
    }

    pub(super) fn length(self) -> usize {
        4 * usize::from(self.0.first().copied().unwrap_or_default())
    }

    pub(super) fn publisher(self) -> u16 {
        u16_at(self.0, 2)
    }

    pub(super) fn instrument(self) -> u32 {
        u32_at(self.0, 4)
    }

    pub(super) fn ts_event(self) -> u64 {
        u64_at(self.0, 8)
    }
}

/// The fields of an order record.
#[derive(Clone, Copy)]
pub(super) struct Mbo<'r>(pub(super) &'r [u8]);

impl Mbo<'_> {
    pub(super) fn order(self) -> u64 {
        u64_at(self.0, 16)
    }

    pub(super) fn price(self) -> i64 {
        i64::from_le_bytes(array(self.0, 24))
    }

    pub(super) fn size(self) -> u32 {
        u32_at(self.0, 32)
    }

    pub(super) fn flags(self) -> u8 {
        self.byte(36)
    }

    pub(super) fn channel(self) -> u8 {
        self.byte(37)
    }

    pub(super) fn action(self) -> u8 {
        self.byte(38)
    }

    pub(super) fn side(self) -> u8 {
        self.byte(39)
    }

    pub(super) fn ts_recv(self) -> u64 {
        u64_at(self.0, 40)
    }

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags() & flag != 0
    }

    fn byte(self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or_default()
    }
}
