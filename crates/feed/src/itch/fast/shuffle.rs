//! The fields of a message by two instructions that put 16 bytes in another order, where the processor has them.
//!
//! The one place here with `unsafe`: a function that is compiled for these instructions may be called only where they
//! exist. Without them a message takes a sixth more instructions.

use super::{Form, Known, LENGTH_BYTES, Read, WINDOW, at};
use crate::CompactRecord;
use crate::binary::EventSlot;
use std::arch::x86_64::{__m128i, _mm_shuffle_epi8};
use zerocopy::transmute;

/// Where the bytes of a slot's halves stand in a frame: for each its place in a stretch of 16, or [`Shuffle::ZERO`].
#[derive(Clone, Copy)]
pub(super) struct Shuffle {
    /// Both orders, from [`Shuffle::ORDERS_AT`] on.
    orders: [u8; 16],
    /// Price and shares, from there on.
    numbers: [u8; 16],
    numbers_at: usize,
}

impl Shuffle {
    /// No place: the byte becomes zero.
    const ZERO: u8 = 0x80;
    const ORDERS_AT: usize = LENGTH_BYTES + at::ORDER;
    pub(super) const NONE: Shuffle = Shuffle { orders: [Self::ZERO; 16], numbers: [Self::ZERO; 16], numbers_at: 0 };

    /// That of a type; its price comes after its shares.
    pub(super) const fn of(form: &Form) -> Shuffle {
        let mut shuffle = Shuffle { numbers_at: form.shares_at, ..Self::NONE };
        shuffle.orders = reversed(shuffle.orders, 0, 8, 0);
        if form.order_new != 0 {
            shuffle.orders = reversed(shuffle.orders, 8, 8, LENGTH_BYTES + at::ORDER_NEW - Self::ORDERS_AT);
        }
        if form.no_price == 0 {
            shuffle.numbers = reversed(shuffle.numbers, 0, 4, form.price_at - form.shares_at);
        }
        if form.no_shares == 0 {
            shuffle.numbers = reversed(shuffle.numbers, 4, 4, 0);
        }
        shuffle
    }
}

/// The big-endian number of `count` bytes at `from` becomes a little-endian one at `to`.
const fn reversed(mut places: [u8; 16], to: usize, count: usize, from: usize) -> [u8; 16] {
    let mut at = 0;
    while at < count {
        #[allow(clippy::cast_possible_truncation, reason = "a place among 16")]
        let place = (from + count - 1 - at) as u8;
        places[to + at] = place;
        at += 1;
    }
    places
}

/// Whoever has one knows that the processor has the instructions.
#[derive(Clone, Copy)]
pub(super) struct Shuffler(());

impl Shuffler {
    /// Asks the processor.
    #[inline(always)]
    pub(super) fn new() -> Option<Shuffler> {
        is_x86_feature_detected!("ssse3").then_some(Shuffler(()))
    }

    /// As [`Known::read`].
    #[inline(always)]
    #[allow(unsafe_code, reason = "a sixth of the instructions that a message takes")]
    pub(super) fn read(self, known: Known<'_>, bytes: &[u8], at: u32, records: &mut [CompactRecord]) -> Read {
        // SAFETY: the processor has SSSE3, and the function asks for nothing else.
        unsafe { read(known, bytes, at, records) }
    }
}

#[target_feature(enable = "ssse3")]
fn read(known: Known<'_>, bytes: &[u8], at: u32, records: &mut [CompactRecord]) -> Read {
    known.read_by(bytes, at, records, |window, form| fields(window, form))
}

/// As [`super::fields`].
#[inline]
#[target_feature(enable = "ssse3")]
fn fields(window: &[u8; WINDOW], form: &Form) -> EventSlot {
    let Shuffle { orders, numbers, numbers_at } = form.shuffle;
    let orders = _mm_shuffle_epi8(sixteen(window, Shuffle::ORDERS_AT), transmute!(orders));
    let numbers = _mm_shuffle_epi8(sixteen(window, numbers_at), transmute!(numbers));
    transmute!([orders, numbers])
}

/// The bytes from a place on in the first 32.
#[inline(always)]
fn sixteen(window: &[u8; WINDOW], at: usize) -> __m128i {
    let at = at & 31;
    let bytes: [u8; 16] = *window[at..at + 16].first_chunk().expect("the window is longer");
    transmute!(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::FORMS;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shuffled_fields_are_those_taken_one_by_one(bytes in proptest::collection::vec(any::<u8>(), WINDOW)) {
            let window: &[u8; WINDOW] = bytes.first_chunk().unwrap();
            for form in FORMS.iter().filter(|form| form.frame_bytes != 0) {
                #[allow(unsafe_code, reason = "as above")]
                // SAFETY: the processor has been asked.
                let shuffled = Shuffler::new().map(|_| unsafe { fields(window, form) });
                prop_assert!(shuffled.is_none_or(|shuffled| shuffled == super::super::fields(window, form)));
            }
        }
    }
}
