//! What only a program that means harm alters, checksums and all: the lists at the end of a binary file, which a reader from
//! front to back does not need, and the bytes that are to be zero.

mod readers;

use readers::{Form, Way, measure_by, whole, with_checksums};

const FILE: &[u8] = include_bytes!("../../../fuzz/corpus/binary/every_kind.qcev");

/// Whether a strict replay takes the file, by each way.
fn is_taken(file: &[u8]) -> bool {
    let ways = [Way::OneByOne, Way::Batches(usize::MAX), Way::Shared(3, 2), Way::Threads(3, 2)];
    let taken = ways.map(|way| measure_by(Form::Binary, &whole(file), false, way).is_ok());
    assert!(taken.iter().all(|&by_way| by_way == taken[0]), "{taken:?}");
    taken[0]
}

fn word(at: usize) -> usize {
    let word = FILE[at..at + 4].first_chunk().expect("four bytes");
    usize::try_from(u32::from_le_bytes(*word)).expect("32 bits fit")
}

/// Each frame: its kind, and where it begins and ends.
fn frames() -> Vec<(&'static [u8], usize, usize)> {
    let mut frames = Vec::new();
    let mut start = 64;
    while start < FILE.len() {
        let end = start + word(start + 4).max(64);
        frames.push((&FILE[start..start + 4], start, end));
        start = end;
    }
    frames
}

#[test]
fn lists_that_say_something_else_are_refused() {
    assert!(is_taken(FILE));
    let lists: Vec<_> = frames().into_iter().filter(|(kind, ..)| matches!(kind, [b'Q', b'N' | b'I', ..])).collect();
    assert_eq!(lists.len(), 2, "names and blocks");
    for (_, start, end) in lists {
        for at in start + 64..end {
            let mut changed = FILE.to_vec();
            changed[at] ^= 1;
            assert!(!is_taken(&with_checksums(&changed)), "byte {at} of the list at {start}");
        }
    }
}

#[test]
fn a_tail_that_says_something_else_is_refused() {
    let (_, start, _) = frames().into_iter().find(|(kind, ..)| *kind == b"QEND").expect("a tail");
    // Records, where the lists begin, the length of the file, blocks, issues, servers: one more, and one less or many more.
    for at in (start + 8..start + 40).step_by(8).chain([start + 40, start + 44]) {
        for change in [1, 0xff] {
            let mut changed = FILE.to_vec();
            changed[at] = changed[at].wrapping_add(change);
            assert!(!is_taken(&with_checksums(&changed)), "byte {at}, {change} more");
        }
    }
}

#[test]
fn reserved_bytes_are_zero() {
    for (kind, start, _) in frames() {
        let reserved: Vec<usize> = match kind {
            b"QNAM" | b"QIDX" => (start + 12..start + 56).collect(),
            b"QBLK" => {
                // Of each run of sequence numbers, and what fills the front up.
                let (runs, groups, names) = (word(start + 40), word(start + 36), word(start + 44));
                let front = start + 64;
                let first = front + names;
                let end = first + (runs + groups) * 16;
                let padded = front + (end - front).next_multiple_of(32);
                (0..runs).flat_map(|run| first + run * 16 + 4..first + run * 16 + 8).chain(end..padded).collect()
            }
            _ => (start + 48..start + 60).collect(),
        };
        for at in reserved {
            let mut changed = FILE.to_vec();
            assert_eq!(changed[at], 0, "byte {at}");
            changed[at] = 1;
            assert!(!is_taken(&with_checksums(&changed)), "byte {at} of {kind:?}");
        }
    }
}
