//! Why an amount is what it is: the days, the steps from them to the yen, and the clause of each.

use crate::conditions::{ConditionLine, Share};
use crate::tiers::TierSource;
use crate::value::{BasisAndRate, Incentive, IncentiveLine};
use crate::{AccountKey, MakerLine, MonthLine, Settlement, SignUpMonth, Status, SystemStatus};
use jiff::civil::Date;
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::{Amount, Bps, IssueCode, ObligationId};
use quoteclock_rules::{ConditionKind, MonthShare, PaymentMethod, Registry, Tier};

/// An amount that somebody asks about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Incentive 1 or 2, for an issue.
    Incentive(Incentive, IssueCode),
    /// Incentive 3.
    ServerWaiver,
    /// A sponsored condition or matching fund: for an issue, or for each of its issues.
    Condition(ObligationId, Option<IssueCode>),
}

/// One amount, explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// Whose.
    pub market_maker: String,
    /// Through whom it is paid, where a sign-up names one.
    pub participant: Option<String>,
    /// For which issue; `None` of virtual servers.
    pub issue: Option<IssueCode>,
    /// As the output files write it: `value_others`, `server_waiver`, `sponsored:S1`.
    pub of: String,
    /// What is paid, in whole yen; `None` where nothing is, or it cannot be said.
    pub amount_yen: Option<u128>,
    /// The days that the amount rests on.
    pub days: Vec<WhyDay>,
    /// From the days to the amount.
    pub steps: Vec<Step>,
}

/// What one day adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhyDay {
    /// The date.
    pub date: Date,
    /// Orders sent, before the daily limit, where orders are counted.
    pub orders_sent: Option<u64>,
    /// Yen, orders or shares, in ten-thousandths.
    pub basis: Amount,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What it is: `tier`, `rate`, `place`.
    pub step: &'static str,
    /// The figure that it comes to.
    pub figure: String,
    /// What the figure counts.
    pub unit: &'static str,
    /// How it comes about.
    pub says: String,
    /// By which clause.
    pub clause: &'static str,
}

fn step(
    step: &'static str,
    figure: impl ToString,
    unit: &'static str,
    says: impl Into<String>,
    clause: &'static str,
) -> Step {
    Step { step, figure: figure.to_string(), unit, says: says.into(), clause }
}

impl Settlement {
    /// Why a market maker has what is asked about: every line of it, by participant and issue; one without an amount where
    /// there is no line, with the step at which it ended.
    ///
    /// Clauses: those of the steps.
    pub fn why(&self, registry: &Registry, market_maker: &str, asked: &Asked) -> Vec<Why> {
        let whys: Vec<Why> = match asked {
            Asked::Incentive(incentive, issue) => {
                let of = |line: &&IncentiveLine| {
                    line.market_maker == market_maker && line.issue == *issue && line.incentive == *incentive
                };
                self.incentives.iter().filter(of).map(|line| self.why_incentive(registry, line)).collect()
            }
            Asked::ServerWaiver => {
                let maker = self.makers.iter().find(|maker| maker.market_maker == market_maker);
                maker.into_iter().map(|maker| why_servers(registry, maker)).collect()
            }
            Asked::Condition(obligation, issue) => {
                let name = obligation.to_string();
                let of = |line: &&ConditionLine| {
                    line.market_maker == market_maker
                        && line.obligation() == name
                        && issue.as_ref().is_none_or(|issue| line.issue == *issue)
                };
                self.conditions.iter().filter(of).map(|line| self.why_condition(obligation, line)).collect()
            }
        };
        if whys.is_empty() { vec![self.why_nothing(registry, market_maker, asked)] } else { whys }
    }

    fn line(&self, market_maker: &str, issue: &IssueCode, obligation: &ObligationId) -> Option<&MonthLine> {
        let key =
            AccountKey { market_maker: market_maker.to_owned(), issue: issue.clone(), obligation: obligation.clone() };
        self.lines.iter().find(|line| line.key == key)
    }

    /// Steps that every payment asks for: the number of ETFs, and the obligation.
    fn first_steps(&self, market_maker: &str, issue: &IssueCode, obligation: &ObligationId) -> Vec<Step> {
        let maker = self.makers.iter().find(|maker| maker.market_maker == market_maker);
        let line = self.line(market_maker, issue, obligation);
        maker.map(number_of_etfs).into_iter().chain(line.map(display_time)).collect()
    }

    /// The same of what the scheme itself asks: one obligation, or criteria of which as many as are needed have to be met.
    fn steps_of_sign_up(&self, market_maker: &str, issue: &IssueCode) -> Vec<Step> {
        let maker = self.makers.iter().find(|maker| maker.market_maker == market_maker);
        let mut steps: Vec<Step> = maker.map(number_of_etfs).into_iter().collect();
        let Some(sign_up) = SignUpMonth::find(&self.lines, market_maker, issue) else { return steps };
        steps.extend(sign_up.deciding().map(display_time));
        if sign_up.has_criteria() {
            let (need, count) = (sign_up.need(), sign_up.deciding().count());
            let says = format!("of {count} criteria, {need} needed: {}", sign_up.status().as_str().replace('_', " "));
            steps.push(step("criteria", sign_up.met(), "", says, "XETRA/criteria"));
        }
        steps
    }

    fn why_incentive(&self, registry: &Registry, line: &IncentiveLine) -> Why {
        let scheme = registry.scheme().incentives();
        let clause = line.incentive.clause();
        let mut steps = self.steps_of_sign_up(&line.market_maker, &line.issue);
        match line.basis {
            BasisAndRate::Orders(count, fee) => {
                let says = format!("the days' orders, of each day at most {}", scheme.orders_max);
                steps.push(step("basis", count, "orders", says, clause));
                steps.push(step("rate", fee, "JPY an order", "the access fee that is waived", clause));
                steps.push(product(u128::from(count).checked_mul(fee.0), 4, format!("{count} x {fee}"), clause));
            }
            BasisAndRate::Value(value, rate) => {
                let (kind, of) = match line.incentive {
                    Incentive::ValueAuctionOrMarketMaker => (
                        "auction or market maker",
                        "in call auctions and against a market maker signed up for the issue",
                    ),
                    _ => ("others", "in the continuous auction against anyone else"),
                };
                steps.push(step("basis", value, "JPY", format!("the days' trading value {of}"), clause));
                steps.extend(self.tier_steps(registry, line));
                let (rate_text, tier) = (rate.map_or_else(String::new, |rate| rate.to_string()), line.tier);
                let says = match tier {
                    Some(tier) if is_diversified(scheme, tier, line.diversified) => {
                        format!("of tier {}, {kind}, diversified investment", tier.as_str())
                    }
                    Some(tier) => format!("of tier {}, {kind}", tier.as_str()),
                    None => "cannot be said without the tier".to_owned(),
                };
                steps.push(step("rate", &rate_text, "bps", says, clause));
                if let Some(Bps(rate)) = rate {
                    let exact = value.0.checked_mul(u128::from(rate));
                    steps.push(product(exact, 12, format!("{value} x {rate_text} / 10000"), clause));
                }
            }
        }
        steps.extend(line.amount_yen.map(amount));
        let day = |(date, day): &(Date, crate::DayBasis)| WhyDay {
            date: *date,
            orders_sent: (line.incentive == Incentive::AccessFee).then_some(day.orders_sent),
            basis: match line.incentive {
                Incentive::AccessFee => whole(day.orders_counted.into()),
                Incentive::ValueAuctionOrMarketMaker => day.auction_or_market_maker,
                Incentive::ValueOthers => day.others,
            },
        };
        Why {
            market_maker: line.market_maker.clone(),
            participant: line.participant.clone(),
            issue: Some(line.issue.clone()),
            of: line.incentive.as_str().to_owned(),
            amount_yen: line.amount_yen,
            days: line.daily.iter().map(day).collect(),
            steps,
        }
    }

    /// The average that a review measured, and the tier.
    fn tier_steps(&self, registry: &Registry, line: &IncentiveLine) -> Vec<Step> {
        let mut steps = Vec::new();
        let bounds = &registry.scheme().incentives().tiers;
        let review = self.tiers.iter().find(|tier| tier.issue == line.issue).map(|tier| &tier.review);
        let tier = line.tier.map_or("", Tier::as_str);
        let period = review.map_or_else(String::new, |review| {
            let (measured, in_force) = (&review.measured, &review.in_force);
            format!(
                "the review of {} to {}, in force from {} to {}",
                measured.start(),
                measured.end(),
                in_force.start(),
                in_force.end()
            )
        });
        if line.tier_source == TierSource::Measured
            && let Some(average) = line.measured.average_yen()
        {
            let says = format!("{} JPY on {} stored days of {period}", line.measured.total, line.measured.days);
            steps.push(step("average", average, "JPY a day", says, "ST1/tier-review"));
        }
        let (says, clause) = match line.tier_source {
            TierSource::Leveraged => ("leveraged and inverse ETFs are always V".to_owned(), "ST1/tiers"),
            TierSource::Given => ("as the issue's row in issues.csv says".to_owned(), "ST1/tiers"),
            TierSource::Measured => {
                let under = bounds.iter().find(|bound| {
                    line.measured.total.0 < bound.average_under.0.saturating_mul(line.measured.days.into())
                });
                let says = under.map_or_else(
                    || "not under the highest bound".to_owned(),
                    |bound| format!("the average is under {} JPY", bound.average_under),
                );
                (says, "ST1/tiers")
            }
            TierSource::NewlyListed => (format!("listed after {period}"), "ST1/tier-review"),
            TierSource::Unknown => (format!("no day of {period} is stored"), "ST1/tier-review"),
        };
        steps.push(step("tier", tier, "", says, clause));
        steps
    }

    fn why_condition(&self, obligation: &ObligationId, line: &ConditionLine) -> Why {
        let total_clause = match line.kind {
            ConditionKind::Sponsored => "ST1/sponsored-amount",
            ConditionKind::Matching => "ST1/matching-tables",
        };
        let place_clause = match line.kind {
            ConditionKind::Sponsored => "ST1/sponsored-priority",
            ConditionKind::Matching => "ST1/matching-priority",
        };
        let mut steps = self.first_steps(&line.market_maker, &line.issue, obligation);
        if let Some(terms) = &line.terms {
            let row = &terms.row.payment;
            let group = if terms.group { ", of a group: every issue of it has to be fulfilled" } else { "" };
            let says = format!("the row in force on {}{group}", terms.date);
            let total = row.total.map_or_else(String::new, |total| total.to_string());
            steps.push(step("total", total, "JPY", says, total_clause));
            let keys: Vec<&str> = row.priority.iter().map(|key| key.as_str()).collect();
            let own: Vec<String> = row.priority.iter().map(|key| line.standing.told(*key)).collect();
            let (place, of) = (line.place.map_or_else(String::new, |place| place.to_string()), line.eligible);
            let says = format!("of {of} eligible, by {}: {}{}", keys.join(", "), own.join(", "), noted(line));
            steps.push(step("place", place, "", says, place_clause));
        }
        if let Some(reckoning) = line.reckoning {
            if let (Some(withheld), Some(terms)) = (reckoning.withheld, &line.terms) {
                let aum = terms.aum.map_or_else(|| "unknown".to_owned(), |aum| format!("{aum} JPY"));
                let trigger = terms.row.payment.aum_trigger.unwrap_or_default();
                let says = format!("assets of {aum} are not above the trigger of {trigger} JPY");
                steps.push(step("withheld", withheld, "JPY", says, total_clause));
            }
            let payable = Amount(reckoning.total.0 - reckoning.withheld.unwrap_or_default().0);
            let is_group = line.terms.as_ref().is_some_and(|terms| terms.group);
            let asks = line.terms.as_ref().and_then(|terms| terms.row.payment.method);
            let (figure, says) = match reckoning.share {
                Share::Places(places) if is_group && asks == Some(PaymentMethod::Proportional) => {
                    (format!("1 of {places}"), format!("{payable} / {places}: a group is paid by places"))
                }
                Share::Places(places) => (format!("1 of {places}"), format!("{payable} / {places}, for each place")),
                Share::Quantity { own, all } => {
                    (format!("{own} of {all}"), format!("{payable} x {own} / {all}, by executed shares"))
                }
            };
            steps.push(step("share", figure, "", says, "QC/matching_split"));
        }
        if let Some(payout) = line.payout.filter(|_| line.reckoning.is_some()) {
            steps.push(amount(payout.amount_yen));
            if line.kind == ConditionKind::Matching {
                let says = "half, and the odd yen";
                steps.push(step("by_exchange", payout.by_exchange_yen, "JPY", says, "ST1/matching-makers"));
                let says = "half";
                steps.push(step("by_asset_manager", payout.by_asset_manager_yen, "JPY", says, "ST1/matching-makers"));
            }
        }
        let day = |(date, quantity): &(Date, u128)| WhyDay { date: *date, orders_sent: None, basis: whole(*quantity) };
        Why {
            market_maker: line.market_maker.clone(),
            participant: line.participant.clone(),
            issue: Some(line.issue.clone()),
            of: line.obligation(),
            amount_yen: line.payout.map(|payout| payout.amount_yen),
            days: line.daily.iter().map(day).collect(),
            steps,
        }
    }

    /// Where there is no line: the first steps, and what ends them.
    fn why_nothing(&self, registry: &Registry, market_maker: &str, asked: &Asked) -> Why {
        let (issue, of, obligation) = match asked {
            Asked::Incentive(incentive, issue) => (Some(issue), incentive.as_str().to_owned(), ObligationId::GENERAL),
            Asked::ServerWaiver => (None, SERVER_WAIVER.to_owned(), ObligationId::GENERAL),
            Asked::Condition(obligation, issue) => (issue.as_ref(), obligation.to_string(), obligation.clone()),
        };
        let mut steps = Vec::new();
        if let Some(issue) = issue {
            let sign_up = SignUpMonth::find(&self.lines, market_maker, issue);
            let line = match obligation {
                ObligationId::General(_) => {
                    steps = self.steps_of_sign_up(market_maker, issue);
                    sign_up.and_then(|sign_up| sign_up.deciding().next())
                }
                _ => {
                    steps = self.first_steps(market_maker, issue, &obligation);
                    self.line(market_maker, issue, &obligation)
                }
            };
            match line {
                None => {
                    let says = format!("{market_maker} was not measured in {issue} under {obligation}");
                    steps.push(step("measured", "no", "", says, "ST1/quote-display-time"));
                }
                Some(line) if line.leveraged_inverse => {
                    let says = "leveraged and inverse ETFs have none of these incentives";
                    steps.push(step("tier", Tier::V.as_str(), "", says, "ST1/tiers"));
                }
                Some(line) => {
                    let row = registry.issue_on(issue, line.last_measured);
                    let has_fee = |of: &&IncentiveLine| of.market_maker == market_maker && of.issue == *issue;
                    let fee = self.incentives.iter().find(has_fee);
                    if fee.is_some_and(|fee| fee.tier == Some(Tier::V)) && row.is_some() {
                        steps.push(step("tier", Tier::V.as_str(), "", "no rate on trading value", "ST1/tiers"));
                    }
                }
            }
        } else {
            let says = format!("{market_maker} was not measured in the month under {of}");
            steps.push(step("measured", "no", "", says, "ST1/quote-display-time"));
        }
        Why {
            market_maker: market_maker.to_owned(),
            participant: None,
            issue: issue.cloned(),
            of,
            amount_yen: None,
            days: Vec::new(),
            steps,
        }
    }
}

/// Incentive 3 as whoever asks names it.
pub const SERVER_WAIVER: &str = "server_waiver";

fn number_of_etfs(maker: &MakerLine) -> Step {
    let (required, met) = (maker.etfs_required, if maker.qualifies() { "" } else { ": no incentive of any kind" });
    step(
        "number_of_etfs",
        maker.etfs_fulfilled,
        "ETFs",
        format!("at least {required} are required{met}"),
        "ST1/number-of-etfs",
    )
}

fn display_time(line: &MonthLine) -> Step {
    let percent = DisplayPercent::of(line.total.fulfilled, line.total.available);
    let figure = percent.map_or_else(String::new, |percent| percent.to_string());
    let Total { available, fulfilled, .. } = line.total;
    let doubt = if line.certain() { "" } else { "; NOT CERTAIN: unknown time could turn it" };
    let system = match line.system_status() {
        Some(SystemStatus::Ng) if line.status() == Status::Fulfilled => " (the exchange's system shows NG)",
        _ => "",
    };
    let required = Amount(line.required_pct.into());
    let days = line.day_counts().unwrap_or_default();
    let required = match line.aggregate.month {
        MonthShare::Sum => format!("at least {required} % is required"),
        MonthShare::MeanOfDays => format!("at least {required} % is required in the mean of {} days", days.available),
        MonthShare::Days { pct } => format!(
            "at least {required} % is required on {} % of {} days, and reached on {}",
            Amount(pct.into()),
            days.available,
            days.compliant
        ),
    };
    let below = line
        .aggregate
        .days_below_max
        .map(|max| format!(", at most {max} day(s) may be under it, and {} are", days.available - days.compliant));
    let floor = line.aggregate.day_floor_pct.map(|floor| format!(", none under {} %", Amount(floor.into())));
    let left_out = (days.left_out != 0).then(|| format!(", {} day(s) left out", days.left_out));
    let more: String = [below, floor, left_out].into_iter().flatten().collect();
    let says = format!(
        "{}: {} of {} us on {} day{}, {required}{more}: {}{system}{doubt}",
        line.key.obligation,
        fulfilled.0,
        available.0,
        line.days_measured,
        if line.days_measured == 1 { "" } else { "s" },
        line.status().as_str().replace('_', " ")
    );
    step("quote_display_time", figure, "%", says, "ST1/time-share")
}

fn is_diversified(scheme: &quoteclock_rules::Incentives, tier: Tier, diversified: bool) -> bool {
    diversified && scheme.rates(tier, true) != scheme.rates(tier, false)
}

/// A product before it is rounded, in units of its last of `decimals`; nothing where 128 bits do not hold it.
fn product(exact: Option<u128>, decimals: u32, says: String, clause: &'static str) -> Step {
    let figure = exact.map_or_else(String::new, |exact| {
        let one = 10_u128.pow(decimals);
        let text = format!("{}.{:0width$}", exact / one, exact % one, width = decimals as usize);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    });
    step("product", figure, "JPY", says, clause)
}

fn amount(yen: u128) -> Step {
    step("amount", yen, "JPY", "rounded down to the yen", "QC/yen_rounding")
}

/// A whole number in ten-thousandths.
fn whole(number: u128) -> Amount {
    Amount(number.saturating_mul(10_000))
}

/// The notes of a condition's line, as words.
fn noted(line: &ConditionLine) -> String {
    let words: Vec<String> = line.notes.iter().map(|note| note.as_str().replace('_', " ")).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn why_servers(registry: &Registry, maker: &MakerLine) -> Why {
    let scheme = registry.scheme().incentives();
    let counted = maker.free_servers.min(maker.servers_registered);
    let steps = vec![
        number_of_etfs(maker),
        step(
            "free_servers",
            maker.free_servers,
            "servers",
            format!("by {} ETFs that are not leveraged or inverse", maker.etfs_fulfilled),
            "ST1/free-servers",
        ),
        step(
            "registered",
            maker.servers_registered,
            "servers",
            format!("in force on any date of the month: {counted} are free"),
            "ST1/free-servers",
        ),
        step("rate", scheme.server_fee, "JPY a server", "a month", "ST1/free-servers"),
        amount(maker.server_waiver_yen()),
    ];
    Why {
        market_maker: maker.market_maker.clone(),
        participant: maker.server_participant.clone(),
        issue: None,
        of: SERVER_WAIVER.to_owned(),
        amount_yen: Some(maker.server_waiver_yen()),
        days: Vec::new(),
        steps,
    }
}
