//! The registry folder: which sign-ups are measured on a date, by whose servers, under which obligations.

use jiff::civil::Date;

use crate::clock;
use crate::scheme::{Limits, Scheme, Spread, TickTable};
use crate::text::{self, Row, ten_thousandths, whole};

/// The files of a registry folder.
pub(crate) struct Registry {
    pub(crate) scheme: Scheme,
    issues: Vec<Row>,
    virtual_servers: Vec<Row>,
    signups: Vec<Row>,
    fast_market: Vec<Row>,
    exemptions: Vec<Row>,
    sponsored: Vec<Row>,
    matching_funds: Vec<Row>,
}

#[derive(Clone)]
/// One market maker's commitment to one issue that is measured on the date.
pub(crate) struct SignUp {
    pub(crate) market_maker: String,
    pub(crate) issue: String,
    participant: String,
}

/// One set of limits to be met on the date.
pub(crate) struct Obligation {
    /// `general`, `general:<criterion>`, `sponsored:<condition>` or `matching:<condition>`.
    pub(crate) name: String,
    /// The limits, Fast Market of the whole date already applied.
    pub(crate) limits: Limits,
    /// The limits without any Fast Market, in whose place those of a regime stand within its windows (minutes).
    base: Limits,
    regimes: Vec<(Vec<(i128, i128)>, Limits)>,
    /// The multiplier of the date, where a Fast Market widens it at all.
    times: Option<i128>,
}

impl Obligation {
    fn new(name: String, base: Limits, times: Option<i128>) -> Obligation {
        let limits = base.clone().relieved(times.unwrap_or(1) * 10_000, 10_000);
        Obligation { name, limits, base, regimes: Vec::new(), times }
    }

    /// Instants at which its limits may change.
    pub(crate) fn edges(&self, registry: &Registry, date: Date, day: (i128, i128)) -> Option<Vec<i128>> {
        let mut edges = Vec::new();
        for minutes in self.regimes.iter().flat_map(|(windows, _)| windows).flat_map(|(start, end)| [start, end]) {
            edges.push(clock::at_local(&registry.scheme.zone, date, *minutes)?);
        }
        for row in &registry.fast_market {
            edges.extend(<[i128; 2]>::from(stress_time(row, date, day)?));
        }
        Some(edges)
    }

    /// The limits at an instant of the day.
    pub(crate) fn limits_at(&self, registry: &Registry, date: Date, day: (i128, i128), time: i128) -> Option<Limits> {
        let mut limits = &self.base;
        for (windows, of_regime) in self.regimes.iter().rev() {
            for (start, end) in windows {
                let instant = |minutes| clock::at_local(&registry.scheme.zone, date, minutes);
                if (instant(*start)?..instant(*end)?).contains(&time) {
                    limits = of_regime;
                }
            }
        }
        let (mut spread, mut size) = (10_000, 10_000);
        if let Some(times) = self.times {
            spread *= times;
            for row in &registry.fast_market {
                let (from, to) = stress_time(row, date, day)?;
                if (from..to).contains(&time) {
                    let times = |column| match row.get(column) {
                        "" => Some(10_000),
                        text => ten_thousandths(text),
                    };
                    spread = spread.max(times("spread_multiplier")?).max(times("multiplier")?);
                    size = size.min(times("size_multiplier")?);
                }
            }
        }
        Some(limits.clone().relieved(spread, size))
    }
}

/// When a row of `fast_market.csv` holds on the day: instants, or the whole of it.
fn stress_time(row: &Row, date: Date, day: (i128, i128)) -> Option<(i128, i128)> {
    let (from, to) = (row.get("from"), row.get("to"));
    if from.contains('T') || to.contains('T') {
        let end = |text: &str, open: i128| if text.is_empty() { Some(open) } else { clock::instant(text) };
        return Some((end(from, day.0)?, end(to, day.1)?));
    }
    Some(if in_force(row, date) { day } else { (day.0, day.0) })
}

impl Registry {
    /// Reads the folder; `None` if a required file is missing or a file cannot be read.
    pub(crate) fn read(files: &[(String, String)]) -> Option<Registry> {
        let file = |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str());
        let optional = |name: &str| file(name).map_or(Some(Vec::new()), text::rows);
        file("market_makers.csv")?;
        Some(Registry {
            scheme: Scheme::read(file("scheme.toml"))?,
            issues: text::rows(file("issues.csv")?)?,
            virtual_servers: text::rows(file("virtual_servers.csv")?)?,
            signups: text::rows(file("signups.csv")?)?,
            fast_market: optional("fast_market.csv")?,
            exemptions: optional("exemptions.csv")?,
            sponsored: optional("sponsored.csv")?,
            matching_funds: optional("matching_funds.csv")?,
        })
    }

    /// The sign-ups in force on the date whose issue has a row in force on it.
    pub(crate) fn measured(&self, date: Date) -> Vec<SignUp> {
        let in_force = self.signups.iter().filter(|row| in_force(row, date));
        let measured = in_force.filter(|row| self.issue(row.get("issue"), date).is_some());
        let sign_up = |row: &Row| SignUp {
            market_maker: row.get("market_maker").to_owned(),
            issue: row.get("issue").to_owned(),
            participant: row.get("participant").to_owned(),
        };
        measured.map(sign_up).collect()
    }

    /// The row of an issue that is in force on the date.
    fn issue(&self, issue: &str, date: Date) -> Option<&Row> {
        self.issues.iter().find(|row| row.get("issue") == issue && in_force(row, date))
    }

    /// The tick table of an issue on the date.
    pub(crate) fn tick_table(&self, issue: &str, date: Date) -> Option<&TickTable> {
        self.scheme.tick_tables.get(self.issue(issue, date)?.get("tick_table"))
    }

    /// Whether an order that came through the server is the sign-up's own: the server is registered to its market maker on
    /// the date, and where both name a participant it is the same one.
    pub(crate) fn owns(&self, sign_up: &SignUp, server: &str, date: Date) -> bool {
        self.virtual_servers.iter().any(|row| {
            let participants = [row.get("participant"), sign_up.participant.as_str()];
            row.get("server") == server
                && row.get("market_maker") == sign_up.market_maker
                && in_force(row, date)
                && (participants.contains(&"") || participants[0] == participants[1])
        })
    }

    /// The names of all servers, each as often as it has rows.
    pub(crate) fn server_names(&self) -> Vec<String> {
        self.virtual_servers.iter().map(|row| row.get("server").to_owned()).collect()
    }

    /// The obligations of a sign-up on the date: by the issue's type, and beside it sponsored and matching conditions.
    pub(crate) fn obligations(&self, sign_up: &SignUp, date: Date) -> Option<Vec<Obligation>> {
        let issue = self.issue(&sign_up.issue, date)?;
        let times = self.fast_market_multiplier(date)?;
        let of_type = self.scheme.types.get(issue.get("type"))?;
        let mut asked = Vec::new();
        for criterion in &of_type.criteria {
            asked.push(criterion.of(of_type.clone())?);
        }
        if of_type.criteria.is_empty() {
            asked.push(("general".to_owned(), of_type.clone()));
        }
        let mut obligations = Vec::new();
        for (name, limits) in asked {
            let general = of_issue(limits, issue)?;
            let mut obligation = Obligation::new(name, general.clone(), Some(times));
            for regime in &general.regimes {
                let of_row = || match issue.get("windows") {
                    "" => Some(Vec::new()),
                    text => text.split(';').map(crate::scheme::window).collect::<Option<Vec<_>>>(),
                };
                let windows = regime.windows.clone().map_or_else(of_row, Some)?;
                obligation.regimes.push((windows, regime.of(general.clone())?));
            }
            obligations.push(obligation);
        }
        for row in self.sponsored.iter().filter(|row| in_force(row, date) && row.get("issue") == sign_up.issue) {
            let name = format!("sponsored:{}", row.get("condition"));
            obligations.push(Obligation::new(name, limits(row)?, None));
        }
        // Where a row of the condition names the issue, the rows that name its index give way.
        let in_force: Vec<&Row> = self.matching_funds.iter().filter(|row| in_force(row, date)).collect();
        let names_issue = |row: &&&Row| row.get("issue") == sign_up.issue;
        let by_issue: Vec<&&Row> = in_force.iter().filter(names_issue).collect();
        let by_index = in_force.iter().filter(|row| {
            row.get("issue").is_empty()
                && !row.get("index").is_empty()
                && row.get("index") == issue.get("index")
                && !by_issue.iter().any(|other| other.get("condition") == row.get("condition"))
        });
        for row in by_issue.iter().copied().chain(by_index) {
            let name = format!("matching:{}", row.get("condition"));
            obligations.push(Obligation::new(name, limits(row)?, Some(times)));
        }
        Some(obligations)
    }

    /// By how much Fast Market widens the spread limits on the date: 1 when it was not declared.
    fn fast_market_multiplier(&self, date: Date) -> Option<i128> {
        let of_dates = |row: &&Row| {
            !row.get("multiplier").is_empty() && !row.get("from").contains('T') && !row.get("to").contains('T')
        };
        let declared = self.fast_market.iter().filter(of_dates).find(|row| in_force(row, date));
        declared.map_or(Some(1), |row| whole(row.get("multiplier")))
    }

    /// The exempt times of a sign-up, `[from, to)`; an end that is open is that of the measured day.
    pub(crate) fn exemptions(&self, sign_up: &SignUp, day: (i128, i128)) -> Option<Vec<(i128, i128)>> {
        let concerns = |row: &&Row| {
            (row.get("issue") == "*" || row.get("issue") == sign_up.issue)
                && (row.get("market_maker").is_empty() || row.get("market_maker") == sign_up.market_maker)
        };
        let end = |text: &str, open: i128| if text.is_empty() { Some(open) } else { clock::instant(text) };
        let times = |row: &Row| Some((end(row.get("from"), day.0)?, end(row.get("to"), day.1)?));
        self.exemptions.iter().filter(concerns).map(times).collect()
    }
}

/// Whether the date is within `from` and `to`, both inclusive; empty is open.
fn in_force(row: &Row, date: Date) -> bool {
    let (from, to) = (row.get("from"), row.get("to"));
    (from.is_empty() || clock::date(from).is_some_and(|from| from <= date))
        && (to.is_empty() || clock::date(to).is_some_and(|to| date <= to))
}

/// The number in a column, if there is one.
fn given(row: &Row, column: &str, number: fn(&str) -> Option<i128>) -> Option<Option<i128>> {
    match row.get(column) {
        "" => Some(None),
        text => number(text).map(Some),
    }
}

/// The limits of a type with what the issue's own row says in their place.
fn of_issue(mut limits: Limits, row: &Row) -> Option<Limits> {
    let reference = given(row, "reference_price", ten_thousandths)?;
    if limits.quantity_from_value_at.is_some() {
        limits.quantity_from_value_at = Some(reference.filter(|_| limits.quantity_at_reference));
    }
    if limits.from_issue {
        limits.spread.max_bps = given(row, "max_spread_bps", ten_thousandths)?.or(limits.spread.max_bps);
        limits.min_value = given(row, "min_value", ten_thousandths)?.or(limits.min_value);
        limits.min_quantity = given(row, "min_quantity", whole)?.or(limits.min_quantity);
    }
    Some(limits)
}

/// The limits of a sponsored or matching row.
fn limits(row: &Row) -> Option<Limits> {
    let spread = Spread {
        max_bps: given(row, "max_spread_bps", ten_thousandths)?,
        max_ticks: given(row, "max_spread_ticks", whole)?,
        max_abs: None,
    };
    Some(Limits { spread, min_value: Some(ten_thousandths(row.get("min_value_jpy"))?), ..Limits::default() })
}
