//! A month made by hand: stored rows, and the registry that they are settled by.

use jiff::civil::{Date, date};
use quoteclock_incentive::{Month, MonthAccounts, MonthStock, Review, ReviewStock, Settlement, Trading};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{Amount, IssueCode, Micros, Turnover};
use quoteclock_rules::{Registry, SourceFile};

/// April 2024: the review in force measured December to February.
pub const DAY: Date = date(2024, 4, 5);
pub const YEN: u128 = 10_000;

pub fn code(number: usize) -> IssueCode {
    IssueCode::new(number.to_string().as_bytes()).unwrap()
}

/// Stored rows and the registry that they are settled by.
pub struct Case {
    files: Vec<(&'static str, String)>,
    pub rows: Vec<DayRow>,
    turnovers: Vec<(Date, &'static str, usize, Turnover)>,
    /// What the market traded: date, issue, ten-thousandths of a yen.
    pub market: Vec<(Date, usize, u128)>,
    pub review_days: Vec<Date>,
}

impl Case {
    /// Market makers of issues 1301 and so on, each signed up for the first `issues` and fulfilling all of them.
    pub fn new(issues: usize, makers: &[&'static str]) -> Case {
        let codes: Vec<usize> = (1301..1301 + issues).collect();
        let lines = |header: &str, line: &dyn Fn(&usize) -> String| {
            codes.iter().fold(format!("{header}\n"), |text, of| text + &line(of) + "\n")
        };
        let sign_ups = makers.iter().flat_map(|maker| codes.iter().map(move |of| format!("{maker},{of},,,\n")));
        let servers: String = (0..20).map(|number| format!("VS{number},MM1\n")).collect();
        let mut case = Case {
            files: vec![
                ("issues.csv", lines("issue,type,tick_table,tier", &|of| format!("{of},B,01,I"))),
                ("market_makers.csv", format!("market_maker\n{}\n", makers.join("\n"))),
                ("virtual_servers.csv", format!("server,market_maker\n{servers}")),
                ("signups.csv", format!("market_maker,issue,participant,from,to\n{}", sign_ups.collect::<String>())),
            ],
            rows: Vec::new(),
            turnovers: Vec::new(),
            market: Vec::new(),
            review_days: Vec::new(),
        };
        for maker in makers {
            codes.iter().for_each(|&of| case.measured(DAY, maker, of, "general", 100));
        }
        case
    }

    pub fn file(mut self, name: &'static str, text: &str) -> Case {
        self.files.retain(|(of, _)| *of != name);
        self.files.push((name, text.to_owned()));
        self
    }

    /// A day of 100 seconds, of which so many were fulfilled.
    pub fn measured(&mut self, date: Date, maker: &str, issue: usize, obligation: &str, fulfilled: u64) {
        self.rows.push(DayRow {
            date,
            market_maker: maker.to_owned(),
            issue: code(issue),
            obligation: obligation.parse().unwrap(),
            required_pct: 800_000,
            leveraged_inverse: None,
            total: Total {
                available: Micros(100_000_000),
                fulfilled: Micros(fulfilled * 1_000_000),
                unknown: Micros::ZERO,
            },
        });
    }

    /// Continuous executions against nobody in particular, and orders.
    pub fn traded(&mut self, date: Date, maker: &'static str, issue: usize, yen: u128, shares: u128, orders: u64) {
        let mut turnover = Turnover { order_count: orders, ..Turnover::default() };
        turnover.continuous.other.value = Amount(yen * YEN);
        turnover.continuous.other.quantity = shares;
        self.turnovers.push((date, maker, issue, turnover));
    }

    pub fn registry(&self) -> Registry {
        let file =
            |(name, text): &(&str, String)| SourceFile { name: (*name).to_owned(), bytes: text.as_bytes().into() };
        let loaded = Registry::load(&self.files.iter().map(file).collect::<Vec<_>>());
        loaded.registry.unwrap_or_else(|| panic!("{:?}", loaded.findings))
    }

    pub fn settled(&self) -> Settlement {
        let registry = self.registry();
        let month = Month::of(DAY);
        let mut accounts = MonthAccounts::new(month);
        self.rows.iter().for_each(|row| accounts.add(row.clone()));
        let mut trading = Trading::new(month, &registry);
        for (date, maker, issue, turnover) in &self.turnovers {
            trading.add(&registry, *date, maker, &code(*issue), turnover);
        }
        let mut review = ReviewStock::new(Review::of(month), self.review_days.iter().copied());
        self.market.iter().for_each(|(date, issue, value)| review.add(*date, &code(*issue), Amount(*value)));
        let lines = accounts.lines(&registry);
        Settlement::of(MonthStock { month, lines, trading, review, past: Vec::new() }, &registry)
    }
}
