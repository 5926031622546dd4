//! Takes records of one form and writes those that are wanted in another.

use super::books::Books;
use super::{ConvertOptions, RecordProblem};
use jiff::civil::Date;
use quoteclock_engine::{Fault, InputRun};
use quoteclock_feed::binary::BinaryWriter;
use quoteclock_feed::csv::CsvWriter;
use quoteclock_feed::{EventWriter, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{IssueCode, IssueIndex, Record, Scope, SequenceNo, ServerIndex, Timestamp};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A writer of either form.
pub(super) enum AnyWriter<W: Write> {
    Csv(CsvWriter<W>),
    Binary(Box<BinaryWriter<W>>),
}

impl<W: Write> EventWriter for AnyWriter<W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.issue(index, code),
            AnyWriter::Binary(writer) => writer.issue(index, code),
        }
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.server(index, name),
            AnyWriter::Binary(writer) => writer.server(index, name),
        }
    }

    fn event(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.event(sequence, record),
            AnyWriter::Binary(writer) => writer.event(sequence, record),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.finish(),
            AnyWriter::Binary(writer) => writer.finish(),
        }
    }
}

/// Why the conversion has stopped.
pub(super) enum Problem {
    Record(Place, RecordProblem),
    /// The compressed input is damaged from there on.
    Damaged(Place, String),
    Write(io::Error),
}

/// Numbers given anew to the records of several inputs, each of which has its own: what is missing of one would not be seen any
/// more.
#[derive(Default)]
pub(super) struct Merged {
    /// The last number of each input.
    last: Vec<Option<SequenceNo>>,
    /// The input of the next record.
    at: usize,
}

impl Merged {
    /// Takes a record's number, if it may come next.
    fn follow(&mut self, found: SequenceNo, allow_gaps: bool) -> Result<(), Fault> {
        self.last.resize(self.last.len().max(self.at + 1), None);
        match self.last[self.at].replace(found) {
            Some(last) if found <= last => Err(Fault::SequenceRepeat { found, last }),
            Some(last) if !allow_gaps && last.0 + 1 < found.0 => {
                Err(Fault::SequenceGap { found, expected: SequenceNo(last.0 + 1) })
            }
            _ => Ok(()),
        }
    }
}

/// Takes records and writes those that are wanted.
pub(super) struct Converter<'a, W: Write> {
    pub(super) writer: AnyWriter<W>,
    pub(super) options: &'a ConvertOptions,
    /// The last number given, where an excerpt or several inputs of numbered records count anew.
    pub(super) renumbered: Option<u64>,
    /// Of several inputs.
    pub(super) merged: Option<Merged>,
    pub(super) books: Option<Books>,
    pub(super) issues: BTreeMap<IssueIndex, IssueCode>,
    pub(super) last: Timestamp,
    /// Whether the excerpt has begun.
    pub(super) begun: bool,
    pub(super) written: u64,
    pub(super) problem: Option<Problem>,
}

impl<W: Write> Converter<'_, W> {
    /// Takes note of where a record stands, and gives its time.
    fn follow(&mut self, record: &RawRecord<'_>) -> Result<Timestamp, RecordProblem> {
        let ts_event = record.ts_event.expect("an event that can be read has a time");
        if ts_event < self.last {
            return Err(RecordProblem::TimeBackwards);
        }
        self.last = ts_event;
        if let (Some(merged), Sequence::Given(number)) = (&mut self.merged, record.sequence) {
            merged.follow(number, self.options.allow_gaps)?;
        }
        Ok(ts_event)
    }

    fn take(&mut self, record: &RawRecord<'_>) -> Result<(), Problem> {
        let problem = |problem: RecordProblem| Problem::Record(record.place, problem);
        let mut event = record.event.clone().map_err(|malformed| problem(malformed.into()))?;
        let ts_event = self.follow(record).map_err(problem)?;
        if !self.begun && self.options.from.is_some_and(|from| from <= ts_event) {
            self.begin()?;
        }
        if let Some(books) = &mut self.books {
            books.apply(&mut event).map_err(|error| problem(error.into()))?;
        }
        let sequence = match record.sequence {
            Sequence::Given(number) => Some(number),
            Sequence::Absent | Sequence::Unreadable => None,
        };
        if self.begun { self.write(sequence, &Record { ts_event, event }) } else { Ok(()) }
    }

    /// Begins an excerpt with what there is at its start.
    fn begin(&mut self) -> Result<(), Problem> {
        self.begun = true;
        let (Some(books), Some(ts_event)) = (&self.books, self.options.from) else { return Ok(()) };
        for event in books.snapshot() {
            self.write(None, &Record { ts_event, event })?;
        }
        Ok(())
    }

    /// Begins an excerpt that has not begun: nothing happened in the time that is wanted, but what rests there rests all the
    /// same.
    pub(super) fn begin_at_the_end(&mut self) {
        if !self.begun && self.problem.is_none() {
            let begun = self.begin();
            let _ = self.keep(begun);
        }
    }

    /// The issue that is wanted, if no input has named it.
    pub(super) fn unnamed(&self) -> Option<&IssueCode> {
        let issue = self.options.issue.as_ref()?;
        (!self.issues.values().any(|code| code == issue)).then_some(issue)
    }

    fn write(&mut self, sequence: Option<SequenceNo>, record: &Record) -> Result<(), Problem> {
        let is_enough = self.options.limit.is_some_and(|limit| limit <= self.written);
        if is_enough || !self.is_wanted(record.event.scope()) {
            return Ok(());
        }
        let sequence = match &mut self.renumbered {
            Some(number) => {
                *number += 1;
                Some(SequenceNo(*number))
            }
            None => sequence,
        };
        self.writer.event(sequence, record).map_err(Problem::Write)?;
        self.written += 1;
        Ok(())
    }

    fn is_wanted(&self, scope: Scope) -> bool {
        match (scope, &self.options.issue) {
            (Scope::Market, _) | (Scope::Issue(_), None) => true,
            (Scope::Issue(issue), Some(wanted)) => self.issues.get(&issue) == Some(wanted),
        }
    }

    fn is_at_its_end(&self, record: &RawRecord<'_>) -> bool {
        self.options.limit.is_some_and(|limit| limit <= self.written)
            || record.ts_event.is_some_and(|time| self.options.to.is_some_and(|to| to <= time))
    }

    fn keep(&mut self, result: Result<(), Problem>) -> Result<(), Stop> {
        result.map_err(|problem| {
            self.problem = Some(problem);
            Stop
        })
    }
}

impl<W: Write> Receiver for Converter<'_, W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.issues.insert(index, code.clone());
        if let Err(error) = self.writer.issue(index, code) {
            self.problem.get_or_insert(Problem::Write(error));
        }
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        if let Err(error) = self.writer.server(index, name) {
            self.problem.get_or_insert(Problem::Write(error));
        }
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if self.problem.is_some() || self.is_at_its_end(record) {
            return Err(Stop);
        }
        let result = self.take(record);
        self.keep(result)
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Err(Stop)
    }
}

impl<W: Write> InputRun for Converter<'_, W> {
    fn broken(&mut self, place: Place, problem: &str, _: bool, _: &[u8]) -> Result<(), Stop> {
        self.keep(Err(Problem::Damaged(place, problem.to_owned())))
    }

    fn end_of_input(&mut self, _: Option<Date>) -> Result<(), Stop> {
        Ok(())
    }

    fn source(&mut self, index: usize) {
        if let Some(merged) = &mut self.merged {
            merged.at = index;
        }
    }

    fn pass(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let followed = self.follow(record).map_err(|problem| Problem::Record(record.place, problem));
        self.keep(followed.map(drop))
    }
}
