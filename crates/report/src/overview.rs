//! Many obligations at a glance: how many fail, where each market maker stands, and the worst lines.
//!
//! The idea: whoever lists obligations (a day, a month, a month to date) says of each how it stands, as a [`Standing`];
//! choosing, sorting and summing up are the same for all of them.

use crate::format::{clock, percent_shown, wrap};
use quoteclock_incentive::AccountKey;
use quoteclock_ledger::{DisplayPercent, Total, add_time};
use quoteclock_model::Micros;
use quoteclock_rows::{Align, Column, Decimals, Style, Table, Tone, Unit, text_table};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// More obligations than so many are summed up rather than listed.
pub const LISTED_MAX: usize = 50;

/// So many of the worst lines stand in an overview.
pub const WORST_SHOWN: usize = 20;

/// How an obligation stands, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// It misses its share, and nothing can change that any more.
    Fails,
    /// It misses its share so far, and can still make it.
    AtRisk,
    /// Unknown time decides.
    Uncertain,
    /// It has its share.
    Meets,
    /// No time was available.
    NotApplicable,
}

impl Standing {
    /// How an obligation of `total` stands that needs `required_pct` (in ten-thousandths of a percent).
    pub fn of(total: Total, required_pct: u64) -> Standing {
        let Total { available, fulfilled, unknown } = total;
        let reaches = |fulfilled| {
            Total { available: available + unknown, fulfilled, unknown: Micros::ZERO }.reaches(required_pct)
        };
        match (total.reaches(required_pct), unknown != Micros::ZERO) {
            _ if available == Micros::ZERO && unknown == Micros::ZERO => Standing::NotApplicable,
            (_, true) if reaches(fulfilled) != reaches(fulfilled + unknown) => Standing::Uncertain,
            (true, _) => Standing::Meets,
            (false, _) => Standing::Fails,
        }
    }

    /// The sign that tells it without colours.
    const fn sign(self) -> &'static str {
        match self {
            Standing::Fails | Standing::AtRisk => "!",
            Standing::Uncertain => "?",
            Standing::Meets | Standing::NotApplicable => "",
        }
    }

    const fn tone(self) -> Option<Tone> {
        match self {
            Standing::Fails => Some(Tone::Bad),
            Standing::AtRisk | Standing::Uncertain => Some(Tone::Doubtful),
            Standing::Meets => Some(Tone::Good),
            Standing::NotApplicable => None,
        }
    }
}

/// What the standings are called where they are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    /// Those that fail.
    pub fails: &'static str,
    /// Those at risk.
    pub at_risk: &'static str,
    /// Those that unknown time decides.
    pub uncertain: &'static str,
    /// Those that have their share.
    pub meets: &'static str,
}

/// One obligation, as a list of many needs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OverviewLine {
    /// Whose.
    pub key: AccountKey,
    /// Its times.
    pub total: Total,
    /// The share that it needs, in ten-thousandths of a percent.
    pub required_pct: u64,
    /// How it stands.
    pub standing: Standing,
    /// Lost time by reason, each once, in no order; empty where nobody looked.
    pub reasons: Vec<(Cow<'static, str>, Micros)>,
    /// Days without the share, and days measured; the latter 0 where days do not matter.
    pub days_below: (u32, u32),
}

impl OverviewLine {
    /// That of an obligation of which nothing is known yet.
    pub fn of(key: AccountKey) -> OverviewLine {
        OverviewLine {
            key,
            total: Total::default(),
            required_pct: 0,
            standing: Standing::NotApplicable,
            reasons: Vec::new(),
            days_below: (0, 0),
        }
    }

    /// Available time in which it was not fulfilled.
    pub fn lost(&self) -> Micros {
        Micros(self.total.available.0.saturating_sub(self.total.fulfilled.0))
    }

    /// How far it is above its share, below zero where it is below; the farthest below comes first.
    fn above(&self) -> i64 {
        let signed = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
        DisplayPercent::of(self.total.fulfilled, self.total.available)
            .map_or(i64::MAX, |percent| signed(percent.ten_thousandths()).saturating_sub(signed(self.required_pct)))
    }

    /// What puts the worst first: how it stands, how far it is below its share, how much was lost, and whose it is.
    pub fn by_worst(&self) -> impl Ord + '_ {
        (self.standing, self.above(), std::cmp::Reverse(self.lost()), &self.key)
    }

    /// What puts those first that lost most.
    pub fn by_lost(&self) -> impl Ord + '_ {
        (std::cmp::Reverse(self.lost()), &self.key)
    }
}

/// The reason that took most of `reasons`; of equal ones the first by name.
fn main_reason(reasons: &[(Cow<'_, str>, Micros)]) -> Option<String> {
    let most = reasons.iter().max_by(|(name, most), (other, next)| most.cmp(next).then(other.cmp(name)));
    // Both sides' faults are two words, between which a narrow table may break.
    most.map(|(reason, _)| reason.replace('+', " + "))
}

/// The overview for a terminal of `style`: how many stand how, a line for each market maker, the worst lines.
pub fn overview(lines: &[&OverviewLine], words: Words, style: Style) -> String {
    let mut by_maker: BTreeMap<&str, Vec<&OverviewLine>> = BTreeMap::new();
    for of_maker in lines.chunk_by(|one, next| one.key.market_maker == next.key.market_maker) {
        by_maker.entry(&of_maker[0].key.market_maker).or_default().extend_from_slice(of_maker);
    }
    let mut makers: Vec<Maker<'_>> = by_maker.iter().map(|(name, own)| Maker::of(name, own)).collect();
    makers.sort_by(|one, next| {
        let order =
            |maker: &Maker<'_>| (std::cmp::Reverse((maker.failing, maker.at_risk, maker.lost)), maker.name.to_owned());
        order(one).cmp(&order(next))
    });
    let mut worst: Vec<&OverviewLine> = lines.iter().copied().filter(|line| line.standing < Standing::Meets).collect();
    let all = worst.len();
    if WORST_SHOWN < all {
        worst.select_nth_unstable_by(WORST_SHOWN, |one, next| one.by_worst().cmp(&next.by_worst()));
        worst.truncate(WORST_SHOWN);
    }
    worst.sort_by(|one, next| one.by_worst().cmp(&next.by_worst()));
    let mut text = wrap(&counted(lines, by_maker.len(), words), style.width);
    text.push('\n');
    text.push_str(&text_table::<Makers>(&makers, style));
    text.push('\n');
    if worst.is_empty() {
        text.push_str("every obligation has its share\n");
    } else {
        let shown = if worst.len() < all {
            format!("the {} worst of {}", worst.len(), grouped(all))
        } else {
            format!("all {all}")
        };
        text.push_str(&wrap(&format!("{shown} without their share, the farthest below it first:"), style.width));
        let worst: Vec<Worst<'_>> = worst.into_iter().map(Worst).collect();
        text.push_str(&text_table::<WorstLines>(&worst, style));
    }
    let some = "--market-maker, --issue, --obligation, --failing and --top choose; --all lists every line";
    text.push_str(&wrap(&format!("\n{some}"), style.width));
    text
}

/// `2,870 obligations of 40 market makers: 120 not fulfilled, 2,750 fulfilled`.
fn counted(lines: &[&OverviewLine], makers: usize, words: Words) -> String {
    let of = |standing| lines.iter().filter(|line| line.standing == standing).count();
    let named = [
        (of(Standing::Fails), words.fails, true),
        (of(Standing::AtRisk), words.at_risk, !words.at_risk.is_empty()),
        (of(Standing::Uncertain), words.uncertain, false),
        (of(Standing::Meets), words.meets, true),
        (of(Standing::NotApplicable), "without available time", false),
    ];
    let parts: Vec<String> = named
        .iter()
        .filter(|(count, _, always)| *always || 0 < *count)
        .map(|(count, word, _)| format!("{} {word}", grouped(*count)))
        .collect();
    let (obligations, makers) = (counted_of(lines.len(), "obligation"), counted_of(makers, "market maker"));
    format!("{obligations} of {makers}: {}", parts.join(", "))
}

/// `1 day`, `2,870 obligations`.
fn counted_of(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A count as people read it: `1,491`.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let start = (digits.len() + 2) % 3 + 1;
    let (first, rest) = digits.split_at(start.min(digits.len()));
    let groups = rest.as_bytes().chunks(3).map(|group| format!(",{}", String::from_utf8_lossy(group)));
    groups.fold(first.to_owned(), |text, group| text + &group)
}

/// A span in whole seconds, which are enough where many are summed.
fn whole_seconds(span: Micros) -> String {
    clock(Micros(span.0 / 1_000_000 * 1_000_000))
}

/// One market maker.
struct Maker<'a> {
    name: &'a str,
    count: usize,
    failing: usize,
    at_risk: usize,
    worst: Option<&'a OverviewLine>,
    lost: Micros,
    reason: Option<String>,
}

impl<'a> Maker<'a> {
    /// The market maker `name`, whose lines are `own`.
    fn of(name: &'a str, own: &[&'a OverviewLine]) -> Maker<'a> {
        // A minute in which several obligations of one sign-up are missed is one lost minute; criteria mostly have times of their own.
        let is_general = |line: &&&OverviewLine| line.key.obligation.is_general();
        let has_general = own.iter().any(|line| is_general(&line));
        let summed: Vec<&OverviewLine> = own.iter().copied().filter(|line| !has_general || is_general(&line)).collect();
        let mut reasons: Vec<(Cow<'_, str>, Micros)> = Vec::new();
        for (reason, time) in summed.iter().flat_map(|line| &line.reasons) {
            add_time(&mut reasons, Cow::Borrowed(reason), *time);
        }
        let count = |standing| own.iter().filter(|line| line.standing == standing).count();
        Maker {
            name,
            count: own.len(),
            failing: count(Standing::Fails),
            at_risk: count(Standing::AtRisk) + count(Standing::Uncertain),
            worst: own.iter().copied().min_by(|one, next| one.by_worst().cmp(&next.by_worst())),
            lost: summed.iter().map(|line| line.lost()).sum(),
            reason: main_reason(&reasons),
        }
    }
}

/// The market makers of an overview.
struct Makers;

impl Table for Makers {
    type Row<'a> = Maker<'a>;
    const NAME: &'static str = "overview_market_makers";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("market_maker", |row| Some(row.name.into())).shown("market maker"),
        Column::<Self>::text("fail", |row| Some(format!("{} of {}", row.failing, row.count).into()))
            .shown_as("fail", Align::Right, |row| format!("{} of {}", grouped(row.failing), grouped(row.count)).into())
            .toned(|row| (0 < row.failing).then_some(Tone::Bad)),
        Column::<Self>::integer("at_risk", Unit::Count, |row| i128::try_from(row.at_risk).ok())
            .shown("at risk")
            .on_occasion(|row| 0 < row.at_risk),
        Column::<Self>::text("issue", |row| row.worst.map(|line| line.key.issue.as_str().into())).shown("worst issue"),
        Column::<Self>::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| row.worst.and_then(pct))
            .shown_as("display %", Align::Right, |row| {
                row.worst.map_or_else(|| "-".into(), |line| signed_percent(line).into())
            })
            .toned(|row| row.worst.and_then(|line| line.standing.tone())),
        Column::<Self>::decimal("required_pct", Unit::Percent, Decimals::UpTo(4), |row| {
            row.worst.map(|line| line.required_pct.into())
        })
        .shown("required %"),
        Column::<Self>::integer("lost_us", Unit::Micros, |row| Some(row.lost.0.into())).shown_as(
            "lost",
            Align::Right,
            |row| whole_seconds(row.lost).into(),
        ),
        Column::<Self>::text("reason", |row| row.reason.as_deref().map(Into::into)).shown("mainly"),
    ];
    const SHOWN: &'static [&'static str] =
        &["market_maker", "fail", "at_risk", "issue", "display_pct", "required_pct", "lost_us", "reason"];
}

/// A line of the worst.
struct Worst<'a>(&'a OverviewLine);

/// The worst lines of an overview.
struct WorstLines;

impl Table for WorstLines {
    type Row<'a> = Worst<'a>;
    const NAME: &'static str = "overview_worst";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("market_maker", |row| Some(row.0.key.market_maker.as_str().into())).shown("market maker"),
        Column::<Self>::text("issue", |row| Some(row.0.key.issue.as_str().into())).shown("issue"),
        Column::<Self>::text("obligation", |row| Some(row.0.key.obligation.to_string().into())).shown("obligation"),
        Column::<Self>::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| pct(row.0))
            .shown_as("display %", Align::Right, |row| signed_percent(row.0).into())
            .toned(|row| row.0.standing.tone()),
        Column::<Self>::decimal("required_pct", Unit::Percent, Decimals::UpTo(4), |row| {
            Some(row.0.required_pct.into())
        })
        .shown("required %"),
        Column::<Self>::text("days_below", |row| Some(days_below(row.0).into()))
            .shown("days below")
            .on_occasion(|row| 1 < row.0.days_below.1)
            .gives_way(1),
        Column::<Self>::integer("lost_us", Unit::Micros, |row| Some(row.0.lost().0.into())).shown_as(
            "lost",
            Align::Right,
            |row| whole_seconds(row.0.lost()).into(),
        ),
        Column::<Self>::text("reason", |row| main_reason(&row.0.reasons).map(Into::into)).shown("mainly"),
    ];
    const SHOWN: &'static [&'static str] =
        &["market_maker", "issue", "obligation", "display_pct", "required_pct", "days_below", "lost_us", "reason"];
}

fn pct(line: &OverviewLine) -> Option<i128> {
    DisplayPercent::of(line.total.fulfilled, line.total.available).map(|percent| percent.ten_thousandths().into())
}

/// The percentage, with the sign of how it stands.
fn signed_percent(line: &OverviewLine) -> String {
    format!("{}{}", line.standing.sign(), percent_shown(line.total))
}

fn days_below(line: &OverviewLine) -> String {
    format!("{} of {}", line.days_below.0, line.days_below.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::IssueCode;

    const WORDS: Words =
        Words { fails: "not fulfilled", at_risk: "at risk", uncertain: "not certain", meets: "fulfilled" };

    fn line(maker: &str, issue: &str, obligation: &str, fulfilled: u64, standing: Standing) -> OverviewLine {
        let key = AccountKey {
            market_maker: maker.to_owned(),
            issue: IssueCode::new(issue.as_bytes()).unwrap(),
            obligation: obligation.parse().unwrap(),
        };
        let total = Total { available: Micros(HOURS), fulfilled: Micros(fulfilled), unknown: Micros::ZERO };
        let lost = Micros(HOURS - fulfilled);
        let reasons = vec![("no_bid".into(), Micros(lost.0 / 3)), ("spread".into(), lost)];
        OverviewLine { key, total, required_pct: 800_000, standing, reasons, days_below: (1, 1) }
    }

    const HOURS: u64 = 18_000_000_000;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in
            [(0, "0"), (12, "12"), (999, "999"), (1_491, "1,491"), (123_456, "123,456"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn of_many_the_worst_are_shown_in_their_order() {
        // Thirty, in an order that is not theirs.
        let fulfilled = |number: u64| number * 7 % 30;
        let lines: Vec<OverviewLine> = (0..30)
            .map(|number| {
                line("MM1", &(1300 + fulfilled(number)).to_string(), "general", fulfilled(number), Standing::Fails)
            })
            .collect();
        let text = overview(&lines.iter().collect::<Vec<_>>(), WORDS, Style { width: 80, colour: false });
        assert!(text.contains("the 20 worst of 30 without their share"), "{text}");
        let listed = text.split("market maker  issue").nth(1).unwrap();
        let issues: Vec<&str> =
            listed.lines().filter_map(|line| line.strip_prefix("MM1")?.split_whitespace().next()).collect();
        // Below the share by as much, to four decimals: what was lost decides.
        let expected: Vec<String> = (0..20).map(|number| (1300 + number).to_string()).collect();
        assert_eq!(issues, expected, "{text}");
    }

    #[test]
    fn what_matters_comes_first() {
        let lines = [
            line("MM1", "1306", "general", HOURS / 2, Standing::Fails),
            line("MM1", "1306", "sponsored:S1", 0, Standing::Fails),
            line("MM1", "1321", "general", HOURS - 1, Standing::Meets),
            line("MM2", "1306", "general", HOURS / 100 * 79, Standing::AtRisk),
            line("MM2", "1321", "general", HOURS, Standing::Meets),
        ];
        let text = overview(&lines.iter().collect::<Vec<_>>(), WORDS, Style { width: 80, colour: false });
        let expected = "\
5 obligations of 2 market makers: 2 not fulfilled, 1 at risk, 2 fulfilled

market maker    fail  at risk  worst issue   display  required     lost  mainly
                                                   %         %
MM1           2 of 3        0  1306          !0.0000        80  2:30:00  spread
MM2           0 of 2        1  1306         !79.0000        80  1:03:00  spread

all 3 without their share, the farthest below it first:
market maker  issue  obligation    display %  required %     lost  mainly
MM1           1306   sponsored:S1    !0.0000          80  5:00:00  spread
MM1           1306   general        !50.0000          80  2:30:00  spread
MM2           1306   general        !79.0000          80  1:03:00  spread

--market-maker, --issue, --obligation, --failing and --top choose; --all lists
  every line
";
        assert_eq!(text, expected);
    }
}
