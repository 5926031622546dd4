//! Why an obligation was fulfilled or not: at an instant, or along a day.
//!
//! The idea: an observer, never a second measurement. [`Explainer`] stands around the same [`Day`](quoteclock_engine::Day)
//! that measures, sees each record before and after it is applied, and writes down what the day says of one obligation:
//! its intervals, the events that began and ended them, and the quotes at the instants that matter. States and reasons
//! are those that the measuring path tells; prices, values and spreads come from the very functions that judge them.
//! What comes of it, an [`Explanation`], is shown as text, as JSON and as a page.
//!
//! Memory is bounded by the breaches of one obligation and the books of the market; the day's strip is kept by column.
//!
//! Deliberately absent: files, arguments, and any verdict of its own.

mod builder;
mod clauses;
mod event;
mod explainer;
mod explanation;
mod format;
mod html;
mod json;
mod lost;
mod market;
mod question;
mod strip;
mod subject;
mod suggest;
mod summary;
mod svg;
mod text;
mod uncounted;
mod view;

pub use event::{Cause, Edge, Event, OwnOrder, What};
pub use explainer::Explainer;
pub use explanation::{
    Availability, Explanation, Judged, Moment, Outage, Provenance, Scene, SchemeName, Stretch, WhyUnavailable,
};
pub use html::write_html;
pub use json::{CauseRows, ViewRows, write_json};
pub use lost::Lost;
pub use question::{At, AtError, Question, QuestionError};
pub use strip::{States, Strip};
pub use subject::Subject;
pub use suggest::{Change, Suggestion, suggest};
pub use summary::{LostLine, LostTimes, Summary, render_day, render_summary, write_day_json, write_summary_json};
pub use text::render_text;
pub use uncounted::{Uncounted, WhyUncounted};
pub use view::{Level, SideView, SpreadView, View};
