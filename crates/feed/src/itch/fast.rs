//! The fast path: messages as nearly all are, read in one go and without a branch on their type.
//!
//! The idea: almost every message enters, changes, executes or removes one order of an issue whose names are known, and
//! these types differ only in where they have which field. A table says where, and which fields count; what a type does
//! not have is masked away. So a message becomes the 32 bytes of the binary form in a few dozen instructions, none of
//! which has to guess. Whatever deviates is `None` here and goes the long way round, which alone judges, names faults and
//! takes note of what is new.

#[cfg(target_arch = "x86_64")]
mod shuffle;

use super::layout::{LENGTH_BYTES, at, length};
use super::locates::Locates;
use crate::CompactRecord;
use crate::binary::EventSlot;
use crate::name_table::{KnownNames, ShortName};
use quoteclock_model::IssueIndex;

/// How many bytes from the beginning of a frame are looked at; what remains of the input has to be as long. Every type's
/// fields lie in the first 64 and the 8 from there on.
const WINDOW: usize = 72;

/// Where a type has its fields; a mask is all ones where the type has the field. Two cache lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Form {
    /// The length at the beginning of its frame.
    length: u32,
    /// What the slot's tag says of the type.
    tag: u32,
    /// [`Attributions::NOBODY`] where the type has no attribution.
    nobody: u64,
    attribution: u32,
    /// [`NO_SIDE`] where the type has no side.
    no_side: u16,
    /// 0 where the type has shares.
    no_shares: u32,
    /// 0 where the type has a price.
    no_price: u32,
    /// Where the type has a stock.
    entry: u64,
    order_new: u64,
    frame_bytes: u32,
    /// Places in the frame.
    shares_at: usize,
    price_at: usize,
    #[cfg(target_arch = "x86_64")]
    shuffle: shuffle::Shuffle,
}

impl Form {
    /// Of a type without a compact form: no frame is so long.
    const NONE: Form = Form {
        length: u32::MAX,
        tag: 0,
        nobody: Attributions::NOBODY,
        attribution: 0,
        no_side: NO_SIDE,
        no_shares: u32::MAX,
        no_price: u32::MAX,
        entry: 0,
        order_new: 0,
        frame_bytes: 0,
        shares_at: 0,
        price_at: 0,
        #[cfg(target_arch = "x86_64")]
        shuffle: shuffle::Shuffle::NONE,
    };

    /// Of a type that names an order, and nothing more.
    const fn of(length: u16, tag: u32) -> Form {
        #[allow(clippy::cast_possible_truncation, reason = "it is 2")]
        let frame_bytes = LENGTH_BYTES as u32 + length as u32;
        Form { length: length as u32, tag, frame_bytes, ..Form::NONE }
    }

    const fn with_shares(self, at: usize) -> Form {
        Form { shares_at: LENGTH_BYTES + at, no_shares: 0, ..self }
    }

    const fn with_price(self, at: usize) -> Form {
        Form { price_at: LENGTH_BYTES + at, no_price: 0, ..self }
    }

    const fn with_entry(self) -> Form {
        Form { entry: u64::MAX, no_side: 0, ..self.with_shares(at::SHARES).with_price(at::PRICE) }
    }

    /// The same once all fields are known.
    const fn whole(self) -> Form {
        #[cfg(target_arch = "x86_64")]
        return Form { shuffle: shuffle::Shuffle::of(&self), ..self };
        #[cfg(not(target_arch = "x86_64"))]
        return self;
    }
}

/// By type.
static FORMS: [Form; 256] = {
    let added = Form::of(36, EventSlot::COMPACT_ADD).with_entry();
    let attributed =
        Form { attribution: u32::MAX, nobody: 0, ..Form::of(40, EventSlot::COMPACT_ADD_THROUGH).with_entry() };
    let changed = Form::of(35, EventSlot::COMPACT_REPLACE).with_shares(at::SHARES_NEW).with_price(at::PRICE_NEW);
    let mut forms = [Form::NONE; 256];
    forms[b'A' as usize] = added.whole();
    forms[b'F' as usize] = attributed.whole();
    forms[b'E' as usize] = Form::of(31, EventSlot::COMPACT_TRADE).with_shares(at::EXECUTED_SHARES).whole();
    forms[b'X' as usize] = Form::of(23, EventSlot::COMPACT_REDUCE).with_shares(at::CANCELLED_SHARES).whole();
    forms[b'D' as usize] = Form::of(19, EventSlot::COMPACT_CANCEL).whole();
    forms[b'U' as usize] = Form { order_new: u64::MAX, ..changed }.whole();
    forms
};

/// What the side's letter adds to a tag; the second half is for types without one.
static SIDES: [u32; 512] = {
    let mut sides = [0; 512];
    let mut letter = 0;
    while letter < 256 {
        sides[letter] = BAD_SIDE;
        letter += 1;
    }
    sides[b'B' as usize] = 0;
    sides[b'S' as usize] = EventSlot::COMPACT_MARK;
    sides
};

/// Beyond any letter.
const NO_SIDE: u16 = 256;

/// More than any tag.
const BAD_SIDE: u32 = 1 << 31;

/// Some of the servers that have been found by their attribution, so that most need no search.
#[derive(Clone, Debug)]
pub(super) struct Attributions {
    /// Keys and indices, each at the place that its key tells.
    places: Box<[(u64, u32); Self::PLACES]>,
}

impl Default for Attributions {
    fn default() -> Attributions {
        let mut places = Box::new([(u64::MAX, 0); Self::PLACES]);
        places[Self::place(Self::NOBODY)] = (Self::NOBODY, 0);
        Attributions { places }
    }
}

impl Attributions {
    const PLACES: usize = 1024;

    /// The key of a message without an attribution; that of one with is its four bytes as a number.
    const NOBODY: u64 = 1 << 32;

    #[inline(always)]
    const fn place(key: u64) -> usize {
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize
    }

    #[inline(always)]
    fn find(&self, key: u64) -> Option<u32> {
        let (known, index) = self.places[Self::place(key)];
        (known == key).then_some(index)
    }

    /// Takes note of the server of the attribution in the frame that `bytes` begin with, if it is known.
    pub(super) fn learn(&mut self, bytes: &[u8], names: &KnownNames) -> Option<()> {
        const SPACES: u32 = u32::from_le_bytes(*b"    ");
        let window = bytes.first_chunk().filter(|window: &&[u8; WINDOW]| window[LENGTH_BYTES] == b'F')?;
        let name = u32::from_le_bytes(field(window, LENGTH_BYTES + at::ATTRIBUTION));
        let length = 4 - (name ^ SPACES).leading_zeros() / 8;
        let server = names.server(ShortName::of_word(name, length))?;
        let place = Self::place(name.into());
        if place != Self::place(Self::NOBODY) {
            self.places[place] = (name.into(), server.0);
        }
        Some(())
    }
}

/// How many messages are read before they are handed over: few enough to stay in the first cache.
const RUN: usize = 32;

/// Messages that follow each other.
pub(super) struct Run {
    records: [CompactRecord; RUN],
    pub(super) read: Read,
}

/// How much has been read.
#[derive(Clone, Copy)]
pub(super) struct Read {
    /// Messages.
    pub(super) count: usize,
    /// How many bytes they take, with their frames.
    pub(super) length: usize,
    /// Whether their times never go back.
    pub(super) in_order: bool,
}

/// What the fast path knows of the names of a stream.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) locates: &'a Locates,
    pub(super) attributions: &'a Attributions,
}

impl Run {
    /// None yet.
    pub(super) const EMPTY: Run =
        Run { records: [CompactRecord::EMPTY; RUN], read: Read { count: 0, length: 0, in_order: true } };

    pub(super) fn records(&self) -> &[CompactRecord] {
        &self.records[..self.read.count]
    }

    /// Reads messages in the file form from the beginning of `bytes`, while they are of the fast path and there is room.
    #[inline]
    pub(super) fn read(&mut self, bytes: &[u8], known: Known<'_>) {
        self.read = known.read(bytes, 0, &mut self.records);
    }
}

impl Known<'_> {
    /// Reads messages in the file form from the beginning of `bytes` into `records`, while they are of the fast path and there
    /// is room; their places count from `at` bytes before the first.
    #[inline]
    pub(super) fn read(self, bytes: &[u8], at: u32, records: &mut [CompactRecord]) -> Read {
        #[cfg(target_arch = "x86_64")]
        if let Some(shuffler) = shuffle::Shuffler::new() {
            return shuffler.read(self, bytes, at, records);
        }
        self.read_by(bytes, at, records, fields)
    }

    /// The same, with the numbers of a message by `fields`.
    #[inline(always)]
    fn read_by(
        self,
        bytes: &[u8],
        at_first: u32,
        records: &mut [CompactRecord],
        fields: impl Fn(&[u8; WINDOW], &Form) -> EventSlot,
    ) -> Read {
        let (mut rest, mut at, mut count, mut last, mut back) = (bytes, at_first, 0, 0, 0);
        for record in records {
            let Some(window) = rest.first_chunk() else { break };
            let Some((issue, slot, form)) = read(window, self, &fields) else { break };
            // Together with two bytes after it.
            let nanos = u64::from_be_bytes(field(window, LENGTH_BYTES + at::TIME)) >> 16;
            let micros = nanos / 1000;
            // The sign bit tells; 48 bits of nanoseconds are far below it.
            back |= micros.wrapping_sub(last);
            last = micros;
            *record = CompactRecord { slot, micros, issue, at };
            count += 1;
            at = at.wrapping_add(form.frame_bytes);
            rest = &rest[(form.frame_bytes & 63) as usize..];
        }
        Read { count, length: at.wrapping_sub(at_first) as usize, in_order: back >> 63 == 0 }
    }
}

/// Where in `bytes` a frame is likely to begin: so many seem to follow each other from there that chance is ruled out.
pub(super) fn likely_frame(bytes: &[u8]) -> Option<usize> {
    const FRAMES: usize = 8;
    let next = |at: usize| {
        let frame = bytes.get(at..)?.first_chunk::<{ LENGTH_BYTES + 1 }>()?;
        let message = usize::from(u16::from_be_bytes([frame[0], frame[1]]));
        (length(frame[LENGTH_BYTES]) == Some(message)).then_some(at + LENGTH_BYTES + message)
    };
    let is_likely = |&at: &usize| (0..FRAMES).try_fold(at, |at, _| next(at)).is_some();
    (0..bytes.len()).find(is_likely)
}

/// Reads the message at the beginning of `window`, in the file form, if it is of the fast path.
#[inline(always)]
fn read(
    window: &[u8; WINDOW],
    Known { locates, attributions }: Known<'_>,
    fields: impl Fn(&[u8; WINDOW], &Form) -> EventSlot,
) -> Option<(IssueIndex, EventSlot, &'static Form)> {
    let form = &FORMS[usize::from(window[LENGTH_BYTES])];
    let length = u32::from(u16::from_be_bytes(field(window, 0)));
    let (issue, symbol) = locates.named(u16::from_be_bytes(field(window, LENGTH_BYTES + at::LOCATE)))?;
    let stock = u64::from_le_bytes(field(window, LENGTH_BYTES + at::STOCK));
    let side = u16::from(window[LENGTH_BYTES + at::SIDE]) | form.no_side;
    let tag = form.tag | SIDES[usize::from(side) & 511];
    let slot = fields(window, form);
    let attribution = u32::from_le_bytes(field(window, LENGTH_BYTES + at::ATTRIBUTION)) & form.attribution;
    let server = attributions.find(u64::from(attribution) | form.nobody)?;
    // Each is nearly always false, and so costs almost nothing; what a type does not have counts as right.
    if length != form.length
        || (stock ^ symbol) & form.entry != 0
        || BAD_SIDE <= tag
        || slot.quantity() | form.no_shares == 0
        || slot.price() | form.no_price == 0
        || slot.order() == slot.other()
    {
        return None;
    }
    Some((issue, slot.tagged(tag, server), form))
}

/// The numbers of a message at their places in a slot, that of the new order as the other; 0 where its type has none.
fn fields(window: &[u8; WINDOW], form: &Form) -> EventSlot {
    let order = u64::from_be_bytes(field(window, LENGTH_BYTES + at::ORDER));
    let order_new = u64::from_be_bytes(field(window, LENGTH_BYTES + at::ORDER_NEW)) & form.order_new;
    let shares = u32::from_be_bytes(field(window, form.shares_at)) & !form.no_shares;
    let price = u32::from_be_bytes(field(window, form.price_at)) & !form.no_price;
    EventSlot::compact_of(0, order, order_new, price, shares)
}

/// A field that begins in the first 64 bytes of a frame.
#[inline(always)]
fn field<const N: usize>(window: &[u8; WINDOW], at: usize) -> [u8; N] {
    const { assert!(N <= 8) };
    let at = at & 63;
    *window[at..at + N].first_chunk().expect("the window is 8 bytes longer")
}
