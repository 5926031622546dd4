//! What outages began and ended with, for whoever is shown nothing else of an explanation.

use super::{CauseRow, Rows};
use crate::event::Cause;
use crate::explanation::Explanation;
use crate::format;
use serde::Serialize;
use std::io;

/// What an outage began, or ended, with: as the documents have it, and in words.
#[derive(Serialize)]
#[serde(transparent)]
pub struct CauseRows(Vec<ToldRow>);

#[derive(Serialize)]
struct ToldRow {
    #[serde(flatten)]
    cause: CauseRow,
    text: String,
}

impl CauseRows {
    /// Those of `causes`, which are of `explanation`. Where a record stands among those of others, and what was wrong with one, is
    /// told only if the reader may see everything.
    ///
    /// # Errors
    /// Never, as far as is known: if a number cannot be printed.
    pub fn of(explanation: &Explanation, causes: &[Cause], sees_everything: bool) -> io::Result<CauseRows> {
        let rows = Rows(explanation);
        let row = |cause: &Cause| {
            let row = rows.cause(cause)?;
            let [_, _, text] = format::cause(cause, &explanation.plan);
            Ok(match (sees_everything, row.fault.is_some()) {
                (true, _) => ToldRow { cause: row, text },
                (false, false) => ToldRow { cause: CauseRow { place: None, seq: None, ..row }, text },
                (false, true) => {
                    let cause = CauseRow { place: None, seq: None, fault: None, ..row };
                    ToldRow { cause, text: "bad record".to_owned() }
                }
            })
        };
        causes.iter().map(row).collect::<io::Result<_>>().map(CauseRows)
    }
}
