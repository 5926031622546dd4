//! Inputs that can be read once, and whoever watches them being read.

use quoteclock::{
    ConvertError, ConvertOptions, Input, MeasuredDay, Registry, ReplayError, ReplayOptions, Target, Threads, UNWATCHED,
    convert, replay_with,
};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

const DAY: &str = "../../replay-data/tse-small/2024-03-01.csv";

fn registry() -> Registry {
    Registry::open("../../replay-data/tse-small/registry").expect("the bundled registry")
}

fn options(threads: usize, lenient: bool) -> ReplayOptions {
    ReplayOptions { threads: Threads(threads.try_into().expect("not 0")), lenient, ..ReplayOptions::default() }
}

/// Gives a few bytes at a time, as a pipe does.
struct Drops(Vec<u8>, usize);

impl Read for Drops {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[self.1..];
        let count = rest.len().min(to.len()).min(97);
        to[..count].copy_from_slice(&rest[..count]);
        self.1 += count;
        Ok(count)
    }
}

#[test]
fn what_can_be_read_once_gives_the_day_of_its_file() {
    let (registry, bytes) = (registry(), std::fs::read(DAY).expect("the bundled day"));
    let measured = |input: &Input, options: &ReplayOptions| -> MeasuredDay {
        replay_with(input, &registry, options, UNWATCHED).expect("a good day")
    };
    let expected = measured(&Input::named(DAY.as_ref()), &options(1, false));
    for (threads, lenient) in [(1, false), (2, false), (1, true), (3, true)] {
        let day = measured(&Input::once("a pipe", Drops(bytes.clone(), 0)), &options(threads, lenient));
        assert_eq!(day, expected);
        let origins = [&day, &expected].map(|day| day.origin().expect("it was replayed").input_sha256);
        assert_eq!(origins[0], origins[1], "the hash is of all its bytes");
    }
    let input = Input::once("a pipe", Drops(bytes, 0));
    measured(&input, &options(1, false));
    let again = replay_with(&input, &registry, &options(1, false), UNWATCHED);
    assert!(again.is_err(), "what has been read is gone");
}

/// Damage that a lenient run finds out late, so that it reads again.
fn late_damage() -> Vec<u8> {
    let mut bytes = b"time,issue,event,order,server,side,price,quantity\n".to_vec();
    for order in 1..=20_000 {
        bytes.extend(format!("2024-03-01T09:00:00.000000+09:00,1306,add,{order},,B,2820,100\n").into_bytes());
    }
    bytes.extend_from_slice(b"2024-03-01T08:30:00.000000+09:00,1306,cancel,1,,,,\n");
    bytes
}

#[test]
fn whoever_watches_can_stop_any_pass() {
    let registry = registry();
    for threads in [1, 2] {
        for lenient in [false, true] {
            let input = Input::memory("a day", late_damage());
            let stopped = replay_with(&input, &registry, &options(threads, lenient), &|_| ControlFlow::Break(()));
            assert!(matches!(stopped, Err(ReplayError::Stopped { .. })), "{threads} threads, lenient: {lenient}");
        }
    }
    // The first pass reads every byte; a second one is told of none, and can be stopped all the same.
    let (input, read) = (Input::memory("a day", late_damage()), AtomicU64::new(0));
    let size = input.size().expect("it is in memory");
    let again = AtomicU64::new(0);
    let watch = |bytes| {
        let is_over = size <= read.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if is_over && bytes == 0 && 2 < again.fetch_add(1, Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let day = replay_with(&input, &registry, &options(1, true), &watch);
    assert_eq!(read.into_inner(), size);
    assert!(1 < again.into_inner(), "the input was read twice");
    assert!(matches!(day, Err(ReplayError::Stopped { .. })), "{day:?}");
}

#[test]
fn a_conversion_can_be_stopped() {
    let input = Input::named(DAY.as_ref());
    let stopped = convert(&input, &ConvertOptions::to(Target::Binary), io::sink(), &|_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(ConvertError::Stopped { .. })), "{stopped:?}");
}

#[test]
fn an_error_knows_where_it_is() {
    let content = std::fs::read_to_string(DAY).expect("the bundled day");
    let damaged = content.replacen(",B,,3000,on_open", ",B,,many,on_open", 1);
    assert_ne!(damaged, content);
    let input = Input::memory("damaged.csv", damaged.into_bytes());
    let error = replay_with(&input, &registry(), &options(1, false), UNWATCHED).expect_err("a bad record");
    assert_eq!((error.file(), error.column()), ("damaged.csv", Some("quantity")));
    assert_eq!(error.place().map(|place| place.to_string()).as_deref(), Some("line 4"));
}
