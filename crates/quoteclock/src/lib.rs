//! Says, to the microsecond, how long a market maker's quotes met its obligation.
//!
//! This is the front door for programs: the same engine as the command `quoteclock`, with rows as values instead of
//! files. It needs two things, which `docs/REFERENCE.md` describes: a *registry*, the folder of small CSV files that says
//! who has to quote what, and the *order events* of a trading day.
//!
//! # How to begin
//!
//! Open the registry once, then measure as many days as you like:
//!
//! ```
//! use quoteclock::{Registry, replay};
//!
//! let registry = Registry::open("../../replay-data/tse-small/registry")?;
//! let day = replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
//!
//! let row = day.daily().find(|row| row.market_maker == "MM3" && row.issue == "1306").expect("MM3 quotes 1306");
//! assert_eq!(row.available.0, 5 * 3_600 * 1_000_000); // microseconds: five hours
//! assert_eq!(row.display_pct.expect("some time was available").to_string(), "95.0000");
//!
//! let breach = day.breaches().find(|row| row.market_maker == "MM3" && row.issue == "1306").expect("it was lost once");
//! assert_eq!((breach.start_text(), breach.reason.as_str()), ("2024-03-01T13:10:00.000000+09:00".to_owned(), "no_bid+no_offer"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From there:
//!
//! | to | use |
//! |---|---|
//! | take damaged input, give a date, use more threads, read bytes from memory | [`replay_with`] and [`ReplayOptions`] |
//! | know what is wrong with a registry | [`check`], [`check_under`] a ready scheme, [`RegistryError`] |
//! | know why a minute was lost | [`explain()`] |
//! | keep days, and settle a month | [`Store`], [`Report`] |
//! | follow a live feed, or a strategy in a backtest, and ask how it stands | [`Engine`] |
//!
//! # What holds
//!
//! - Integers decide: times are whole microseconds ([`Micros`], [`Timestamp`]), prices ten-thousandths ([`Price`]). No
//!   floating point takes part in a figure.
//! - The same input and registry give the same rows, with any number of threads, and the same as the command's files.
//! - Nothing panics on any input. Errors say what was found, where, and what was expected.
//! - [`Registry`], [`MeasuredDay`] and [`Engine`] borrow nothing and are `Send`: keep them in a server, a thread, a binding.
//!
//! Deliberately absent: any rule of measurement (the crates below have them), and printing.

mod beside;
mod changed;
mod convert;
mod coverage;
mod engine;
mod error_text;
mod events;
mod explain;
mod folder;
mod how;
mod month;
mod own_orders;
mod registry;
mod replay;
mod report;
mod rows;
mod settle;
mod store;
mod tables;

pub use beside::{BesideFile, beside_words};
pub use changed::{PlanNow, plan_now};
pub use convert::{Compressed, convert_file, target_of_name};
pub use coverage::{CoverageRow, Coverages, coverage_json};
pub use engine::{Engine, EngineError, EngineOptions, ObligationState};
pub use error_text::error_text;
pub use events::{EventRow, Events};
pub use explain::{ExplainError, Question, explain};
pub use folder::read_files;
pub use how::{How, until};
pub use month::{MonthError, StoredMonth, changed_days};
pub use own_orders::{OwnOrdersError, read_own_orders};
pub use registry::{Checked, Registry, RegistryError, check, check_under};
pub use replay::{MeasuredDay, Origin, ReplayOptions, replay, replay_with};
pub use report::Report;
pub use rows::{BreachRow, DailyRow, OutageRow, RejectRow};
pub use settle::{Settled, review};
pub use store::{AddError, Added, Program, Store, provenance};
pub use tables::{Breaches, Daily, Outages, RejectsTable};

pub use quoteclock_engine::{BadRecord, Coverage, DayError, Fault, Until};
pub use quoteclock_explain::{At, AtError, QuestionError};
pub use quoteclock_feed::Place;
pub use quoteclock_incentive::{Month, Outlook};
pub use quoteclock_ledger::DisplayPercent;
pub use quoteclock_model::{
    Amount, IssueCode, Micros, ObligationId, Price, Reason, Shares, Side, SideFault, Span, State, Timestamp,
};
pub use quoteclock_replay::{Also, Beside, OwnOrders, Part, Progress, UNWATCHED};
pub use quoteclock_replay::{ConvertError, ConvertOptions, Converted, InputEvent, InputEvents, Target, convert};
pub use quoteclock_report::Style;
pub use quoteclock_rules::{Column, Finding, PlanError, Severity, SourceFile};
pub use quoteclock_store::{Digest, StoreError, StoredAfter};

// What only a measured day shows has its example here, where days are measured.

/// Where events come from.
///
/// ```
/// use quoteclock::{Input, Registry, ReplayOptions, UNWATCHED, replay_with};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let file = "../../replay-data/tse-small/2024-03-01.csv";
/// let inputs = [
///     Input::named(file.as_ref()),
///     Input::memory("2024-03-01.csv", std::fs::read(file)?),
///     Input::once("2024-03-01.csv", std::fs::File::open(file)?),
/// ];
/// for input in inputs {
///     let day = replay_with(&input, &registry, &ReplayOptions::default(), UNWATCHED)?;
///     assert_eq!(day.daily().count(), 17, "{}", input.name());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_replay::Input;

/// Why a day has no figures.
///
/// ```
/// use quoteclock::{Input, Place, Registry, ReplayError, ReplayOptions, UNWATCHED, error_text, replay_with};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let header = "time,issue,event,order,server,side,price,quantity";
/// let text = format!("{header}\n2024-03-01T09:00:00+09:00,1306,cancel,seven,,,,\n");
/// let input = Input::memory("day.csv", text.into_bytes());
/// let error = replay_with(&input, &registry, &ReplayOptions::default(), UNWATCHED).unwrap_err();
/// assert!(matches!(error, ReplayError::Day { .. }), "{}", error_text(&error));
/// assert_eq!((error.file(), error.place(), error.column()), ("day.csv", Some(Place::Line(2)), Some("order")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_replay::ReplayError;

/// What a day is measured with; its figures do not depend on it.
///
/// ```
/// use quoteclock::{Input, Registry, ReplayOptions, Threads, UNWATCHED, replay_with};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let by = |threads| ReplayOptions { threads: Threads(threads), ..ReplayOptions::default() };
/// let alone = replay_with(&input, &registry, &by(1.try_into()?), UNWATCHED)?;
/// assert_eq!(alone, replay_with(&input, &registry, &by(4.try_into()?), UNWATCHED)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_replay::Threads;

/// What [`explain()`] says, as values.
///
/// ```
/// # use quoteclock::{Input, Question, Registry, ReplayOptions, UNWATCHED, explain};
/// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// # let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let question = Question::new("MM3", "1306");
/// let explanation = explain(&input, &registry, &ReplayOptions::default(), &question, UNWATCHED)?;
/// assert_eq!((explanation.breach_count, explanation.subject.obligation.is_general()), (1, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_explain::Explanation;

/// What [`explain()`] says, for a terminal.
///
/// ```
/// # use quoteclock::{Input, Question, Registry, ReplayOptions, Style, UNWATCHED, explain, render_text};
/// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// # let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// # let question = Question::new("MM3", "1306");
/// let explanation = explain(&input, &registry, &ReplayOptions::default(), &question, UNWATCHED)?;
/// let text = render_text(&explanation, Style { width: 80, colour: false });
/// assert!(text.starts_with("2024-03-01  MM3  1306 Kita TOPIX ETF  general\n"), "{text}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_explain::render_text;

/// What [`explain()`] says, for people with a browser.
///
/// ```
/// # use quoteclock::{Input, Question, Registry, ReplayOptions, UNWATCHED, explain, write_html};
/// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// # let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// # let question = Question::new("MM3", "1306");
/// let explanation = explain(&input, &registry, &ReplayOptions::default(), &question, UNWATCHED)?;
/// let mut page = Vec::new();
/// write_html(&explanation, &mut page)?;
/// assert!(page.starts_with(b"<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_explain::write_html;

/// What [`explain()`] says, for programs of other languages.
///
/// ```
/// # use quoteclock::{Input, Question, Registry, ReplayOptions, UNWATCHED, explain, write_json};
/// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// # let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// # let question = Question::new("MM3", "1306");
/// let explanation = explain(&input, &registry, &ReplayOptions::default(), &question, UNWATCHED)?;
/// let mut document = Vec::new();
/// write_json(&explanation, &mut document)?;
/// assert!(String::from_utf8(document)?.contains("\"market_maker\": \"MM3\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_explain::write_json;

/// What [`Store::add`] says where the date was there before.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// let replaced = store.add(&day, &Default::default())?.replaced.expect("the day was there");
/// assert_eq!((replaced.date, replaced.changes.len()), (day.date(), 0), "with the same figures");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_store::Replaced;

/// What [`Store::days`] lists.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// let stored = store.days("2024-03".parse()?)?.remove(0);
/// assert_eq!((stored.date, stored.registry_sha256), (day.date(), registry.digest()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use quoteclock_store::StoredDay;
