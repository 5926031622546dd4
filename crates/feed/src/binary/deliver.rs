//! Restores the original order of a block: each record is put at its ordinal, then all are handed over.
//!
//! Nothing is sorted: one pass over the groups notes where the record of each ordinal stands, a second takes them in
//! order. Before the first record is handed over, all have been found: a block whose ordinals do not fit is refused whole.

use super::block::{Block, event_of, scope_of};
use super::dictionary::Dictionary;
use super::slot::Records;
use crate::{Malformed, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{Scope, SequenceNo, Timestamp};
use zerocopy::IntoBytes;

/// Where the record of one ordinal stands.
#[derive(Clone, Copy, Debug)]
struct Spot {
    slot: u32,
    group: u32,
}

impl Spot {
    const NONE: Spot = Spot { slot: u32::MAX, group: u32::MAX };
}

/// Hands over blocks in the original order; keeps its table from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Deliverer {
    spots: Vec<Spot>,
    scopes: Vec<Option<Scope>>,
    /// Groups whose bytes are not what was written.
    damaged: Vec<(usize, Malformed)>,
}

impl Deliverer {
    /// Notes where every record of `block` stands; damaged groups are left out.
    pub(crate) fn prepare(&mut self, block: &Block<'_>, dictionary: &Dictionary) -> Result<(), Malformed> {
        let records = block.head().record_count();
        self.spots.clear();
        self.spots.resize(records as usize, Spot::NONE);
        self.scopes.clear();
        self.damaged.clear();
        let mut found = 0;
        for (position, group) in block.groups().enumerate() {
            let (issue, first_slot, _) = block.raw_group(position);
            self.scopes.push(scope_of(issue, dictionary));
            match group {
                Ok(group) => found += self.note(position, first_slot, Records(group.slots()))?,
                Err(malformed) => self.damaged.push((position, malformed)),
            }
        }
        if found == records || !self.damaged.is_empty() {
            return Ok(());
        }
        Err(misplaced(format!("{found} of {records} records")))
    }

    /// What is wrong with the first damaged group, if one is.
    pub(crate) fn first_damage(&self) -> Option<&Malformed> {
        self.damaged.first().map(|(_, malformed)| malformed)
    }

    /// Notes where the records of one group stand; says how many they are.
    fn note(&mut self, group: usize, first_slot: u32, mut records: Records<'_>) -> Result<u32, Malformed> {
        let group = u32::try_from(group).expect("fewer groups than slots");
        let (total, mut count) = (records.0.len(), 0);
        loop {
            let position = u32::try_from(total - records.0.len()).expect("fewer slots than 32 bits count");
            let Some((slot, _)) = records.next() else { return Ok(count) };
            match self.spots.get_mut(slot.ordinal() as usize) {
                Some(spot) if spot.slot == Spot::NONE.slot => *spot = Spot { slot: first_slot + position, group },
                _ => return Err(misplaced(format!("a second or outlying record {}", slot.ordinal()))),
            }
            count += 1;
        }
    }

    /// Hands over what has been noted of `block`, which begins at `offset` in its file: first each damaged group as one
    /// bad record of its issue, then all records that are whole.
    pub(crate) fn hand_over(
        &mut self,
        block: &Block<'_>,
        offset: u64,
        dictionary: &Dictionary,
        receiver: &mut impl Receiver,
    ) -> Result<(), Stop> {
        let mut runs = block.runs().peekable();
        let has_sequence = runs.peek().is_some();
        for (position, malformed) in self.damaged.drain(..) {
            let (_, first_slot, slots) = block.raw_group(position);
            let scope = self.scopes[position];
            let place = Place::Byte(offset + block.slot_offset(first_slot));
            receiver.record(&damage(place, slots.as_bytes(), scope, has_sequence, malformed))?;
        }
        let mut run = (0, 0);
        for (ordinal, spot) in (0_u32..).zip(&self.spots) {
            while let Some(next) = runs.next_if(|&(start, _)| start <= ordinal) {
                run = next;
            }
            let Some((slot, extension, bytes)) = block.record_at(spot.slot) else { continue };
            let scope = self.scopes[spot.group as usize];
            let event = event_of(slot, extension, scope, dictionary);
            let micros = block.head().base_micros.get() + i64::from(slot.micros());
            let sequence = match has_sequence {
                true => Sequence::Given(SequenceNo(run.1 + u64::from(ordinal - run.0))),
                false => Sequence::Absent,
            };
            receiver.record(&RawRecord {
                place: Place::Byte(offset + block.slot_offset(spot.slot)),
                bytes,
                ts_event: Some(Timestamp::from_micros(micros)),
                sequence,
                // What is malformed in the market-wide group names no issue, as in CSV.
                scope: scope.filter(|&scope| scope != Scope::Market || event.is_ok()),
                also: None,
                event,
            })?;
        }
        Ok(())
    }
}

/// A bad record that stands for a damaged part.
pub(crate) fn damage(
    place: Place,
    bytes: &[u8],
    scope: Option<Scope>,
    has_sequence: bool,
    malformed: Malformed,
) -> RawRecord<'_> {
    let sequence = if has_sequence { Sequence::Unreadable } else { Sequence::Absent };
    RawRecord { place, bytes, ts_event: None, sequence, scope, also: None, event: Err(malformed) }
}

#[cold]
fn misplaced(found: String) -> Malformed {
    Malformed { field: "block", found, expected: "one record at each position of the block" }
}
