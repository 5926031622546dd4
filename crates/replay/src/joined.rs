//! Between the readers of a day's inputs and its run: names get numbers of the day, orders of one's own a server, and what is not
//! taken of an input is passed over.

use crate::beside::{OwnOrders, Part};
use crate::own::{Seen, ServerNumbers};
use quoteclock_engine::{Coverage, InputRun};
use quoteclock_feed::{RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, OrderAction, Scope, ServerIndex};
use std::collections::HashMap;
use std::sync::Arc;

/// The names that an input has told, each with its number in the day once a record needs it.
#[derive(Debug, Default)]
struct InputNames {
    part: Part,
    issues: Vec<(Option<IssueCode>, Option<IssueIndex>)>,
    servers: Vec<(Box<str>, Option<ServerIndex>)>,
}

/// Orders of one issue in two inputs.
#[derive(Debug)]
pub(crate) struct Clash {
    pub(crate) issue: String,
    pub(crate) inputs: [usize; 2],
}

impl Clash {
    /// What is wrong with an input that has orders of an `issue` of which `first` has some.
    pub(crate) fn of(issue: &str, first: &str) -> String {
        format!(
            ": has orders of issue {issue}, of which {first} has some, expected the orders of an issue in one input \
             (FILE:phases takes the phases alone)"
        )
    }
}

/// A run, and what stands between it and the inputs.
#[derive(Debug)]
pub(crate) struct Joined<P> {
    pub(crate) run: P,
    own: Seen,
    inputs: Vec<InputNames>,
    /// The issues of the day, by number and by code.
    codes: Vec<Option<IssueCode>>,
    issues: HashMap<IssueCode, IssueIndex>,
    servers: ServerNumbers,
    /// The input that an issue's orders are from.
    orders_from: HashMap<IssueIndex, usize>,
    /// The input whose record was taken last.
    pub(crate) at: usize,
    pub(crate) clash: Option<Clash>,
}

impl<P: InputRun> Joined<P> {
    /// Of inputs of which these parts are taken.
    pub(crate) fn new(run: P, parts: impl IntoIterator<Item = Part>, own: Option<Arc<OwnOrders>>) -> Joined<P> {
        Joined {
            run,
            own: Seen::new(own),
            inputs: parts.into_iter().map(|part| InputNames { part, ..InputNames::default() }).collect(),
            codes: Vec::new(),
            issues: HashMap::new(),
            servers: ServerNumbers::default(),
            orders_from: HashMap::new(),
            at: 0,
            clash: None,
        }
    }

    /// One's own orders that have not been seen.
    pub(crate) fn unseen(&self) -> impl Iterator<Item = Coverage> + '_ {
        self.own.unseen()
    }

    /// By an issue's code, the input that its orders are from.
    pub(crate) fn inputs_by_issue(&self) -> HashMap<String, usize> {
        let from = self.orders_from.iter();
        from.filter_map(|(issue, &input)| Some((self.codes[issue.index()].as_ref()?.to_string(), input))).collect()
    }

    /// An input tells an issue's code.
    pub(crate) fn issue(&mut self, input: usize, index: IssueIndex, code: &IssueCode) {
        let issues = &mut self.inputs[input].issues;
        issues.resize_with(issues.len().max(index.index() + 1), || (None, None));
        let (known, numbered) = &mut issues[index.index()];
        *known = Some(code.clone());
        // It was named by a record before.
        if let Some(number) = *numbered {
            *numbered = Some(*self.issues.entry(code.clone()).or_insert(number));
            self.codes[number.index()] = Some(code.clone());
            self.run.issue(number, code);
        }
    }

    /// An input tells a server's name.
    pub(crate) fn server(&mut self, input: usize, index: ServerIndex, name: &str) {
        let servers = &mut self.inputs[input].servers;
        servers.resize_with(servers.len().max(index.index() + 1), || ("".into(), None));
        servers[index.index()] = (name.into(), None);
    }

    /// The number of the day for an issue of an input.
    fn number(&mut self, input: usize, index: IssueIndex) -> IssueIndex {
        let issues = &mut self.inputs[input].issues;
        issues.resize_with(issues.len().max(index.index() + 1), || (None, None));
        let (code, numbered) = &mut issues[index.index()];
        if let Some(number) = *numbered {
            return number;
        }
        let next = IssueIndex(u32::try_from(self.codes.len()).expect("inputs name few issues"));
        let number = code.as_ref().map_or(next, |code| *self.issues.entry(code.clone()).or_insert(next));
        *numbered = Some(number);
        if number == next {
            self.codes.push(code.clone());
            if let Some(code) = code {
                self.run.issue(number, code);
            }
        }
        number
    }

    fn scope(&mut self, input: usize, scope: Scope) -> Scope {
        match scope {
            Scope::Market => Scope::Market,
            Scope::Issue(issue) => Scope::Issue(self.number(input, issue)),
        }
    }

    /// Takes a record of an input.
    pub(crate) fn take(&mut self, input: usize, record: &RawRecord<'_>) -> Result<(), Stop> {
        self.at = input;
        if 1 < self.inputs.len() {
            self.run.source(input);
        }
        let scope = record.scope.map(|scope| self.scope(input, scope));
        let numbered = |event| RawRecord { scope, event, ..record.clone() };
        let event = match record.event.clone() {
            Ok(event) => event,
            Err(malformed) => return self.run.record(&numbered(Err(malformed))),
        };
        let is_phase = matches!(event, MarketEvent::Phase { .. });
        match self.inputs[input].part {
            Part::Phases if !is_phase => return self.run.pass(&numbered(Ok(event))),
            Part::Orders if is_phase => return self.run.pass(&numbered(Ok(event))),
            _ => {}
        }
        match event {
            MarketEvent::Order { issue, action } => {
                let issue = self.number(input, issue);
                self.claim(input, issue)?;
                let action = self.attributed(input, issue, action);
                self.run.record(&numbered(Ok(MarketEvent::Order { issue, action })))
            }
            MarketEvent::Phase { scope: of, phase } => {
                let scope = self.scope(input, of);
                self.run.record(&numbered(Ok(MarketEvent::Phase { scope, phase })))
            }
            MarketEvent::Clear { scope: Scope::Issue(issue) } => {
                let issue = self.number(input, issue);
                self.claim(input, issue)?;
                self.run.record(&numbered(Ok(MarketEvent::Clear { scope: Scope::Issue(issue) })))
            }
            MarketEvent::Clear { scope: Scope::Market } if self.is_alone(input) => {
                self.run.record(&numbered(Ok(event)))
            }
            MarketEvent::Clear { scope: Scope::Market } => self.clear_own(input, record),
        }
    }

    /// Whether no other input has orders.
    fn is_alone(&self, input: usize) -> bool {
        self.inputs.iter().enumerate().all(|(other, names)| other == input || names.part == Part::Phases)
    }

    /// An input empties its books, and not those that are another's.
    fn clear_own(&mut self, input: usize, record: &RawRecord<'_>) -> Result<(), Stop> {
        let named =
            (0..self.inputs[input].issues.len()).map(|index| IssueIndex(u32::try_from(index).unwrap_or(u32::MAX)));
        let numbers: Vec<IssueIndex> = named.map(|index| self.number(input, index)).collect();
        let own = numbers.into_iter().filter(|number| self.orders_from.get(number).is_none_or(|&from| from == input));
        let own: Vec<IssueIndex> = own.collect();
        let Some((first, others)) = own.split_first() else { return self.run.pass(record) };
        let clear = |issue: IssueIndex| {
            let scope = Scope::Issue(issue);
            RawRecord { scope: Some(scope), event: Ok(MarketEvent::Clear { scope }), ..record.clone() }
        };
        self.run.record(&clear(*first))?;
        for &other in others {
            self.run.record(&RawRecord { sequence: Sequence::Absent, bytes: &[], ..clear(other) })?;
        }
        Ok(())
    }

    /// Takes note that an issue's orders are from an input; from no other, then.
    fn claim(&mut self, input: usize, issue: IssueIndex) -> Result<(), Stop> {
        if self.inputs.len() < 2 {
            return Ok(());
        }
        let first = *self.orders_from.entry(issue).or_insert(input);
        if first == input {
            return Ok(());
        }
        let code = self.codes.get(issue.index()).cloned().flatten();
        let issue = code.map_or_else(String::new, |code| code.to_string());
        self.clash = Some(Clash { issue, inputs: [first, input] });
        Err(Stop)
    }

    /// An order with the server of the day.
    fn attributed(&mut self, input: usize, issue: IssueIndex, mut action: OrderAction) -> OrderAction {
        let code = self.codes.get(issue.index()).and_then(Option::as_ref);
        match &mut action {
            OrderAction::Add { order, server, .. } => {
                let own = self.own.added(issue, code, *order).map(|name| self.servers.of(name, &mut self.run));
                *server = own.or_else(|| server.map(|named| self.named(input, named)));
            }
            OrderAction::Replace { order, order_new, .. } => self.own.replaced(issue, code, [*order, *order_new]),
            _ => {}
        }
        action
    }

    /// The number of the day for a server of an input.
    fn named(&mut self, input: usize, server: ServerIndex) -> ServerIndex {
        let Some((name, numbered)) = self.inputs[input].servers.get_mut(server.index()) else { return server };
        if let Some(number) = *numbered {
            return number;
        }
        let name = std::mem::take(name);
        let number = self.servers.of(&name, &mut self.run);
        self.inputs[input].servers[server.index()] = (name, Some(number));
        number
    }
}

/// The only input of a day.
pub(crate) struct Only<'j, P>(pub(crate) &'j mut Joined<P>);

impl<P: InputRun> Receiver for Only<'_, P> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.0.issue(0, index, code);
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.0.server(0, index, name);
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        self.0.take(0, record)
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.0.run.rest(bytes)
    }

    fn again(&mut self, count: u64) -> bool {
        self.0.run.again(count)
    }
}
