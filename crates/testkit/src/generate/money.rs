//! Made-up months for the rules about money: a registry of 13 months and the rows that its days would have left.
//!
//! Numbers are few and near every bound: equal volumes and times, averages and assets just at and just below their bounds,
//! shares of 4/5, rows that change in mid-month. The same seed gives the same case.

use crate::money::{AggregateNumbers, Case, ResultRow, SchemeNumbers, TurnoverRow, is_weekday};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, BTreeSet};

/// The month that is settled, and the 12 before it.
const LAST: Date = date(2024, 3, 1);

/// A made-up case.
pub fn case(seed: u64) -> Case {
    Maker { dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5151) }.case()
}

/// Numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    /// True once in `count`.
    fn once_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).expect("few choices")]
    }
}

/// A row that is in force from one date to another.
#[derive(Clone)]
struct Dated {
    from: Option<Date>,
    to: Option<Date>,
    fields: Vec<(&'static str, String)>,
}

impl Dated {
    fn get(&self, column: &str) -> &str {
        self.fields.iter().find(|(name, _)| *name == column).map_or("", |(_, value)| value)
    }

    fn in_force(&self, on: Date) -> bool {
        self.from.is_none_or(|from| from <= on) && self.to.is_none_or(|to| on <= to)
    }
}

/// Rows as the text of a file.
fn file(columns: &[&str], rows: &[Dated]) -> String {
    let mut text = format!("{},from,to\n", columns.join(","));
    for row in rows {
        let fields: Vec<&str> = columns.iter().map(|column| row.get(column)).collect();
        let date = |date: Option<Date>| date.map_or(String::new(), |date| date.to_string());
        text += &format!("{},{},{}\n", fields.join(","), date(row.from), date(row.to));
    }
    text
}

const INDICES: [&str; 3] = ["", "TOPIX", "DAX"];
const PARTICIPANTS: [&str; 3] = ["", "P1", "P2"];

struct Maker {
    dice: Dice,
}

impl Maker {
    fn case(&mut self) -> Case {
        let scheme = self.scheme();
        let months: Vec<Date> = (0..13).map(|back: i64| LAST - back.months()).collect();
        let days: BTreeSet<Date> = months.iter().flat_map(|first| self.days(*first)).collect();
        let codes: Vec<String> = (0..2 + self.dice.below(7)).map(|number| format!("{}", 1301 + number)).collect();
        let makers: Vec<String> = (0..1 + self.dice.below(4)).map(|number| format!("MM{number}")).collect();
        let issues: Vec<Dated> = codes.iter().flat_map(|code| self.issue(code)).collect();
        let sign_ups = self.sign_ups(&makers, &codes);
        let servers = self.servers(&makers);
        let sponsored = self.sponsored(&codes);
        let matching = self.matching(&codes);
        let excluded = if self.dice.once_in(3) { self.excluded(&days, &makers, &codes) } else { String::new() };
        let mut case = Case {
            registry: vec![
                ("scheme.toml".to_owned(), toml(&scheme)),
                ("issues.csv".to_owned(), file(&ISSUE_COLUMNS, &issues)),
                ("market_makers.csv".to_owned(), format!("market_maker\n{}\n", makers.join("\n"))),
                ("virtual_servers.csv".to_owned(), file(&["server", "market_maker", "participant"], &servers)),
                ("signups.csv".to_owned(), file(&["market_maker", "issue", "participant"], &sign_ups)),
                ("sponsored.csv".to_owned(), file(&SPONSORED_COLUMNS, &sponsored)),
                ("matching_funds.csv".to_owned(), file(&MATCHING_COLUMNS, &matching)),
            ],
            scheme,
            month: format!("{:04}-{:02}", LAST.year(), LAST.month()),
            days: days.clone(),
            results: Vec::new(),
            turnovers: Vec::new(),
            market: Vec::new(),
        };
        if !excluded.is_empty() {
            case.registry.push(("excluded_days.csv".to_owned(), excluded));
        }
        for on in days {
            self.day(&mut case, on, &issues, &sign_ups, (&sponsored, &matching));
        }
        case
    }

    /// The built-in scheme's numbers, or smaller ones that a few ETFs reach.
    fn scheme(&mut self) -> SchemeNumbers {
        let tiers = |rows: [[&str; 3]; 4]| rows.map(|row| row.map(str::to_owned)).to_vec();
        let built_in = [
            ["100000000", "0.5", "0.2"],
            ["500000000", "0.25", "0.2"],
            ["1000000000", "0.15", "0.1"],
            ["5000000000", "0.1", "0.1"],
        ];
        let small = [["100", "33.3333", "0"], ["200", "7", "0.0001"], ["300", "5", "4"], ["1000", "100", "10000"]];
        let is_small = !self.dice.once_in(8);
        let mut diversified = BTreeMap::new();
        if self.dice.once_in(2) {
            for (place, tier) in ["I", "II", "III", "IV"].iter().enumerate() {
                if !self.dice.once_in(3) {
                    let [bound, _, _] = if is_small { small[place] } else { built_in[place] };
                    diversified.insert((*tier).to_owned(), [bound, "9.75", "8"].map(str::to_owned));
                }
            }
        }
        SchemeNumbers {
            etfs_required: if is_small { self.dice.of(&[0, 1, 2, 3]) } else { 5 },
            order_fee: if is_small { self.dice.of(&["0.1", "0.3333", "2"]).to_owned() } else { "0.1".to_owned() },
            orders_max: if is_small { 10 } else { 100_000 },
            server_fee: if is_small { "100.5" } else { "90000" }.to_owned(),
            server_steps: if is_small {
                vec![(1, 1), (3, 2)]
            } else {
                vec![(20, 2), (30, 3), (40, 4), (60, 6), (80, 8), (100, 10)]
            },
            server_beyond: if is_small { (2, 1) } else { (20, 2) },
            drop_pct: self.dice.of(&["5", "80", "33.3333"]).to_owned(),
            drop_months: self.dice.of(&[1, 2, 6]),
            revoke_months: self.dice.of(&[1, 3, 12]),
            tiers: tiers(if is_small { small } else { built_in }),
            diversified,
            access_fee_signed_up: self.dice.once_in(4),
            aggregate: if self.dice.once_in(3) { self.aggregate() } else { AggregateNumbers::default() },
            criteria: self.dice.of(&["", "", "", "a;b;c", "solo"]).split_terminator(';').map(str::to_owned).collect(),
            need: self.dice.of(&[None, Some(1), Some(2)]),
        }
        .with_need_of_criteria()
    }

    /// How a month is judged by its days.
    fn aggregate(&mut self) -> AggregateNumbers {
        AggregateNumbers {
            month: self.dice.of(&["sum", "mean_of_days", "days"]).to_owned(),
            days_pct: self.dice.of(&[500_000, 800_000, 666_667, 1_000_000, 0]),
            max_days_below: self.dice.of(&[None, None, Some(0), Some(1), Some(2)]),
            day_floor_pct: self.dice.of(&[None, None, Some(500_000), Some(800_000)]),
        }
    }

    /// Days that are left out, now and then.
    fn excluded(&mut self, days: &BTreeSet<Date>, makers: &[String], codes: &[String]) -> String {
        let mut text = "date,issue,market_maker,only_if_failed\n".to_owned();
        for on in days {
            if self.dice.once_in(12) {
                let some = usize::try_from(self.dice.below(16)).expect("few");
                let issue = if some % 2 == 0 { "*" } else { &codes[some % codes.len()] };
                let maker = if some < 4 {
                    "*"
                } else if some < 8 {
                    ""
                } else {
                    &makers[some % makers.len()]
                };
                text += &format!("{on},{issue},{maker},{}\n", self.dice.of(&["", "true", "true", "false"]));
            }
        }
        text
    }

    /// Some trading days of a month; now and then none.
    fn days(&mut self, first: Date) -> Vec<Date> {
        if first != LAST && self.dice.once_in(12) {
            return Vec::new();
        }
        let count = 1 + self.dice.below(4);
        let mut days: Vec<Date> =
            (0..count).map(|_| first + i64::try_from(self.dice.below(28)).expect("a day").days()).collect();
        days.retain(|date| is_weekday(*date));
        days
    }

    /// A date in or near the month that is settled.
    fn near(&mut self) -> Date {
        date(2024, 3, 15) + (i64::try_from(self.dice.below(40)).expect("days") - 25).days()
    }

    fn issue(&mut self, code: &str) -> Vec<Dated> {
        let listed = match self.dice.below(4) {
            0 => String::new(),
            1 => self.near().to_string(),
            2 => date(2023, 10, 2).to_string(),
            _ => date(2020, 1, 6).to_string(),
        };
        let row = |maker: &mut Maker| {
            let tier = maker.dice.of(&["", "", "", "", "II", "V"]);
            let of = |choices: &[&str], dice: &mut Dice| dice.of(choices).to_owned();
            Dated {
                from: None,
                to: None,
                fields: vec![
                    ("issue", code.to_owned()),
                    ("type", "C".to_owned()),
                    ("tick_table", "01".to_owned()),
                    ("leveraged_inverse", of(&["false", "false", "false", "false", "true"], &mut maker.dice)),
                    ("index", of(&INDICES, &mut maker.dice)),
                    ("tier", tier.to_owned()),
                    ("diversified", of(&["false", "true"], &mut maker.dice)),
                    ("listed", listed.clone()),
                    ("aum_jpy", of(&["", "999.9999", "1000", "1000.0001"], &mut maker.dice)),
                ],
            }
        };
        let mut first = row(self);
        match self.dice.below(4) {
            0 => {
                let mut second = row(self);
                let change = self.near();
                first.to = change.yesterday().ok();
                second.from = Some(change);
                vec![first, second]
            }
            1 => {
                // Gone in mid-month, or new.
                if self.dice.once_in(2) {
                    first.to = Some(self.near())
                } else {
                    first.from = Some(self.near())
                }
                vec![first]
            }
            _ => vec![first],
        }
    }

    fn sign_ups(&mut self, makers: &[String], codes: &[String]) -> Vec<Dated> {
        let mut rows = Vec::new();
        for market_maker in makers {
            for code in codes {
                if self.dice.once_in(5) {
                    continue;
                }
                let from = self.dice.of(&[None, Some(date(2020, 1, 1)), Some(date(2023, 9, 1))]);
                let row = |dice: &mut Dice, from, to| Dated {
                    from,
                    to,
                    fields: vec![
                        ("market_maker", market_maker.clone()),
                        ("issue", code.clone()),
                        ("participant", dice.of(&PARTICIPANTS).to_owned()),
                    ],
                };
                if self.dice.once_in(3) {
                    // The participant changes, perhaps with a gap.
                    let change = self.near();
                    let gap = self.dice.of(&[1, 1, 5]).days();
                    rows.push(row(&mut self.dice, from, Some(change)));
                    rows.push(row(&mut self.dice, Some(change + gap), None));
                } else {
                    rows.push(row(&mut self.dice, from, None));
                }
            }
        }
        rows
    }

    fn servers(&mut self, makers: &[String]) -> Vec<Dated> {
        let mut rows = Vec::new();
        for market_maker in makers {
            for number in 0..self.dice.below(5) {
                let (from, to) = self.dice.of(&[
                    (None, None),
                    (Some(date(2024, 3, 31)), None),
                    (Some(date(2024, 4, 1)), None),
                    (None, Some(date(2024, 3, 1))),
                    (None, Some(date(2024, 2, 29))),
                ]);
                rows.push(Dated {
                    from,
                    to,
                    fields: vec![
                        ("server", format!("{market_maker}-{number}")),
                        ("market_maker", market_maker.clone()),
                        ("participant", String::new()),
                    ],
                });
            }
        }
        rows
    }

    fn payment(&mut self) -> Vec<(&'static str, String)> {
        let mut of = |choices: &[&str]| self.dice.of(choices).to_owned();
        vec![
            ("max_spread_bps", "50".to_owned()),
            ("min_value_jpy", "1000000".to_owned()),
            ("coverage_pct", of(&["", "80", "75.5", "0"])),
            ("total_jpy", of(&["", "100000", "100001", "333333.3333", "1000000"])),
            ("payment", of(&["", "fixed", "proportional"])),
            ("max_makers", of(&["", "1", "2", "3"])),
            ("priority", of(&["", "volume", "time", "signup", "time;volume", "signup;time;volume"])),
            ("aum_trigger_jpy", of(&["", "", "0", "1000"])),
            ("aum_part_jpy", of(&["", "", "0", "50000.5", "2000000"])),
        ]
    }

    fn period(&mut self) -> (Option<Date>, Option<Date>) {
        match self.dice.below(4) {
            0 => (Some(self.near()), None),
            1 => (None, Some(self.near())),
            _ => (Some(date(2023, 1, 1)), None),
        }
    }

    fn sponsored(&mut self, codes: &[String]) -> Vec<Dated> {
        let mut rows = Vec::new();
        for name in ["S1", "S2"] {
            let count = self.dice.of(&[0, 1, 1, 2, 3]);
            for code in codes.iter().take(count) {
                let (from, to) = self.period();
                let mut fields = vec![("condition", name.to_owned()), ("issue", code.clone())];
                fields.extend(self.payment());
                let row = Dated { from, to, fields };
                // The terms change in mid-month.
                if let Some(end) = row.to.filter(|_| self.dice.once_in(2)) {
                    let mut fields = vec![("condition", name.to_owned()), ("issue", code.clone())];
                    fields.extend(self.payment());
                    rows.push(Dated { from: end.tomorrow().ok(), to: None, fields });
                }
                rows.push(row);
            }
        }
        rows
    }

    fn matching(&mut self, codes: &[String]) -> Vec<Dated> {
        let mut rows = Vec::new();
        for name in ["M1", "M2"] {
            for index in ["TOPIX", "DAX"] {
                if self.dice.once_in(2) {
                    continue;
                }
                let (from, to) = self.period();
                let max_issues = self.dice.of(&["", "1", "2"]).to_owned();
                let mut fields =
                    vec![("condition", name.to_owned()), ("index", index.to_owned()), ("max_issues", max_issues)];
                fields.extend(self.payment());
                rows.push(Dated { from, to, fields });
            }
            if self.dice.once_in(2) {
                let (from, to) = self.period();
                let code = codes[usize::try_from(self.dice.below(codes.len() as u64)).expect("few")].clone();
                let mut fields = vec![("condition", name.to_owned()), ("issue", code), ("max_issues", "1".to_owned())];
                fields.extend(self.payment());
                rows.push(Dated { from, to, fields });
            }
        }
        rows
    }

    fn day(&mut self, case: &mut Case, on: Date, issues: &[Dated], sign_ups: &[Dated], of: (&[Dated], &[Dated])) {
        for issue in issues.iter().filter(|row| row.in_force(on)) {
            if !self.dice.once_in(4) {
                let small = [0, 999_999, 1_000_000, 1_000_001, 2_500_000, 2_999_999, 3_000_000, 9_999_999];
                let value = self.dice.of(&small) * self.dice.of(&[1, 1, 1_000_000, 1_000_000]);
                case.market.push((on, issue.get("issue").to_owned(), value));
            }
        }
        for sign_up in sign_ups.iter().filter(|row| row.in_force(on)) {
            let (market_maker, code) = (sign_up.get("market_maker"), sign_up.get("issue"));
            let Some(issue) = issues.iter().find(|row| row.get("issue") == code && row.in_force(on)) else { continue };
            let mut obligations: BTreeMap<String, i128> = match &case.scheme.criteria[..] {
                [] => BTreeMap::from([("general".to_owned(), 800_000)]),
                criteria => criteria
                    .iter()
                    .zip([800_000, 500_000, 755_000])
                    .map(|(name, required)| (format!("general:{name}"), required))
                    .collect(),
            };
            // Now and then a criterion is there on some days only.
            if 1 < obligations.len() && self.dice.once_in(5) {
                obligations.pop_last();
            }
            let required = |row: &Dated| match row.get("coverage_pct") {
                "75.5" => 755_000,
                "0" => 0,
                _ => 800_000,
            };
            for row in of.0.iter().filter(|row| row.in_force(on) && row.get("issue") == code) {
                obligations.insert(format!("sponsored:{}", row.get("condition")), required(row));
            }
            let index = issue.get("index");
            let is_of_index = |row: &&Dated| row.get("issue").is_empty() && row.get("index") == index;
            let own = of.1.iter().filter(|row| row.get("issue") == code);
            for row in of.1.iter().filter(is_of_index).chain(own).filter(|row| row.in_force(on)) {
                obligations.insert(format!("matching:{}", row.get("condition")), required(row));
            }
            for (obligation, required) in obligations {
                let available = self.dice.of(&[0, 10, 10, 10, 20]);
                let fulfilled = available * self.dice.of(&[0, 4, 7, 8, 8, 8, 9, 10]) / 10;
                let (market_maker, issue) = (market_maker.to_owned(), code.to_owned());
                case.results.push(ResultRow {
                    date: on,
                    market_maker,
                    issue,
                    obligation,
                    required,
                    available,
                    fulfilled,
                });
            }
            let traded = |dice: &mut Dice| {
                let quantity = dice.of(&[0, 0, 10, 10, 20]);
                (quantity * dice.of(&[9_999_999, 10_000_000, 12_345]), quantity)
            };
            case.turnovers.push(TurnoverRow {
                date: on,
                market_maker: market_maker.to_owned(),
                issue: code.to_owned(),
                orders: self.dice.of(&[0, 9, 10, 11, 99_999, 100_000, 100_001]),
                continuous: [(); 3].map(|()| traded(&mut self.dice)),
                auction: [(); 3].map(|()| traded(&mut self.dice)),
            });
        }
    }
}

impl SchemeNumbers {
    /// The same, of no more criteria than there are.
    fn with_need_of_criteria(mut self) -> SchemeNumbers {
        self.need = self.need.filter(|need| *need <= self.criteria.len());
        self
    }
}

const ISSUE_COLUMNS: [&str; 9] =
    ["issue", "type", "tick_table", "leveraged_inverse", "index", "tier", "diversified", "listed", "aum_jpy"];
const SPONSORED_COLUMNS: [&str; 11] = [
    "condition",
    "issue",
    "max_spread_bps",
    "min_value_jpy",
    "coverage_pct",
    "total_jpy",
    "payment",
    "max_makers",
    "priority",
    "aum_trigger_jpy",
    "aum_part_jpy",
];
const MATCHING_COLUMNS: [&str; 13] = [
    "condition",
    "issue",
    "index",
    "max_issues",
    "max_spread_bps",
    "min_value_jpy",
    "coverage_pct",
    "total_jpy",
    "payment",
    "max_makers",
    "priority",
    "aum_trigger_jpy",
    "aum_part_jpy",
];

fn toml(scheme: &SchemeNumbers) -> String {
    let steps: Vec<String> = scheme.server_steps.iter().map(|(etfs, servers)| format!("[{etfs}, {servers}]")).collect();
    let row = |[bound, others, auction]: &[String; 3]| format!("[\"{bound}\", \"{others}\", \"{auction}\"]");
    let mut text = String::new();
    if !scheme.criteria.is_empty() {
        text += "[types.C]\nmax_spread_bps = 50\nmin_value = 5000000\n";
        text += &scheme.need.map_or(String::new(), |need| format!("need = {need}\n"));
        for name in &scheme.criteria {
            text += &format!("[[types.C.criteria]]\nname = \"{name}\"\n");
        }
    }
    let AggregateNumbers { month, days_pct, max_days_below, day_floor_pct } = &scheme.aggregate;
    if !month.is_empty() {
        let percent = |units: i128| format!("{}.{:04}", units / 10_000, units % 10_000);
        text += &format!("[aggregate]\nmonth = \"{month}\"\n");
        if month == "days" {
            text += &format!("days_pct = {}\n", percent(*days_pct));
        }
        text += &max_days_below.map_or(String::new(), |most| format!("max_days_below = {most}\n"));
        text += &day_floor_pct.map_or(String::new(), |floor| format!("day_floor_pct = {}\n", percent(floor)));
    }
    if scheme.access_fee_signed_up {
        text += "[interpretations]\naccess_fee_issues = \"signed_up\"\n";
    }
    text += &format!(
        "[incentives]\netfs_required = {}\norder_fee = \"{}\"\norders_max = {}\nserver_fee = {}\nserver_steps = [{}]\n\
         server_beyond = [{}, {}]\ndrop_pct = {}\ndrop_months = {}\nrevoke_months = {}\n[incentives.tiers]\n",
        scheme.etfs_required,
        scheme.order_fee,
        scheme.orders_max,
        scheme.server_fee,
        steps.join(", "),
        scheme.server_beyond.0,
        scheme.server_beyond.1,
        scheme.drop_pct,
        scheme.drop_months,
        scheme.revoke_months
    );
    for (tier, terms) in ["I", "II", "III", "IV"].iter().zip(&scheme.tiers) {
        text += &format!("{tier} = {}\n", row(terms));
    }
    text += "[incentives.diversified]\n";
    for (tier, terms) in &scheme.diversified {
        text += &format!("{tier} = {}\n", row(terms));
    }
    text
}
