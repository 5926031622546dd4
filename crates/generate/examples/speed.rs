//! What generating costs without anything being written: `speed [LOAD [EVENTS]]`.

use quoteclock_feed::EventWriter;
use quoteclock_generate::{Load, Options, generate};
use quoteclock_model::{IssueCode, IssueIndex, Record, SequenceNo, ServerIndex};
use std::time::Instant;
use std::{error::Error, hint, io};

struct Nowhere;

impl EventWriter for Nowhere {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) -> io::Result<()> {
        Ok(())
    }

    fn server(&mut self, _: ServerIndex, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn event(&mut self, _: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        hint::black_box(record);
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options::new(arguments.next().as_deref().unwrap_or("small").parse::<Load>()?);
    if let Some(events) = arguments.next() {
        options.events = events.parse()?;
    }
    let start = Instant::now();
    let summary = generate(&options, &mut Nowhere)?;
    let elapsed = start.elapsed();
    let nanos = elapsed.as_nanos() / u128::from(summary.events.max(1));
    println!("{}: {} events in {elapsed:.2?}, {nanos} ns an event", options.load, summary.events);
    println!("{} live orders at the peak, {:?}", summary.live_orders_max, summary.counts);
    Ok(())
}
