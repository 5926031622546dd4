//! What can go wrong with an events file.

use super::choices::Choices;
use super::flow::{Draft, clear_and_resend};
use super::setup::Setup;
use super::times;
use super::write::{Row, Sheet};
use crate::event::Scope;

/// Puts clears into the day (with everything sent again, so that what follows stays good), to end doubts with.
pub(super) fn with_clears(choices: &mut Choices<'_>, mut drafts: Vec<Draft>) -> Vec<Draft> {
    for _ in 0..choices.below(4) {
        if drafts.is_empty() {
            break;
        }
        let at = drafts.len() - choices.below(drafts.len());
        let issue = drafts[at - 1].event.scope.clone();
        let scope = if choices.percent(50) { Scope::Every } else { issue };
        let sent = clear_and_resend(&drafts, at, &scope);
        drafts.splice(at..at, sent);
    }
    drafts
}

/// Damages the file in 1 to 4 places.
pub(super) fn damage(choices: &mut Choices<'_>, setup: &Setup, drafts: &[Draft], sheet: &mut Sheet) {
    for _ in 0..=choices.below(4) {
        let mut choices = choices.part(12);
        if sheet.rows.is_empty() {
            sheet.rows.push(Row::Line(String::new()));
            return;
        }
        let at = choices.below(sheet.rows.len());
        match choices.below(12) {
            0..=3 => bad_field(&mut choices, sheet, at),
            4 => bad_line(&mut choices, sheet, at),
            5 | 6 => bad_time(&mut choices, setup, drafts, sheet, at),
            7 | 8 => bad_seq(&mut choices, sheet, at),
            _ => bad_for_book(&mut choices, sheet, at),
        }
    }
}

/// The position of the first record at or after `at`, going round, whose event is one of these.
fn find(sheet: &Sheet, at: usize, events: &[&str]) -> Option<usize> {
    let count = sheet.rows.len();
    let is_one = |at: &usize| match &sheet.rows[*at] {
        Row::Cells(cells) => cells.get("event").is_some_and(|event| events.contains(&event.as_str())),
        Row::Line(_) => false,
    };
    (0..count).map(|step| (at + step) % count).find(is_one)
}

/// Sets a cell of the record at a position.
fn set(sheet: &mut Sheet, at: Option<usize>, column: &'static str, text: &str) {
    if let Some(Row::Cells(cells)) = at.and_then(|at| sheet.rows.get_mut(at)) {
        cells.insert(column, text.to_owned());
    }
}

/// A field that its event uses and that cannot be.
fn bad_field(choices: &mut Choices<'_>, sheet: &mut Sheet, at: usize) {
    let any = ["add", "replace", "reduce", "cancel", "trade", "phase", "clear"];
    let (events, column, texts): (&[&str], _, &[&str]) = match choices.below(9) {
        0 => (
            &["add", "replace", "trade"],
            "price",
            &[
                "0",
                "-1",
                "+5",
                "1e3",
                "1.23456",
                "1.",
                ".5",
                " 1",
                "1000000000.0001",
                "x",
                "0.0000",
                "1.2.3",
                "99999999999999999999999999999999999999999",
            ],
        ),
        1 => (
            &["add", "replace", "trade", "reduce"],
            "quantity",
            &["0", "-1", "+1", "1.0", "1000000000001", "x", " ", "1e2", "000"],
        ),
        2 => (
            &["add", "replace", "cancel", "reduce", "trade"],
            "order",
            &["-1", "x", "18446744073709551616", "1.0", "+1"],
        ),
        3 => (&["add"], "side", &["", "b", "X", "BS"]),
        4 => (&any, "event", &["", "ADD", "modify", "trade "]),
        5 => (&["add"], "condition", &["x", "IOC", "on_open "]),
        6 => (&["phase", "trade"], "phase", &["x", "Halt", "opening", "auction "]),
        7 => (&any, "issue", &["", "13 06", "é", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"]),
        _ => (&["add", "replace", "reduce", "cancel", "trade"], "issue", &["*"]),
    };
    if sheet.columns.contains(&column) {
        let at = find(sheet, at, events);
        set(sheet, at, column, choices.of(texts));
    }
}

/// Another number of fields than in the header, a blank line, a line lost.
fn bad_line(choices: &mut Choices<'_>, sheet: &mut Sheet, at: usize) {
    let Row::Cells(cells) = &sheet.rows[at] else { return };
    let line = sheet.line(cells);
    let shorter = line.rsplit_once(',').map_or("", |(start, _)| start).to_owned();
    match choices.below(4) {
        0 => sheet.rows.insert(at, Row::Line(String::new())),
        1 => sheet.rows[at] = Row::Line(line + ","),
        2 => sheet.rows[at] = Row::Line(shorter),
        _ => drop(sheet.rows.remove(at)),
    }
}

/// A time that cannot be read, that goes back, or that is of another date.
fn bad_time(choices: &mut Choices<'_>, setup: &Setup, drafts: &[Draft], sheet: &mut Sheet, at: usize) {
    let now = drafts.get(at).map_or(setup.day.0, |draft| draft.event.time);
    let date = setup.date;
    let text = match choices.below(11) {
        0 => String::new(),
        1 => format!("{date}T10:00:60Z"),
        2 => format!("{date}T24:00:00Z"),
        3 => format!("{date} 10:00:00Z"),
        4 => format!("{date}T10:00:00.1234567890Z"),
        5 => format!("{date}T10:00:00"),
        6 => "2023-02-29T10:00:00Z".to_owned(),
        7 => times::written(choices, &setup.zone, now - 1),
        8 => times::written(choices, &setup.zone, now - 3_600_000_000),
        9 => {
            let after = setup.day.1 + choices.of(&[0, 1, 86_400_000_000]);
            times::written(choices, &setup.zone, after)
        }
        _ => {
            let before = setup.day.0 - choices.of(&[1, 86_400_000_000]);
            times::written(choices, &setup.zone, before)
        }
    };
    set(sheet, Some(at), "time", &text);
}

/// A number too many, too few, again, or not to be read.
fn bad_seq(choices: &mut Choices<'_>, sheet: &mut Sheet, at: usize) {
    let number = |row: &Row| match row {
        Row::Cells(cells) => cells.get("seq").and_then(|seq| seq.parse::<u64>().ok()),
        Row::Line(_) => None,
    };
    // Often at a clear, which ends the very doubt that its own gap begins.
    let at = find(sheet, at, &["clear"]).filter(|_| choices.percent(30)).unwrap_or(at);
    let Some(seq) = number(&sheet.rows[at]) else { return };
    let text = match choices.below(6) {
        0 | 1 => {
            // A true gap: all that follow are as much higher.
            let missing = choices.of(&[1, 2, 100]);
            for later in &mut sheet.rows[at..] {
                let raised = number(later).and_then(|seq| seq.checked_add(missing));
                if let (Row::Cells(cells), Some(raised)) = (later, raised) {
                    cells.insert("seq", raised.to_string());
                }
            }
            return;
        }
        2 => seq.saturating_sub(1).to_string(),
        3 => seq.saturating_add(1).to_string(),
        4 => "0".to_owned(),
        _ => choices.of(&["", "x", "-1", "18446744073709551616", "1.0"]).to_owned(),
    };
    set(sheet, Some(at), "seq", &text);
}

/// A record that is well-formed and does not fit the book.
fn bad_for_book(choices: &mut Choices<'_>, sheet: &mut Sheet, at: usize) {
    match choices.below(6) {
        0 => {
            // The same order number once more; its sequence number repeats too, if there is one.
            let Some(at) = find(sheet, at, &["add"]) else { return };
            let again = sheet.rows[at].clone();
            sheet.rows.insert(at + 1, again);
        }
        1 => {
            // The same order number once more, in place of the next record.
            let Some(at) = find(sheet, at, &["add"]) else { return };
            let (Row::Cells(first), Some(Row::Cells(next))) = (sheet.rows[at].clone(), sheet.rows.get_mut(at + 1))
            else {
                return;
            };
            let (seq, time) = (next.get("seq").cloned(), next.get("time").cloned());
            *next = first;
            next.extend(seq.map(|seq| ("seq", seq)));
            next.extend(time.map(|time| ("time", time)));
        }
        2 => {
            let at = find(sheet, at, &["reduce", "cancel", "replace", "trade"]);
            set(sheet, at, "order", "424242");
        }
        3 => {
            let at = find(sheet, at, &["reduce", "trade"]);
            set(sheet, at, "quantity", "1000000000000");
        }
        4 => {
            let Some(at) = find(sheet, at, &["trade"]) else { return };
            let order = if let Row::Cells(cells) = &sheet.rows[at] { cells.get("order").cloned() } else { None };
            set(sheet, Some(at), "contra", &order.unwrap_or_default());
        }
        _ => {
            // An order that never came: all that follows of it is bad.
            let at = find(sheet, at, &["add"]);
            set(sheet, at, "order", "515151");
        }
    }
}
