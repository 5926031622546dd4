//! Counts the instructions of the main stages at their small size, under valgrind.
//!
//! The counts repeat almost exactly on any machine, so that a change can be judged by them: `examples/instructions.rs`
//! compares what this prints with `instructions.toml`. What remains is the key under which order numbers are hashed, drawn
//! at random: each stage runs several times, and the lowest of several counts is judged, because some keys are unlucky.
#![allow(missing_docs, reason = "the functions are the macro's")]

use gungraun::Callgrind;
use gungraun::prelude::*;
use quoteclock_benches::{Prepared, Size};
use std::hint::black_box;

/// How many times a stage runs in one count.
const RUNS: usize = 4;

fn prepare(name: &str) -> Prepared {
    quoteclock_benches::stage(name).prepare(Size::Small)
}

fn check((prepared, results): (Prepared, [u64; RUNS])) {
    results.into_iter().for_each(|result| prepared.check(result));
}

#[library_benchmark(setup = prepare, teardown = check)]
#[bench::decode_itch("decode/itch/tse-etf")]
#[bench::decode_binary("decode/binary/tse-etf")]
#[bench::decode_csv("decode/csv/tse-etf")]
#[bench::book("book/tse-etf")]
#[bench::obligation("obligation/10-makers")]
#[bench::full_day_itch("engine/full_day/itch/tse-etf")]
#[bench::full_day_binary("engine/full_day/binary/tse-etf")]
#[bench::full_day_csv("engine/full_day/csv/tse-etf")]
#[bench::full_day_us_market("engine/full_day/itch/us-market")]
fn instructions(prepared: Prepared) -> (Prepared, [u64; RUNS]) {
    let results = [(); RUNS].map(|()| black_box(&prepared).run());
    (prepared, results)
}

library_benchmark_group!(name = stages, benchmarks = instructions);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = stages
);
