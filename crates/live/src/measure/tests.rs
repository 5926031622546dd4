//! Checkpoints of a day: each one and the rest of the journal come to the day, and one that is damaged is passed over.

use super::*;
use crate::checkpoint::{self, Keeper};
use crate::disk::tests::TestDisk;
use crate::folder::Folder;
use crate::journal::Journal;
use quoteclock_rules::{Loaded, SourceFile};
use quoteclock_wire::SessionId;
use quoteclock_wire::journal::{begin_frame, finish_messages, put_end, put_gap};
use std::path::PathBuf;

const SCHEME: &str = "name = \"test\"\nversion = \"1\"\ntimezone = \"Asia/Tokyo\"\n[[sessions]]\nfrom = \"2015-01-01\"\n\
    continuous = [\"09:00-10:00\"]\n[types.T]\nmax_spread_bps = 100\nmax_spread_ticks = 3\nmin_value = 300\n\
    [tick_tables]\nyen = [[\"above\", \"1\"]]\n";

pub(crate) fn registry(more: &[(&str, &str)]) -> Registry {
    let mut files = vec![
        ("scheme.toml", SCHEME),
        ("issues.csv", "issue,type,tick_table\n1306,T,yen\n1321,T,yen\n"),
        ("market_makers.csv", "market_maker\nMM1\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\nMM1,1321\n"),
    ];
    files.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    files.extend(more);
    let source = |(name, text): (&str, &str)| SourceFile { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
    let Loaded { registry, findings } = Registry::load(&files.into_iter().map(source).collect::<Vec<_>>());
    registry.unwrap_or_else(|| panic!("{findings:?}"))
}

/// Messages of a CSV session: quotes that come and go in two issues, one record that is bad, and one for an earlier time.
fn messages() -> Vec<String> {
    let header = "time,issue,event,order,contra,server,side,price,quantity,condition,phase".to_owned();
    let mut messages = vec![header];
    for number in 0..40_u32 {
        let (minute, issue) = (number, if number % 3 == 0 { "1321" } else { "1306" });
        let time = format!("2024-03-01T09:{minute:02}:00+09:00");
        let side = if number % 2 == 0 { "B" } else { "S" };
        // From 40 ticks apart to 160: within the limit, twice that, four times that, and beyond.
        let price = if side == "B" { 10_000 } else { 10_040 + 3 * number };
        messages.push(match number {
            17 => format!("{time},{issue},cancel,9999,,,,,,,"),
            29 => "2024-03-01T09:20:00+09:00,1321,cancel,1,,,,,,,".to_owned(),
            31 => format!("{time},*,clear,,,,,,,,"),
            number if number % 7 == 6 => format!("{time},{issue},reduce,{},,,,,10,,", number - 3),
            number => format!("{time},{issue},add,{number},,VS1,{side},{price},50,,"),
        });
    }
    messages
}

/// The frames of the session, some of several messages, and one gap.
fn frames() -> Vec<Framed> {
    frames_of(&messages())
}

/// A frame, and the number of the message after it.
type Framed = (Vec<u8>, u64);

/// The same of a session without a record that puts earlier time in doubt: of such a day all is measured again.
fn calm_frames() -> Vec<Framed> {
    let calm: Vec<String> =
        messages().into_iter().filter(|message| !message.contains("T09:20:00+09:00,1321,cancel")).collect();
    frames_of(&calm)
}

fn frames_of(messages: &[String]) -> Vec<Framed> {
    let (mut frames, mut next) = (Vec::new(), 1);
    for (number, messages) in messages.chunks(2).enumerate() {
        let mut frame = Vec::new();
        begin_frame(&mut frame);
        for message in messages {
            frame.extend_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
            frame.extend_from_slice(message.as_bytes());
        }
        finish_messages(&mut frame, next, u32::try_from(messages.len()).unwrap());
        next += messages.len() as u64;
        frames.push((frame, next));
        if number == 12 {
            let mut gap = Vec::new();
            put_gap(&mut gap, next, 2);
            next += 2;
            frames.push((gap, next));
        }
    }
    let mut end = Vec::new();
    put_end(&mut end, next, None);
    frames.push((end, next));
    frames
}

fn session() -> Option<SessionId> {
    SessionId::new(b"S1")
}

fn folder(disk: &TestDisk) -> Folder {
    Folder { disk: Arc::new(disk.clone()), path: PathBuf::from("/journals") }
}

pub(crate) fn create(disk: &TestDisk) -> Journal {
    let head = Head { payload: Payload::Csv, session: session(), date: None, feed: "soup://127.0.0.1:9".to_owned() };
    folder(disk).create(head).unwrap()
}

fn open(disk: &TestDisk) -> Journal {
    let folder = folder(disk);
    let path = folder.open_journals().unwrap().pop().unwrap();
    folder.open(&path).unwrap()
}

pub(crate) fn source(journal: &Journal, registry: &Registry) -> Source {
    Source {
        shard: None,
        registry: registry.clone(),
        own_orders: None,
        head: journal.head.clone(),
        file: Arc::clone(&journal.file),
        length: journal.length,
        unknown: Vec::new(),
        checkpoints: journal.checkpoints.clone(),
        keep: None,
        program: "test".to_owned(),
    }
}

/// All that a day has come to.
fn told(measured: &Measured) -> String {
    let finished = &measured.finished;
    format!("{:?} {:?} {} {}", measured.ledger, finished.turnover, finished.record_count, finished.reject_count)
}

/// What the whole journal comes to.
fn expected(registry: &Registry) -> String {
    expected_of(registry, &frames())
}

fn expected_of(registry: &Registry, frames: &[Framed]) -> String {
    let disk = TestDisk::default();
    let mut journal = create(&disk);
    frames.iter().for_each(|(frame, next)| journal.append(frame, *next).unwrap());
    told(&measure_again(&source(&journal, registry)).unwrap())
}

/// Takes a checkpoint of the pass as it stands, with something done when it has begun, and waits until it is on the disk.
fn keep_with(
    pass: &mut Pass,
    (source, keep): (&Source, &Keep),
    (disk, number): (&TestDisk, u64),
    meanwhile: impl Fn(&mut Pass),
) {
    pass.keep(source, keep);
    assert!(pass.is_saving);
    meanwhile(pass);
    while pass.is_saving {
        pass.keep(source, keep);
        std::thread::yield_now();
    }
    wait_for(disk, number);
}

/// The time that this thread has had of a processor.
fn processor_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Waits until a checkpoint is on the disk.
fn wait_for(disk: &TestDisk, number: u64) {
    let name = format!("S1.{number:06}.qcp");
    let started = Instant::now();
    while !folder(disk).disk.list(&PathBuf::from("/journals")).unwrap().contains(&name) {
        assert!(started.elapsed() < Duration::from_secs(20), "{name} does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A journal with the frames before `cut`, and a checkpoint as of each place in `marks`.
fn run_to(disk: &TestDisk, registry: &Registry, cut: usize, marks: &[usize]) {
    run_with(disk, registry, &frames()[..cut], marks, |_| {});
}

/// The same with something done while each checkpoint is being made.
fn run_with(disk: &TestDisk, registry: &Registry, frames: &[Framed], marks: &[usize], meanwhile: impl Fn(&mut Pass)) {
    let mut journal = create(disk);
    let keep =
        Keep { keeper: Keeper::start(&folder(disk)).unwrap(), every: Duration::ZERO, program: "test".to_owned() };
    let mut pass = Pass::start(&source(&journal, registry)).unwrap();
    let mut number = 0;
    for (at, (frame, next)) in frames.iter().enumerate() {
        journal.append(frame, *next).unwrap();
        pass.read(&journal.file, journal.length).unwrap();
        if marks.contains(&at) {
            number += 1;
            keep_with(&mut pass, (&source(&journal, registry), &keep), (disk, number), &meanwhile);
        }
    }
    journal.file.sync().unwrap();
}

/// What a later start comes to, with the rest of the frames; and from which message on it has measured.
fn go_on(disk: &TestDisk, registry: &Registry) -> (String, u64) {
    go_on_with(disk, registry, &frames())
}

fn go_on_with(disk: &TestDisk, registry: &Registry, frames: &[Framed]) -> (String, u64) {
    let mut journal = open(disk);
    let first = Pass::start(&source(&journal, registry)).unwrap().mark.next;
    let mut pass = Pass::start(&source(&journal, registry)).unwrap();
    let known = journal.next;
    for (frame, next) in frames.iter().filter(|(_, next)| known < *next) {
        journal.append(frame, *next).unwrap();
    }
    if journal.stage == crate::journal::Stage::Open {
        let (end, next) = frames.last().unwrap();
        journal.append(end, *next).unwrap();
    }
    pass.read(&journal.file, journal.length).unwrap();
    (told(&to_the_end(&source(&journal, registry), pass).unwrap()), first)
}

#[test]
fn a_checkpoint_taken_anywhere_and_the_rest_of_the_journal_come_to_the_day() {
    let registry = registry(&[]);
    for frames in [frames(), calm_frames()] {
        let expected = expected_of(&registry, &frames);
        for mark in 0..frames.len() - 1 {
            let disk = TestDisk::default();
            let cut = (mark + 3).min(frames.len() - 1);
            run_with(&disk, &registry, &frames[..cut], &[mark], |_| {});
            let (found, first) = go_on_with(&disk, &registry, &frames);
            assert_eq!(first, frames[mark].1, "the checkpoint after frame {mark} is used");
            assert_eq!(found, expected, "from frame {mark} on");
        }
    }
}

#[test]
fn a_look_while_a_checkpoint_is_made_loses_nothing() {
    let registry = registry(&[]);
    let frames = calm_frames();
    let expected = expected_of(&registry, &frames);
    let looks: [fn(&mut Pass); 2] = [
        |pass| drop(so_far(&mut pass.day)),
        |pass| {
            let mut look = crate::watch::see((0, 0), tokio::sync::oneshot::channel().0);
            while !look(&mut pass.day, &Facts::default()) {}
        },
    ];
    let told = std::cell::Cell::new(0);
    for mark in 0..frames.len() - 1 {
        for look in looks {
            let disk = TestDisk::default();
            run_with(&disk, &registry, &frames[..=mark], &[mark], |pass| {
                let before = pass.day.sink_mut().open().clone();
                look(pass);
                told.set(told.get() + usize::from(*pass.day.sink_mut().open() != before));
            });
            let (found, first) = go_on_with(&disk, &registry, &frames);
            assert_eq!(first, frames[mark].1, "the checkpoint after frame {mark} is used");
            assert_eq!(found, expected, "looked at while frame {mark} is saved");
        }
    }
    assert!(3 < told.get(), "looks told only {} times what had not been told", told.get());
}

#[test]
fn a_look_in_parts_adds_up_for_every_obligation() {
    use crate::watch::{Seeing, Watch, go_on};
    let registry = registry(&[]);
    let (disk, frames) = (TestDisk::default(), calm_frames());
    let mut journal = create(&disk);
    let mut pass = Pass::start(&source(&journal, &registry)).unwrap();
    let (mut watch, mut seeing, mut pictures) = (Watch::default(), None::<Seeing>, Vec::new());
    for (frame, next) in &frames[..frames.len() - 1] {
        journal.append(frame, *next).unwrap();
        pass.read(&journal.file, journal.length).unwrap();
        // One issue, or the breaches, with a frame in between.
        if go_on(&mut pass.day, watch.mark(), &mut seeing) == Some(true) {
            let seen = seeing.take().unwrap().finish(&pass.day, Facts::default()).unwrap();
            pictures.push(watch.add(seen));
        }
    }
    let mut moments = std::collections::BTreeSet::new();
    for picture in &pictures {
        for row in picture.rows.iter() {
            let off = row.total.available.0 - row.total.fulfilled.0;
            let since_nine = row.at.since(picture.plan.sessions()[0].start.min(row.at));
            assert_eq!(row.total.available.0 + row.total.unknown.0, since_nine.0, "{row:?}");
            // Of an hour, which is the whole session: the breaches that had ended, and the one that ran.
            assert_eq!(row.off[1].0, off, "{row:?}");
            assert!(row.at <= picture.last && row.off_since <= row.since);
            moments.insert((picture.last, row.at));
        }
    }
    assert!(4 < pictures.len() && 2 * pictures.len() - 2 <= moments.len(), "{} {moments:?}", pictures.len());
}

/// The bytes of a file, and a disk where they are others.
fn with(disk: &TestDisk, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> TestDisk {
    let disk = disk.copy();
    let (layer, path) = (Arc::new(disk.clone()) as Arc<dyn crate::disk::Disk>, PathBuf::from("/journals").join(name));
    let file = layer.open(&path).unwrap();
    let mut bytes = vec![0; 1 << 20];
    let count = file.read_at(&mut bytes, 0).unwrap();
    bytes.truncate(count);
    change(&mut bytes);
    layer.remove(&path).unwrap();
    layer.create(&path).unwrap().append(&bytes).unwrap();
    disk
}

#[test]
fn a_checkpoint_that_is_damaged_anywhere_is_passed_over_for_the_one_before() {
    let registry = registry(&[]);
    let (expected, frames) = (expected(&registry), frames());
    let disk = TestDisk::default();
    run_to(&disk, &registry, 20, &[3, 9, 15]);
    let (older, newer) = (frames[9].1, frames[15].1);
    assert_eq!(go_on(&disk.copy(), &registry), (expected.clone(), newer));
    let mut length = 0;
    with(&disk, "S1.000003.qcp", |bytes| length = bytes.len());
    for at in (0..length).filter(|at| *at < 64 || at % 7 == 0) {
        let flipped = with(&disk, "S1.000003.qcp", |bytes| bytes[at] ^= 1 << (at % 8));
        assert_eq!(go_on(&flipped, &registry), (expected.clone(), older), "byte {at} flipped");
        let torn = with(&disk, "S1.000003.qcp", |bytes| bytes.truncate(at));
        assert_eq!(go_on(&torn, &registry), (expected.clone(), older), "torn at {at}");
    }
    let longer = with(&disk, "S1.000003.qcp", |bytes| bytes.extend_from_slice(b"more"));
    assert_eq!(go_on(&longer, &registry).0, expected);
    let neither = with(&disk, "S1.000003.qcp", |bytes| bytes.truncate(40));
    let neither = with(&neither, "S1.000002.qcp", |bytes| bytes[60] ^= 1);
    assert_eq!(go_on(&neither, &registry), (expected, 1));
}

#[test]
fn a_checkpoint_is_stale_where_its_journal_is_another() {
    let registry = registry(&[]);
    let (expected, frames) = (expected(&registry), frames());
    let disk = TestDisk::default();
    run_to(&disk, &registry, 20, &[9, 15]);
    // The journal has lost its end, and what comes again is cut into other frames.
    for left in [frames[12].1, frames[8].1] {
        let shorter = with(&disk, "S1.open.qcj", |bytes| {
            let lengths = frames.iter().take_while(|(_, next)| *next <= left).map(|(frame, _)| frame.len());
            bytes.truncate(HEAD_BYTES + lengths.sum::<usize>());
        });
        let usable = if frames[9].1 <= left { frames[9].1 } else { 1 };
        assert_eq!(go_on(&shorter, &registry), (expected.clone(), usable));
    }
    // A frame with other bytes and the same length.
    let other = with(&disk, "S1.open.qcj", |bytes| {
        let at = HEAD_BYTES + frames[0].0.len();
        let mut frame = frames[1].0.clone();
        *frame.last_mut().unwrap() = b'x';
        finish_messages(&mut frame, frames[0].1, 2);
        bytes[at..at + frame.len()].copy_from_slice(&frame);
    });
    assert_eq!(go_on(&other, &registry).1, 1);
}

#[test]
fn a_checkpoint_is_of_one_program_and_of_one_plan() {
    let under = registry(&[]);
    let frames = frames();
    let disk = TestDisk::default();
    run_to(&disk, &under, 20, &[15]);
    let journal = open(&disk);
    let other = Source { program: "another".to_owned(), ..source(&journal, &under) };
    assert_eq!(Pass::start(&other).unwrap().mark.next, 1);
    // What is not in the plan is nothing to it; a Fast Market is in all of its variants.
    let fast = ("fast_market.csv", "from,to,multiplier\n2024-03-01,2024-03-01,2\n");
    let named = ("market_makers.csv", "market_maker,name\nMM1,Alpha\n");
    for more in [&[fast][..], &[named]] {
        let registry = registry(more);
        assert_eq!(go_on(&disk.copy(), &registry), (expected(&registry), frames[15].1), "{more:?}");
    }
    let exempt = ("exemptions.csv", "issue,market_maker,from,to,reason\n1306,,2024-03-01T09:10:00+09:00,,\n");
    let narrow = SCHEME.replace("max_spread_bps = 100", "max_spread_bps = 90");
    for more in [&[exempt][..], &[("scheme.toml", &narrow)]] {
        let registry = registry(more);
        assert_eq!(go_on(&disk.copy(), &registry), (expected(&registry), 1), "{more:?}");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_none_and_no_power_cut_makes_a_wrong_one() {
    let registry = registry(&[]);
    let expected = expected(&registry);
    let counted = TestDisk::default();
    run_to(&counted, &registry, 20, &[9]);
    let before = create_steps();
    for step in 0..counted.steps() - before {
        for part in [0, 7] {
            let disk = TestDisk::default();
            let mut journal = create(&disk);
            let keep = Keep {
                keeper: Keeper::start(&folder(&disk)).unwrap(),
                every: Duration::ZERO,
                program: "test".to_owned(),
            };
            let mut pass = Pass::start(&source(&journal, &registry)).unwrap();
            disk.fail_at(Some(step));
            for (at, (frame, next)) in frames().iter().enumerate().take(20) {
                if journal.append(frame, *next).is_err() || pass.read(&journal.file, journal.length).is_err() {
                    break;
                }
                if at % 5 == 4 {
                    let source = source(&journal, &registry);
                    pass.keep(&source, &keep);
                    while pass.is_saving {
                        pass.keep(&source, &keep);
                    }
                }
            }
            drop((pass, keep));
            std::thread::sleep(Duration::from_millis(2));
            disk.fail_at(None);
            disk.lose_power(|length| length.min(part));
            assert_eq!(go_on(&disk, &registry).0, expected, "step {step}, {part} bytes more");
        }
    }
}

/// Steps until a journal is made.
fn create_steps() -> u64 {
    let disk = TestDisk::default();
    create(&disk);
    disk.steps()
}

#[test]
fn a_market_of_many_orders_is_saved_part_by_part() {
    // As many orders as a market has, in one part of its issues.
    let disk = TestDisk::default();
    let registry = registry(&[]);
    let mut journal = create(&disk);
    let mut message = messages()[0].clone();
    let mut next = 1;
    for number in 0..200_000_u32 {
        let mut frame = Vec::new();
        begin_frame(&mut frame);
        frame.extend_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(message.as_bytes());
        finish_messages(&mut frame, next, 1);
        next += 1;
        journal.append(&frame, next).unwrap();
        message = format!("2024-03-01T09:00:00+09:00,{},add,{number},,VS1,B,10000,50,,", 1_000 + number % 1_000);
    }
    let keep =
        Keep { keeper: Keeper::start(&folder(&disk)).unwrap(), every: Duration::ZERO, program: "test".to_owned() };
    let source = source(&journal, &registry);
    let mut pass = Pass::start(&source).unwrap();
    pass.read(&journal.file, journal.length).unwrap();
    let mut stop_max = 0;
    loop {
        let before = processor_nanos();
        pass.keep(&source, &keep);
        stop_max = stop_max.max(processor_nanos() - before);
        if !pass.is_saving {
            break;
        }
        std::thread::yield_now();
    }
    // Of the processor: other processes, too, take their time from this thread. Without optimisation it is a multiple.
    eprintln!("the longest stop: {stop_max} ns");
    assert!(stop_max < 20_000_000, "a stop of {stop_max} ns");
    wait_for(&disk, 1);
    let (expected, found) = (pass.mark, Pass::start(&self::source(&open(&disk), &registry)).unwrap());
    assert_eq!(found.mark, expected);
    assert_eq!(found.day.record_count(), pass.day.record_count());
    keep.keeper.forget(session());
    assert!(checkpoint::find(&folder(&disk), session()).unwrap().is_empty());
}
