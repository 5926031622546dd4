//! `quoteclock.replay`: a day measured.

use crate::beside::Inputs;
use crate::day::Day;
use crate::errors::{self, argument};
use crate::registry::Registry;
use crate::values::{date, until};
use crate::watch::Watch;
use pyo3::prelude::*;
use quoteclock::{ReplayError, ReplayOptions, Threads, replay_with};
use std::num::NonZeroUsize;

/// As many threads as are asked for; otherwise one for each core.
pub(crate) fn threads(given: Option<usize>) -> PyResult<Threads> {
    let count = match given {
        None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        Some(count) => NonZeroUsize::new(count)
            .ok_or_else(|| argument("threads", "found 0, expected a number of threads, at least 1"))?,
    };
    Ok(Threads(count))
}

/// Measure one trading day of order events.
///
/// The interpreter's lock is released meanwhile, and Ctrl-C stops it.
///
/// Parameters
/// ----------
/// input : path, bytes or file object
///     CSV, the binary form (.qcev), NASDAQ ITCH 5.0, a FIX log or Databento's DBN (``mbo``), plain or compressed with gzip or zstd.
///     A file object is read from where it stands.
/// registry : Registry
///     Who has to quote what.
/// lenient : bool
///     Set bad records aside and go on; what they leave in doubt is unknown time.
/// allow_gaps : bool
///     Sequence numbers must rise, but not by exactly one.
/// until : str, datetime.time or datetime.datetime, optional
///     Up to when to measure: a local clock time such as ``"10:30"``, or one such as ``"2024-03-01T10:30:00+09:00"``.
/// date : datetime.date or str, optional
///     The trading date; otherwise that of the first record, or of an ITCH file's name.
/// also : input or list of inputs, optional
///     Further inputs of the same date, merged by time; of one time `input` comes first, then these in their order. A path may end
///     with ``:phases`` (its phases alone) or ``:orders`` (all but them); whatever else an input may be stands in a tuple with
///     that word. Orders of one issue may be in one input only.
/// own_orders : path, bytes or file object, optional
///     CSV of the numbers of one's own orders (``order,server`` and, if numbers are not unique in the market, ``issue``), for an
///     input that names nobody, such as DBN and most of ITCH.
/// threads : int, optional
///     Threads to measure with; otherwise one for each core. What comes out does not depend on it.
/// progress : callable or bool, optional
///     Called with the bytes read so far, and those of the whole input (``None`` where that is not known), at most 20 times a
///     second; ``True`` shows a bar where tqdm is installed. What it raises stops the replay.
/// name : str, optional
///     What messages call an input that has no path; it may tell form and date as a file's name does.
/// sha256 : bool
///     Take the SHA-256 of the input while it is read: a `Store` wants it.
///
/// Returns
/// -------
/// Day
///
/// Raises
/// ------
/// InputError
///     What is wrong, where, and what was expected.
///
/// Examples
/// --------
/// >>> day = qc.replay("2024-03-01.csv", qc.Registry("registry"), until="10:30")
/// >>> row = day.daily.to_pylist()[0]
/// >>> row["market_maker"], row["issue"], row["obligation"], row["available_us"], str(row["display_pct"])
/// ('MM1', '1306', 'general', 5400000000, '96.0614')
#[pyfunction]
#[pyo3(signature = (
    input, registry, *, lenient=false, allow_gaps=false, until=None, date=None, also=None, own_orders=None, threads=None,
    progress=None, name=None, sha256=true
))]
#[expect(clippy::too_many_arguments, reason = "keywords of Python, each with its default")]
pub(crate) fn replay(
    py: Python<'_>,
    input: Bound<'_, PyAny>,
    registry: &Registry,
    lenient: bool,
    allow_gaps: bool,
    until: Option<Bound<'_, PyAny>>,
    date: Option<Bound<'_, PyAny>>,
    also: Option<Bound<'_, PyAny>>,
    own_orders: Option<Bound<'_, PyAny>>,
    threads: Option<usize>,
    progress: Option<Bound<'_, PyAny>>,
    name: Option<&str>,
    sha256: bool,
) -> PyResult<Day> {
    let given = Inputs::new(&input, name, also, own_orders)?;
    let options = ReplayOptions {
        lenient,
        allow_gaps,
        until: self::until(until)?,
        date: self::date("date", date)?,
        threads: self::threads(threads)?,
        beside: given.beside.clone(),
        is_hashed: sha256,
    };
    let watch = Watch::new(py, progress, given.size)?;
    let measure = || replay_with(&given.input, &registry.registry, &options, &|bytes| watch.tell(bytes));
    let failed = |error: &ReplayError| given.raised().unwrap_or_else(|| errors::of_replay(py, error));
    watch.run(py, measure, failed).map(Day::new)
}
