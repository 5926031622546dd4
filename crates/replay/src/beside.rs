//! What a day is measured from beside its input: further inputs of the same date, and the numbers of one's own orders.

use crate::Input;
use quoteclock_model::{IssueCode, OrderId};
use quoteclock_sheets::{Findings, Layout, Table, quoted, value};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::iter;
use std::sync::Arc;

/// What a day is measured from beside its input.
///
/// ```
/// use quoteclock_replay::{Also, Beside, Input, Part};
///
/// let phases = Also { input: Input::named("2024-03-01.phases.csv".as_ref()), part: Part::Phases };
/// let beside = Beside { also: vec![phases], ..Beside::default() };
/// assert!(!beside.is_empty());
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beside {
    /// Further inputs. Records of one time are in the order of the inputs.
    pub also: Vec<Also>,
    /// The numbers of one's own orders, where the input names nobody.
    pub own_orders: Option<Arc<OwnOrders>>,
}

impl Beside {
    /// Nothing.
    pub const NONE: &'static Beside = &Beside { also: Vec::new(), own_orders: None };

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.also.is_empty() && self.own_orders.is_none()
    }

    /// An input, and the further ones.
    pub(crate) fn with<'a>(&'a self, input: &'a Input) -> Vec<&'a Input> {
        iter::once(input).chain(self.also.iter().map(|also| &also.input)).collect()
    }

    /// What is taken of each of them.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        iter::once(Part::All).chain(self.also.iter().map(|also| also.part))
    }

    /// The names of the further inputs.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.also.iter().map(|also| also.input.name())
    }
}

/// A further input of the day, and what of it is taken.
///
/// ```
/// use quoteclock_replay::{Also, Input, Part};
///
/// let also = Also { input: Input::named("phases.csv".as_ref()), part: Part::Phases };
/// assert_eq!(also.input.name(), "phases.csv");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Also {
    /// The input.
    pub input: Input,
    /// What of it is taken.
    pub part: Part,
}

/// What is taken of an input.
///
/// ```
/// use quoteclock_replay::Part;
///
/// assert_eq!("phases".parse(), Ok(Part::Phases));
/// assert_eq!(Part::default(), Part::All);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Part {
    /// Everything.
    #[default]
    All,
    /// Phases: of all else only the place in its input is judged.
    Phases,
    /// All but phases.
    Orders,
}

/// The numbers of one's own orders, each with the server that it came through: an order that a feed adds without a name gets
/// that one.
///
/// ```
/// use quoteclock_replay::OwnOrders;
/// use quoteclock_sheets::Findings;
///
/// let mut findings = Findings::default();
/// let own = OwnOrders::read("own.csv", b"issue,order,server\n1306,17,MM1-A\n", &mut findings).unwrap();
/// assert_eq!((own.len(), own.name()), (1, "own.csv"));
/// assert!(OwnOrders::read("own.csv", b"order,server\n17,MM1-A\n17,MM1-B\n", &mut findings).is_none());
/// let finding = findings.into_sorted()[0].to_string();
/// assert!(finding.starts_with("own_orders.csv: line 3, column order: order 17 is there twice"), "{finding}");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnOrders {
    name: String,
    sha256: [u8; 32],
    /// By number; the rows with an issue hold for that one, and win there over one without.
    rows: HashMap<u64, Vec<usize>>,
    all: Vec<OwnOrder>,
}

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OwnOrder {
    pub(crate) issue: Option<IssueCode>,
    pub(crate) order: OrderId,
    pub(crate) server: String,
}

const LAYOUT: Layout = Layout { file: "own_orders.csv", required: &["order", "server"], optional: &["issue"] };

impl OwnOrders {
    /// Reads the sheet `name`; what is wrong with it goes to `findings`, which call it `own_orders.csv`. `None` if anything is.
    pub fn read(name: &str, bytes: &[u8], findings: &mut Findings) -> Option<OwnOrders> {
        let table = Table::read(&LAYOUT, bytes, findings)?;
        let (name, sha256) = (name.to_owned(), Sha256::digest(bytes).into());
        let mut own = OwnOrders { name, sha256, rows: HashMap::default(), all: Vec::new() };
        let mut lines: Vec<u64> = Vec::new();
        for row in table.rows() {
            let issue = row.optional("issue", issue, findings);
            let order = row.required("order", number, findings);
            let server = row.required("server", value::name, findings);
            let (Some(issue), Some(order), Some(server)) = (issue, order, server) else { continue };
            let known = own.rows.entry(order.0).or_default();
            if let Some(&first) = known.iter().find(|&&at| own.all[at].issue == issue) {
                let message = format!(
                    "order {order} is there twice, in line {} first, expected it once for an issue",
                    lines[first]
                );
                findings.error(LAYOUT.file, row.line, Some("order"), message);
                continue;
            }
            known.push(own.all.len());
            own.all.push(OwnOrder { issue, order, server });
            lines.push(row.line);
        }
        (table.is_whole() && !findings.has_errors()).then_some(own)
    }

    /// The name of the sheet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of its bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// How many orders it names.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The row of an order, if it is one's own.
    pub(crate) fn find(&self, issue: Option<&IssueCode>, order: OrderId) -> Option<usize> {
        let rows = self.rows.get(&order.0)?;
        let of_issue = rows.iter().find(|&&at| self.all[at].issue.is_some() && self.all[at].issue.as_ref() == issue);
        of_issue.or_else(|| rows.iter().find(|&&at| self.all[at].issue.is_none())).copied()
    }

    pub(crate) fn rows(&self) -> &[OwnOrder] {
        &self.all
    }
}

/// As people say it.
impl std::fmt::Display for OwnOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.issue {
            Some(issue) => write!(f, "{} of {issue}", self.order),
            None => write!(f, "{}", self.order),
        }
    }
}

fn issue(text: &str) -> Result<IssueCode, &'static str> {
    IssueCode::new(text.as_bytes())
        .ok_or("expected an issue's code: 1 to 32 visible ASCII characters, no comma or quote")
}

fn number(text: &str) -> Result<OrderId, &'static str> {
    let number = quoteclock_feed::text::unsigned(text.as_bytes()).map(OrderId);
    number.ok_or("expected an order's number: digits, at most 18446744073709551615")
}

/// A suffix of an input's name that says what of it is taken.
impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Part, String> {
        match text {
            "phases" => Ok(Part::Phases),
            "orders" => Ok(Part::Orders),
            other => Err(format!("found {}, expected phases or orders", quoted(other))),
        }
    }
}
