//! Writes the binary form: one block is held, grouped by issue when it is full, and handed on.
//!
//! Memory is that of one block, of the names, and of 32 bytes for each block of the file. The same events give the same
//! bytes: names are numbered in the order of their first use, not in that in which the source knew them.

use super::Header;
use super::dictionary::{write_issue, write_server};
use super::index::{Tail, write_list};
use super::layout::{self, FileHead, MARKET, SLOTS_MAX};
use super::pending::Pending;
use crate::record::{check_writable, unwritable};
use crate::{EventWriter, NameTable};
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{IssueCode, IssueIndex, Record, Scope, SequenceNo, ServerIndex, Timestamp, is_name};
use std::io::{self, Write};
use zerocopy::IntoBytes;

/// Records of a block, at least: 32 MiB.
const BLOCK_RECORDS: u32 = 1 << 20;
/// Records of a block for each issue in it: going over to the next issue, whose book is cold, is paid once for so many.
const BLOCK_RECORDS_PER_ISSUE: u32 = 1 << 9;
/// Where a block or a list is cut although it could go on: keeps every frame below the limit.
const LIST_BYTES: usize = 1 << 20;

/// Writes the binary form.
#[derive(Debug)]
pub struct BinaryWriter<W> {
    output: W,
    has_sequence: bool,
    /// Fixed by the caller; otherwise the block grows with the number of its issues.
    block_records: Option<u32>,
    issues: WrittenNames,
    servers: WrittenNames,
    block: Pending,
    /// Whatever is to be handed on next.
    buffer: Vec<u8>,
    /// Bytes handed on so far.
    offset: u64,
    records: u64,
    blocks: u64,
    last_time: Option<Timestamp>,
    last_sequence: Option<u64>,
    /// All names so far, and all blocks, as they stand in the lists at the end.
    names_list: Vec<u8>,
    blocks_list: Vec<u8>,
}

impl<W: Write> BinaryWriter<W> {
    /// A writer of a file that says `header` of itself.
    pub fn new(output: W, header: &Header) -> BinaryWriter<W> {
        BinaryWriter {
            output,
            has_sequence: header.has_sequence,
            block_records: None,
            issues: WrittenNames::default(),
            servers: WrittenNames::default(),
            block: Pending::default(),
            buffer: FileHead::write(header).to_vec(),
            offset: 0,
            records: 0,
            blocks: 0,
            last_time: None,
            last_sequence: None,
            names_list: Vec::new(),
            blocks_list: Vec::new(),
        }
    }

    /// Ends each block after `records`, at the latest (1 to 4,194,304), instead of suiting it to the number of issues:
    /// small blocks for a quick look into a file, or for tests.
    #[must_use]
    pub fn with_block_records(mut self, records: u32) -> BinaryWriter<W> {
        self.block_records = Some(records.clamp(1, SLOTS_MAX));
        self
    }

    /// Whether the record may follow those before it.
    fn check_order(&self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        let backwards = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        match (sequence, self.has_sequence) {
            (Some(SequenceNo(number)), true) => match self.last_sequence {
                Some(last) if number <= last => {
                    return backwards(format!("sequence number {number} after {last}: numbers must rise"));
                }
                _ => {}
            },
            (None, false) => {}
            (Some(_), false) => return Err(unwritable("a sequence number in a file without them")),
            (None, true) => return Err(unwritable("an event without a sequence number in a file with them")),
        }
        let at = record.ts_event;
        match self.last_time {
            Some(last) if at < last => {
                let (at, last) = (at.as_micros(), last.as_micros());
                backwards(format!("time {at} us after {last} us: times must not go back"))
            }
            _ if at.as_micros().checked_add(i64::from(u32::MAX)).is_none() => {
                Err(unwritable(format!("time {} us: beyond what a block can hold", at.as_micros())))
            }
            _ => Ok(()),
        }
    }

    /// Whether a record at `at` begins a new block.
    #[inline]
    fn is_full(&self, at: Timestamp) -> bool {
        let block = &self.block;
        if block.records == 0 {
            return false;
        }
        let groups = u32::try_from(block.distinct_owners.len()).unwrap_or(u32::MAX);
        let suited = BLOCK_RECORDS.max(groups.saturating_mul(BLOCK_RECORDS_PER_ISSUE));
        let slots = u32::try_from(block.slots.len()).unwrap_or(u32::MAX);
        self.block_records.unwrap_or(suited) <= block.records
            || SLOTS_MAX - 2 < slots
            || LIST_BYTES < block.names.len()
            || u32::try_from(at.as_micros().abs_diff(block.base.as_micros())).is_err()
    }

    /// The index in the file of the issue; market-wide events have one of their own.
    #[inline]
    fn owner(&mut self, scope: Scope) -> io::Result<u32> {
        let Scope::Issue(issue) = scope else { return Ok(MARKET) };
        if let Some(index) = self.issues.known(issue.index()) {
            return Ok(index);
        }
        let (index, new) = self.issues.define(issue.index(), "issue", NameTable::ISSUES_MAX)?;
        new.inspect(|code| write_issue(&mut self.block.names, code));
        Ok(index)
    }

    /// The index in the file of the server.
    #[inline]
    fn server_index(&mut self, server: ServerIndex) -> io::Result<u32> {
        if let Some(index) = self.servers.known(server.index()) {
            return Ok(index);
        }
        let (index, new) = self.servers.define(server.index(), "server", NameTable::SERVERS_MAX)?;
        new.inspect(|name| write_server(&mut self.block.names, name));
        Ok(index)
    }

    /// Ends the block and hands it on.
    fn end_block(&mut self) -> io::Result<()> {
        let counts = (self.issues.count(), self.servers.count());
        if self.block.records == 0 {
            return Ok(());
        }
        let start = self.buffer.len();
        let mut entry = self.block.write(&mut self.buffer, self.records);
        entry.offset = self.offset + start as u64;
        self.blocks_list.extend_from_slice(entry.wire().as_bytes());
        self.names_list.extend_from_slice(&self.block.names);
        self.records += u64::from(self.block.records);
        self.blocks += 1;
        self.block.clear(counts);
        self.hand_on()
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn write_lists(&mut self) -> io::Result<()> {
        let lists = [
            (layout::NAMES, std::mem::take(&mut self.names_list)),
            (layout::INDEX, std::mem::take(&mut self.blocks_list)),
        ];
        for (kind, list) in lists {
            for body in list.chunks(LIST_BYTES) {
                write_list(&mut self.buffer, kind, body);
                self.hand_on()?;
            }
        }
        Ok(())
    }
}

impl<W: Write> EventWriter for BinaryWriter<W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        self.issues.announce(index.index(), code.as_str());
        Ok(())
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        if !is_name(name) {
            return Err(unwritable(format!(
                "a server's name {name:?}: it has 1 to 128 characters, none a control character"
            )));
        }
        self.servers.announce(index.index(), name);
        Ok(())
    }

    fn event(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        check_writable(&record.event)?;
        self.check_order(sequence, record)?;
        if self.is_full(record.ts_event) {
            self.end_block()?;
        }
        let owner = self.owner(record.event.scope())?;
        let server = record.event.server().map(|server| self.server_index(server)).transpose()?;
        if let Some(SequenceNo(number)) = sequence {
            let follows = self.last_sequence.is_some_and(|last| last + 1 == number);
            self.block.number(number, follows);
            self.last_sequence = Some(number);
        }
        self.last_time = Some(record.ts_event);
        self.block.push(owner, server, record);
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.end_block()?;
        self.hand_on()?;
        let lists_offset = self.offset;
        self.write_lists()?;
        let (records, blocks) = (self.records, self.blocks);
        let (issues, servers) = (self.issues.count(), self.servers.count());
        let file_bytes = self.offset + Tail::BYTES as u64;
        let tail = Tail { records, blocks, lists_offset, file_bytes, issues, servers };
        self.buffer.extend_from_slice(&tail.write());
        self.hand_on()?;
        self.output.flush()
    }
}

/// WrittenNames of one kind: as the source counts them, and as the file does.
#[derive(Debug, Default)]
struct WrittenNames {
    /// By the source's index.
    announced: Vec<Option<Announced>>,
    /// By name, those in the file.
    in_file: HashMap<Box<str>, u32, RandomState>,
}

#[derive(Clone, Debug)]
struct Announced {
    name: Box<str>,
    index: Option<u32>,
}

impl WrittenNames {
    fn announce(&mut self, source_index: usize, name: &str) {
        if self.announced.len() <= source_index {
            self.announced.resize(source_index + 1, None);
        }
        self.announced[source_index] = Some(Announced { name: name.into(), index: None });
    }

    #[inline]
    fn known(&self, source_index: usize) -> Option<u32> {
        self.announced.get(source_index)?.as_ref()?.index
    }

    /// The index in the file of a name that is used for the first time, and the name, if the file has it not yet.
    fn define(&mut self, source_index: usize, kind: &str, count_max: usize) -> io::Result<(u32, Option<&str>)> {
        let Some(announced) = self.announced.get_mut(source_index).and_then(Option::as_mut) else {
            return Err(unwritable(format!("an event of {kind} {source_index}, which has no name")));
        };
        if let Some(&index) = self.in_file.get(&announced.name) {
            announced.index = Some(index);
            return Ok((index, None));
        }
        let count = self.in_file.len();
        if count == count_max {
            return Err(unwritable(format!("more than {count_max} names of the kind {kind}")));
        }
        let index = u32::try_from(count).expect("count_max fits 32 bits");
        self.in_file.insert(announced.name.clone(), index);
        announced.index = Some(index);
        Ok((index, Some(&announced.name)))
    }

    fn count(&self) -> u32 {
        u32::try_from(self.in_file.len()).expect("count_max fits 32 bits")
    }
}
