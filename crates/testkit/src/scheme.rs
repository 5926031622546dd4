//! The numbers of a scheme: limits by type, tick tables, sessions; the built-in TSE scheme of ST-1 v4.3, and what a
//! `scheme.toml` changes of it.
//!
//! Only the TOML that a `scheme.toml` needs is read: one `key = value` per line, no escapes, no multi-line values.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock;
use crate::text::{ten_thousandths, whole};

/// The built-in TSE scheme, written as a `scheme.toml` of its own.
const BUILT_IN: &str = r#"
timezone = "Asia/Tokyo"
phase_source = "schedule"
[[sessions]]
from = "0001-01-01"
continuous = ["09:00-11:30", "12:30-15:00"]
[[sessions]]
from = "2024-11-05"
continuous = ["09:00-11:30", "12:30-15:25"]
[types.A]
max_spread_bps = 20
max_spread_ticks = 2
min_value = 30000000
[types.B]
max_spread_bps = 50
max_spread_ticks = 3
min_value = 10000000
[types.C]
max_spread_bps = 50
max_spread_ticks = 3
min_value = 5000000
[types.D]
max_spread_bps = 80
max_spread_ticks = 4
min_value = 5000000
[tick_tables]
01 = [[3000, 1], [5000, 5], [30000, 10], [50000, 50], [300000, 100], [500000, 500], [3000000, 1000], [5000000, 5000], [30000000, 10000], [50000000, 50000], ["above", 100000]]
03 = [[1000, 0.1], [3000, 0.5], [10000, 1], [30000, 5], [100000, 10], [300000, 50], [1000000, 100], [3000000, 500], [10000000, 1000], [30000000, 5000], ["above", 10000]]
04 = [[10000, 1], [30000, 5], [100000, 10], [300000, 50], [1000000, 100], [3000000, 500], [10000000, 1000], [30000000, 5000], ["above", 10000]]
[interpretations]
sequential_quote = "available"
"#;

/// The limits of one obligation. A limit that is absent plays no part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) spread: Spread,
    /// Limits of the spread by bid, up to and including a price; the last is for all above.
    pub(crate) bands: Vec<(Option<i128>, Spread)>,
    /// What basis points are of: `bid`, `offer`, else the mid.
    pub(crate) spread_base: String,
    /// Minimum value per side in ten-thousandths of the currency unit.
    pub(crate) min_value: Option<i128>,
    /// Minimum quantity per side in shares.
    pub(crate) min_quantity: Option<i128>,
    /// Whether the minimum value is one of shares, at this price, or at the side's own.
    pub(crate) quantity_from_value_at: Option<Option<i128>>,
    /// Which of the two.
    pub(crate) quantity_at_reference: bool,
    /// Whether either of the two minima is enough.
    pub(crate) any_size: bool,
    /// By how much the sizes may differ, in ten-thousandths of a percent of the larger one.
    pub(crate) max_divergence: Option<i128>,
    /// Whether one side is enough.
    pub(crate) either_side: bool,
    /// Whether the issue's own row gives limits.
    pub(crate) from_issue: bool,
    /// The phases in which a quote is required, where not as everywhere.
    pub(crate) phases: Option<Vec<String>>,
    /// Windows of its own, as minutes of the local day.
    pub(crate) windows: Option<Vec<(i128, i128)>>,
    /// Microseconds for which quotes have to be good without a break.
    pub(crate) min_resting: i128,
    /// Microseconds after each beginning, where not as everywhere.
    pub(crate) start_delay: Option<i128>,
    /// Other limits within windows (`None`: those of the issue); the first that holds counts.
    pub(crate) regimes: Vec<Regime>,
    /// What is asked in place of one obligation.
    pub(crate) criteria: Vec<Criterion>,
}

/// One of several things that a type asks for: the lines that it has beside the type's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Criterion {
    named: Vec<(String, Vec<String>)>,
}

impl Criterion {
    /// The obligation, and its limits: the type's, with what it names in their place.
    pub(crate) fn of(&self, mut limits: Limits) -> Option<(String, Limits)> {
        let mut obligation = None;
        for (key, values) in &self.named {
            match key.as_str() {
                "name" => obligation = Some(format!("general:{}", values.first()?)),
                _ => limits.set(key, values.first()?, values)?,
            }
        }
        Some((obligation?, limits))
    }
}

/// Limits within windows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Regime {
    /// Minutes of the local day; `None` for those of the issue.
    pub(crate) windows: Option<Vec<(i128, i128)>>,
    /// What it names: keys and values.
    named: Vec<(String, String)>,
}

impl Regime {
    /// The limits of an issue with what the regime names in their place.
    pub(crate) fn of(&self, mut limits: Limits) -> Option<Limits> {
        for (key, value) in &self.named {
            limits.set(key, value, &[])?;
        }
        Some(limits)
    }
}

/// The limits of a spread: the widest counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    /// In ten-thousandths of a basis point.
    pub(crate) max_bps: Option<i128>,
    /// In ticks.
    pub(crate) max_ticks: Option<i128>,
    /// As a difference of prices, in ten-thousandths.
    pub(crate) max_abs: Option<i128>,
}

impl Spread {
    /// Sets one of the limits; `None` if `key` is none of them.
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "max_spread_bps" => self.max_bps = Some(ten_thousandths(value)?),
            "max_spread_ticks" => self.max_ticks = Some(whole(value)?),
            "max_spread_abs" => self.max_abs = Some(ten_thousandths(value)?),
            _ => return None,
        }
        Some(())
    }

    fn widened(&self, times: i128) -> Spread {
        let wider = |max: Option<i128>| max.map(|max| max * times / 10_000);
        Spread { max_bps: wider(self.max_bps), max_ticks: wider(self.max_ticks), max_abs: wider(self.max_abs) }
    }
}

impl Limits {
    /// The limits with those of the spread so many ten-thousandths as large, rounded down, and the minima, rounded up.
    pub(crate) fn relieved(self, spread: i128, size: i128) -> Limits {
        let bands = self.bands.iter().map(|(up_to, band)| (*up_to, band.widened(spread))).collect();
        let smaller = |min: Option<i128>| min.map(|min| ((min * size + 9_999) / 10_000).max(1));
        let mut limits = Limits { spread: self.spread.widened(spread), bands, ..self };
        if let Some(Some(price)) = limits.quantity_from_value_at {
            // Shares first, then so many times as many.
            let shares = limits.min_value.map(|value| value / price + i128::from(value % price != 0));
            limits.min_quantity = match (shares, limits.min_quantity, limits.any_size) {
                (Some(one), Some(other), true) => Some(one.min(other)),
                (Some(one), Some(other), false) => Some(one.max(other)),
                (one, other, _) => one.or(other),
            };
            (limits.min_value, limits.quantity_from_value_at) = (None, None);
        }
        (limits.min_value, limits.min_quantity) = (smaller(limits.min_value), smaller(limits.min_quantity));
        limits
    }

    /// Sets what a line of a type says.
    fn set(&mut self, key: &str, value: &str, values: &[String]) -> Option<()> {
        match key {
            "min_value" => self.min_value = Some(ten_thousandths(value)?),
            "min_quantity" => self.min_quantity = Some(whole(value)?),
            "min_quantity_from_value" => {
                self.quantity_from_value_at = Some(None);
                self.quantity_at_reference = value == "reference";
            }
            "size_rule" => self.any_size = value == "any",
            "spread_base" => value.clone_into(&mut self.spread_base),
            "max_size_divergence_pct" => self.max_divergence = Some(ten_thousandths(value)?),
            "sides" => self.either_side = value == "either",
            "limits_from" => self.from_issue = true,
            "required_pct" | "need" => {}
            "phases" => self.phases = Some(values.to_vec()),
            "windows" => self.windows = Some(values.iter().map(|w| window(w)).collect::<Option<_>>()?),
            "start_delay" => self.start_delay = Some(duration(value)?),
            "min_resting" => self.min_resting = duration(value)?,
            "bands" => self.bands = bands(values)?,
            _ => self.spread.set(key, value)?,
        }
        Some(())
    }
}

/// `up_to = 5`, `max_spread_abs = 0.1`, `up_to = 10`, …: a new band begins after each `up_to` and its limits.
fn bands(values: &[String]) -> Option<Vec<(Option<i128>, Spread)>> {
    let mut bands: Vec<(Option<i128>, Spread)> = vec![(None, Spread::default())];
    for item in values {
        let (key, value) = item.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let (up_to, spread) = bands.last_mut()?;
        match key {
            "up_to" => *up_to = Some(ten_thousandths(value)?),
            "next" => bands.push((None, Spread::default())),
            _ => spread.set(key, value)?,
        }
    }
    Some(bands)
}

/// Which prices are valid: per band, up to and including its limit, the multiples of its tick. Prices in ten-thousandths.
#[derive(Clone, Debug)]
pub(crate) struct TickTable {
    /// Limit (`None` for the last band, "above") and tick, rising.
    bands: Vec<(Option<i128>, i128)>,
}

impl TickTable {
    /// The tick at a price: that of the first band whose limit is not below it.
    fn tick(&self, price: i128) -> i128 {
        let band = self.bands.iter().find(|(limit, _)| limit.is_none_or(|limit| price <= limit));
        band.map_or(1, |(_, tick)| *tick)
    }

    /// The price itself if valid, else the valid price below it (0 counts as one).
    pub(crate) fn valid_at_or_below(&self, price: i128) -> i128 {
        price - price % self.tick(price)
    }

    /// The price itself if valid, else the valid price above it.
    pub(crate) fn valid_at_or_above(&self, price: i128) -> i128 {
        let below = self.valid_at_or_below(price);
        if below == price { price } else { below + self.tick(price) }
    }

    /// The next valid price above a valid price.
    pub(crate) fn next_above(&self, valid: i128) -> i128 {
        valid + self.tick(valid + 1)
    }
}

/// The continuous windows from a date on, as minutes of the local day, `[start, end)`.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    pub(crate) from: Date,
    pub(crate) continuous: Vec<(i128, i128)>,
}

/// A scheme.
pub(crate) struct Scheme {
    pub(crate) zone: TimeZone,
    /// `phase_source = "feed"`: no schedule, the market opens and closes by its own phase events.
    pub(crate) feed: bool,
    /// Microseconds after each beginning in which nothing is required.
    pub(crate) start_delay: i128,
    /// Whether the phase `sequential_quote` is available time.
    pub(crate) sequential_quote_available: bool,
    pub(crate) sessions: Vec<Sessions>,
    pub(crate) types: BTreeMap<String, Limits>,
    pub(crate) tick_tables: BTreeMap<String, TickTable>,
}

impl Scheme {
    /// The built-in scheme with what the `scheme.toml` changes of it.
    pub(crate) fn read(toml: Option<&str>) -> Option<Scheme> {
        let mut scheme = Scheme {
            zone: TimeZone::UTC,
            feed: false,
            start_delay: 0,
            sequential_quote_available: true,
            sessions: Vec::new(),
            types: BTreeMap::new(),
            tick_tables: BTreeMap::new(),
        };
        scheme.overlay(BUILT_IN)?;
        if let Some(toml) = toml {
            scheme.overlay(toml)?;
        }
        Some(scheme)
    }

    /// Takes over what the text names: a type, a tick table or the list of sessions replaces the earlier one whole.
    fn overlay(&mut self, toml: &str) -> Option<()> {
        let mut section = String::new();
        let mut sessions = Vec::new();
        for (_, line) in crate::text::lines(toml) {
            let line = without_comment(line).trim();
            if line.is_empty() {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                section = name.replace(['[', ']', '"', ' '], "");
                if section == "sessions" {
                    sessions.push(Sessions { from: Date::MIN, continuous: Vec::new() });
                } else if let Some(name) = section.strip_prefix("types.").and_then(|name| name.strip_suffix(".regimes"))
                {
                    self.types.get_mut(name)?.regimes.push(Regime::default());
                } else if let Some(name) =
                    section.strip_prefix("types.").and_then(|name| name.strip_suffix(".criteria"))
                {
                    self.types.get_mut(name)?.criteria.push(Criterion::default());
                } else if let Some(name) = section.strip_prefix("types.") {
                    self.types.insert(name.to_owned(), Limits::default());
                }
                continue;
            }
            let (key, value) = line.split_once('=')?;
            let key = key.replace('"', "");
            self.set(&section, key.trim(), &items(value), &mut sessions)?;
        }
        if !sessions.is_empty() {
            self.sessions = sessions;
        }
        Some(())
    }

    fn set(&mut self, section: &str, key: &str, values: &[String], sessions: &mut [Sessions]) -> Option<()> {
        let value = values.first()?;
        match (section, key) {
            ("", "timezone") => self.zone = clock::zone(value)?,
            ("", "phase_source") => self.feed = value == "feed",
            ("", "start_delay") => self.start_delay = duration(value)?,
            ("interpretations", "sequential_quote") => self.sequential_quote_available = value == "available",
            ("sessions", "from") => sessions.last_mut()?.from = clock::date(value)?,
            ("sessions", "continuous") => {
                sessions.last_mut()?.continuous = values.iter().map(|w| window(w)).collect::<Option<_>>()?;
            }
            ("tick_tables", name) => {
                self.tick_tables.insert(name.to_owned(), tick_table(values)?);
            }
            (section, key) if section.ends_with(".criteria") => {
                let name = section.strip_prefix("types.")?.strip_suffix(".criteria")?;
                let criterion = self.types.get_mut(name)?.criteria.last_mut()?;
                criterion.named.push((key.to_owned(), values.to_vec()));
            }
            (section, key) if section.ends_with(".regimes") => {
                let name = section.strip_prefix("types.")?.strip_suffix(".regimes")?;
                let regime = self.types.get_mut(name)?.regimes.last_mut()?;
                match key {
                    "windows" => regime.windows = Some(values.iter().map(|w| window(w)).collect::<Option<_>>()?),
                    "windows_from" => {}
                    _ => regime.named.push((key.to_owned(), value.clone())),
                }
            }
            (section, key) => {
                if let Some(limits) = section.strip_prefix("types.").and_then(|name| self.types.get_mut(name)) {
                    limits.set(key, value, values)?;
                }
            }
        }
        Some(())
    }

    /// The continuous windows of a date: those of the latest list not after it, or none.
    pub(crate) fn continuous(&self, date: Date) -> Vec<(i128, i128)> {
        let latest = self.sessions.iter().filter(|s| s.from <= date).max_by_key(|s| s.from);
        latest.map_or_else(Vec::new, |s| s.continuous.clone())
    }
}

/// The line up to a `#` that is not within quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The values of a (possibly nested) array in order, or the one value: brackets and quotes mean nothing more than commas.
fn items(value: &str) -> Vec<String> {
    // Between the tables of a list nothing else marks where the next one begins.
    let plain = value.replace("},", ", next = 1,").replace(['[', ']', '{', '}', '"'], "");
    plain.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// `09:00-11:30` as minutes of the day.
pub(crate) fn window(text: &str) -> Option<(i128, i128)> {
    let (start, end) = text.split_once('-')?;
    Some((minutes(start)?, minutes(end)?))
}

/// `09:00` as minutes of the day; `24:00` is allowed.
fn minutes(text: &str) -> Option<i128> {
    let (hour, minute) = text.split_once(':')?;
    let minutes = whole(hour)? * 60 + whole(minute)?;
    (minutes <= 1_440).then_some(minutes)
}

/// `5m` or `30s` as microseconds.
fn duration(text: &str) -> Option<i128> {
    match text.strip_suffix('m') {
        Some(minutes) => Some(whole(minutes)? * 60_000_000),
        None => Some(whole(text.strip_suffix('s')?)? * 1_000_000),
    }
}

/// Limit, tick, limit, tick, …; the last limit is `above`.
fn tick_table(values: &[String]) -> Option<TickTable> {
    let mut bands = Vec::new();
    for band in values.chunks(2) {
        let limit = if band[0] == "above" { None } else { Some(ten_thousandths(&band[0])?) };
        bands.push((limit, ten_thousandths(band.get(1)?)?));
    }
    Some(TickTable { bands })
}
