//! What the outages of one obligation began and ended with: the running day's journal read again, watched as `explain` watches a
//! file.
//!
//! Only for whoever asks, one at a time, on a thread of its own: of the engine nothing is asked but where its journal stands.

use crate::journal::JournalReader;
use crate::measure::{Source, civil_date, midnight};
use anyhow::{Context, Result, anyhow};
use quoteclock_engine::{DayOptions, DayRun, InputRun, Until};
use quoteclock_explain::{Explainer, Explanation, Question};
use quoteclock_feed::FeedError;
use quoteclock_model::Timestamp;
use quoteclock_replay::Attribution;
use quoteclock_wire::journal::{self, HEAD_BYTES};

/// The day of one obligation as it was at `last`, the time of a record; `is_clean` where nothing has been set aside. `question` names
/// the issue. Of the outages the latest are kept.
pub(crate) fn explain(source: &Source, question: &Question, last: Timestamp, is_clean: bool) -> Result<Explanation> {
    // A strict run passes over what concerns other issues; where it does not come through, a lenient one does.
    let strict = is_clean.then(|| run(source, question, last, false).ok()).flatten();
    strict.map_or_else(|| run(source, question, last, true), Ok)
}

fn run(source: &Source, question: &Question, last: Timestamp, lenient: bool) -> Result<Explanation> {
    let Source { registry, head, unknown, .. } = source;
    // What comes with the last record's time is in it.
    let until = last.checked_add(quoteclock_model::Micros(1)).map(Until::Instant);
    let date = head.date.and_then(civil_date);
    let options = DayOptions { lenient, date, unknown: unknown.clone(), until, ..DayOptions::default() };
    let mut explainer = Explainer::new(registry, options, question.clone())?.with_latest_outages();
    let mut own = source.own_orders.clone().map(Attribution::new);
    let mut decoder = journal::payload_decoder(head, midnight(registry, head)?);
    let mut reader = JournalReader::from(std::sync::Arc::clone(&source.file), HEAD_BYTES as u64, 0);
    while reader.position() < source.length
        && let Some(frame) = reader.next().context("reading the journal")?
    {
        let delivered = match &mut own {
            Some(own) => frame.deliver(&mut decoder, &mut own.before(&mut explainer)),
            None => frame.deliver(&mut decoder, &mut explainer),
        };
        match delivered {
            Ok(()) => {}
            Err(FeedError::Stopped) => break,
            Err(error) => return Err(error.into()),
        }
    }
    // The day keeps why it has stopped.
    let _ = explainer.end_of_input(decoder.stated_date().and_then(civil_date));
    let (_, answer) = explainer.finish()?;
    answer?.into_iter().next().ok_or_else(|| anyhow!("a question without an answer"))
}
