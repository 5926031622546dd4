//! The numbers of one's own orders, for inputs that name nobody.

use crate::{Finding, OwnOrders};
use quoteclock_sheets::Findings;
use std::fmt;
use std::path::Path;

/// What is wrong with a sheet of one's own orders.
///
/// ```
/// let error = quoteclock::read_own_orders("own.csv".as_ref(), b"order,server\nx,MM1-A\n").unwrap_err();
/// assert_eq!(error.findings[0].line, Some(2));
/// assert!(error.to_string().starts_with("own.csv: line 2, column order: found \"x\""));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnOrdersError {
    /// All that is wrong, each with file, line and column.
    pub findings: Vec<Finding>,
}

/// A line for each.
impl fmt::Display for OwnOrdersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.findings.iter().map(Finding::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for OwnOrdersError {}

/// Reads `bytes` of the sheet `name`: columns `order` and `server`, and `issue` where a number is not of one order in the
/// market.
///
/// # Errors
/// [`OwnOrdersError`]: all that is wrong with it.
///
/// ```
/// use quoteclock::{Beside, ReplayOptions, read_own_orders};
///
/// let own = read_own_orders("own.csv".as_ref(), b"order,server\n17,MM1-A\n")?;
/// let beside = Beside { own_orders: Some(own.into()), ..Beside::default() };
/// let options = ReplayOptions { beside, ..ReplayOptions::default() };
/// # Ok::<(), quoteclock::OwnOrdersError>(())
/// ```
pub fn read_own_orders(name: &Path, bytes: &[u8]) -> Result<OwnOrders, OwnOrdersError> {
    let mut findings = Findings::default();
    OwnOrders::read(&name.display().to_string(), bytes, &mut findings).ok_or_else(|| {
        let named = |finding| Finding { file: name.display().to_string(), ..finding };
        OwnOrdersError { findings: findings.into_sorted().into_iter().map(named).collect() }
    })
}
