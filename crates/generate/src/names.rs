//! Codes of issues, names of servers and market makers: made up, but of the right shape.

use crate::options::Load;

/// The code of issue number `at` of `count`.
pub(crate) fn issue(load: Load, at: u32, count: u32) -> String {
    if load.is_us() { ticker(at) } else { tokyo_code(at, count) }
}

/// `1306` or, for one in eight, `130A`.
fn tokyo_code(at: u32, count: u32) -> String {
    const LETTERS: &[u8] = b"ACDFGHJKLMNPRSTUWXY";
    let (lettered, numbered) = (at / 8, at - at / 8);
    let step = (8_600 / count).clamp(1, 5);
    let number = 1_305 + numbered * step;
    if at % 8 == 7 || 9_999 < number {
        // Numbers that have run out go on with letters, after the others.
        let serial = if at % 8 == 7 { lettered } else { count / 8 + number - 9_999 };
        let letter = LETTERS[serial as usize % LETTERS.len()];
        return format!("{:03}{}", 130 + serial / 19, char::from(letter));
    }
    number.to_string()
}

/// Three letters for one in three, four for the others.
fn ticker(at: u32) -> String {
    if at.is_multiple_of(3) { letters(at / 3, 3, 7_919) } else { letters(at - at / 3, 4, 104_729) }
}

/// Number `at` of the words of `length` letters, in an order that looks arbitrary: `stride` has no factor in common with
/// the number of words.
fn letters(at: u32, length: u32, stride: u64) -> String {
    let count = 26_u64.pow(length);
    let mut number = u64::from(at) * stride % count;
    let mut word = Vec::new();
    for _ in 0..length {
        let (rest, letter) = (number / 26, number % 26);
        word.push(b'A' + u8::try_from(letter).expect("one of 26"));
        number = rest;
    }
    String::from_utf8(word).expect("letters")
}

/// The short name of a market maker.
pub(crate) fn market_maker(at: u32) -> String {
    format!("MM{:02}", at + 1)
}

/// The name of a market maker's virtual server, four characters: `01V1`, or an MPID.
pub(crate) fn server(load: Load, maker: u32, at: u32) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUWXYZ";
    if load.is_us() {
        return letters(maker * 8 + at + 1, 4, 300_007);
    }
    let digit = |number: u32| char::from(DIGITS[number as usize % DIGITS.len()]);
    let radix = u32::try_from(DIGITS.len()).expect("a short table");
    format!("{}{}V{}", digit((maker + 1) / radix), digit(maker + 1), digit(at + 1))
}

/// The trading participant that a market maker's servers belong to: it has two.
pub(crate) fn participant(maker: u32, second: bool) -> String {
    (11_000 + maker * 10 + u32::from(second)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_short() {
        for (load, count) in [(Load::Small, 20), (Load::TseEtf, 350), (Load::TseEtf, 20_000), (Load::UsMarket, 20_000)]
        {
            let codes: BTreeSet<String> = (0..count).map(|at| issue(load, at, count)).collect();
            assert_eq!(codes.len(), count as usize, "{load}");
            assert!(codes.iter().all(|code| (3..=4).contains(&code.len())), "{load}");
        }
        for load in [Load::TseEtf, Load::UsMarket] {
            let names: BTreeSet<String> =
                (0..500).flat_map(|maker| (0..8).map(move |at| server(load, maker, at))).collect();
            assert_eq!(names.len(), 4_000);
            assert!(names.iter().all(|name| name.len() == 4));
        }
        assert_eq!(issue(Load::TseEtf, 7, 350), "130A");
        assert_eq!(server(Load::TseEtf, 0, 0), "01V1");
    }
}
