//! `[aggregate]` of a `scheme.toml`: how a month is judged by its days.

use super::{Reader, Value};
use crate::aggregate::{Aggregate, MonthShare};
use crate::value;

const KEYS: &str = "month, days_pct, max_days_below, day_floor_pct";

impl Reader<'_> {
    /// Clauses: `WBAG/average-of-days`, `TWSE/compliant-days`, `BUX/days-below`.
    pub(super) fn aggregate(&mut self, value: &Value<'_>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong(value, "expected a table: [aggregate]");
        };
        let (mut aggregate, mut days_pct) = (Aggregate::default(), None);
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "month" => {
                    let words = [
                        ("sum", MonthShare::Sum),
                        ("mean_of_days", MonthShare::MeanOfDays),
                        ("days", MonthShare::Days { pct: 0 }),
                    ];
                    let month = self.word(value, &words, r#"expected "sum", "mean_of_days" or "days""#);
                    aggregate.month = month.unwrap_or_default();
                }
                "days_pct" => days_pct = self.percent(value),
                "max_days_below" => aggregate.days_below_max = self.number(value, value::whole),
                "day_floor_pct" => aggregate.day_floor_pct = self.percent(value),
                _ => self.unknown_key(key, KEYS),
            }
        }
        let days_key = table.iter().find(|(key, _)| key.get_ref() == "days_pct").map(|(key, _)| key.span());
        match (&mut aggregate.month, days_key) {
            (MonthShare::Days { pct }, Some(_)) => *pct = days_pct.unwrap_or_default(),
            (MonthShare::Days { .. }, None) => {
                let message = r#"days_pct is missing, expected of how many of the days month = "days" asks"#;
                self.error(value.span(), message.to_owned());
            }
            (_, Some(key)) => {
                self.error(key, r#"found days_pct, which goes with month = "days" alone"#.to_owned());
            }
            (_, None) => {}
        }
        self.file.scheme.aggregate = aggregate;
    }
}
