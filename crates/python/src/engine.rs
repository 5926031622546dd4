//! `quoteclock.Engine`: a day as it comes.

use crate::beside::own_orders;
use crate::day::Day;
use crate::errors;
use crate::registry::Registry;
use crate::values::{amount, date, decimal, instant, price};
use jiff::tz::TimeZone;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use quoteclock::{DisplayPercent, EngineOptions, State};
use std::sync::{Arc, Mutex};

/// How one obligation stands, as of the last record.
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct ObligationState {
    state: quoteclock::ObligationState,
    zone: TimeZone,
}

#[pymethods]
impl ObligationState {
    /// str : ``"general"``, ``"general:<criterion>"``, ``"sponsored:<condition>"`` or ``"matching:<condition>"``.
    #[getter]
    fn obligation(&self) -> String {
        self.state.obligation.to_string()
    }

    /// str : ``"unavailable"``, ``"unknown"``, ``"fulfilled"`` or ``"breach"``.
    #[getter]
    fn state(&self) -> &'static str {
        match self.state.state {
            State::Unavailable => "unavailable",
            State::Unknown => "unknown",
            State::Fulfilled => "fulfilled",
            State::Breach(_) => "breach",
        }
    }

    /// str or None : Why the obligation is not met, in the words of ``breaches.csv``; ``None`` where it is.
    #[getter]
    fn reason(&self) -> Option<&str> {
        if let State::Breach(reason) = &self.state.state { Some(reason.as_str()) } else { None }
    }

    /// datetime.datetime : Since when it has been so, in the scheme's zone.
    #[getter]
    fn since<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        instant(py, self.state.since, &self.zone)
    }

    /// decimal.Decimal or None : The obligation price of the bids, in yen; ``None`` where they do not reach the minimum.
    #[getter]
    fn bid<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.state.bid.map(|bid| price(py, bid)).transpose()
    }

    /// decimal.Decimal or None : That of the offers.
    #[getter]
    fn offer<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.state.offer.map(|offer| price(py, offer)).transpose()
    }

    /// decimal.Decimal : The whole value of the own bids, in yen.
    #[getter]
    fn bid_value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        amount(py, self.state.bid_value)
    }

    /// decimal.Decimal : That of the own offers.
    #[getter]
    fn offer_value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        amount(py, self.state.offer_value)
    }

    /// int : Microseconds so far in which a quote was required, unknown time excepted.
    #[getter]
    fn available_us(&self) -> u64 {
        self.state.available.0
    }

    /// int : Microseconds of them in which the obligation was met.
    #[getter]
    fn fulfilled_us(&self) -> u64 {
        self.state.fulfilled.0
    }

    /// int : Microseconds in which a quote would have been required but for damaged input.
    #[getter]
    fn unknown_us(&self) -> u64 {
        self.state.unknown.0
    }

    /// decimal.Decimal or None : Fulfilled by available, in percent with four decimals; ``None`` before any was available.
    #[getter]
    fn display_pct<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let percent = DisplayPercent::of(self.state.fulfilled, self.state.available);
        percent.map(|percent| decimal(py, &percent.to_string())).transpose()
    }

    fn __repr__(&self) -> String {
        let reason = self.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("<quoteclock.ObligationState {}: {}{reason}>", self.obligation(), self.state())
    }
}

/// One trading day as it comes: a live feed, a firm's own log, the orders of a strategy in a backtest.
///
/// Parameters
/// ----------
/// registry : Registry
///     Who has to quote what.
/// date : datetime.date or str, optional
///     The trading date; otherwise that of the first record.
/// lenient : bool
///     Set bad records aside and go on; what they leave in doubt is unknown time.
/// allow_gaps : bool
///     Sequence numbers must rise, but not by exactly one.
/// own_orders : path, bytes or binary file, optional
///     Sheet of one's own orders (``order,server`` and, if numbers are not unique in the market, ``issue``), for a feed that
///     names nobody.
///
/// Notes
/// -----
/// Several sources are not merged while they come; `replay` takes what was recorded of them (``also``). Bytes are pushed in chunks cut anywhere, in any form that `replay` reads, not compressed. The end gives the same day as a
/// replay of the same bytes.
///
/// Examples
/// --------
/// >>> engine = qc.Engine(qc.Registry("registry"), date="2024-03-01")
/// >>> engine.push(b"time,issue,event,order,server,side,price,quantity\n")
/// >>> engine.push(b"2024-03-01T09:00:00+09:00,1306,add,1,VS101,B,2820,20000\n")
/// >>> engine.push(b"2024-03-01T09:00:00+09:00,1306,add,2,VS101,S,2821,20000\n")
/// >>> state = engine.state("MM1", "1306")[0]
/// >>> state.state, str(state.bid), str(state.offer)
/// ('fulfilled', '2820', '2821')
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Engine {
    /// `None` once the day has ended.
    engine: Mutex<Option<Box<quoteclock::Engine>>>,
    zone: TimeZone,
}

impl Engine {
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut quoteclock::Engine) -> T + Send) -> PyResult<T> {
        let worked = py.detach(|| {
            let mut engine = self.engine.lock().map_err(|_| "a thread panicked while it pushed")?;
            engine.as_mut().map(|engine| work(engine)).ok_or("the day has ended: finish() has been called")
        });
        worked.map_err(PyRuntimeError::new_err)
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (registry, *, date=None, lenient=false, allow_gaps=false, own_orders=None))]
    fn new(
        py: Python<'_>,
        registry: &Registry,
        date: Option<Bound<'_, PyAny>>,
        lenient: bool,
        allow_gaps: bool,
        own_orders: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Engine> {
        let own_orders = own_orders.map(|sheet| self::own_orders(&sheet)).transpose()?.map(Arc::new);
        let options = EngineOptions { lenient, allow_gaps, date: self::date("date", date)?, own_orders };
        let engine = quoteclock::Engine::new(&registry.registry, options);
        let engine = engine.map_err(|error| errors::of_engine(py, &error))?;
        let zone = registry.registry.tables().scheme().zone().clone();
        Ok(Engine { engine: Mutex::new(Some(Box::new(engine))), zone })
    }

    /// Take the next bytes, cut anywhere.
    ///
    /// Parameters
    /// ----------
    /// chunk : bytes
    ///     CSV with its header, the binary form, or whatever `replay` reads, not compressed.
    ///
    /// Raises
    /// ------
    /// InputError
    ///     Then the day has ended, and nothing of it is known.
    fn push(&self, py: Python<'_>, chunk: PyBackedBytes) -> PyResult<()> {
        self.with(py, |engine| engine.push(&chunk))?.map_err(|error| errors::of_engine(py, &error))
    }

    /// Return how each obligation of a market maker in an issue stands, ``general`` first. Asking changes no result.
    ///
    /// Parameters
    /// ----------
    /// market_maker : str
    ///     By the registry's short name.
    /// issue : str
    ///     The issue's code.
    ///
    /// Returns
    /// -------
    /// list of ObligationState
    ///     Empty if the market maker is not signed up on the date, or the date is not known yet.
    fn state(&self, py: Python<'_>, market_maker: &str, issue: &str) -> PyResult<Vec<ObligationState>> {
        let states = self.with(py, |engine| engine.state(market_maker, issue))?;
        Ok(states.into_iter().map(|state| ObligationState { state, zone: self.zone.clone() }).collect())
    }

    /// datetime.datetime or None : The time of the last good record, in the scheme's zone.
    #[getter]
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let now = self.with(py, |engine| engine.now())?;
        now.map(|now| instant(py, now, &self.zone)).transpose()
    }

    /// int : Records read so far, those set aside included.
    #[getter]
    fn record_count(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |engine| engine.record_count())
    }

    /// End the day: time goes on to its end as things stand.
    ///
    /// Returns
    /// -------
    /// Day
    ///
    /// Raises
    /// ------
    /// InputError
    ///     Among others for a record that breaks off.
    fn finish(&self, py: Python<'_>) -> PyResult<Day> {
        let engine = self.engine.lock().ok().and_then(|mut engine| engine.take());
        let engine = engine.ok_or_else(|| PyRuntimeError::new_err("the day has ended: finish() has been called"))?;
        py.detach(|| engine.finish()).map(Day::new).map_err(|error| errors::of_engine(py, &error))
    }

    fn __repr__(&self) -> String {
        "<quoteclock.Engine>".to_owned()
    }
}
