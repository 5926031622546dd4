//! The fixed parts of a file, as they stand in its bytes, and their checksums.
//!
//! All numbers are little-endian. Every head is 64 bytes and ends with the CRC-32C of the 60 before; what follows a
//! frame's head is covered by checksums in the head and in the block's group table. All parts are multiples of 32 bytes,
//! so that a record of a mapped file never straddles a cache line.

use super::Header;
use crate::{Malformed, TradingDate, UtcOffset};
use quoteclock_model::Timestamp;
use zerocopy::little_endian::{I16, I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What every file begins with. The first byte is no text; the line ends show a transfer that changed them.
pub(crate) const MAGIC: [u8; 8] = *b"\x89QCEV\r\n\x1a";
/// The version that is written, and the only one that is read.
pub const VERSION: u16 = 1;
/// The length of the file's head.
pub const FILE_HEAD_BYTES: usize = 64;
/// The length of a frame's head.
pub const FRAME_HEAD_BYTES: usize = 64;
/// The length of a record, and of the unit in which everything is laid out.
pub const SLOT_BYTES: usize = 32;
/// The same two lengths as they stand in the file.
pub(crate) const FRAME_HEAD_LENGTH: u32 = 64;
pub(crate) const SLOT_LENGTH: u32 = 32;
const _: () = assert!(FRAME_HEAD_LENGTH as usize == FRAME_HEAD_BYTES && SLOT_LENGTH as usize == SLOT_BYTES);
/// The longest frame: what a reader of a stream has to hold.
pub const FRAME_BYTES_MAX: usize = 1 << 28;
/// The most slots in one block: what 22 bits of ordinal can number.
pub(crate) const SLOTS_MAX: u32 = 1 << 22;
/// The group of market-wide events.
pub(crate) const MARKET: u32 = u32::MAX;

pub(crate) const BLOCK: [u8; 4] = *b"QBLK";
pub(crate) const NAMES: [u8; 4] = *b"QNAM";
pub(crate) const INDEX: [u8; 4] = *b"QIDX";
pub(crate) const TAIL: [u8; 4] = *b"QEND";

/// Ten-thousandths of a currency unit: the only price scale of version 1.
const PRICE_SCALE: u32 = 10_000;
const HAS_SEQUENCE: u16 = 1;

/// What all parts have in common: they are read and written in place.
pub(crate) trait Wire: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned {}
impl<T: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned> Wire for T {}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FileHead {
    magic: [u8; 8],
    version: U16,
    flags: U16,
    year: U16,
    month: u8,
    day: u8,
    offset_minutes: I16,
    reserved_first: U16,
    price_scale: U32,
    slot_bytes: U32,
    reserved: [u8; 32],
    crc: U32,
}

impl FileHead {
    /// The bytes that `header` becomes.
    pub(crate) fn write(header: &Header) -> [u8; FILE_HEAD_BYTES] {
        let head = FileHead {
            magic: MAGIC,
            version: U16::new(VERSION),
            flags: U16::new(if header.has_sequence { HAS_SEQUENCE } else { 0 }),
            year: U16::new(header.date.year()),
            month: header.date.month(),
            day: header.date.day(),
            offset_minutes: I16::new(header.offset.minutes()),
            reserved_first: U16::new(0),
            price_scale: U32::new(PRICE_SCALE),
            slot_bytes: U32::new(SLOT_LENGTH),
            reserved: [0; 32],
            crc: U32::new(0),
        };
        seal(head)
    }

    /// What `bytes`, the first of a file, say. The version is looked at before the checksum: another version may have
    /// its checksum elsewhere.
    pub(crate) fn read(bytes: &[u8]) -> Result<Header, Malformed> {
        const EXPECTED: &str =
            "a file of events in the binary form: 64 bytes of header, beginning 89 \"QCEV\" 0D 0A 1A";
        let Ok((head, _)) = FileHead::ref_from_prefix(bytes) else {
            return Err(Malformed::field("header", bytes, EXPECTED));
        };
        if head.magic != MAGIC {
            return Err(Malformed::field("header", &head.magic, EXPECTED));
        }
        if head.version.get() != VERSION {
            let found = format!("version {} of the binary form", head.version);
            return Err(Malformed {
                field: "version",
                found,
                expected: "version 1, the only one that this program reads",
            });
        }
        check_head(head.as_bytes())?;
        let wrong = |field, found: String, expected| Err(Malformed { field, found, expected });
        if head.flags.get() & !HAS_SEQUENCE != 0 || head.reserved_first.get() != 0 || head.reserved != [0; 32] {
            return wrong("header", "bits set that version 1 does not know".to_owned(), "zero in all reserved bits");
        }
        if head.price_scale.get() != PRICE_SCALE || head.slot_bytes.get() != SLOT_LENGTH {
            let found = format!("price scale {} and records of {} bytes", head.price_scale, head.slot_bytes);
            return wrong("header", found, "price scale 10000 and records of 32 bytes");
        }
        let Some(date) = TradingDate::new(head.year.get(), head.month, head.day) else {
            let found = format!("{}-{}-{}", head.year, head.month, head.day);
            return wrong("date", found, "a date of the calendar");
        };
        let Some(offset) = UtcOffset::from_minutes(head.offset_minutes.get()) else {
            return wrong("offset", format!("{} minutes", head.offset_minutes), "a UTC offset of less than a day");
        };
        Ok(Header { date, offset, has_sequence: head.flags.get() & HAS_SEQUENCE != 0 })
    }
}

/// What every frame's head begins with.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FrameHead {
    pub(crate) kind: [u8; 4],
    pub(crate) frame_bytes: U32,
}

impl FrameHead {
    /// The kind and whole length of the frame that `head` begins, once its checksum has been found right.
    pub(crate) fn read(head: &[u8]) -> Result<([u8; 4], usize), Malformed> {
        check_head(head)?;
        let Ok((head, _)) = FrameHead::ref_from_prefix(head) else { return Err(part_cut()) };
        let length = head.frame_bytes.get() as usize;
        if !(FRAME_HEAD_BYTES..=FRAME_BYTES_MAX).contains(&length) || !length.is_multiple_of(SLOT_BYTES) {
            let expected = "a frame of 64 bytes to 256 MiB, in whole 32 bytes";
            return Err(Malformed { field: "block", found: format!("a frame of {length} bytes"), expected });
        }
        Ok((head.kind, length))
    }
}

/// The head of a block: what stands in it and which stretch of time it is.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BlockHead {
    pub(crate) kind: [u8; 4],
    pub(crate) frame_bytes: U32,
    pub(crate) records_before: U64,
    pub(crate) base_micros: I64,
    pub(crate) span_micros: U32,
    pub(crate) records: U32,
    pub(crate) slots: U32,
    pub(crate) groups: U32,
    pub(crate) runs: U32,
    pub(crate) names_bytes: U32,
    pub(crate) issues_before: U32,
    pub(crate) servers_before: U32,
    pub(crate) front_crc: U32,
    pub(crate) crc: U32,
}

impl BlockHead {
    /// What `bytes`, the first 64 of a block, say, once their checksum and their sums have been found right.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(bytes: &[u8]) -> Result<BlockHead, Malformed> {
        let (kind, frame_bytes) = FrameHead::read(bytes)?;
        let Ok((head, _)) = BlockHead::read_from_prefix(bytes) else { return Err(part_cut()) };
        if kind != BLOCK {
            return Err(Malformed::field("block", &kind, "a block, which begins \"QBLK\""));
        }
        let slots_fit = head.front_bytes().checked_add(u64::from(head.slots.get()) * SLOT_BYTES as u64);
        let sums = slots_fit == Some((frame_bytes - FRAME_HEAD_BYTES) as u64)
            && (1..=SLOTS_MAX).contains(&head.slots.get())
            && (1..=head.slots.get()).contains(&head.records.get())
            && (1..=head.slots.get()).contains(&head.groups.get())
            && head.base_micros.get().checked_add(i64::from(u32::MAX)).is_some();
        if sums {
            return Ok(head);
        }
        let found = format!("{} records in {} slots and {} groups", head.records, head.slots, head.groups);
        Err(Malformed { field: "block", found, expected: "counts that add up to the block's length" })
    }

    /// The length of what stands between the head and the records: names, runs of sequence numbers, group table.
    pub fn front_bytes(&self) -> u64 {
        let entries = (u64::from(self.runs.get()) + u64::from(self.groups.get())) * 16;
        (u64::from(self.names_bytes.get()) + entries).next_multiple_of(SLOT_BYTES as u64)
    }

    /// The time of the first record.
    pub fn start(&self) -> Timestamp {
        Timestamp::from_micros(self.base_micros.get())
    }

    /// The time of the last record.
    pub fn last(&self) -> Timestamp {
        Timestamp::from_micros(self.base_micros.get() + i64::from(self.span_micros.get()))
    }

    /// How many records the block holds.
    pub fn record_count(&self) -> u32 {
        self.records.get()
    }
}

/// A stretch of records, in the original order, whose sequence numbers rise by one.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Run {
    pub(crate) ordinal: U32,
    pub(crate) reserved: U32,
    pub(crate) sequence: U64,
}

/// Where one issue's records stand in a block.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct GroupEntry {
    pub(crate) issue: U32,
    pub(crate) first_slot: U32,
    pub(crate) slots: U32,
    pub(crate) crc: U32,
}

/// The head of a frame that lists names or blocks.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ListHead {
    pub(crate) kind: [u8; 4],
    pub(crate) frame_bytes: U32,
    pub(crate) body_bytes: U32,
    pub(crate) reserved: [u8; 44],
    pub(crate) body_crc: U32,
    pub(crate) crc: U32,
}

/// One block, as the index lists it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct IndexEntry {
    pub(crate) offset: U64,
    pub(crate) base_micros: I64,
    pub(crate) span_micros: U32,
    pub(crate) records: U32,
    pub(crate) frame_bytes: U32,
    pub(crate) front_bytes: U32,
}

/// The end of a file: by it the rest is found, and that nothing is missing.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct TailHead {
    pub(crate) kind: [u8; 4],
    pub(crate) frame_bytes: U32,
    pub(crate) records: U64,
    pub(crate) lists_offset: U64,
    pub(crate) file_bytes: U64,
    pub(crate) blocks: U64,
    pub(crate) issues: U32,
    pub(crate) servers: U32,
    pub(crate) reserved: [u8; 12],
    pub(crate) crc: U32,
}

/// The checksum of a part: CRC-32C.
#[inline]
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// The checksum of what `before` is that of, and then `bytes`; that of nothing is 0.
pub(crate) fn checksum_with(before: u32, bytes: &[u8]) -> u32 {
    // The state of a checksum is its complement. To combine two would cost more than most lists are long.
    let algorithm = crc_fast::CrcAlgorithm::Crc32Iscsi;
    let mut digest = crc_fast::Digest::new_with_init_state(algorithm, (!before).into());
    digest.update(bytes);
    u32::try_from(digest.finalize()).expect("a checksum of 32 bits")
}

/// The bytes of a head of 64 bytes whose last four are still to hold its checksum.
pub(crate) fn seal(head: impl Wire) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes.copy_from_slice(head.as_bytes());
    let crc = checksum(&bytes[..60]);
    bytes[60..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Whether the last four bytes of a head of 64 bytes are the checksum of the others.
fn check_head(head: &[u8]) -> Result<(), Malformed> {
    let Some((covered, crc)) = head.first_chunk::<64>().and_then(|head| head.split_last_chunk::<4>()) else {
        return Err(part_cut());
    };
    check(covered, u32::from_le_bytes(*crc))
}

/// Whether `bytes` have the checksum `crc`.
#[inline]
pub(crate) fn check(bytes: &[u8], crc: u32) -> Result<(), Malformed> {
    let found = checksum(bytes);
    if found == crc { Ok(()) } else { Err(wrong_checksum(found)) }
}

#[cold]
fn wrong_checksum(found: u32) -> Malformed {
    let expected = "the checksum that was written: the bytes are damaged";
    Malformed { field: "block", found: format!("bytes of checksum {found:08x}"), expected }
}

/// A part is shorter than its length says.
#[cold]
pub(crate) fn part_cut() -> Malformed {
    Malformed { field: "block", found: "an end inside a part".to_owned(), expected: "the part as long as it says" }
}

/// `bytes` as parts of one kind, in place.
pub(crate) fn parts<T: Wire>(bytes: &[u8]) -> Result<&[T], Malformed> {
    <[T]>::ref_from_bytes(bytes).map_err(|_| part_cut())
}
