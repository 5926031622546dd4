//! The head of a file: what it says of its records, and the symbol of each instrument by date.

use super::layout::{self, PRELUDE_BYTES};
use crate::Malformed;
use foldhash::quality::RandomState;
use hashbrown::HashMap;

/// A symbol, and the days on which an instrument has it: UTC, as `20240301`, the last one excluded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Symbol {
    pub(super) days: std::ops::Range<u32>,
    pub(super) name: Box<[u8]>,
}

/// What the head says.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Whether each record is followed by the time at which it was sent.
    pub(super) has_sent: bool,
    pub(super) symbols: HashMap<u32, Vec<Symbol>, RandomState>,
}

/// The longest head that is read.
const HEAD_BYTES_MAX: usize = 1 << 26;

/// How many bytes the head has with its prelude, if `bytes` begin with one that can be read.
pub(super) fn length(bytes: &[u8]) -> Result<usize, Malformed> {
    let version = bytes.get(3).copied().unwrap_or_default();
    if !(1..=3).contains(&version) {
        return Err(Malformed::field("version", &[b'0' + version.min(9)], "DBN of version 1, 2 or 3"));
    }
    let length = layout::u32_at(bytes, 4);
    let found = || Malformed::field("head", length.to_string().as_bytes(), "at most 64 MiB of metadata");
    let length = usize::try_from(length).map_err(|_| found())?;
    if HEAD_BYTES_MAX < length { Err(found()) } else { Ok(PRELUDE_BYTES + length) }
}

/// Reads fields one after the other.
struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Cursor<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], Malformed> {
        let taken = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        self.at = self.at.saturating_add(count);
        taken.ok_or_else(|| Malformed::field("head", b"", "metadata that end where they say"))
    }

    fn count(&mut self) -> Result<usize, Malformed> {
        let count = layout::u32_at(self.take(4)?, 0);
        usize::try_from(count).map_err(|_| Malformed::field("head", b"", "a count of 32 bits"))
    }

    /// Text up to its zero, of so many bytes.
    fn text(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let bytes = self.take(length)?;
        Ok(bytes.split(|&byte| byte == 0).next().unwrap_or_default())
    }
}

/// Reads the whole head, `bytes`, with its prelude.
pub(super) fn read(bytes: &[u8]) -> Result<Head, Malformed> {
    let version = bytes.get(3).copied().unwrap_or_default();
    let mut cursor = Cursor { bytes, at: PRELUDE_BYTES };
    // The data set.
    cursor.take(16)?;
    let schema = layout::u16_at(cursor.take(2)?, 0);
    if !matches!(schema, SCHEMA_MBO | SCHEMA_STATUS | SCHEMA_MIXED) {
        let expected = "schema mbo (0), or status (11): a figure needs every order, and other schemas do not have them";
        return Err(Malformed::field("schema", schema.to_string().as_bytes(), expected));
    }
    // Start, end and limit, in version 1 the number of records.
    cursor.take(if version == 1 { 32 } else { 24 })?;
    let [symbols_in, symbols_out, has_sent] = layout::array(cursor.take(3)?, 0);
    let symbol_bytes = if version == 1 { 22 } else { usize::from(layout::u16_at(cursor.take(2)?, 0)) };
    cursor.take(if version == 1 { 47 } else { 53 })?;
    let definition_bytes = cursor.count()?;
    cursor.take(definition_bytes)?;
    // The symbols asked for, those found in part, and those not found.
    for _ in 0..3 {
        let count = cursor.count()?;
        cursor.take(count.saturating_mul(symbol_bytes))?;
    }
    let mut head = Head { has_sent: has_sent != 0, symbols: HashMap::default() };
    for _ in 0..cursor.count()? {
        let asked = cursor.text(symbol_bytes)?;
        for _ in 0..cursor.count()? {
            let days = layout::u32_at(cursor.take(4)?, 0)..layout::u32_at(cursor.take(4)?, 0);
            let found = cursor.text(symbol_bytes)?;
            // Asked by number, the raw symbol is what was found.
            let (number, name) = match (symbols_in, symbols_out) {
                (INSTRUMENT_ID, _) => (asked, found),
                _ => (found, asked),
            };
            let number = crate::text::unsigned(number).and_then(|number| u32::try_from(number).ok());
            let Some(number) = number else { continue };
            head.symbols.entry(number).or_default().push(Symbol { days, name: name.into() });
        }
    }
    Ok(head)
}

const SCHEMA_MBO: u16 = 0;
const SCHEMA_STATUS: u16 = 11;
/// Records of several schemas, as a live session has them.
const SCHEMA_MIXED: u16 = u16::MAX;
/// How symbols are told: by the number of the instrument.
const INSTRUMENT_ID: u8 = 0;

/// The UTC date of an instant in nanoseconds, as `20240301`.
pub(super) fn day_of(nanos: u64) -> u32 {
    // Howard Hinnant's days to civil, for days from 1970 on: none is before March of year 0.
    let days = nanos / 86_400_000_000_000 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, day) in [
            (0_u64, 19_700_101),
            (951_782_400, 20_000_229),
            (1_709_251_200, 20_240_301),
            (1_709_251_199, 20_240_229),
            (1_735_689_599, 20_241_231),
        ] {
            assert_eq!(day_of(seconds * 1_000_000_000), day, "{seconds}");
        }
        assert_eq!(day_of(u64::MAX), 25_540_721);
    }
}
