//! No damage goes unnoticed, and none does harm.

use super::*;
use std::io::Cursor;

/// A file of several blocks, small enough to be damaged in every bit.
fn small() -> Vec<u8> {
    one_of_each(true).binary(6)
}

#[test]
fn every_single_bit_flip_is_found_or_harmless() {
    for has_sequence in [false, true] {
        let file = one_of_each(has_sequence).binary(6);
        let whole = decode(&file, file.len()).expect("a good header");
        for bit in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match decode(&flipped, flipped.len()) {
                Err(FeedError::Input { .. }) => assert!(bit < FILE_HEAD_BYTES * 8, "bit {bit}"),
                Err(error) => panic!("bit {bit}: {error}"),
                Ok(log) => assert!(log.is_damaged(), "bit {bit} of byte {} goes unnoticed", bit / 8),
            }
        }
        assert!(!whole.is_damaged());
    }
}

#[test]
fn what_comes_before_and_after_a_damaged_block_is_read() {
    let file = small();
    let whole = decode(&file, file.len()).expect("a good header");
    let index = BinaryFile::open(Cursor::new(&file)).expect("a good file").index().blocks().to_vec();
    let second = usize::try_from(index[1].offset).expect("small");
    // Its last record; its front; its head.
    let positions = [second + index[1].frame_bytes as usize - 1, second + FRAME_HEAD_BYTES, second + 8];
    for (position, head_is_good) in positions.into_iter().zip([true, true, false]) {
        let mut flipped = file.clone();
        flipped[position] ^= 1;
        let log = decode(&flipped, 5).expect("a good header");
        assert_eq!(log.records[..6], whole.records[..6]);
        if head_is_good {
            let after = whole.records.len() - 12;
            assert_eq!(log.records[log.records.len() - after..], whole.records[12..]);
            assert_eq!(log.rest, 0);
        } else {
            assert_eq!((log.records.len(), log.rest), (7, file.len() - second - FRAME_HEAD_BYTES));
        }
    }
}

#[test]
fn a_damaged_group_costs_its_issue_only() {
    let source = one_of_each(false);
    let mut file = source.binary(100);
    let block = BinaryFile::open(Cursor::new(&file)).expect("a good file").index().blocks()[0];
    let front_end = usize::try_from(block.offset).expect("small") + FRAME_HEAD_BYTES + block.front_bytes as usize;
    file[front_end + 3] ^= 0x10;
    let log = decode(&file, file.len()).expect("a good header");
    let (bad, good) = log.records.split_first().expect("records");
    assert_eq!((bad.scope, bad.ts_event), (Some(Scope::Issue(IssueIndex(0))), None));
    assert!(bad.event.is_err() && log.places[0] == Place::Byte(front_end as u64));
    let expected: Vec<_> =
        source.events.iter().filter(|(_, record)| record.event.scope() != Scope::Issue(IssueIndex(0))).collect();
    assert_eq!(
        good.iter().filter_map(|read| read.event.clone().ok()).collect::<Vec<_>>(),
        expected.iter().map(|(_, record)| record.event).collect::<Vec<_>>()
    );
}

#[test]
fn a_file_cut_anywhere_says_so() {
    let file = small();
    for length in 0..file.len() {
        match decode(&file[..length], 64) {
            Err(FeedError::Input { .. }) => assert!(length < FILE_HEAD_BYTES),
            Err(error) => panic!("{error}"),
            Ok(log) => {
                let last = log.records.last().expect("a bad record");
                assert!(last.event.is_err() && (last.ts_event, last.scope) == (None, None), "{length}");
                assert!(log.first_error().contains("cut off"), "{}", log.first_error());
            }
        }
    }
}

#[test]
fn missing_repeated_and_further_blocks_are_found() {
    let file = small();
    let blocks = BinaryFile::open(Cursor::new(&file)).expect("a good file").index().blocks().to_vec();
    let range = |position: usize| {
        let start = usize::try_from(blocks[position].offset).expect("small");
        start..start + blocks[position].frame_bytes as usize
    };
    let mut missing = file.clone();
    missing.drain(range(1));
    let log = decode(&missing, 64).expect("a good header");
    assert!(log.first_error().contains("begins at record 12 where record 6 comes next"), "{}", log.first_error());
    let repeated = [&file[..range(0).end], &file[range(0).start..]].concat();
    let log = decode(&repeated, 64).expect("a good header");
    assert!(log.first_error().contains("begins at record 0 where record 6 comes next"), "{}", log.first_error());
    let more = [&file[..], b"more"].concat();
    let log = decode(&more, 64).expect("a good header");
    assert!(log.first_error().contains("nothing after the file's tail") && log.rest == 4, "{log:?}");
}

#[test]
fn names_lost_with_a_block_leave_their_issues_unnamed() {
    let mut source = one_of_each(false);
    // The second issue is named in the second block only.
    source.events.sort_by_key(|(_, record)| record.event.scope() == Scope::Issue(IssueIndex(1)));
    for (position, (_, record)) in source.events.iter_mut().enumerate() {
        record.ts_event = Timestamp::from_micros(OPEN + i64::try_from(position).expect("small"));
    }
    let mut file = source.binary(9);
    let block = BinaryFile::open(Cursor::new(&file)).expect("a good file").index().blocks()[0];
    file[usize::try_from(block.offset).expect("small") + FRAME_HEAD_BYTES] ^= 1;
    let log = decode(&file, 64).expect("a good header");
    assert_eq!((log.issues.as_slice(), log.servers.len()), (&["130A".to_owned()][..], 0));
    assert_eq!(log.records.iter().filter(|read| read.event.is_err()).count(), 1);
    assert_eq!(log.records.len(), source.events.len() - 9 + 1);
}

/// Bytes whose checksums are right although a writer would never write them.
#[test]
fn nonsense_under_good_checksums_does_no_harm() {
    let file = small();
    let blocks = BinaryFile::open(Cursor::new(&file)).expect("a good file").index().blocks().to_vec();
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits")
    };
    for _ in 0..20_000 {
        let mut changed = file.clone();
        for _ in 0..1 + random() % 3 {
            let (position, value) = (random() % file.len(), random());
            changed[position] = if random() % 2 == 0 { value.to_le_bytes()[0] } else { changed[position] ^ 1 };
        }
        for block in &blocks {
            repair(&mut changed, usize::try_from(block.offset).expect("small"));
        }
        if let Ok(log) = decode(&changed, 1 << 20) {
            assert!(log.records.len() <= 3 * one_of_each(true).events.len());
        }
        if let Ok(mut opened) = BinaryFile::open(Cursor::new(&changed)) {
            let _ = opened.records_from(Timestamp::MIN, &mut Log::default());
            let _ = opened.records_of(&[IssueCode::new(b"1306").expect("legal")], &mut Log::default());
        }
    }
}

/// Makes the checksums of the block at `start` right, from the inside out.
fn repair(file: &mut [u8], start: usize) {
    let word = |file: &[u8], at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize;
    let (slots, groups, runs) = (word(file, start + 32), word(file, start + 36), word(file, start + 40));
    let front = start + FRAME_HEAD_BYTES;
    let Some(table) = (word(file, start + 44) + front).checked_add(runs.saturating_mul(16)) else { return };
    let front_end = front + (table.saturating_add(groups.saturating_mul(16)) - front).next_multiple_of(32);
    if file.len() < front_end.saturating_add(slots.saturating_mul(32)) || groups > 100 {
        return;
    }
    for group in 0..groups {
        let entry = table + group * 16;
        let first = front_end.saturating_add(word(file, entry + 4).saturating_mul(32));
        let last = first.saturating_add(word(file, entry + 8).saturating_mul(32));
        if let Some(bytes) = file.get(first..last) {
            let crc = crc32c::crc32c(bytes);
            file[entry + 12..entry + 16].copy_from_slice(&crc.to_le_bytes());
        }
    }
    let crc = crc32c::crc32c(&file[front..front_end]);
    file[start + 56..start + 60].copy_from_slice(&crc.to_le_bytes());
    let crc = crc32c::crc32c(&file[start..start + 60]);
    file[start + 60..start + 64].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn a_length_that_is_not_there_is_not_reserved() {
    let mut file = small();
    let start = FILE_HEAD_BYTES;
    let length = u32::try_from(FRAME_BYTES_MAX).expect("fits");
    file[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    let crc = crc32c::crc32c(&file[start..start + 60]);
    file[start + 60..start + 64].copy_from_slice(&crc.to_le_bytes());
    let (mut decoder, mut log) = (BinaryDecoder::default(), Log::default());
    decoder.push(&file, &mut log).expect("a good header");
    assert_eq!(decoder.unfinished().len(), file.len() - FILE_HEAD_BYTES);
    decoder.finish(&mut log).expect("a good header");
    assert!(log.is_damaged());
}
