//! Figures as a page writes them.

use quoteclock_ledger::Total;
use quoteclock_model::Micros;

/// `1 outage`, `2 outages`.
pub(crate) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Ten-thousandths of a percent without needless zeros.
pub(crate) fn required(ten_thousandths: u64) -> String {
    let text = format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Whole percent, rounded down: 79.99 % never reads as 80, and 99.99999 % not as 100.
pub(crate) fn whole_percent(total: Total) -> String {
    match u128::from(total.available.0) {
        0 => "–".to_owned(),
        available => (u128::from(total.fulfilled.0) * 100 / available).to_string(),
    }
}

/// A share in tenths of a percent, half up.
pub(crate) fn tenth_percent(part: Micros, whole: Micros) -> String {
    if whole == Micros::ZERO {
        return "0.0".to_owned();
    }
    let (part, whole) = (u128::from(part.0), u128::from(whole.0));
    let tenths = (part * 2_000 + whole) / (whole * 2);
    format!("{}.{}", tenths / 10, tenths % 10)
}

pub(crate) fn thousandths(part: Micros, whole: Micros) -> u64 {
    let width = u128::from(part.0) * 1000 / u128::from(whole.0.max(1));
    // However little, a bar can be seen.
    u64::try_from(width).unwrap_or(1000).max(u64::from(part != Micros::ZERO) * 3)
}

/// A span in hours, minutes and whole seconds; below a second to the microsecond.
pub(crate) fn hours(span: Micros) -> String {
    if span != Micros::ZERO && span < Micros(1_000_000) {
        return trimmed(&span.to_string()).to_owned();
    }
    let seconds = span.0 / 1_000_000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A clock reading without the zeros that end its fraction.
pub(crate) fn trimmed(clock: &str) -> &str {
    if clock.contains('.') { clock.trim_end_matches('0').trim_end_matches('.') } else { clock }
}

/// A number in groups of three digits: `123,450,000.5`. What is no number stays as it is.
///
/// ```
/// use quoteclock_pages::grouped;
///
/// assert_eq!(["1234567.8901", "-1234", "999", ""].map(grouped), ["1,234,567.8901", "-1,234", "999", ""]);
/// ```
pub fn grouped(number: &str) -> String {
    let (sign, digits) = number.split_at(usize::from(number.starts_with('-')));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut text = String::with_capacity(number.len() + whole.len() / 3);
    text.push_str(sign);
    for (position, digit) in whole.chars().enumerate() {
        if 0 < position && (whole.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}
