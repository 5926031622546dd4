//! Which of many obligations are shown, and in what order.
//!
//! A choice is of what people and programs see (text, page, JSON); files that are written hold everything.

use crate::terminal;
use clap::ValueEnum;
use quoteclock_incentive::AccountKey;
use quoteclock_report::{LISTED_MAX, OverviewLine, Standing};
use std::num::NonZeroUsize;

/// Which obligations are shown.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "What is shown (files that are written hold everything)")]
pub(crate) struct Choice {
    /// List every line, however many; more than 50 are otherwise summed up
    #[arg(long)]
    all: bool,

    /// Only this market maker's obligations; may be given several times
    #[arg(long, value_name = "NAME")]
    market_maker: Vec<String>,

    /// Only obligations in this issue; may be given several times
    #[arg(long, value_name = "CODE")]
    issue: Vec<String>,

    /// Only this obligation: general (with its criteria), general:CRITERION, sponsored:CONDITION or matching:CONDITION; may be given several times
    #[arg(long, value_name = "NAME")]
    obligation: Vec<String>,

    /// Only obligations that have not their share, or that unknown time could turn
    #[arg(long)]
    failing: bool,

    /// The order of the lines
    #[arg(long, value_enum)]
    sort: Option<Sort>,

    /// Only so many lines, the worst ones unless --sort says otherwise
    #[arg(long, value_name = "N")]
    top: Option<NonZeroUsize>,

    /// Print no summary: files, warnings and the exit code say what there is to say
    #[arg(long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

/// An order of lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Sort {
    /// By market maker, issue and obligation
    Name,
    /// The farthest below its required share first
    Worst,
    /// The most lost time first
    Lost,
}

impl Choice {
    /// What holds everything, however much it is.
    pub(crate) fn everything() -> Choice {
        Choice { all: true, ..Choice::default() }
    }

    /// Market makers, issues and obligations that are named.
    pub(crate) fn names(&self) -> [&[String]; 3] {
        [&self.market_maker, &self.issue, &self.obligation]
    }

    /// Whether names choose a market maker.
    pub(crate) fn has_maker(&self, name: &str) -> bool {
        is_named(&self.market_maker, name)
    }

    /// Whether names choose an issue.
    pub(crate) fn has_issue(&self, code: &str) -> bool {
        is_named(&self.issue, code)
    }

    /// Whether names choose an obligation.
    pub(crate) fn has_obligation(&self, name: &str) -> bool {
        is_named(&self.obligation, name)
    }

    /// Whether names choose this one.
    pub(crate) fn has(&self, key: &AccountKey) -> bool {
        self.has_maker(&key.market_maker)
            && self.has_issue(key.issue.as_str())
            && (self.obligation.is_empty() || self.obligation.iter().any(|name| key.obligation.is_meant_by(name)))
    }

    /// Whether everything is shown, in its own order.
    pub(crate) fn is_everything(&self) -> bool {
        self.names().iter().all(|names| names.is_empty()) && !self.failing && self.sort.is_none() && self.top.is_none()
    }

    /// The chosen lines, as positions, in the order in which they are shown.
    pub(crate) fn of(&self, lines: &[OverviewLine]) -> Vec<usize> {
        let is_chosen = |line: &OverviewLine| self.has(&line.key) && (!self.failing || line.standing < Standing::Meets);
        let mut chosen: Vec<usize> = (0..lines.len()).filter(|&position| is_chosen(&lines[position])).collect();
        let sort = self.sort.or(self.top.map(|_| Sort::Worst));
        match sort {
            None | Some(Sort::Name) => {}
            Some(Sort::Worst) => chosen.sort_by(|&one, &next| lines[one].by_worst().cmp(&lines[next].by_worst())),
            Some(Sort::Lost) => chosen.sort_by(|&one, &next| lines[one].by_lost().cmp(&lines[next].by_lost())),
        }
        chosen.truncate(self.top.map_or(usize::MAX, NonZeroUsize::get));
        chosen
    }

    /// Whether `count` chosen lines are summed up rather than listed.
    pub(crate) fn sums_up(&self, count: usize) -> bool {
        LISTED_MAX < count && !self.all && self.sort.is_none() && self.top.is_none()
    }

    /// Whether nothing is cut short.
    pub(crate) fn lists_everything(&self) -> bool {
        self.all
    }

    /// Whether a list that is not of obligations is printed, rather than counted.
    pub(crate) fn lists(&self, count: usize) -> bool {
        self.all || count <= LISTED_MAX
    }

    /// Says which names are none of `keys`.
    pub(crate) fn warn<'a>(&self, keys: impl Iterator<Item = &'a AccountKey> + Clone) {
        let absent = |names: &[String], option: &str, has: &dyn Fn(&AccountKey, &str) -> bool| {
            for name in names.iter().filter(|name| !keys.clone().any(|key| has(key, name))) {
                terminal::print_warning(&format!("--{option} {name}: no obligation is of that name"));
            }
        };
        absent(&self.market_maker, "market-maker", &|key, name| key.market_maker == name);
        absent(&self.issue, "issue", &|key, name| key.issue.as_str() == name);
        absent(&self.obligation, "obligation", &|key, name| key.obligation.is_meant_by(name));
    }
}

/// Whether `name` is one of `names`, or none are given.
fn is_named(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|known| known == name)
}
