//! Plain columns for terminals, as wide as what they hold.

/// Which way a column's cells lean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A header, which says how each column leans, and rows below it. A colour code stands before the cells of a row's
/// coloured column.
pub(crate) fn columns<const N: usize>(
    header: [(&str, Align); N],
    rows: &[[String; N]],
    colour: impl Fn(usize) -> Option<(usize, &'static str)>,
) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].0.len()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: &[String; N], colour: Option<(usize, &'static str)>| {
        let mut text = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let width = widths[column];
            let padded = match header[column].1 {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            };
            match colour.filter(|(coloured, _)| *coloured == column) {
                Some((_, code)) => text.push_str(&format!("{code}{padded}\x1b[0m  ")),
                None => text.push_str(&format!("{padded}  ")),
            }
        }
        format!("{}\n", text.trim_end())
    };
    let mut text = line(&header.map(|(title, _)| title.to_owned()), None);
    for (position, row) in rows.iter().enumerate() {
        text.push_str(&line(row, colour(position)));
    }
    text
}

/// Takes the names of market maker and issue off rows that stand below one of the same sign-up.
pub(crate) fn blank_repeated<const N: usize>(rows: &mut [[String; N]]) {
    for position in (1..rows.len()).rev() {
        let (above, below) = rows.split_at_mut(position);
        if above[position - 1][..2] == below[0][..2] {
            below[0][..2].iter_mut().for_each(String::clear);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells_and_names_stand_once() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let mut rows = vec![row(["MM1", "1306", "99"]), row(["MM1", "1306", "100"]), row(["MM1", "1321", "7"])];
        blank_repeated(&mut rows);
        let text = columns([("maker", Align::Left), ("issue", Align::Left), ("%", Align::Right)], &rows, |_| None);
        assert_eq!(text, "maker  issue    %\nMM1    1306    99\n              100\nMM1    1321     7\n");
    }
}
