//! The events of a valid day: every one is tried on the book that those before it leave.

use super::choices::Choices;
use super::setup::{Quoter, Setup};
use crate::book::{self, Book};
use crate::event::{Action, Condition, Event, Phase, Scope, Side};
use crate::scheme::{Limits, Spread};

/// An event to be written, with what a trade's record says beside its event.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) event: Event,
    pub(super) trade_price: i128,
    pub(super) auction: bool,
}

/// At most so many events: more make a day that is slow to shrink and to read, not a more interesting one.
const EVENTS_MAX: usize = 60;
/// An issue that no registry has.
const STRANGE_ISSUE: &str = "ZZZZ";

/// The day so far.
struct Flow<'a> {
    setup: &'a Setup,
    now: i128,
    drafts: Vec<Draft>,
}

/// Makes the events of a day, one or a few for each group of choices.
pub(super) fn drafts(setup: &Setup, groups: &[Vec<u16>], start: &mut Choices<'_>, clears: usize) -> Vec<Draft> {
    let first_edge = setup.edges.first().copied().unwrap_or(setup.day.0);
    let now = match start.below(4) {
        0 => first_edge - 600_000_000,
        1 => first_edge - 1,
        2 => first_edge,
        _ => setup.day.0,
    };
    let mut flow = Flow { setup, now: now.max(setup.day.0), drafts: Vec::new() };
    if !groups.is_empty() {
        if setup.feed && !start.percent(10) {
            flow.push(Scope::Every, Action::Phase(Phase::Continuous));
        }
        for quoter in &setup.quoters {
            if !start.percent(15) {
                flow.quote(&mut start.part(12), quoter);
            }
        }
    }
    for group in groups {
        let mut choices = Choices::new(group);
        flow.step(&mut choices);
        flow.act(&mut choices, clears);
    }
    flow.drafts.truncate(EVENTS_MAX);
    flow.drafts
}

/// The book of an issue after the drafts.
fn book_after<'a>(drafts: &'a [Draft], issue: &str) -> Book<'a> {
    book::after(drafts.iter().map(|draft| &draft.event), issue)
}

/// A clear of the scope, and everything it took away sent again, as of the draft before position `at`.
pub(super) fn clear_and_resend(drafts: &[Draft], at: usize, scope: &Scope) -> Vec<Draft> {
    let before = &drafts[..at];
    let time = before.last().map_or(0, |draft| draft.event.time);
    let draft = |scope: &Scope, action| Draft {
        event: Event { line: 0, time, scope: scope.clone(), action },
        trade_price: 0,
        auction: false,
    };
    let mut issues: Vec<&Scope> = before.iter().map(|draft| &draft.event.scope).collect();
    issues.sort_by_key(|scope| format!("{scope:?}"));
    issues.dedup();
    let mut sent = vec![draft(scope, Action::Clear)];
    for resent in issues {
        let Scope::Issue(issue) = resent else { continue };
        if !scope.covers(issue) {
            continue;
        }
        for (order, resting) in book_after(before, issue) {
            let (server, side, price) = (resting.server.to_owned(), resting.side, resting.price);
            let (quantity, condition) = (resting.quantity, resting.condition);
            sent.push(draft(resent, Action::Add { order, server, side, price, quantity, condition }));
        }
    }
    sent
}

impl Flow<'_> {
    /// Moves on: not at all, by a microsecond, by a while, or to an edge of a window or an exemption.
    fn step(&mut self, choices: &mut Choices<'_>) {
        let end = self.setup.edges.last().copied().unwrap_or(self.setup.day.1);
        let next_edge = self.setup.edges.iter().copied().find(|edge| self.now < *edge);
        let next = match choices.below(10) {
            0 | 1 => self.now,
            2 => self.now + 1,
            3 => self.now + choices.wide(1_000_000),
            4 | 5 => self.now + choices.wide(1_200_000_000),
            6 | 7 => next_edge.unwrap_or(self.now) + choices.of(&[0, -1, 1]),
            _ => self.now + choices.wide((end - self.now).max(0) / 4 + 1),
        };
        self.now = next.clamp(self.now, self.setup.day.1 - 1);
    }

    /// Adds an event now, if it fits the book.
    fn push(&mut self, scope: Scope, action: Action) -> bool {
        let fits = match &scope {
            Scope::Issue(issue) => book::apply(&mut book_after(&self.drafts, issue), &action),
            Scope::Every => true,
        };
        if fits {
            let event = Event { line: 0, time: self.now, scope, action };
            self.drafts.push(Draft { event, trade_price: 1, auction: false });
        }
        fits
    }

    fn act(&mut self, choices: &mut Choices<'_>, clears: usize) {
        let mut quoter = self.setup.quoters[choices.below(self.setup.quoters.len())].clone();
        if choices.percent(7) {
            quoter = Quoter { issue: STRANGE_ISSUE.to_owned(), ..quoter };
        }
        let scope = Scope::Issue(quoter.issue.clone());
        match choices.below(100 + clears) {
            0..=29 => self.requote(choices, &quoter),
            30..=43 => self.add(choices, &quoter),
            44..=61 => self.replace(choices, &quoter),
            62..=69 => self.reduce(choices, &quoter),
            70..=76 => self.cancel(choices, &quoter),
            77..=86 => self.trade(choices, &quoter),
            87..=95 => self.phase(choices, scope),
            _ => self.clear(choices, scope),
        }
    }

    /// Both sides anew, most often in place of what rests of its own.
    fn requote(&mut self, choices: &mut Choices<'_>, quoter: &Quoter) {
        if choices.percent(60) {
            let book = book_after(&self.drafts, &quoter.issue);
            let own = book.iter().filter(|(_, resting)| quoter.servers.iter().any(|server| server == resting.server));
            let own: Vec<u64> = own.map(|(order, _)| *order).collect();
            for order in own {
                self.push(Scope::Issue(quoter.issue.clone()), Action::Cancel { order });
            }
        }
        self.quote(choices, quoter);
    }

    /// Adds both sides, at or near the limits of one of the obligations.
    fn quote(&mut self, choices: &mut Choices<'_>, quoter: &Quoter) {
        let limits = target(choices, quoter);
        let (bid, offer) = prices(choices, quoter, &limits);
        for (side, price) in [(Side::Bid, bid), (Side::Offer, offer)] {
            let need = quantity_needed(&limits, price);
            if let Some(max) = limits.max_divergence.filter(|max| *max < 1_000_000 && choices.percent(40)) {
                // As large, as the larger one may be, or one share more.
                let larger = need * 1_000_000 / (1_000_000 - max);
                let quantity = choices.of(&[need, larger, larger + 1]);
                self.rest(choices, quoter, side, price, quantity);
                continue;
            }
            match choices.below(12) {
                0..=5 => self.rest(choices, quoter, side, price, need),
                6 => self.rest(choices, quoter, side, price, need - 1),
                7 | 8 => self.rest(choices, quoter, side, price, need * 2),
                9 | 10 => {
                    // The minimum is reached by the second level only.
                    let inside = if side == Side::Bid { quoter.table.next_above(price) } else { (price - 1).max(1) };
                    self.rest(choices, quoter, side, inside, need / 2);
                    self.rest(choices, quoter, side, price, need - need / 3);
                }
                _ => {}
            }
        }
    }

    /// Adds one order of the quoter's; now and then one that is no quote, or becomes one only when it is given a price.
    fn rest(&mut self, choices: &mut Choices<'_>, quoter: &Quoter, side: Side, price: i128, quantity: i128) {
        let scope = Scope::Issue(quoter.issue.clone());
        let server = match quoter.servers.len() {
            0 => "X9".to_owned(),
            count => quoter.servers[choices.below(count)].clone(),
        };
        let order = self.free_number(choices, &quoter.issue);
        let (priced, quantity) = (Some(price.clamp(1, 10_000_000_000_000)), quantity.clamp(1, 1_000_000_000_000));
        let (price, condition) = match choices.below(24) {
            0..=18 => (priced, Condition::None),
            19 | 20 => (None, Condition::None),
            21 => (priced, Condition::OnOpen),
            22 => (priced, Condition::OnClose),
            _ => (priced, Condition::Funari),
        };
        self.push(scope.clone(), Action::Add { order, server, side, price, quantity, condition });
        if price.is_none() && choices.percent(70) {
            self.push(scope, Action::Replace { order, new_order: None, price: priced, quantity: None });
        }
    }

    /// Adds any order: of strangers too, with conditions, at the market.
    fn add(&mut self, choices: &mut Choices<'_>, quoter: &Quoter) {
        let limits = target(choices, quoter);
        let (bid, offer) = prices(choices, quoter, &limits);
        let side = choices.of(&[Side::Bid, Side::Offer]);
        let price = if side == Side::Bid { bid } else { offer };
        let need = quantity_needed(&limits, price);
        let quantity = choices.of(&[need, need / 2, 1, need - 1]).clamp(1, 1_000_000_000_000);
        let mut servers = quoter.servers.clone();
        servers.extend(["X9".to_owned(), String::new(), "VS1A".to_owned(), "VS2A".to_owned()]);
        let server = servers[choices.below(servers.len())].clone();
        let condition = match choices.below(10) {
            0..=5 => Condition::None,
            6 => Condition::Funari,
            7 => Condition::Ioc,
            8 => Condition::OnOpen,
            _ => Condition::OnClose,
        };
        let price = if choices.percent(12) { None } else { Some(price) };
        let order = self.free_number(choices, &quoter.issue);
        self.push(Scope::Issue(quoter.issue.clone()), Action::Add { order, server, side, price, quantity, condition });
    }

    /// A number that is not in the issue's book; often one that was there before.
    fn free_number(&self, choices: &mut Choices<'_>, issue: &str) -> u64 {
        let book = book_after(&self.drafts, issue);
        let first = match choices.below(20) {
            19 => u64::MAX - 99,
            low => u64::try_from(low).unwrap_or(0),
        };
        (first..).find(|number| !book.contains_key(number)).unwrap_or(first)
    }

    /// Some resting order of the issue.
    fn resting(&self, choices: &mut Choices<'_>, issue: &str) -> Option<(u64, Option<i128>, i128)> {
        let book = book_after(&self.drafts, issue);
        let orders: Vec<_> = book.iter().map(|(order, resting)| (*order, resting.price, resting.quantity)).collect();
        if orders.is_empty() { None } else { Some(choices.of(&orders)) }
    }

    fn replace(&mut self, choices: &mut Choices<'_>, quoter: &Quoter) {
        let Some((order, price, quantity)) = self.resting(choices, &quoter.issue) else { return };
        let price = price.unwrap_or(quoter.anchor);
        let above = quoter.table.next_above(quoter.table.valid_at_or_below(price));
        let below = quoter.table.valid_at_or_below((price - 1).max(1)).max(1);
        let price = match choices.below(6) {
            0 | 1 => None,
            2 => Some(above),
            3 => Some(below),
            4 => Some(price + 1),
            _ => Some(quoter.anchor),
        };
        let quantity = match choices.below(5) {
            0 | 1 => None,
            2 => Some(quantity + 1),
            3 => Some((quantity - 1).max(1)),
            _ => Some((quantity * 2).min(1_000_000_000_000)),
        };
        let new_order = match choices.below(4) {
            0 | 1 => None,
            2 => Some(order),
            _ => Some(self.free_number(choices, &quoter.issue)),
        };
        let (price, quantity) = (price.map(|p| p.min(10_000_000_000_000)), quantity.map(|q| q.min(1_000_000_000_000)));
        self.push(Scope::Issue(quoter.issue.clone()), Action::Replace { order, new_order, price, quantity });
    }

    fn reduce(&mut self, choices: &mut Choices<'_>, quoter: &Quoter) {
        let Some((order, _, quantity)) = self.resting(choices, &quoter.issue) else { return };
        let quantity = choices.of(&[1, quantity, (quantity + 1) / 2]);
        self.push(Scope::Issue(quoter.issue.clone()), Action::Reduce { order, quantity });
    }

    fn cancel(&mut self, choices: &mut Choices<'_>, quoter: &Quoter) {
        let Some((order, ..)) = self.resting(choices, &quoter.issue) else { return };
        self.push(Scope::Issue(quoter.issue.clone()), Action::Cancel { order });
    }

    /// A trade of no, one or two orders.
    fn trade(&mut self, choices: &mut Choices<'_>, quoter: &Quoter) {
        let first = self.resting(choices, &quoter.issue).filter(|_| !choices.percent(20));
        let second = self
            .resting(choices, &quoter.issue)
            .filter(|other| choices.percent(50) && Some(other.0) != first.map(|f| f.0));
        let most = first.iter().chain(&second).map(|(_, _, quantity)| *quantity).min().unwrap_or(100);
        let orders = first.iter().chain(&second).map(|(order, ..)| *order).collect();
        let quantity = choices.of(&[1, most, (most + 1) / 2]);
        if self.push(Scope::Issue(quoter.issue.clone()), Action::Trade { orders, quantity })
            && let Some(draft) = self.drafts.last_mut()
        {
            draft.trade_price = quoter.anchor;
            draft.auction = choices.percent(25);
        }
    }

    /// A phase of the market or the issue: when it does not trade, most often to make it trade again.
    fn phase(&mut self, choices: &mut Choices<'_>, scope: Scope) {
        let scope = if choices.percent(35) { Scope::Every } else { scope };
        let phases = self.drafts.iter().filter(|draft| draft.event.scope == scope);
        let last = phases
            .filter_map(|draft| if let Action::Phase(phase) = draft.event.action { Some(phase) } else { None })
            .next_back();
        let stopped = last.is_some_and(|phase| !matches!(phase, Phase::Continuous | Phase::SequentialQuote));
        let phase = if stopped && !choices.percent(30) {
            Phase::Continuous
        } else {
            choices.of(&[
                Phase::Continuous,
                Phase::SequentialQuote,
                Phase::SequentialQuote,
                Phase::SpecialQuote,
                Phase::Halt,
                Phase::Auction,
                Phase::Closed,
            ])
        };
        self.push(scope, Action::Phase(phase));
    }

    /// Empties the book; most often what rested is sent again.
    fn clear(&mut self, choices: &mut Choices<'_>, scope: Scope) {
        let scope = if choices.percent(35) { Scope::Every } else { scope };
        let mut sent = clear_and_resend(&self.drafts, self.drafts.len(), &scope);
        if choices.percent(30) {
            sent.truncate(1);
        }
        for draft in sent {
            self.push(draft.event.scope, draft.event.action);
        }
    }
}

/// The limits to quote at: those of one obligation, or the narrowest and largest of all of them.
fn target(choices: &mut Choices<'_>, quoter: &Quoter) -> Limits {
    if choices.percent(50) {
        return quoter.limits[choices.below(quoter.limits.len())].clone();
    }
    let all = |limit: fn(&Limits) -> Option<i128>| quoter.limits.iter().filter_map(limit);
    let spread = Spread {
        max_bps: all(|limits| limits.spread.max_bps).min(),
        max_ticks: all(|limits| limits.spread.max_ticks).min(),
        max_abs: all(|limits| limits.spread.max_abs).min(),
    };
    let (min_value, min_quantity) = (all(|limits| limits.min_value).max(), all(|limits| limits.min_quantity).max());
    Limits { spread, min_value, min_quantity, ..quoter.limits[0].clone() }
}

/// A bid and an offer at, within, or just beyond the spread limits; now and then locked, crossed or off the grid.
fn prices(choices: &mut Choices<'_>, quoter: &Quoter, limits: &Limits) -> (i128, i128) {
    let table = &quoter.table;
    let up = |price: i128, ticks: usize| (0..ticks).fold(price, |price, _| table.next_above(price));
    let drift = choices.of(&[0, 1, 2, 0, 5]);
    let mut bid = up(table.valid_at_or_below(quoter.anchor), drift).max(1);
    if choices.percent(12) {
        bid += choices.of(&[1, 49, 3_333]);
    }
    let on_grid = table.valid_at_or_below(bid);
    let band = limits.bands.iter().find(|(up_to, _)| up_to.is_none_or(|up_to| bid <= up_to));
    if let Some((Some(up_to), _)) = band
        && choices.percent(30)
    {
        bid = up_to + choices.of(&[0, 1]);
    }
    let spread = band.map_or(&limits.spread, |(_, spread)| spread);
    let ticks = usize::try_from(spread.max_ticks.unwrap_or(1)).unwrap_or(1).min(40);
    // The widest offer that the limit allows: offer × (20,000 - bps) <= bid × (20,000 + bps) of the mid,
    // offer × 10,000 <= bid × (10,000 + bps) of the bid, offer × (10,000 - bps) <= bid × 10,000 of the offer.
    let bps = spread.max_bps.unwrap_or(100_000).min(50_000_000);
    let (low, high) = match limits.spread_base.as_str() {
        "bid" => (100_000_000, 100_000_000 + bps),
        "offer" => (100_000_000 - bps, 100_000_000),
        _ => (200_000_000 - bps, 200_000_000 + bps),
    };
    let widest = match spread.max_abs {
        Some(max) if spread.max_bps.is_none() || choices.percent(50) => bid + max,
        _ => bid * high / low,
    };
    let mut offer = match choices.below(14) {
        0..=4 => up(on_grid, ticks),
        5 => up(on_grid, 1),
        6 | 7 => widest,
        8 => table.valid_at_or_below(widest),
        9 => up(on_grid, ticks + 1),
        10 => widest + 1,
        11 => up(on_grid, 2 * ticks + 2),
        12 => bid,
        _ => table.valid_at_or_below((bid - 1).max(1)),
    };
    if choices.percent(15) {
        // Exactly as many basis points apart as allowed, or one unit more.
        let common = greatest_common_divisor(low, high);
        let times = (quoter.anchor * common / low).max(1);
        (bid, offer) = (low / common * times, high / common * times + choices.of(&[0, 1]));
    }
    (bid.clamp(1, 10_000_000_000_000), offer.clamp(1, 10_000_000_000_000))
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The fewest shares at the price that reach every minimum; where one is enough, that one.
fn quantity_needed(limits: &Limits, price: i128) -> i128 {
    let price = limits.quantity_from_value_at.flatten().unwrap_or(price);
    let by_value = limits.min_value.map(|value| (value + price - 1) / price);
    let needed = [by_value, limits.min_quantity].into_iter().flatten();
    let needed = if limits.any_size { needed.min() } else { needed.max() };
    needed.unwrap_or(1).clamp(1, 1_000_000_000_000)
}
