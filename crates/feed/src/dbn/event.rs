//! An event of one instrument: the records up to the one that is its last, and what they come to together.
//!
//! Executions are told three times over: once for all (`T`), once for each resting order (`F`), and by what becomes of that
//! order (`C`, or `M`). Here they are one trade that names the order and takes the quantity off it. Orders filled on
//! both sides of an execution, as in an auction, are named together in the order of their fills.

use super::order::What;
use crate::Place;
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{IssueIndex, MarketEvent, OrderAction, OrderId, Price, Scope, Shares, Side};
use std::collections::VecDeque;

/// What is to be told, and which of the event's records tells it.
pub(super) type Told = (usize, MarketEvent);

/// A record of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventRecord {
    pub(super) place: Place,
    pub(super) what: What,
}

/// The quantity that an order has of the event's executions, and what is told of the order after it.
#[derive(Default)]
struct Filled {
    quantity: u64,
    /// Of that, what was told to be taken off it.
    taken: u64,
    /// After so many events it is.
    after: usize,
}

/// A part of an execution on one side.
struct Piece {
    order: Option<OrderId>,
    quantity: u64,
    after: Option<usize>,
    record: usize,
}

/// The executions at one price.
struct Executed {
    price: Price,
    quantity: u64,
    /// Of which so much has been filled, by side.
    filled: [u64; 2],
    record: usize,
    fills: Vec<(usize, OrderId, Side, u64)>,
}

/// What the records of an event come to.
pub(super) fn told(issue: IssueIndex, parts: &[EventRecord]) -> Vec<Told> {
    let (mut executed, mut orders) = executions(parts);
    let mut told: Vec<Told> = Vec::with_capacity(parts.len());
    let event = |action| MarketEvent::Order { issue, action };
    for (record, part) in parts.iter().enumerate() {
        let (mut taken, mut after) = (0, None);
        if let What::Cancel { order, .. } | What::Modify { order, .. } = part.what
            && let Some(filled) = orders.get_mut(&order)
        {
            let all = if let What::Cancel { quantity, .. } = part.what { quantity.0 } else { u64::MAX };
            taken = all.min(filled.quantity - filled.taken);
            filled.taken += taken;
            after = Some(&mut filled.after);
        }
        match part.what {
            What::Add { order, side, price, quantity } => {
                let (server, condition) = (None, quoteclock_model::OrderCondition::None);
                told.push((record, event(OrderAction::Add { order, server, side, price, quantity, condition })));
            }
            What::Modify { order, price, quantity } => {
                let quantity = Some(Shares(quantity.0.saturating_add(taken)));
                told.push((record, event(OrderAction::Replace { order, order_new: order, price, quantity })));
            }
            What::Cancel { order, quantity } if taken < quantity.0 => {
                told.push((record, event(OrderAction::Reduce { order, quantity: Shares(quantity.0 - taken) })));
            }
            What::Clear => told.push((record, MarketEvent::Clear { scope: Scope::Issue(issue) })),
            What::Cancel { .. } | What::Trade { .. } | What::Fill { .. } | What::Nothing => {}
        }
        if let (1.., Some(after)) = (taken, after) {
            *after = told.len();
        }
    }
    if executed.is_empty() { told } else { with_trades(issue, told, &mut executed, &mut orders) }
}

/// The executions by price, and by order what it has of them: of fills that no execution tells, nothing.
fn executions(parts: &[EventRecord]) -> (Vec<Executed>, HashMap<OrderId, Filled, RandomState>) {
    let mut executed: Vec<Executed> = Vec::new();
    let mut places: HashMap<Price, usize, RandomState> = HashMap::default();
    for (record, part) in parts.iter().enumerate() {
        if let What::Trade { price, quantity } = part.what {
            let place = *places.entry(price).or_insert(executed.len());
            match executed.get_mut(place) {
                Some(known) => known.quantity += quantity.0,
                None => {
                    let (quantity, fills) = (quantity.0, Vec::new());
                    executed.push(Executed { price, quantity, filled: [0; 2], record, fills });
                }
            }
        }
    }
    let mut orders: HashMap<OrderId, Filled, RandomState> = HashMap::default();
    for (record, part) in parts.iter().enumerate() {
        if let What::Fill { order, side, price, quantity } = part.what
            && let Some(executed) = places.get(&price).and_then(|&place| executed.get_mut(place))
        {
            let side = side.unwrap_or(Side::Bid);
            let filled = &mut executed.filled[side as usize];
            let counted = quantity.0.min(executed.quantity - *filled);
            *filled += counted;
            if 0 < counted {
                executed.fills.push((record, order, side, counted));
                orders.entry(order).or_default().quantity += counted;
            }
        }
    }
    (executed, orders)
}

/// The same events with the trades among them, each after what is told of its orders.
fn with_trades(
    issue: IssueIndex,
    told: Vec<Told>,
    executed: &mut [Executed],
    orders: &mut HashMap<OrderId, Filled, RandomState>,
) -> Vec<Told> {
    let end = told.len();
    let mut trades: Vec<(usize, Told)> = Vec::new();
    for execution in executed {
        let mut sides = [VecDeque::new(), VecDeque::new()];
        for &(record, order, side, quantity) in &execution.fills {
            let filled = orders.entry(order).or_default();
            let named = quantity.min(filled.taken);
            filled.taken -= named;
            let pieces = [(Some(order), named, Some(filled.after)), (None, quantity - named, None)];
            for (order, quantity, after) in pieces.into_iter().filter(|(_, quantity, _)| 0 < *quantity) {
                sides[side as usize].push_back(Piece { order, quantity, after, record });
            }
        }
        while 0 < execution.quantity {
            let heads = sides.each_ref().map(VecDeque::front);
            let quantity = heads.iter().flatten().map(|piece| piece.quantity).fold(execution.quantity, u64::min);
            let names = heads.map(|piece| piece.and_then(|piece| piece.order));
            let after = heads.iter().flatten().filter_map(|piece| piece.after).max().unwrap_or(end);
            let record = heads.iter().flatten().map(|piece| piece.record).next().unwrap_or(execution.record);
            // No order is on both sides.
            let names = if names[0] == names[1] { [names[0], None] } else { names };
            let (price, shares) = (Some(execution.price), Shares(quantity));
            let action = OrderAction::Trade { price, quantity: shares, orders: names, auction: false };
            trades.push((after, (record, MarketEvent::Order { issue, action })));
            execution.quantity -= quantity;
            for side in &mut sides {
                if let Some(piece) = side.front_mut() {
                    piece.quantity -= quantity;
                    if piece.quantity == 0 {
                        side.pop_front();
                    }
                }
            }
        }
    }
    trades.sort_by_key(|(after, _)| *after);
    let mut trades = trades.into_iter().peekable();
    let mut all = Vec::with_capacity(end + trades.len());
    for (position, event) in told.into_iter().map(Some).chain([None]).enumerate() {
        while let Some((_, trade)) = trades.next_if(|(after, _)| *after <= position) {
            all.push(trade);
        }
        all.extend(event);
    }
    all
}
