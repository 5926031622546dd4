//! `quoteclock.explain`: why an obligation was met or not.

use crate::beside::Inputs;
use crate::errors::{self, argument};
use crate::registry::Registry;
use crate::values::{date, time_text, until};
use crate::watch::Watch;
use pyo3::prelude::*;
use quoteclock::{At, ExplainError, Question, ReplayOptions, Style, render_text, write_html, write_json};
use quoteclock_rows::escape_html;

/// Why an obligation was met or not, at an instant or along a day.
///
/// In a notebook it shows itself as the page that ``quoteclock explain --html`` writes.
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Explanation(Box<quoteclock::Explanation>);

#[pymethods]
impl Explanation {
    /// str : The market maker.
    #[getter]
    fn market_maker(&self) -> &str {
        &self.0.subject.market_maker
    }

    /// str : The issue's code.
    #[getter]
    fn issue(&self) -> &str {
        &self.0.subject.issue
    }

    /// str : ``"general"``, ``"general:<criterion>"``, ``"sponsored:<condition>"`` or ``"matching:<condition>"``.
    #[getter]
    fn obligation(&self) -> String {
        self.0.subject.obligation.to_string()
    }

    /// Return what ``quoteclock explain --json`` prints beside the page.
    ///
    /// Returns
    /// -------
    /// str
    ///     One JSON document.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        let mut json = Vec::new();
        py.detach(|| write_json(&self.0, &mut json))?;
        Ok(String::from_utf8_lossy(&json).into_owned())
    }

    /// Return the same as plain Python.
    ///
    /// Returns
    /// -------
    /// dict
    ///     Times in microseconds have names that end in ``_us``; decimal numbers are ``decimal.Decimal``.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let keywords = pyo3::types::PyDict::new(py);
        keywords.set_item("parse_float", py.import("decimal")?.getattr("Decimal")?)?;
        py.import("json")?.call_method("loads", (self.to_json(py)?,), Some(&keywords))
    }

    /// Return the page that ``quoteclock explain --html`` writes, which needs nothing but itself.
    ///
    /// Returns
    /// -------
    /// str
    ///     HTML.
    fn to_html(&self, py: Python<'_>) -> PyResult<String> {
        let mut html = Vec::new();
        py.detach(|| write_html(&self.0, &mut html))?;
        Ok(String::from_utf8_lossy(&html).into_owned())
    }

    /// Return the explanation as text.
    ///
    /// Parameters
    /// ----------
    /// width : int
    ///     Characters in a line.
    ///
    /// Returns
    /// -------
    /// str
    #[pyo3(signature = (width=100))]
    fn to_text(&self, width: usize) -> String {
        render_text(&self.0, Style { width, colour: false })
    }

    fn __str__(&self) -> String {
        self.to_text(100)
    }

    fn __repr__(&self) -> String {
        let subject = &self.0.subject;
        format!("<quoteclock.Explanation of {} {} {}>", subject.market_maker, subject.issue, subject.obligation)
    }

    /// Return the page in a frame of its own, so that neither touches the other.
    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let page = escape_html(&self.to_html(py)?);
        Ok(format!("<iframe sandbox style=\"width:100%;height:40em;border:0\" srcdoc=\"{page}\"></iframe>"))
    }
}

/// Say why an obligation was met or not, at an instant or along a day.
///
/// Parameters
/// ----------
/// input : path, bytes or file object
///     The order events, as for `replay`.
/// registry : Registry
///     Who has to quote what.
/// market_maker : str
///     Whose obligation: the registry's short name.
/// issue : str
///     In which issue: its code.
/// obligation : str
///     ``"general"``, ``"general:<criterion>"``, ``"sponsored:<condition>"`` or ``"matching:<condition>"``.
/// at : str, datetime.time or datetime.datetime, optional
///     An instant: a local clock time such as ``"10:16"``, or one such as ``"2024-03-01T10:16:00+09:00"``; otherwise the day.
/// limit : int
///     How many outages are worked out, the longest first.
/// lenient : bool
///     As for `replay`, like all that follows.
/// allow_gaps : bool
///     Sequence numbers must rise, but not by exactly one.
/// until : str, datetime.time or datetime.datetime, optional
///     Up to when to measure.
/// date : datetime.date or str, optional
///     The trading date.
/// also : input or list of inputs, optional
///     Further inputs of the same date.
/// own_orders : path, bytes or file object, optional
///     CSV of the numbers of one's own orders.
/// progress : callable or bool, optional
///     Called with the bytes read so far, and those of all inputs.
/// name : str, optional
///     What messages call an input that has no path.
///
/// Returns
/// -------
/// Explanation
///
/// Raises
/// ------
/// QuestionError
///     If the day has no such obligation, or no such instant.
/// InputError
///     If the input cannot be measured.
///
/// Examples
/// --------
/// >>> answer = qc.explain("2024-03-01.csv", qc.Registry("registry"), market_maker="MM1", issue="1306", at="10:16")
/// >>> moment = answer.to_dict()["moment"]
/// >>> moment["state"], moment["reason"]
/// ('breach', 'spread')
#[pyfunction]
#[pyo3(signature = (
    input, registry, *, market_maker, issue, obligation="general", at=None, limit=10, lenient=false, allow_gaps=false,
    until=None, date=None, also=None, own_orders=None, progress=None, name=None
))]
#[expect(clippy::too_many_arguments, reason = "keywords of Python, each with its default")]
pub(crate) fn explain(
    py: Python<'_>,
    input: Bound<'_, PyAny>,
    registry: &Registry,
    market_maker: &str,
    issue: &str,
    obligation: &str,
    at: Option<Bound<'_, PyAny>>,
    limit: usize,
    lenient: bool,
    allow_gaps: bool,
    until: Option<Bound<'_, PyAny>>,
    date: Option<Bound<'_, PyAny>>,
    also: Option<Bound<'_, PyAny>>,
    own_orders: Option<Bound<'_, PyAny>>,
    progress: Option<Bound<'_, PyAny>>,
    name: Option<&str>,
) -> PyResult<Explanation> {
    let at = at.map(|at| time_text("at", &at)).transpose()?;
    let at = at.map(|text| text.parse::<At>().map_err(|error| argument("at", error))).transpose()?;
    let until = self::until(until)?;
    let date = self::date("date", date)?;
    let given = Inputs::new(&input, name, also, own_orders)?;
    let beside = given.beside.clone();
    let options = ReplayOptions { lenient, allow_gaps, until, date, beside, ..ReplayOptions::default() };
    let obligation = obligation.to_owned();
    let question = Question { obligation, at, breaches_max: limit, ..Question::new(market_maker, issue) };
    let watch = Watch::new(py, progress, given.size)?;
    let explain =
        || quoteclock::explain(&given.input, &registry.registry, &options, &question, &|bytes| watch.tell(bytes));
    let failed = |error: &ExplainError| given.raised().unwrap_or_else(|| errors::of_explain(py, error));
    watch.run(py, explain, failed).map(|explanation| Explanation(Box::new(explanation)))
}
