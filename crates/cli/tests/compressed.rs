//! Compressed inputs, whole and otherwise; pipes that are read twice.
#![cfg(unix)]

mod support;

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};
use support::{Bench, GOOD, day_text, notes, stderr, stdout};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory takes all")
}

fn text() -> Vec<u8> {
    day_text("2024-03-01", &GOOD).into_bytes()
}

/// What `replay` says of `bytes`, with its exit code; the same by one thread and by two.
fn said(bench: &Bench, name: &str, bytes: &[u8], more: &[&str]) -> (Option<i32>, String) {
    bench.write(name, bytes);
    let said = ["1", "2"].map(|threads| {
        let arguments = [&["replay", "--registry", "registry", "--threads", threads], more, &[name]].concat();
        let output = bench.run(&arguments);
        (output.status.code(), notes(&output))
    });
    assert_eq!(said[0], said[1]);
    let [said, _] = said;
    said
}

/// A tar archive of one file, as `tar --format=ustar` and, without a word at its end, as older ones write it.
fn tar(magic: &[u8], content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, b"day.csv");
    put(100, b"0000644\x000000000\x000000000\0");
    put(124, format!("{:011o}\x0014570000000\0", content.len()).as_bytes());
    put(148, b"        ");
    put(156, b"0");
    put(257, magic);
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let filling = vec![0; content.len().next_multiple_of(512) - content.len() + 1024];
    [&header, content, &filling].concat()
}

#[test]
fn what_is_compressed_otherwise_says_what_it_is() {
    let bench = Bench::new();
    let mut long = zstd::Encoder::new(Vec::new(), 3).unwrap();
    long.window_log(28).unwrap();
    long.write_all(&text()).unwrap();
    let cases = [
        (b"\xfd7zXZ\0\0\x04and so on".to_vec(), "is an xz file"),
        (b"PK\x03\x04\x14\0\0\0and so on".to_vec(), "is a zip archive"),
        (b"BZh91AY&SYand so on".to_vec(), "is a bzip2 file"),
        (gzip(&gzip(&text())), "is compressed twice (gzip in gzip)"),
        (zstd(&gzip(&text())), "is compressed twice (gzip in zstd)"),
        (gzip(b"PK\x03\x04\x14\0\0\0and so on"), "is a zip archive in gzip"),
        (long.finish().unwrap(), "needs a window of 256 MiB"),
        (b"\x28\xb5\x2f\xfd\x01\x00\x07\x01\x00\x00and so on".to_vec(), "was compressed with a dictionary (number 7)"),
        (b"\x37\xa4\x30\xec\x07\x00\x00\x00and so on".to_vec(), "is a zstd dictionary"),
        (b"\xff\xfes\0e\0q\0".to_vec(), "is text in UTF-16"),
        (tar(b"ustar\x0000", &text()), "is a tar archive, expected events"),
        (tar(b"ustar  \0", &text()), "is a tar archive, expected events"),
        (tar(b"", &text()), "is a tar archive, expected events"),
        (gzip(&tar(b"ustar\x0000", &text())), "is a tar archive in gzip"),
        (zstd(&tar(b"ustar\x0000", &text())), "is a tar archive in zstd"),
        ([zstd(&text()), gzip(&text())].concat(), "the zstd stream is followed by a gzip stream"),
        ([gzip(&text()), vec![0; 512]].concat(), "the gzip stream is followed by zeros"),
        ([zstd(&text()), vec![0; 3]].concat(), "the zstd stream is followed by zeros"),
        ([gzip(&text()), b"PK\x03\x04".to_vec()].concat(), "the gzip stream is followed by other bytes (50 4b 03 04)"),
        ([zstd(&text()), b"x".to_vec()].concat(), "the zstd stream is followed by other bytes (78)"),
        (gzip(&text())[..60].to_vec(), "the gzip stream ends early"),
        (zstd(&text())[..60].to_vec(), "the zstd stream ends early"),
    ];
    for (bytes, expected) in cases {
        let (code, message) = said(&bench, "events", &bytes, &[]);
        assert_eq!(code, Some(1), "{expected}: {message}");
        assert!(message.contains(expected), "{expected}: {message}");
        let output = bench.run(&["convert", "events", "out.qcev"]);
        assert_eq!(output.status.code(), Some(1), "{expected}");
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
        assert!(!bench.path("out.qcev").exists());
    }
}

#[test]
fn what_follows_the_end_leaves_what_came_before_certain() {
    let bench = Bench::new();
    let late = [&GOOD[..], &["10:00:00,1306,cancel,1,,,,,,,"]].concat();
    let text = day_text("2024-03-01", &late);
    for bytes in [[gzip(text.as_bytes()), vec![0; 100]].concat(), [zstd(text.as_bytes()), b"junk".to_vec()].concat()] {
        let (code, message) = said(&bench, "events", &bytes, &["--lenient", "--out", "out"]);
        assert_eq!(code, Some(3), "{message}");
        assert!(bench.read("out/daily.csv").contains("MM1,1306,general,3600000000,3599000000,0,99.9722\n"));
    }
}

#[test]
fn members_and_frames_of_all_kinds_are_one_stream() {
    let bench = Bench::new();
    let text = text();
    let (head, tail) = text.split_at(100);
    let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    for bytes in [
        [gzip(head), gzip(b""), gzip(tail)].concat(),
        [zstd(head), skipped.to_vec(), zstd(b""), zstd(tail), skipped.to_vec()].concat(),
        [skipped.to_vec(), zstd(&text)].concat(),
    ] {
        let (code, message) = said(&bench, "events", &bytes, &["--out", "out"]);
        assert_eq!((code, message.as_str()), (Some(0), ""));
        assert!(bench.read("out/daily.csv").contains("MM1,1306,general,3600000000,3599000000,0,99.9722\n"));
    }
}

#[test]
fn places_in_a_compressed_file_say_that_they_count_what_comes_out() {
    let bench = Bench::new();
    bench.write("day.csv", &text());
    assert_eq!(bench.run(&["convert", "day.csv", "day.qcev"]).status.code(), Some(0));
    let mut bytes = fs::read(bench.path("day.qcev")).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    let (_, plain) = said(&bench, "cut.qcev", &bytes, &[]);
    let (_, compressed) = said(&bench, "cut.qcev.gz", &gzip(&bytes), &[]);
    assert!(plain.contains("cut.qcev: byte "), "{plain}");
    assert_eq!(compressed, plain.replace("cut.qcev: byte", "cut.qcev.gz, decompressed: byte"));
    // Lines are the same on both sides.
    let (_, message) = said(&bench, "day.csv.gz", &gzip(&[&text()[..], b"rubbish\n"].concat()), &[]);
    assert!(message.contains("day.csv.gz: line 4: "), "{message}");
}

#[test]
fn names_in_capitals_tell_as_much() {
    let bench = Bench::new();
    bench.write("day.csv", &text());
    for (name, magic) in
        [("DAY.CSV.GZ", &[0x1f, 0x8b][..]), ("DAY.CSV.ZST", &[0x28, 0xb5]), ("DAY.QCEV.Gz", &[0x1f, 0x8b])]
    {
        let output = bench.run(&["convert", "day.csv", name]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(fs::read(bench.path(name)).unwrap().starts_with(magic), "{name}");
        assert_eq!(bench.replay(&[name]).status.code(), Some(0));
    }
}

#[test]
fn an_issue_that_no_event_is_of_is_told() {
    let bench = Bench::new();
    bench.write("day.csv", &text());
    for more in [&[][..], &["--limit", "1"], &["--to", "2024-03-01T00:00:02Z"]] {
        let output = bench.run(&[&["convert", "--issue", "9999", "day.csv", "out.csv"], more].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("day.csv: no event is of issue 9999"), "{}", stderr(&output));
        assert!(!bench.path("out.csv").exists());
    }
    // A known one in a time in which nothing happens is an excerpt without events.
    let from = "2024-03-01T09:30:00+09:00";
    let output = bench.run(&["convert", "--issue", "1306", "--from", from, "day.csv", "-"]);
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(0), 3), "what rests");
}

#[test]
fn a_pipe_of_any_name_is_read_twice_where_that_is_needed() {
    let bench = Bench::new();
    // The last record says that what has been measured since 09:30 is in doubt: the input is read again.
    let late = [&GOOD[..], &["10:00:00,1306,add,3,,VS1,S,1003,10,,", "09:30:00,1306,cancel,1,,,,,,,"]].concat();
    bench.write("late.csv", day_text("2024-03-01", &late).as_bytes());
    let replay = ["replay", "--registry", "registry", "--lenient", "--out", "out"];
    let explain = ["explain", "--registry", "registry", "--lenient", "--market-maker", "MM1", "--issue", "1306"];
    let run = |command: &[&str], name: &str, stdin: Stdio| {
        let output = bench.command(&[command, &[name]].concat()).stdin(stdin).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}: {}", stderr(&output));
        stdout(&output)
    };
    let piped = || {
        let mut cat = Command::new("cat");
        Stdio::from(cat.arg(bench.path("late.csv")).stdout(Stdio::piped()).spawn().unwrap().stdout.unwrap())
    };
    run(&replay, "late.csv", Stdio::null());
    let (expected, explained) = (bench.read("out/daily.csv"), run(&explain, "late.csv", Stdio::null()));
    assert!(expected.contains(",1800000000,"), "half an hour is unknown: {expected}");
    for name in ["-", "/dev/stdin", "/dev/fd/0"] {
        run(&replay, name, piped());
        assert_eq!(bench.read("out/daily.csv"), expected, "{name}");
        assert_eq!(run(&explain, name, piped()), explained, "{name}");
    }
    run(&replay, "/dev/stdin", Stdio::from(File::open(bench.path("late.csv")).unwrap()));
    assert_eq!(bench.read("out/daily.csv"), expected);
    assert!(Command::new("mkfifo").arg(bench.path("fifo")).status().unwrap().success());
    let (from, to) = (bench.path("late.csv"), bench.path("fifo"));
    let writer = std::thread::spawn(move || fs::write(to, fs::read(from).unwrap()).unwrap());
    run(&replay, "fifo", Stdio::null());
    writer.join().unwrap();
    assert_eq!(bench.read("out/daily.csv"), expected);
}
