//! `daily.csv` and `breaches.csv` of a day: of the running one as far as it goes, of a stored one as it is stored.

use super::auth::Onlooker;
use super::{Http, Shared, failed, look, not_found, with_type};
use crate::measure::{LiveDay, SoFar, so_far};
use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::civil::Date;
use quoteclock_ledger::DisplayPercent;
use quoteclock_report::{Breaches, Daily, write_breaches_csv, write_daily_csv};
use quoteclock_rows::column_names;
use quoteclock_rules::local_time;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum File {
    Daily,
    Breaches,
}

pub(super) async fn daily(
    State(shown): Shared,
    caller: Onlooker,
    Path(date): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(&shown, &caller, (&date, File::Daily), &headers).await
}

pub(super) async fn breaches(
    State(shown): Shared,
    caller: Onlooker,
    Path(date): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(&shown, &caller, (&date, File::Breaches), &headers).await
}

async fn answer(
    shown: &Arc<Http>,
    Onlooker(caller): &Onlooker,
    (date, file): (&str, File),
    headers: &HeaderMap,
) -> Response {
    // Only as it is written: 2024-03-01.
    let Some(date) = date.parse::<Date>().ok().filter(|parsed| parsed.to_string() == date) else { return not_found() };
    let rows = match look(shown, move |day, _| running(day, date, file)).await.flatten() {
        Some(rows) => Ok(Some(rows)),
        None => {
            let shown = Arc::clone(shown);
            let read = tokio::task::spawn_blocking(move || stored(&shown, date, file)).await;
            read.unwrap_or_else(|error| Err(error.into()))
        }
    };
    let rows = match rows {
        Ok(Some(rows)) => rows,
        Ok(None) => return not_found(),
        Err(error) => return failed(&error),
    };
    let columns = match file {
        File::Daily => column_names::<Daily>().collect::<Vec<_>>().join(","),
        File::Breaches => column_names::<Breaches>().collect::<Vec<_>>().join(","),
    };
    let (registry, mut body) = (shown.desk.registry(), columns + "\n");
    for row in rows {
        if caller.recipient.sees(&registry, date, &row.market_maker, &row.issue) {
            body.push_str(&row.line);
        }
    }
    let etag = format!("\"{}\"", hex(&Sha256::digest(body.as_bytes())[..16]));
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        with_type(StatusCode::NOT_MODIFIED, "text/csv; charset=utf-8", Vec::new())
    } else {
        with_type(StatusCode::OK, "text/csv; charset=utf-8", body.into_bytes())
    };
    if let Ok(value) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line, and whose it is.
pub(super) struct Row {
    pub(super) market_maker: String,
    pub(super) issue: String,
    pub(super) line: String,
}

/// The rows of the running day so far, if it is of `date`.
fn running(day: &mut LiveDay, date: Date, file: File) -> Option<Vec<Row>> {
    if day.engine()?.plan().date != date {
        return None;
    }
    let SoFar { plan, ledger } = so_far(day)?;
    let mut bytes = Vec::new();
    match file {
        File::Daily => write_daily_csv(&plan, &ledger, &mut bytes).ok()?,
        File::Breaches => write_breaches_csv(&plan, &ledger, &mut bytes).ok()?,
    }
    rows_of(&bytes).ok()
}

/// The rows of a CSV without header, each with its market maker and issue.
pub(super) fn rows_of(bytes: &[u8]) -> Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let mut rows = Vec::new();
    let mut start = 0;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let end = usize::try_from(reader.position().byte())?;
        let line = String::from_utf8(bytes[start..end].to_vec())?;
        let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
        rows.push(Row { market_maker: field(1), issue: field(2), line });
        start = end;
    }
    Ok(rows)
}

/// The rows of a stored day; `None` if it is not stored.
fn stored(shown: &Http, date: Date, file: File) -> Result<Option<Vec<Row>>> {
    let store = shown.db.open()?;
    store.begin_snapshot()?;
    if store.days(date..=date)?.is_empty() {
        return Ok(None);
    }
    let registry = shown.desk.registry();
    let zone = registry.scheme().zone();
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let mut failed = None;
    match file {
        File::Daily => store.results(date..=date, |row| {
            let total = row.total;
            let percent = DisplayPercent::of(total.fulfilled, total.available);
            let mut text = String::new();
            if let Some(percent) = percent {
                let _ = write!(text, "{percent}");
            }
            let [available, fulfilled, unknown] =
                [total.available, total.fulfilled, total.unknown].map(|micros| micros.0.to_string());
            let (date, issue, obligation) = (row.date.to_string(), row.issue.to_string(), row.obligation.to_string());
            let fields = [&date, &row.market_maker, &issue, &obligation, &available, &fulfilled, &unknown, &text];
            failed = writer.write_record(fields).err().or(failed.take());
        })?,
        File::Breaches => store.breaches(date..=date, |row| {
            let duration = row.span.end.since(row.span.start).0.to_string();
            let (start, end) = (local_time(row.span.start, zone), local_time(row.span.end, zone));
            let (date, issue, obligation) = (row.date.to_string(), row.issue.to_string(), row.obligation.to_string());
            let fields = [&date, &row.market_maker, &issue, &obligation, &start, &end, &duration, &row.reason];
            failed = writer.write_record(fields).err().or(failed.take());
        })?,
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?;
    rows_of(&bytes).map(Some)
}
