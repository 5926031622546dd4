//! What a day's messages are, generated or real: `mix LOAD [EVENTS]`, or `mix FILE` with an uncompressed CSV or ITCH file.
//!
//! Prints the share of each kind of event, what becomes of orders, how many events an order has, and how long orders live:
//! from their add to their end through all replaces, and at one price. Orders that are live at the end are left out of
//! lives; events of orders that were never added (a file that begins in mid-stream) only count as events.

use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::itch::{ItchDecoder, looks_like_itch};
use quoteclock_feed::{EventWriter, RawRecord, Receiver, Stop};
use quoteclock_generate::{Load, Options, generate};
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, OrderId, Record, Scope, SequenceNo, ServerIndex, Shares, Timestamp,
};
use std::collections::HashMap;
use std::error::Error;
use std::{fs, io};

struct Life {
    added: i64,
    /// Since when at its price.
    placed: i64,
    quantity: u64,
    events: u64,
    replaced: bool,
    traded: bool,
}

#[derive(Default)]
struct Mix {
    kinds: [u64; 7],
    live: HashMap<(IssueIndex, OrderId), Life>,
    live_max: usize,
    added: u64,
    quotes: u64,
    ended: u64,
    cancelled: u64,
    replaced: u64,
    traded: u64,
    events: u64,
    lives: Vec<u64>,
    stays: Vec<u64>,
}

const KINDS: [&str; 7] = ["add", "replace", "reduce", "cancel", "trade", "phase", "clear"];

impl Mix {
    fn take(&mut self, record: &Record) {
        let now = record.ts_event.as_micros();
        let kind = match record.event {
            MarketEvent::Phase { .. } => 5,
            MarketEvent::Clear { scope } => {
                self.live.retain(|(issue, _), _| scope != Scope::Market && scope != Scope::Issue(*issue));
                6
            }
            MarketEvent::Order { issue, action } => self.action(now, issue, &action),
        };
        self.kinds[kind] += 1;
    }

    fn action(&mut self, now: i64, issue: IssueIndex, action: &OrderAction) -> usize {
        match *action {
            OrderAction::Add { order, server, quantity: Shares(quantity), .. } => {
                self.added += 1;
                self.quotes += u64::from(server.is_some());
                let life = Life { added: now, placed: now, quantity, events: 1, replaced: false, traded: false };
                self.live.insert((issue, order), life);
                self.live_max = self.live_max.max(self.live.len());
                0
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                if let Some(mut life) = self.live.remove(&(issue, order)) {
                    if price.is_some() {
                        self.stays.push(now.abs_diff(life.placed));
                        life.placed = now;
                    }
                    life.quantity = quantity.map_or(life.quantity, |Shares(quantity)| quantity);
                    life.replaced = true;
                    life.events += 1;
                    self.live.insert((issue, order_new), life);
                }
                1
            }
            OrderAction::Reduce { order, quantity } => {
                self.take_off(now, (issue, order), quantity, false);
                2
            }
            OrderAction::Cancel { order } => {
                if let Some(life) = self.live.remove(&(issue, order)) {
                    self.cancelled += 1;
                    self.end(now, &life, 1);
                }
                3
            }
            OrderAction::Trade { quantity, orders, .. } => {
                for order in orders.into_iter().flatten() {
                    self.take_off(now, (issue, order), quantity, true);
                }
                4
            }
        }
    }

    fn take_off(&mut self, now: i64, key: (IssueIndex, OrderId), Shares(quantity): Shares, traded: bool) {
        let Some(life) = self.live.get_mut(&key) else { return };
        life.quantity = life.quantity.saturating_sub(quantity);
        life.events += 1;
        life.traded |= traded;
        if life.quantity == 0
            && let Some(life) = self.live.remove(&key)
        {
            self.end(now, &life, 0);
        }
    }

    fn end(&mut self, now: i64, life: &Life, last_event: u64) {
        self.ended += 1;
        self.replaced += u64::from(life.replaced);
        self.traded += u64::from(life.traded);
        self.events += life.events + last_event;
        self.lives.push(now.abs_diff(life.added));
        self.stays.push(now.abs_diff(life.placed));
    }

    fn print(mut self) {
        let total: u64 = self.kinds.iter().sum();
        println!("{total} events, {} live orders at the peak", self.live_max);
        for (kind, count) in KINDS.iter().zip(self.kinds) {
            println!("{kind:>8} {count:>12} {:>6} %", percent(count, total));
        }
        println!("of {} adds {} % through a server", self.added, percent(self.quotes, self.added));
        println!(
            "of {} orders that ended: {} % by a cancel, {} % replaced at least once, {} % traded; {} events each",
            self.ended,
            percent(self.cancelled, self.ended),
            percent(self.replaced, self.ended),
            percent(self.traded, self.ended),
            percent(self.events, self.ended * 100),
        );
        print_quantiles("life of an order", &mut self.lives);
        print_quantiles("stay at a price", &mut self.stays);
    }
}

/// `part` of `whole` in percent, two decimals.
fn percent(part: u64, whole: u64) -> String {
    let hundredths = (u128::from(part) * 10_000).checked_div(u128::from(whole)).unwrap_or(0);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn print_quantiles(what: &str, micros: &mut [u64]) {
    micros.sort_unstable();
    let at = |per_cent: usize| micros.get(micros.len() * per_cent / 100).copied().unwrap_or(0);
    let seconds = |micros: u64| format!("{}.{:06} s", micros / 1_000_000, micros % 1_000_000);
    println!(
        "{what}: p10 {}, median {}, p90 {}, p99 {}",
        seconds(at(10)),
        seconds(at(50)),
        seconds(at(90)),
        seconds(at(99))
    );
}

impl EventWriter for Mix {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) -> io::Result<()> {
        Ok(())
    }

    fn server(&mut self, _: ServerIndex, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn event(&mut self, _: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        self.take(record);
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        Ok(())
    }
}

impl Receiver for Mix {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}

    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if let (Some(ts_event), Ok(event)) = (record.ts_event, &record.event) {
            self.take(&Record { ts_event, event: *event });
        }
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

fn read(bytes: &[u8], mix: &mut Mix) -> Result<(), Box<dyn Error>> {
    if looks_like_itch(bytes) {
        let mut decoder = ItchDecoder::new(Timestamp::from_micros(0));
        decoder.push(bytes, mix)?;
        decoder.finish(mix)?;
    } else {
        let mut decoder = CsvDecoder::default();
        decoder.push(bytes, mix)?;
        decoder.finish(mix)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().ok_or("expected a load or a file")?;
    let mut mix = Mix::default();
    match what.parse::<Load>() {
        Ok(load) => {
            let mut options = Options::new(load);
            if let Some(events) = arguments.next() {
                options.events = events.parse()?;
            }
            generate(&options, &mut mix)?;
        }
        Err(_) => read(&fs::read(what)?, &mut mix)?,
    }
    mix.print();
    Ok(())
}
