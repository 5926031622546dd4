//! Messages as they usually are, read in one go and without a branch on their type.
//!
//! The idea: almost every message enters, changes, executes or removes one order of an issue whose names are known, and
//! these types differ only in where they have which field. A table says where, and which fields count; what a type does
//! not have is masked away. So a message becomes the 32 bytes of the binary form in a few dozen instructions, none of
//! which has to guess. Whatever deviates is `None` here and goes the long way round, which alone judges, names faults and
//! takes note of what is new.

use super::framing::LENGTH_BYTES;
use super::locates::Locates;
use super::message::at;
use crate::binary::Slot;
use crate::directory::ShortName;
use crate::{Directory, UsualRecord};
use quoteclock_model::IssueIndex;

/// How many bytes from the beginning of a frame are looked at; what remains of the input has to be as long. Every type's
/// fields lie in the first 64 and the 8 from there on.
const WINDOW: usize = 72;

/// Where a type has its fields; a mask is all ones where the type has the field.
#[derive(Clone, Copy)]
struct Form {
    /// The first three bytes of its frame, of which the third is the type, as a number.
    begin: u32,
    /// What the slot's tag says of the type.
    tag: u32,
    shares: u32,
    price: u32,
    attribution: u32,
    /// [`Attributions::NOBODY`] where the type has no attribution.
    nobody: u64,
    order_new: u64,
    /// Side and stock.
    entry: u64,
    side: u8,
    /// Places in the frame.
    shares_at: usize,
    price_at: usize,
}

impl Form {
    /// Of a type that is not usual: no frame begins like that.
    const NONE: Form = Form {
        begin: u32::MAX,
        tag: 0,
        shares: 0,
        price: 0,
        attribution: 0,
        nobody: Attributions::NOBODY,
        order_new: 0,
        entry: 0,
        side: 0,
        shares_at: 0,
        price_at: 0,
    };

    /// Of a type that names an order, and nothing more.
    const fn of(kind: u8, length: u8, tag: u32) -> Form {
        Form { begin: u32::from_le_bytes([0, length, kind, 0]), tag, ..Form::NONE }
    }

    const fn with_shares(self, at: usize) -> Form {
        Form { shares_at: LENGTH_BYTES + at, shares: u32::MAX, ..self }
    }

    const fn with_price(self, at: usize) -> Form {
        Form { price_at: LENGTH_BYTES + at, price: u32::MAX, ..self }
    }

    const fn with_entry(self) -> Form {
        Form { entry: u64::MAX, side: u8::MAX, ..self.with_shares(at::SHARES).with_price(at::PRICE) }
    }

    /// By the lower bits of the type.
    const TABLE: [Form; 32] = {
        let changed = Form::of(b'U', 35, Slot::USUAL_REPLACE).with_shares(at::SHARES_NEW).with_price(at::PRICE_NEW);
        let mut table = [Form::NONE; 32];
        table[(b'A' & 31) as usize] = Form::of(b'A', 36, Slot::USUAL_ADD).with_entry();
        table[(b'F' & 31) as usize] =
            Form { attribution: u32::MAX, nobody: 0, ..Form::of(b'F', 40, Slot::USUAL_ADD_THROUGH).with_entry() };
        table[(b'E' & 31) as usize] = Form::of(b'E', 31, Slot::USUAL_TRADE).with_shares(at::EXECUTED_SHARES);
        table[(b'X' & 31) as usize] = Form::of(b'X', 23, Slot::USUAL_REDUCE).with_shares(at::CANCELLED_SHARES);
        table[(b'D' & 31) as usize] = Form::of(b'D', 19, Slot::USUAL_CANCEL);
        table[(b'U' & 31) as usize] = Form { order_new: u64::MAX, ..changed };
        table
    };
}

/// What the side's letter adds to a tag.
const SIDES: [u32; 256] = {
    let mut sides = [NO_SIDE; 256];
    sides[b'B' as usize] = 0;
    sides[b'S' as usize] = Slot::USUAL_MARK;
    sides
};

/// More than any tag.
const NO_SIDE: u32 = 1 << 31;

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
    pub(super) fn learn(&mut self, bytes: &[u8], directory: &Directory) -> Option<()> {
        const SPACES: u32 = u32::from_le_bytes(*b"    ");
        let window = bytes.first_chunk().filter(|window: &&[u8; WINDOW]| window[LENGTH_BYTES] == b'F')?;
        let name = u32::from_le_bytes(field(window, LENGTH_BYTES + at::ATTRIBUTION));
        let length = 4 - (name ^ SPACES).leading_zeros() / 8;
        let server = directory.known_server(ShortName::of_word(name, length))?;
        let place = Self::place(name.into());
        if place != Self::place(Self::NOBODY) {
            self.places[place] = (name.into(), server.0);
        }
        Some(())
    }
}

/// How many usual messages are read before they are handed over: few enough to stay in the first cache.
const RUN: usize = 32;

/// Usual messages that follow each other.
pub(super) struct Run {
    records: [UsualRecord; RUN],
    count: usize,
    /// How many bytes they take, with their frames.
    pub(super) length: usize,
    /// Whether their times never go back.
    pub(super) in_order: bool,
}

impl Run {
    /// None yet.
    pub(super) const EMPTY: Run = Run { records: [UsualRecord::EMPTY; RUN], count: 0, length: 0, in_order: true };

    pub(super) fn records(&self) -> &[UsualRecord] {
        &self.records[..self.count]
    }

    /// Reads messages in the file form from the beginning of `bytes`, while there are usual ones and there is room.
    pub(super) fn read(&mut self, bytes: &[u8], locates: &Locates, attributions: &Attributions) {
        let (mut at, mut count, mut last, mut in_order) = (0, 0, 0, true);
        for record in &mut self.records {
            let Some(window) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
            let Some((issue, slot)) = read(window, locates, attributions) else { break };
            // Together with the tracking number before it.
            let nanos = u64::from_be_bytes(field(window, LENGTH_BYTES + at::TRACKING)) & 0xFFFF_FFFF_FFFF;
            let micros = nanos / 1000;
            in_order &= last <= micros;
            last = micros;
            #[allow(clippy::cast_possible_truncation, reason = "a few thousand")]
            let from = at as u32;
            *record = UsualRecord { slot, micros, issue, at: from };
            count += 1;
            at += LENGTH_BYTES + usize::from(u16::from_be_bytes(field(window, 0)));
        }
        (self.count, self.length, self.in_order) = (count, at, in_order);
    }
}

/// Reads the message at the beginning of `window`, in the file form, if it is a usual one.
#[inline(always)]
fn read(window: &[u8; WINDOW], locates: &Locates, attributions: &Attributions) -> Option<(IssueIndex, Slot)> {
    let begin = u32::from_le_bytes(field(window, 0)) & 0xFF_FFFF;
    let form = &Form::TABLE[(begin >> 16 & 31) as usize];
    let (issue, symbol) = locates.named(u16::from_be_bytes(field(window, LENGTH_BYTES + at::LOCATE)))?;
    let stock = u64::from_le_bytes(field(window, LENGTH_BYTES + at::STOCK));
    // The letter of a bid where there is none.
    let side = window[LENGTH_BYTES + at::SIDE] & form.side | b'B' & !form.side;
    let tag = form.tag | SIDES[usize::from(side)];
    let order = u64::from_be_bytes(field(window, LENGTH_BYTES + at::ORDER));
    let order_new = u64::from_be_bytes(field(window, LENGTH_BYTES + at::ORDER_NEW)) & form.order_new;
    let shares = u32::from_be_bytes(field(window, form.shares_at)) & form.shares;
    let price = u32::from_be_bytes(field(window, form.price_at)) & form.price;
    let attribution = u32::from_le_bytes(field(window, LENGTH_BYTES + at::ATTRIBUTION)) & form.attribution;
    let server = attributions.find(u64::from(attribution) | form.nobody)?;
    // Each is nearly always false, and so costs almost nothing; what a type does not have counts as right.
    if begin != form.begin
        || (stock ^ symbol) & form.entry != 0
        || NO_SIDE <= tag
        || shares | !form.shares == 0
        || price | !form.price == 0
        || order == order_new
    {
        return None;
    }
    Some((issue, Slot::usual_of(tag, order, order_new | u64::from(server), price, shares)))
}

/// A field that begins in the first 64 bytes of a frame.
#[inline(always)]
fn field<const N: usize>(window: &[u8; WINDOW], at: usize) -> [u8; N] {
    const { assert!(N <= 8) };
    let at = at & 63;
    *window[at..at + N].first_chunk().expect("the window is 8 bytes longer")
}
