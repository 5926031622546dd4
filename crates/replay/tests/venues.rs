//! Limits as other venues take them, as tables: what is quoted, and the reason of the breach. Boundaries come in pairs:
//! exactly at the limit, and one unit beyond it. Every row is measured twice, by the fast path and by the slow reference.

mod support;

use quoteclock_testkit::{Case, Outcome};

/// A scheme of one type, and what its issue's row says beside its type.
struct Venue {
    toml: String,
    columns: &'static str,
    cells: &'static str,
}

fn limits(of_type: &str) -> Venue {
    Venue { toml: format!("[types.T]\n{of_type}\n"), columns: "", cells: "" }
}

impl Venue {
    fn with_issue(self, columns: &'static str, cells: &'static str) -> Venue {
        Venue { columns, cells, ..self }
    }

    /// The reason of the breach that quotes such as `B 102 x 350` make, empty if there is none.
    fn reason(&self, quotes: &str) -> String {
        let breaches = self.breaches(quotes, "", "");
        let reasons: Vec<&str> = breaches.iter().filter_map(|breach| breach.rsplit(' ').next()).collect();
        assert!(reasons.windows(2).all(|pair| pair[0] == pair[1]), "{reasons:?}");
        reasons.first().map_or(String::new(), |reason| (*reason).to_owned())
    }

    /// The breaches of the day on which these are quoted from 08:00 on, after that `phases` such as `10:00:00 auction`, with a
    /// `fast_market.csv`: `start end reason` each.
    fn breaches(&self, quotes: &str, phases: &str, fast_market: &str) -> Vec<String> {
        let order = |(number, quote): (usize, &str)| {
            let fields: Vec<&str> = quote.split_whitespace().collect();
            let [side, price, "x", quantity] = fields[..] else { panic!("{quote}") };
            format!("2024-03-01T08:00:00+09:00,1306,add,{number},VS1,{side},{price},{quantity}\n")
        };
        let quotes = quotes.split(',').map(str::trim).filter(|quote| !quote.is_empty());
        let header = "time,issue,event,order,server,side,price,quantity,phase\n";
        let quotes = quotes.enumerate().map(order).map(|row| row.replace('\n', ",\n"));
        let phases = phases.split(',').filter_map(|told| told.trim().split_once(' '));
        let phases = phases.map(|(time, phase)| format!("2024-03-01T{time}+09:00,*,phase,,,,,,{phase}\n"));
        let events = quotes.chain(phases).fold(header.to_owned(), |events, row| events + &row);
        let files = [
            ("issues.csv", format!("issue,type,tick_table{}\n1306,T,01{}\n", self.columns, self.cells)),
            ("market_makers.csv", "market_maker\nMM1\n".to_owned()),
            ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n".to_owned()),
            ("signups.csv", "market_maker,issue\nMM1,1306\n".to_owned()),
            ("scheme.toml", self.toml.clone()),
            ("fast_market.csv", fast_market.to_owned()),
        ];
        let files = files.into_iter().filter(|(_, text)| !text.is_empty());
        let registry = files.map(|(name, text)| (name.to_owned(), text)).collect();
        let case = Case { registry, events, date: Some("2024-03-01".to_owned()), lenient: false, allow_gaps: false };
        let outcome = support::measure(&case, usize::MAX);
        assert_eq!(outcome, quoteclock_testkit::measure(&case), "the reference agrees");
        let Outcome::Measured { breaches, .. } = outcome else { panic!("{outcome:?}: {}", self.toml) };
        let row = |row: &str| {
            let fields: Vec<&str> = row.split(',').collect();
            let clock = |time: &str| time[11..26].trim_end_matches(".000000").to_owned();
            format!("{} {} {}", clock(fields[4]), clock(fields[5]), fields[7])
        };
        breaches.lines().skip(1).map(row).collect()
    }

    #[track_caller]
    fn check(&self, rows: &[(&str, &str)]) {
        for (quotes, reason) in rows {
            assert_eq!(self.reason(quotes), *reason, "{quotes} under {}", self.toml);
        }
    }
}

// clause: TWSE/spread-of-offer
#[test]
fn basis_points_are_of_the_mid_the_bid_or_the_offer() {
    let of = |base: &str| limits(&format!("max_spread_bps = 300\nspread_base = \"{base}\"\nmin_quantity = 5"));
    of("offer").check(&[("B 97 x 5, S 100 x 5", ""), ("B 97 x 5, S 100.0001 x 5", "spread")]);
    of("offer").check(&[("B 96.9999 x 5, S 100 x 5", "spread"), ("B 97.0001 x 5, S 100 x 5", "")]);
    of("bid").check(&[("B 100 x 5, S 103 x 5", ""), ("B 100 x 5, S 103.0001 x 5", "spread")]);
    of("mid").check(&[("B 98.5 x 5, S 101.5 x 5", ""), ("B 98.5 x 5, S 101.5001 x 5", "spread")]);
    // 100 % of the offer is any spread, of the bid it is not.
    let all = |base: &str| limits(&format!("max_spread_bps = 10000\nspread_base = \"{base}\"\nmin_quantity = 5"));
    all("offer").check(&[("B 0.0001 x 5, S 1000000000 x 5", "")]);
    all("bid").check(&[("B 100 x 5, S 200 x 5", ""), ("B 100 x 5, S 200.0001 x 5", "spread")]);
}

// clause: QC/spread-as-difference
#[test]
fn a_spread_may_be_limited_as_a_difference_of_prices() {
    let width = limits("max_spread_abs = \"0.5\"\nmin_quantity = 5");
    width.check(&[("B 100 x 5, S 100.5 x 5", ""), ("B 100 x 5, S 100.5001 x 5", "spread")]);
    // Of several limits the widest counts.
    let wider = limits("max_spread_abs = \"0.5\"\nmax_spread_bps = 100\nmin_quantity = 5");
    wider.check(&[("B 199 x 5, S 201 x 5", ""), ("B 199 x 5, S 201.0001 x 5", "spread")]);
    wider.check(&[("B 10 x 5, S 10.5 x 5", ""), ("B 10 x 5, S 10.5001 x 5", "spread")]);
}

// clause: QC/bands
#[test]
fn the_bid_says_which_band_counts() {
    let bands = limits(
        "min_quantity = 5\nbands = [{ up_to = 100, max_spread_abs = 3 }, \
         { up_to = \"200\", max_spread_ticks = 2, max_spread_bps = 1 }, { max_spread_bps = 100 }]",
    );
    bands.check(&[("B 100 x 5, S 103 x 5", ""), ("B 100 x 5, S 103.0001 x 5", "spread")]);
    bands.check(&[("B 100.0001 x 5, S 102 x 5", ""), ("B 100.0001 x 5, S 103 x 5", "spread")]);
    bands.check(&[("B 200 x 5, S 202 x 5", ""), ("B 200 x 5, S 202.0001 x 5", "spread")]);
    bands.check(&[("B 1990 x 5, S 2010 x 5", ""), ("B 1990 x 5, S 2010.0001 x 5", "spread")]);
    // A better bid is in a narrower band.
    bands.check(&[("B 100 x 5, S 102.5 x 5", ""), ("B 101 x 5, B 100 x 5, S 103.5 x 5", "spread")]);
}

// clause: TWSE/units-or-value
#[test]
fn of_two_minima_one_may_be_enough() {
    let any = limits("max_spread_abs = 1\nmin_quantity = 6\nmin_value = 500\nsize_rule = \"any\"");
    any.check(&[("B 100 x 5, S 101 x 5", ""), ("B 99.9999 x 5, S 100 x 5", "bid_size")]);
    any.check(&[("B 10 x 6, S 11 x 6", ""), ("B 10 x 5, S 11 x 6", "bid_size"), ("S 11 x 6", "no_bid")]);
    // It is reached where the first of them is: 5 at 100.
    any.check(&[("B 100 x 5, B 10 x 1, S 101 x 5", ""), ("B 100 x 4, B 90 x 2, S 101 x 5", "spread")]);
    let all = limits("max_spread_abs = 1\nmin_quantity = 6\nmin_value = 500\nsize_rule = \"all\"");
    all.check(&[("B 100 x 5, S 101 x 6", "bid_size"), ("B 100 x 6, S 101 x 6", "")]);
}

// clause: RTS8/comparable-size
#[test]
fn sizes_may_differ_by_part_of_the_larger_one() {
    let half = limits("max_spread_abs = 1\nmin_quantity = 50\nmax_size_divergence_pct = 50");
    half.check(&[("B 100 x 50, S 101 x 100", ""), ("B 100 x 50, S 101 x 101", "size_balance")]);
    half.check(&[("B 100 x 100, S 101 x 50", ""), ("B 100 x 101, S 101 x 50", "size_balance")]);
    // What counts ends at the obligation price, whole price levels.
    half.check(&[("B 100 x 50, S 101 x 100, S 102 x 900", ""), ("B 100 x 50, S 101 x 49, S 101 x 52", "size_balance")]);
    // Sizes are compared where both sides are large enough and close enough.
    half.check(&[("B 100 x 50, S 102 x 101", "spread"), ("B 100 x 49, S 101 x 101", "bid_size")]);
    half.check(&[("B 101 x 50, S 101 x 101", "size_balance"), ("B 101 x 51, S 101 x 101", "")]);
    let none = limits("max_spread_abs = 1\nmin_quantity = 50\nmax_size_divergence_pct = 0");
    none.check(&[("B 100 x 70, S 101 x 70", ""), ("B 100 x 70, S 101 x 71", "size_balance")]);
    let third = limits("max_spread_abs = 1\nmin_quantity = 1\nmax_size_divergence_pct = 33.3333");
    third.check(&[("B 100 x 2, S 101 x 3", "size_balance"), ("B 100 x 666667, S 101 x 1000000", "")]);
}

// clause: BIT/bid-or-offer
#[test]
fn one_side_may_be_enough() {
    let either = limits("max_spread_abs = 1\nmin_quantity = 50\nsides = \"either\"\nmax_size_divergence_pct = 50");
    either.check(&[
        ("B 100 x 50", ""),
        ("S 100 x 50", ""),
        ("B 100 x 49", "bid_size+no_offer"),
        ("", "no_bid+no_offer"),
    ]);
    either.check(&[("B 100 x 49, S 105 x 50", ""), ("B 100 x 49, S 105 x 49", "bid_size+offer_size")]);
    // Where both are large enough their spread and their sizes are limited.
    either.check(&[("B 100 x 50, S 101 x 50", ""), ("B 100 x 50, S 101.0001 x 50", "spread")]);
    either.check(&[("B 100 x 50, S 101 x 100", ""), ("B 100 x 50, S 101 x 101", "size_balance")]);
}

// clause: XETRA/quantity-of-value
#[test]
fn a_value_may_stand_for_a_quantity() {
    // 1,000 by 102 are 9.8 shares: 10.
    let reference = || limits("max_spread_abs = 5\nmin_value = 1000\nmin_quantity_from_value = \"reference\"");
    let by_102 = reference().with_issue(",reference_price", ",102");
    by_102.check(&[
        ("B 1 x 10, S 2 x 10", ""),
        ("B 1 x 9, S 2 x 10", "bid_size"),
        ("B 500 x 9, S 501 x 9", "bid_size+offer_size"),
    ]);
    let by_100 = reference().with_issue(",reference_price", ",100");
    by_100.check(&[("B 1 x 10, S 2 x 10", ""), ("B 1 x 10, S 2 x 9", "offer_size")]);
    let by_99 = reference().with_issue(",reference_price", ",99.9999");
    by_99.check(&[("B 1 x 11, S 2 x 11", ""), ("B 1 x 10, S 2 x 11", "bid_size")]);
    // At the side's own price 10 are enough at 100 and more, 11 below.
    let side = limits("max_spread_abs = 5\nmin_value = 1000\nmin_quantity_from_value = \"side\"");
    side.check(&[
        ("B 100 x 10, S 101 x 10", ""),
        ("B 99.9999 x 10, S 100 x 10", "bid_size"),
        ("B 99.9999 x 11, S 100 x 10", ""),
    ]);
    // All count at the price where it is reached: 10 at 100 and below would be 990 at 99.
    side.check(&[("B 101 x 9, B 99 x 1, S 102 x 10", "bid_size"), ("B 101 x 9, B 99 x 2, S 102 x 10", "")]);
    side.check(&[("B 95 x 11, S 99 x 9, S 100 x 1", ""), ("B 95 x 11, S 99 x 9, S 99.9999 x 1", "offer_size")]);
    // With a quantity beside it both count, or one.
    let both = |rule| {
        let text = "max_spread_abs = 5\nmin_value = 1000\nmin_quantity = 12\nmin_quantity_from_value = \"reference\"";
        limits(&format!("{text}\nsize_rule = \"{rule}\"")).with_issue(",reference_price", ",102")
    };
    both("all").check(&[("B 1 x 12, S 2 x 12", ""), ("B 1 x 11, S 2 x 12", "bid_size")]);
    both("any").check(&[("B 1 x 10, S 2 x 10", ""), ("B 1 x 9, S 2 x 10", "bid_size")]);
}

// clause: BIT/limits-of-the-issue
#[test]
fn the_issue_may_have_its_own_limits() {
    let own = limits("limits_from = \"issue\"").with_issue(",max_spread_bps,min_value", ",100,1000");
    own.check(&[
        ("B 199 x 6, S 201 x 5", ""),
        ("B 199 x 6, S 201.0001 x 5", "spread"),
        ("B 199 x 5, S 201 x 5", "bid_size"),
    ]);
    // What the row leaves empty is the type's.
    let part = limits("limits_from = \"issue\"\nmax_spread_bps = 500\nmin_quantity = 5")
        .with_issue(",max_spread_bps,min_quantity", ",,7");
    part.check(&[
        ("B 195 x 7, S 205 x 7", ""),
        ("B 195 x 6, S 205 x 7", "bid_size"),
        ("B 195 x 7, S 206 x 7", "spread"),
    ]);
}

// clause: SIX/home-market-open
#[test]
fn other_limits_hold_at_times_of_the_day() {
    let regimes = "max_spread_abs = 5\nmin_quantity = 5\n[[types.T.regimes]]\nwindows = [\"10:00-11:00\"]\nmax_spread_abs = 2\n\
                   [[types.T.regimes]]\nwindows_from = \"issue\"\nmin_quantity = 9";
    let venue = limits(regimes).with_issue(",windows", ",10:30-11:10;14:00-14:30");
    // Of two that hold the first counts; what a regime does not name is the type's.
    assert_eq!(
        venue.breaches("B 100 x 5, S 103 x 5", "", ""),
        ["10:00:00 11:00:00 spread", "11:00:00 11:10:00 bid_size+offer_size", "14:00:00 14:30:00 bid_size+offer_size",]
    );
    assert_eq!(venue.breaches("B 100 x 5, S 102 x 5", "", "")[0], "11:00:00 11:10:00 bid_size+offer_size");
    assert_eq!(venue.breaches("B 100 x 9, S 105 x 9", "", ""), ["10:00:00 11:00:00 spread"]);
    // What a regime names wins over the issue's own row.
    let own = "limits_from = \"issue\"\n[[types.T.regimes]]\nwindows = [\"10:00-11:00\"]\nmax_spread_bps = 100";
    let own = limits(own).with_issue(",max_spread_bps,min_quantity", ",500,5");
    assert_eq!(own.breaches("B 195 x 5, S 205 x 5", "", ""), ["10:00:00 11:00:00 spread"]);
    assert_eq!(own.breaches("B 199 x 5, S 201 x 5", "", ""), [""; 0]);
}

// clause: XETRA/stress
#[test]
fn stress_begins_and_ends_within_a_day() {
    let plain = limits("max_spread_abs = 2\nmin_quantity = 10");
    let rows = |rows: &str| format!("from,to,spread_multiplier,size_multiplier\n{rows}\n");
    let twice = rows("2024-03-01T10:00:00+09:00,2024-03-01T11:00:00.000001+09:00,2,");
    assert_eq!(
        plain.breaches("B 100 x 10, S 104 x 10", "", &twice),
        ["09:00:00 10:00:00 spread", "11:00:00.000001 11:30:00 spread", "12:30:00 15:00:00 spread"]
    );
    assert_eq!(plain.breaches("B 100 x 10, S 104.0001 x 10", "", &twice)[0], "09:00:00 11:30:00 spread");
    // Sizes: half of 10 are 5, a third of 10 is rounded up to 4.
    let half = rows("2024-03-01T12:00:00+09:00,,,0.5");
    assert_eq!(plain.breaches("B 100 x 5, S 102 x 10", "", &half), ["09:00:00 11:30:00 bid_size"]);
    assert_eq!(plain.breaches("B 100 x 4, S 102 x 10", "", &half).len(), 2);
    let third = rows(",2024-03-01T12:00:00+09:00,,0.3333");
    assert_eq!(plain.breaches("B 100 x 4, S 102 x 10", "", &third), ["12:30:00 15:00:00 bid_size"]);
    assert_eq!(plain.breaches("B 100 x 3, S 102 x 10", "", &third).len(), 2);
    // Of several rows the widest counts, and a whole date may have any number.
    let both = "from,to,multiplier,spread_multiplier\n2024-03-01,2024-03-01,2,\n2024-03-01T10:00:00+09:00,,,1.5\n";
    assert_eq!(plain.breaches("B 100 x 10, S 104 x 10", "", both), [""; 0]);
    assert_eq!(plain.breaches("B 100 x 10, S 103 x 10", "", &rows("2024-03-01,2024-03-01,1.5,")), [""; 0]);
    assert_eq!(plain.breaches("B 100 x 10, S 103.0001 x 10", "", &rows("2024-03-01,2024-03-01,1.5,")).len(), 2);
    assert_eq!(plain.breaches("B 100 x 10, S 103 x 10", "", &rows("2024-03-02,,1.5,")).len(), 2);
}

// clause: TWSE/held
#[test]
fn quotes_that_do_not_rest_long_enough_do_not_count() {
    let held = limits("max_spread_abs = 2\nmin_quantity = 10\nmin_resting = \"30s\"");
    let during = |from: &str, to: &str| {
        let day = |clock: &str| format!("2024-03-01T{clock}+09:00");
        format!("from,to,spread_multiplier,size_multiplier\n{},{},2,\n", day(from), day(to))
    };
    // 4 apart, which is good while stress lasts: 30 s are enough, a microsecond less is not, and is a breach beside the others.
    let wide = |to: &str| held.breaches("B 100 x 10, S 104 x 10", "", &during("10:00:00", to));
    assert_eq!(wide("10:00:30")[..2], ["09:00:00 10:00:00 spread", "10:00:30 11:30:00 spread"]);
    assert_eq!(
        wide("10:00:29.999999")[..3],
        ["09:00:00 10:00:00 spread", "10:00:00 10:00:29.999999 resting", "10:00:29.999999 11:30:00 spread"]
    );
    // Other limits that are met as well end no stretch.
    assert_eq!(held.breaches("B 100 x 10, S 102 x 10", "", &during("09:00:00", "09:00:10")), [""; 0]);
    // A halt, and the end of a window, do: what was good until then for less is no better for it.
    let narrow = |phases: &str| held.breaches("B 100 x 10, S 102 x 10", phases, "");
    assert_eq!(narrow("09:00:30 halt, 09:10:00 continuous"), [""; 0]);
    assert_eq!(narrow("09:00:29.999999 halt, 09:10:00 continuous"), ["09:00:00 09:00:29.999999 resting"]);
    assert_eq!(narrow("11:29:00 halt, 11:29:30 continuous"), [""; 0]);
    assert_eq!(narrow("11:29:00 halt, 11:29:30.000001 continuous"), ["11:29:30.000001 11:30:00 resting"]);
    // What still runs where the day ends has not ended.
    let midnight = limits("max_spread_abs = 2\nmin_quantity = 10\nmin_resting = \"30s\"\nwindows = [\"12:00-24:00\"]");
    let late = "12:00:00 halt, 23:59:59 continuous";
    assert_eq!(midnight.breaches("B 100 x 10, S 102 x 10", late, ""), [""; 0]);
    let ended = "12:00:00 halt, 23:59:58 continuous, 23:59:59.999999 halt";
    assert_eq!(midnight.breaches("B 100 x 10, S 102 x 10", ended, ""), ["23:59:58 23:59:59.999999 resting"]);
}

// clause: BIT/auctions-included
// clause: TWSE/after-the-open
#[test]
fn a_type_may_have_its_own_time() {
    let of = |hours: &str| limits(&format!("max_spread_abs = 2\nmin_quantity = 10\n{hours}"));
    let auctions = of("phases = [\"continuous\", \"auction\"]");
    let phases = "10:00:00 auction, 10:05:00 halt, 10:10:00 continuous";
    let all =
        ["09:00:00 10:05:00 no_bid+no_offer", "10:10:00 11:30:00 no_bid+no_offer", "12:30:00 15:00:00 no_bid+no_offer"];
    assert_eq!(auctions.breaches("", phases, ""), all);
    assert_eq!(of("phases = [\"auction\"]").breaches("", phases, ""), ["10:00:00 10:05:00 no_bid+no_offer"]);
    let windows = of("windows = [\"09:05-15:20\"]\nphases = [\"continuous\"]");
    assert_eq!(windows.breaches("", "", ""), ["09:05:00 15:20:00 no_bid+no_offer"]);
    // The delay follows each beginning: of the windows, and after a halt.
    let delayed = of("start_delay = \"5m\"").breaches("", "10:00:00 halt, 10:10:00 continuous", "");
    let expected = ["09:05:00 10:00:00", "10:15:00 11:30:00", "12:35:00 15:00:00"];
    assert_eq!(delayed, expected.map(|span| format!("{span} no_bid+no_offer")));
}
