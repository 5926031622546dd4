//! The date in the name of a file: ITCH messages carry none.

/// The date, as year, month and day, of a file whose name begins MMDDYYYY, such as `01302020.NASDAQ_ITCH50.gz`; `None`
/// if the name does not begin with a real date of exactly 8 digits. `file_name` is the name without its folder.
pub fn date_from_name(file_name: &str) -> Option<(u16, u8, u8)> {
    let name = file_name.as_bytes();
    let (digits, rest) = name.split_first_chunk::<8>()?;
    // A longer number, such as a time stamp, is no date.
    if rest.first().is_some_and(u8::is_ascii_digit) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| digits[at] - b'0';
    let (month, day) = (digit(0) * 10 + digit(1), digit(2) * 10 + digit(3));
    let year = digits[4..].iter().fold(0, |year, &byte| year * 10 + u16::from(byte - b'0'));
    let real = 1 <= year && 1 <= day && day <= days_in(year, month)?;
    real.then_some((year, month, day))
}

fn days_in(year: u16, month: u8) -> Option<u8> {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => Some(if leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_begins_with_eight_digits_tells_the_date() {
        assert_eq!(date_from_name("01302020.NASDAQ_ITCH50.gz"), Some((2020, 1, 30)));
        assert_eq!(date_from_name("12302019-premarket.NASDAQ_ITCH50"), Some((2019, 12, 30)));
        assert_eq!(date_from_name("02292020"), Some((2020, 2, 29)));
        assert_eq!(date_from_name("02292000x"), Some((2000, 2, 29)));
    }

    #[test]
    fn a_name_without_a_real_date_tells_nothing() {
        let names =
            ["", "1302020.gz", "0130202O.gz", "day-01302020", "S013020-v50.txt", "013020201.gz", "１２３０２０１９"];
        let no_dates = ["13012020", "00012020", "02302020", "02291900", "02292019", "04312020", "01002020", "01010000"];
        for name in names.into_iter().chain(no_dates) {
            assert_eq!(date_from_name(name), None, "{name}");
        }
    }
}
