//! Nanoseconds per event of measuring one file that lies in memory: `cargo run --release --example file -- REGISTRY
//! 2024-03-01 FILE [ROUNDS [THREADS]]`, where a file whose name ends in `.qcev` is the binary form, any other ITCH.

use quoteclock_benches::{Form, Input, full_day_by};
use quoteclock_generate::{Load, Options};
use quoteclock_replay::Threads;
use quoteclock_rules::{Registry, SourceFile};
use std::num::NonZeroUsize;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, date, file, rest @ ..] = &arguments[..] else { panic!("a registry, a date, a file") };
    let files = std::fs::read_dir(folder).expect("a registry").map(|entry| {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        SourceFile { name, bytes: std::fs::read(&path).expect("a file") }
    });
    let registry = Registry::load(&files.collect::<Vec<_>>()).registry.expect("a good registry");
    let mut options = Options::new(Load::Small);
    options.date = date.parse().expect("a date");
    let form = if file.ends_with(".qcev") { Form::Binary } else { Form::Itch };
    let input = Input::from_bytes(form, options, registry, std::fs::read(file).expect("a file"));
    let threads = Threads(rest.get(1).map_or(NonZeroUsize::MIN, |threads| threads.parse().expect("a number")));
    for _ in 0..rest.first().map_or(1, |rounds| rounds.parse().expect("a number")) {
        let start = Instant::now();
        let (finished, hash) = full_day_by(&input, threads.start());
        let tenths = start.elapsed().as_nanos() * 10 / u128::from(finished.record_count);
        let (nanos, events) = (format_args!("{}.{}", tenths / 10, tenths % 10), finished.record_count);
        println!("quoteclock ns={nanos} events={events} hash={hash:016x}");
    }
}
