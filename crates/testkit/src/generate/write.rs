//! Events as the rows of a CSV file.

use std::collections::BTreeMap;

use super::choices::Choices;
use super::flow::Draft;
use super::setup::Setup;
use super::times;
use crate::event::{Action, Condition, Scope, Side};

/// An events file before it is joined to text.
pub(super) struct Sheet {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    pub(super) allow_gaps: bool,
}

/// A record: the cell of every column, used or not; or a line that is no record.
#[derive(Clone)]
pub(super) enum Row {
    Cells(BTreeMap<&'static str, String>),
    Line(String),
}

const COLUMNS: [&str; 12] =
    ["seq", "time", "issue", "event", "order", "contra", "server", "side", "price", "quantity", "condition", "phase"];

/// Writes the events down: any order of columns, optional ones absent when they say nothing, noise where nobody looks.
pub(super) fn sheet(choices: &mut Choices<'_>, setup: &Setup, drafts: &[Draft]) -> Sheet {
    let mut head = choices.part(30);
    let with_seq = !head.percent(35);
    let allow_gaps = head.percent(20);
    let mut seq: u64 = head.of(&[1, 0, 1_000, u64::MAX - 5_000]);
    let noisy = head.percent(30);
    let mut rows = Vec::new();
    for draft in drafts {
        let mut choices = choices.part(8);
        let mut cells = cells(&mut choices, draft);
        cells.insert("time", times::written(&mut choices, &setup.zone, draft.event.time));
        cells.insert("seq", seq.to_string());
        seq += if allow_gaps && choices.percent(20) { 7 } else { 1 };
        if noisy && choices.percent(30) {
            let column = choices.of(&["order", "contra", "server", "side", "price", "quantity", "condition", "phase"]);
            cells.entry(column).or_insert_with(|| choices.of(&["?", "-1", "x y", "1e5"]).to_owned());
        }
        rows.push(Row::Cells(cells));
    }
    let says_something = |column: &&str| {
        let filled =
            |row: &Row| matches!(row, Row::Cells(cells) if cells.get(column).is_some_and(|cell| !cell.is_empty()));
        rows.iter().any(filled)
    };
    let mut columns = Vec::new();
    for column in COLUMNS {
        let optional = ["contra", "condition", "phase"].contains(&column);
        if (column == "seq" && with_seq)
            || (column != "seq" && (!optional || says_something(&column) || head.percent(50)))
        {
            columns.push(column);
        }
    }
    Sheet { columns: head.shuffled(columns), rows, allow_gaps }
}

impl Sheet {
    /// The text of the file.
    pub(super) fn text(&self, choices: &mut Choices<'_>) -> String {
        let mut lines = vec![self.columns.join(",")];
        lines.extend(self.rows.iter().map(|row| match row {
            Row::Line(line) => line.clone(),
            Row::Cells(cells) => self.line(cells),
        }));
        choices.file(&lines)
    }

    /// The line of a record.
    pub(super) fn line(&self, cells: &BTreeMap<&'static str, String>) -> String {
        let cell = |column: &&str| cells.get(*column).map_or("", String::as_str);
        self.columns.iter().map(cell).collect::<Vec<_>>().join(",")
    }
}

/// The cells that the event uses.
fn cells(choices: &mut Choices<'_>, draft: &Draft) -> BTreeMap<&'static str, String> {
    let mut number = |number: i128| if choices.percent(8) { format!("00{number}") } else { number.to_string() };
    let mut cells = BTreeMap::new();
    let issue = match &draft.event.scope {
        Scope::Issue(issue) => issue.clone(),
        Scope::Every => "*".to_owned(),
    };
    cells.insert("issue", issue);
    let event = match &draft.event.action {
        Action::Add { order, server, side, price, quantity, condition } => {
            cells.insert("order", number(i128::from(*order)));
            cells.insert("server", server.clone());
            cells.insert("side", if *side == Side::Bid { "B" } else { "S" }.to_owned());
            cells.insert("quantity", number(*quantity));
            cells.insert("condition", condition_word(*condition).to_owned());
            cells.insert("price", price.map_or_else(String::new, |price| price_text(choices, price)));
            "add"
        }
        Action::Replace { order, new_order, price, quantity } => {
            cells.insert("order", number(i128::from(*order)));
            cells.insert("contra", new_order.map_or_else(String::new, |order| number(i128::from(order))));
            cells.insert("quantity", quantity.map_or_else(String::new, &mut number));
            cells.insert("price", price.map_or_else(String::new, |price| price_text(choices, price)));
            "replace"
        }
        Action::Reduce { order, quantity } => {
            cells.insert("order", number(i128::from(*order)));
            cells.insert("quantity", number(*quantity));
            "reduce"
        }
        Action::Cancel { order } => {
            cells.insert("order", number(i128::from(*order)));
            "cancel"
        }
        Action::Trade { orders, quantity } => {
            let mut orders: Vec<String> = orders.iter().map(|order| number(i128::from(*order))).collect();
            orders.resize(2, String::new());
            cells.insert("quantity", number(*quantity));
            let orders = choices.shuffled(orders);
            cells.insert("order", orders[0].clone());
            cells.insert("contra", orders[1].clone());
            cells.insert("price", price_text(choices, draft.trade_price));
            cells.insert("phase", if draft.auction { "auction" } else { "" }.to_owned());
            "trade"
        }
        Action::Phase(phase) => {
            cells.insert("phase", phase.name().to_owned());
            "phase"
        }
        Action::Clear => "clear",
    };
    cells.insert("event", event.to_owned());
    cells
}

/// A price, with as few decimals as it takes, or with zeros before or after.
fn price_text(choices: &mut Choices<'_>, price: i128) -> String {
    let four = format!("{}.{:04}", price / 10_000, price % 10_000);
    match choices.below(8) {
        0..=5 => four.trim_end_matches('0').trim_end_matches('.').to_owned(),
        6 => four,
        _ => format!("0{four}"),
    }
}

fn condition_word(condition: Condition) -> &'static str {
    match condition {
        Condition::None => "",
        Condition::OnOpen => "on_open",
        Condition::OnClose => "on_close",
        Condition::Funari => "funari",
        Condition::Ioc => "ioc",
    }
}
