//! Orders of one's own in an input that names nobody: by a sheet of their numbers they get their servers as records go by.

use crate::beside::OwnOrders;
use quoteclock_engine::Coverage;
use quoteclock_feed::{RawRecord, Receiver, Stop};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, OrderAction, OrderId, ServerIndex};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Which orders are one's own, as records go by.
#[derive(Debug)]
pub(crate) struct Seen {
    sheet: Option<Arc<OwnOrders>>,
    /// Which rows of the sheet have been seen.
    rows: Vec<bool>,
    /// Orders that were added as one's own, or have replaced one.
    live: HashSet<(IssueIndex, OrderId)>,
}

impl Seen {
    /// Nothing so far; without a sheet nothing is one's own.
    pub(crate) fn new(sheet: Option<Arc<OwnOrders>>) -> Seen {
        let rows = vec![false; sheet.as_ref().map_or(0, |sheet| sheet.len())];
        Seen { sheet, rows, live: HashSet::new() }
    }

    /// The server of an order that is added, if it is one's own.
    pub(crate) fn added(&mut self, issue: IssueIndex, code: Option<&IssueCode>, order: OrderId) -> Option<&str> {
        let sheet = self.sheet.as_ref()?;
        let row = sheet.find(code, order)?;
        self.rows[row] = true;
        self.live.insert((issue, order));
        Some(&sheet.rows()[row].server)
    }

    /// An order replaces another: one's own keeps its server by itself.
    pub(crate) fn replaced(&mut self, issue: IssueIndex, code: Option<&IssueCode>, [order, order_new]: [OrderId; 2]) {
        if order == order_new || !self.live.remove(&(issue, order)) {
            return;
        }
        self.live.insert((issue, order_new));
        if let Some(row) = self.sheet.as_ref().and_then(|sheet| sheet.find(code, order_new)) {
            self.rows[row] = true;
        }
    }

    /// One's own orders that have not been seen.
    pub(crate) fn unseen(&self) -> impl Iterator<Item = Coverage> + '_ {
        let rows = self.sheet.iter().flat_map(|sheet| sheet.rows()).zip(&self.rows);
        rows.filter(|(_, seen)| !**seen).map(|(row, _)| Coverage::UnseenOrder { order: row.to_string() })
    }
}

/// The numbers of a day's servers, in the order in which they are needed.
#[derive(Debug, Default)]
pub(crate) struct ServerNumbers(HashMap<Box<str>, ServerIndex>);

impl ServerNumbers {
    /// The number of a name, told to `receiver` where it is a new one.
    pub(crate) fn of(&mut self, name: &str, receiver: &mut impl Receiver) -> ServerIndex {
        if let Some(&number) = self.0.get(name) {
            return number;
        }
        let number = ServerIndex(u32::try_from(self.0.len()).expect("inputs name few servers"));
        self.0.insert(name.into(), number);
        receiver.server(number, name);
        number
    }
}

/// Gives the orders of one's own their servers while the records of an input go by: what stands between a decoder and a day
/// that comes in chunks. Everything else is handed on as it is.
///
/// ```
/// use quoteclock_replay::{Attribution, OwnOrders};
/// use quoteclock_sheets::Findings;
///
/// let own = OwnOrders::read("own.csv", b"order,server\n17,MM1-A\n", &mut Findings::default()).unwrap();
/// let attribution = Attribution::new(own.into());
/// assert_eq!(attribution.unseen().count(), 1, "no record has come");
/// ```
#[derive(Debug)]
pub struct Attribution {
    seen: Seen,
    numbers: ServerNumbers,
    /// By the input's numbers: the number of the day.
    servers: Vec<ServerIndex>,
    codes: Vec<Option<IssueCode>>,
}

impl Attribution {
    /// Before the first record.
    pub fn new(sheet: Arc<OwnOrders>) -> Attribution {
        let (numbers, servers, codes) = (ServerNumbers::default(), Vec::new(), Vec::new());
        Attribution { seen: Seen::new(Some(sheet)), numbers, servers, codes }
    }

    /// What takes the next records, and hands them on.
    pub fn before<'a, R: Receiver>(&'a mut self, receiver: &'a mut R) -> Attributed<'a, R> {
        Attributed { by: self, receiver }
    }

    /// One's own orders that have not been seen.
    pub fn unseen(&self) -> impl Iterator<Item = Coverage> + '_ {
        self.seen.unseen()
    }

    /// The action as the day takes it.
    fn attributed(&mut self, issue: IssueIndex, mut action: OrderAction, receiver: &mut impl Receiver) -> OrderAction {
        let code = self.codes.get(issue.index()).and_then(Option::as_ref);
        match &mut action {
            OrderAction::Add { order, server, .. } => {
                let own = self.seen.added(issue, code, *order).map(|name| self.numbers.of(name, receiver));
                *server = own.or_else(|| server.and_then(|named| self.servers.get(named.index()).copied()));
            }
            OrderAction::Replace { order, order_new, .. } => self.seen.replaced(issue, code, [*order, *order_new]),
            _ => {}
        }
        action
    }
}

/// See [`Attribution::before`].
#[derive(Debug)]
pub struct Attributed<'a, R> {
    by: &'a mut Attribution,
    receiver: &'a mut R,
}

impl<R: Receiver> Receiver for Attributed<'_, R> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        let codes = &mut self.by.codes;
        codes.resize(codes.len().max(index.index() + 1), None);
        codes[index.index()] = Some(code.clone());
        self.receiver.issue(index, code);
    }

    fn server(&mut self, _: ServerIndex, name: &str) {
        let number = self.by.numbers.of(name, self.receiver);
        self.by.servers.push(number);
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let Ok(MarketEvent::Order { issue, action }) = record.event else { return self.receiver.record(record) };
        let action = self.by.attributed(issue, action, self.receiver);
        self.receiver.record(&RawRecord { event: Ok(MarketEvent::Order { issue, action }), ..record.clone() })
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.receiver.rest(bytes)
    }

    fn again(&mut self, count: u64) -> bool {
        self.receiver.again(count)
    }
}
