//! Rows as a table for a page: a fragment that needs nothing but itself.

use crate::{Column, Shown, Table, Value};
use std::borrow::Cow;

/// Text as a page has it.
///
/// ```
/// assert_eq!(quoteclock_rows::escape_html("<MM1> & \"co\""), "&lt;MM1&gt; &amp; &quot;co&quot;");
/// ```
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The table of some rows: the columns that people see ([`Table::SHOWN`]), or all where none is named, and of those shown
/// on occasion the ones that a row has. Numbers lean right.
pub fn html_table<T: Table>(rows: &[T::Row<'_>]) -> String {
    let is_there = |column: &&Column<T>| {
        let occasion = column.shown.as_ref().and_then(|shown| shown.occasion);
        occasion.is_none_or(|occasion| rows.iter().any(occasion))
    };
    let named = T::SHOWN.iter().filter_map(|name| T::COLUMNS.iter().find(|column| column.name == *name));
    let columns: Vec<&Column<T>> =
        if T::SHOWN.is_empty() { T::COLUMNS.iter().collect() } else { named.filter(is_there).collect() };
    let mut html = "<table><thead><tr>".to_owned();
    for column in &columns {
        let title = column.shown.as_ref().map_or(column.name, |shown| shown.title);
        html.push_str(&format!("<th>{}</th>", escape_html(title)));
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for column in &columns {
            let value = column.value(row);
            let align = if value.is_number() { " style=\"text-align:right\"" } else { "" };
            html.push_str(&format!("<td{align}>{}</td>", escape_html(&cell(column.shown.as_ref(), row, &value))));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

/// As a terminal has it, but nothing where there is no value.
fn cell<'b, T: Table>(shown: Option<&Shown<T>>, row: &'b T::Row<'_>, value: &Value<'b>) -> Cow<'b, str> {
    match shown.and_then(|shown| shown.cell) {
        Some(cell) => cell(row),
        None => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    struct Stops;

    impl Table for Stops {
        type Row<'a> = (&'static str, Option<u64>);
        const NAME: &'static str = "stops";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::text("station", |row| Some(row.0.into())),
            Column::integer("waited_us", Unit::Micros, |row| row.1.map(Into::into)),
        ];
    }

    #[test]
    fn text_is_escaped_numbers_lean_right_and_what_is_missing_is_empty() {
        let html = html_table::<Stops>(&[("<b>Ueno", Some(90)), ("Otsuka", None)]);
        let expected = "<table><thead><tr><th>station</th><th>waited_us</th></tr></thead><tbody>\
            <tr><td>&lt;b&gt;Ueno</td><td style=\"text-align:right\">90</td></tr>\
            <tr><td>Otsuka</td><td></td></tr></tbody></table>";
        assert_eq!(html, expected);
    }
}
