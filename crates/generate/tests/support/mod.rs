//! Receives generated events: as text with a running hash, and as a strict day of the engine.

use quoteclock_engine::{Day, DayError, DayOptions, NoRejects};
use quoteclock_feed::itch::{ItchDecoder, ItchWriter};
use quoteclock_feed::{EventWriter, Place, RawRecord, Receiver, Sequence};
use quoteclock_generate::{Options, Summary, generate, registry};
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, ObligationId, OrderAction, OrderCondition, Phase, Price, Record, Scope,
    SequenceNo, ServerIndex, Side,
};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::{DayPlan, Loaded, Registry, SourceFile};
use std::io;
use std::sync::Arc;

/// The 64-bit FNV-1a hash of all that is written, spelt out number by number so that no change of names touches it.
pub struct Hasher(pub u64);

impl Hasher {
    pub fn new() -> Hasher {
        Hasher(0xCBF2_9CE4_8422_2325)
    }

    fn text(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    fn number(&mut self, number: u64) {
        self.text(&number.to_string());
    }

    fn maybe(&mut self, number: Option<u64>) {
        self.text(&number.map_or_else(String::new, |number| number.to_string()));
    }

    fn action(&mut self, action: &OrderAction) {
        match *action {
            OrderAction::Add { order, server, side, price, quantity, condition } => {
                self.text("add");
                self.number(order.0);
                self.maybe(server.map(|server| u64::from(server.0)));
                self.text(if side == Side::Bid { "B" } else { "S" });
                self.maybe(price.map(Price::ten_thousandths));
                self.number(quantity.0);
                self.number(match condition {
                    OrderCondition::None => 0,
                    OrderCondition::OnOpen => 1,
                    OrderCondition::OnClose => 2,
                    OrderCondition::Funari => 3,
                    OrderCondition::Ioc => 4,
                });
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                self.text("replace");
                self.number(order.0);
                self.number(order_new.0);
                self.maybe(price.map(Price::ten_thousandths));
                self.maybe(quantity.map(|quantity| quantity.0));
            }
            OrderAction::Reduce { order, quantity } => {
                self.text("reduce");
                self.number(order.0);
                self.number(quantity.0);
            }
            OrderAction::Cancel { order } => {
                self.text("cancel");
                self.number(order.0);
            }
            OrderAction::Trade { price, quantity, orders, auction } => {
                self.text(if auction { "auction" } else { "trade" });
                self.maybe(price.map(Price::ten_thousandths));
                self.number(quantity.0);
                orders.into_iter().for_each(|order| self.maybe(order.map(|order| order.0)));
            }
        }
    }

    fn phase(&mut self, phase: Phase) {
        self.text(match phase {
            Phase::Continuous => "continuous",
            Phase::SequentialQuote => "sequential_quote",
            Phase::SpecialQuote => "special_quote",
            Phase::Halt => "halt",
            Phase::Auction => "auction",
            Phase::Closed => "closed",
        });
    }
}

impl EventWriter for Hasher {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        self.number(u64::from(index.0));
        self.text(code.as_str());
        Ok(())
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        self.number(u64::from(index.0));
        self.text(name);
        Ok(())
    }

    fn event(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        self.maybe(sequence.map(|number| number.0));
        self.text(&record.ts_event.as_micros().to_string());
        self.maybe(match record.event.scope() {
            Scope::Issue(issue) => Some(u64::from(issue.0)),
            Scope::Market => None,
        });
        match record.event {
            MarketEvent::Order { action, .. } => self.action(&action),
            MarketEvent::Phase { phase, .. } => self.phase(phase),
            MarketEvent::Clear { .. } => self.text("clear"),
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands every record to another function as it comes.
pub struct Each<F>(pub F);

impl<F: FnMut(&Record)> EventWriter for Each<F> {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) -> io::Result<()> {
        Ok(())
    }

    fn server(&mut self, _: ServerIndex, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn event(&mut self, _: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        self.0(record);
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        Ok(())
    }
}

/// A day of the engine as a writer.
struct Feeding {
    day: Day<OpenLedger, NoRejects>,
    count: u64,
}

impl EventWriter for Feeding {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        self.day.issue(index, code);
        Ok(())
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        self.day.server(index, name);
        Ok(())
    }

    fn event(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        self.count += 1;
        let raw = RawRecord {
            place: Place::Line(self.count),
            bytes: b"",
            ts_event: Some(record.ts_event),
            sequence: sequence.map_or(Sequence::Absent, Sequence::Given),
            scope: Some(record.event.scope()),
            also: None,
            event: Ok(record.event),
        };
        self.day.record(&raw).map_err(|_| io::Error::other(format!("refused: {record:?}")))
    }

    fn finish(self) -> io::Result<()> {
        Ok(())
    }
}

/// What loading the registry of `options` makes of it.
pub fn loaded(options: &Options) -> Loaded {
    let files: Vec<SourceFile> =
        registry(options).into_iter().map(|(name, text)| SourceFile { name, bytes: text.into_bytes() }).collect();
    Registry::load(&files)
}

/// The registry of `options`, which must be right.
pub fn load(options: &Options) -> Registry {
    let loaded = loaded(options);
    loaded.registry.unwrap_or_else(|| panic!("{:#?}", loaded.findings))
}

/// A generated day, replayed strictly.
pub struct Measured {
    pub plan: Arc<DayPlan>,
    pub ledger: DayLedger,
    pub summary: Summary,
}

pub fn measure(options: &Options) -> Measured {
    let registry = load(options);
    let day =
        Day::new(&registry, DayOptions::default(), OpenLedger::default(), NoRejects).expect("a date is not given");
    let mut feeding = Feeding { day, count: 0 };
    let result = generate(options, &mut feeding);
    let finished = feeding.day.finish();
    if let Err(DayError::Bad(bad)) = &finished {
        panic!("{options:?}: {bad}: {:?}", result.err());
    }
    let (finished, ledger, NoRejects) = finished.expect("a whole day");
    let summary = result.expect("nothing is refused");
    assert_eq!(finished.record_count, summary.events);
    Measured { plan: finished.plan, ledger: ledger.close(), summary }
}

/// The same day by way of ITCH's bytes.
pub fn measure_through_itch(options: &Options) -> DayLedger {
    let registry = load(options);
    let midnight = registry.plan(options.date).expect("a date within the calendar").day.start;
    let mut bytes = Vec::new();
    let mut writer = ItchWriter::new(&mut bytes, midnight);
    generate(options, &mut writer).expect("ITCH can say everything");
    writer.finish().expect("writing to memory");
    let mut day =
        Day::new(&registry, DayOptions::default(), OpenLedger::default(), NoRejects).expect("a date is not given");
    let mut decoder = ItchDecoder::new(midnight);
    decoder.push(&bytes, &mut day).expect("every message is good");
    decoder.finish(&mut day).expect("the last message is whole");
    let (_, ledger, NoRejects) = day.finish().expect("a whole day");
    ledger.close()
}

impl Measured {
    /// Display times of all `general` obligations with available time, in ten-thousandths of a percent, ascending.
    pub fn display_times(&self) -> Vec<u64> {
        let obligations = self.plan.sign_ups.iter().flat_map(|sign_up| sign_up.obligations.iter());
        let mut times: Vec<u64> = (0..)
            .zip(obligations)
            .filter(|(_, obligation)| obligation.id == ObligationId::GENERAL)
            .filter_map(|(index, _)| {
                let total = self.ledger.total(ObligationIndex(index));
                (total.fulfilled.0 * 1_000_000).checked_div(total.available.0)
            })
            .collect();
        times.sort_unstable();
        times
    }
}
