//! Damaged in every way that thousands of seeded cases find, no input makes a reader or a day panic, hang, or hold more
//! than its size justifies. The cases begin from the fuzz targets' corpus and from generated days.
#![allow(unsafe_code, reason = "an allocator that counts can only be written as an unsafe trait")]

mod readers;

use quoteclock_engine::DayOptions;
use quoteclock_feed::binary::{BinaryWriter, Header};
use quoteclock_feed::csv::{CsvWriter, LINE_BYTES_MAX};
use quoteclock_feed::itch::ItchWriter;
use quoteclock_feed::{EventWriter, RawRecord, Receiver, Sequence, Stop, TradingDate, UtcOffset};
use quoteclock_generate::{Load, Options, generate};
use quoteclock_model::{IssueCode, IssueIndex, Record, ServerIndex};
use quoteclock_report::{write_breaches_csv, write_daily_csv};
use quoteclock_rules::Registry;
use readers::{
    Count, Form, Measured, Way, calls_max, check_calls, check_outcomes, check_ways, cut, decode, measure, whole,
    with_checksums,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::{fs, thread};

/// The system's allocator, and how much of it this thread holds.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn hold(bytes: isize) {
    // Threads also allocate while they end, when nothing of theirs can be counted any more.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold(layout.size().cast_signed());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-layout.size().cast_signed());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Where it cannot grow in place both are held while it is copied.
        hold(size.cast_signed());
        hold(-layout.size().cast_signed());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What `work` gives, and the most bytes that it held at once.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, usize::try_from(PEAK.get() - before).expect("the peak begins there"))
}

/// How much may be held for an input: a constant, and so many times its size.
#[derive(Clone, Copy)]
struct Bound {
    constant: usize,
    times: usize,
}

impl Bound {
    fn check(self, what: &str, held: usize, input: usize) {
        let most = self.constant + self.times * input;
        assert!(held <= most, "{what}: {held} bytes held for {input} bytes of input, expected at most {most}");
    }
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// For a reader alone. It holds a record that a chunk ends in, and names: a name of one byte costs an entry in a table.
fn reader_bound(form: Form, sealed: bool) -> Bound {
    let constant = match (form, sealed) {
        (Form::Csv | Form::Fix | Form::Dbn, _) => 64 * KIB,
        // The table of the 65,536 stock locates, before and after it has grown.
        (Form::Itch, _) => 4 * MIB,
        (Form::Binary, false) => 64 * KIB,
        // Behind right checksums a block may say that a full directory of names was lost: eight bytes for each of the
        // 262,144 issues and 1,048,576 servers, before and after the tables have grown.
        (Form::Binary, true) => 32 * MIB,
    };
    Bound { constant, times: 16 }
}

/// For a reader and a day: a plan, and orders, levels and breaches, of which one record can cause several.
fn day_bound(form: Form, sealed: bool) -> Bound {
    let reader = reader_bound(form, sealed);
    Bound { constant: reader.constant + MIB, times: 64 }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `end`; 0 if that is 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("64 bits");
        usize::try_from(self.next().checked_rem(end).unwrap_or(0)).expect("below a size")
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// A range of a few bytes, or, now and then, of any number.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 64 };
        start..(start + 1 + self.below(most)).min(length).max(start)
    }
}

/// What text is damaged into.
const TOKENS: [&str; 16] = [
    "18446744073709551615",
    "99999999999999999999",
    "1000000000000",
    "0",
    "-1",
    "*",
    ",",
    "\"",
    "\r\n",
    "\n",
    "\n\n",
    "9999-12-31T23:59:59.999999999-23:59",
    "0000-01-01T00:00:00Z",
    "clear",
    "phase",
    "\u{FEFF}",
];

/// Numbers that lengths and counters are damaged into.
const NUMBERS: [u64; 12] = [
    0,
    1,
    31,
    0x7FFF,
    0xFFFF,
    1 << 20,
    (1 << 28) - 1,
    1 << 28,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    i64::MAX.cast_unsigned(),
    u64::MAX,
];

fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    match random.below(10) {
        0 | 1 => {
            let bit = random.below(bytes.len() * 8);
            bytes.get_mut(bit / 8).into_iter().for_each(|byte| *byte ^= 1 << (bit % 8));
        }
        2 => {
            let (position, value) = (random.below(bytes.len()), random.next().to_le_bytes()[0]);
            bytes.get_mut(position).into_iter().for_each(|byte| *byte = value);
        }
        3 => drop(bytes.drain(random.range(bytes.len()))),
        4 => {
            let position = random.below(bytes.len() + 1);
            let more: Vec<u8> = (0..1 + random.below(16)).map(|_| random.next().to_le_bytes()[0]).collect();
            bytes.splice(position..position, more);
        }
        5 => {
            let (more, position) = (bytes[random.range(bytes.len())].to_vec(), random.below(bytes.len() + 1));
            bytes.splice(position..position, more);
        }
        6 => bytes.truncate(random.below(bytes.len() + 1)),
        7 => {
            bytes.truncate(random.below(bytes.len() + 1));
            bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        8 => {
            let range = random.range(bytes.len());
            let range = range.start..range.end.min(range.start + random.below(12));
            bytes.splice(range, random.pick(&TOKENS).bytes());
        }
        _ => {
            // In the first heads, or on any word.
            let most = if random.below(2) == 0 { bytes.len().min(256) } else { bytes.len() };
            let (start, width) = (random.below(most) & !1, 2 << random.below(3));
            let number = NUMBERS[random.below(NUMBERS.len())];
            let ends = [number.to_le_bytes(), number.to_be_bytes()];
            let number = if random.below(3) < 2 { &ends[0][..width] } else { &ends[1][8 - width..] };
            bytes.get_mut(start..start + width).into_iter().for_each(|word| word.copy_from_slice(number));
        }
    }
}

/// Says on a panic which case it was.
struct Case<'a> {
    file: &'a str,
    seed: u64,
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the case: {}, seed {}", self.file, self.seed);
        }
    }
}

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("readable").path())
        .map(|path| (path.display().to_string(), fs::read(path).expect("readable")))
        .collect();
    files.sort();
    files
}

fn header() -> Header {
    let date = TradingDate::new(2024, 3, 1).expect("a date");
    Header { date, offset: UtcOffset::from_minutes(540).expect("an offset"), has_sequence: true }
}

/// A small generated day.
fn generated(form: Form) -> Vec<u8> {
    let load = if form == Form::Itch { Load::UsMarket } else { Load::Small };
    let options = Options { events: 1_000, seed: 7, issues: 3, market_makers: 2, ..Options::new(load) };
    let mut file = Vec::new();
    fn write<W: EventWriter>(options: &Options, mut writer: W) {
        generate(options, &mut writer).expect("writing to memory");
        writer.finish().expect("writing to memory");
    }
    match form {
        Form::Csv => write(&options, CsvWriter::new(&mut file, true, header().offset)),
        Form::Binary => write(&options, BinaryWriter::new(&mut file, &header()).with_block_records(100)),
        Form::Itch => {
            let midnight = form.registry().plan(options.date).expect("an ordinary date").day.start;
            write(&options, ItchWriter::new(&mut file, midnight));
        }
        Form::Fix | Form::Dbn => unreachable!("no writer of that form"),
    }
    file
}

/// Runs `check` on `each` file of the corpus as it is, and on so many cases made of it; on fewer of a generated day.
fn cases(form: Form, target: &str, count: u64, mut check: impl FnMut(&[u8], bool)) {
    let mut files = corpus(target);
    let small = files.len();
    if !matches!(form, Form::Fix | Form::Dbn) {
        files.push(("a generated day".to_owned(), generated(form)));
    }
    for (position, (file, bytes)) in files.iter().enumerate() {
        let count = if position < small { count } else { count / 10 };
        for seed in 0..=count {
            let _case = Case { file, seed };
            let mut random = Random(seed << 8 | u64::try_from(position).expect("few files"));
            let mut changed = bytes.clone();
            // The first case is the file itself.
            for _ in 0..if seed == 0 { 0 } else { 1 + random.below(4) } {
                let other = &files[random.below(small)].1;
                mutate(&mut changed, other, &mut random);
            }
            let is_sealed = form == Form::Binary && random.below(4) != 0;
            if is_sealed {
                changed = with_checksums(&changed);
            }
            check(&changed, is_sealed);
        }
    }
}

/// The rows of `daily.csv` and `breaches.csv`.
fn print(Measured { finished, ledger }: &Measured) -> [String; 2] {
    let (mut daily, mut breaches) = (Vec::new(), Vec::new());
    write_daily_csv(&finished.plan, ledger, &mut daily).expect("writing to memory");
    write_breaches_csv(&finished.plan, ledger, &mut breaches).expect("writing to memory");
    [daily, breaches].map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
}

/// Everything that has to hold of any bytes, with bounds to what is held meanwhile.
fn check(form: Form, bytes: &[u8], is_sealed: bool) {
    for chunks in [whole(bytes), cut(bytes)] {
        let mut count = Count::default();
        let (_, held) = peak_of(|| decode(form, &chunks, &mut count).is_ok());
        reader_bound(form, is_sealed).check("the reader", held, bytes.len());
        // Of an oversized record every chunk is a call of its own.
        let most = calls_max(bytes) + chunks.len();
        assert!(count.calls <= most, "{} calls from {} bytes", count.calls, bytes.len());
        assert!(count.bytes <= bytes.len(), "{} bytes handed over of {}", count.bytes, bytes.len());
    }
    check_calls(form, bytes);
    let [strict, lenient] = [false, true].map(|lenient| {
        let chunks = whole(bytes);
        let (outcome, held) = peak_of(|| measure(form, &chunks, lenient));
        day_bound(form, is_sealed).check("the day", held, bytes.len());
        outcome
    });
    check_outcomes(&strict, &lenient);
    if let Ok(measured) = &lenient {
        let [daily, _] = print(measured);
        let obligations = measured.finished.plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len());
        assert_eq!(daily.lines().count(), obligations.sum::<usize>());
    }
    assert_eq!(lenient, measure(form, &cut(bytes), true), "cut or not, the day is the same");
    check_ways(form, bytes, &strict, &[Way::Batches(3), Way::Scouted(5), Way::Threads(7, 3), Way::chosen_by(bytes)]);
}

#[test]
fn damaged_csv_is_read_or_refused_within_bounds() {
    cases(Form::Csv, "csv", 300, |bytes, is_sealed| check(Form::Csv, bytes, is_sealed));
}

#[test]
fn lines_at_the_limit_are_the_same_however_they_are_cut() {
    const HEADER: &[u8] = b"time,issue,event,order,server,side,price,quantity\n";
    for more in [0, 1, 2, 3, 300] {
        // A carriage return is one byte of many, until it turns out that the line ends behind it.
        for (fill, end) in [(b'\r', &b"\n"[..]), (b'x', b"\r\n"), (b'x', b"\r\r\n"), (b'x', b"\r")] {
            check_calls(Form::Csv, &[HEADER, &vec![fill; LINE_BYTES_MAX - 1 + more], end].concat());
        }
    }
}

#[test]
fn a_line_of_a_million_fields_is_held_as_one_line() {
    let commas = vec![b','; LINE_BYTES_MAX - 8];
    let line = [b"\"\"", &commas[..], b"\n"].concat();
    for input in [line.clone(), [b"time,issue,event,order,server,side,price,quantity\n", &line[..]].concat()] {
        let (_, held) = peak_of(|| decode(Form::Csv, &whole(&input), &mut Count::default()).is_ok());
        Bound { constant: 64 * KIB, times: 2 }.check("the reader", held, input.len());
    }
}

#[test]
fn damaged_itch_is_read_or_refused_within_bounds() {
    cases(Form::Itch, "itch", 400, |bytes, is_sealed| check(Form::Itch, bytes, is_sealed));
}

#[test]
fn damaged_logs_are_read_or_refused_within_bounds() {
    cases(Form::Fix, "fix", 400, |bytes, is_sealed| check(Form::Fix, bytes, is_sealed));
}

#[test]
fn damaged_dbn_is_read_or_refused_within_bounds() {
    cases(Form::Dbn, "dbn", 400, |bytes, is_sealed| check(Form::Dbn, bytes, is_sealed));
}

#[test]
fn damaged_binary_files_are_read_or_refused_within_bounds() {
    cases(Form::Binary, "binary", 400, |bytes, is_sealed| check(Form::Binary, bytes, is_sealed));
}

#[test]
fn damaged_registries_are_loaded_or_refused_within_bounds() {
    let day = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/csv/trading.csv"));
    let (day, files) = (day.expect("the corpus is there"), corpus("registry"));
    for (position, (file, bytes)) in files.iter().enumerate() {
        for seed in 0..=200_u64 {
            let _case = Case { file, seed };
            let mut random = Random(seed << 8 | u64::try_from(position).expect("few files"));
            let mut changed = bytes.clone();
            for _ in 0..if seed == 0 { 0 } else { 1 + random.below(3) } {
                let other = &files[random.below(files.len())].1;
                mutate(&mut changed, other, &mut random);
            }
            let (loaded, held) = peak_of(|| Registry::load(&readers::registry_files(&changed)));
            // A fault is told in a sentence, and a line of one byte may have one.
            Bound { constant: 64 * KIB, times: 128 }.check("the registry", held, changed.len());
            assert_eq!(
                loaded.registry.is_none(),
                loaded.findings.iter().any(|finding| finding.severity == quoteclock_rules::Severity::Error)
            );
            if let Some(registry) = loaded.registry {
                let options = DayOptions { lenient: true, ..DayOptions::default() };
                // The day may name a date that this registry cannot measure; that is said, too.
                let _ = readers::measure_under(&registry, Form::Csv, &whole(&day), &options, Way::OneByOne);
            }
        }
    }
}

/// Writes what is read, up to so many records.
struct Rewrite<W> {
    writer: W,
    left: usize,
}

impl<W: EventWriter> Receiver for Rewrite<W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.writer.issue(index, code).expect("writing to memory");
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.writer.server(index, name).expect("writing to memory");
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let Sequence::Given(number) = record.sequence else { panic!("numbered records") };
        let (event, ts_event) = (*record.event.as_ref().expect("good"), record.ts_event.expect("good"));
        self.writer.event(Some(number), &Record { ts_event, event }).expect("writing to memory");
        self.left -= 1;
        if self.left == 0 { Err(Stop) } else { Ok(()) }
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

#[test]
fn every_single_bit_flip_of_a_binary_file_is_refused_or_changes_nothing() {
    let (_, csv) = corpus("csv").into_iter().find(|(name, _)| name.ends_with("trading.csv")).expect("in the corpus");
    let mut file = Vec::new();
    let writer = BinaryWriter::new(&mut file, &header()).with_block_records(12);
    let mut rewrite = Rewrite { writer, left: 30 };
    decode(Form::Csv, &whole(&csv), &mut rewrite).expect_err("it stops after 30 records");
    rewrite.writer.finish().expect("writing to memory");
    let good = measure(Form::Binary, &whole(&file), false);
    let measured = good.as_ref().expect("a good day");
    let [_, breaches] = print(measured);
    assert!(measured.finished.record_count == 30 && 3 < breaches.lines().count(), "{breaches}");
    let mut harmless = 0;
    for bit in 0..file.len() * 8 {
        file[bit / 8] ^= 1 << (bit % 8);
        let outcome = measure(Form::Binary, &whole(&file), false);
        file[bit / 8] ^= 1 << (bit % 8);
        match outcome {
            Err(message) => assert!(message.contains("expected"), "bit {bit}: {message}"),
            Ok(_) => {
                harmless += 1;
                assert_eq!(outcome, good, "bit {bit} of byte {} goes unnoticed", bit / 8);
            }
        }
    }
    assert_eq!(harmless, 0, "every byte lies under a checksum");
}
