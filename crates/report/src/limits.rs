//! Limits in words, the same in an explanation and on a paper.

use crate::format::clock;
use quoteclock_model::{Amount, Micros, SizeRule};
use quoteclock_rules::{Limits, Manner, SidesRequired, SpreadBand, SpreadBase, SpreadLimits};
use std::fmt::Display;

/// A number with separators between thousands: `2,817.5`.
pub fn grouped(number: impl Display) -> String {
    let text = number.to_string();
    let (whole, part) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::with_capacity(text.len() + whole.len() / 3);
    for (position, digit) in whole.chars().enumerate() {
        if 0 < position && (whole.len() - position) % 3 == 0 && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + part
}

/// What of the limits is not as the Tokyo Stock Exchange has it, in words.
pub fn manner(limits: &Limits) -> Vec<String> {
    let Manner { spread_base, width_max, bands, sides, .. } = &limits.manner;
    let minimum = limits.minimum();
    let is_any = minimum.rule == SizeRule::Any && minimum.value.is_some() && minimum.quantity.is_some();
    let words = [
        (*spread_base != SpreadBase::Mid).then(|| format!("basis points of the {}", spread_base.as_str())),
        width_max.map(|max| format!("at most {} apart", grouped(max))),
        (!bands.is_empty()).then(|| spread(limits)),
        (is_any || minimum.value_at_price).then(|| format!("at least {}", minima(limits))),
        sizes(limits),
        (*sides == SidesRequired::Either).then(|| "one side is enough".to_owned()),
        resting(limits),
    ];
    words.into_iter().flatten().collect()
}

/// `sizes at most 50 % of the larger apart`; nothing where they may differ.
pub fn sizes(limits: &Limits) -> Option<String> {
    let pct = limits.manner.size_divergence_pct_max?;
    Some(format!("sizes at most {} % of the larger apart", Amount(pct.into())))
}

/// `for at least 0:00:30 without a break`.
pub fn resting(limits: &Limits) -> Option<String> {
    let least = limits.manner.resting_min;
    (least != Micros::ZERO).then(|| format!("for at least {} without a break", clock(least)))
}

/// `20 bps or 2 ticks, whichever is wider`; of several bands each.
pub fn spread(limits: &Limits) -> String {
    let Manner { spread_base, width_max, bands, .. } = &limits.manner;
    let in_words = |of: &SpreadLimits| {
        let base =
            if *spread_base == SpreadBase::Mid { String::new() } else { format!(" of the {}", spread_base.as_str()) };
        let bps = of.bps_max.map(|max| format!("{max} bps{base}"));
        let ticks = of.ticks_max.map(|max| plural(max.0, "tick"));
        let width = of.width_max.map(grouped);
        let all: Vec<String> = bps.into_iter().chain(ticks).chain(width).collect();
        let wider = if all.len() < 2 { "" } else { ", whichever is wider" };
        format!("{}{wider}", all.join(" or "))
    };
    let band = |band: &SpreadBand| match band.up_to {
        Some(up_to) => format!("{} for a bid up to {}", in_words(&band.limits), grouped(up_to)),
        None => format!("{} above", in_words(&band.limits)),
    };
    match bands.len() {
        0 => in_words(&SpreadLimits {
            bps_max: limits.spread_bps_max,
            ticks_max: limits.spread_ticks_max,
            width_max: *width_max,
        }),
        _ => bands.iter().map(band).collect::<Vec<_>>().join("; "),
    }
}

/// `30,000,000 and 20 shares`.
pub fn minima(limits: &Limits) -> String {
    let at_price = if limits.manner.value_at_price { " at the obligation price" } else { "" };
    let value = limits.value_min.map(|min| format!("{}{at_price}", grouped(min)));
    let quantity = limits.quantity_min.map(|min| plural(min.0, "share"));
    let word = if limits.manner.size_rule == SizeRule::Any { " or " } else { " and " };
    value.into_iter().chain(quantity).collect::<Vec<_>>().join(word)
}

/// `1 tick`, `3,000 shares`.
fn plural(count: u64, word: &str) -> String {
    format!("{} {word}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (plain, shown) in [("0", "0"), ("999", "999"), ("1000", "1,000"), ("33812000", "33,812,000")] {
            assert_eq!(grouped(plain), shown);
        }
        assert_eq!(grouped("12345.0625"), "12,345.0625");
    }
}
