//! The month as one HTML page that needs nothing else: no script, no font, no network.
//!
//! The idea: [`Frames`] sum what an obligation lost on a day, once for all who see it; a [`MonthPicture`] is told that, and
//! each day's times, and keeps sums and strips only, so that millions of breaches take no more memory than the obligations
//! that were not fulfilled; then a [`MonthPage`] is written of it. Lost time is shown as it was stored; nothing is measured here.
//!
//! Deliberately absent: where rows are stored, and any verdict (those are the lines of the month's account).

mod format;
mod grid;
mod lost;
mod outage;
mod page;
mod picture;
mod shade;
mod strip;
mod verdict;

/// The colours of a page, light and dark, as CSS.
pub const PALETTE: &str = include_str!("../templates/palette.css");

pub use format::grouped;
pub use page::{Evidence, MonthPage, Section};
pub use picture::{DayFrame, DayLost, Frames, MonthPicture};
pub use verdict::Verdicts;
