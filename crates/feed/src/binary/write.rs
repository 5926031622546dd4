//! Writes the binary form: one block is held, grouped by issue when it is full, and handed on.
//!
//! Memory is that of one block, of the names, and of 32 bytes for each block of the file. The same events give the same
//! bytes: names are numbered in the order of their first use, not in that in which the source knew them.

use super::Header;
use super::dictionary::{write_issue, write_server};
use super::index::{BlockEntry, Tail, write_list};
use super::layout::{
    self, BlockHead, FRAME_HEAD_BYTES, FileHead, GroupEntry, MARKET, Run, SLOT_BYTES, SLOTS_MAX, checksum,
};
use super::slot::{Slot, server_of};
use crate::record::{check_writable, unwritable};
use crate::{Directory, EventWriter};
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{IssueCode, IssueIndex, Record, Scope, SequenceNo, ServerIndex, Timestamp};
use std::io::{self, Write};
use zerocopy::little_endian::{I64, U32, U64};
use zerocopy::{FromBytes, IntoBytes};

/// Records of a block, at least. Two MiB: of a market of few issues a block stays in the caches.
const BLOCK_RECORDS: u32 = 1 << 16;
/// Records of a block for each issue in it: going over to the next issue, whose book is cold, is paid once for so many.
const BLOCK_RECORDS_PER_ISSUE: u32 = 1 << 8;
/// Where a block or a list is cut although it could go on: keeps every frame below the limit.
const LIST_BYTES: usize = 1 << 20;

/// Writes the binary form.
#[derive(Debug)]
pub struct BinaryWriter<W> {
    output: W,
    has_sequence: bool,
    /// Fixed by the caller; otherwise the block grows with the number of its issues.
    block_records: Option<u32>,
    issues: Names,
    servers: Names,
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
            issues: Names::default(),
            servers: Names::default(),
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

    /// Ends each block after `records`, at the latest (1 to 1,048,576), instead of suiting it to the number of issues:
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
        let groups = u32::try_from(block.touched.len()).unwrap_or(u32::MAX);
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
        let (index, new) = self.issues.define(issue.index(), "issue", Directory::ISSUES_MAX)?;
        new.inspect(|code| write_issue(&mut self.block.names, code));
        Ok(index)
    }

    /// The index in the file of the server.
    #[inline]
    fn server_index(&mut self, server: ServerIndex) -> io::Result<u32> {
        if let Some(index) = self.servers.known(server.index()) {
            return Ok(index);
        }
        let (index, new) = self.servers.define(server.index(), "server", Directory::SERVERS_MAX)?;
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
        if !(1..=Directory::SERVER_BYTES_MAX).contains(&name.len()) {
            return Err(unwritable(format!("a server's name of {} bytes: it has 1 to 256", name.len())));
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
        let server = server_of(&record.event).map(|server| self.server_index(server)).transpose()?;
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

/// Names of one kind: as the source counts them, and as the file does.
#[derive(Debug, Default)]
struct Names {
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

impl Names {
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

/// The block that is being filled.
#[derive(Debug)]
struct Pending {
    base: Timestamp,
    last: Timestamp,
    records: u32,
    /// In the original order, and whose each is.
    slots: Vec<Slot>,
    owners: Vec<u32>,
    /// How many slots each issue has; the market-wide ones come first.
    counts: Vec<u32>,
    /// Which issues have any.
    touched: Vec<u32>,
    runs: Vec<Run>,
    names: Vec<u8>,
    /// How many issues and servers the blocks before have named.
    named_before: (u32, u32),
}

impl Default for Pending {
    fn default() -> Self {
        let never = Timestamp::MIN;
        let (slots, owners, counts, touched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (runs, names, named_before) = (Vec::new(), Vec::new(), (0, 0));
        Pending { base: never, last: never, records: 0, slots, owners, counts, touched, runs, names, named_before }
    }
}

/// Where the market, or an issue, is counted.
fn count_position(owner: u32) -> usize {
    owner.wrapping_add(1) as usize
}

impl Pending {
    /// Takes note of the next record's sequence number.
    fn number(&mut self, number: u64, follows: bool) {
        if self.records == 0 || !follows {
            let (ordinal, sequence) = (U32::new(self.records), U64::new(number));
            self.runs.push(Run { ordinal, reserved: U32::new(0), sequence });
        }
    }

    #[inline]
    fn push(&mut self, owner: u32, server: Option<u32>, record: &Record) {
        if self.records == 0 {
            self.base = record.ts_event;
        }
        self.last = record.ts_event;
        let micros = record.ts_event.as_micros().abs_diff(self.base.as_micros());
        let micros = u32::try_from(micros).expect("a new block begins before");
        let (slot, extension) = Slot::write(&record.event, server, self.records, micros);
        self.records += 1;
        self.push_slot(owner, slot);
        if let Some(extension) = extension {
            self.push_slot(owner, extension);
        }
    }

    #[inline]
    fn push_slot(&mut self, owner: u32, slot: Slot) {
        let position = count_position(owner);
        if self.counts.len() <= position {
            self.counts.resize(position + 1, 0);
        }
        if self.counts[position] == 0 {
            self.touched.push(owner);
        }
        self.counts[position] += 1;
        self.slots.push(slot);
        self.owners.push(owner);
    }

    /// Appends the block's frame to `to`; its entry for the index lacks the offset.
    fn write(&mut self, to: &mut Vec<u8>, records_before: u64) -> BlockEntry {
        let start = to.len();
        to.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
        to.extend_from_slice(&self.names);
        to.extend_from_slice(self.runs.as_bytes());
        let table = to.len();
        let groups = self.group();
        to.extend_from_slice(groups.as_bytes());
        let front = start + FRAME_HEAD_BYTES;
        let slots_start = front + (to.len() - front).next_multiple_of(SLOT_BYTES);
        to.resize(slots_start + self.slots.len() * SLOT_BYTES, 0);
        let slots = <[Slot]>::mut_from_bytes(&mut to[slots_start..]).expect("sized for the slots");
        for (&slot, &owner) in self.slots.iter().zip(&self.owners) {
            let place = &mut self.counts[count_position(owner)];
            slots[*place as usize] = slot;
            *place += 1;
        }
        for (position, group) in groups.iter().enumerate() {
            let first = slots_start + group.first_slot.get() as usize * SLOT_BYTES;
            let crc = checksum(&to[first..first + group.slots.get() as usize * SLOT_BYTES]);
            let end = table + (position + 1) * size_of::<GroupEntry>();
            to[end - 4..end].copy_from_slice(&crc.to_le_bytes());
        }
        let front_crc = checksum(&to[front..slots_start]);
        let head = self.head(to.len() - start, groups.len(), records_before, front_crc);
        to[start..front].copy_from_slice(&layout::seal(head));
        BlockEntry {
            offset: 0,
            start: self.base,
            last: self.last,
            records: self.records,
            frame_bytes: head.frame_bytes.get(),
            front_bytes: small(slots_start - front),
        }
    }

    /// The group table without checksums; the counts become the places where each group's next slot goes.
    fn group(&mut self) -> Vec<GroupEntry> {
        self.touched.sort_unstable();
        let mut first_slot = 0;
        let groups = self.touched.iter().map(|&owner| {
            let count = &mut self.counts[count_position(owner)];
            let slots = std::mem::replace(count, first_slot);
            let entry = GroupEntry {
                issue: U32::new(owner),
                first_slot: U32::new(first_slot),
                slots: U32::new(slots),
                crc: U32::new(0),
            };
            first_slot += slots;
            entry
        });
        groups.collect()
    }

    fn head(&self, frame_bytes: usize, groups: usize, records_before: u64, front_crc: u32) -> BlockHead {
        let span = self.last.as_micros().abs_diff(self.base.as_micros());
        BlockHead {
            kind: layout::BLOCK,
            frame_bytes: U32::new(small(frame_bytes)),
            records_before: U64::new(records_before),
            base_micros: I64::new(self.base.as_micros()),
            span_micros: U32::new(u32::try_from(span).expect("a new block begins before")),
            records: U32::new(self.records),
            slots: U32::new(small(self.slots.len())),
            groups: U32::new(small(groups)),
            runs: U32::new(small(self.runs.len())),
            names_bytes: U32::new(small(self.names.len())),
            issues_before: U32::new(self.named_before.0),
            servers_before: U32::new(self.named_before.1),
            front_crc: U32::new(front_crc),
            crc: U32::new(0),
        }
    }

    /// Empties the block; the file has named so many issues and servers.
    fn clear(&mut self, named: (u32, u32)) {
        for owner in self.touched.drain(..) {
            self.counts[count_position(owner)] = 0;
        }
        self.slots.clear();
        self.owners.clear();
        self.runs.clear();
        self.names.clear();
        self.records = 0;
        self.named_before = named;
    }
}

/// A length inside a frame: all are below its limit.
fn small(length: usize) -> u32 {
    u32::try_from(length).expect("a frame is at most 64 MiB")
}
