//! The records of the day: which are applied, which are set aside, and what time those leave in doubt (REFERENCE section 2).

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::event::{Action, Condition, Event, Phase, Scope, Side};
use crate::text::{lines, ten_thousandths, whole};
use crate::{Case, book, clock};

/// Every column that an events file may have.
const COLUMNS: [&str; 12] =
    ["seq", "time", "issue", "event", "order", "contra", "server", "side", "price", "quantity", "condition", "phase"];
/// Those that it may lack.
const OPTIONAL: [&str; 4] = ["seq", "contra", "condition", "phase"];

/// A doubt that a bad record raises: from that time on, until a later record of the file clears it.
pub(crate) struct Doubt {
    line: u64,
    scope: Scope,
    pub(crate) from: i128,
}

/// The day as read.
pub(crate) struct DayEvents {
    pub(crate) date: Date,
    /// Local midnight, and the next one.
    pub(crate) start: i128,
    pub(crate) end: i128,
    /// In file order, and so in time order.
    pub(crate) applied: Vec<Event>,
    pub(crate) doubts: Vec<Doubt>,
    pub(crate) rejects: Vec<u64>,
}

impl DayEvents {
    /// The applied events whose time has come.
    pub(crate) fn until(&self, time: i128) -> impl Iterator<Item = &Event> {
        self.applied.iter().filter(move |event| event.time <= time)
    }

    /// Whether the state of the issue is in doubt: some doubt has begun, and no clear that comes later in the file (or is
    /// the very record with the sequence gap) has ended it yet.
    pub(crate) fn unknown(&self, issue: &str, time: i128) -> bool {
        self.doubts.iter().filter(|doubt| doubt.scope.covers(issue) && doubt.from <= time).any(|doubt| {
            let ends = |event: &Event| {
                event.line >= doubt.line && event.scope.covers(issue) && matches!(event.action, Action::Clear)
            };
            !self.until(time).any(ends)
        })
    }
}

/// Line of the bad record that a strict run stops at, or `None` when the file as a whole is refused.
pub(crate) struct Refused(pub(crate) Option<u64>);

/// What a record says, as far as it can be read: the same of every form of input.
pub(crate) struct Said {
    /// Its line, or where it begins.
    pub(crate) line: u64,
    pub(crate) time: Option<i128>,
    /// Its sequence number; the inner `None` where it cannot be read, the outer where the form carries none.
    pub(crate) seq: Option<Option<u64>>,
    /// What a fault of it puts in doubt: the issues that it names, or every issue if it names none.
    pub(crate) concerned: Vec<Scope>,
    /// What it does; `None` if a field that its event uses is malformed.
    pub(crate) action: Option<(Scope, Action)>,
}

/// One record of the file: its line, and its fields if there are as many as in the header.
struct Record<'a> {
    line: u64,
    header: &'a [&'a str],
    fields: Option<Vec<&'a str>>,
}

impl<'a> Record<'a> {
    /// The field of a column: empty if the file lacks the column, `None` if the record has no readable fields.
    fn get(&self, column: &str) -> Option<&'a str> {
        let fields = self.fields.as_ref()?;
        match self.header.iter().position(|name| *name == column) {
            Some(at) => fields.get(at).copied(),
            None => Some(""),
        }
    }

    fn time(&self) -> Option<i128> {
        clock::instant(self.get("time")?)
    }

    fn says(&self) -> Said {
        let concerned = match self.get("issue") {
            Some(code) if is_issue_code(code) => Scope::Issue(code.to_owned()),
            _ => Scope::Every,
        };
        Said {
            line: self.line,
            time: self.time(),
            seq: self.header.contains(&"seq").then(|| self.get("seq").and_then(unsigned)),
            concerned: vec![concerned],
            action: action(self),
        }
    }
}

/// Reads the whole file.
pub(crate) fn read(case: &Case, zone: &TimeZone) -> Result<DayEvents, Refused> {
    let lines = lines(&case.events);
    let header: Vec<&str> = lines[0].1.split(',').collect();
    if !is_header(&header) {
        return Err(Refused(None));
    }
    let said: Vec<Said> = lines[1..].iter().map(|(line, text)| record(*line, text, &header).says()).collect();

    let date = match &case.date {
        Some(date) => clock::date(date),
        None => said.iter().find_map(|said| said.time).and_then(|time| clock::local_date(zone, time)),
    };
    let Some(date) = date else {
        // Not one readable time: a strict run stops at the first record, if there is one.
        let first = said.first().map(|said| said.line);
        return Err(Refused(if case.lenient || case.date.is_some() { None } else { first }));
    };
    judge(case, zone, date, &said)
}

/// Judges the records in the order of the input: which are applied, which are set aside, and what those leave in doubt.
pub(crate) fn judge(case: &Case, zone: &TimeZone, date: Date, said: &[Said]) -> Result<DayEvents, Refused> {
    let midnights = clock::at_local(zone, date, 0).zip(clock::at_local(zone, date, 1_440));
    let Some((start, end)) = midnights else { return Err(Refused(None)) };

    let mut day = DayEvents { date, start, end, applied: Vec::new(), doubts: Vec::new(), rejects: Vec::new() };
    let mut sequence = Sequence { last: None, unreadable: 0 };
    let mut last_good_time = start;
    for record in said {
        let step = record.seq.map(|seq| sequence.next(seq, case.allow_gaps));
        let of_the_date = record.time.filter(|time| start <= *time && *time < end);
        let time_is_good = of_the_date.is_some_and(|time| last_good_time <= time);
        // Where its own time tells nothing, it may have come at any time since the last good one.
        let before = last_good_time;
        let doubt_from = of_the_date.unwrap_or(before);
        if let Some(time) = of_the_date.filter(|_| time_is_good) {
            last_good_time = time;
        }

        let gap = matches!(step, Some(Step::Gap));
        let seq_is_good = gap || matches!(step, None | Some(Step::Next));
        let event = record.action.clone().map(|(scope, action)| {
            let (line, time) = (record.line, doubt_from);
            Event { line, time, scope, action }
        });
        let event = event.filter(|event| time_is_good && seq_is_good && fits(&day, event));

        if gap {
            // What is missing may have come at any time since the record before it.
            day.doubts.push(Doubt { line: record.line, scope: Scope::Every, from: before });
        }
        if event.is_none() {
            let doubts = record.concerned.iter().cloned();
            day.doubts.extend(doubts.map(|scope| Doubt { line: record.line, scope, from: doubt_from }));
        }
        if event.is_none() || gap {
            if !case.lenient {
                return Err(Refused(Some(record.line)));
            }
            day.rejects.push(record.line);
        }
        day.applied.extend(event);
    }
    Ok(day)
}

fn is_header(header: &[&str]) -> bool {
    let once = |name: &&str| header.iter().filter(|other| *other == name).count() == 1;
    header.iter().all(|name| COLUMNS.contains(name) && once(name))
        && COLUMNS.iter().all(|name| OPTIONAL.contains(name) || header.contains(name))
}

fn record<'a>(line: u64, text: &'a str, header: &'a [&'a str]) -> Record<'a> {
    let fields: Vec<&str> = text.split(',').collect();
    Record { line, header, fields: (fields.len() == header.len()).then_some(fields) }
}

/// Where the file's sequence stands.
struct Sequence {
    last: Option<i128>,
    /// Records since `last` whose number could not be read: each may have taken one.
    unreadable: i128,
}

enum Step {
    Next,
    Gap,
    Repeat,
    Unreadable,
}

impl Sequence {
    fn next(&mut self, seq: Option<u64>, allow_gaps: bool) -> Step {
        let Some(seq) = seq.map(i128::from) else {
            self.unreadable += 1;
            return Step::Unreadable;
        };
        let step = match self.last {
            Some(last) if seq <= last => return Step::Repeat,
            Some(last) if seq > last + 1 + self.unreadable && !allow_gaps => Step::Gap,
            _ => Step::Next,
        };
        *self = Sequence { last: Some(seq), unreadable: 0 };
        step
    }
}

/// Whether the event fits the book of its issue, worked out anew from all that was applied before.
fn fits(day: &DayEvents, event: &Event) -> bool {
    match &event.scope {
        Scope::Issue(issue) => book::apply(&mut book::after(day.applied.iter(), issue), &event.action),
        Scope::Every => true,
    }
}

/// Reads what the record does; `None` if a field that its event uses is malformed.
fn action(record: &Record<'_>) -> Option<(Scope, Action)> {
    let issue = record.get("issue")?;
    let field = |column| record.get(column);
    let action = match field("event")? {
        "add" => Action::Add {
            order: unsigned(field("order")?)?,
            server: field("server")?.to_owned(),
            side: side(field("side")?)?,
            price: optional(field("price")?, price)?,
            quantity: quantity(field("quantity")?)?,
            condition: condition(field("condition")?)?,
        },
        "replace" => Action::Replace {
            order: unsigned(field("order")?)?,
            new_order: optional(field("contra")?, unsigned)?,
            price: optional(field("price")?, price)?,
            quantity: optional(field("quantity")?, quantity)?,
        },
        "reduce" => Action::Reduce { order: unsigned(field("order")?)?, quantity: quantity(field("quantity")?)? },
        "cancel" => Action::Cancel { order: unsigned(field("order")?)? },
        "trade" => {
            price(field("price")?)?;
            let (order, contra) = (optional(field("order")?, unsigned)?, optional(field("contra")?, unsigned)?);
            if (order.is_some() && order == contra) || !["", "auction"].contains(&field("phase")?) {
                return None;
            }
            Action::Trade { orders: order.into_iter().chain(contra).collect(), quantity: quantity(field("quantity")?)? }
        }
        "phase" => Action::Phase(phase(field("phase")?)?),
        "clear" => Action::Clear,
        _ => return None,
    };
    let scope = match issue {
        "*" if matches!(action, Action::Phase(_) | Action::Clear) => Scope::Every,
        code if is_issue_code(code) => Scope::Issue(code.to_owned()),
        _ => return None,
    };
    Some((scope, action))
}

/// 1 to 32 visible ASCII characters, but not `*`, and no quotation mark (a comma cannot be within a field).
pub(crate) fn is_issue_code(text: &str) -> bool {
    text != "*" && (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
}

/// An empty field is absent; any other must be readable.
fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { read(text).map(Some) }
}

fn unsigned(text: &str) -> Option<u64> {
    whole(text)?.try_into().ok()
}

fn price(text: &str) -> Option<i128> {
    ten_thousandths(text).filter(|price| (1..=10_000_000_000_000).contains(price))
}

fn quantity(text: &str) -> Option<i128> {
    whole(text).filter(|quantity| (1..=1_000_000_000_000).contains(quantity))
}

fn side(text: &str) -> Option<Side> {
    match text {
        "B" => Some(Side::Bid),
        "S" => Some(Side::Offer),
        _ => None,
    }
}

fn condition(text: &str) -> Option<Condition> {
    match text {
        "" => Some(Condition::None),
        "on_open" => Some(Condition::OnOpen),
        "on_close" => Some(Condition::OnClose),
        "funari" => Some(Condition::Funari),
        "ioc" => Some(Condition::Ioc),
        _ => None,
    }
}

fn phase(text: &str) -> Option<Phase> {
    match text {
        "continuous" => Some(Phase::Continuous),
        "sequential_quote" => Some(Phase::SequentialQuote),
        "special_quote" => Some(Phase::SpecialQuote),
        "halt" => Some(Phase::Halt),
        "auction" => Some(Phase::Auction),
        "closed" => Some(Phase::Closed),
        _ => None,
    }
}
