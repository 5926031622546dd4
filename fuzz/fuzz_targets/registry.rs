//! Any bytes as the files of a registry, each after a line `== name`; what loads is asked for plans, and measures a day.
#![no_main]

use jiff::civil::{Date, date};
use libfuzzer_sys::fuzz_target;
use quoteclock_engine::DayOptions;
use quoteclock_fuzz::readers::{Form, Way, measure_under, registry_files, whole};
use quoteclock_model::Timestamp;
use quoteclock_rules::Registry;

const DAY: &[u8] = include_bytes!("../corpus/csv/every_kind.csv");
const DATES: [Date; 6] =
    [Date::MIN, date(1970, 1, 1), date(2024, 2, 29), date(2024, 3, 1), date(2024, 11, 5), Date::MAX];
const INSTANTS: [i64; 5] = [i64::MIN, -1, 0, 1_709_251_200_000_000, i64::MAX];

fuzz_target!(|bytes: &[u8]| {
    let loaded = Registry::load(&registry_files(bytes));
    for finding in &loaded.findings {
        assert!(!finding.to_string().is_empty());
    }
    let Some(registry) = loaded.registry else {
        assert!(!loaded.findings.is_empty(), "a registry is refused with a reason");
        return;
    };
    // The bytes choose what is asked, so that a run stays short.
    let choice = crc32c::crc32c(bytes) as usize;
    let date = DATES[choice % DATES.len()];
    if let Ok(plan) = registry.plan(date) {
        assert!(plan.day.start < plan.day.end);
        assert_eq!(registry.local_date(plan.day.start), Ok(date));
    }
    let _ = registry.local_date(Timestamp::from_micros(INSTANTS[choice / 8 % INSTANTS.len()]));
    if choice / 64 % 8 == 0 {
        let options = DayOptions { lenient: true, ..DayOptions::default() };
        let _ = measure_under(&registry, Form::Csv, &whole(DAY), &options, Way::OneByOne);
    }
});
