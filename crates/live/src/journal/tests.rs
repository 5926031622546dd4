//! Every step of the file layer fails in turn, and power is lost at every step: what a journal then has is what was written
//! to it from the beginning on, whole messages, and nothing else.

use super::*;
use crate::disk::tests::TestDisk;
use quoteclock_wire::SessionId;
use quoteclock_wire::journal::{begin_frame, finish_messages, put_gap};
use quoteclock_wire::payload::Payload;

const FOLDER: &str = "/journals";

fn folder(disk: &TestDisk) -> Folder {
    Folder { disk: Arc::new(disk.clone()), path: PathBuf::from(FOLDER) }
}

fn head() -> Head {
    Head { payload: Payload::Csv, session: SessionId::new(b"S 1"), date: None, feed: "soup://127.0.0.1:9".to_owned() }
}

fn frame(first: u64, count: u32) -> Vec<u8> {
    let mut frame = Vec::new();
    begin_frame(&mut frame);
    for number in first..first + u64::from(count) {
        let text = format!("message {number}");
        frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(text.as_bytes());
    }
    finish_messages(&mut frame, first, count);
    frame
}

/// Goes on with the journal that is there, or makes one, and writes up to its end; says how far it came.
fn write(disk: &TestDisk) -> Result<()> {
    let folder = folder(disk);
    folder.disk.make_folder(&folder.path)?;
    let mut journal = match folder.open_journals()?.first() {
        Some(path) => folder.open(path)?,
        None if folder.closed_journals()?.is_empty() => folder.create(head())?,
        None => return Ok(()),
    };
    // The source is asked for what comes after the last message that is there.
    while journal.next < 20 {
        let first = journal.next;
        match first {
            7 => {
                let mut gap = Vec::new();
                put_gap(&mut gap, 7, 3);
                journal.append(&gap, 10)?;
            }
            _ => journal.append(&frame(first, 1), first + 1)?,
        }
        if first % 4 == 0 {
            journal.file.sync()?;
        }
    }
    if journal.stage == Stage::Open {
        journal.end(SessionEnd::Told(None))?;
    }
    journal.close(jiff::civil::date(2024, 3, 1))
}

/// The numbers of the messages that the closed journal holds.
fn numbers(disk: &TestDisk) -> Vec<u64> {
    let folder = folder(disk);
    let closed = folder.closed_journals().unwrap();
    let [path] = closed.as_slice() else { panic!("{closed:?}") };
    assert_eq!(path, &PathBuf::from(FOLDER).join("2024-03-01.S_201.qcj"));
    let mut reader = JournalReader::new(folder.disk.open(path).unwrap());
    assert_eq!(reader.head().unwrap(), head());
    let mut numbers = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        if let Frame::Messages { first, mut blocks, .. } = frame {
            let mut number = first;
            while let Some((message, rest)) = quoteclock_wire::mold::block(blocks) {
                assert_eq!(message, format!("message {number}").as_bytes());
                numbers.push(number);
                (blocks, number) = (rest, number + 1);
            }
        }
    }
    assert_eq!(reader.rest().unwrap(), 0);
    numbers
}

fn expected() -> Vec<u64> {
    (1..7).chain(10..20).collect()
}

#[test]
fn a_journal_that_is_left_alone_holds_everything() {
    let disk = TestDisk::default();
    write(&disk).unwrap();
    assert_eq!(numbers(&disk), expected());
}

#[test]
fn after_a_step_that_fails_a_later_start_ends_the_same() {
    let counted = TestDisk::default();
    write(&counted).unwrap();
    for step in 0..counted.steps() {
        let disk = TestDisk::default();
        disk.fail_at(Some(step));
        assert!(write(&disk).is_err(), "step {step} fails and nobody says so");
        disk.fail_at(None);
        write(&disk).unwrap_or_else(|error| panic!("after step {step}: {error:#}"));
        assert_eq!(numbers(&disk), expected(), "after step {step}");
    }
}

#[test]
fn after_power_is_lost_at_any_step_a_later_start_ends_the_same() {
    let counted = TestDisk::default();
    write(&counted).unwrap();
    for step in 0..counted.steps() {
        // Of what was not synced nothing has reached the disk, or all, or a part that ends anywhere.
        for part in [0, 1, 5, 13, 30, 1000] {
            let disk = TestDisk::default();
            disk.fail_at(Some(step));
            assert!(write(&disk).is_err());
            disk.lose_power(|length| length.min(part));
            disk.fail_at(None);
            write(&disk).unwrap_or_else(|error| panic!("after step {step}, {part}: {error:#}"));
            assert_eq!(numbers(&disk), expected(), "after step {step}, {part}");
        }
    }
}

#[test]
fn power_lost_twice_is_no_worse() {
    let counted = TestDisk::default();
    write(&counted).unwrap();
    for first in (0..counted.steps()).step_by(3) {
        for second in (0..counted.steps()).step_by(5) {
            let disk = TestDisk::default();
            for step in [first, second] {
                disk.fail_at(Some(step));
                let _ = write(&disk);
                disk.lose_power(|length| length / 2);
            }
            disk.fail_at(None);
            write(&disk).unwrap_or_else(|error| panic!("after {first} and {second}: {error:#}"));
            assert_eq!(numbers(&disk), expected(), "after {first} and {second}");
        }
    }
}

#[test]
fn a_second_process_is_kept_away() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::take(folder.path()).unwrap();
    assert!(lock.is_some() && Lock::take(folder.path()).unwrap().is_none());
    drop(lock);
    assert!(Lock::take(folder.path()).unwrap().is_some());
}

#[test]
fn names_of_sessions_mean_nothing_to_a_file_system() {
    for (session, name) in [("S1", "S1"), ("../a b", "_2e_2e_2fa_20b"), ("a-Z_9", "a-Z_5f9")] {
        assert_eq!(session_name(SessionId::new(session.as_bytes())), name);
    }
    assert_eq!(session_name(None), "pipe");
}
