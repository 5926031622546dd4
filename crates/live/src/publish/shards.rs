//! A recorded day in shards: one session for each, with the records of its issues and those of the whole market.
//!
//! Where a record may stand is judged by all that came before it, which nobody who follows a shard gets to see: what is not in
//! order is refused here. Whether an event fits its issue's book is for the issue's shard to judge, as in the whole day.

use super::source::{AnyWriter, SourceDay, recognise, session_name};
use super::{PublishOptions, Published};
use crate::bad_usage;
use crate::spool::{Spool, SpoolWriter};
use anyhow::{Context, Result, anyhow};
use quoteclock_feed::TradingDate;
use quoteclock_feed::binary::{Header, MessageWriter};
use quoteclock_model::{IssueCode, IssueIndex, Record, Scope, ServerIndex, Shard, Timestamp};
use quoteclock_wire::journal::Whole;
use quoteclock_wire::mold;
use quoteclock_wire::payload::Payload;
use sha2::{Digest, Sha256};
use std::io;

/// Takes the messages of a session.
type Take<'a> = Box<dyn FnMut(Option<Timestamp>, &[u8]) -> io::Result<()> + 'a>;

/// Reads the file and writes the messages of each shard aside, in the binary form.
pub(super) fn read(options: &PublishOptions, count: u32) -> Result<Published> {
    if !matches!(options.payload, None | Some(Payload::Binary)) {
        return Err(bad_usage("--payload of a day in shards, expected binary: its records are numbered anew in each"));
    }
    let shards: Option<Vec<Shard>> = (0..count).map(|index| Shard::new(index, count)).collect();
    let problem = || bad_usage(format!("--shards {count}, expected at most {}", Shard::COUNT_MAX));
    let shards = shards.ok_or_else(problem)?;
    let input = &options.input;
    write(options, &shards).with_context(|| format!("{}: cannot be published", input.name()))
}

fn write(options: &PublishOptions, shards: &[Shard]) -> Result<Published> {
    let input = &options.input;
    let day = SourceDay::of(input, recognise(input)?)?;
    let part = |number: i8| number.unsigned_abs();
    let date = TradingDate::new(day.date.year().unsigned_abs(), part(day.date.month()), part(day.date.day()));
    let date = date.ok_or_else(|| anyhow!("a date outside the calendar"))?;
    let header = Header { date, offset: day.offset, has_sequence: false };
    let new = |_: &Shard| SpoolWriter::new(mold::MESSAGE_BYTES_MAX).context("writing the messages aside");
    let mut spools = shards.iter().map(new).collect::<Result<Vec<SpoolWriter>>>()?;
    let (mut hasher, mut records) = (Sha256::new(), 0);
    {
        let writer = |spool| {
            let spool: &mut SpoolWriter = spool;
            spool.set_offset(day.offset);
            let take: Take<'_> =
                Box::new(|time, message| spool.push(time.map(Timestamp::as_micros), message).map_err(io::Error::other));
            MessageWriter::new(&header, take)
        };
        let writers = spools.iter_mut().map(writer).collect::<io::Result<Vec<_>>>()?;
        let hash: Take<'_> = Box::new(|_, message| {
            hasher.update(message);
            Ok(())
        });
        let whole = MessageWriter::new(&header, hash)?;
        let mut sharded = Sharded { shards, writers, whole, shard_of: Vec::new(), records: 0 };
        day.forward(input, &mut sharded, true)?;
        records += sharded.records;
    }
    let spools = spools.into_iter().map(SpoolWriter::finish).collect::<Result<Vec<Spool>>>()?;
    let session = session_name(input.date_of_name().or(Some(day.date)));
    let whole = Some(Whole { records, sha256: hasher.finalize().into() });
    Ok(Published { spools, session, whole })
}

/// Gives each shard what it has to know.
struct Sharded<'a> {
    shards: &'a [Shard],
    writers: Vec<MessageWriter<Take<'a>>>,
    /// What all of them would be together.
    whole: MessageWriter<Take<'a>>,
    /// By issue.
    shard_of: Vec<Option<usize>>,
    records: u64,
}

impl AnyWriter for Sharded<'_> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        let at = index.index();
        if self.shard_of.len() <= at {
            self.shard_of.resize(at + 1, None);
        }
        self.shard_of[at] = self.shards.iter().position(|shard| shard.holds(code));
        for writer in self.writers.iter_mut().chain([&mut self.whole]) {
            writer.issue(index, code)?;
        }
        Ok(())
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        for writer in self.writers.iter_mut().chain([&mut self.whole]) {
            writer.server(index, name)?;
        }
        Ok(())
    }

    fn event(&mut self, record: &Record) -> io::Result<()> {
        self.records += 1;
        self.whole.event(record)?;
        match record.event.scope() {
            Scope::Market => self.writers.iter_mut().try_for_each(|writer| writer.event(record)),
            Scope::Issue(issue) => {
                let shard = self.shard_of.get(issue.index()).copied().flatten();
                let unnamed = || io::Error::other("an event of an issue without a name, which belongs to no shard");
                let writer = shard.and_then(|shard| self.writers.get_mut(shard)).ok_or_else(unnamed)?;
                writer.event(record)
            }
        }
    }
}
