//! Rules beside the market making scheme that decide which ETFs there are, and what may be traded when.
//!
//! The idea: one module a rule set, each a pure function from typed rows to decisions. `load` turns the content of a
//! folder's files into rows or into all that is wrong with them; the deciding function takes rows and never fails. What is
//! not known makes a decision [`Missing`] what it needs, never a guess. Exact decimals decide.
//!
//! | module | document | question |
//! |---|---|---|
//! | [`stock_connect`] | *Regular Review for Inclusion of ETFs in Stock Connect (Northbound)* | which ETFs may be bought and sold |
//! | [`licences`] | *Granting of Licenses for Domestic ETFs Based on Indexes Calculated by the TSE* | who gets a licence, and from when |
//! | [`inclusion`] | *Preparing for China's inclusion in global benchmarks* | the weight of China A shares in an index |
//! | [`feeders`] | *Japan-China ETF Connectivity* | on which days a feeder's target is closed |
//!
//! [`tables`] describes their outputs.
//!
//! Deliberately absent: reading and writing folders, clocks, and everything about orders.

mod calendar;
mod decimal;
pub mod feeders;
pub mod inclusion;
mod interpretations;
pub mod licences;
mod missing;
mod reader;
pub mod stock_connect;
pub mod tables;

pub use calendar::{Calendar, Holiday, Holidays, NoCalendar};
pub use decimal::{Decimal, Hundredths};
pub use interpretations::Interpretation;
pub use missing::Missing;

#[cfg(test)]
mod testing {
    //! What the tests of all rule sets share.

    use quoteclock_sheets::SourceFile;

    /// Files by name and text.
    pub(crate) fn files(texts: &[(&str, &str)]) -> Vec<SourceFile> {
        texts
            .iter()
            .map(|(name, text)| SourceFile { name: (*name).to_owned(), bytes: text.as_bytes().to_vec() })
            .collect()
    }
}
