//! How what a checkpoint holds is written down: by bincode, field after field, in the order in which the types have them.
//!
//! The core's types know no serialization; each is taken apart here by a pattern that names all of its fields, so that a
//! field more, or one less, does not compile. Whoever changes the order or the meaning of anything raises the version.

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use quoteclock_book::Order;
use quoteclock_engine::{DayState, EngineState, IssueState, MarketChange, StageState, UnknownWindow};
use quoteclock_feed::binary::Header;
use quoteclock_feed::itch::Framing;
use quoteclock_feed::{
    BinaryStage, BinaryState, CsvState, FileNames, ItchState, ListSums, LocateState, MessageState, TradingDate,
    UtcOffset,
};
use quoteclock_ledger::{LoggedBreach, Total};
use quoteclock_model::{
    Amount, ByCounterparty, Executed, IssueCode, IssueIndex, MarketTurnover, Micros, OrderCondition, OrderId, Phase,
    Price, Reason, SequenceNo, ServerIndex, Shares, Side, SideFault, Span, State, Timestamp, Turnover,
};
use quoteclock_obligation::{Clock, MeasureState, ObligationIndex};
use quoteclock_store::Digest;
use quoteclock_wire::payload::{FormState, PayloadState};

/// Written down by bincode.
pub(super) trait Stored: Sized {
    /// Writes it.
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError>;
    /// Reads it.
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError>;
}

/// What bincode is given.
pub(super) struct Whole<T>(pub(super) T);

impl<T: Stored> Encode for Whole<T> {
    fn encode<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.0.put(to)
    }
}

impl<T: Stored> Decode<()> for Whole<T> {
    fn decode<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        T::take(from).map(Whole)
    }
}

fn checked<T>(value: Option<T>, what: &'static str) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Other(what))
}

macro_rules! as_bincode {
    ($($kind:ty),*) => { $(
        impl Stored for $kind {
            fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
                self.encode(to)
            }
            fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
                Self::decode(from)
            }
        }
    )* };
}

as_bincode!(u8, u16, u32, u64, u128, i8, i16, i64, usize, bool, String, Box<str>, [u8; 4], [u8; 8], [u8; 32]);

/// One value within another.
macro_rules! number {
    ($($kind:ident)*) => { $(
        impl Stored for $kind {
            fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
                self.0.put(to)
            }
            fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
                Stored::take(from).map($kind)
            }
        }
    )* };
}

number!(Micros OrderId ServerIndex IssueIndex SequenceNo Shares Amount ObligationIndex Digest);

macro_rules! fields {
    ($($kind:ident { $($field:ident),* })*) => { $(
        impl Stored for $kind {
            fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
                let $kind { $($field),* } = self;
                $($field.put(to)?;)*
                Ok(())
            }
            fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
                Ok($kind { $($field: Stored::take(from)?),* })
            }
        }
    )* };
}
pub(super) use fields;

fields! {
    Span { start, end }
    Order { server, side, price, quantity, condition }
    Executed { value, quantity }
    MarketTurnover { continuous, auction }
    ByCounterparty { market_maker, other, unnamed }
    Turnover { continuous, auction, order_count }
    Clock { since, state, after_unknown }
    Total { available, fulfilled, unknown }
    LoggedBreach { span, obligation, reason }
    MeasureState {
        now, phase, market_phase, phase_told, doubt, orders, awaited, market_turnover, turnovers, clocks, begun
    }
    IssueState { number, code, is_bound, has_events, seen, measure }
    UnknownWindow { issue, span }
    DayState {
        issues, servers, last_sequence, unread_sequences, record_count, reject_count, retroactive, unnamed_doubts,
        unnamed_rejects, late_names, last_was_bad, last_was_unnumbered, stage
    }
    EngineState {
        date, last, now, looked, number_of_issue, orders_of_server, issue_count, market_changes, market_forgotten,
        market_phase, market_clear
    }
    CsvState { columns, partial, is_oversized, line, issues, servers }
    LocateState { locate, issue, symbol }
    ItchState { framing, held, offset, has_ended, passed_over_count, locates, servers }
    FileNames { names, indices }
    ListSums { names, names_listed, blocks, blocks_listed, unsure }
    BinaryState { header, stage, partial, offset, issues, servers, records, blocks, lists_offset, lists }
    MessageState { header, issues, servers, names_lost, offset }
    Header { date, offset, has_sequence }
    PayloadState { form, offset }
}

/// Kinds, each with a number of its own, and what belongs to it.
macro_rules! kinds {
    ($($kind:ident { $($number:literal $case:ident $(($($part:ident),*))? $({$($field:ident),*})?)* })*) => { $(
        impl Stored for $kind {
            fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
                match self {
                    $($kind::$case $(($($part),*))? $({$($field),*})? => {
                        $number.put(to)?;
                        $($($part.put(to)?;)*)?
                        $($($field.put(to)?;)*)?
                    })*
                }
                Ok(())
            }
            fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
                Ok(match u8::take(from)? {
                    $($number => $kind::$case
                        $(($({ let $part = Stored::take(from)?; $part }),*))?
                        $({$($field: Stored::take(from)?),*})?,)*
                    _ => return Err(DecodeError::Other(concat!("an unknown ", stringify!($kind)))),
                })
            }
        }
    )* };
}
pub(super) use kinds;

kinds! {
    Side { 0_u8 Bid 1_u8 Offer }
    OrderCondition { 0_u8 None 1_u8 OnOpen 2_u8 OnClose 3_u8 Funari 4_u8 Ioc }
    Phase { 0_u8 Continuous 1_u8 SequentialQuote 2_u8 SpecialQuote 3_u8 Halt 4_u8 Auction 5_u8 Closed }
    SideFault { 0_u8 NoQuote 1_u8 Size }
    Reason { 0_u8 Bid(fault) 1_u8 Offer(fault) 2_u8 Both { bid, offer } 3_u8 Spread 4_u8 SizeBalance 5_u8 Resting }
    State { 0_u8 Unavailable 1_u8 Unknown 2_u8 Fulfilled 3_u8 Breach(reason) }
    MarketChange { 0_u8 Phase(phase) 1_u8 Clear 2_u8 Doubt }
    StageState { 0_u8 Waiting { doubts, unnamed } 1_u8 Open(engine) }
    Framing { 0_u8 LengthPrefixed 1_u8 SoupBinTcp }
    BinaryStage { 0_u8 FileHead 1_u8 FrameHead 2_u8 Frame(kind, length) 3_u8 Ended 4_u8 Lost }
    FormState { 0_u8 Csv(state) 1_u8 Messages(state) 2_u8 File(state) 3_u8 Itch(state) }
}

impl<T: Stored> Stored for Option<T> {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.is_some().put(to)?;
        self.as_ref().map_or(Ok(()), |value| value.put(to))
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        if bool::take(from)? { T::take(from).map(Some) } else { Ok(None) }
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.len().put(to)?;
        self.iter().try_for_each(|value| value.put(to))
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        let length = usize::take(from)?;
        // What is said is counted against the limit before any room is taken; the room grows with what is there.
        from.claim_container_read::<T>(length)?;
        let mut values = Vec::new();
        for _ in 0..length {
            from.unclaim_bytes_read(size_of::<T>());
            values.push(T::take(from)?);
        }
        Ok(values)
    }
}

impl Stored for Box<[u8]> {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.encode(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        Vec::<u8>::decode(from).map(Vec::into_boxed_slice)
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.0.put(to)?;
        self.1.put(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

impl Stored for Timestamp {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.as_micros().put(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        Stored::take(from).map(Timestamp::from_micros)
    }
}

impl Stored for Price {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.ten_thousandths().put(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        checked(Price::from_ten_thousandths(Stored::take(from)?), "a price that cannot be")
    }
}

impl Stored for IssueCode {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.as_str().encode(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        checked(IssueCode::new(&Vec::<u8>::decode(from)?), "an issue that cannot be")
    }
}

impl Stored for TradingDate {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        (self.year(), (self.month(), self.day())).put(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        let (year, (month, day)) = Stored::take(from)?;
        checked(TradingDate::new(year, month, day), "a date that cannot be")
    }
}

impl Stored for jiff::civil::Date {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        (self.year(), (self.month(), self.day())).put(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        let (year, (month, day)) = Stored::take(from)?;
        checked(jiff::civil::Date::new(year, month, day).ok(), "a date that cannot be")
    }
}

impl Stored for UtcOffset {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.minutes().put(to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        checked(UtcOffset::from_minutes(Stored::take(from)?), "an offset that cannot be")
    }
}
