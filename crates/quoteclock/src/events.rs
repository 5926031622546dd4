//! The events of an input as rows: whatever its form, the columns of the CSV.

use jiff::tz::TimeZone;
use quoteclock_model::{MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Scope, Shares, Side};
use quoteclock_replay::InputEvent;
use quoteclock_rows::{Column, Decimals, Local, Table, Unit};

/// One event, and the zone in which its time is written; a row of [`Events`].
///
/// ```
/// use jiff::tz::TimeZone;
/// use quoteclock::{Beside, EventRow, Events, Input, InputEvents};
/// use quoteclock_rows::CsvRows;
///
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let mut events = InputEvents::open(&input, &Beside::default(), None, &TimeZone::UTC)?;
/// let (zone, mut csv) = (TimeZone::UTC, CsvRows::<Events, _>::with_header(Vec::new())?);
/// for event in &events.next_events()? {
///     csv.row(&EventRow { event, zone: &zone })?;
/// }
/// assert!(csv.finish()?.starts_with(b"seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EventRow<'a> {
    /// The event.
    pub event: &'a InputEvent,
    /// The zone of its time.
    pub zone: &'a TimeZone,
}

impl EventRow<'_> {
    fn action(&self) -> Option<&OrderAction> {
        if let MarketEvent::Order { action, .. } = &self.event.event { Some(action) } else { None }
    }

    fn kind(&self) -> &'static str {
        match &self.event.event {
            MarketEvent::Order { action: OrderAction::Add { .. }, .. } => "add",
            MarketEvent::Order { action: OrderAction::Replace { .. }, .. } => "replace",
            MarketEvent::Order { action: OrderAction::Reduce { .. }, .. } => "reduce",
            MarketEvent::Order { action: OrderAction::Cancel { .. }, .. } => "cancel",
            MarketEvent::Order { action: OrderAction::Trade { .. }, .. } => "trade",
            MarketEvent::Phase { .. } => "phase",
            MarketEvent::Clear { .. } => "clear",
        }
    }

    /// The columns `order` and `contra`.
    fn orders(&self) -> [Option<OrderId>; 2] {
        match self.action() {
            Some(
                OrderAction::Add { order, .. } | OrderAction::Reduce { order, .. } | OrderAction::Cancel { order },
            ) => [Some(*order), None],
            Some(OrderAction::Replace { order, order_new, .. }) => {
                [Some(*order), Some(*order_new).filter(|new| new != order)]
            }
            Some(OrderAction::Trade { orders, .. }) => *orders,
            None => [None, None],
        }
    }

    fn price(&self) -> Option<Price> {
        match self.action()? {
            OrderAction::Add { price, .. } | OrderAction::Replace { price, .. } | OrderAction::Trade { price, .. } => {
                *price
            }
            OrderAction::Reduce { .. } | OrderAction::Cancel { .. } => None,
        }
    }

    fn quantity(&self) -> Option<Shares> {
        match self.action()? {
            OrderAction::Add { quantity, .. }
            | OrderAction::Reduce { quantity, .. }
            | OrderAction::Trade { quantity, .. } => Some(*quantity),
            OrderAction::Replace { quantity, .. } => *quantity,
            OrderAction::Cancel { .. } => None,
        }
    }

    fn side(&self) -> Option<&'static str> {
        match self.action()? {
            OrderAction::Add { side: Side::Bid, .. } => Some("B"),
            OrderAction::Add { side: Side::Offer, .. } => Some("S"),
            _ => None,
        }
    }

    fn condition(&self) -> Option<&'static str> {
        match self.action()? {
            OrderAction::Add { condition, .. } => match condition {
                OrderCondition::None => None,
                OrderCondition::OnOpen => Some("on_open"),
                OrderCondition::OnClose => Some("on_close"),
                OrderCondition::Funari => Some("funari"),
                OrderCondition::Ioc => Some("ioc"),
            },
            _ => None,
        }
    }

    /// Of a trade, the auction that it comes from.
    fn phase(&self) -> Option<Phase> {
        match self.event.event {
            MarketEvent::Phase { phase, .. } => Some(phase),
            MarketEvent::Order { action: OrderAction::Trade { auction: true, .. }, .. } => Some(Phase::Auction),
            MarketEvent::Order { .. } | MarketEvent::Clear { .. } => None,
        }
    }
}

/// `events`: rows are [`EventRow`]s, columns those of the CSV.
///
/// ```
/// use quoteclock_rows::column_names;
///
/// assert_eq!(column_names::<quoteclock::Events>().count(), 12);
/// ```
#[derive(Debug)]
pub struct Events;

impl Table for Events {
    type Row<'a> = EventRow<'a>;
    const NAME: &'static str = "events";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::identifier("seq", |row| row.event.sequence.map(|number| number.0)),
        Column::instant("time", |row| Some(Local { at: row.event.ts_event, zone: row.zone })),
        Column::text("issue", |row| match row.event.event.scope() {
            Scope::Market => Some("*".into()),
            Scope::Issue(_) => row.event.issue.as_ref().map(|issue| issue.as_str().into()),
        }),
        Column::text("event", |row| Some(row.kind().into())),
        Column::identifier("order", |row| row.orders()[0].map(|order| order.0)),
        Column::identifier("contra", |row| row.orders()[1].map(|order| order.0)),
        Column::text("server", |row| row.event.server.as_deref().map(Into::into)),
        Column::text("side", |row| row.side().map(Into::into)),
        Column::decimal("price", Unit::None, Decimals::UpTo(4), |row| {
            row.price().map(|price| price.ten_thousandths().into())
        }),
        Column::integer("quantity", Unit::Shares, |row| row.quantity().map(|shares| shares.0.into())),
        Column::text("condition", |row| row.condition().map(Into::into)),
        Column::text("phase", |row| row.phase().map(|phase| phase.as_str().into())),
    ];
}
