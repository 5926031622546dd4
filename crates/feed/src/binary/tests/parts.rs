//! Parts of a file, by its index and by its groups, are those parts of the whole.

use super::*;
use std::io::Cursor;

fn whole() -> (Vec<u8>, Log) {
    let source = one_of_each(true);
    let file = source.binary(4);
    let log = decode(&file, file.len()).expect("a good header");
    (file, log)
}

#[test]
fn the_records_from_a_time_on_are_those_of_the_whole() {
    let (file, log) = whole();
    let mut opened = BinaryFile::open(Cursor::new(&file)).expect("a good file");
    assert_eq!(opened.header(), &header(true));
    let last = log.records.last().and_then(|read| read.ts_event).expect("records").as_micros();
    for from in (OPEN - 1..=last + 1).step_by(250_000).chain([OPEN, last, last + 1]) {
        let from = Timestamp::from_micros(from);
        let mut part = Log::default();
        opened.records_from(from, &mut part).expect("a good file");
        let later = |read: &&Read| read.ts_event.is_some_and(|time| from <= time);
        assert!(part.records.iter().eq(log.records.iter().filter(later)), "{from:?}");
        assert_eq!((&part.issues, &part.servers), (&log.issues, &log.servers));
        assert!(log.places.ends_with(&part.places));
    }
}

#[test]
fn the_records_of_an_issue_are_its_own_and_the_markets() {
    let (file, log) = whole();
    let mut opened = BinaryFile::open(Cursor::new(&file)).expect("a good file");
    for (code, index) in [("1306", Some(0)), ("130A", Some(1)), ("9999", None)] {
        let mut part = Log::default();
        opened.records_of(&[IssueCode::new(code.as_bytes()).expect("legal")], &mut part).expect("a good file");
        let own = index.map(|index| Scope::Issue(IssueIndex(index)));
        let concerns = |scope: Option<Scope>| scope == own && own.is_some() || scope == Some(Scope::Market);
        assert!(part.records.iter().eq(log.records.iter().filter(|read| concerns(read.scope))), "{code}");
        let places = log.records.iter().zip(&log.places).filter(|(read, _)| concerns(read.scope));
        assert!(part.places.iter().eq(places.map(|(_, place)| place)));
    }
}

#[test]
fn one_issue_is_read_although_another_is_damaged() {
    let mut file = one_of_each(true).binary(100);
    let block = BinaryFile::open(Cursor::new(&file)).expect("a good file").index().blocks()[0];
    let first_record = usize::try_from(block.offset).expect("small") + FRAME_HEAD_BYTES + block.front_bytes as usize;
    file[first_record] ^= 1;
    let mut opened = BinaryFile::open(Cursor::new(&file)).expect("a good file");
    let read = |opened: &mut BinaryFile<_>, code: &str| {
        opened.records_of(&[IssueCode::new(code.as_bytes()).expect("legal")], &mut Log::default())
    };
    let place = format!("byte {first_record}: block: found bytes of checksum");
    assert!(read(&mut opened, "1306").expect_err("damaged").to_string().starts_with(&place));
    read(&mut opened, "130A").expect("its own records are whole");
    assert!(opened.records_from(Timestamp::MIN, &mut Log::default()).is_err());
}

#[test]
fn every_flip_in_what_is_read_is_found() {
    let (file, log) = whole();
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut part = Log::default();
        let read = BinaryFile::open(Cursor::new(&flipped))
            .and_then(|mut opened| opened.records_from(Timestamp::MIN, &mut part));
        assert!(read.is_err() || part == log, "bit {bit}");
    }
}

#[test]
fn groups_hold_each_issue_in_the_original_order() {
    let (file, log) = whole();
    let opened = BinaryFile::open(Cursor::new(&file)).expect("a good file");
    let dictionary = opened.index().dictionary(&mut Log::default());
    let mut position = 0;
    for entry in opened.index().blocks() {
        let start = usize::try_from(entry.offset).expect("small");
        let block = Block::parse(&file[start..start + entry.frame_bytes as usize], true).expect("a good block");
        let reads = &log.records[position..position + entry.records as usize];
        let mut count = 0;
        assert_eq!(block.groups().len(), block.group_count());
        for group in block.groups() {
            let group = group.expect("a good group");
            let own: Vec<_> = group.records(&dictionary).collect();
            assert!(own.is_sorted_by_key(|record| record.ordinal));
            for record in own {
                let read = &reads[record.ordinal as usize];
                assert_eq!((Some(record.ts_event), &record.event), (read.ts_event, &read.event));
                let sequence = block.front().sequence(record.ordinal).map(Sequence::Given);
                assert_eq!((sequence, group.scope(&dictionary)), (Some(read.sequence), read.scope));
                assert!(record.record().is_some());
                count += 1;
            }
            assert!(block.group(group.issue()).is_some_and(|found| found.is_ok()));
        }
        assert_eq!((count, block.head().record_count()), (entry.records, entry.records));
        position += reads.len();
    }
    assert_eq!(position, log.records.len());
}

/// Cuts each group of the blocks that it is given.
#[derive(Default)]
struct Cutter {
    groups: usize,
}

impl Receiver for Cutter {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}

    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, _: &RawRecord<'_>) -> Result<(), Stop> {
        unreachable!("the block is taken")
    }

    fn takes_blocks(&self) -> bool {
        true
    }

    fn block(&mut self, block: &WholeBlock<'_>) -> Result<bool, Stop> {
        let mut times = BlockTimes::default();
        times.begin(block);
        for group in block.all_groups() {
            let slots = group.slots();
            // Where the first record stands whose ordinal is at least so much, looked for one by one.
            let first_from = |cut: u32| {
                let mut place = 0;
                for (slot, extension) in Records(slots) {
                    if cut <= slot.ordinal() {
                        return place;
                    }
                    place += 1 + usize::from(extension.is_some());
                }
                slots.len()
            };
            let ends = 0..=block.record_count() + 1;
            for (cut, next) in ends.clone().flat_map(|cut| ends.clone().map(move |next| (cut, next))) {
                let cuts = if cut < next { vec![cut, next] } else { vec![cut] };
                let mut places = Vec::new();
                assert!(times.note(&group, &cuts, &mut places).is_some());
                assert_eq!(places, cuts.into_iter().map(first_from).collect::<Vec<_>>());
            }
            self.groups += 1;
        }
        Ok(true)
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

#[test]
fn a_group_is_cut_between_records_and_never_before_an_extension() {
    let file = one_of_each(true).binary(100);
    let (mut decoder, mut cutter) = (BinaryDecoder::default(), Cutter::default());
    decoder.push(&file, &mut cutter).expect("a good file");
    decoder.finish(&mut cutter).expect("a good file");
    assert_eq!(cutter.groups, 3, "two issues and the market");
}
