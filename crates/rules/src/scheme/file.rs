//! `scheme.toml`: what differs from the built-in scheme.
//!
//! What the file leaves out is as built in; a type, a tick table or the list of sessions that it names replaces the
//! built-in one whole. Every fault is found at once, each with its line and column; an unknown key is a fault. Numbers
//! are read from the digits that were typed, never through a float.

mod aggregate;
mod incentives;
mod types;

use super::places::Places;
use super::{Scheme, SessionList, zone};
use crate::value::{self, Expected};
use crate::{Interpretations, PhaseSource, TickTable, TickTableError};
use jiff::civil::Date;
use quoteclock_model::Micros;
use quoteclock_sheets::{Findings, quoted};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const FILE: &str = "scheme.toml";

/// The scheme that a `scheme.toml` describes, as far as it could be read.
pub(crate) struct SchemeFile {
    /// The scheme; where the file has errors, with what could be read of it.
    pub(crate) scheme: Scheme,
    /// The types that the scheme has or tries to define; `None` where the file could not be read at all.
    pub(crate) type_names: Option<BTreeSet<String>>,
    /// The same for its tick tables.
    pub(crate) tick_table_names: Option<BTreeSet<String>>,
}

impl SchemeFile {
    /// The built-in scheme, for a registry without the file.
    pub(crate) fn built_in() -> SchemeFile {
        let scheme = Scheme::built_in();
        let type_names = Some(scheme.types.keys().cloned().collect());
        let tick_table_names = Some(scheme.tick_tables.keys().cloned().collect());
        SchemeFile { scheme, type_names, tick_table_names }
    }

    /// Reads the file; what is wrong with it goes to `findings`.
    pub(crate) fn parse(bytes: &[u8], findings: &mut Findings) -> SchemeFile {
        let unread = SchemeFile { scheme: Scheme::built_in(), type_names: None, tick_table_names: None };
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(fault) => {
                let good = String::from_utf8_lossy(&bytes[..fault.valid_up_to()]);
                let (line, column) = Places::of(&good).place(good.len());
                findings.error_at(FILE, line, column, "found bytes that are not UTF-8 text, expected UTF-8".to_owned());
                return unread;
            }
        };
        let (document, faults) = DeTable::parse_recoverable(text);
        let mut reader = Reader { places: Places::of(text), findings, error_count: 0, file: SchemeFile::built_in() };
        if faults.is_empty() {
            reader.scheme(document.get_ref());
            return reader.file;
        }
        for fault in faults {
            reader.error(fault.span().unwrap_or_default(), fault.message().to_owned());
        }
        unread
    }
}

/// Beyond so many errors a scheme is beyond repair, and listing more would only take time.
const ERROR_COUNT_MAX: u32 = 1000;

type Value<'i> = Spanned<DeValue<'i>>;

struct Reader<'a> {
    places: Places<'a>,
    findings: &'a mut Findings,
    error_count: u32,
    file: SchemeFile,
}

impl Reader<'_> {
    fn scheme(&mut self, table: &DeTable<'_>) {
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "name" => {
                    if let Some(name) = self.name(value) {
                        self.file.scheme.name = name;
                    }
                }
                "version" => {
                    if let Some(version) = self.name(value) {
                        self.file.scheme.version = version;
                    }
                }
                "timezone" => self.timezone(value),
                "phase_source" => self.phase_source(value),
                "required_pct" => {
                    if let Some(required_pct) = self.percent(value) {
                        self.file.scheme.required_pct = required_pct;
                    }
                }
                "sessions" => self.sessions(value),
                "types" => self.types(value),
                "tick_tables" => self.tick_tables(value),
                "interpretations" => self.interpretations(value),
                "incentives" => self.incentives(value),
                "aggregate" => self.aggregate(value),
                "start_delay" => {
                    if let Some(delay) = self.duration(value) {
                        self.file.scheme.start_delay = delay;
                    }
                }
                _ => self.unknown_key(
                    key,
                    "name, version, timezone, phase_source, required_pct, sessions, types, tick_tables, interpretations, \
                     incentives, aggregate, start_delay",
                ),
            }
        }
    }

    fn timezone(&mut self, value: &Value<'_>) {
        let Some(name) = self.name(value) else { return };
        match zone(&name) {
            Some(zone) => {
                self.file.scheme.zone = zone;
                self.file.scheme.zone_name = name;
            }
            None => self.error(
                value.span(),
                format!(
                    "found {}, expected the name of a time zone of the IANA database, such as Asia/Tokyo",
                    quoted(&name)
                ),
            ),
        }
    }

    fn phase_source(&mut self, value: &Value<'_>) {
        match value.get_ref().as_str() {
            Some("schedule") => self.file.scheme.phase_source = PhaseSource::Schedule,
            Some("feed") => self.file.scheme.phase_source = PhaseSource::Feed,
            _ => self.wrong(value, r#"expected "schedule" or "feed""#),
        }
    }

    /// Clause: `ST1/continuous-auction`.
    fn sessions(&mut self, value: &Value<'_>) {
        let Some(lists) = value.get_ref().as_array() else {
            return self.wrong(value, "expected a list of tables: [[sessions]]");
        };
        let mut sessions: Vec<SessionList> = Vec::with_capacity(lists.len());
        let mut seen: BTreeSet<Option<Date>> = BTreeSet::new();
        for list in lists.iter() {
            let Some(session) = self.session_list(list) else { continue };
            if seen.insert(session.from) {
                sessions.push(session);
            } else {
                let from = session.from.map_or("without `from`".to_owned(), |date| format!("from {date}"));
                self.error(list.span(), format!("a second list of sessions {from}, expected one"));
            }
        }
        sessions.sort_by_key(|list| list.from);
        self.file.scheme.sessions = sessions;
    }

    fn session_list(&mut self, value: &Value<'_>) -> Option<SessionList> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, "expected a table with from and continuous");
            return None;
        };
        let (mut from, mut windows) = (Some(None), None);
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "from" => from = self.date(value).map(Some),
                "continuous" => windows = self.windows(value),
                _ => self.unknown_key(key, "from, continuous"),
            }
        }
        if !table.contains_key("continuous") {
            self.error(
                value.span(),
                r#"continuous is missing, expected such as continuous = ["09:00-11:30"]"#.to_owned(),
            );
        }
        Some(SessionList { from: from?, windows: windows? })
    }

    fn windows(&mut self, value: &Value<'_>) -> Option<Vec<(u64, u64)>> {
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, r#"expected a list of windows, such as ["09:00-11:30", "12:30-15:00"]"#);
            return None;
        };
        let windows: Vec<Option<(u64, u64)>> = items.iter().map(|item| self.window(item)).collect();
        windows.into_iter().collect()
    }

    fn window(&mut self, value: &Value<'_>) -> Option<(u64, u64)> {
        let clocks = value.get_ref().as_str().and_then(|text| text.split_once('-'));
        let window = clocks.and_then(|(start, end)| Some((value::clock(start).ok()?, value::clock(end).ok()?)));
        let legal = window.filter(|(start, end)| start < end);
        if legal.is_none() {
            let expected = match window {
                Some(_) => "expected a window that starts before it ends",
                None => "expected a window of local clock times as HH:MM-HH:MM (or HH:MM:SS), up to 24:00",
            };
            self.wrong(value, expected);
        }
        legal
    }

    fn tick_tables(&mut self, value: &Value<'_>) {
        let Some(tables) = value.get_ref().as_table() else {
            return self.wrong(value, "expected a table of tick tables");
        };
        for (key, value) in tables.iter() {
            let Some(name) = self.key_name(key) else { continue };
            self.file.tick_table_names.iter_mut().for_each(|names| _ = names.insert(name.clone()));
            if let Some(table) = self.tick_table(value) {
                self.file.scheme.tick_tables.insert(name, Arc::new(table));
            }
        }
    }

    /// Clause: `ST1/spread-ticks`.
    fn tick_table(&mut self, value: &Value<'_>) -> Option<TickTable> {
        let items = value.get_ref().as_array().filter(|items| !items.is_empty());
        let Some((last, limited)) = items.map(|items| &items[..]).and_then(<[_]>::split_last) else {
            self.wrong(value, r#"expected a list of bands, such as [[10000, "1"], ["above", "5"]]"#);
            return None;
        };
        let limited: Vec<Option<(u64, u64)>> = limited.iter().map(|item| self.limited_band(item)).collect();
        let above = self.last_band(last);
        let limited: Vec<(u64, u64)> = limited.into_iter().collect::<Option<_>>()?;
        match TickTable::new(&limited, above?) {
            Ok(table) => Some(table),
            Err(fault) => {
                let band = match &fault {
                    TickTableError::Empty => None,
                    TickTableError::TickZero { band }
                    | TickTableError::TickTooLarge { band }
                    | TickTableError::NotAscending { band }
                    | TickTableError::LimitOffOwnGrid { band }
                    | TickTableError::LimitOffNextGrid { band } => items.and_then(|items| items.get(band - 1)),
                };
                self.error(band.unwrap_or(value).span(), fault.to_string());
                None
            }
        }
    }

    fn limited_band(&mut self, value: &Value<'_>) -> Option<(u64, u64)> {
        let Some([limit, tick]) = value.get_ref().as_array().map(|items| &items[..]) else {
            self.wrong(value, r#"expected a limit and a tick, such as [10000, "1"]"#);
            return None;
        };
        if limit.get_ref().as_str() == Some("above") {
            self.wrong(value, r#""above" is for the last band only"#);
            return None;
        }
        let (limit, tick) = (self.number(limit, value::decimal), self.number(tick, value::decimal));
        Some((limit?, tick?))
    }

    fn last_band(&mut self, value: &Value<'_>) -> Option<u64> {
        match value.get_ref().as_array().map(|items| &items[..]) {
            Some([limit, tick]) if limit.get_ref().as_str() == Some("above") => self.number(tick, value::decimal),
            _ => {
                self.wrong(value, r#"expected the last band to be ["above", tick]"#);
                None
            }
        }
    }

    /// Clauses: every `QC/…`.
    fn interpretations(&mut self, value: &Value<'_>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong(value, "expected a table: [interpretations]");
        };
        for (key, value) in table.iter() {
            let name = key.get_ref();
            if let Err(message) = Interpretations::position(name) {
                self.error(key.span(), message);
                continue;
            }
            let Some(text) = value.get_ref().as_str() else {
                self.wrong(value, "expected text in quotes");
                continue;
            };
            if let Err(message) = self.file.scheme.interpretations.set(name, text) {
                self.error(value.span(), message);
            }
        }
    }

    /// A date as text, or as TOML's own.
    fn date(&mut self, value: &Value<'_>) -> Option<Date> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(datetime) => datetime.to_string(),
            _ => String::new(),
        };
        self.parsed(value, &text, value::date)
    }

    /// A span of time as text, such as `5m`.
    fn duration(&mut self, value: &Value<'_>) -> Option<Micros> {
        let text = value.get_ref().as_str().unwrap_or_default().to_owned();
        self.parsed(value, &text, value::duration)
    }

    /// A number as an integer, a float or text; `None` where it is none, with the fault recorded.
    fn number<T>(&mut self, value: &Value<'_>, parse: fn(&str) -> Result<T, Expected>) -> Option<T> {
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => plain_digits(number.as_str()),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        self.parsed(value, text.strip_prefix('+').unwrap_or(&text), parse)
    }

    /// A percentage; a warning where it looks like a share of one.
    fn percent(&mut self, value: &Value<'_>) -> Option<u64> {
        let percent = self.number(value, value::percent)?;
        if let Some(doubt) = value::percent_doubt(percent) {
            let (line, column) = self.places.place(value.span().start);
            self.findings.warning_at(FILE, line, column, doubt);
        }
        Some(percent)
    }

    fn name(&mut self, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().unwrap_or_default().to_owned();
        self.parsed(value, &text, value::name)
    }

    fn parsed<T>(&mut self, value: &Value<'_>, text: &str, parse: fn(&str) -> Result<T, Expected>) -> Option<T> {
        match parse(text) {
            Ok(parsed) => Some(parsed),
            Err(expected) => {
                self.wrong(value, expected);
                None
            }
        }
    }

    fn key_name(&mut self, key: &Spanned<Cow<'_, str>>) -> Option<String> {
        let name = value::name(key.get_ref());
        if let Err(expected) = name {
            self.error(key.span(), format!("found {}, {expected}", quoted(key.get_ref())));
        }
        name.ok()
    }

    fn unknown_key(&mut self, key: &Spanned<Cow<'_, str>>, known: &str) {
        self.error(key.span(), format!("unknown key {}, expected one of {known}", quoted(key.get_ref())));
    }

    /// Records that `value` is not what was expected.
    fn wrong(&mut self, value: &Value<'_>, expected: &str) {
        let found = self.places.text.get(value.span()).unwrap_or_default();
        self.error(value.span(), format!("found {}, {expected}", quoted(found)));
    }

    fn error(&mut self, span: Range<usize>, message: String) {
        self.error_count += 1;
        if self.error_count <= ERROR_COUNT_MAX {
            let (line, column) = self.places.place(span.start);
            self.findings.error_at(FILE, line, column, message);
        }
    }
}

/// The digits of a float without an exponent: as typed where it has none, its shortest decimal text otherwise.
fn plain_digits(text: &str) -> String {
    if !text.contains(['e', 'E']) {
        return text.to_owned();
    }
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests;
