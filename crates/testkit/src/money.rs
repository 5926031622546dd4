//! What follows from a month's stored days, in the plainest way there is: a second reading of the rules about money.
//!
//! [`settle`] reads the registry's files and the stored rows as text and whole numbers, goes through every combination of
//! market maker, issue and condition one after the other, works everything out anew wherever it is needed, and writes the
//! files that a report has. Sums are fractions; nothing is remembered.
//!
//! Deliberately absent: speed, the check of a registry, `scheme.toml` (its numbers come as [`SchemeNumbers`]).

use crate::text::{Row, rows, ten_thousandths, whole};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use num_bigint::BigInt;
use num_rational::Ratio;
use std::collections::{BTreeMap, BTreeSet};

type Fraction = Ratio<BigInt>;

/// The stored rows of some months, and the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The files of the registry folder: name and text.
    pub registry: Vec<(String, String)>,
    /// The numbers of its scheme.
    pub scheme: SchemeNumbers,
    /// The month to settle, such as `2024-03`.
    pub month: String,
    /// The dates that are stored.
    pub days: BTreeSet<Date>,
    /// Times of obligations.
    pub results: Vec<ResultRow>,
    /// Executions and orders of sign-ups.
    pub turnovers: Vec<TurnoverRow>,
    /// Continuous trading value of the market: date, issue, ten-thousandths of a yen.
    pub market: Vec<(Date, String, i128)>,
}

/// `[incentives]` of a scheme; decimal numbers as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeNumbers {
    /// Number of ETFs.
    pub etfs_required: usize,
    /// Waived for an order.
    pub order_fee: String,
    /// Orders that count per ETF and day.
    pub orders_max: i128,
    /// A virtual server's fee.
    pub server_fee: String,
    /// From so many ETFs on so many servers.
    pub server_steps: Vec<(usize, usize)>,
    /// Beyond the last step.
    pub server_beyond: (usize, usize),
    /// Percentage of the six-month average.
    pub drop_pct: String,
    /// Its months.
    pub drop_months: i64,
    /// Months without the number of ETFs.
    pub revoke_months: i64,
    /// Average under, others, auction or market maker; tiers I to IV.
    pub tiers: Vec<[String; 3]>,
    /// The same for diversified issues, by tier.
    pub diversified: BTreeMap<String, [String; 3]>,
    /// `access_fee_issues = "signed_up"`.
    pub access_fee_signed_up: bool,
    /// `[aggregate]`.
    pub aggregate: AggregateNumbers,
    /// Names of the criteria that every issue asks for in place of `general`; mostly none.
    pub criteria: Vec<String>,
    /// How many of them are needed.
    pub need: Option<usize>,
}

/// `[aggregate]` of a scheme; percentages in ten-thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the keys of the table")]
pub struct AggregateNumbers {
    pub month: String,
    pub days_pct: i128,
    pub max_days_below: Option<usize>,
    pub day_floor_pct: Option<i128>,
}

/// One obligation on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the stored rows")]
pub struct ResultRow {
    pub date: Date,
    pub market_maker: String,
    pub issue: String,
    pub obligation: String,
    /// Ten-thousandths of a percent.
    pub required: i128,
    pub available: i128,
    pub fulfilled: i128,
}

/// One sign-up on one day. Values in ten-thousandths of a yen, quantities in shares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the stored rows")]
pub struct TurnoverRow {
    pub date: Date,
    pub market_maker: String,
    pub issue: String,
    pub orders: i128,
    /// Value and quantity: against market makers, others and unnamed orders.
    pub continuous: [(i128, i128); 3],
    pub auction: [(i128, i128); 3],
}

/// The files of a report, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the text of the file of that name")]
pub struct Files {
    pub market_makers: String,
    pub criteria: String,
    pub incentives: String,
    pub conditions: String,
    pub tiers: String,
    pub recommendations: String,
    pub payments: String,
}

/// Settles the month of the case; `None` if a file of the registry cannot be read.
pub fn settle(case: &Case) -> Option<Files> {
    let file = |name: &str| {
        let text = case.registry.iter().find(|(of, _)| of == name).map_or("", |(_, text)| text);
        rows(text).unwrap_or_default()
    };
    let money = Money {
        case,
        issues: file("issues.csv"),
        servers: file("virtual_servers.csv"),
        signups: file("signups.csv"),
        sponsored: file("sponsored.csv"),
        matching: file("matching_funds.csv"),
        excluded: file("excluded_days.csv"),
        first: format!("{}-01", case.month).parse().ok()?,
    };
    Some(Files {
        market_makers: money.market_makers(),
        criteria: file_text("month,market_maker,issue,criteria,met,need,status,certain", money.criteria()),
        incentives: file_text(
            "month,market_maker,participant,issue,tier,incentive,basis,rate,amount_jpy,clause",
            money.incentives(),
        ),
        conditions: file_text(
            "month,condition,issue,market_maker,status,place,executed_quantity,trading_value_jpy,amount_jpy,\
             by_exchange_jpy,by_asset_manager_jpy,note",
            money.conditions(),
        ),
        tiers: money.tiers(),
        recommendations: file_text("month,market_maker,issue,recommendation,figure,clause", money.recommendations()),
        payments: money.payments(),
    })
}

/// A header and lines sorted field by field, bytewise.
fn file_text(header: &str, mut lines: Vec<Vec<String>>) -> String {
    lines.sort();
    let mut text = format!("{header}\n");
    for line in lines {
        text.push_str(&line.join(","));
        text.push('\n');
    }
    text
}

fn fraction(numerator: i128, denominator: i128) -> Fraction {
    Fraction::new(numerator.into(), denominator.into())
}

/// Decimal text as a fraction.
fn decimal(text: &str) -> Fraction {
    fraction(ten_thousandths(text).expect("a decimal number"), 10_000)
}

fn floor(number: &Fraction) -> String {
    number.floor().to_integer().to_string()
}

/// A fraction of ten-thousandths as a decimal without needless zeros.
fn trimmed(ten_thousandths: i128) -> String {
    let (whole, part) = (ten_thousandths / 10_000, ten_thousandths % 10_000);
    let text = format!("{whole}.{part:04}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as a percentage with four decimals, half up.
fn percent(share: &Fraction) -> String {
    let scaled = share * fraction(1_000_000, 1) + fraction(1, 2);
    let units: i128 = scaled.floor().to_integer().to_string().parse().expect("a percentage");
    format!("{}.{:04}", units / 10_000, units % 10_000)
}

/// Whether an obligation is the scheme's own, or one of its criteria.
fn is_general(obligation: &str) -> bool {
    obligation == "general" || obligation.starts_with("general:")
}

struct Money<'c> {
    case: &'c Case,
    issues: Vec<Row>,
    servers: Vec<Row>,
    signups: Vec<Row>,
    sponsored: Vec<Row>,
    matching: Vec<Row>,
    excluded: Vec<Row>,
    first: Date,
}

fn in_force(row: &Row, date: Date) -> bool {
    let bound = |column: &str| row.get(column).parse::<Date>().ok();
    bound("from").is_none_or(|from| from <= date) && bound("to").is_none_or(|to| date <= to)
}

/// The dates of the month that begins with `first`.
fn dates(first: Date) -> Vec<Date> {
    first.series(1.day()).take_while(|date| date.month() == first.month()).collect()
}

/// A sum of one obligation over the month.
struct Sum {
    available: i128,
    fulfilled: i128,
    required: i128,
    last: Date,
    /// The share of each day with available time, and what it required.
    shares: Vec<(Fraction, Fraction)>,
    /// How they are judged.
    aggregate: AggregateNumbers,
}

impl Sum {
    fn status(&self) -> &'static str {
        if self.available == 0 {
            "not_applicable"
        } else if self.reaches() {
            "fulfilled"
        } else {
            "not_fulfilled"
        }
    }

    fn reaches(&self) -> bool {
        let required = fraction(self.required, 1_000_000);
        let count = fraction(i128::try_from(self.shares.len()).expect("few days"), 1);
        let below = self.shares.iter().filter(|(share, required)| share < required).count();
        let compliant = &count - fraction(i128::try_from(below).expect("few days"), 1);
        let month = match self.aggregate.month.as_str() {
            "mean_of_days" => self.shares.iter().map(|(share, _)| share).sum::<Fraction>() / count >= required,
            "days" => compliant / count >= fraction(self.aggregate.days_pct, 1_000_000),
            _ => fraction(self.fulfilled, self.available) >= required,
        };
        let floor = self.aggregate.day_floor_pct.map(|floor| fraction(floor, 1_000_000));
        month
            && self.aggregate.max_days_below.is_none_or(|most| below <= most)
            && floor.is_none_or(|floor| self.shares.iter().all(|(share, _)| *share >= floor))
    }
}

impl Money<'_> {
    fn issue_row(&self, issue: &str, date: Date) -> Option<&Row> {
        self.issues.iter().find(|row| row.get("issue") == issue && in_force(row, date))
    }

    /// All market makers, issues and obligations measured in a month.
    fn measured(&self, first: Date) -> BTreeSet<(String, String, String)> {
        let of_month = |row: &&ResultRow| row.date.first_of_month() == first;
        let key = |row: &ResultRow| (row.market_maker.clone(), row.issue.clone(), row.obligation.clone());
        self.case.results.iter().filter(of_month).map(key).collect()
    }

    fn sum(&self, first: Date, market_maker: &str, issue: &str, obligation: &str) -> Option<Sum> {
        let mut sum: Option<Sum> = None;
        for row in &self.case.results {
            let is_own = row.market_maker == market_maker && row.issue == issue && row.obligation == obligation;
            if !is_own || row.date.first_of_month() != first {
                continue;
            }
            let aggregate = match obligation {
                own if is_general(own) => self.case.scheme.aggregate.clone(),
                _ => AggregateNumbers::default(),
            };
            let (required, last) = (row.required, row.date);
            let empty = Sum { available: 0, fulfilled: 0, required, last, shares: Vec::new(), aggregate };
            let so_far = sum.get_or_insert(empty);
            if !self.is_left_out(row) {
                so_far.available += row.available;
                so_far.fulfilled += row.fulfilled;
                if row.available != 0 {
                    let share = fraction(row.fulfilled, row.available);
                    so_far.shares.push((share, fraction(row.required, 1_000_000)));
                }
            }
            if so_far.last <= row.date {
                (so_far.last, so_far.required) = (row.date, row.required);
            }
        }
        sum
    }

    /// Whether the day plays no part in the month.
    fn is_left_out(&self, day: &ResultRow) -> bool {
        let fails = || day.available != 0 && fraction(day.fulfilled, day.available) < fraction(day.required, 1_000_000);
        self.excluded.iter().any(|row| {
            row.get("date") == day.date.to_string()
                && ["*", day.issue.as_str()].contains(&row.get("issue"))
                && ["", "*", day.market_maker.as_str()].contains(&row.get("market_maker"))
                && (row.get("only_if_failed") != "true" || fails())
        })
    }

    fn is_leveraged(&self, issue: &str, date: Date) -> bool {
        self.issue_row(issue, date).is_some_and(|row| row.get("leveraged_inverse") == "true")
    }

    /// The market makers and issues of a month of which the scheme asks something.
    fn asked(&self, first: Date) -> BTreeSet<(String, String)> {
        let general = self.measured(first).into_iter().filter(|(_, _, obligation)| is_general(obligation));
        general.map(|(market_maker, issue, _)| (market_maker, issue)).collect()
    }

    /// What the scheme asked of a sign-up on the last date on which it asked anything.
    fn asked_last(&self, first: Date, market_maker: &str, issue: &str) -> Vec<Sum> {
        let measured = self.measured(first);
        let own = measured.iter().filter(|(maker, of, name)| maker == market_maker && of == issue && is_general(name));
        let sums: Vec<Sum> = own.filter_map(|(_, _, name)| self.sum(first, market_maker, issue, name)).collect();
        let last = sums.iter().map(|sum| sum.last).max();
        sums.into_iter().filter(|sum| Some(sum.last) == last).collect()
    }

    /// Whether a sign-up's month is fulfilled: `general`, or as many criteria as are needed, or all that could be.
    fn status_of_sign_up(&self, first: Date, market_maker: &str, issue: &str) -> &'static str {
        let sums = self.asked_last(first, market_maker, issue);
        let count = |status: &str| sums.iter().filter(|sum| sum.status() == status).count();
        let need = self.need(&sums);
        match (count("fulfilled"), count("not_fulfilled")) {
            (0, 0) => "not_applicable",
            (met, missed) if missed == 0 || met >= need => "fulfilled",
            _ => "not_fulfilled",
        }
    }

    fn need(&self, sums: &[Sum]) -> usize {
        self.case.scheme.need.filter(|need| *need <= sums.len()).unwrap_or(sums.len())
    }

    fn criteria(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        for (market_maker, issue) in self.asked(self.first) {
            if self.case.scheme.criteria.is_empty() {
                continue;
            }
            let sums = self.asked_last(self.first, &market_maker, &issue);
            let met = sums.iter().filter(|sum| sum.status() == "fulfilled").count();
            let status = self.status_of_sign_up(self.first, &market_maker, &issue).to_owned();
            let (count, need) = (sums.len().to_string(), self.need(&sums).to_string());
            // Nothing is unknown here.
            let certain = "yes".to_owned();
            lines.push(vec![
                self.case.month.clone(),
                market_maker,
                issue,
                count,
                met.to_string(),
                need,
                status,
                certain,
            ]);
        }
        lines
    }

    fn etfs(&self, first: Date, market_maker: &str) -> usize {
        let counts = |issue: &str| {
            let last = self.asked_last(first, market_maker, issue)[0].last;
            self.status_of_sign_up(first, market_maker, issue) == "fulfilled" && !self.is_leveraged(issue, last)
        };
        let asked = self.asked(first);
        asked.iter().filter(|(of, issue)| of == market_maker && counts(issue)).count()
    }

    fn qualifies(&self, first: Date, market_maker: &str) -> bool {
        self.etfs(first, market_maker) >= self.case.scheme.etfs_required
    }

    fn sign_up_rows<'m>(&'m self, market_maker: &'m str, issue: &'m str) -> impl Iterator<Item = &'m Row> {
        self.signups.iter().filter(move |row| row.get("market_maker") == market_maker && row.get("issue") == issue)
    }

    fn participant(&self, market_maker: &str, issue: &str, date: Date) -> String {
        let row = self.sign_up_rows(market_maker, issue).find(|row| in_force(row, date));
        row.map_or(String::new(), |row| row.get("participant").to_owned())
    }

    fn in_force_in_month(&self, row: &Row) -> bool {
        dates(self.first).into_iter().any(|date| in_force(row, date))
    }

    /// Market maker: number of ETFs, free servers, registered ones, participant, waiver.
    fn makers(&self) -> Vec<(String, usize, usize, usize, String, Fraction)> {
        let signed_up =
            self.signups.iter().filter(|row| self.in_force_in_month(row)).map(|row| row.get("market_maker"));
        let mut names: BTreeSet<String> = signed_up.map(str::to_owned).collect();
        names.extend(self.measured(self.first).into_iter().map(|(market_maker, _, _)| market_maker));
        let scheme = &self.case.scheme;
        let of = |name: String| {
            let etfs = self.etfs(self.first, &name);
            let mut free = 0;
            for (step, (from, servers)) in scheme.server_steps.iter().enumerate() {
                if etfs >= *from {
                    free = *servers;
                    if step + 1 == scheme.server_steps.len() {
                        free += (etfs - from) / scheme.server_beyond.0 * scheme.server_beyond.1;
                    }
                }
            }
            let own = self.servers.iter().filter(|row| row.get("market_maker") == name && self.in_force_in_month(row));
            let registered = own.map(|row| row.get("server")).collect::<BTreeSet<_>>().len();
            let own = self.signups.iter().filter(|row| row.get("market_maker") == name && self.in_force_in_month(row));
            let participants: BTreeSet<&str> =
                own.map(|row| row.get("participant")).filter(|of| !of.is_empty()).collect();
            let lowest = participants.first().map_or(String::new(), |lowest| (*lowest).to_owned());
            let servers = if etfs >= scheme.etfs_required { free.min(registered) } else { 0 };
            let waiver = decimal(&scheme.server_fee) * Fraction::from_integer(servers.into());
            (name, etfs, free, registered, lowest, waiver.floor())
        };
        names.into_iter().map(of).collect()
    }

    fn market_makers(&self) -> String {
        let required = self.case.scheme.etfs_required;
        let mut text = "month,market_maker,etfs_fulfilled,etfs_required,qualifies,free_servers,servers_registered,\
                        server_participant,server_waiver_jpy\n"
            .to_owned();
        for (name, etfs, free, registered, participant, waiver) in self.makers() {
            let qualifies = if etfs >= required { "yes" } else { "no" };
            let month = &self.case.month;
            text +=
                &format!("{month},{name},{etfs},{required},{qualifies},{free},{registered},{participant},{waiver}\n");
        }
        text
    }

    /// From the first day of the measuring period to the last day in force.
    fn review(&self) -> [Date; 4] {
        let day = |year: i16, month: i8| Date::new(year, month, 1).expect("a month");
        let year = self.first.year();
        let (measured, in_force) = match self.first.month() {
            1..=3 => (day(year - 1, 9), day(year, 1)),
            4..=6 => (day(year - 1, 12), day(year, 4)),
            7..=9 => (day(year, 3), day(year, 7)),
            _ => (day(year, 6), day(year, 10)),
        };
        let end = |first: Date| (first + 2.months()).last_of_month();
        [measured, end(measured), in_force, end(in_force)]
    }

    /// Days and value of the review.
    fn review_of(&self, issue: &str) -> (i128, i128) {
        let [from, to, ..] = self.review();
        let (mut days, mut value) = (0, 0);
        for date in self.case.days.iter().filter(|date| (from..=to).contains(*date)) {
            let Some(row) = self.issue_row(issue, *date) else { continue };
            if row.get("listed").parse::<Date>().is_ok_and(|listed| *date < listed) {
                continue;
            }
            days += 1;
            value += self
                .case
                .market
                .iter()
                .filter(|(of, code, _)| of == date && code == issue)
                .map(|row| row.2)
                .sum::<i128>();
        }
        (days, value)
    }

    /// The tier of an issue by its row of a date; empty where it is unknown.
    fn tier(&self, issue: &str, date: Date) -> String {
        let Some(row) = self.issue_row(issue, date) else { return String::new() };
        if row.get("leveraged_inverse") == "true" {
            return "V".to_owned();
        }
        if !row.get("tier").is_empty() {
            return row.get("tier").to_owned();
        }
        let (days, value) = self.review_of(issue);
        if days == 0 {
            let after = row.get("listed").parse::<Date>().is_ok_and(|listed| listed > self.review()[1]);
            return if after { "I".to_owned() } else { String::new() };
        }
        let average = fraction(value, days * 10_000);
        for (tier, [under, _, _]) in ["I", "II", "III", "IV"].iter().zip(&self.case.scheme.tiers) {
            if average < decimal(under) {
                return (*tier).to_owned();
            }
        }
        "V".to_owned()
    }

    fn tiers(&self) -> String {
        let [from, to, first, last] = self.review();
        let codes: BTreeSet<&str> =
            self.issues.iter().filter(|row| self.in_force_in_month(row)).map(|row| row.get("issue")).collect();
        let mut text =
            "issue,measured_from,measured_to,days,average_value_jpy,tier,in_force_from,in_force_to\n".to_owned();
        for code in codes {
            let date = dates(self.first).into_iter().rev().find(|date| self.issue_row(code, *date).is_some());
            let tier = self.tier(code, date.expect("it has a row in the month"));
            let (days, value) = self.review_of(code);
            let average = if days == 0 { String::new() } else { floor(&fraction(value, days * 10_000)) };
            text += &format!("{code},{from},{to},{days},{average},{tier},{first},{last}\n");
        }
        text
    }

    fn turnover_rows<'m>(&'m self, market_maker: &'m str, issue: &'m str) -> impl Iterator<Item = &'m TurnoverRow> {
        let own = move |row: &&TurnoverRow| row.market_maker == market_maker && row.issue == issue;
        self.case.turnovers.iter().filter(own).filter(|row| row.date.first_of_month() == self.first)
    }

    fn incentives(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        let scheme = &self.case.scheme;
        for (market_maker, issue) in self.asked(self.first) {
            let last = self.asked_last(self.first, &market_maker, &issue)[0].last;
            if self.is_leveraged(&issue, last) || !self.qualifies(self.first, &market_maker) {
                continue;
            }
            let fulfilled = self.status_of_sign_up(self.first, &market_maker, &issue) == "fulfilled";
            if !fulfilled && !scheme.access_fee_signed_up {
                continue;
            }
            let tier = self.tier(&issue, last);
            let diversified = self.issue_row(&issue, last).is_some_and(|row| row.get("diversified") == "true");
            let participants: BTreeSet<String> = self
                .turnover_rows(&market_maker, &issue)
                .map(|row| self.participant(&market_maker, &issue, row.date))
                .collect();
            for participant in participants {
                let own = |row: &&TurnoverRow| self.participant(&market_maker, &issue, row.date) == participant;
                let days: Vec<&TurnoverRow> = self.turnover_rows(&market_maker, &issue).filter(own).collect();
                let mut line = |incentive: &str, basis: String, rate: String, amount: String, clause: &str| {
                    let fields = [
                        &self.case.month,
                        &market_maker,
                        &participant,
                        &issue,
                        &tier,
                        incentive,
                        &basis,
                        &rate,
                        &amount,
                        clause,
                    ];
                    lines.push(fields.iter().map(|field| (*field).to_owned()).collect());
                };
                let orders: i128 = days.iter().map(|row| row.orders.min(scheme.orders_max)).sum();
                let fee = decimal(&scheme.order_fee);
                let rate = trimmed(ten_thousandths(&scheme.order_fee).expect("a fee"));
                line("access_fee", orders.to_string(), rate, floor(&(fee * fraction(orders, 1))), "ST1/access-fee");
                if !fulfilled || tier == "V" {
                    continue;
                }
                let others: i128 = days.iter().map(|row| row.continuous[1].0 + row.continuous[2].0).sum();
                let rest: i128 = days
                    .iter()
                    .map(|row| row.continuous[0].0 + row.auction[0].0 + row.auction[1].0 + row.auction[2].0)
                    .sum();
                let place = ["I", "II", "III", "IV"].iter().position(|of| *of == tier);
                let rates = place.map(|place| {
                    let own = scheme.diversified.get(&tier).filter(|_| diversified);
                    own.unwrap_or(&scheme.tiers[place]).clone()
                });
                for (incentive, basis, column) in [("value_others", others, 1), ("value_auction_or_mm", rest, 2)] {
                    let (rate, amount) = match &rates {
                        Some(rates) => {
                            let amount = fraction(basis, 10_000) * decimal(&rates[column]) / fraction(10_000, 1);
                            (trimmed(ten_thousandths(&rates[column]).expect("a rate")), floor(&amount))
                        }
                        None => (String::new(), String::new()),
                    };
                    line(incentive, trimmed(basis), rate, amount, "ST1/trading-value");
                }
            }
        }
        lines
    }

    /// The row of a condition that covers an issue on a date.
    fn covering<'m>(&'m self, file: &'m [Row], name: &str, issue: &str, date: Date) -> Option<&'m Row> {
        let of_name = |row: &&Row| row.get("condition") == name && in_force(row, date);
        let own = file.iter().filter(of_name).find(|row| row.get("issue") == issue);
        let index = self.issue_row(issue, date).map_or("", |row| row.get("index"));
        let of_index = |row: &&Row| row.get("issue").is_empty() && !index.is_empty() && row.get("index") == index;
        own.or_else(|| file.iter().filter(of_name).find(of_index))
    }

    fn own_quantity(&self, market_maker: &str, issue: &str) -> i128 {
        let rows = self.turnover_rows(market_maker, issue);
        rows.map(|row| row.continuous.iter().chain(&row.auction).map(|of| of.1).sum::<i128>()).sum()
    }

    fn own_value(&self, market_maker: &str, issue: &str) -> i128 {
        let rows = self.turnover_rows(market_maker, issue);
        rows.map(|row| row.continuous.iter().chain(&row.auction).map(|of| of.0).sum::<i128>()).sum()
    }

    fn conditions(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        for (market_maker, issue, obligation) in self.measured(self.first) {
            if !is_general(&obligation) {
                lines.push(self.condition_line(&market_maker, &issue, &obligation));
            }
        }
        lines
    }

    /// The issues that are asked for together, if there are several.
    fn group(&self, obligation: &str) -> Vec<String> {
        let Some(name) = obligation.strip_prefix("sponsored:") else { return Vec::new() };
        let rows = self.sponsored.iter().filter(|row| row.get("condition") == name && self.in_force_in_month(row));
        let issues: BTreeSet<String> = rows.map(|row| row.get("issue").to_owned()).collect();
        if issues.len() > 1 { issues.into_iter().collect() } else { Vec::new() }
    }

    fn is_complete(&self, market_maker: &str, issue: &str, obligation: &str) -> bool {
        let mut issues = self.group(obligation);
        issues.push(issue.to_owned());
        issues.iter().all(|issue| {
            self.sum(self.first, market_maker, issue, obligation).is_some_and(|sum| sum.status() == "fulfilled")
        })
    }

    /// Quantity, share of time and sign-up, as they decide a place.
    fn keys(&self, market_maker: &str, issue: &str, obligation: &str) -> (i128, Fraction, Option<Date>) {
        let mut issues = self.group(obligation);
        if issues.is_empty() {
            issues.push(issue.to_owned());
        }
        let quantity = issues.iter().map(|issue| self.own_quantity(market_maker, issue)).sum();
        let sums: Vec<Sum> =
            issues.iter().filter_map(|issue| self.sum(self.first, market_maker, issue, obligation)).collect();
        let share = fraction(sums.iter().map(|sum| sum.fulfilled).sum(), sums.iter().map(|sum| sum.available).sum());
        // An empty date is the earliest there is, and is less than every other.
        let earliest = |issue: &String| {
            self.sign_up_rows(market_maker, issue).map(|row| row.get("from").parse::<Date>().ok()).min().flatten()
        };
        (quantity, share, issues.iter().map(earliest).max().flatten())
    }

    fn condition_line(&self, market_maker: &str, issue: &str, obligation: &str) -> Vec<String> {
        let (kind, name) = obligation.split_once(':').expect("a condition");
        let file = if kind == "sponsored" { &self.sponsored } else { &self.matching };
        let sum = self.sum(self.first, market_maker, issue, obligation).expect("it was measured");
        let status = sum.status();
        let (date, row) = dates(self.first)
            .into_iter()
            .rev()
            .find_map(|date| Some((date, self.covering(file, name, issue, date)?)))
            .expect("it was measured");
        let beyond = self.is_beyond(file, row, issue, date);
        let makers: BTreeSet<String> = self
            .measured(self.first)
            .into_iter()
            .filter(|(_, of, with)| of == issue && with == obligation)
            .map(|(market_maker, _, _)| market_maker)
            .collect();
        let eligible = |name: &String| self.qualifies(self.first, name) && self.is_complete(name, issue, obligation);
        let priority = if row.get("priority").is_empty() { "volume;time;signup" } else { row.get("priority") };
        let mut ranked: Vec<String> = makers.into_iter().filter(eligible).collect();
        let order = |one: &String, other: &String| {
            let (a, b) = (self.keys(one, issue, obligation), self.keys(other, issue, obligation));
            let mut order = std::cmp::Ordering::Equal;
            for key in priority.split(';') {
                order = order.then(match key {
                    "volume" => b.0.cmp(&a.0),
                    "time" => b.1.cmp(&a.1),
                    _ => a.2.cmp(&b.2),
                });
            }
            order
        };
        ranked.sort_by(|one, other| order(one, other).then(one.cmp(other)));
        let place = ranked.iter().position(|of| of == market_maker);
        let max_makers = whole(row.get("max_makers"));
        let fits = |place: usize| max_makers.is_none_or(|max| (place as i128) < max);
        let total = ten_thousandths(row.get("total_jpy"));
        let is_paid = place.is_some_and(fits) && !beyond;
        let mut notes: Vec<&str> = Vec::new();
        if status == "fulfilled" {
            if !self.qualifies(self.first, market_maker) {
                notes.push("number_of_etfs");
            }
            if !self.is_complete(market_maker, issue, obligation) {
                notes.push("group_incomplete");
            }
            if beyond {
                notes.push("beyond_max_issues");
            }
        }
        if place.is_some_and(|place| !fits(place)) && !beyond {
            notes.push("not_among_max_makers");
        }
        let mut amount = Some(fraction(0, 1));
        if is_paid {
            match total {
                None => {
                    notes.push("no_total");
                    amount = None;
                }
                Some(total) => {
                    let mut payable = fraction(total, 10_000);
                    if let Some(trigger) = ten_thousandths(row.get("aum_trigger_jpy")) {
                        let aum = self.issue_row(issue, date).and_then(|row| ten_thousandths(row.get("aum_jpy")));
                        if aum.is_none_or(|aum| aum <= trigger) {
                            notes.push("aum_trigger");
                            let part = ten_thousandths(row.get("aum_part_jpy")).unwrap_or(total).min(total);
                            payable -= fraction(part, 10_000);
                        }
                    }
                    let share = if row.get("payment") == "proportional" && self.group(obligation).is_empty() {
                        let paid = ranked.iter().enumerate().filter(|(place, _)| fits(*place));
                        let all: i128 = paid.map(|(_, name)| self.own_quantity(name, issue)).sum();
                        if all == 0 { fraction(0, 1) } else { fraction(self.own_quantity(market_maker, issue), all) }
                    } else {
                        fraction(1, max_makers.unwrap_or(ranked.len() as i128))
                    };
                    amount = Some((payable * share).floor());
                }
            }
        }
        if let Some(place) = place {
            let same = |other: Option<&String>| other.is_some_and(|other| order(&ranked[place], other).is_eq());
            if same(place.checked_sub(1).and_then(|before| ranked.get(before))) || same(ranked.get(place + 1)) {
                notes.push("tie_by_code");
            }
        }
        let by_manager =
            amount.clone().map(|amount| if kind == "sponsored" { amount } else { (amount / fraction(2, 1)).floor() });
        let by_exchange = amount.clone().zip(by_manager.clone()).map(|(amount, by_manager)| amount - by_manager);
        let text = |amount: Option<Fraction>| amount.map_or(String::new(), |amount| floor(&amount));
        vec![
            self.case.month.clone(),
            obligation.to_owned(),
            issue.to_owned(),
            market_maker.to_owned(),
            status.to_owned(),
            place.map_or(String::new(), |place| (place + 1).to_string()),
            self.own_quantity(market_maker, issue).to_string(),
            trimmed(self.own_value(market_maker, issue)),
            text(amount),
            text(by_exchange),
            text(by_manager),
            notes.join(";"),
        ]
    }

    /// Whether so many issues of the row's index come before this one that it is not paid any more.
    fn is_beyond(&self, file: &[Row], row: &Row, issue: &str, date: Date) -> bool {
        let Some(max) = whole(row.get("max_issues")).filter(|_| row.get("issue").is_empty()) else { return false };
        let has_own = |code: &str| {
            let own = |of: &&Row| of.get("condition") == row.get("condition") && of.get("issue") == code;
            file.iter().filter(own).any(|of| in_force(of, date))
        };
        let of_index = self.issues.iter().filter(|of| in_force(of, date) && of.get("index") == row.get("index"));
        let mut ranked: Vec<(bool, &str, &str)> = of_index
            .filter(|of| !has_own(of.get("issue")))
            .map(|of| (of.get("listed").is_empty(), of.get("listed"), of.get("issue")))
            .collect();
        ranked.sort_unstable();
        let place = ranked.iter().position(|of| of.2 == issue);
        place.is_none_or(|place| max <= place as i128)
    }

    fn recommendations(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        let scheme = &self.case.scheme;
        let mut line = |market_maker: &str, issue: &str, what: &str, figure: String, clause: &str| {
            let fields = [self.case.month.as_str(), market_maker, issue, what, &figure, clause];
            lines.push(fields.iter().map(|field| (*field).to_owned()).collect());
        };
        let measured = self.measured(self.first);
        for (market_maker, issue) in &self.asked(self.first) {
            if self.status_of_sign_up(self.first, market_maker, issue) == "not_fulfilled" {
                let missed = self.asked_last(self.first, market_maker, issue).into_iter();
                let missed = missed.filter(|sum| sum.status() == "not_fulfilled");
                let least = missed.map(|sum| fraction(sum.fulfilled, sum.available)).min().expect("one was missed");
                line(market_maker, issue, "briefing", percent(&least), "ST1/managing-qualification");
            }
            let mut means = Vec::new();
            for (_, _, name) in measured.iter().filter(|(of, code, _)| of == market_maker && code == issue) {
                let mut shares = Vec::new();
                for back in 0..scheme.drop_months {
                    match self.sum(self.first - back.months(), market_maker, issue, name) {
                        Some(sum) if sum.available > 0 => shares.push(fraction(sum.fulfilled, sum.available)),
                        _ => {}
                    }
                }
                if is_general(name) && i64::try_from(shares.len()) == Ok(scheme.drop_months) {
                    means.push(shares.iter().sum::<Fraction>() / fraction(scheme.drop_months.into(), 1));
                }
            }
            if let Some(mean) = means.into_iter().min()
                && &mean * fraction(100, 1) < decimal(&scheme.drop_pct)
            {
                line(market_maker, issue, "drop_from_sign_up", percent(&mean), "ST1/six-month-average");
            }
        }
        let makers: BTreeSet<&String> = measured.iter().map(|(market_maker, _, _)| market_maker).collect();
        for market_maker in makers {
            if self.qualifies(self.first, market_maker) {
                continue;
            }
            let etfs = self.etfs(self.first, market_maker);
            line(market_maker, "", "briefing", etfs.to_string(), "ST1/managing-qualification");
            let mut missed = Vec::new();
            for back in 0..scheme.revoke_months {
                let first = self.first - back.months();
                let is_measured = self.measured(first).iter().any(|(of, _, _)| of == market_maker);
                if is_measured && !self.qualifies(first, market_maker) {
                    missed.push(self.etfs(first, market_maker));
                }
            }
            if i64::try_from(missed.len()) == Ok(scheme.revoke_months) {
                let highest = missed.into_iter().max().unwrap_or(0).to_string();
                line(market_maker, "", "revoke_designation", highest, "ST1/twelve-months");
            }
        }
        lines
    }

    fn payments(&self) -> String {
        let mut sums: BTreeMap<(String, String), [i128; 5]> = BTreeMap::new();
        let number = |text: &str| whole(text).unwrap_or(0);
        for line in self.incentives() {
            let sum = sums.entry((line[1].clone(), line[2].clone())).or_default();
            sum[usize::from(line[5] == "access_fee")] += number(&line[8]);
        }
        for line in self.conditions() {
            let amount = number(&line[8]);
            if amount > 0 {
                let last = self.sum(self.first, &line[3], &line[2], &line[1]).expect("it was measured").last;
                let participant = self.participant(&line[3], &line[2], last);
                let sum = sums.entry((line[3].clone(), participant)).or_default();
                sum[if line[1].starts_with("sponsored") { 2 } else { 3 }] += amount;
            }
        }
        for (name, _, _, _, participant, waiver) in self.makers() {
            let waiver = number(&floor(&waiver));
            if waiver > 0 {
                sums.entry((name, participant)).or_default()[4] += waiver;
            }
        }
        let mut text = "month,market_maker,participant,trading_value_jpy,access_fee_jpy,sponsored_jpy,matching_jpy,\
                        server_waiver_jpy,total_jpy\n"
            .to_owned();
        for ((market_maker, participant), sums) in sums {
            let all: i128 = sums.iter().sum();
            let sums: Vec<String> = sums.iter().map(i128::to_string).collect();
            text += &format!("{},{market_maker},{participant},{},{all}\n", self.case.month, sums.join(","));
        }
        text
    }
}

/// Whether a date is a weekday.
pub(crate) fn is_weekday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}
