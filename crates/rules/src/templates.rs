//! Files of the exchange's own figures, to start a registry from and to compare one with.
//!
//! They are data: a later version of the rules replaces a file here, or the registry's own rows say otherwise.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The holidays of the Tokyo Stock Exchange from 2018 to 2027, as a `holidays.csv`: national holidays on weekdays, 2 and
/// 3 January and 31 December.
pub const HOLIDAYS: &str = include_str!("../templates/holidays.csv");

/// All numeric tables of ST-1's pages *Matching Funds* (1) to (3), as a `matching_funds.csv` without dates and asset
/// managers: these are entered when a row is taken over.
///
/// Clause: `ST1/matching-tables`.
pub const MATCHING_FUNDS: &str = include_str!("../templates/matching_funds.csv");

/// ST-1's indices for diversified investment: `class,region,index`.
///
/// Clause: `ST1/diversified`.
pub const DIVERSIFIED_INDICES: &str = include_str!("../templates/diversified_indices.csv");

/// Two names of one index, however they are spaced and punctuated: `S&P 500` and `S&P500`.
pub fn same_index(one: &str, other: &str) -> bool {
    letters(one) == letters(other)
}

/// What tells the name of an index from others.
fn letters(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether ST-1 lists the index as one for diversified investment.
///
/// ```
/// use quoteclock_rules::templates::is_diversified_index;
///
/// assert!(is_diversified_index("MSCI ACWI") && !is_diversified_index("TOPIX"));
/// ```
///
/// Clause: `ST1/diversified`.
pub fn is_diversified_index(index: &str) -> bool {
    static LISTED: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let names = DIVERSIFIED_INDICES.lines().skip(1).filter_map(|line| line.splitn(3, ',').nth(2));
        names.map(letters).collect()
    });
    LISTED.contains(&letters(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::{Date, Weekday, date};

    /// The national holidays of a year before substitutes, by the Act on National Holidays (Act No. 178 of 1948) as
    /// amended, and the special acts for 2019, 2020 and 2021.
    fn national(year: i16) -> BTreeSet<Date> {
        let monday = |month: i8, nth: i8| {
            let first = date(year, month, 1);
            let to_monday = (8 - first.weekday().to_monday_one_offset()) % 7;
            first.checked_add((i64::from(to_monday) + i64::from(nth - 1) * 7).days()).unwrap()
        };
        // The equinoxes as the National Astronomical Observatory's rule for 1980 to 2099 gives them, in hundredths.
        let equinox = |base: i32| {
            let years = i32::from(year) - 1980;
            i8::try_from((base + years * 242_194) / 1_000_000 - years / 4).unwrap()
        };
        let mut days: BTreeSet<Date> = [
            date(year, 1, 1),
            monday(1, 2),
            date(year, 2, 11),
            date(year, 3, equinox(20_843_100)),
            date(year, 4, 29),
            date(year, 5, 3),
            date(year, 5, 4),
            date(year, 5, 5),
            monday(9, 3),
            date(year, 9, equinox(23_248_800)),
            date(year, 11, 3),
            date(year, 11, 23),
        ]
        .into();
        days.extend(match year {
            2020 => [date(2020, 7, 23), date(2020, 7, 24), date(2020, 8, 10)],
            2021 => [date(2021, 7, 22), date(2021, 7, 23), date(2021, 8, 8)],
            _ => [monday(7, 3), date(year, 8, 11), monday(10, 2)],
        });
        match year {
            2018 => _ = days.insert(date(2018, 12, 23)),
            2019 => days.extend([date(2019, 5, 1), date(2019, 10, 22)]),
            _ => _ = days.insert(date(year, 2, 23)),
        }
        days
    }

    /// With the days between two holidays, and the first day after a holiday on a Sunday that is none itself.
    fn with_substitutes(national: &BTreeSet<Date>) -> BTreeSet<Date> {
        let mut days = national.clone();
        for day in national {
            let (next, after) = (day.tomorrow().unwrap(), day.checked_add(2.days()).unwrap());
            if national.contains(&after) && next.weekday() != Weekday::Sunday {
                days.insert(next);
            }
            if day.weekday() == Weekday::Sunday {
                days.extend(day.series(1.day()).skip(1).find(|date| !national.contains(date)));
            }
        }
        days
    }

    #[test]
    fn the_holidays_are_those_of_the_law_and_of_the_exchange_at_the_turn_of_the_year() {
        let mut reckoned: BTreeSet<Date> = BTreeSet::new();
        for year in 2018..=2027 {
            reckoned.extend(with_substitutes(&national(year)));
            reckoned.extend([date(year, 1, 2), date(year, 1, 3), date(year, 12, 31)]);
        }
        reckoned.retain(|date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
        let listed: BTreeSet<Date> =
            HOLIDAYS.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(listed, reckoned);
        assert_eq!(listed.len(), HOLIDAYS.lines().count() - 1, "each once");
    }

    // clause: ST1/diversified
    #[test]
    fn the_list_of_indices_is_whole_and_found_however_a_name_is_spaced() {
        assert_eq!(DIVERSIFIED_INDICES.lines().count(), 33, "a header and 32 indices");
        for name in ["S&P 500", "s&p500", "FTSE NAREIT Equity REIT", "NOMURA-BPI JGB"] {
            assert!(is_diversified_index(name), "{name}");
        }
        assert!(!is_diversified_index("S&P 500 ESG") && !is_diversified_index(""));
    }
}
