//! Figures as people read them: percentages, spans, lines of a width.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::{Micros, Timestamp};
use quoteclock_rules::local_time;

/// The quote display time for people: four decimals, and as many more as it takes where less than all of the time would
/// look like all of it; `-` where nothing was available.
pub(crate) fn percent_shown(total: Total) -> String {
    let Some(percent) = DisplayPercent::of(total.fulfilled, total.available) else { return "-".to_owned() };
    let text = percent.to_string();
    if text != "100.0000" || total.fulfilled == total.available {
        return text;
    }
    // 99.99998: rounded down at the first decimal that is no 9.
    let (fulfilled, available) = (u128::from(total.fulfilled.0), u128::from(total.available.0));
    let shown = (5..=16).map(|decimals| (decimals, fulfilled * 10_u128.pow(decimals + 2) / available));
    let with_other_digit = shown.into_iter().find(|(_, units)| units % 10 != 9);
    with_other_digit.map_or(text, |(decimals, units)| {
        let digits = units.to_string();
        let decimals = usize::try_from(decimals).expect("a few");
        let (whole, part) = digits.split_at(digits.len().saturating_sub(decimals));
        format!("{whole}.{part}")
    })
}

/// A span without needless zeros: `5:00:00`, `0:10:15.38`.
pub fn clock(span: Micros) -> String {
    trim_fraction(&span.to_string()).to_owned()
}

/// A time of the day as a clock of `zone` shows it, to the microsecond: `10:15:30.000000`.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    let text = local_time(at, zone);
    text.chars().skip("2024-03-01T".len()).take("10:15:30.000000".len()).collect()
}

/// Dates for a sentence: `2024-03-01, 2024-03-04`.
pub fn list(dates: &[Date]) -> String {
    dates.iter().map(Date::to_string).collect::<Vec<_>>().join(", ")
}

/// `1 day`, `2 days`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A clock reading without the zeros that end its fraction.
pub(crate) fn trim_fraction(clock: &str) -> &str {
    if clock.contains('.') { clock.trim_end_matches('0').trim_end_matches('.') } else { clock }
}

/// `text` in lines of at most `width` characters, broken at spaces and indented from the second on.
pub fn wrap(text: &str, width: usize) -> String {
    const INDENT: &str = "  ";
    let mut wrapped = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length == 0 {
            wrapped.push_str(word);
        } else if width <= length + word.len() {
            wrapped.push('\n');
            wrapped.push_str(INDENT);
            wrapped.push_str(word);
            length = INDENT.len() - 1;
        } else {
            wrapped.push(' ');
            wrapped.push_str(word);
        }
        length += word.len() + 1;
    }
    wrapped.push('\n');
    wrapped
}
