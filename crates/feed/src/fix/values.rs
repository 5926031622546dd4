//! Values of fields: numbers, prices and times as FIX writes them.

use crate::text;
use quoteclock_model::{OrderCondition, Price, Shares, Side, Timestamp};

/// A whole number, such as a length or a sequence number.
pub(super) fn count(value: &[u8]) -> Option<usize> {
    text::unsigned(value).and_then(|number| usize::try_from(number).ok())
}

/// The value without needless zeros behind the point: `100.00` is `100`, `99.500000` is `99.5`.
fn trimmed(value: &[u8]) -> &[u8] {
    if value.iter().filter(|&&byte| byte == b'.').count() != 1 {
        return value;
    }
    let end = value.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1);
    let value = &value[..end];
    value.strip_suffix(b".").unwrap_or(value)
}

/// A price: what is beyond four decimals has to be zeros.
pub(super) fn price(value: &[u8]) -> Option<Price> {
    text::price(trimmed(value))
}

/// A quantity that may be zero.
pub(super) fn quantity(value: &[u8]) -> Option<u64> {
    text::unsigned(trimmed(value)).filter(|&number| number <= Shares::MAX_PER_RECORD.0)
}

/// A side: short sales and the like are sales.
pub(super) fn side(value: &[u8]) -> Option<Side> {
    match value {
        b"1" | b"3" => Some(Side::Bid),
        b"2" | b"4" | b"5" | b"6" => Some(Side::Offer),
        _ => None,
    }
}

/// A condition, by time in force and type of order.
pub(super) fn condition(time_in_force: Option<&[u8]>, order_type: Option<&[u8]>) -> OrderCondition {
    match (time_in_force, order_type) {
        (Some(b"2"), _) => OrderCondition::OnOpen,
        (Some(b"7"), _) | (_, Some(b"5" | b"B")) => OrderCondition::OnClose,
        (Some(b"3" | b"4"), _) => OrderCondition::Ioc,
        _ => OrderCondition::None,
    }
}

/// UTC, `20240301-09:00:00` with up to nine decimals, floored to the microsecond.
pub(super) fn time(value: &[u8]) -> Option<Timestamp> {
    let (date, rest) = value.split_at_checked(8)?;
    let (b"-", clock) = rest.split_at_checked(1)? else { return None };
    let mut rfc3339 = Vec::with_capacity(32);
    for (part, separator) in [(&date[..4], b'-'), (&date[4..6], b'-'), (&date[6..], b'T')] {
        rfc3339.extend_from_slice(part);
        rfc3339.push(separator);
    }
    rfc3339.extend_from_slice(clock);
    rfc3339.push(b'Z');
    text::TimeReader::default().read(&rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_have_zeros_behind_the_point() {
        let units = |text: &[u8]| price(text).map(Price::ten_thousandths);
        for (text, expected) in
            [("100", 1_000_000), ("100.0", 1_000_000), ("99.500000", 995_000), ("0.0001", 1), ("100.", 1_000_000)]
        {
            assert_eq!(units(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["0", "0.00001", "-1", "1e3", "", ".", "1.2.0"] {
            assert_eq!(units(text.as_bytes()), None, "{text}");
        }
        assert_eq!((quantity(b"100.00"), quantity(b"0"), quantity(b"0.0")), (Some(100), Some(0), Some(0)));
        assert_eq!((quantity(b"100.5"), quantity(b""), quantity(b"1000000000001")), (None, None, None));
    }

    #[test]
    fn times_are_utc() {
        let nine = Some(Timestamp::from_micros(1_709_251_200_000_000));
        assert_eq!(time(b"20240301-00:00:00"), nine);
        assert_eq!(time(b"20240301-00:00:00.000"), nine);
        assert_eq!(time(b"20240301-00:00:00.000000999"), nine);
        for text in
            ["2024-03-01-00:00:00", "20240301 00:00:00", "20240301-24:00:00", "20240230-00:00:00", "", "20240301"]
        {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }
}
