//! Rows as a table for a terminal.
//!
//! The layout is comfy-table's: columns as wide as what they hold, by the width that characters really have; where a table
//! is wider than the terminal, cells are wrapped between words, never inside one.

use crate::{Align, Column, Shown, Table, Value};
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Width};
use std::borrow::Cow;

/// How a table is to look.
///
/// ```
/// use quoteclock_rows::Style;
///
/// let in_a_log = Style { width: 100, colour: false };
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours may be used.
    pub colour: bool,
}

/// What the colour of a cell says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// All is well.
    Good,
    /// Something is not.
    Bad,
    /// It is not certain.
    Doubtful,
}

/// The table of some rows: the columns that [`Table::SHOWN`] names, or all where it names none, of which those that are shown on
/// occasion only where a row has one. Names that stand in the row above, too, are left out. Where the longest words of all columns do not fit
/// beside each other, columns that may give way do.
pub fn text_table<T: Table>(rows: &[T::Row<'_>], style: Style) -> String {
    let columns = shown_columns::<T>(rows);
    let names: Vec<bool> = columns
        .iter()
        .map(|(column, _)| T::SHOWN.iter().take(T::NAMES_SHOWN).any(|name| *name == column.name))
        .collect();
    let texts: Vec<Vec<Cow<'_, str>>> =
        rows.iter().map(|row| columns.iter().map(|(column, shown)| text(column, shown, row)).collect()).collect();
    let mut words: Vec<usize> = columns.iter().map(|(_, shown)| longest_word(shown.title)).collect();
    for row in &texts {
        words.iter_mut().zip(row).for_each(|(word, text)| *word = (*word).max(longest_word(text)));
    }
    let kept = kept(&columns, &words, style.width);
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING).set_width(u16::try_from(style.width).unwrap_or(u16::MAX));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(kept.iter().map(|&position| cell(&columns[position].1, columns[position].1.title.into())));
    let mut above: Option<&Vec<Cow<'_, str>>> = None;
    for (row, texts) in rows.iter().zip(&texts) {
        let is_name = |position: &usize| names[*position];
        let repeated =
            above.is_some_and(|above| (0..columns.len()).filter(is_name).all(|name| above[name] == texts[name]));
        let cells = kept.iter().map(|&position| {
            let shown = &columns[position].1;
            let text = if repeated && names[position] { "" } else { texts[position].as_ref() };
            let tone = shown.tone.filter(|_| style.colour).and_then(|tone| tone(row));
            match tone {
                Some(tone) => cell(shown, text.into()).fg(colour(tone)),
                None => cell(shown, text.into()),
            }
        });
        table.add_row(cells.collect::<Vec<Cell>>());
        above = (0 < T::NAMES_SHOWN).then_some(texts);
    }
    if style.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    for (column, &position) in table.column_iter_mut().zip(&kept) {
        // Nothing follows the last one: spaces after it, which a colour would keep, would only wrap.
        let gap = if kept.last() == Some(&position) { 0 } else { GAP };
        column.set_padding((0, gap));
        let width = u16::try_from(words[position]).unwrap_or(u16::MAX).saturating_add(gap);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The columns that people see of some rows, and how.
fn shown_columns<T: Table>(rows: &[T::Row<'_>]) -> Vec<(&'static Column<T>, Shown<T>)> {
    if T::SHOWN.is_empty() {
        return T::COLUMNS.iter().map(|column| (column, column.plain(column.name))).collect();
    }
    let named = T::SHOWN.iter().filter_map(|name| T::COLUMNS.iter().find(|column| column.name == *name));
    named
        .filter_map(|column| Some((column, column.shown?)))
        .filter(|(_, shown)| shown.occasion.is_none_or(|occasion| rows.iter().any(occasion)))
        .collect()
}

/// The columns that stand in a terminal of `width`, as positions: all, or without those that give way.
fn kept<T: Table>(columns: &[(&Column<T>, Shown<T>)], words: &[usize], width: usize) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| {
        let all: usize = kept.iter().map(|&position| words[position] + usize::from(GAP)).sum();
        all.saturating_sub(usize::from(GAP))
    };
    while width < needed(&kept) {
        let order = |&(_, &position): &(usize, &usize)| columns[position].1.gives_way;
        let next = kept.iter().enumerate().filter(|entry| order(entry).is_some()).min_by_key(|entry| order(entry));
        let Some((place, _)) = next else { break };
        kept.remove(place);
    }
    kept
}

/// Spaces between two columns.
const GAP: u16 = 2;

fn cell<T: Table>(shown: &Shown<T>, text: Cow<'_, str>) -> Cell {
    Cell::new(text).set_alignment(match shown.align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    })
}

fn text<'b, T: Table>(column: &Column<T>, shown: &Shown<T>, row: &'b T::Row<'_>) -> Cow<'b, str> {
    match (shown.cell, column.value(row)) {
        (Some(cell), _) => cell(row),
        (None, Value::Missing) => "-".into(),
        (None, Value::Text(text)) => text,
        (None, value) => value.to_string().into(),
    }
}

const fn colour(tone: Tone) -> Color {
    match tone {
        Tone::Good => Color::DarkGreen,
        Tone::Bad => Color::DarkRed,
        Tone::Doubtful => Color::DarkYellow,
    }
}

fn longest_word(text: &str) -> usize {
    text.split(' ').map(|word| word.chars().count()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decimals, Unit};

    struct Line {
        maker: &'static str,
        issue: &'static str,
        pct: Option<i128>,
        note: &'static str,
    }

    struct Lines;

    impl Table for Lines {
        type Row<'a> = Line;
        const NAME: &'static str = "lines";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::<Self>::text("note", |row| Some(row.note.into()))
                .shown("note")
                .on_occasion(|row| !row.note.is_empty()),
            Column::<Self>::text("market_maker", |row| Some(row.maker.into())).shown("market maker"),
            Column::<Self>::text("issue", |row| Some(row.issue.into())).shown("issue"),
            Column::<Self>::decimal("pct", Unit::Percent, Decimals::UpTo(4), |row| row.pct)
                .shown("display %")
                .toned(|row| Some(if row.pct == Some(0) { Tone::Bad } else { Tone::Good })),
        ];
        const SHOWN: &'static [&'static str] = &["market_maker", "issue", "pct", "note"];
        const NAMES_SHOWN: usize = 2;
    }

    const LINES: [Line; 4] = [
        Line { maker: "MM1", issue: "1306", pct: Some(1_000_000), note: "" },
        Line { maker: "MM1", issue: "1306", pct: Some(75_000), note: "" },
        Line { maker: "MM1", issue: "1321", pct: None, note: "" },
        Line { maker: "北浜", issue: "1321", pct: Some(0), note: "" },
    ];

    #[test]
    fn columns_are_as_wide_as_what_they_hold_and_names_stand_once() {
        let text = text_table::<Lines>(&LINES, Style { width: 80, colour: false });
        let expected = "market maker  issue  display %\nMM1           1306         100\n                           7.5\n\
                        MM1           1321           -\n北浜          1321           0\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_narrow_terminal_wraps_between_words_and_never_inside_one() {
        let mut lines = LINES;
        lines[0].note = "not fulfilled so far";
        let text = text_table::<Lines>(&lines, Style { width: 40, colour: false });
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        let words: Vec<&str> = text.split_whitespace().collect();
        for word in ["fulfilled", "market", "display", "1306"] {
            assert!(words.contains(&word), "{text}");
        }
    }

    /// The same, of which the percentage may give way.
    struct Narrow;

    impl Table for Narrow {
        type Row<'a> = Line;
        const NAME: &'static str = "narrow";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::<Self>::text("issue", |row| Some(row.issue.into())).shown("issue"),
            Column::<Self>::decimal("pct", Unit::Percent, Decimals::UpTo(4), |row| row.pct).shown("share").gives_way(2),
            Column::<Self>::text("maker", |row| Some(row.maker.into())).shown("maker").gives_way(1),
        ];
        const SHOWN: &'static [&'static str] = &["issue", "pct", "maker"];
    }

    #[test]
    fn columns_give_way_in_their_order_where_words_would_not_fit() {
        let heading =
            |width| text_table::<Narrow>(&LINES, Style { width, colour: false }).lines().next().map(str::to_owned);
        assert_eq!(heading(19).as_deref(), Some("issue  share  maker"));
        assert_eq!(heading(18).as_deref(), Some("issue  share"));
        assert_eq!(heading(12).as_deref(), Some("issue  share"));
        assert_eq!(heading(11).as_deref(), Some("issue"));
        assert_eq!(heading(3).as_deref().map(str::trim_end), Some("issue"), "one word is never broken");
    }

    struct Plain;

    impl Table for Plain {
        type Row<'a> = Line;
        const NAME: &'static str = "plain";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::<Self>::text("issue", |row| Some(row.issue.into())).shown("never seen"),
            Column::<Self>::decimal("pct", Unit::Percent, Decimals::UpTo(4), |row| row.pct),
        ];
    }

    #[test]
    fn where_no_column_is_named_all_stand_as_they_are() {
        let text = text_table::<Plain>(&LINES[1..3], Style { width: 80, colour: false });
        assert_eq!(text, "issue  pct\n1306   7.5\n1321     -\n");
    }

    #[test]
    fn a_tone_is_a_colour_where_colours_are_welcome() {
        let text = text_table::<Lines>(&LINES[3..], Style { width: 80, colour: true });
        assert!(text.contains("\x1b["), "{text:?}");
        assert!(!text.contains("  \x1b[0m") && !text.contains("  \x1b[39m"), "spaces that would wrap: {text:?}");
        assert_eq!(text_table::<Lines>(&[], Style { width: 80, colour: false }), "market maker  issue  display %\n");
    }
}
