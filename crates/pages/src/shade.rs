//! How far a share is from the required one, as a colour and a sign.

use quoteclock_ledger::{DisplayPercent, Total};

/// Ten-thousandths of a percent in one percentage point.
const POINT: i64 = 10_000;

/// What a cell of a heat map says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shade {
    /// Far above the required share: ten points and more.
    FarAbove,
    /// Above it.
    Above,
    /// At it, or less than two points above.
    JustAbove,
    /// Below it by less than two points.
    JustBelow,
    /// Below it.
    Below,
    /// Far below it: by twenty points and more.
    FarBelow,
    /// Nothing was available.
    Nothing,
    /// Unknown time could turn the verdict.
    Uncertain,
}

impl Shade {
    /// The shade of a share of `pct` where `required` is asked for, both in ten-thousandths of a percent. Whether it was
    /// reached is said by `reached`: what people read is rounded, what decides is not.
    pub(crate) fn of(pct: u64, required: u64, reached: bool) -> Shade {
        let above = i64::try_from(pct).unwrap_or(i64::MAX).saturating_sub(i64::try_from(required).unwrap_or(i64::MAX));
        match (reached, above) {
            (true, above) if 10 * POINT <= above => Shade::FarAbove,
            (true, above) if 2 * POINT <= above => Shade::Above,
            (true, _) => Shade::JustAbove,
            (false, above) if -2 * POINT < above => Shade::JustBelow,
            (false, above) if -20 * POINT < above => Shade::Below,
            (false, _) => Shade::FarBelow,
        }
    }

    /// The shade of a day beside the share that a month requires.
    pub(crate) fn of_day(total: Total, required_pct: u64) -> Shade {
        match DisplayPercent::of(total.fulfilled, total.available) {
            _ if total.could_turn(required_pct) => Shade::Uncertain,
            None => Shade::Nothing,
            Some(percent) => Shade::of(percent.ten_thousandths(), required_pct, total.reaches(required_pct)),
        }
    }

    /// Its class in the page's style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Shade::FarAbove => "s6",
            Shade::Above => "s5",
            Shade::JustAbove => "s4",
            Shade::JustBelow => "s3",
            Shade::Below => "s2",
            Shade::FarBelow => "s1",
            Shade::Nothing => "s0",
            Shade::Uncertain => "su",
        }
    }

    /// The sign that tells it without colours.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Shade::FarAbove | Shade::Above | Shade::JustAbove => "",
            Shade::JustBelow | Shade::Below | Shade::FarBelow => "✗",
            Shade::Nothing => "",
            Shade::Uncertain => "?",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shade_follows_the_verdict_and_not_the_rounded_share() {
        assert_eq!(Shade::of(800_000, 800_000, true), Shade::JustAbove);
        assert_eq!(Shade::of(800_000, 800_000, false), Shade::JustBelow, "79.99999 % reads as 80.0000");
        for (pct, reached, shade) in [
            (819_999, true, Shade::JustAbove),
            (820_000, true, Shade::Above),
            (899_999, true, Shade::Above),
            (900_000, true, Shade::FarAbove),
            (780_001, false, Shade::JustBelow),
            (780_000, false, Shade::Below),
            (600_001, false, Shade::Below),
            (600_000, false, Shade::FarBelow),
            (0, false, Shade::FarBelow),
        ] {
            assert_eq!(Shade::of(pct, 800_000, reached), shade, "{pct}");
        }
    }
}
