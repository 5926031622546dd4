//! Times every stage at its large size: events a second, of which the inverse is the time of one event.
//!
//! A slowdown of `decode` or `engine` is one of every replay; `process` adds reading and writing files; `obligation` with
//! silent market makers has to cost what it costs without any.

use criterion::{Criterion, SamplingMode, Throughput};
use quoteclock_benches::{STAGES, Size};
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for stage in STAGES {
        let (group, case) = stage.name.rsplit_once('/').expect("names read stage/case");
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(Size::Large.events())).sampling_mode(SamplingMode::Flat);
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
        let mut prepared = None;
        group.bench_function(case, |bencher| {
            // Made only if the stage is among those asked for.
            let prepared = prepared.get_or_insert_with(|| stage.prepare(Size::Large));
            bencher.iter(|| prepared.check(prepared.run()));
        });
        group.finish();
    }
    criterion.final_summary();
}
